import { type Dtype, isFloating } from "./dtype.ts"

export type Shape = readonly number[]

/** What is known about a value without its data ("abstract value"). */
export interface Aval {
  readonly shape: Shape
  readonly dtype: Dtype
  /** It stands for a JavaScript number, which takes the dtype of the tensor it meets. */
  readonly weak?: true
}

export const size = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)
/** For people: `f32[2,3]`. */
export const show = (a: Aval): string => `${a.dtype}[${a.shape.join(",")}]`
/** For cache keys: all that an aval says. */
export const keyOf = (a: Aval): string => (a.weak ? `${show(a)}*` : show(a))
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i])
export const same = (a: Aval, b: Aval): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape)
/** Only these have tangents; for all others the tangent is `null`. */
export const differentiable = (a: Aval): boolean => isFloating(a.dtype)
