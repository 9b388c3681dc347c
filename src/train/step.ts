import { countedScan } from "../control/scan.ts"
import type { Tensor } from "../core/tensor.ts"
import { type Tree, treeMap } from "../core/tree.ts"
import { add, cast, equal, mul, sub, where } from "../ops/arithmetic.ts"
import { arange } from "../ops/create.ts"
import { fold } from "../ops/random.ts"
import { jit } from "../runtime/jit.ts"
import { advance, backprop, type LearningRule } from "./rule.ts"
import type { Loss, Optimizer, Trainable } from "./trainable.ts"

/** What one step hands to the next. */
export interface Carry {
  readonly params: Tree
  readonly state: Tree
  readonly optimizer: Tree
}
/** Inputs and targets of several steps, along axis 0. */
export interface Batches {
  readonly x: Tensor
  readonly y: Tensor
}

/** Several steps on a state: see `compileSteps`. */
export type RunSteps = (carry: Carry, batches: Batches, keys: Tensor, first: Tensor, steps: Tensor) => [Carry, Tensor]

/**
 * Several steps, each forward, backward (or whatever the rule does) and update, as one program that works in place: [carry, batches, key of all steps, number of
 * the first step, how many of the batches to use, scale of the learning rate or null] -> [next carry, losses].
 */
export const compileSteps = (model: Trainable, loss: Loss, optimizer: Optimizer, rule: LearningRule = backprop()) =>
  jit(
    (carry: Carry, batches: Batches, keys: Tensor, first: Tensor, steps: Tensor, rateScale: Tensor | null): [Carry, Tensor] => {
      const one = (now: Carry, { x, y, step }: Batches & { step: Tensor }): readonly [Carry, Tensor] => {
        const { loss: value, ...next } = advance(rule, optimizer, now, { model, loss, x, y, key: fold(keys, step) })
        const params = rateScale ? treeMap((p, q) => stepped(p, q, rateScale), now.params, next.params) : next.params
        return [{ params, state: next.state, optimizer: next.optimizer }, value]
      }
      return countedScan(one, carry, { ...batches, step: add(first, arange(batches.x.shape[0]!)) }, steps)
    },
    { donate: [0] },
  )

/** From `p` to `q` times `scale`: learning rates are factors of the whole step, whatever the optimizer. With 1 it is `q` itself. */
const stepped = (p: Tensor, q: Tensor, scale: Tensor): Tensor => where(equal(scale, 1), q, add(p, mul(sub(q, p), cast(scale, p.dtype))))
