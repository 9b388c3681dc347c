// Small layers of every kind, and what they are given: nothing, one row, several; small and large numbers; trained and not.
import { leaves, rebuild } from "../../src/core/tree.ts"
import * as a from "../../src/index.ts"
import * as nn from "../../src/nn/index.ts"

const f64 = { dtype: "f64" } as const
interface Small {
  readonly layer: nn.Layer
  /** Shape of one input. */
  readonly inShape: readonly number[]
  /** Reads i32 below this number. */
  readonly ids?: number
  /** Largest size of inputs at which differences are sharp. */
  readonly large?: number
}
const activations = {
  ...{ logistic: nn.logistic(), tanh: nn.tanh(), relu: nn.relu(), swish: nn.swish(), gelu: nn.gelu(), softmax: nn.softmax() },
  ...{ logSoftmax: nn.logSoftmax(), selu: nn.selu(), mish: nn.mish(), softsign: nn.softsign(), logSigmoid: nn.logSigmoid() },
  ...{ relu6: nn.relu6(), hardSigmoid: nn.hardSigmoid(), hardSwish: nn.hardSwish(), leakyRelu: nn.leakyRelu(), elu: nn.elu() },
  ...{ celu: nn.celu(), softplus: nn.softplus(), hardTanh: nn.hardTanh(), glu: nn.glu(), swiglu: nn.swiglu() },
}
const small: Readonly<Record<string, Small>> = {
  ...Object.fromEntries(Object.entries(activations).map(([kind, layer]) => [kind, { layer, inShape: [4] }])),
  prelu: { layer: nn.prelu(3, f64), inShape: [3] },
  dense: { layer: nn.dense(2, 3, f64), inShape: [2] },
  conv1d: { layer: nn.conv1d(1, 2, 2, { ...f64, padding: 1 }), inShape: [3, 1] },
  conv2d: { layer: nn.conv2d(1, 1, 2, { ...f64, stride: 2 }), inShape: [2, 3, 1] },
  convTranspose1d: { layer: nn.convTranspose1d(1, 1, 2, { ...f64, stride: 2 }), inShape: [2, 1] },
  convTranspose2d: { layer: nn.convTranspose2d(1, 1, 2, f64), inShape: [2, 1, 1] },
  maxPool: { layer: nn.maxPool(2), inShape: [4, 1] },
  avgPool: { layer: nn.avgPool(2, { stride: 1, padding: 1 }), inShape: [3, 1] },
  dropout: { layer: nn.dropout(0.5), inShape: [3] },
  flatten: { layer: nn.flatten(), inShape: [2, 2] },
  reshape: { layer: nn.reshape(2, 2), inShape: [4] },
  globalAveragePool: { layer: nn.globalAveragePool(), inShape: [3, 2] },
  layerNorm: { layer: nn.layerNorm(3, f64), inShape: [3] },
  rmsNorm: { layer: nn.rmsNorm(3, f64), inShape: [3] },
  groupNorm: { layer: nn.groupNorm(2, 4, f64), inShape: [4] },
  batchNorm: { layer: nn.batchNorm(2, f64), inShape: [2] },
  embedding: { layer: nn.embedding(3, 2, f64), inShape: [2], ids: 3 },
  positionalEmbedding: { layer: nn.positionalEmbedding(3, 2, f64), inShape: [2, 2] },
  sinusoidalPositions: { layer: nn.sinusoidalPositions(), inShape: [2, 2] },
  rotaryPositions: { layer: nn.rotaryPositions(), inShape: [2, 2] },
  rnn: { layer: nn.rnn(1, 2, f64), inShape: [2, 1] },
  lstm: { layer: nn.lstm(1, 1, f64), inShape: [2, 1] },
  gru: { layer: nn.gru(1, 1, f64), inShape: [2, 1] },
  multiHeadAttention: { layer: nn.multiHeadAttention(2, 1, { ...f64, causal: true, dropout: 0.25 }), inShape: [2, 2] },
  transformerBlock: { layer: nn.transformerBlock(2, 1, { ...f64, hidden: 1, norm: "rmsNorm" }), inShape: [2, 2] },
  residual: { layer: nn.residual(nn.dense(2, 2, f64), nn.tanh()), inShape: [2] },
  parallel: { layer: nn.parallel(nn.dense(2, 1, f64), nn.tanh()), inShape: [2] },
  sequential: { layer: nn.sequential(nn.dense(2, 1, f64), nn.tanh(), nn.dense(1, 2, f64)), inShape: [2] },
  lambda: { layer: nn.lambda(x => a.mul(a.sin(x), x)), inShape: [2] },
}

export interface LayerCase {
  readonly f: (...xs: a.Tensor[]) => a.Tensor
  readonly xs: readonly a.Tensor[]
  /** Cases of one program have one text. */
  readonly form: string
}
const key = a.random.key(2)
/** Cases of a layer: batches of none, one and three rows at three sizes of numbers, and in training of three rows at three more. */
function casesOf(place: number, { layer, inShape, ids }: Small): LayerCase[] {
  const rows = [0, 1, 3].flatMap(batch => [1, 0.05, 4].map(size => ({ batch, size, training: false })))
  const trained = [1, 0.5, 3].map(size => ({ batch: 3, size, training: true }))
  return [...rows, ...trained].map(({ batch, size, training }, i) => {
    const { params, state } = layer.init(a.random.fold(key, i), inShape)
    const own = a.random.fold(a.random.fold(key, place), i)
    const shape = [batch, ...inShape]
    const input = ids
      ? a.cast(a.random.uniform(own, shape, { high: ids }), "i32")
      : a.mul(a.random.normal(own, shape, { dtype: "f64" }), size)
    const ps = leaves(params)
    const f = (...ts: a.Tensor[]): a.Tensor => {
      const x = ids ? input : ts.at(-1)!
      return layer.apply(rebuild(params, ts.slice(0, ps.length)), state, x, { training, key })[0]
    }
    return { f, xs: ids ? ps : [...ps, input], form: ids ? `${i}` : `${batch} ${training}` }
  })
}
export const layers: Readonly<Record<string, readonly LayerCase[]>> = Object.fromEntries(
  Object.entries(small).map(([kind, s], place) => [kind, casesOf(place, s)]),
)
