// Layers that do not wait for their gradient: predictors say what it will be.
import { size } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { add, mul, sub } from "../ops/arithmetic.ts"
import { zeros } from "../ops/create.ts"
import { sum } from "../ops/reduction.ts"
import { concat, matmul, reshape } from "../ops/shape.ts"
import type { SlopeRule } from "../train/rule.ts"
import { valueAndGrad } from "../transforms/grad.ts"
import { assembled, blocksOf, flat, forward, numbersOf } from "./blocks.ts"

type Predictor = { readonly w: Tensor; readonly b: Tensor }

/**
 * Synthetic gradients: a predictor M_l beside each hidden layer says what the gradient by its output will be, and the layer is updated by that. The
 * predictors learn from the layer above, which passes on what its own predictor says. Jaderberg et al., Decoupled neural interfaces using
 * synthetic gradients (2017), arXiv:1608.05343.
 *
 *     g_l = M_l(h_l, y) = [h_l, y] V_l + c_l,  delta_l = g_l o f'(s_l),  dW_l = delta_l h_(l-1)^T,  g_L = dE/dh_L
 *     M_l descends on |M_l(h_l, y) - g_(l+1) dh_(l+1)/dh_l|^2 / 2                     [of each example]
 *
 * Predictors are linear, see the targets (classes one-hot) and begin at 0, as in the paper's experiments with conditioning on labels. The update of
 * a layer uses its prediction, which is there as soon as its output is. Signals: the `predictors` of the layers themselves, which alone know
 * the weights above. Throws TypeError for models that cannot be taken apart (see `feedbackAlignment`), and for targets that have
 * not as many numbers as the outputs.
 *
 * @example
 * const model = sequential(dense(2, 8), logistic(), dense(8, 1))
 * const data = { x: random.normal(random.key(1), [64, 2]), y: ones([64, 1]) }
 * const run = fit(model, data, { loss: squaredError, optimizer: adam(0.01), epochs: 20, rule: syntheticGradients() })
 * const trained = await run.result
 * trained.evaluate(data, { loss: squaredError }).loss < 0.1  // true
 */
export const syntheticGradients = (): SlopeRule => ({
  config: { kind: "syntheticGradients" },
  signals: ["predictors"],
  init(model, params, inShape) {
    const { blocks } = blocksOf("syntheticGradients", model, params, inShape)
    const outputs = size(blocks.at(-1)!.outShape)
    const predictors = blocks.slice(0, -1).map(({ at, outShape }) => {
      const dtype = params.layers[at].w.dtype as "f32" | "f64"
      const units = size(outShape)
      return { w: zeros([units + outputs, units], { dtype }), b: zeros([units], { dtype }) }
    })
    return { kept: {}, learned: { predictors } }
  },
  slopes(step) {
    const { turns, top, loss, slope } = forward("syntheticGradients", step)
    const { predictors } = step.own.learned as { predictors: readonly Predictor[] }
    const examples = step.x.shape[0]!
    const y = numbersOf(step.y, top.out)
    if (y.shape[1] !== flat(top.out).shape[1])
      throw new TypeError(
        `syntheticGradients: targets must have as many numbers as the outputs, ${flat(top.out).shape[1]}, or be class numbers; got ${y.shape[1]}`,
      )
    const given = turns.slice(0, -1).map(t => concat([flat(t.out), y], { axis: 1 }))
    const predict = ({ w, b }: Predictor, l: number): Tensor => add(matmul(given[l]!, w), b)
    // gradients by the outputs of one example each, so that predictors do not depend on the size of the batch
    const predicted = turns.map((t, l) => (t === top ? mul(slope, examples) : reshape(predict(predictors[l]!, l), t.out.shape)))
    const deltas = turns.map((t, l) => t.toSum(predicted[l]!))
    const slopes = turns.map((t, l) => t.toParams(mul(deltas[l]!, 1 / examples)))
    const learned = predictors.map((p, l) => {
      const target = flat(turns[l + 1]!.toInput(deltas[l + 1]!))
      const missed = (p: Predictor): Tensor => mul(sum(sub(predict(p, l), target).square()), 0.5 / examples)
      return valueAndGrad(missed)(p)[1] as Predictor
    })
    return { loss, state: step.state, params: assembled(step.model, turns, slopes), learned: { predictors: learned } }
  },
})
