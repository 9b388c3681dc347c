// Spread, size, and what is true of the elements of axes.
import { ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { lift, type Operand, wantFloating } from "./align.ts"
import { broadcastLike, count, max, mean, type ReduceOptions, reduction, sum } from "./reduction.ts"

export interface VarianceOptions extends ReduceOptions {
  /** What is subtracted from the number of elements before dividing by it ("delta degrees of freedom"). Default: 0. */
  readonly ddof?: number
}
/**
 * The sum of squared distances from the mean over `axis`, divided by n - ddof.
 *
 * @example
 * variance(tensor([1, 2, 3]), { ddof: 1 })  // 1
 */
export function variance(operand: Operand, { ddof = 0, ...options }: VarianceOptions = {}): Tensor {
  const x = lift("variance", operand)
  wantFloating("variance", x)
  const d = p.sub(x, broadcastLike(mean(x, { ...options, keepdims: true }), x))
  const overAxes = reduction("variance", (squares, axes) => {
    const s = p.sum(squares, axes)
    return p.div(s, p.fullLike(s.aval, count(x, axes) - ddof))
  })
  return overAxes(p.mul(d, d), options)
}
/** The square root of the variance, with derivative 0 where that is 0. @example std(tensor([1, 3]))  // 1 */
export const std = (operand: Operand, options: VarianceOptions = {}): Tensor => root(variance(operand, options))
/** The square root, with derivative 0 at 0. */
const root = (x: Tensor): Tensor => orZero(x, p.sqrt(x))
/** `y` where `x` is not 0, else 0, and no derivative. */
const orZero = (x: Tensor, y: Tensor): Tensor => p.select(p.eq(x, p.zeros(x.aval)), p.zeros(x.aval), y)

export interface NormOptions extends ReduceOptions {
  /** p of the norm: a number >= 1 or Infinity; "fro" for the Frobenius norm of matrices. Default: 2. */
  readonly ord?: number | "fro"
}
/**
 * (sum |x|^p)^(1/p) over `axis`, the largest |x| for p = Infinity. A subgradient where there is no derivative: 0 where all is 0, and
 * equal shares among equally large elements. Without `axis` it is that of all elements, whatever the shape: of matrices there are no
 * norms as operators. "fro" is the root of the sum of squares over two axes, by default the last ones.
 *
 * Throws DtypeError unless floating point, TypeError for p < 1, ShapeError for "fro" over other than two axes.
 *
 * @example
 * norm(tensor([3, 4]))  // 5
 * norm(tensor([[[3, 4]], [[0, 1]]]), { ord: "fro" })  // [5, 1]
 */
export function norm(operand: Operand, { ord = 2, ...options }: NormOptions = {}): Tensor {
  const x = lift("norm", operand)
  wantFloating("norm", x)
  if (ord === "fro") return norm(x, { ...options, axis: matrixAxes(x, options.axis) })
  if (!(ord >= 1)) throw new TypeError(`norm: ord is a number >= 1, Infinity or "fro"; got ${ord}`)
  if (ord === 2) return root(sum(p.mul(x, x), options))
  const size = p.abs(x)
  if (ord === Infinity) return max(size, options)
  if (ord === 1) return sum(size, options)
  const s = sum(p.pow(size, p.fullLike(x.aval, ord)), options)
  return orZero(s, p.pow(s, p.fullLike(s.aval, 1 / ord)))
}
/** The two axes of a matrix. */
function matrixAxes(x: Tensor, axis: ReduceOptions["axis"] = [-2, -1]): readonly number[] {
  if (typeof axis === "number" || axis.length !== 2 || x.ndim < 2)
    throw new ShapeError("norm", `"fro" wants matrices: two axes, got ${JSON.stringify(axis)}`, [x.aval])
  return axis
}

const ones = (x: Tensor): Tensor => p.cast(x, "i32")
/** How many elements over `axis` are not 0, as i32. NaN is not 0. @example countNonzero(tensor([0, 1, 2]))  // 2 */
export const countNonzero = /*@__PURE__*/ reduction("countNonzero", (x, axes) => p.sum(ones(p.convert(x, "bool")), axes))
/** Whether some element over `axis` is not 0, as bool. @example any(tensor([0, 1, 2]))  // 1 */
export const any = /*@__PURE__*/ reduction("any", (x, axes) => p.cast(p.sum(ones(p.convert(x, "bool")), axes), "bool"))
/** Whether no element over `axis` is 0, as bool. @example all(tensor([0, 1, 2]))  // 0 */
export const all = /*@__PURE__*/ reduction("all", (x, axes) => p.not(p.cast(p.sum(ones(p.not(p.convert(x, "bool"))), axes), "bool")))
