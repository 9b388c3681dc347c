// Rules of learning: where the gradients come from that an optimizer turns into new parameters.
import type { Shape } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"
import type { Json } from "../io/json.ts"
import { valueAndGrad } from "../transforms/grad.ts"
import type { Loss, Optimizer, Trainable } from "./trainable.ts"

/** Parameters that belong to a rule and not to the model, such as feedback weights. */
export type OwnParameters = {
  /** Trees that the optimizer leaves alone. */
  readonly kept: Tree
  /** Trees that the optimizer moves together with the model's parameters. */
  readonly learned: Tree
}
/** A model on one mini-batch, as a rule sees it. */
export interface RuleStep {
  readonly model: Trainable
  readonly loss: Loss
  readonly params: any
  readonly own: OwnParameters
  readonly state: any
  /** [batch, ...] */
  readonly x: Tensor
  /** [batch, ...] */
  readonly y: Tensor
  /** Of this step: the layers' own randomness comes from it as in `model.apply`. */
  readonly key: Tensor
}
/** What a rule finds out in one step. */
export interface Slopes {
  /** The mean loss of the batch before the step, a scalar. */
  readonly loss: Tensor
  readonly state: any
  /** A tree like the parameters, in the place of gradients. */
  readonly params: any
  /** Gradients for `own.learned`; absent where there is nothing to learn. */
  readonly learned?: any
  /** What `own.kept` becomes; absent where it stays. */
  readonly kept?: Tree
}
/** A step that a rule has done without an optimizer. */
export interface Moved {
  readonly loss: Tensor
  readonly state: any
  readonly params: any
  readonly own: OwnParameters
}
interface Rule {
  /** Its name and options as plain JSON: checkpoints remember them. */
  readonly config: { readonly kind: string; readonly [option: string]: Json | undefined }
  /**
   * What may bring news from the layers above to a layer's update, beside the activations of the forward pass and the gradient of the
   * loss by the output: names of parameters of its own, or of values that the rule computes.
   */
  readonly signals: readonly string[]
  /** Parameters of its own for rows of shape `inShape`; a rule without them has no `init`. Throws TypeError for models that it cannot train. */
  init?(model: Trainable, params: any, inShape: Shape, key: Tensor): OwnParameters
}
/** A rule that gives the optimizer something to descend along. */
export interface SlopeRule extends Rule {
  slopes(step: RuleStep): Slopes
}
/** A rule that moves the parameters itself: the optimizer is not asked. */
export interface MoveRule extends Rule {
  move(step: RuleStep): Moved
}
/** How a model learns from a mini-batch: rules of adjoint/learning, or one of your own. */
export type LearningRule = SlopeRule | MoveRule

/**
 * The rule that `fit` has unless told: gradients by reverse-mode differentiation, for any model. Rumelhart, Hinton and Williams, Learning
 * representations by back-propagating errors (1986).
 *
 *     delta_l = (W_(l+1)^T delta_(l+1)) o f'(s_l),  dW_l = delta_l h_(l-1)^T
 *
 * Signals: the `weights` of the layers above.
 *
 * @example
 * const data = { x: ones([8, 2]), y: ones([8, 1]) }
 * const run = fit(sequential(dense(2, 4), logistic(), dense(4, 1)), data, { loss: squaredError, optimizer: adam(0.01), rule: backprop() })
 * await run.result
 */
export const backprop = (): SlopeRule => ({
  config: { kind: "backprop" },
  signals: ["weights"],
  slopes({ model, loss, params, state, x, y, key }) {
    const lossOf = (params: Tree): [Tensor, Tree] => {
      const [output, next] = model.apply(params, state, x, { key, training: true })
      return [loss(output, y), next]
    }
    const [[value, next], grads] = valueAndGrad(lossOf, { hasAux: true })(params)
    return { loss: value, state: next, params: grads }
  },
})

/** State of the optimizer at the start. A rule's own parameters stand beside it, so that all that keeps a training keeps them too. */
export function startOf(rule: LearningRule, optimizer: Optimizer, model: Trainable, params: Tree, inShape: Shape, key: Tensor): Tree {
  if (!rule.init) return optimizer.init(params)
  const own = rule.init(model, params, inShape, key)
  return { own, optimizer: "move" in rule ? {} : optimizer.init({ params, learned: own.learned }) }
}

/** One step of a training: the loss before it, and everything after it. */
export function advance(
  rule: LearningRule,
  optimizer: Optimizer,
  { params, state, optimizer: now }: { readonly params: any; readonly state: any; readonly optimizer: any },
  rest: Pick<RuleStep, "model" | "loss" | "x" | "y" | "key">,
): { readonly loss: Tensor; readonly params: Tree; readonly state: Tree; readonly optimizer: Tree } {
  const own: OwnParameters = rule.init ? now.own : { kept: {}, learned: {} }
  const step = { ...rest, params, own, state }
  if ("move" in rule) {
    const { own: next, ...moved } = rule.move(step)
    return { ...moved, optimizer: rule.init ? { own: next, optimizer: now.optimizer } : now }
  }
  const { params: grads, learned: ownGrads = {}, kept = own.kept, ...found } = rule.slopes(step)
  if (!rule.init) {
    const [updated, next] = optimizer.update(grads, now, params)
    return { ...found, params: updated, optimizer: next }
  }
  const [updated, next] = optimizer.update({ params: grads, learned: ownGrads }, now.optimizer, { params, learned: own.learned })
  return { ...found, params: updated.params, optimizer: { own: { kept, learned: updated.learned }, optimizer: next } }
}
