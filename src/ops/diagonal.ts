// Diagonals and triangles of matrices, which are the last two axes unless others are named.
import { ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { axisOf, wantTensors } from "./align.ts"
import { sum } from "./reduction.ts"

interface Offset {
  /** Which diagonal: above the main one if positive, below if negative. Default: 0. */
  readonly offset?: number
}
export interface DiagonalOptions extends Offset {
  /** Default: 0. */
  readonly axis1?: number
  /** Default: 1. */
  readonly axis2?: number
}
function wantOffset(name: string, offset: number): void {
  if (!Number.isInteger(offset)) throw new TypeError(`${name}: offset is a whole number; got ${offset}`)
}
/** Elements `from` to `to` of the last axis. */
const last = (x: Tensor, from: number, to: number): Tensor =>
  p.slice(x, { start: x.shape.map((_, d) => (d === x.ndim - 1 ? from : 0)), shape: x.shape.with(-1, to - from) })
/** The last axis with zeros before and behind, `n` long. */
const within = (x: Tensor, from: number, n: number): Tensor =>
  p.pad(x, { start: x.shape.map((_, d) => (d === x.ndim - 1 ? from : 0)), shape: x.shape.with(-1, n) })

/**
 * The elements x[..., i, i + offset] of matrices along `axis1` and `axis2`, which are replaced by one axis at the end.
 * Throws ShapeError if the axes are one.
 *
 * @example
 * diagonal(tensor([[1, 2], [3, 4]]), { offset: 1 })  // [2]
 */
export const diagonal = (x: Tensor, options: DiagonalOptions = {}): Tensor => diagonalOf("diagonal", x, options)
function diagonalOf(name: string, x: Tensor, { offset = 0, axis1 = 0, axis2 = 1 }: DiagonalOptions): Tensor {
  wantTensors(name, [x])
  wantOffset(name, offset)
  const axes = [axisOf(name, x, axis1), axisOf(name, x, axis2)]
  if (axes[0] === axes[1]) throw new ShapeError(name, `axis1 ${axis1} and axis2 ${axis2} must be two axes`, [x.aval])
  const others = p.allAxes(x).filter(d => !axes.includes(d))
  const y = p.permute(x, [...others, ...axes])
  const lead = y.shape.slice(0, -2)
  const [row, column] = [Math.max(0, -offset), Math.max(0, offset)]
  const n = Math.max(0, Math.min(y.shape.at(-2)! - row, y.shape.at(-1)! - column))
  if (n === 0) return p.zeros({ ...x.aval, shape: [...lead, 0] })
  const square = p.slice(y, { start: [...lead.map(() => 0), row, column], shape: [...lead, n, n] })
  // with one element more in each row, the diagonal is a column
  const skewed = p.reshape(within(p.reshape(square, [...lead, n * n]), 0, n * (n + 1)), [...lead, n, n + 1])
  return p.reshape(last(skewed, 0, 1), [...lead, n])
}
/**
 * A matrix with the vector `x` on its diagonal, or the diagonal of a matrix.
 *
 * @example
 * diag(tensor([1, 2]))  // [[1, 0], [0, 2]]
 */
export function diag(x: Tensor, { offset = 0 }: Offset = {}): Tensor {
  wantTensors("diag", [x])
  wantOffset("diag", offset)
  if (x.ndim === 2) return diagonal(x, { offset })
  if (x.ndim !== 1) throw new ShapeError("diag", "wants a vector or a matrix; for more axes use diagonal", [x.aval])
  const n = x.size + Math.abs(offset)
  if (x.size === 0) return p.zeros({ ...x.aval, shape: [n, n] })
  const [row, column] = [Math.max(0, -offset), Math.max(0, offset)]
  // laid out flat, elements of the diagonal are n + 1 apart
  const apart = p.reshape(within(p.reshape(x, [x.size, 1]), 0, n + 1), [x.size * (n + 1)])
  return p.reshape(within(last(apart, 0, (x.size - 1) * (n + 1) + 1), row * n + column, n * n), [n, n])
}
/** The sum of a diagonal; options are those of `diagonal`. @example trace(tensor([[1, 2], [3, 4]]))  // 5 */
export const trace = (x: Tensor, options: DiagonalOptions = {}): Tensor => sum(diagonalOf("trace", x, options), { axis: -1 })

const triangle =
  (name: string, keeps: (row: Tensor, column: Tensor) => Tensor) =>
  (x: Tensor, { offset = 0 }: Offset = {}): Tensor => {
    wantTensors(name, [x])
    wantOffset(name, offset)
    if (x.ndim < 2) throw new ShapeError(name, "wants matrices in the last two axes", [x.aval])
    const axes = p.allAxes(x)
    const along = (d: number, from: number): Tensor => {
      const places = p.iota(x.shape.at(d)!)
      return p.broadcast(p.add(places, p.fullLike(places.aval, from)), x.shape, axes.toSpliced(d, 1))
    }
    return p.select(keeps(along(-2, offset), along(-1, 0)), x, p.zeros(x.aval))
  }
/** Zeros above the diagonal: x[..., i, j] where j <= i + offset. @example tril(tensor([[1, 2], [3, 4]]))  // [[1, 0], [3, 4]] */
export const tril = /*@__PURE__*/ triangle("tril", (row, column) => p.le(column, row))
/**
 * Zeros below the diagonal: x[..., i, j] where j >= i + offset.
 *
 * @example
 * triu(tensor([[1, 2], [3, 4]]), { offset: 1 })  // [[0, 2], [0, 0]]
 */
export const triu = /*@__PURE__*/ triangle("triu", (row, column) => p.le(row, column))
