import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"
import { add, cast, div, maximum, mul, pow, sqrt, square, sub } from "../ops/arithmetic.ts"
import { full, zerosLike } from "../ops/create.ts"
import { decayed, type Optimizer, optimizer, settings, type WeightDecayOptions } from "./optimizer.ts"
import {
  average,
  type LearningRate,
  map,
  noSteps,
  scaleByLearningRate,
  type Transformation,
  wantDecay,
  wantNonNegative,
} from "./transformation.ts"

/** What Adam and its relatives share. */
export interface MomentOptions {
  /** Decay of the average of gradients. Default: 0.9. */
  readonly b1?: number
  /** Decay of the average of their squares. Default: 0.999. */
  readonly b2?: number
  /** Keeps the division finite. Default: 1e-8. */
  readonly eps?: number
}
export function wantMoments(b1: number, b2: number, eps: number): void {
  wantDecay("b1", b1)
  wantDecay("b2", b2)
  wantNonNegative("eps", eps)
}

export interface ScaleByAdamOptions extends MomentOptions {
  /** Divides by the largest average of squares so far, so that steps do not grow again. Default: false. */
  readonly amsgrad?: boolean
}

/**
 * Adam's direction: m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, and at step t = 1, 2, ... the updates become
 * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps); with `amsgrad` top <- max(top, v) takes the place of v in that.
 *
 * State: `{ step, m, v }` and perhaps `top`, an i32 scalar and trees like the parameters. Kingma and Ba, arXiv:1412.6980, algorithm 1;
 * Reddi, Kale and Kumar, arXiv:1904.09237, algorithm 2, with PyTorch's correction for starting at 0.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByAdam()
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [1, 1]
 */
export function scaleByAdam({ b1 = 0.9, b2 = 0.999, eps = 1e-8, amsgrad = false }: ScaleByAdamOptions = {}): Transformation {
  wantMoments(b1, b2, eps)
  return {
    init: params => ({
      ...{ step: noSteps(), m: map(zerosLike, params), v: map(zerosLike, params) },
      ...(amsgrad && { top: map(zerosLike, params) }),
    }),
    update(updates, state) {
      const before = state as { step: Tensor; m: Tree; v: Tree; top: Tree }
      const step = add(before.step, 1)
      const m = map((m, g) => average(m, g, b1), before.m, updates)
      const v = map((v, g) => average(v, square(g), b2), before.v, updates)
      const top = amsgrad ? map(maximum, before.top, v) : v
      const [byM, byV] = [correction(b1, step), sqrt(correction(b2, step))]
      const direction = (m: Tensor, v: Tensor): Tensor => div(mul(m, cast(byM, m.dtype)), add(mul(sqrt(v), cast(byV, v.dtype)), eps))
      return [map(direction, m, top), { step, m, v, ...(amsgrad && { top }) }]
    },
  }
}
/** decay^t, in f64. */
export const power = (decay: number, t: Tensor): Tensor => pow(full([], decay, { dtype: "f64" }), cast(t, "f64"))
/** 1 / (1 - decay^t), in f64: in f32 the difference would lose four digits at the first steps. */
export const correction = (decay: number, t: Tensor): Tensor => div(1, sub(1, power(decay, t)))

export interface AdamOptions extends ScaleByAdamOptions, WeightDecayOptions {}

/**
 * Adam: the gradient's average over the root of its square's average, both corrected for starting at 0 (see `scaleByAdam`).
 *
 * Throws TypeError for settings out of range. Kingma and Ba, arXiv:1412.6980, algorithm 1, as in PyTorch; Keras adds eps to the root
 * before it is corrected.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = adam(0.1)
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.9, -2.1]
 */
export function adam(
  learningRate: LearningRate = 1e-3,
  { b1 = 0.9, b2 = 0.999, eps = 1e-8, amsgrad = false, weightDecay = 0, weightDecayMask }: AdamOptions = {},
): Optimizer {
  const config = settings("adam", learningRate, { b1, b2, eps, amsgrad, weightDecay, weightDecayMask })
  const direction = scaleByAdam({ b1, b2, eps, amsgrad })
  return optimizer(config, ...decayed(weightDecay, weightDecayMask), direction, scaleByLearningRate(learningRate))
}

export interface AdamwOptions extends AdamOptions {
  /** Each step takes rate * weightDecay * w from w. Default: 0.01. */
  readonly weightDecay?: number
}

/**
 * Adam with decoupled weight decay: w <- w - rate (direction + weightDecay w).
 *
 * Throws TypeError for settings out of range. Loshchilov and Hutter, arXiv:1711.05101, algorithm 2.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = adamw(0.1, { weightDecay: 0.1, weightDecayMask: matrices })
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [0.9, -2.1]
 */
export function adamw(
  learningRate: LearningRate = 1e-3,
  { b1 = 0.9, b2 = 0.999, eps = 1e-8, amsgrad = false, weightDecay = 0.01, weightDecayMask }: AdamwOptions = {},
): Optimizer {
  const config = settings("adamw", learningRate, { b1, b2, eps, amsgrad, weightDecay, weightDecayMask })
  const direction = scaleByAdam({ b1, b2, eps, amsgrad })
  return optimizer(config, direction, ...decayed(weightDecay, weightDecayMask), scaleByLearningRate(learningRate))
}
