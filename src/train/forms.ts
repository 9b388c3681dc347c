// Trees as they are stored: their form as plain JSON, their tensors by path.
import { show } from "../core/aval.ts"
import { type Concrete, fromArray, storedOf } from "../core/concrete.ts"
import { isDtype, type TypedArray } from "../core/dtype.ts"
import { leaves, paths, rebuild, type Tree } from "../core/tree.ts"
import { FormatError } from "../io/errors.ts"
import { isObject, type Json } from "../io/json.ts"
import type { StoredTensors } from "../io/safetensors.ts"

/** The form of a tree: text such as `f32[784,128]` stands for its tensors. */
export const formOf = (tree: Tree): Json =>
  rebuild(
    tree,
    leaves(tree).map(x => show(x.aval)),
  )

/** The tensors of a tree by path, such as `layers.0.w`, behind a prefix. */
export function tensorsOf(tree: Tree, prefix = ""): StoredTensors {
  const xs = leaves(tree) as Concrete[]
  return Object.fromEntries(
    paths(tree).map((path, i) => [`${prefix}${path}`, { dtype: xs[i]!.dtype, shape: [...xs[i]!.shape], data: storedOf(xs[i]!) }]),
  ) as StoredTensors
}

/** The tree of a form, with stored tensors. Throws FormatError where one is missing or is not what the form says. */
export function restore(form: unknown, tensors: StoredTensors, prefix = ""): any {
  const go = (form: unknown, path: string): unknown => {
    if (typeof form !== "string") {
      const below = (key: string | number): string => (path ? `${path}.${key}` : `${key}`)
      if (Array.isArray(form)) return form.map((f, i) => go(f, below(i)))
      if (isObject(form)) return Object.fromEntries(Object.entries(form).map(([key, f]) => [key, go(f, below(key))]))
      throw new FormatError(`The form of ${prefix}${path} must be made of objects, lists and text; got ${JSON.stringify(form)}.`)
    }
    const name = `${prefix}${path}`
    const { dtype, shape, data } = tensors[name] ?? {}
    if (!isDtype(dtype) || !shape || form !== show({ dtype, shape }))
      throw new FormatError(`The model wants ${name} as ${form}; the file has ${shape ? `${dtype}[${shape}]` : "none"}.`)
    return fromArray(data as TypedArray, { dtype, shape })
  }
  return go(form, "")
}
