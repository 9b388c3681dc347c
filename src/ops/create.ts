// New tensors.
import type { Shape } from "../core/aval.ts"
import { type Dtype, isDtype } from "../core/dtype.ts"
import { DtypeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"

export interface CreateOptions {
  /** Default: "f32". */
  readonly dtype?: Dtype
}

export function wantDtype(name: string, dtype: unknown): asserts dtype is Dtype {
  if (!isDtype(dtype)) throw new TypeError(`${name}: dtype must be "f32", "f64", "i32" or "bool"; got ${JSON.stringify(dtype)}`)
}
export function wantShape(name: string, shape: unknown): asserts shape is Shape {
  if (!Array.isArray(shape) || !shape.every(n => Number.isInteger(n) && n >= 0))
    throw new TypeError(`${name}: a shape is an array of whole numbers >= 0, such as [2, 3]; got ${JSON.stringify(shape)}`)
}

/** A tensor with `value` everywhere. */
export const full = (shape: Shape, value: number, options: CreateOptions = {}): Tensor => filled("full", shape, value, options)
function filled(name: string, shape: Shape, value: number, { dtype = "f32" }: CreateOptions): Tensor {
  wantShape(name, shape)
  wantDtype(name, dtype)
  return p.full(shape, value, dtype)
}
function wantCount(name: string, n: unknown): void {
  if (!Number.isInteger(n) || (n as number) < 0) throw new TypeError(`${name}: wants a whole number >= 0; got ${n}`)
}
/** A tensor of zeros. */
export const zeros = (shape: Shape, options: CreateOptions = {}): Tensor => filled("zeros", shape, 0, options)
/** A tensor of ones. */
export const ones = (shape: Shape, options: CreateOptions = {}): Tensor => filled("ones", shape, 1, options)
/** Zeros like `x`. */
export const zerosLike = (x: Tensor): Tensor => p.fullLike(x.aval, 0)
/** Ones like `x`. */
export const onesLike = (x: Tensor): Tensor => p.fullLike(x.aval, 1)

/**
 * 0, 1, ... n - 1. Default dtype: "i32".
 *
 * @example
 * arange(4)  // i32[4] [0, 1, 2, 3]
 */
export function arange(n: number, { dtype = "i32" }: CreateOptions = {}): Tensor {
  wantCount("arange", n)
  wantDtype("arange", dtype)
  return p.cast(p.iota(n), dtype)
}
/** The n x n identity matrix. */
export function eye(n: number, { dtype = "f32" }: CreateOptions = {}): Tensor {
  wantCount("eye", n)
  wantDtype("eye", dtype)
  const i = p.iota(n)
  return p.cast(p.eq(p.broadcast(i, [n, n], [1]), p.broadcast(i, [n, n], [0])), dtype)
}
/** [..., n]: 1 at the place that the i32 labels name, else 0. */
export function oneHot(labels: Tensor, n: number, { dtype = "f32" }: CreateOptions = {}): Tensor {
  wantCount("oneHot", n)
  wantDtype("oneHot", dtype)
  if (labels.dtype !== "i32") throw new DtypeError("oneHot", "labels are i32", [labels.aval])
  const shape = [...labels.shape, n]
  const classes = p.broadcast(
    p.iota(n),
    shape,
    labels.shape.map((_, i) => i),
  )
  return p.cast(p.eq(p.broadcast(labels, shape, [labels.ndim]), classes), dtype)
}
