// Losses for classes. They take logits, that is, what goes into the logistic function or softmax, because only so are they exact.
import { type Aval, sameShape, show } from "../core/aval.ts"
import { isFloating } from "../core/dtype.ts"
import type { Tensor } from "../core/tensor.ts"
import { softplus } from "../ops/activations.ts"
import { add, exp, less, log, logicalNot, logicalOr, mul, neg, stopGradient, sub, where } from "../ops/arithmetic.ts"
import { oneHot } from "../ops/create.ts"
import { max, sum } from "../ops/reduction.ts"
import { expandDims } from "../ops/shape.ts"
import { alike, defineLoss, type Loss } from "./loss.ts"

/**
 * -t log(p) - (1 - t) log(1 - p) with p = 1 / (1 + exp(-x)), from the logits x: t softplus(-x) + (1 - t) softplus(x).
 *
 * Both terms are exact for large |x|, and the derivative is p - t everywhere. The mean is over all elements.
 * Shapes: logits x and targets t, numbers in [0, 1], alike. Throws TypeError where shapes or dtypes differ.
 *
 * @example
 * binaryCrossEntropy(tensor([0, 100]), tensor([1, 1]))  // log(2) / 2
 */
export const binaryCrossEntropy: Loss = /*@__PURE__*/ defineLoss("binaryCrossEntropy", /*@__PURE__*/ alike("binaryCrossEntropy"), (x, t) =>
  add(mul(t, softplus(neg(x))), mul(sub(1, t), softplus(x))),
)

/**
 * -sum_k t_k log(p_k) with p = softmax(x) over the last axis, from the logits x. The derivative is p - t where the t_k add up to 1.
 *
 * Targets: class numbers, i32 [...], for logits [..., classes]; or distributions t like the logits. The mean is over all examples.
 * A class number outside of [0, classes) gives NaN, since compiled code cannot throw.
 * Throws TypeError for targets of other shapes and dtypes.
 *
 * @example
 * crossEntropy(tensor([[0, 0]]), tensor([1], { dtype: "i32" }))  // log(2)
 * crossEntropy(tensor([[0, 0]]), tensor([[0.5, 0.5]]))           // log(2)
 */
export const crossEntropy: Loss = /*@__PURE__*/ defineLoss("crossEntropy", checkClasses, (logits, targets) => {
  // subtracting the largest first keeps the loss exact near 0, where logsumexp(x) - x_k would cancel
  const z = sub(logits, stopGradient(max(logits, { axis: -1, keepdims: true })))
  const norm = log(sum(exp(z), { axis: -1 }))
  if (isFloating(targets.dtype)) return neg(sum(mul(targets, sub(z, expandDims(norm, -1))), { axis: -1 }))
  const classes = logits.shape.at(-1)!
  const picked = sum(where(oneHot(targets, classes, { dtype: "bool" }), z, 0), { axis: -1 })
  return where(isClass(targets, classes), sub(norm, picked), Number.NaN)
})
const isClass = (labels: Tensor, classes: number): Tensor => logicalNot(logicalOr(less(labels, 0), less(classes - 1, labels)))

function checkClasses(logits: Aval, targets: Aval): void {
  const name = "crossEntropy"
  if (logits.shape.length === 0) throw new TypeError(`${name}: logits need an axis of classes; got ${show(logits)}`)
  const examples = logits.shape.slice(0, -1)
  const got = `got ${show(targets)} with logits ${show(logits)}`
  const wanted = `targets must be class numbers i32[${examples}] or distributions ${show(logits)}`
  const fail = (advice: string): never => {
    throw new TypeError(`${name}: ${wanted}; ${got}. ${advice}`)
  }
  if (targets.dtype === logits.dtype && sameShape(targets.shape, logits.shape)) return
  if (targets.dtype === "i32" && sameShape(targets.shape, examples)) return
  if (sameShape(targets.shape, logits.shape)) fail(`Convert distributions with cast(targets, "${logits.dtype}")`)
  if (sameShape(targets.shape, examples)) fail('Convert class numbers with cast(targets, "i32")')
  if (sameShape(targets.shape, [...examples, 1])) fail(`Reshape class numbers with reshape(targets, [${examples}])`)
  fail("Each example needs one target")
}
