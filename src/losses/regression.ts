// Losses for numbers.
import { softplus } from "../ops/activations.ts"
import { abs, add, div, less, lessEqual, log1p, mul, square, sub, where } from "../ops/arithmetic.ts"
import { sinh } from "../ops/special.ts"
import { alike, defineLoss, type Loss, type LossOptions, wantNonNegative, wantPositive } from "./loss.ts"

/**
 * (y - t)^2; its mean, over all elements, is the mean squared error, as in PyTorch's `mse_loss`.
 *
 * Shapes: outputs y and targets t alike, of any shape. Throws TypeError where shapes or dtypes differ.
 *
 * @example
 * squaredError(tensor([1, 2]), tensor([0, 4]))  // 2.5: (1 + 4) / 2
 */
export const squaredError: Loss = /*@__PURE__*/ defineLoss("squaredError", /*@__PURE__*/ alike("squaredError"), (y, t) => {
  const d = sub(y, t)
  return mul(d, d)
})

/**
 * (y - t)^2 / 2, whose derivative is y - t: the textbooks' squared error. With `{ reduction: "sum" }` half the sum of squares.
 *
 * Shapes: outputs y and targets t alike, of any shape. Throws TypeError where shapes or dtypes differ.
 * Rumelhart, Hinton and Williams, Learning representations by back-propagating errors (1986), equation 3.
 *
 * @example
 * halfSquaredError(tensor([1, 2]), tensor([0, 4]), { reduction: "sum" })  // 2.5: (1 + 4) / 2
 */
export const halfSquaredError: Loss = /*@__PURE__*/ defineLoss("halfSquaredError", /*@__PURE__*/ alike("halfSquaredError"), (y, t) => {
  const d = sub(y, t)
  return mul(mul(d, d), 0.5)
})

/**
 * |y - t|, with derivative 0 where they are equal; the mean is over all elements, as in PyTorch's `l1_loss`.
 *
 * Shapes: outputs y and targets t alike, of any shape. Throws TypeError where shapes or dtypes differ.
 *
 * @example
 * absoluteError(tensor([1, 2]), tensor([0, 4]))  // 1.5: (1 + 2) / 2
 */
export const absoluteError: Loss = /*@__PURE__*/ defineLoss("absoluteError", /*@__PURE__*/ alike("absoluteError"), (y, t) => abs(sub(y, t)))

export interface HuberOptions extends LossOptions {
  /** Where the loss becomes linear. Default: 1. */
  readonly delta?: number
}
/**
 * With d = y - t: d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2). Outliers pull with a bounded force.
 *
 * Shapes: outputs y and targets t alike, of any shape. Throws TypeError where they differ and unless delta > 0.
 * Huber, Robust estimation of a location parameter (1964).
 *
 * @example
 * huber(tensor([0, 3]), tensor([0.5, 0]))  // 1.313: (0.125 + 2.5) / 2
 */
export const huber: Loss<HuberOptions> = /*@__PURE__*/ defineLoss<HuberOptions>(
  "huber",
  (operands, { delta }) => {
    alike("huber")(operands)
    wantPositive("huber", "delta", delta)
  },
  (y, t, { delta = 1 }) => {
    const d = sub(y, t)
    return where(lessEqual(abs(d), delta), mul(mul(d, d), 0.5), mul(sub(abs(d), delta / 2), delta))
  },
)

export interface SmoothL1Options extends LossOptions {
  /** Where the loss becomes linear. Default: 1. */
  readonly beta?: number
}
/**
 * With d = y - t: d^2 / (2 beta) where |d| < beta, else |d| - beta / 2: `huber` divided by its delta. With beta = 0 it is
 * `absoluteError`.
 *
 * Shapes: outputs y and targets t alike, of any shape. Throws TypeError where they differ and unless beta >= 0.
 * Girshick, Fast R-CNN (2015), equation 3.
 *
 * @example
 * smoothL1(tensor([0, 3]), tensor([0.5, 0]))  // 1.313: (0.125 + 2.5) / 2
 */
export const smoothL1: Loss<SmoothL1Options> = /*@__PURE__*/ defineLoss<SmoothL1Options>(
  "smoothL1",
  (operands, { beta }) => {
    alike("smoothL1")(operands)
    wantNonNegative("smoothL1", "beta", beta)
  },
  (y, t, { beta = 1 }) => {
    const d = sub(y, t)
    if (beta === 0) return abs(d)
    return where(less(abs(d), beta), div(mul(mul(d, d), 0.5), beta), sub(abs(d), beta / 2))
  },
)

/**
 * log(cosh(y - t)) without overflow: about d^2 / 2 for small differences, |d| - log(2) for large ones. The derivative is tanh(y - t).
 *
 * Shapes: outputs y and targets t alike, of any shape. Throws TypeError where shapes or dtypes differ.
 *
 * @example
 * logCosh(tensor([0, 1000]), tensor([0, 0]))  // 499.7: (1000 - log(2)) / 2
 */
export const logCosh: Loss = /*@__PURE__*/ defineLoss("logCosh", /*@__PURE__*/ alike("logCosh"), (y, t) => {
  const d = sub(y, t)
  const size = abs(d)
  const small = less(size, 5)
  // the sum for large differences cancels near 0, this product does not: cosh(d) = 1 + 2 sinh(d/2)^2
  const near = log1p(mul(square(sinh(mul(where(small, d, 0), 0.5))), 2))
  return where(small, near, sub(add(size, softplus(mul(size, -2))), Math.LN2))
})
