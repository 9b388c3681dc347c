// The optimizers by name: chains of transformations whose updates are added to the parameters.
import { same, show } from "../core/aval.ts"
import { scope } from "../core/tensor.ts"
import { leaves, paths, type Tree } from "../core/tree.ts"
import { add } from "../ops/arithmetic.ts"
import { type AdamOptions, type RmsOptions, scaleByAdam, scaleByRms, trace } from "./moments.ts"
import {
  addDecayedWeights,
  chain,
  type LearningRate,
  map,
  type OptimizerState,
  scaleByLearningRate,
  type Transformation,
  wantDecay,
} from "./transformation.ts"

/** What an optimizer is, as plain data; a schedule is only mentioned. */
export type OptimizerConfig = { readonly kind: string; readonly [option: string]: number | boolean | string }

/** A rule for new parameters. It is a value: its state goes in and comes out. */
export interface Optimizer {
  readonly config: OptimizerConfig
  /** State before the first update of `params`, any tree of floating-point tensors. */
  init(params: unknown): OptimizerState
  /** New parameters and new state from gradients that are a tree like `params`. Throws TypeError where they are not. */
  update<P>(grads: P, state: OptimizerState, params: P): [params: P, state: OptimizerState]
}

/**
 * An optimizer of transformations: params <- params + updates. Its operations carry the scope `config.kind`.
 *
 * @example
 * const heavyBall = optimizer({ kind: "heavyBall" }, trace(0.9), scaleByLearningRate(0.01))
 */
export function optimizer(config: OptimizerConfig, ...parts: readonly Transformation[]): Optimizer {
  const { init, update } = chain(...parts)
  return {
    config,
    init: params => scope(config.kind, () => init(params)),
    update: (grads, state, params) =>
      scope(config.kind, () => {
        wantGradients(config.kind, grads as Tree, params as Tree)
        const [updates, next] = update(grads, state, params)
        return [map(add, params, updates), next]
      }),
  }
}

// adding would repeat a gradient of another shape silently
function wantGradients(name: string, grads: Tree, params: Tree): void {
  const [gs, ps, names] = [leaves(grads), leaves(params), paths(params)]
  if (gs.length !== ps.length)
    throw new TypeError(`${name}: gradients must be a tree like the parameters, which have ${ps.length} leaves; got ${gs.length}`)
  const odd = ps.findIndex((p, i) => !same(p.aval, gs[i]!.aval))
  if (odd >= 0)
    throw new TypeError(
      `${name}: the gradient of ${names[odd] || "the parameter"} must be ${show(ps[odd]!.aval)}; got ${show(gs[odd]!.aval)}`,
    )
}

const rateIn = (rate: LearningRate): number | string => (typeof rate === "number" ? rate : "schedule")
const decayed = (rate: number): readonly Transformation[] => (rate === 0 ? [] : [addDecayedWeights(rate)])

export interface SgdOptions {
  /** v <- momentum v + g takes the place of g. Default: 0. */
  readonly momentum?: number
  /** Nesterov's momentum: g + momentum v takes the place of v. Default: false. */
  readonly nesterov?: boolean
  /** Adds `weightDecay` times the parameters to the gradients. Default: 0. */
  readonly weightDecay?: number
}

/**
 * Stochastic gradient descent: w <- w - rate g; with momentum v <- momentum v + g and w <- w - rate v, as in PyTorch.
 *
 * Throws TypeError for settings out of range. Robbins and Monro, A stochastic approximation method (1951).
 *
 * @example
 * const descent = sgd(0.1)
 * const state = descent.init(params)
 * const [params2, state2] = descent.update(grads, state, params)
 */
export function sgd(learningRate: LearningRate, { momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  wantDecay("sgd: momentum", momentum)
  const config = { kind: "sgd", learningRate: rateIn(learningRate), momentum, nesterov, weightDecay }
  const velocity = momentum === 0 ? [] : [trace(momentum, { nesterov })]
  return optimizer(config, ...decayed(weightDecay), ...velocity, scaleByLearningRate(learningRate))
}

/**
 * Gradient descent with momentum: v <- beta v + g, w <- w - rate v.
 *
 * The form Δw <- α Δw - (1 - α) η g of textbooks is `momentum((1 - α) * η, α)`.
 *
 * @example
 * const [params2, state2] = momentum(0.01).update(grads, state, params)
 */
export const momentum = (learningRate: LearningRate, beta = 0.9): Optimizer => sgd(learningRate, { momentum: beta })

export interface RmspropOptions extends RmsOptions {
  /** Adds `weightDecay` times the parameters to the gradients. Default: 0. */
  readonly weightDecay?: number
}

/**
 * RMSprop: s <- decay s + (1 - decay) g^2, w <- w - rate g / (sqrt(s) + eps), as in PyTorch.
 *
 * Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012).
 *
 * @example
 * const [params2, state2] = rmsprop(1e-2).update(grads, state, params)
 */
export function rmsprop(learningRate: LearningRate = 1e-2, { decay = 0.99, eps = 1e-8, weightDecay = 0 }: RmspropOptions = {}): Optimizer {
  const config = { kind: "rmsprop", learningRate: rateIn(learningRate), decay, eps, weightDecay }
  return optimizer(config, ...decayed(weightDecay), scaleByRms({ decay, eps }), scaleByLearningRate(learningRate))
}

/**
 * Adam: the gradient's average over the root of its square's average, both corrected for starting at 0 (see `scaleByAdam`).
 *
 * Kingma and Ba, arXiv:1412.6980, algorithm 1.
 *
 * @example
 * const [params2, state2] = adam(1e-3).update(grads, state, params)
 */
export function adam(learningRate: LearningRate = 1e-3, { b1 = 0.9, b2 = 0.999, eps = 1e-8 }: AdamOptions = {}): Optimizer {
  const config = { kind: "adam", learningRate: rateIn(learningRate), b1, b2, eps }
  return optimizer(config, scaleByAdam({ b1, b2, eps }), scaleByLearningRate(learningRate))
}

export interface AdamwOptions extends AdamOptions {
  /** Each step takes rate * weightDecay * w from w. Default: 0.01. */
  readonly weightDecay?: number
}

/**
 * Adam with decoupled weight decay: w <- w - rate (direction + weightDecay w).
 *
 * Loshchilov and Hutter, arXiv:1711.05101, algorithm 2.
 *
 * @example
 * const [params2, state2] = adamw(1e-3, { weightDecay: 0.1 }).update(grads, state, params)
 */
export function adamw(
  learningRate: LearningRate = 1e-3,
  { b1 = 0.9, b2 = 0.999, eps = 1e-8, weightDecay = 0.01 }: AdamwOptions = {},
): Optimizer {
  const config = { kind: "adamw", learningRate: rateIn(learningRate), b1, b2, eps, weightDecay }
  return optimizer(config, scaleByAdam({ b1, b2, eps }), addDecayedWeights(weightDecay), scaleByLearningRate(learningRate))
}
