// Errors that come back through fixed random weights.
import { size } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Params } from "../nn/index.ts"
import { mul } from "../ops/arithmetic.ts"
import { fold, normal } from "../ops/random.ts"
import { matmul, reshape } from "../ops/shape.ts"
import type { SlopeRule } from "../train/rule.ts"
import { assembled, blocksOf, flat, forward } from "./blocks.ts"

/**
 * Feedback alignment: the error goes back through fixed random weights B_l in the place of W_l^T, and the forward weights come to agree with
 * them. Lillicrap, Cownden, Tweed and Akerman, Random synaptic feedback weights support error backpropagation for deep learning,
 * Nature Communications 7 (2016).
 *
 *     delta_L = dE/ds_L,  delta_l = (B_(l+1) delta_(l+1)) o f'(s_l),  dW_l = delta_l h_(l-1)^T
 *
 * B_l is drawn as the layer draws its first weights, and a convolution's map back is the transposed convolution with it.
 * Signals: the fixed `feedback` weights of the layers above. Throws TypeError for models other than `sequential` ones of dense and
 * convolutional layers with layers without parameters between them.
 *
 * @example
 * const model = sequential(dense(2, 8), logistic(), dense(8, 1))
 * const data = { x: random.normal(random.key(1), [64, 2]), y: ones([64, 1]) }
 * const run = fit(model, data, { loss: squaredError, optimizer: adam(0.01), epochs: 20, rule: feedbackAlignment() })
 * const trained = await run.result
 * trained.evaluate(data, { loss: squaredError }).loss < 0.1  // true
 */
export const feedbackAlignment = (): SlopeRule => ({
  config: { kind: "feedbackAlignment" },
  signals: ["feedback"],
  init(model, params, inShape, key) {
    const { blocks } = blocksOf("feedbackAlignment", model, params, inShape)
    // the first layer sends nothing back
    const feedback = blocks.slice(1).map(({ layer, inShape }, l) => ({ w: layer.init(fold(key, l), inShape).params.w as Tensor }))
    return { kept: { feedback }, learned: {} }
  },
  slopes(step) {
    const { turns, loss, slope } = forward("feedbackAlignment", step)
    const { feedback } = step.own.kept as { feedback: readonly Params[] }
    const slopes: Params[] = []
    let ct = slope
    for (let l = turns.length - 1; l >= 0; l--) {
      const delta = turns[l]!.toSum(ct)
      slopes[l] = turns[l]!.toParams(delta)
      if (l > 0) ct = turns[l]!.toInput(delta, feedback[l - 1]!)
    }
    return { loss, state: step.state, params: assembled(step.model, turns, slopes) }
  },
})

/**
 * Direct feedback alignment: each hidden layer gets the error of the output through fixed random weights of its own. Nøkland, Direct
 * feedback alignment provides learning in deep neural networks (2016), arXiv:1609.01596.
 *
 *     e = dE/ds_L,  delta_l = (B_l e) o f'(s_l),  dW_l = delta_l h_(l-1)^T
 *
 * B_l [outputs, units of layer l] is normal with variance 1 / outputs. Signals: `feedback`. Throws TypeError as `feedbackAlignment` does.
 *
 * @example
 * const model = sequential(dense(2, 8), logistic(), dense(8, 1))
 * const data = { x: random.normal(random.key(1), [64, 2]), y: ones([64, 1]) }
 * const run = fit(model, data, { loss: squaredError, optimizer: adam(0.01), epochs: 20, rule: directFeedbackAlignment() })
 * const trained = await run.result
 * trained.evaluate(data, { loss: squaredError }).loss < 0.1  // true
 */
export const directFeedbackAlignment = (): SlopeRule => ({
  config: { kind: "directFeedbackAlignment" },
  signals: ["feedback"],
  init(model, params, inShape, key) {
    const { blocks } = blocksOf("directFeedbackAlignment", model, params, inShape)
    const top = blocks.at(-1)!
    const outputs = size(top.layer.outShape(top.inShape))
    const feedback = blocks.slice(0, -1).map(({ at, outShape }, l) => {
      const { dtype } = params.layers[at].w as Tensor
      return mul(normal(fold(key, l), [outputs, size(outShape)], { dtype: dtype as "f32" | "f64" }), 1 / Math.sqrt(outputs))
    })
    return { kept: { feedback }, learned: {} }
  },
  slopes(step) {
    const { turns, top, loss, slope } = forward("directFeedbackAlignment", step)
    const { feedback } = step.own.kept as { feedback: readonly Tensor[] }
    const error = top.toSum(slope)
    const slopes = turns.map((t, l) => {
      const delta = t === top ? error : t.toSum(reshape(matmul(flat(error), feedback[l]!), t.out.shape))
      return t.toParams(delta)
    })
    return { loss, state: step.state, params: assembled(step.model, turns, slopes) }
  },
})
