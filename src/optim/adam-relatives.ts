// Adamax, NAdam and RAdam: Adam with another norm, with Nesterov's momentum, and with a rectified start.
import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"
import { abs, add, cast, div, greater, maximum, mul, sqrt, square, sub, where } from "../ops/arithmetic.ts"
import { ones, zerosLike } from "../ops/create.ts"
import { correction, type MomentOptions, power, wantMoments } from "./adam.ts"
import { decayed, type Optimizer, optimizer, settings, type WeightDecayOptions } from "./optimizer.ts"
import {
  average,
  type LearningRate,
  map,
  noSteps,
  scaleByLearningRate,
  type Transformation,
  wantNonNegative,
  withoutDenormals,
} from "./transformation.ts"

interface Moments {
  readonly step: Tensor
  readonly m: Tree
  readonly v: Tree
}
const noMoments = (params: unknown) => ({ step: noSteps(), m: map(zerosLike, params), v: map(zerosLike, params) })
/** The moments after gradients `g`: as in Adam. */
const moments = ({ step, m, v }: Moments, g: unknown, b1: number, b2: number): { step: Tensor; m: any; v: any } => ({
  step: add(step, 1),
  m: map((m, g) => average(m, g, b1), m, g),
  v: map((v, g) => average(v, square(g), b2), v, g),
})
/** A scalar times a tensor of any dtype. */
const times = (factor: Tensor, x: Tensor): Tensor => mul(x, cast(factor, x.dtype))

/**
 * Adamax's direction: m <- b1 m + (1 - b1) g, u <- max(b2 u, |g| + eps), and at step t = 1, 2, ... the updates become
 * m / ((1 - b1^t) u).
 *
 * State: `{ step, m, u }`, an i32 scalar and two trees like the parameters. Kingma and Ba, arXiv:1412.6980, algorithm 2.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByAdamax()
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [1, 1]
 */
export function scaleByAdamax({ b1 = 0.9, b2 = 0.999, eps = 1e-8 }: MomentOptions = {}): Transformation {
  wantMoments(b1, b2, eps)
  return {
    init: params => ({ step: noSteps(), m: map(zerosLike, params), u: map(zerosLike, params) }),
    update(updates, state) {
      const before = state as { step: Tensor; m: Tree; u: Tree }
      const step = add(before.step, 1)
      const m = map((m, g) => average(m, g, b1), before.m, updates)
      const u = map((u, g) => withoutDenormals(maximum(mul(u, b2), add(abs(g), eps))), before.u, updates)
      const byM = correction(b1, step)
      return [map((m, u) => div(times(byM, m), u), m, u), { step, m, u }]
    },
  }
}

export interface AdamaxOptions extends MomentOptions, WeightDecayOptions {}

/**
 * Adamax: Adam with the largest gradient in the place of the root of the mean square (see `scaleByAdamax`), as in PyTorch.
 *
 * Throws TypeError for settings out of range. Kingma and Ba, arXiv:1412.6980, algorithm 2.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = adamax(0.1)
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.9, -2.1]
 */
export function adamax(
  learningRate: LearningRate = 2e-3,
  { b1 = 0.9, b2 = 0.999, eps = 1e-8, weightDecay = 0, weightDecayMask }: AdamaxOptions = {},
): Optimizer {
  const config = settings("adamax", learningRate, { b1, b2, eps, weightDecay, weightDecayMask })
  const direction = scaleByAdamax({ b1, b2, eps })
  return optimizer(config, ...decayed(weightDecay, weightDecayMask), direction, scaleByLearningRate(learningRate))
}

export interface ScaleByNadamOptions extends MomentOptions {
  /** How fast the momentum grows to b1: at step t it is b1 (1 - 0.96^(t momentumDecay) / 2). Default: 4e-3. */
  readonly momentumDecay?: number
}

/**
 * NAdam's direction: with m and v as in Adam, mu(t) = b1 (1 - 0.96^(t momentumDecay) / 2) and p = mu(1) ... mu(t), the updates become
 * ((1 - mu(t)) g / (1 - p) + mu(t + 1) m / (1 - p mu(t + 1))) / (sqrt(v / (1 - b2^t)) + eps).
 *
 * State: `{ step, product, m, v }`: i32 [], f64 [] and two trees like the parameters. Dozat, Incorporating Nesterov momentum into Adam
 * (2016), algorithm 8.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByNadam()
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [1.056, 1.056]
 */
export function scaleByNadam({ b1 = 0.9, b2 = 0.999, eps = 1e-8, momentumDecay = 4e-3 }: ScaleByNadamOptions = {}): Transformation {
  wantMoments(b1, b2, eps)
  wantNonNegative("momentumDecay", momentumDecay)
  const momentumAt = (t: Tensor): Tensor => mul(sub(1, mul(power(0.96, mul(cast(t, "f64"), momentumDecay)), 0.5)), b1)
  return {
    init: params => ({ product: ones([], { dtype: "f64" }), ...noMoments(params) }),
    update(updates, state) {
      const before = state as unknown as Moments & { product: Tensor }
      const { step, m, v } = moments(before, updates, b1, b2)
      const [now, next] = [momentumAt(step), momentumAt(add(step, 1))]
      const product = withoutDenormals(mul(before.product, now))
      const [byG, byM] = [div(sub(1, now), sub(1, product)), div(next, sub(1, mul(product, next)))]
      const byV = sqrt(correction(b2, step))
      const direction = (g: Tensor, m: Tensor, v: Tensor): Tensor => div(add(times(byG, g), times(byM, m)), add(times(byV, sqrt(v)), eps))
      return [map(direction, updates, m, v), { product, step, m, v }]
    },
  }
}

export interface NadamOptions extends ScaleByNadamOptions, WeightDecayOptions {}

/**
 * NAdam: Adam with Nesterov's momentum (see `scaleByNadam`), as in PyTorch and Keras.
 *
 * Throws TypeError for settings out of range. Dozat, Incorporating Nesterov momentum into Adam (2016), algorithm 8.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = nadam(0.1)
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.8944, -2.106]
 */
export function nadam(
  learningRate: LearningRate = 2e-3,
  { b1 = 0.9, b2 = 0.999, eps = 1e-8, momentumDecay = 4e-3, weightDecay = 0, weightDecayMask }: NadamOptions = {},
): Optimizer {
  const config = settings("nadam", learningRate, { b1, b2, eps, momentumDecay, weightDecay, weightDecayMask })
  const direction = scaleByNadam({ b1, b2, eps, momentumDecay })
  return optimizer(config, ...decayed(weightDecay, weightDecayMask), direction, scaleByLearningRate(learningRate))
}

/**
 * RAdam's direction: with m and v as in Adam, R = 2 / (1 - b2) - 1 and r = R - 2 t b2^t / (1 - b2^t), the updates become
 * m / (1 - b1^t), and where r > 5, that is, where v is known well enough, they are multiplied by
 * sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r)) sqrt(1 - b2^t) / (sqrt(v) + eps).
 *
 * State: `{ step, m, v }`, an i32 scalar and two trees like the parameters. Liu et al., arXiv:1908.03265, algorithm 2.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByRadam()
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [0.5, 0.1]
 */
export function scaleByRadam({ b1 = 0.9, b2 = 0.999, eps = 1e-8 }: MomentOptions = {}): Transformation {
  wantMoments(b1, b2, eps)
  const longest = 2 / (1 - b2) - 1
  return {
    init: noMoments,
    update(updates, state) {
      const { step, m, v } = moments(state as unknown as Moments, updates, b1, b2)
      const [byM, byV] = [correction(b1, step), correction(b2, step)]
      const length = sub(longest, mul(mul(mul(cast(step, "f64"), 2), power(b2, step)), byV))
      const ratio = div(mul(mul(sub(length, 4), sub(length, 2)), longest), mul(length, (longest - 4) * (longest - 2)))
      const rectified = greater(length, 5)
      const factor = sqrt(div(ratio, byV))
      const direction = (m: Tensor, v: Tensor): Tensor =>
        mul(times(byM, m), where(rectified, div(cast(factor, v.dtype), add(sqrt(v), eps)), 1))
      return [map(direction, m, v), { step, m, v }]
    },
  }
}

export interface RadamOptions extends MomentOptions, WeightDecayOptions {}

/**
 * RAdam: Adam whose first steps, where the average of squares is known badly, are those of momentum (see `scaleByRadam`), as in PyTorch.
 *
 * Throws TypeError for settings out of range. Liu et al., arXiv:1908.03265, algorithm 2.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = radam(0.1)
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.95, -2.01]
 */
export function radam(
  learningRate: LearningRate = 1e-3,
  { b1 = 0.9, b2 = 0.999, eps = 1e-8, weightDecay = 0, weightDecayMask }: RadamOptions = {},
): Optimizer {
  const config = settings("radam", learningRate, { b1, b2, eps, weightDecay, weightDecayMask })
  const direction = scaleByRadam({ b1, b2, eps })
  return optimizer(config, ...decayed(weightDecay, weightDecayMask), direction, scaleByLearningRate(learningRate))
}
