// Optimizers are put together from steps that turn gradients into updates. All of them are values: state goes in and comes out.
// The design is Optax's (DeepMind, 2020); conventions and defaults are PyTorch's.
import { show } from "../core/aval.ts"
import type { Dtype } from "../core/dtype.ts"
import { Tensor } from "../core/tensor.ts"
import { type Tree, treeMap } from "../core/tree.ts"
import { abs, add, cast, less, mul, neg, where } from "../ops/arithmetic.ts"
import { full, zeros } from "../ops/create.ts"
import { type Mask, masked } from "./mask.ts"
import type { Optimizer } from "./optimizer.ts"

/** What a step of an optimizer remembers: trees of tensors. */
export type OptimizerState = Tree

/** One step on the way from gradients to updates, which are then added to the parameters. */
export interface Transformation {
  /** State before the first update of `params`. */
  init(params: unknown): OptimizerState
  /** New updates and new state from `updates` (first of all the gradients): trees like `params`. */
  update<P>(updates: P, state: OptimizerState, params: P): [updates: P, state: OptimizerState]
}

/** A learning rate that depends on the number of updates made before, i32 [], so 0 at first; it returns a floating-point scalar. */
export type Schedule = (step: Tensor) => Tensor
/** A number, or a schedule. */
export type LearningRate = number | Schedule

/** Throws TypeError unless `x` is a number that `fits`. */
export function wantNumber(name: string, x: unknown, wanted: string, fits: (x: number) => boolean): void {
  if (typeof x !== "number" || !fits(x)) throw new TypeError(`${name} must be ${wanted}; got ${typeof x === "number" ? x : typeof x}`)
}
/** Throws TypeError unless `x` is a decay rate. */
export const wantDecay = (name: string, x: unknown): void => wantNumber(name, x, "a number in [0, 1)", x => x >= 0 && x < 1)
/** Throws TypeError unless `x` is a positive number. */
export const wantPositive = (name: string, x: unknown): void => wantNumber(name, x, "a number > 0", x => x > 0)
/** Throws TypeError unless `x` is a number that is not negative. */
export const wantNonNegative = (name: string, x: unknown): void => wantNumber(name, x, "a number >= 0", x => x >= 0)
/** Throws TypeError unless `x` counts something. */
export const wantCount = (name: string, x: unknown): void => wantNumber(name, x, "a whole number >= 1", x => Number.isInteger(x) && x >= 1)

/** `treeMap` for trees of types that only the caller knows. */
export const map = (f: (...xs: Tensor[]) => Tensor, first: unknown, ...others: readonly unknown[]): any =>
  treeMap(f, first as Tree, ...(others as Tree[]))

/** No updates yet. */
export const noSteps = (): Tensor => zeros([], { dtype: "i32" })

// Below these |x| is written as 0: decaying averages would become denormal numbers, which are computed 30 times slower. They
// are so small that no update of PyTorch's optimizers changes by them.
const TINY: Readonly<Partial<Record<Dtype, number>>> = { f32: 2 ** -116, f64: 2 ** -1000 }
/** `x` with 0 in the place of numbers that are about to become denormal. */
export const withoutDenormals = (x: Tensor): Tensor => where(less(abs(x), TINY[x.dtype] ?? 0), 0, x)
/** decay a + (1 - decay) x */
export const average = (a: Tensor, x: Tensor, decay: number): Tensor => withoutDenormals(add(mul(a, decay), mul(x, 1 - decay)))

/**
 * Transformations one after the other; the state is the list of their states. With an optimizer at the end it is an optimizer,
 * whose gradients have gone through the transformations before it.
 *
 * Throws TypeError for an optimizer that is not the last part.
 *
 * @example
 * const direction = chain(trace(0.9), scale(0.5))
 * const clipped = chain(clipByGlobalNorm(1), adam(1e-3))
 */
export function chain(...parts: readonly [...before: Transformation[], last: Optimizer]): Optimizer
export function chain(...parts: readonly Transformation[]): Transformation
export function chain(...parts: readonly (Transformation | Optimizer)[]): Transformation | Optimizer {
  return inOrder("chain", parts)
}
/** As `chain`, for whoever is called `name`. */
export function inOrder(name: string, parts: readonly (Transformation | Optimizer)[]): Transformation | Optimizer {
  parts.forEach((part, i) => {
    if (typeof part?.update !== "function")
      throw new TypeError(
        `${name}: argument ${i} must be a transformation or an optimizer, such as clipByGlobalNorm(1); got ${typeof part}`,
      )
  })
  const [last] = parts.slice(-1)
  const odd = parts.slice(0, -1).find(p => "config" in p)
  if (odd) throw new TypeError(`${name}: an optimizer must be the last part; got ${(odd as Optimizer).config.kind} before another one`)
  const whole: Transformation = {
    init: params => parts.map(p => p.init(params)),
    update(updates, state, params) {
      const states = state as readonly OptimizerState[]
      if (!Array.isArray(states) || states.length !== parts.length)
        throw new TypeError(`${name}: state must be the list of ${parts.length} states that init or update of this optimizer returned`)
      let out = updates
      const next = parts.map((p, i) => {
        const [after, s] = p.update(out, states[i]!, params)
        out = after
        return s
      })
      return [out, next]
    },
  }
  return last && "config" in last ? { ...whole, config: { kind: "chain", parts: parts.length, optimizer: last.config } } : whole
}

/**
 * Updates times `factor`.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scale(2)
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [1, 0.2]
 */
export function scale(factor: number): Transformation {
  wantNumber("scale: factor", factor, "a number", x => !Number.isNaN(x))
  return { init: () => ({}), update: (updates, state) => [map(g => mul(g, factor), updates), state] }
}

/** Throws TypeError unless `rate` is a learning rate. */
export function wantRate(rate: unknown, of = ""): void {
  if (typeof rate !== "function") wantNumber(`${of}learning rate`, rate, "a number >= 0 or a function of the step", x => x >= 0)
}
/** What a schedule says of a step: a schedule of another shape would give each parameter a rate of its own. */
function scheduled(rate: Schedule, step: Tensor): Tensor | number {
  const now: unknown = rate(step)
  if (typeof now === "number" || (now instanceof Tensor && now.ndim === 0 && now.dtype !== "bool")) return now
  throw new TypeError(`learning rate: a schedule must return a scalar; it returned ${now instanceof Tensor ? show(now.aval) : typeof now}`)
}
/** A learning rate as a schedule that returns f64. */
export function rateAt(rate: LearningRate): Schedule {
  wantRate(rate)
  return step => (typeof rate === "function" ? cast(scheduled(rate, step), "f64") : full([], rate, { dtype: "f64" }))
}

/**
 * Updates times minus the learning rate, so that adding them descends. With a schedule the state counts the updates.
 *
 * @example
 * const w = tensor([1, -2])
 * const part = scaleByLearningRate(0.1)
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [-0.05, -0.01]
 */
export function scaleByLearningRate(rate: LearningRate): Transformation {
  wantRate(rate)
  if (typeof rate === "number") return scale(-rate)
  return {
    init: () => ({ step: noSteps() }),
    update(updates, state) {
      const { step } = state as { step: Tensor }
      const descent = neg(scheduled(rate, step))
      return [map(g => mul(g, cast(descent, g.dtype)), updates), { step: add(step, 1) }]
    },
  }
}

/**
 * Updates plus `rate` times the parameters: in front, L2 regularization; behind Adam, decoupled weight decay (arXiv:1711.05101).
 *
 * @example
 * const w = tensor([1, -2])
 * const part = addDecayedWeights(0.1)
 * const [updates] = part.update(tensor([0.5, 0.1]), part.init(w), w)  // [0.6, -0.1]
 */
export function addDecayedWeights(rate: number, mask: Mask = true): Transformation {
  wantNonNegative("weight decay", rate)
  const decay: Transformation = {
    init: () => ({}),
    update: (updates, state, params) => [map((g, w) => add(g, mul(w, rate)), updates, params), state],
  }
  return mask === true ? decay : masked(decay, mask)
}
