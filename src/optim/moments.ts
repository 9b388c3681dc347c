// Transformations that remember averages of the gradients.
import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"
import { add, cast, div, mul, pow, sqrt, square, sub } from "../ops/arithmetic.ts"
import { full, zerosLike } from "../ops/create.ts"
import { map, noSteps, type Transformation, wantDecay, wantNumber, withoutDenormals } from "./transformation.ts"

const wantEps = (eps: unknown): void => wantNumber("eps", eps, "a number >= 0", x => x >= 0)
/** decay a + (1 - decay) x */
const average = (a: Tensor, x: Tensor, decay: number): Tensor => withoutDenormals(add(mul(a, decay), mul(x, 1 - decay)))

export interface TraceOptions {
  /** Looks one step ahead: the updates become g + decay v. Default: false. */
  readonly nesterov?: boolean
}

/**
 * Momentum as in PyTorch: v <- decay v + g, and the updates become v.
 *
 * State: `{ v }`, like the parameters. Polyak, Some methods of speeding up the convergence of iteration methods (1964);
 * with `nesterov` Sutskever et al., On the importance of initialization and momentum in deep learning (2013).
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

export interface RmsOptions {
  /** How much of the average stays at each step. Default: 0.99. */
  readonly decay?: number
  /** Keeps the division finite. Default: 1e-8. */
  readonly eps?: number
}

/**
 * Division by the root of the mean square: s <- decay s + (1 - decay) g^2, and the updates become g / (sqrt(s) + eps).
 *
 * State: `{ s }`, like the parameters. Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012).
 */
export function scaleByRms({ decay = 0.99, eps = 1e-8 }: RmsOptions = {}): Transformation {
  wantDecay("decay", decay)
  wantEps(eps)
  return {
    init: params => ({ s: map(zerosLike, params) }),
    update(updates, state) {
      const s = map((s, g) => average(s, square(g), decay), (state as { s: Tree }).s, updates)
      return [map((g, s) => div(g, add(sqrt(s), eps)), updates, s), { s }]
    },
  }
}

export interface AdamOptions {
  /** Decay of the average of gradients. Default: 0.9. */
  readonly b1?: number
  /** Decay of the average of their squares. Default: 0.999. */
  readonly b2?: number
  /** Keeps the division finite. Default: 1e-8. */
  readonly eps?: number
}

/**
 * Adam's direction: m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, and at step t = 1, 2, ... the updates become
 * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
 *
 * State: `{ step, m, v }`, an i32 scalar and two trees like the parameters. Kingma and Ba, arXiv:1412.6980, algorithm 1.
 */
export function scaleByAdam({ b1 = 0.9, b2 = 0.999, eps = 1e-8 }: AdamOptions = {}): Transformation {
  wantDecay("b1", b1)
  wantDecay("b2", b2)
  wantEps(eps)
  return {
    init: params => ({ step: noSteps(), m: map(zerosLike, params), v: map(zerosLike, params) }),
    update(updates, state) {
      const before = state as { step: Tensor; m: Tree; v: Tree }
      const step = add(before.step, 1)
      const m = map((m, g) => average(m, g, b1), before.m, updates)
      const v = map((v, g) => average(v, square(g), b2), before.v, updates)
      const [byM, byV] = [correction(b1, step), sqrt(correction(b2, step))]
      const direction = (m: Tensor, v: Tensor): Tensor => div(mul(m, cast(byM, m.dtype)), add(mul(sqrt(v), cast(byV, v.dtype)), eps))
      return [map(direction, m, v), { step, m, v }]
    },
  }
}
/** 1 / (1 - decay^t), in f64: in f32 the difference would lose four digits at the first steps. */
const correction = (decay: number, t: Tensor): Tensor => {
  const power = pow(full([], decay, { dtype: "f64" }), cast(t, "f64"))
  return div(1, sub(1, power))
}
