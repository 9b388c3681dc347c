import type { Tensor } from "../core/tensor.ts"
import { div, greater, logicalAnd, mul, sqrt, square, where } from "../ops/arithmetic.ts"
import { sum } from "../ops/reduction.ts"
import { type MomentOptions, scaleByAdam } from "./adam.ts"
import { decayed, type Optimizer, optimizer, settings, type WeightDecayOptions } from "./optimizer.ts"
import { type LearningRate, map, scaleByLearningRate, type Transformation } from "./transformation.ts"

const norm = (x: Tensor): Tensor => sqrt(sum(square(x)))

/**
 * Updates as long as the parameters, tensor by tensor: u becomes u |w| / |u|; it stays where one of the lengths is 0.
 *
 * No state. You et al., arXiv:1904.00962, algorithm 2, with the identity as phi.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByTrustRatio()
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [2.193, 0.4385]
 */
export const scaleByTrustRatio = (): Transformation => ({
  init: () => ({}),
  update(updates, state, params) {
    const scaled = (u: Tensor, w: Tensor): Tensor => {
      const [length, wanted] = [norm(u), norm(w)]
      return mul(u, where(logicalAnd(greater(length, 0), greater(wanted, 0)), div(wanted, length), 1))
    }
    return [map(scaled, updates, params), state]
  },
})

export interface LambOptions extends MomentOptions, WeightDecayOptions {
  /** Adds `weightDecay` times the parameters to Adam's direction. Default: 0. */
  readonly weightDecay?: number
}

/**
 * LAMB, for large batches: w <- w - rate |w| d / |d|, where d is Adam's direction plus weightDecay w, tensor by tensor.
 *
 * Throws TypeError for settings out of range. You et al., arXiv:1904.00962, algorithm 2.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = lamb(0.1, { weightDecay: 0.01 })
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.8395, -2.156]
 */
export function lamb(
  learningRate: LearningRate = 1e-3,
  { b1 = 0.9, b2 = 0.999, eps = 1e-6, weightDecay = 0, weightDecayMask }: LambOptions = {},
): Optimizer {
  const config = settings("lamb", learningRate, { b1, b2, eps, weightDecay, weightDecayMask })
  const direction = [scaleByAdam({ b1, b2, eps }), ...decayed(weightDecay, weightDecayMask), scaleByTrustRatio()]
  return optimizer(config, ...direction, scaleByLearningRate(learningRate))
}
