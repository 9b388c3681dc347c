// New tensors.
import { type Shape, wantShape } from "../core/aval.ts"
import { type Dtype, heldAs, wantDtype } from "../core/dtype.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { lift, wantTensors } from "./align.ts"

export interface CreateOptions {
  /** Default: "f32". */
  readonly dtype?: Dtype
}

/** A tensor with `value` everywhere. @example full([2, 2], 7)  // [[7, 7], [7, 7]] */
export const full = (shape: Shape, value: number, options: CreateOptions = {}): Tensor => filled("full", shape, value, options)
function filled(name: string, shape: Shape, value: number, { dtype = "f32" }: CreateOptions): Tensor {
  wantShape(name, shape)
  wantDtype(name, dtype)
  if (typeof value !== "number" && typeof value !== "boolean")
    throw new TypeError(`${name}: the value must be a number; got ${typeof value}. Repeat a tensor with broadcastTo(x, shape)`)
  return heldAs(dtype) === dtype ? p.full(shape, value, dtype) : p.convert(p.full(shape, value, "f64"), dtype)
}
function wantCount(name: string, n: unknown): void {
  if (!Number.isInteger(n) || (n as number) < 0)
    throw new TypeError(`${name}: wants a whole number >= 0; got ${Array.isArray(n) ? JSON.stringify(n) : n}`)
}
/** A tensor of zeros. @example zeros([2, 2])  // [[0, 0], [0, 0]] */
export const zeros = (shape: Shape, options: CreateOptions = {}): Tensor => filled("zeros", shape, 0, options)
/** A tensor of ones. @example ones([3], { dtype: "i32" })  // [1, 1, 1] */
export const ones = (shape: Shape, options: CreateOptions = {}): Tensor => filled("ones", shape, 1, options)
/** Zeros like `x`. @example zerosLike(tensor([1, 2]))  // [0, 0] */
export const zerosLike = (x: Tensor): Tensor => p.fullLike(lift("zerosLike", x).aval, 0)
/** Ones like `x`. @example onesLike(tensor([1, 2]))  // [1, 1] */
export function onesLike(operand: Tensor): Tensor {
  const x = lift("onesLike", operand)
  return x.aval.weak ? p.fullLike(x.aval, 1) : filled("onesLike", x.shape, 1, x)
}

/**
 * 0, 1, ... n - 1; or start, start + step, ... as long as below `stop` (above it, for a negative step; default 1).
 * Default dtype: "i32", or "f32" if start or step is no whole number.
 *
 * @example
 * arange(4)               // i32[4] [0, 1, 2, 3]
 * arange(1, 0, -0.25)     // f32[4] [1, 0.75, 0.5, 0.25]
 */
export function arange(n: number, options?: CreateOptions): Tensor
export function arange(start: number, stop: number, step?: number, options?: CreateOptions): Tensor
export function arange(start: number, stop?: number | CreateOptions, step: number | undefined = 1, options: CreateOptions = {}): Tensor {
  if (typeof stop === "number") {
    const n = Math.ceil((stop - start) / step)
    if (!Number.isFinite(n)) throw new TypeError(`arange: wants finite numbers and a step that is not 0; got ${start}, ${stop}, ${step}`)
    return progression("arange", start, step, Math.max(0, n), { dtype: [start, step].every(Number.isInteger) ? "i32" : "f32", ...options })
  }
  const { dtype = "i32" } = stop ?? {}
  wantCount("arange", start)
  wantDtype("arange", dtype)
  return p.convert(p.iota(start), dtype)
}
/** start + i step for 0 <= i < n, rounded once. */
function progression(name: string, start: number, step: number, n: number, { dtype = "f32" }: CreateOptions): Tensor {
  wantDtype(name, dtype)
  const i = p.cast(p.iota(n), "f64")
  return p.convert(p.add(p.mul(i, p.fullLike(i.aval, step)), p.fullLike(i.aval, start)), dtype)
}
/**
 * `n` numbers from `start` to `stop` at equal distances, both included.
 *
 * @example
 * linspace(0, 1, 5)  // [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(start: number, stop: number, n: number, options: CreateOptions = {}): Tensor {
  for (const x of [start, stop])
    if (!Number.isFinite(x)) throw new TypeError(`linspace: start and stop are finite numbers; got ${JSON.stringify(x)}`)
  wantCount("linspace", n)
  const x = progression("linspace", start, n > 1 ? (stop - start) / (n - 1) : 0, n, options)
  if (n < 2) return x
  const isLast = p.eq(p.iota(n), p.fullLike(p.iota(n).aval, n - 1))
  return p.select(isLast, p.convert(p.full([n], stop, "f64"), x.dtype), x)
}
/**
 * Coordinates of a grid: for vectors x, y, ... tensors over all of their pairs, of which the i-th has the elements of the i-th vector.
 * With `indexing` "ij" axis i belongs to vector i; with "xy", the default as in NumPy, the first two are exchanged.
 *
 * @example
 * meshgrid([arange(2), arange(3)])  // [[[0, 1], [0, 1], [0, 1]], [[0, 0], [1, 1], [2, 2]]]
 */
export function meshgrid(xs: readonly Tensor[], { indexing = "xy" }: { readonly indexing?: "xy" | "ij" } = {}): Tensor[] {
  wantTensors("meshgrid", xs)
  const odd = xs.find(x => x.ndim !== 1)
  if (odd) throw new ShapeError("meshgrid", "wants vectors", [odd.aval])
  if (indexing !== "xy" && indexing !== "ij") throw new TypeError(`meshgrid: indexing is "xy" or "ij"; got ${JSON.stringify(indexing)}`)
  const order = xs.map((_, i) => (indexing === "xy" && i < 2 && xs.length > 1 ? 1 - i : i))
  const shape = order.map(i => xs[i]!.size)
  return xs.map((x, i) =>
    p.broadcast(
      x,
      shape,
      shape.map((_, d) => d).filter(d => d !== order.indexOf(i)),
    ),
  )
}
/** The n x n identity matrix. @example eye(2)  // [[1, 0], [0, 1]] */
export function eye(n: number, { dtype = "f32" }: CreateOptions = {}): Tensor {
  wantCount("eye", n)
  wantDtype("eye", dtype)
  const i = p.iota(n)
  return p.convert(p.eq(p.broadcast(i, [n, n], [1]), p.broadcast(i, [n, n], [0])), dtype)
}
/**
 * [..., n]: 1 at the place that the i32 labels name, else 0.
 *
 * @example
 * oneHot(tensor([1, 0], { dtype: "i32" }), 3)  // [[0, 1, 0], [1, 0, 0]]
 */
export function oneHot(labels: Tensor, n: number, { dtype = "f32" }: CreateOptions = {}): Tensor {
  wantCount("oneHot", n)
  wantDtype("oneHot", dtype)
  wantTensors("oneHot", [labels])
  if (labels.dtype !== "i32") throw new DtypeError("oneHot", "labels are i32", [labels.aval])
  const shape = [...labels.shape, n]
  const classes = p.broadcast(
    p.iota(n),
    shape,
    labels.shape.map((_, i) => i),
  )
  return p.convert(p.eq(p.broadcast(labels, shape, [labels.ndim]), classes), dtype)
}
