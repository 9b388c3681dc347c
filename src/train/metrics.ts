import { sameShape, show } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { cast, equal, square, sub } from "../ops/arithmetic.ts"
import { argmax, mean } from "../ops/reduction.ts"

/** A number that describes a batch of outputs, averaged over the examples. */
export type Metric = (output: Tensor, target: Tensor) => Tensor

/**
 * The share of rows whose largest output [batch, classes] is at the class in the target, i32 [batch] or one-hot.
 *
 * @example
 * accuracy(tensor([[2, 1], [0, 3]]), tensor([0, 0], { dtype: "i32" }))  // 0.5
 */
export const accuracy: Metric = (output, target) => {
  const classes = target.ndim === output.ndim ? argmax(target, { axis: -1 }) : target
  if (classes.dtype !== "i32" || !sameShape(classes.shape, output.shape.slice(0, -1)))
    throw new TypeError(
      `accuracy: targets must be class numbers i32[${output.shape.slice(0, -1)}], or one-hot like the outputs; ` +
        `got ${show(target.aval)} with outputs ${show(output.aval)}`,
    )
  return mean(cast(equal(argmax(output, { axis: -1 }), classes), "f32"))
}

/** The mean squared difference. @example meanSquaredError(tensor([1, 2]), tensor([0, 4]))  // 2.5 */
export const meanSquaredError: Metric = (output, target) => {
  // [n] against [n, 1] would silently become [n, n]
  if (!sameShape(output.shape, target.shape))
    throw new TypeError(`meanSquaredError: targets must be like the outputs, ${show(output.aval)}; got ${show(target.aval)}`)
  return mean(square(sub(output, target)))
}
