import { type Dtype, fractionOf, isFloating } from "./dtype.ts"

export type Shape = readonly number[]

/** What is known about a value without its data ("abstract value"). */
export interface Aval {
  readonly shape: Shape
  readonly dtype: Dtype
  /** It stands for a JavaScript number, which takes the dtype of the tensor it meets. */
  readonly weak?: true
}

export function wantShape(name: string, shape: unknown): asserts shape is Shape {
  if (!Array.isArray(shape) || !shape.every(n => Number.isInteger(n) && n >= 0))
    throw new TypeError(`${name}: a shape is an array of whole numbers >= 0, such as [2, 3]; got ${JSON.stringify(shape)}`)
}

// tracing asks these for every operation: loops, and objects of one layout
export function size(shape: Shape): number {
  let n = 1
  for (let d = 0; d < shape.length; d++) n *= shape[d]!
  return n
}
/** For people: `f32[2,3]`. */
export const show = (a: Aval): string => `${a.dtype}[${a.shape.join(",")}]`
/** For cache keys: all that an aval says. */
export const keyOf = (a: Aval): string => (a.weak ? `${show(a)}*` : show(a))
export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false
  return true
}
/** An aval like `a`, of another shape. */
export const shaped = (shape: Shape, { dtype, weak }: Aval): Aval => (weak ? { shape, dtype, weak } : { shape, dtype })
export const same = (a: Aval, b: Aval): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape)
/** Only these have tangents; for all others the tangent is `null`. */
export const differentiable = (a: Aval): boolean => isFloating(tangentOf(a).dtype)
/** What tangents and cotangents of such values are: f32 for those of 16 bits, which nothing can be computed with. */
export const tangentOf = (a: Aval): Aval => (fractionOf(a.dtype) ? { ...a, dtype: "f32" } : a)
