import { same, show } from "../core/aval.ts"
import { isFloating } from "../core/dtype.ts"
import { scope } from "../core/tensor.ts"
import { leaves, paths, type Tree } from "../core/tree.ts"
import { add } from "../ops/arithmetic.ts"
import type { Mask } from "./mask.ts"
import {
  addDecayedWeights,
  inOrder,
  type LearningRate,
  map,
  type OptimizerState,
  type Transformation,
  wantDecay,
  wantNonNegative,
  wantRate,
} from "./transformation.ts"

type Setting = number | boolean | string | OptimizerConfig
/** What an optimizer is, as plain data; schedules and masks are only mentioned. */
export type OptimizerConfig = { readonly kind: string; readonly [option: string]: Setting | readonly Setting[] }

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
  const { init, update } = inOrder(config.kind, parts)
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

/** Throws TypeError unless gradients are a tree like the parameters: adding would repeat one of another shape silently. */
export function wantGradients(name: string, grads: Tree, params: Tree): void {
  const [gs, ps, names] = [leaves(grads), leaves(params), paths(params)]
  if (gs.length !== ps.length)
    throw new TypeError(`${name}: gradients must be a tree like the parameters, which have ${ps.length} leaves; got ${gs.length}`)
  const whole = ps.findIndex(p => !isFloating(p.dtype))
  if (whole >= 0)
    throw new TypeError(
      `${name}: parameters must be floating point; ${names[whole] || "the parameter"} is ${show(ps[whole]!.aval)}. Convert it with cast`,
    )
  const odd = ps.findIndex((p, i) => !same(p.aval, gs[i]!.aval))
  if (odd >= 0)
    throw new TypeError(
      `${name}: the gradient of ${names[odd] || "the parameter"} must be ${show(ps[odd]!.aval)}; got ${show(gs[odd]!.aval)}`,
    )
}

export interface WeightDecayOptions {
  /** Adds `weightDecay` times the parameters to the gradients, the gradient of L2 regularization. Default: 0. */
  readonly weightDecay?: number
  /** Which parameters decay, such as `matrices`: those that are no biases. Default: all. */
  readonly weightDecayMask?: Mask
}

/** The first part of an optimizer with weight decay. */
export const decayed = (rate: number, mask?: Mask): readonly Transformation[] => (rate === 0 ? [] : [addDecayedWeights(rate, mask)])

/** The plain data of an optimizer. Throws TypeError, in its name, for what is out of range in all of them. */
export function settings(
  kind: string,
  learningRate: LearningRate,
  { weightDecayMask, ...options }: Readonly<Record<string, unknown>>,
): OptimizerConfig {
  wantRate(learningRate, `${kind}: `)
  for (const name of ["b1", "b2", "decay", "momentum"]) if (name in options) wantDecay(`${kind}: ${name}`, options[name])
  if ("eps" in options) wantNonNegative(`${kind}: eps`, options.eps)
  if ("weightDecay" in options) wantNonNegative(`${kind}: weight decay`, options.weightDecay)
  return {
    kind,
    learningRate: typeof learningRate === "number" ? learningRate : "schedule",
    ...(options as Record<string, Setting>),
    ...(weightDecayMask !== undefined && { weightDecayMask: "mask" }),
  }
}
