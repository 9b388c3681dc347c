// Trees of numbers, as the checker handles them.
import { differentiable, type Shape, size } from "../core/aval.ts"
import { Concrete, fromArray } from "../core/concrete.ts"
import { allocate, type Dtype, isFloating, type TypedArray } from "../core/dtype.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../core/tree.ts"

export function convert(x: Tensor, dtype: Dtype): Tensor {
  if (!(x instanceof Concrete)) throw new TypeError(`checkGrads: wants tensors with known numbers, outside of grad, jit and vmap; got ${x}`)
  const t = differentiable(x.aval) ? dtype : x.dtype
  return filled(x.shape, t, i => x.values()[i]!)
}
export function filled(shape: Shape, dtype: Dtype, at: (i: number) => number): Tensor {
  const array = allocate(dtype, size(shape))
  for (let i = 0; i < array.length; i++) array[i] = at(i)
  return fromArray(array, { shape, dtype })
}
export const concrete = (t: Tree): { x: Tensor; values: TypedArray }[] => leaves(t).map(x => ({ x, values: x.values() }))
export const isFloat = (x: Tensor): boolean => isFloating(x.dtype)
export const largest = (values: Iterable<number>): number => {
  let m = 0
  for (const v of values) if (Number.isFinite(v)) m = Math.max(m, Math.abs(v))
  return m
}
export function indexOf(flat: number, shape: Shape): number[] {
  const index: number[] = []
  for (let d = shape.length - 1, rest = flat; d >= 0; d--) {
    index.unshift(rest % shape[d]!)
    rest = Math.floor(rest / shape[d]!)
  }
  return index
}

/** The sum of products of corresponding elements, and that of their absolute values. */
export function inner(a: Tree, b: Tree): { sum: number; scale: number } {
  const others = concrete(b)
  let sum = 0
  let scale = 0
  concrete(a).forEach(({ x, values }, k) => {
    if (!isFloat(x)) return
    for (let i = 0; i < values.length; i++) {
      const v = values[i]! * others[k]!.values[i]!
      sum += v
      scale += Math.abs(v)
    }
  })
  return { sum, scale }
}

/** Trees of one structure as a tree of batches, the batch axis first (0) or last (-1). */
export function stack(trees: readonly Tree[], axis: 0 | -1 | number): Tree {
  const columns = trees.map(concrete)
  return rebuild(
    trees[0]!,
    columns[0]!.map(({ x }, k) => {
      const n = x.size
      const shape = axis === 0 ? [trees.length, ...x.shape] : [...x.shape, trees.length]
      const at = (i: number): number =>
        axis === 0 ? columns[Math.floor(i / n)]![k]!.values[i % n]! : columns[i % trees.length]![k]!.values[Math.floor(i / trees.length)]!
      return filled(shape, x.dtype, at)
    }),
  )
}
