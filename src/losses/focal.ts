// Focal losses: cross-entropies in which examples that are right already count little. Lin et al., arXiv:1708.02002.

import type { Tensor } from "../core/tensor.ts"
import { sigmoid } from "../ops/activations.ts"
import { add, expm1, mul, neg, pow, sub } from "../ops/arithmetic.ts"
import { broadcastTo } from "../ops/shape.ts"
import { checkClasses, logistic, orNaN, picked, shifted, wantClassWeights } from "./classification.ts"
import { alike, defineLoss, type Loss, type LossOptions, wantNonNegative, wantOption } from "./loss.ts"

export interface BinaryFocalOptions extends LossOptions {
  /** How little right examples count; 0 is cross-entropy. Default: 2. */
  readonly gamma?: number
  /** Weight of target 1, in [0, 1]; that of target 0 is 1 - alpha. null: no weights. Default: 0.25. */
  readonly alpha?: number | null
}
/**
 * alpha_t (1 - p_t)^gamma (-log(p_t)) from the logits x, with p = 1 / (1 + exp(-x)) and p_t = p where the target is 1, else 1 - p. As
 * torchvision's `sigmoid_focal_loss`, but with the mean over all elements by default.
 *
 * Shapes: logits x and targets t, numbers in [0, 1], alike. Throws TypeError where they differ and for wrong options.
 *
 * @example
 * binaryFocal(tensor([0, 4]), tensor([1, 1]))  // 0.02166
 */
export const binaryFocal: Loss<BinaryFocalOptions> = /*@__PURE__*/ defineLoss<BinaryFocalOptions>(
  "binaryFocal",
  (operands, { gamma, alpha }) => {
    alike("binaryFocal")(operands)
    wantNonNegative("binaryFocal", "gamma", gamma)
    wantOption("binaryFocal", "alpha", alpha ?? undefined, "a number in [0, 1] or null", a => a >= 0 && a <= 1)
  },
  (x, t, { gamma = 2, alpha = 0.25 }) => {
    const not = sub(1, t)
    const entropy = logistic(x, t, not)
    // 1 - p_t without cancellation
    const wrong = add(mul(t, sigmoid(neg(x))), mul(not, sigmoid(x)))
    const loss = mul(entropy, pow(wrong, gamma))
    return alpha === null ? loss : mul(loss, add(mul(t, alpha), mul(not, 1 - alpha)))
  },
)

export interface FocalOptions extends LossOptions {
  /** How little right examples count; 0 is cross-entropy. Default: 2. */
  readonly gamma?: number
  /** Weights [classes], of the logits' dtype: alpha of the paper. Default: 1. */
  readonly classWeights?: Tensor
}
/**
 * (1 - p_c)^gamma (-log(p_c)) with p = softmax(x) and c the right class, from the logits x. The mean is over all examples.
 *
 * Shapes: logits x [..., classes] and class numbers i32 [...]. A class number outside of [0, classes) gives NaN.
 * Throws TypeError for other targets and for wrong options.
 *
 * @example
 * focal(tensor([[0, 0]]), tensor([1], { dtype: "i32" }))  // 0.1733: log(2) / 4
 */
export const focal: Loss<FocalOptions> = /*@__PURE__*/ defineLoss<FocalOptions>(
  "focal",
  (operands, { gamma, classWeights }) => {
    checkClasses("focal", operands, false)
    wantNonNegative("focal", "gamma", gamma)
    wantClassWeights("focal", operands, classWeights)
  },
  (x, t, { gamma = 2, classWeights }) => {
    const { z, norm } = shifted(x)
    const entropy = sub(norm, picked(z, t))
    const loss = mul(entropy, pow(neg(expm1(neg(entropy))), gamma))
    return orNaN(classWeights ? mul(loss, picked(broadcastTo(classWeights, x.shape), t)) : loss, t, x.shape.at(-1)!)
  },
)
