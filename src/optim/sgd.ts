import type { Tree } from "../core/tree.ts"
import { add, mul } from "../ops/arithmetic.ts"
import { zerosLike } from "../ops/create.ts"
import { decayed, type Optimizer, optimizer, settings, type WeightDecayOptions } from "./optimizer.ts"
import { type LearningRate, map, scaleByLearningRate, type Transformation, wantDecay, withoutDenormals } from "./transformation.ts"

export interface TraceOptions {
  /** Looks one step ahead: the updates become g + decay v. Default: false. */
  readonly nesterov?: boolean
}

/**
 * Momentum as in PyTorch: v <- decay v + g, and the updates become v.
 *
 * State: `{ v }`, like the parameters. Polyak, Some methods of speeding up the convergence of iteration methods (1964);
 * with `nesterov` Sutskever et al., On the importance of initialization and momentum in deep learning (2013).
 *
 * @example
 * const w = tensor([1, -2])
 * const part = trace(0.9)
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [0.5, 0.1]
 */
export function trace(decay: number, { nesterov = false }: TraceOptions = {}): Transformation {
  wantDecay("momentum", decay)
  return {
    init: params => ({ v: map(zerosLike, params) }),
    update(updates, state) {
      const before = (state as { v: Tree }).v
      const v = map((v, g) => withoutDenormals(add(mul(v, decay), g)), before, updates)
      return [nesterov ? map((g, v) => add(g, mul(v, decay)), updates, v) : v, { v }]
    },
  }
}

export interface SgdOptions extends WeightDecayOptions {
  /** v <- momentum v + g takes the place of g. Default: 0. */
  readonly momentum?: number
  /** Nesterov's momentum: g + momentum v takes the place of v. Default: false. */
  readonly nesterov?: boolean
}

/**
 * Stochastic gradient descent: w <- w - rate g; with momentum v <- momentum v + g and w <- w - rate v, as in PyTorch.
 *
 * Throws TypeError for settings out of range. Robbins and Monro, A stochastic approximation method (1951).
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = sgd(0.1)
 * const [next, state] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)
 * next  // [0.95, -2.01]
 */
export function sgd(
  learningRate: LearningRate,
  { momentum = 0, nesterov = false, weightDecay = 0, weightDecayMask }: SgdOptions = {},
): Optimizer {
  wantDecay("sgd: momentum", momentum)
  const config = settings("sgd", learningRate, { momentum, nesterov, weightDecay, weightDecayMask })
  const velocity = momentum === 0 ? [] : [trace(momentum, { nesterov })]
  return optimizer(config, ...decayed(weightDecay, weightDecayMask), ...velocity, scaleByLearningRate(learningRate))
}

/**
 * Gradient descent with momentum: v <- beta v + g, w <- w - rate v.
 *
 * The form Δw <- α Δw - (1 - α) η g of textbooks is `momentum((1 - α) * η, α)`.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = momentum(0.1)
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.95, -2.01]
 */
export const momentum = (learningRate: LearningRate, beta = 0.9): Optimizer => sgd(learningRate, { momentum: beta })

/**
 * Gradient descent with Nesterov's momentum: v <- beta v + g, w <- w - rate (g + beta v), as in PyTorch.
 *
 * Nesterov, A method for solving the convex programming problem with convergence rate O(1/k^2) (1983); in this form Sutskever et al.
 * (2013). The gradient is that at the parameters, which stand for the point that the momentum leads to.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = nesterov(0.1)
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.905, -2.019]
 */
export const nesterov = (learningRate: LearningRate, beta = 0.9): Optimizer => sgd(learningRate, { momentum: beta, nesterov: true })
