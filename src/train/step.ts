import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"
import { fold } from "../ops/random.ts"
import { jit } from "../runtime/jit.ts"
import { valueAndGrad } from "../transforms/grad.ts"
import type { Loss, Optimizer, Trainable } from "./trainable.ts"

/** What one step hands to the next. */
export interface Carry {
  readonly params: Tree
  readonly state: Tree
  readonly optimizer: Tree
}

/**
 * Forward, backward and update as one program that works in place: [carry, inputs, targets, key of all steps, number of the step]
 * -> [next carry, loss].
 */
export const compileStep = (model: Trainable, loss: Loss, optimizer: Optimizer) =>
  jit(
    (carry: Carry, x: Tensor, y: Tensor, keys: Tensor, step: Tensor): readonly [Carry, Tensor] => {
      const lossOf = (params: Tree): [Tensor, Tree] => {
        const [output, state] = model.apply(params, carry.state, x, { key: fold(keys, step), training: true })
        return [loss(output, y), state]
      }
      const [[value, state], grads] = valueAndGrad(lossOf, { hasAux: true })(carry.params)
      const [params, next] = optimizer.update(grads, carry.optimizer, carry.params)
      return [{ params, state, optimizer: next }, value]
    },
    { donate: [0] },
  )
