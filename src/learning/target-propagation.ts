// Targets in the place of gradients, by inverses that are learned.
import { size } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { initializers } from "../nn/index.ts"
import { add, cast, less, mul, sub } from "../ops/arithmetic.ts"
import { zeros } from "../ops/create.ts"
import { fold, normal, uniform } from "../ops/random.ts"
import { sum } from "../ops/reduction.ts"
import { matmul, reshape } from "../ops/shape.ts"
import type { SlopeRule } from "../train/rule.ts"
import { valueAndGrad } from "../transforms/grad.ts"
import { assembled, type Block, blocksOf, flat, forward } from "./blocks.ts"
import { wantPositive } from "./wants.ts"

export interface TargetPropagationOptions {
  /** How far the target of the output lies from the output along the gradient of the loss. Default: 1. */
  readonly stepSize?: number
  /** Standard deviation of the noise with which the inverses are trained. Default: 0.1. */
  readonly noise?: number
  /** Hidden units are 0 or 1 at random, with their logistic output as the probability of 1. Default: false. */
  readonly stochastic?: boolean
}
type Inverse = { readonly w: Tensor; readonly b: Tensor }

/**
 * Difference target propagation: each layer gets a target for its output, made by learned inverses g_l of the layers above, and takes a step
 * towards it. Lee, Zhang, Fischer and Bengio, Difference target propagation (2015), arXiv:1412.7525.
 *
 *     target_L = h_L - stepSize dE/dh_L                                    [of each example]
 *     target_(l-1) = h_(l-1) - g_l(h_l) + g_l(target_l)
 *     layer l descends on |f_l(h_(l-1)) - target_l|^2 / 2 by its own parameters, with h_(l-1) fixed; the last one on E
 *     g_l descends on |g_l(f_l(h_(l-1) + e)) - (h_(l-1) + e)|^2 / 2, e normal with deviation `noise`
 *
 * g_l(h) = a(V_l h + c_l) with the activation a of layer l - 1. In the paper the target below the output comes from the gradient through W_L; here
 * the learned inverse makes this one too, so that no layer's update knows the weights of another. With `stochastic` hidden units are
 * Bernoulli draws h of the probabilities p that their layer gives: the next layer gets h, differences are those of p.
 *
 * Signals: the `inverses` of the layers above. Throws TypeError for models that cannot be taken apart (see `feedbackAlignment`), for options out
 * of range, and with `stochastic` for hidden layers that do not end with `logistic()`.
 *
 * @example
 * const model = sequential(dense(2, 8), logistic(), dense(8, 1))
 * const data = { x: random.normal(random.key(1), [64, 2]), y: ones([64, 1]) }
 * const run = fit(model, data, { loss: squaredError, optimizer: adam(0.01), epochs: 20, rule: targetPropagation() })
 * const trained = await run.result
 * trained.evaluate(data, { loss: squaredError }).loss < 0.1  // true
 */
export function targetPropagation({ stepSize = 1, noise = 0.1, stochastic = false }: TargetPropagationOptions = {}): SlopeRule {
  wantPositive("targetPropagation", "stepSize", stepSize)
  wantPositive("targetPropagation", "noise", noise)
  return {
    config: { kind: "targetPropagation", stepSize, noise, stochastic },
    signals: ["inverses"],
    init(model, params, inShape, key) {
      const { blocks } = blocksOf("targetPropagation", model, params, inShape)
      if (stochastic) wantLogistic(model, blocks)
      const inverses = blocks.slice(1).map(({ at, inShape, outShape }, l): Inverse => {
        const dtype = params.layers[at].w.dtype as "f32" | "f64"
        const [from, to] = [size(outShape), size(inShape)]
        return { w: initializers.lecun(fold(key, l), [from, to], { dtype }), b: zeros([to], { dtype }) }
      })
      return { kept: {}, learned: { inverses } }
    },
    slopes(step) {
      const { x, key, state, model } = step
      const examples = x.shape[0]!
      const draw = (p: Tensor, l: number): Tensor =>
        stochastic ? cast(less(uniform(fold(fold(key, -1), l), p.shape, { dtype: p.dtype as "f32" | "f64" }), p), p.dtype) : p
      const { turns, top, loss, slope } = forward("targetPropagation", step, draw)
      const { inverses } = step.own.learned as { inverses: readonly Inverse[] }
      // targets, from the top to the bottom
      const targets: Tensor[] = []
      targets[turns.length - 1] = sub(top.out, mul(slope, stepSize * examples))
      for (let l = turns.length - 1; l > 0; l--) {
        const below = turns[l - 1]!
        const back = (h: Tensor): Tensor => inverted(below.block, inverses[l - 1]!, h)
        targets[l - 1] = add(sub(below.out, back(turns[l]!.out)), back(targets[l]!))
      }
      const slopes = turns.map((t, l) => t.toParams(t.toSum(t === top ? slope : mul(sub(t.out, targets[l]!), 1 / examples))))
      const learned = turns.slice(1).map(({ block, params, h }, l) => {
        const noisy = add(h, mul(normal(fold(fold(key, -2), l), h.shape, { dtype: h.dtype as "f32" }), noise))
        const out = block.rest(block.linear(params, noisy), key)
        const missed = (g: Inverse): Tensor => mul(sum(sub(inverted(turns[l]!.block, g, out), noisy).square()), 0.5 / examples)
        return valueAndGrad(missed)(inverses[l]!)[1] as Inverse
      })
      return { loss, state, params: assembled(model, turns, slopes), learned: { inverses: learned } }
    },
  }
}

/** g(h), with the shape and the range of what `below` gives. */
const inverted = (below: Block, { w, b }: Inverse, h: Tensor): Tensor =>
  below.activate(reshape(add(matmul(flat(h), w), b), [h.shape[0]!, ...below.outShape]))

function wantLogistic(model: unknown, blocks: readonly Block[]): void {
  const { layers } = model as { layers: readonly { kind: string }[] }
  blocks.slice(1).forEach(({ at }) => {
    const { kind } = layers[at - 1]!
    if (kind !== "logistic")
      throw new TypeError(
        `targetPropagation: stochastic units are drawn with the probability that their layer gives, so that layers.${at - 1} must be logistic(); got ${kind}`,
      )
  })
}
