// Losses that are 0 once the answer is right by a margin.

import type { Tensor } from "../core/tensor.ts"
import { relu } from "../ops/activations.ts"
import { add, less, mul, sub, where } from "../ops/arithmetic.ts"
import { oneHot } from "../ops/create.ts"
import { sum } from "../ops/reduction.ts"
import { broadcastTo, expandDims } from "../ops/shape.ts"
import { checkClasses, orNaN, picked, wantClassWeights } from "./classification.ts"
import { alike, defineLoss, type Loss, type LossOptions, wantOption } from "./loss.ts"

export interface MarginOptions extends LossOptions {
  /** By how much the answer should be right. Default: 1. */
  readonly margin?: number
}
export const wantMargin = (kind: string, { margin }: MarginOptions): void => wantOption(kind, "margin", margin, "a number", Number.isFinite)

/**
 * max(0, margin - t y) for targets t of -1 and 1: the loss of support vector machines.
 *
 * Shapes: outputs y and targets t alike, of any shape. Throws TypeError where shapes or dtypes differ.
 * Cortes and Vapnik, Support-vector networks (1995).
 *
 * @example
 * hinge(tensor([0.5, 3]), tensor([1, -1]))  // 2.25: (0.5 + 4) / 2
 */
export const hinge: Loss<MarginOptions> = /*@__PURE__*/ defineLoss<MarginOptions>(
  "hinge",
  (operands, options) => {
    alike("hinge")(operands)
    wantMargin("hinge", options)
  },
  (y, t, { margin = 1 }) => relu(sub(margin, mul(t, y))),
)

/**
 * y where the target t is 1, and max(0, margin - y) where it is -1; y is a distance. As PyTorch's `hinge_embedding_loss`.
 *
 * Shapes: distances y and targets t alike, of any shape. Throws TypeError where shapes or dtypes differ.
 *
 * @example
 * hingeEmbedding(tensor([0.5, 0.25]), tensor([1, -1]))  // 0.625: (0.5 + 0.75) / 2
 */
export const hingeEmbedding: Loss<MarginOptions> = /*@__PURE__*/ defineLoss<MarginOptions>(
  "hingeEmbedding",
  (operands, options) => {
    alike("hingeEmbedding")(operands)
    wantMargin("hingeEmbedding", options)
  },
  (y, t, { margin = 1 }) => where(less(t, 0), relu(sub(margin, y)), y),
)

export interface MultiClassHingeOptions extends MarginOptions {
  /** 1, or 2 for squares. Default: 1. */
  readonly power?: 1 | 2
  /** Weights [classes], of the outputs' dtype; each example has that of its class. Default: 1. */
  readonly classWeights?: Tensor
}
/**
 * sum_{k != c} max(0, margin - y_c + y_k)^power / classes, where c is the right class. As PyTorch's `multi_margin_loss`.
 *
 * Shapes: outputs y [..., classes] and class numbers i32 [...]; the mean is over all examples. A class number outside of [0, classes)
 * gives NaN. Throws TypeError for other targets and for wrong options. Crammer and Singer (2001).
 *
 * @example
 * multiClassHinge(tensor([[1, 0.5, -2]]), tensor([0], { dtype: "i32" }))  // 0.1667: 0.5 / 3
 */
export const multiClassHinge: Loss<MultiClassHingeOptions> = /*@__PURE__*/ defineLoss<MultiClassHingeOptions>(
  "multiClassHinge",
  (operands, options) => {
    checkClasses("multiClassHinge", operands, false)
    wantMargin("multiClassHinge", options)
    wantOption("multiClassHinge", "power", options.power, "1 or 2", p => p === 1 || p === 2)
    wantClassWeights("multiClassHinge", operands, options.classWeights)
  },
  (y, t, { margin = 1, power = 1, classWeights }) => {
    const classes = y.shape.at(-1)!
    const short = relu(add(sub(y, expandDims(picked(y, t), -1)), margin))
    const each = where(oneHot(t, classes, { dtype: "bool" }), 0, power === 2 ? mul(short, short) : short)
    const loss = mul(sum(each, { axis: -1 }), 1 / classes)
    return orNaN(classWeights ? mul(loss, picked(broadcastTo(classWeights, y.shape), t)) : loss, t, classes)
  },
)
