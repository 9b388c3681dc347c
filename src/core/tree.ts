import { type Aval, keyOf, same } from "./aval.ts"
import { number, numberAval } from "./concrete.ts"
import { Tensor } from "./tensor.ts"

/** Tensors and numbers in nested plain arrays and objects; `null` and `undefined` hold nothing. */
export type Tree = Tensor | number | null | undefined | readonly Tree[] | { readonly [key: string]: Tree }
export type Flat = (xs: readonly Tensor[]) => readonly Tensor[]

type Path = (string | number)[]
/** Calls `visit` with each leaf and its path, in order. */
function walk(t: unknown, visit: (leaf: Tensor | number, path: Path) => void, path: Path = []): void {
  if (t instanceof Tensor || typeof t === "number") visit(t, path)
  else if (Array.isArray(t) || isPlain(t))
    for (const k in t) {
      path.push(k)
      walk(t[k as never], visit, path)
      path.pop()
    }
  else if (t !== null && t !== undefined) throw notATree(t, path.join("."))
}
const notATree = (t: unknown, path: string): TypeError =>
  new TypeError(
    `arguments and results are tensors and numbers in plain arrays and objects; got a ${typeof t === "object" ? ((t as object).constructor?.name ?? "object") : typeof t}${path ? ` at ${path}` : ""}. ` +
      (t instanceof Promise
        ? "Functions given to adjoint must not be async"
        : ArrayBuffer.isView(t)
          ? "Make it a tensor with tensor(...)"
          : "Let the function take it from outside, or name the argument in jit's option `static`"),
  )
const isPlain = (t: unknown): t is Record<string, unknown> => {
  if (typeof t !== "object" || t === null) return false
  const proto = Object.getPrototypeOf(t)
  return proto === Object.prototype || proto === null
}

/** The leaves in order; numbers become weak scalar tensors, hence run-time arguments. */
export function leaves(t: Tree): Tensor[] {
  const out: Tensor[] = []
  walk(t, x => out.push(typeof x === "number" ? number(x) : x))
  return out
}
/** The names of the leaves in order, such as `layers.0.w`. */
export function paths(t: Tree): string[] {
  const out: string[] = []
  walk(t, (_, path) => out.push(path.join(".")))
  return out
}

/** A tree like `t` with other leaves. */
export function rebuild(t: Tree, xs: readonly unknown[]): any {
  let next = 0
  const go = (t: Tree): unknown => {
    if (t instanceof Tensor || typeof t === "number") return xs[next++]!
    if (t === null || t === undefined) return t
    if (Array.isArray(t)) return t.map(go)
    const copy: Record<string, unknown> = { ...(t as object) }
    for (const k in copy) copy[k] = go(copy[k] as Tree)
    return copy
  }
  return go(t)
}

/**
 * `f` on corresponding leaves of trees with one structure.
 *
 * @example
 * treeMap((w, g) => w.sub(g.mul(0.1)), { w: tensor([1]), b: [tensor(2)] }, { w: tensor([5]), b: [tensor(0)] })  // { w: [0.5], b: [2] }
 */
export function treeMap(f: (...xs: Tensor[]) => Tensor, first: Tree, ...others: readonly Tree[]): any {
  const columns = [first, ...others].map(leaves)
  const [xs] = columns as [Tensor[]]
  const odd = columns.findIndex(c => c.length !== xs.length)
  if (odd > 0)
    throw new TypeError(
      `treeMap: the trees must have one structure; tree 0 has ${xs.length} leaves, tree ${odd} has ${columns[odd]!.length}`,
    )
  return rebuild(
    first,
    xs.map((_, i) => f(...columns.map(c => c[i]!))),
  )
}

/** Structure and avals as text, for cache keys. */
export function describe(t: Tree): string {
  if (t instanceof Tensor) return keyOf(t.aval)
  if (typeof t === "number") return "f64[]*"
  if (t === null || t === undefined) return "-"
  if (Array.isArray(t)) return `[${t.map(describe)}]`
  if (!isPlain(t)) throw notATree(t, "")
  return `{${Object.entries(t as object).map(([k, v]) => `${JSON.stringify(k)}:${describe(v)}`)}}`
}

/** What `describe` tells, to compare with. */
export type Form = Aval | null | readonly Form[] | ReadonlyMap<string, Form>
export function formOf(t: Tree): Form {
  if (t instanceof Tensor) return t.aval
  if (typeof t === "number") return numberAval
  if (t === null || t === undefined) return null
  return Array.isArray(t) ? t.map(formOf) : new Map(Object.entries(t as object).map(([k, v]) => [k, formOf(v)]))
}
/** Whether `t` has this form; its leaves are added to `into` meanwhile. Much faster than `describe`. */
export function fits(t: unknown, form: Form | undefined, into: Tensor[]): boolean {
  if (t instanceof Tensor)
    return isAval(form) && (t.aval === form || (same(t.aval, form) && !t.aval.weak === !form.weak)) && into.push(t) > 0
  if (typeof t === "number")
    return isAval(form) && form.weak === true && form.shape.length === 0 && form.dtype === "f64" && into.push(number(t)) > 0
  if (t === null || t === undefined) return form === null
  if (Array.isArray(t)) return Array.isArray(form) && t.length === form.length && t.every((x, i) => fits(x, form[i], into))
  if (!(form instanceof Map) || !isPlain(t)) return false
  const keys = form.keys()
  for (const k in t) if (keys.next().value !== k || !fits(t[k], form.get(k), into)) return false
  return keys.next().done === true
}
const isAval = (form: Form | undefined): form is Aval => form !== null && form !== undefined && "dtype" in form

/** Throws TypeError for what is not a function, such as the value of one that was called too early. */
export function wantFunction(call: string, f: unknown): void {
  if (typeof f !== "function") throw new TypeError(`${call}: wants a function; got ${typeof f}`)
}

/** `f` on lists of leaves; `result` rebuilds the tree that the last run returned. */
export function flatten(f: (...args: any[]) => Tree, args: readonly Tree[]): { flat: Flat; result: (ys: readonly unknown[]) => any } {
  let out: Tree
  return {
    flat: xs => leaves((out = f(...rebuild(args, xs)))),
    result: ys => rebuild(out, ys),
  }
}
