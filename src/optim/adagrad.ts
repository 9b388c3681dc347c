import type { Tree } from "../core/tree.ts"
import { add, cast, div, mul, sqrt, square } from "../ops/arithmetic.ts"
import { zerosLike } from "../ops/create.ts"
import { decayed, type Optimizer, optimizer, settings, type WeightDecayOptions } from "./optimizer.ts"
import {
  average,
  type LearningRate,
  map,
  rateAt,
  type Schedule,
  scaleByLearningRate,
  type Transformation,
  wantDecay,
  wantNonNegative,
  wantPositive,
  withoutDenormals,
} from "./transformation.ts"

export interface RssOptions {
  /** The sums at the start. Default: 0. */
  readonly initialAccumulator?: number
  /** Keeps the division finite. Default: 1e-10. */
  readonly eps?: number
}

/**
 * Division by the root of the sum of squares: s <- s + g^2, and the updates become g / (sqrt(s) + eps).
 *
 * State: `{ s }`, like the parameters. Duchi, Hazan and Singer, Adaptive subgradient methods, JMLR 12 (2011), figure 1.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByRss()
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [1, 1]
 */
export function scaleByRss({ initialAccumulator = 0, eps = 1e-10 }: RssOptions = {}): Transformation {
  wantNonNegative("initialAccumulator", initialAccumulator)
  wantNonNegative("eps", eps)
  return {
    init: params => ({ s: map(p => add(zerosLike(p), initialAccumulator), params) }),
    update(updates, state) {
      const s = map((s, g) => withoutDenormals(add(s, square(g))), (state as { s: Tree }).s, updates)
      return [map((g, s) => div(g, add(sqrt(s), eps)), updates, s), { s }]
    },
  }
}

export interface AdagradOptions extends RssOptions, WeightDecayOptions {
  /** At step t = 1, 2, ... the learning rate is divided by 1 + (t - 1) lrDecay. Default: 0. */
  readonly lrDecay?: number
}

/**
 * Adagrad: s <- s + g^2, w <- w - rate g / (sqrt(s) + eps), as in PyTorch; Keras has eps in the root.
 *
 * Throws TypeError for settings out of range. Duchi, Hazan and Singer, Adaptive subgradient methods, JMLR 12 (2011), figure 1.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = adagrad(0.1)
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.9, -2.1]
 */
export function adagrad(
  learningRate: LearningRate = 1e-2,
  { lrDecay = 0, initialAccumulator = 0, eps = 1e-10, weightDecay = 0, weightDecayMask }: AdagradOptions = {},
): Optimizer {
  wantNonNegative("adagrad: lrDecay", lrDecay)
  const config = settings("adagrad", learningRate, { lrDecay, initialAccumulator, eps, weightDecay, weightDecayMask })
  const rate = rateAt(learningRate)
  const falling: Schedule = step => div(rate(step), add(mul(cast(step, "f64"), lrDecay), 1))
  const direction = scaleByRss({ initialAccumulator, eps })
  const last = scaleByLearningRate(lrDecay === 0 ? learningRate : falling)
  return optimizer(config, ...decayed(weightDecay, weightDecayMask), direction, last)
}

export interface DeltaOptions {
  /** How much of the averages stays at each step; PyTorch's rho. Default: 0.9. */
  readonly decay?: number
  /** Added to both averages; it makes the first step. Default: 1e-6. */
  readonly eps?: number
}

/**
 * Adadelta's direction: s <- decay s + (1 - decay) g^2, d = g sqrt(u + eps) / sqrt(s + eps), u <- decay u + (1 - decay) d^2, and the
 * updates become d.
 *
 * State: `{ s, u }`, like the parameters. Zeiler, arXiv:1212.5701, algorithm 1.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByAdadelta()
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [0.003162, 0.003161]
 */
export function scaleByAdadelta({ decay = 0.9, eps = 1e-6 }: DeltaOptions = {}): Transformation {
  wantDecay("decay", decay)
  wantPositive("eps", eps)
  return {
    init: params => ({ s: map(zerosLike, params), u: map(zerosLike, params) }),
    update(updates, state) {
      const before = state as { s: Tree; u: Tree }
      const s = map((s, g) => average(s, square(g), decay), before.s, updates)
      const d = map((g, s, u) => mul(div(sqrt(add(u, eps)), sqrt(add(s, eps))), g), updates, s, before.u)
      const u = map((u, d) => average(u, square(d), decay), before.u, d)
      return [d, { s, u }]
    },
  }
}

export interface AdadeltaOptions extends DeltaOptions, WeightDecayOptions {}

/**
 * Adadelta: steps as large as the root mean square of the last ones, for each parameter (see `scaleByAdadelta`), as in PyTorch.
 *
 * Throws TypeError for settings out of range. Zeiler, arXiv:1212.5701, algorithm 1.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = adadelta()
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.9968, -2.003]
 */
export function adadelta(
  learningRate: LearningRate = 1,
  { decay = 0.9, eps = 1e-6, weightDecay = 0, weightDecayMask }: AdadeltaOptions = {},
): Optimizer {
  const config = settings("adadelta", learningRate, { decay, eps, weightDecay, weightDecayMask })
  const direction = scaleByAdadelta({ decay, eps })
  return optimizer(config, ...decayed(weightDecay, weightDecayMask), direction, scaleByLearningRate(learningRate))
}
