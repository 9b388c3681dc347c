// Losses for numbers.
import { abs, mul, sub } from "../ops/arithmetic.ts"
import { alike, defineLoss, type Loss } from "./loss.ts"

/**
 * (y - t)^2; its mean, over all elements, is the mean squared error, as in PyTorch's `mse_loss`.
 *
 * Shapes: outputs y and targets t alike, of any shape. Throws TypeError where shapes or dtypes differ.
 *
 * @example
 * squaredError(tensor([1, 2]), tensor([0, 4]))  // (1 + 4) / 2
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
 * halfSquaredError(tensor([1, 2]), tensor([0, 4]), { reduction: "sum" })  // (1 + 4) / 2
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
 * absoluteError(tensor([1, 2]), tensor([0, 4]))  // (1 + 2) / 2
 */
export const absoluteError: Loss = /*@__PURE__*/ defineLoss("absoluteError", /*@__PURE__*/ alike("absoluteError"), (y, t) => abs(sub(y, t)))
