// Codes between the layers that move before the weights do.
import { scope, type Tensor } from "../core/tensor.ts"
import { add, mul, sub } from "../ops/arithmetic.ts"
import type { SlopeRule } from "../train/rule.ts"
import { vjp } from "../transforms/grad.ts"
import { assembled, forward, judge, type Turn, turn } from "./blocks.ts"
import { wantCount, wantPositive } from "./wants.ts"

export interface AlternatingMinimizationOptions {
  /** Steps of gradient descent on the codes of a layer, in each step of the training. Default: 5. */
  readonly steps?: number
  /** Length of these steps. Default: 0.1. */
  readonly rate?: number
  /** Weight mu of the distance between codes and what the layer below makes of its input. Default: 1. */
  readonly weight?: number
}

/**
 * Online alternating minimization: codes c_l stand for the sums of the hidden layers. For each batch they begin where the forward pass is, then
 * move, from the top to the bottom, towards what the layer above needs, and then each layer learns to give its codes.
 * Choromanska et al., Beyond backprop: online alternating minimization with auxiliary variables (2019), arXiv:1806.09077.
 *
 *     E(W, c) = loss(y, f_L(c_(L-1))) + mu / 2 sum_l |c_l - W_l h_(l-1)|^2,  h_l = a(c_l), h_0 = x          [of each example]
 *     `steps` times:  c_l := c_l - rate dE/dc_l,  l = L - 1, ..., 1
 *     layer l descends on E by W_l with the codes fixed
 *
 * A code of layer l depends on the codes and the weights of the next layer and on nothing further up. Signals: the `codes`, of the layer itself and the
 * one below. Throws TypeError for models that cannot be taken apart (see `feedbackAlignment`) and for options out of range.
 *
 * @example
 * const model = sequential(dense(2, 8), logistic(), dense(8, 1))
 * const data = { x: random.normal(random.key(1), [64, 2]), y: ones([64, 1]) }
 * const run = fit(model, data, { loss: squaredError, optimizer: adam(0.01), epochs: 20, rule: alternatingMinimization() })
 * const trained = await run.result
 * trained.evaluate(data, { loss: squaredError }).loss < 0.1  // true
 */
export function alternatingMinimization({ steps = 5, rate = 0.1, weight = 1 }: AlternatingMinimizationOptions = {}): SlopeRule {
  wantCount("alternatingMinimization", "steps", steps)
  wantPositive("alternatingMinimization", "rate", rate)
  wantPositive("alternatingMinimization", "weight", weight)
  return {
    config: { kind: "alternatingMinimization", steps, rate, weight },
    signals: ["codes"],
    slopes(step) {
      const { x, y, key, model, state } = step
      const examples = x.shape[0]!
      const { turns, top, loss, slope } = forward("alternatingMinimization", step)
      const codes = turns.slice(0, -1).map(t => t.s)
      /** dE/dc_l on its way through the layer above: by its sums [of each example], and what comes back from there. */
      const above = (l: number): { made: Turn; delta: Tensor; back(delta: Tensor): Tensor } => {
        const { block, params } = turns[l + 1]!
        const [h, pull] = vjp((c: Tensor) => turns[l]!.block.rest(c, key), codes[l]!)
        const made = turn(block, params, h, key)
        const delta =
          block === top.block ? made.toSum(mul(judge(step.loss, made.out, y).slope, examples)) : mul(sub(made.s, codes[l + 1]!), weight)
        return { made, delta, back: delta => pull(made.toInput(delta))[0] }
      }
      for (let l = codes.length - 1; l >= 0; l--) {
        for (let i = 0; i < steps; i++) {
          const { delta, back } = above(l)
          // the layers below have not moved yet, so that W_l h_(l-1) is still what it was in the forward pass
          const slopeOf = add(back(delta), mul(sub(codes[l]!, turns[l]!.s), weight))
          codes[l] = scope(`codes.${l}`, () => sub(codes[l]!, mul(slopeOf, rate)))
        }
      }
      const slopes = turns.map((first, l) => {
        if (l > 0) {
          const { made, delta } = above(l - 1)
          return made.toParams(mul(delta, 1 / examples))
        }
        return first.toParams(first === top ? first.toSum(slope) : mul(sub(first.s, codes[0]!), weight / examples))
      })
      return { loss, state, params: assembled(model, turns, slopes) }
    },
  }
}
