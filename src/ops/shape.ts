// Functions that move elements.
import { type Shape, sameShape, show, wantShape } from "../core/aval.ts"
import { ShapeError } from "../core/errors.ts"
import { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { axisOf, commonShape, lift, repeatTo, wantOneDtype, wantOptions, wantTensors } from "./align.ts"

/**
 * The elements in row-major order with another shape; one length may be -1 and is computed.
 *
 * @example
 * reshape(arange(6), [2, -1])  // [[0, 1, 2], [3, 4, 5]]
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  x = lift("reshape", x)
  const open = Array.isArray(shape) ? shape.indexOf(-1) : -1
  if (open < 0) {
    wantShape("reshape", shape)
    return p.reshape(x, shape)
  }
  const rest = shape.reduce((n, d, i) => (i === open ? n : n * d), 1)
  if (shape.lastIndexOf(-1) !== open || rest === 0 || x.size % rest !== 0)
    throw new ShapeError("reshape", `one length may be -1 if the others divide the number of elements; wanted [${shape}]`, [x.aval])
  return p.reshape(x, shape.with(open, x.size / rest))
}
/** All elements along one axis. @example ravel(tensor([[1, 2], [3, 4]]))  // [1, 2, 3, 4] */
export function ravel(x: Tensor): Tensor {
  x = lift("ravel", x)
  return p.reshape(x, [x.size])
}
/** The axes in the order of `axes`; reversed by default. @example transpose(tensor([[1, 2], [3, 4]]))  // [[1, 3], [2, 4]] */
export function transpose(x: Tensor, axes?: Shape): Tensor {
  x = lift("transpose", x)
  return p.permute(x, axes ? [axes].flat().map(a => axisOf("transpose", x, a)) : p.allAxes(x).toReversed())
}
/** A new axis of length 1 at `axis`. @example expandDims(tensor([1, 2]), 0)  // [[1, 2]] */
export function expandDims(x: Tensor, axis: number): Tensor {
  const d = axis < 0 ? axis + x.ndim + 1 : axis
  if (!(d >= 0 && d <= x.ndim)) throw new ShapeError("expandDims", `there is no place ${axis}`, [x.aval])
  return p.reshape(x, x.shape.toSpliced(d, 0, 1))
}
/** Without axes of length 1 (all of them, or `axis`). @example squeeze(tensor([[1, 2]]))  // [1, 2] */
export function squeeze(x: Tensor, axis?: number): Tensor {
  if (axis === undefined)
    return p.reshape(
      x,
      x.shape.filter(n => n !== 1),
    )
  const d = axisOf("squeeze", x, axis)
  if (x.shape[d] !== 1) throw new ShapeError("squeeze", `axis ${axis} must have length 1`, [x.aval])
  return p.reshape(x, x.shape.toSpliced(d, 1))
}
/** Operands joined along an existing axis. Default: axis 0. @example concat([tensor([1]), tensor([2, 3])])  // [1, 2, 3] */
export function concat(xs: readonly Tensor[], options: { readonly axis?: number } = {}): Tensor {
  wantOptions("concat", options)
  const { axis = 0 } = options
  wantList("concat", xs)
  wantOneDtype("concat", xs)
  return p.concat(xs, axisOf("concat", xs[0]!, axis))
}
/** Operands joined along a new axis. Default: axis 0. @example stack([tensor([1, 2]), tensor([3, 4])], { axis: 1 })  // [[1, 3], [2, 4]] */
export function stack(xs: readonly Tensor[], options: { readonly axis?: number } = {}): Tensor {
  wantOptions("stack", options)
  const { axis = 0 } = options
  wantList("stack", xs)
  wantOneDtype("stack", xs)
  const avals = xs.map(x => x.aval)
  if (avals.some(a => !sameShape(a.shape, avals[0]!.shape))) throw new ShapeError("stack", "tensors must have one shape", avals)
  return concat(
    xs.map(x => expandDims(x, axis)),
    { axis },
  )
}
function wantList(name: string, xs: readonly Tensor[]): void {
  wantTensors(name, xs)
  if (!xs.length) throw new TypeError(`${name}: wants at least one tensor`)
}
/** Zeros around: `[before, after]` for each axis. @example pad(tensor([1, 2]), [[1, 2]])  // [0, 1, 2, 0, 0] */
export function pad(x: Tensor, widths: readonly (readonly [number, number])[]): Tensor {
  wantTensors("pad", [x])
  const isPair = (w: unknown): boolean => Array.isArray(w) && w.length === 2 && w.every(n => Number.isInteger(n) && n >= 0)
  if (!Array.isArray(widths) || widths.length !== x.ndim || !widths.every(isPair))
    throw new ShapeError("pad", `wants [before, after], whole numbers >= 0, for each axis, got ${JSON.stringify(widths)}`, [x.aval])
  return p.pad(x, { start: widths.map(([a]) => a), shape: x.shape.map((n, d) => widths[d]![0] + n + widths[d]![1]) })
}

/** What `slice` takes of an axis: all (":"), one place (the axis goes), or [from, to) with negative places counted from the end. */
export type Part = ":" | number | readonly [from?: number | null, to?: number | null]

/**
 * A box of the tensor; axes that are not named are whole.
 *
 * @example
 * const x = reshape(arange(12), [3, 4])
 * slice(x, [0, 2], -1)      // [3, 7]
 * slice(x, ":", [1, null])  // i32[3,3]
 */
export function slice(x: Tensor, ...parts: readonly Part[]): Tensor {
  x = lift("slice", x)
  if (parts.length > x.ndim) throw new ShapeError("slice", `wants at most one part for each axis, got ${parts.length}`, [x.aval])
  const start: number[] = []
  const shape: number[] = []
  const kept: number[] = []
  x.shape.forEach((n, d) => {
    const part = parts[d] ?? ":"
    const whole = part === ":" || [part].flat().every(i => Number.isInteger(i ?? 0))
    const isPlace = typeof part === "number"
    const i = isPlace ? (part < 0 ? part + n : part) : 0
    if (!whole || (isPlace && (i < 0 || i >= n))) throw new ShapeError("slice", `there is no place ${part} in axis ${d}`, [x.aval])
    if (isPlace) {
      start.push(i)
      shape.push(1)
      return
    }
    const place = (i: number | null | undefined, otherwise: number): number =>
      Math.min(n, Math.max(0, (i ?? otherwise) + ((i ?? 0) < 0 ? n : 0)))
    const [from, to] = part === ":" ? [0, n] : [place(part[0], 0), place(part[1], n)]
    start.push(from)
    shape.push(Math.max(0, to - from))
    kept.push(shape.at(-1)!)
  })
  return p.reshape(p.slice(x, { start, shape }), kept)
}
/** Entry `i` of axis 0, counted from the end if negative. @example at(tensor([[1, 2], [3, 4]]), -1)  // [3, 4] */
export function at(x: Tensor, i: number): Tensor {
  if (x.ndim === 0) throw new ShapeError("at", "a scalar has no entries; use item()", [x.aval])
  return slice(x, i ?? Number.NaN)
}
/** i32 places along an axis of length `n`, counted from the front. */
export function placesIn(name: string, indices: Tensor, n: number): Tensor {
  if (!(indices instanceof Tensor) || indices.dtype !== "i32")
    throw new TypeError(
      `${name}: indices must be an i32 tensor, such as tensor([0, 2], { dtype: "i32" }); got ${indices instanceof Tensor ? show(indices.aval) : typeof indices}`,
    )
  return p.select(p.lt(indices, p.zeros(indices.aval)), p.add(indices, p.fullLike(indices.aval, n)), indices)
}
/**
 * Entries of `axis` (default 0) at the places in `indices` (i32, any shape), counted from the end if negative.
 * A place outside gives NaN, or 0 for integers.
 *
 * @example
 * take(tensor([10, 20, 30]), tensor([2, 0], { dtype: "i32" }))  // [30, 10]
 */
export function take(x: Tensor, indices: Tensor, { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  const d = axisOf("take", x, axis)
  return p.gatherOrNaN(x, placesIn("take", indices, x.shape[d]!), d)
}

/**
 * Matrix product: [..., m, k] by [..., k, n]; leading axes are aligned; a vector stands for a row on the left and a column on the right.
 *
 * @example
 * matmul(tensor([[1, 2], [3, 4]]), tensor([1, 1]))  // [3, 7]
 */
export function matmul(x: Tensor, y: Tensor): Tensor {
  if (!(x instanceof Tensor) || !(y instanceof Tensor)) throw new TypeError("matmul: wants two tensors; multiply by numbers with mul")
  if (x.ndim === 0 || y.ndim === 0)
    throw new ShapeError("matmul", "wants at least one axis; multiply by scalars with mul", [x.aval, y.aval])
  const without = (z: Tensor, axis: number): Tensor => p.reshape(z, z.shape.toSpliced(axis, 1))
  if (x.ndim === 1) return without(matmul(p.reshape(x, [1, x.size]), y), -2)
  if (y.ndim === 1) return without(matmul(x, p.reshape(y, [y.size, 1])), -1)
  const lead = commonShape("matmul", [
    { ...x.aval, shape: x.shape.slice(0, -2) },
    { ...y.aval, shape: y.shape.slice(0, -2) },
  ])
  return p.matmul(repeatTo(x, [...lead, ...x.shape.slice(-2)]), repeatTo(y, [...lead, ...y.shape.slice(-2)]))
}
/**
 * `x` repeated along axes it lacks or has as 1, as NumPy does. Throws ShapeError where it has others.
 *
 * @example
 * broadcastTo(tensor([1, 2]), [2, 2])  // [[1, 2], [1, 2]]
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  wantShape("broadcastTo", shape)
  return repeatTo(lift("broadcastTo", x), shape)
}
