// What holds for every kind of layer: shapes, derivatives, transformations, saving; and what each says to wrong arguments.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { leaves } from "../core/tree.ts"
import { arange, cast, checkGrads, jit, ones, random, square, type Tensor, vmap, zeros } from "../js.ts"
import { crossEntropy } from "../losses/index.ts"
import { adam } from "../optim/index.ts"
import { TrainedModel } from "../train/trained.ts"
import { fit, loadModel } from "../train.ts"
import type { Layer, Params } from "./index.ts"
import * as nn from "./index.ts"

const key = random.key(1)
const f64 = { dtype: "f64" } as const

interface Case {
  readonly layer: Layer
  /** Shape of one input; ids for those that read symbols. */
  readonly inShape: readonly number[]
  readonly outShape?: readonly number[]
  readonly ids?: true
  /** Works on single examples under vmap; those that need a batch do not. */
  readonly batched?: true
}
const plain = [nn.logistic, nn.tanh, nn.swish, nn.gelu, nn.softmax, nn.logSoftmax, nn.selu, nn.mish, nn.softsign, nn.logSigmoid, nn.relu]
const more = [nn.relu6, nn.hardSigmoid, nn.hardSwish, nn.leakyRelu, nn.elu, nn.celu, nn.softplus, nn.hardTanh]
const cases: Readonly<Record<string, Case>> = {
  ...Object.fromEntries([...plain, ...more].map(make => make()).map(layer => [layer.kind, { layer, inShape: [4] }])),
  glu: { layer: nn.glu(), inShape: [3, 4], outShape: [3, 2] },
  swiglu: { layer: nn.swiglu(), inShape: [4], outShape: [2] },
  prelu: { layer: nn.prelu(4, f64), inShape: [4] },
  dense: { layer: nn.dense(3, 2, f64), inShape: [3], outShape: [2] },
  "dense on sequences": { layer: nn.dense(3, 2, f64), inShape: [2, 3], outShape: [2, 2] },
  conv1d: { layer: nn.conv1d(2, 3, 2, { ...f64, dilation: 2, padding: 1 }), inShape: [3, 2], outShape: [3, 3], batched: true },
  conv2d: { layer: nn.conv2d(2, 2, [2, 1], { ...f64, stride: 2, groups: 2 }), inShape: [4, 3, 2], outShape: [2, 2, 2], batched: true },
  convTranspose1d: { layer: nn.convTranspose1d(2, 1, 2, { ...f64, stride: 2 }), inShape: [2, 2], outShape: [4, 1], batched: true },
  convTranspose2d: {
    layer: nn.convTranspose2d(1, 2, 2, { ...f64, padding: 1, outputPadding: 1, bias: false }),
    ...{ inShape: [2, 2, 1], outShape: [2, 2, 2], batched: true },
  },
  maxPool: { layer: nn.maxPool(2), inShape: [4, 2, 1], outShape: [2, 1, 1], batched: true },
  avgPool: { layer: nn.avgPool([2], { stride: 1, padding: "same" }), inShape: [3, 2], outShape: [3, 2], batched: true },
  dropout: { layer: nn.dropout(0.5), inShape: [4] },
  flatten: { layer: nn.flatten(), inShape: [2, 3], outShape: [6], batched: true },
  reshape: { layer: nn.reshape(3, 2), inShape: [2, 3], outShape: [3, 2], batched: true },
  globalAveragePool: { layer: nn.globalAveragePool(), inShape: [2, 2, 3], outShape: [3], batched: true },
  "globalAveragePool of one axis": { layer: nn.globalAveragePool(-2), inShape: [2, 3, 2], outShape: [2, 2], batched: true },
  layerNorm: { layer: nn.layerNorm(3, f64), inShape: [2, 3] },
  rmsNorm: { layer: nn.rmsNorm(3, f64), inShape: [2, 3] },
  groupNorm: { layer: nn.groupNorm(2, 4, f64), inShape: [2, 4], batched: true },
  batchNorm: { layer: nn.batchNorm(3, f64), inShape: [2, 3], batched: true },
  embedding: { layer: nn.embedding(5, 3, f64), inShape: [2], outShape: [2, 3], ids: true },
  positionalEmbedding: { layer: nn.positionalEmbedding(4, 2, f64), inShape: [3, 2] },
  sinusoidalPositions: { layer: nn.sinusoidalPositions(), inShape: [3, 4] },
  rotaryPositions: { layer: nn.rotaryPositions(), inShape: [3, 4] },
  rnn: { layer: nn.rnn(2, 3, f64), inShape: [3, 2], outShape: [3] },
  lstm: { layer: nn.lstm(2, 3, { ...f64, returnSequences: true }), inShape: [3, 2], outShape: [3, 3] },
  gru: { layer: nn.gru(2, 3, { ...f64, reverse: true }), inShape: [3, 2], outShape: [3] },
  multiHeadAttention: { layer: nn.multiHeadAttention(4, 2, { ...f64, causal: true, rotary: true, dropout: 0.25 }), inShape: [3, 4] },
  "multiHeadAttention with shared keys": { layer: nn.multiHeadAttention(4, 2, { ...f64, keyValueHeads: 1 }), inShape: [3, 4] },
  transformerBlock: { layer: nn.transformerBlock(2, 1, { ...f64, hidden: 3, activation: "swiglu", norm: "rmsNorm" }), inShape: [2, 2] },
  residual: { layer: nn.residual(nn.dense(3, 3, f64), nn.tanh()), inShape: [3] },
  parallel: {
    layer: nn.parallel(nn.rnn(2, 1, f64), nn.rnn(2, 3, { ...f64, reverse: true })),
    inShape: [2, 2],
    outShape: [4],
  },
  sequential: { layer: nn.sequential(nn.dense(2, 3, f64), nn.dropout(0.5), nn.dense(3, 1, f64)), inShape: [2], outShape: [1] },
  lambda: { layer: nn.lambda(x => x.mul(2).slice(":", [0, 2])), inShape: [3], outShape: [2], batched: true },
}
const BATCH = 4
/** Numbers that are not at kinks, and not 0. */
const input = ({ inShape, ids }: Case, dtype: "f32" | "f64" = "f64"): Tensor =>
  ids
    ? cast(random.uniform(random.fold(key, 2), [BATCH, ...inShape]).mul(5), "i32")
    : random.normal(random.fold(key, 2), [BATCH, ...inShape], { dtype }).add(0.01)
const close = (got: Tensor, wanted: Tensor, tolerance = 1e-12): void => {
  expect(got.shape).toEqual(wanted.shape)
  const b = wanted.values()
  got.values().forEach((v, i) => expect(Math.abs(v - b[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(b[i]!))))
}

describe.each(Object.entries(cases))("%s", (_name, c) => {
  const { layer, inShape, outShape = inShape } = c
  const { params, state } = layer.init(key, inShape)
  const x = input(c)
  const y = layer.apply(params, state, x)[0]
  it("has the shape it says", () => {
    expect(y.shape).toEqual([BATCH, ...outShape])
    expect(layer.outShape(inShape)).toEqual(outShape)
    expect(leaves(params).every(p => p.dtype === "f64")).toBe(true)
    if (typeof layer.out === "number") expect(y.shape.at(-1)).toBe(layer.out)
  })
  it.each([false, true])("has its derivatives, training: %s", training => {
    const f = (p: Params, x: Tensor): Tensor => square(layer.apply(p, state, x, { training, key })[0])
    // norms are strongly curved where units are nearly equal: smaller steps
    checkGrads(f, [params, x], { eps: 3e-4 })
  })
  it("is the same compiled, and on single examples", () => {
    close(jit((p: Params, x: Tensor) => layer.apply(p, state, x)[0])(params, x), y)
    if (!c.batched) close(vmap((x: Tensor) => layer.apply(params, state, x)[0])(x), y)
    else close(vmap((x: Tensor) => layer.apply(params, state, x.reshape(1, ...inShape))[0].reshape(...outShape))(x), y)
  })
  it("keeps state as it was when it is not trained", () => {
    const next = layer.apply(params, state, x)[1]
    expect(leaves(next).map(s => s.toArray())).toEqual(leaves(state).map(s => s.toArray()))
  })
  it.runIf(layer.kind !== "lambda")("is made again by its config", () => {
    const again = nn.fromConfig(JSON.parse(JSON.stringify(layer.config)))
    expect(again.config).toEqual(layer.config)
    expect([again.kind, again.in, again.out]).toEqual([layer.kind, layer.in, layer.out])
    expect(again.apply(params, state, x)[0].values()).toEqual(y.values())
    const made = again.init(key, inShape)
    expect(leaves(made.params).map(p => p.toArray())).toEqual(leaves(params).map(p => p.toArray()))
  })
})

it("every kind that can be saved is in the table above", () => {
  const known = (() => {
    try {
      return nn.fromConfig({ kind: "?" })
    } catch (e) {
      return (e as Error).message.replace(/.*known are /, "").split(", ")
    }
  })()
  expect(Object.values(cases).map(c => c.layer.kind)).toEqual(expect.arrayContaining(known as string[]))
})

it("a model of every kind of layer is saved and loaded with the same outputs", async () => {
  const width = 8
  const model = nn.sequential(
    nn.embedding(11, width),
    nn.positionalEmbedding(6, width),
    nn.sinusoidalPositions(),
    nn.rotaryPositions(),
    nn.transformerBlock(width, 2, { causal: true, keyValueHeads: 1, dropout: 0.1 }),
    nn.multiHeadAttention(width, 4),
    nn.residual(nn.layerNorm(width), nn.lstm(width, width, { returnSequences: true })),
    nn.parallel(nn.rnn(width, 4, { returnSequences: true }), nn.gru(width, 4, { returnSequences: true, reverse: true })),
    nn.batchNorm(width),
    nn.groupNorm(2, width),
    nn.rmsNorm(width),
    nn.prelu(width),
    ...[...plain, ...more].map(make => make()),
    nn.dense(width, 2 * width),
    nn.glu(),
    nn.dense(width, 2 * width),
    nn.swiglu(),
    nn.reshape(3, 2, width),
    nn.globalAveragePool(2),
    nn.flatten(),
    nn.dropout(0.5),
    nn.dense(3 * width, 3),
  )
  const { params, state } = model.init(key, [6])
  const ids = cast(random.uniform(key, [2, 6]).mul(11), "i32")
  const [, trained] = model.apply(params, state, ids, { key, training: true })
  const before = new TrainedModel(model, params, trained, [6])
  const dir = mkdtempSync(join(tmpdir(), "adjoint-nn-"))
  try {
    await before.save(join(dir, "model"))
    const after = (await loadModel(join(dir, "model"))).trained
    expect(after.predict(ids).values()).toEqual(before.predict(ids).values())
  } finally {
    rmSync(dir, { recursive: true })
  }
})

describe("training makes the loss smaller", () => {
  // which of two symbols comes more often
  const ids = cast(random.bernoulli(key, 0.5, [256, 9]), "i32")
  const labels = cast(cast(ids, "f32").sum({ axis: 1 }).greater(4.5), "i32")
  const models = {
    lstm: nn.sequential(nn.embedding(2, 4), nn.lstm(4, 8), nn.dense(8, 2)),
    gru: nn.sequential(nn.embedding(2, 4), nn.gru(4, 8), nn.dense(8, 2)),
    bidirectional: nn.sequential(nn.embedding(2, 4), nn.parallel(nn.rnn(4, 4), nn.rnn(4, 4, { reverse: true })), nn.dense(8, 2)),
    transformer: nn.sequential(
      nn.embedding(2, 8),
      nn.positionalEmbedding(9, 8),
      nn.transformerBlock(8, 2, { hidden: 16, dropout: 0.1 }),
      nn.layerNorm(8),
      nn.globalAveragePool(),
      nn.dense(8, 2),
    ),
    batchNorm: nn.sequential(nn.embedding(2, 4), nn.flatten(), nn.dense(36, 8), nn.batchNorm(8), nn.relu(), nn.dense(8, 2)),
  }
  it.each(Object.entries(models))("%s", async (_name, model) => {
    const losses: number[] = []
    const run = fit(model, { x: ids, y: labels }, { loss: crossEntropy, optimizer: adam(0.02), epochs: 8, seed: 1 })
    for await (const event of run) if (event.event === "epoch") losses.push(event.loss)
    const trained = await run.result
    expect(losses.at(-1)!).toBeLessThan(0.6 * losses[0]!)
    expect(trained.evaluate({ x: ids, y: labels }, { loss: crossEntropy }).loss).toBeLessThan(losses[0]!)
  })
})

describe("batchNorm", () => {
  it("comes to the mean and the variance of what it has seen", () => {
    const layer = nn.batchNorm(2)
    const { params, state: first } = layer.init(key, [2])
    const step = jit((state: Params, x: Tensor) => layer.apply(params, state, x, { training: true })[1])
    let state = first
    for (let i = 0; i < 100; i++) state = step(state, random.normal(random.fold(key, i), [64, 2]).mul(3).add(5))
    for (const m of (state.mean as Tensor).values()) expect(m).toBeCloseTo(5, 0)
    for (const v of (state.variance as Tensor).values()) expect(Math.sqrt(v)).toBeCloseTo(3, 0)
  })
})

describe("recurrent layers", () => {
  it("give states where they belong, in both directions", () => {
    for (const make of [nn.rnn, nn.lstm, nn.gru]) {
      const all = make(2, 3, { returnSequences: true, reverse: true })
      const { params, state } = all.init(key, [5, 2])
      const x = random.normal(key, [4, 5, 2])
      const last = make(2, 3, { reverse: true }).apply(params, state, x)[0]
      close(all.apply(params, state, x)[0].slice(":", 0), last, 1e-6)
    }
  })
})

describe("attention", () => {
  const layer = nn.multiHeadAttention(4, 2, { causal: true, rotary: true })
  const { params, state } = layer.init(key, [5, 4])
  const x = random.normal(key, [1, 5, 4])
  it("does not see what comes later, if it is causal", () => {
    close(layer.apply(params, state, x.slice(":", [0, 3]))[0], layer.apply(params, state, x)[0].slice(":", [0, 3]), 1e-6)
  })
  it("depends with rotary positions on distances only", () => {
    const turned = nn.rotate(ones([6, 4], f64))
    const dot = (i: number, j: number): number => turned.at(i).mul(turned.at(j)).sum().item()
    for (const d of [1, 2]) expect(dot(0, d)).toBeCloseTo(dot(3, 3 + d), 12)
  })
  it("drops weights in training, with its key", () => {
    const dropping = nn.multiHeadAttention(4, 2, { dropout: 0.5 })
    const run = (k: number): Tensor => dropping.apply(params, state, x, { key: random.key(k), training: true })[0]
    expect(run(1).toArray()).toEqual(run(1).toArray())
    expect(run(1).toArray()).not.toEqual(run(2).toArray())
    expect(() => dropping.apply(params, state, x, { training: true })).toThrow("multiHeadAttention: needs a random key in training")
  })
})

describe("summary", () => {
  it("shows shapes of outputs and parameters of all layers", () => {
    const model = nn.sequential(
      nn.embedding(10, 8),
      nn.residual(nn.layerNorm(8), nn.multiHeadAttention(8, 2)),
      nn.parallel(nn.lstm(8, 4), nn.lstm(8, 4, { reverse: true })),
      nn.dense(8, 2),
    )
    expect(nn.summary(model, [12])).toBe(
      [
        "layers.0           embedding           [12, 8]   80",
        "layers.1/layers.0  layerNorm           [12, 8]   16",
        "layers.1/layers.1  multiHeadAttention  [12, 8]  288",
        "layers.2           parallel            [8]      416",
        "layers.3           dense               [2]       18",
        "total                                           818",
      ].join("\n"),
    )
    expect(nn.summary(model, model.init(key, [12]).params)).toContain("layers.2           parallel            8 -> 8  416")
  })
})

describe("errors", () => {
  const x = zeros([2, 3])
  const wrong: [() => unknown, string][] = [
    [() => nn.leakyRelu("a" as never), 'leakyRelu: slope must be a number; got "a"'],
    [() => nn.celu(0), "celu: alpha must be a number > 0; got 0"],
    [() => nn.hardTanh(1, 0), "hardTanh: high must be a number > low, which is 1; got 0"],
    [() => nn.glu().init(key, [3]), "glu: halves the width, which must be even; gets 3"],
    [() => nn.prelu(4).init(key, [3]), "prelu: expects 4 inputs, gets 3"],
    [() => nn.layerNorm(0), "layerNorm: width must be a whole number >= 1; got 0"],
    [() => nn.layerNorm(3, { eps: -1 }), "layerNorm: eps must be a number > 0; got -1"],
    [() => nn.layerNorm(3, { affine: 1 as never }), "layerNorm: affine must be true or false; got 1"],
    [() => nn.layerNorm(3).apply({}, {}, x), "layerNorm: params.scale must be a tensor; got undefined"],
    [() => nn.groupNorm(2, 3), "groupNorm: groups must divide the width 3; got 2"],
    [() => nn.batchNorm(3, { momentum: 2 }), "batchNorm: momentum must be a number in [0, 1]; got 2"],
    [
      () => nn.batchNorm(3, { affine: false }).apply({}, nn.batchNorm(3).init(key, [3]).state, zeros([1, 3]), { training: true }),
      "batchNorm: needs more than one value per unit in training; got shape [1,3]. Use a larger batch",
    ],
    [() => nn.batchNorm(3, { affine: false }).apply({}, {}, x), "batchNorm: state.mean must be a tensor; got undefined"],
    [
      () => nn.embedding(5, 3).apply({}, {}, x),
      'embedding: wants the numbers of symbols, i32; got f32[2,3]. Convert them with cast(x, "i32")',
    ],
    [
      () => nn.positionalEmbedding(2, 3).apply({}, {}, zeros([4, 5, 3])),
      "positionalEmbedding: has vectors for 2 places; got sequences of 5",
    ],
    [() => nn.sinusoidalPositions().apply({}, {}, x), "sinusoidalPositions: wants an even width; got shape [2,3]"],
    [() => nn.lstm(3, 2).init(key, [3]), "lstm: wants sequences [time, features]; got shape [3]"],
    [() => nn.lstm(3, 2).init(key, [5, 4]), "lstm: expects 3 inputs, gets 4"],
    [() => nn.lstm(3, 2, { returnSequences: "yes" as never }), 'lstm: returnSequences must be true or false; got "yes"'],
    [() => nn.rnn(3, 2, { activation: "sin" as never }), 'rnn: activation must be "tanh" or "relu"; got "sin"'],
    [() => nn.gru(3, 2, { dtype: "i32" as never }), 'gru: dtype must be "f32" or "f64"; got "i32"'],
    [() => nn.multiHeadAttention(6, 4), "multiHeadAttention: heads must divide the width 6; got 4"],
    [() => nn.multiHeadAttention(6, 3, { keyValueHeads: 2 }), "multiHeadAttention: keyValueHeads must divide the 3 heads; got 2"],
    [() => nn.multiHeadAttention(6, 2, { rotary: true }), "rotary turns pairs of units, so that heads must have an even width; got 3"],
    [() => nn.transformerBlock(6, 2, { norm: "batchNorm" as never }), 'norm must be "layerNorm" or "rmsNorm"; got "batchNorm"'],
    [() => (nn.residual as (...layers: Layer[]) => Layer)(nn.dense(3, 2)), "residual: the layers must keep the width 3; they end with 2"],
    [
      () => nn.residual(nn.flatten()).init(key, [2, 3]) && nn.residual(nn.flatten()).outShape([2, 3]),
      "must keep the shape [2,3]; they end with [6]",
    ],
    [() => nn.parallel(nn.dense(3, 2), nn.dense(4, 2)), "layers.1 (dense): expects 4 inputs, gets 3"],
    [() => nn.parallel(nn.relu() as never, 3 as never), "parallel: argument 1 must be a layer"],
    [() => nn.reshape(2, 2).init(key, [3]), "reshape: examples of shape [3] do not have the 4 elements of [2,2]"],
    [
      () => nn.globalAveragePool(0).init(key, [3]) && nn.globalAveragePool(0).outShape([3, 2]),
      "axes must be between that of the batch and the last",
    ],
    [() => nn.lambda(3 as never), "lambda: wants a function of a tensor; got number"],
    [() => nn.fromConfig(nn.lambda(x => x, { name: "twice" }).config), 'the model has a lambda, "twice", whose function is not saved'],
    [() => nn.fromConfig({ kind: "residual", layers: 3 }), 'fromConfig: "layers" of a residual must be a list; got number'],
  ]
  it.each(wrong.map(([f, message]) => [message, f] as const))("%s", (message, f) => expect(f).toThrow(message))
})

it("numbers of no symbol are NaN", () => {
  const w = arange(3, f64).reshape(3, 1)
  expect([
    ...nn
      .embedding(3, 1)
      .apply({ w }, {}, cast(arange(4), "i32"))[0]
      .values(),
  ]).toEqual([0, 1, 2, Number.NaN])
})
