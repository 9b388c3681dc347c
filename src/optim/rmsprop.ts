import type { Tree } from "../core/tree.ts"
import { add, div, maximum, sqrt, square, sub } from "../ops/arithmetic.ts"
import { zerosLike } from "../ops/create.ts"
import { decayed, type Optimizer, optimizer, settings, type WeightDecayOptions } from "./optimizer.ts"
import { trace } from "./sgd.ts"
import { average, type LearningRate, map, scaleByLearningRate, type Transformation, wantDecay, wantNonNegative } from "./transformation.ts"

export interface RmsOptions {
  /** How much of the averages stays at each step; PyTorch's alpha. Default: 0.99. */
  readonly decay?: number
  /** Keeps the division finite. Default: 1e-8. */
  readonly eps?: number
  /** Divides by the deviation from the mean gradient instead. Default: false. */
  readonly centered?: boolean
}

/**
 * Division by the root of the mean square: s <- decay s + (1 - decay) g^2, and the updates become g / (sqrt(s) + eps); centered, with
 * m <- decay m + (1 - decay) g, they become g / (sqrt(s - m^2) + eps).
 *
 * State: `{ s }` or `{ s, m }`, like the parameters. Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012);
 * centered: Graves, arXiv:1308.0850, equations 38 to 45.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByRms()
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [10, 10]
 */
export function scaleByRms({ decay = 0.99, eps = 1e-8, centered = false }: RmsOptions = {}): Transformation {
  wantDecay("decay", decay)
  wantNonNegative("eps", eps)
  return {
    init: params => ({ s: map(zerosLike, params), ...(centered && { m: map(zerosLike, params) }) }),
    update(updates, state) {
      const before = state as { s: Tree; m: Tree }
      const s = map((s, g) => average(s, square(g), decay), before.s, updates)
      if (!centered) return [map((g, s) => div(g, add(sqrt(s), eps)), updates, s), { s }]
      const m = map((m, g) => average(m, g, decay), before.m, updates)
      // rounding may take the difference below 0
      const deviation = map((s, m) => sqrt(maximum(sub(s, square(m)), 0)), s, m)
      return [map((g, d) => div(g, add(d, eps)), updates, deviation), { s, m }]
    },
  }
}

export interface RmspropOptions extends RmsOptions, WeightDecayOptions {
  /** v <- momentum v + direction takes the place of the direction. Default: 0. */
  readonly momentum?: number
}

/**
 * RMSprop: s <- decay s + (1 - decay) g^2, w <- w - rate g / (sqrt(s) + eps), as in PyTorch; Keras has eps in the root.
 *
 * Throws TypeError for settings out of range. Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012).
 *
 * @example
 * const w = tensor([3, -2])
 * const rule = rmsprop(0.1)
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [2, -3]
 */
export function rmsprop(
  learningRate: LearningRate = 1e-2,
  { decay = 0.99, eps = 1e-8, momentum = 0, centered = false, weightDecay = 0, weightDecayMask }: RmspropOptions = {},
): Optimizer {
  const config = settings("rmsprop", learningRate, { decay, eps, momentum, centered, weightDecay, weightDecayMask })
  const velocity = momentum === 0 ? [] : [trace(momentum)]
  const direction = [scaleByRms({ decay, eps, centered }), ...velocity]
  return optimizer(config, ...decayed(weightDecay, weightDecayMask), ...direction, scaleByLearningRate(learningRate))
}
