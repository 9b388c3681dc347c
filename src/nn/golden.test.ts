// Outputs and gradients against PyTorch's own.
import { describe, expect, it } from "vitest"
import { add, concat, ravel, type Tensor } from "../js.ts"
import * as nn from "./index.ts"
import { type Args, checkGolden, goldenNames, worst } from "./testing/golden.ts"

const { activations: f } = nn
const key = undefined as never

/** A layer with the parameters in `args`; none of these has state. */
const layer =
  (made: nn.Layer, params: (a: Args) => nn.Params = ({ x: _, ...rest }) => rest, state: nn.Params = {}) =>
  (a: Args): Tensor =>
    made.apply(params(a), state, a.x!)[0]
const normalized =
  (made: nn.Layer, training: boolean) =>
  ({ x, mean, variance, ...params }: Args): Tensor => {
    const [y, next] = made.apply(params, { mean: mean!, variance: variance! }, x!, { training, key })
    return concat([ravel(y), next.mean as Tensor, next.variance as Tensor])
  }
const ofAttention = ({ wqkv, bqkv, wout, bout }: Args): nn.Params => ({ qkv: { w: wqkv!, b: bqkv! }, out: { w: wout!, b: bout! } })
const ofBlock = (a: Args): nn.Params => ({
  layers: [
    { layers: [{ scale: a.scale1!, b: a.c1! }, ofAttention(a)] },
    { layers: [{ scale: a.scale2!, b: a.c2! }, { w: a.w1!, b: a.b1! }, {}, { w: a.w2!, b: a.b2! }] },
  ],
})
const f64 = { dtype: "f64" } as const

const table: Record<string, (a: Args) => Tensor> = {
  logistic: layer(nn.logistic()),
  tanh: layer(nn.tanh()),
  relu: layer(nn.relu()),
  swish: layer(nn.swish()),
  gelu: layer(nn.gelu()),
  "gelu by tanh": layer(nn.gelu({ approximate: "tanh" })),
  softmax: layer(nn.softmax()),
  logSoftmax: layer(nn.logSoftmax()),
  selu: layer(nn.selu()),
  mish: layer(nn.mish()),
  softsign: layer(nn.softsign()),
  logSigmoid: layer(nn.logSigmoid()),
  relu6: layer(nn.relu6()),
  hardSigmoid: layer(nn.hardSigmoid()),
  hardSwish: layer(nn.hardSwish()),
  leakyRelu: layer(nn.leakyRelu()),
  "leakyRelu 0.2": layer(nn.leakyRelu(0.2)),
  elu: layer(nn.elu()),
  "elu 0.5": layer(nn.elu(0.5)),
  celu: layer(nn.celu()),
  "celu 2": layer(nn.celu(2)),
  softplus: layer(nn.softplus()),
  "softplus 3": layer(nn.softplus(3)),
  hardTanh: layer(nn.hardTanh()),
  "hardTanh 0 2": layer(nn.hardTanh(0, 2)),
  glu: layer(nn.glu()),
  swiglu: layer(nn.swiglu()),
  kinks: ({ x }) => add(add(f.relu6(x!), f.hardTanh(x!)), add(f.leakyRelu(x!), f.elu(x!))),
  prelu: layer(nn.prelu(4, f64)),
  layerNorm: layer(nn.layerNorm(5)),
  "layerNorm, not affine": layer(nn.layerNorm(5, { eps: 0.1, affine: false })),
  rmsNorm: layer(nn.rmsNorm(5, f64)),
  "groupNorm 1": layer(nn.groupNorm(1, 6)),
  "groupNorm 2": layer(nn.groupNorm(2, 6)),
  "groupNorm 6": layer(nn.groupNorm(6, 6)),
  "batchNorm, training": normalized(nn.batchNorm(3), true),
  "batchNorm, training, images": normalized(nn.batchNorm(3, { momentum: 0.3, eps: 1e-3 }), true),
  batchNorm: normalized(nn.batchNorm(3), false),
  dense: layer(nn.dense(4, 2)),
  embedding: layer(nn.embedding(5, 3)),
  rnn: layer(nn.rnn(3, 2)),
  "rnn, relu, sequences": layer(nn.rnn(3, 2, { activation: "relu", returnSequences: true })),
  lstm: layer(nn.lstm(3, 2)),
  "lstm, sequences": layer(nn.lstm(3, 2, { returnSequences: true })),
  "lstm, reverse": layer(nn.lstm(3, 2, { reverse: true })),
  "lstm, reverse, sequences, no bias": layer(nn.lstm(3, 2, { reverse: true, returnSequences: true, bias: false })),
  gru: layer(nn.gru(3, 2)),
  "gru, sequences, reverse": layer(nn.gru(3, 2, { returnSequences: true, reverse: true })),
  "gru, no bias": layer(nn.gru(3, 2, { bias: false })),
  positionalEmbedding: layer(nn.positionalEmbedding(5, 4)),
  sinusoidalPositions: layer(nn.sinusoidalPositions()),
  rotaryPositions: layer(nn.rotaryPositions()),
  "rotaryPositions 100": layer(nn.rotaryPositions({ base: 100 })),
  multiHeadAttention: layer(nn.multiHeadAttention(4, 2), ofAttention),
  "multiHeadAttention, causal": layer(nn.multiHeadAttention(4, 2, { causal: true }), ofAttention),
  "multiHeadAttention, causal, rotary": layer(nn.multiHeadAttention(4, 2, { causal: true, rotary: true }), ofAttention),
  "multiHeadAttention, causal, shared keys": layer(nn.multiHeadAttention(8, 4, { causal: true, keyValueHeads: 2 }), ofAttention),
  dotProductAttention: ({ q, k, v, mask }) => nn.dotProductAttention(q!, k!, v!, { mask: mask!.greater(0) }),
  transformerBlock: layer(nn.transformerBlock(4, 2, { causal: true, hidden: 6, activation: "relu" }), ofBlock, {
    layers: [{ layers: [{}, {}] }, { layers: [{}, {}, {}, {}] }],
  }),
}

describe("PyTorch's values and gradients", () => {
  it.each(Object.keys(table))("%s", name => checkGolden(name, table[name]!))
  it("all of the file that are no losses", () => {
    const names = Object.keys(table)
    expect(goldenNames.slice(0, names.length)).toEqual(names)
    console.log(`largest error: ${worst.error} (${worst.at})`)
  })
})
