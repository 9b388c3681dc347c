import { describe, expect, it } from "vitest"
import { inline } from "../compile/inline.ts"
import { leaves, paths } from "../core/tree.ts"
import { print } from "../graph/print.ts"
import { record } from "../graph/record.ts"
import { jit, random, stack, type Tensor, tensor, valueAndGrad, vmap, zeros } from "../js.ts"
import { crossEntropy } from "../losses/index.ts"
import {
  countParameters,
  dense,
  dropout,
  flatten,
  fromConfig,
  gelu,
  initializers,
  type Layer,
  logistic,
  type Params,
  relu,
  sequential,
  softmax,
  summary,
  swish,
  tanh,
} from "./index.ts"

const key = random.key(1)
const run = (layer: Layer, x: Tensor): Tensor => {
  const { params, state } = layer.init(key, x.shape.slice(1))
  return layer.apply(params, state, x)[0]
}
const close = (got: Tensor, wanted: readonly number[], digits = 6): void => {
  const values = got.values()
  expect(values.length).toBe(wanted.length)
  wanted.forEach((w, i) => expect(values[i]).toBeCloseTo(w, digits))
}

const throws = (cases: [() => unknown, string][]): void =>
  it.each(cases.map(([f, message]) => [message, f] as const))("throws: %s", (message, f) => expect(f).toThrow(message))

describe("dense", () => {
  const x = tensor([[1, 2, 3]])
  it("computes x w + b", () => {
    const layer = dense(3, 2)
    const params = {
      w: tensor([
        [1, 0],
        [0, 1],
        [2, -1],
      ]),
      b: tensor([10, 20]),
    }
    expect(layer.apply(params, {}, x)[0].toArray()).toEqual([[17, 19]])
    expect(dense(3, 2, { bias: false }).apply({ w: params.w }, {}, x)[0].toArray()).toEqual([[7, -1]])
  })
  it("starts with zero biases and weights of its dtype", () => {
    const { params, state } = dense(3, 2, { dtype: "f64" }).init(key, [3])
    expect(paths(params)).toEqual(["w", "b"])
    expect(leaves(params).map(String)[1]).toBe("Tensor f64[2] [0, 0]")
    expect(state).toEqual({})
    expect(paths(dense(3, 2, { bias: false }).init(key, [3]).params)).toEqual(["w"])
  })
  it("takes more leading axes, and works on single examples under vmap", () => {
    const layer = dense(3, 2)
    const { params, state } = layer.init(key, [3])
    const many = random.uniform(key, [4, 5, 3])
    const all = layer.apply(params, state, many)[0]
    expect(all.shape).toEqual([4, 5, 2])
    const one = vmap((x: Tensor) => layer.apply(params, state, x)[0])(many)
    close(one, [...all.values()])
  })
  throws([
    [() => dense("a" as never, 3), 'dense: inputs must be a whole number >= 1; got "a"'],
    [() => dense(3, 0), "dense: outputs must be a whole number >= 1; got 0"],
    [() => dense(3, 2, { init: "xavier" as never }), "one of glorot, he, lecun, glorotUniform, glorotNormal, heUniform, heNormal"],
    [() => dense(3, 2, { bias: 1 as never }), "dense: bias must be true or false; got 1"],
    [() => dense(3, 2, { dtype: "i32" as never }), 'dense: dtype must be "f32" or "f64"; got "i32"'],
    [() => dense(3, 2).init(key, [4]), "dense: expects 3 inputs, gets 4"],
    [() => dense(3, 2).apply({ w: zeros([3, 2]), b: zeros([2]) }, {}, zeros([8, 4])), "dense: expects 3 inputs, gets 4"],
    [() => dense(3, 2).apply({ w: zeros([3, 2]) }, {}, x), "dense: params.b must be a tensor; got undefined"],
    [() => dense(3, 2).apply({}, {}, [1, 2, 3] as never), "dense: the input must be a tensor; got object"],
  ])
})

describe("activations", () => {
  const at = [-2, 0, 0.5]
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
  const cases: [Layer, (x: number) => number][] = [
    [logistic(), sigmoid],
    [tanh(), Math.tanh],
    [relu(), x => Math.max(x, 0)],
    [swish(), x => x * sigmoid(x)],
    [gelu({ approximate: "tanh" }), x => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
    [softmax(), x => Math.exp(x) / at.reduce((s, y) => s + Math.exp(y), 0)],
  ]
  it.each(cases.map(([layer, f]) => [layer.kind, layer, f] as const))("%s", (_kind, layer, f) => {
    close(run(layer, tensor([at])), at.map(f))
    expect([layer.in, layer.out]).toEqual(["any", "same"])
    expect(layer.init(key, [3])).toEqual({ params: {}, state: {} })
  })
  it("want tensors", () => expect(() => relu().apply({}, {}, 3 as never)).toThrow("relu: the input must be a tensor; got number"))
})

describe("dropout", () => {
  const x = zeros([100, 100]).add(1)
  it("keeps the mean, drops the share that it should, and scales the rest", () => {
    const [y] = dropout(0.25).apply({}, {}, x, { key, training: true })
    const values = [...y.values()]
    expect(values.filter(v => v === 0).length / values.length).toBeCloseTo(0.25, 1)
    expect(values.filter(v => v !== 0).every(v => Math.abs(v - 4 / 3) < 1e-6)).toBe(true)
    expect(y.mean().item()).toBeCloseTo(1, 1)
  })
  it("is a function of its key", () => {
    const at = (n: number): Tensor => dropout(0.5).apply({}, {}, x, { key: random.fold(key, n), training: true })[0]
    expect(at(1).values()).toEqual(at(1).values())
    expect(at(1).values()).not.toEqual(at(2).values())
  })
  it("is the identity outside of training and for rate 0", () => {
    expect(dropout(0.5).apply({}, {}, x)[0]).toBe(x)
    expect(dropout(0).apply({}, {}, x, { training: true })[0]).toBe(x)
  })
  it("asks for a key, naming its place", () => {
    expect(() => dropout(0.5).apply({}, {}, x, { training: true })).toThrow("dropout: needs a random key in training")
    const model = sequential(relu(), dropout(0.5))
    const { params, state } = model.init(key, [100])
    expect(() => model.apply(params, state, x, { training: true })).toThrow("layers.1 (dropout): needs a random key in training")
  })
  it.each([1, -0.1, Number.NaN, "0.5"])("refuses rate %s", rate =>
    expect(() => dropout(rate as number)).toThrow("dropout: rate must be a number >= 0 and < 1"),
  )
  it("gives each layer of a model its own numbers", () => {
    const model = sequential(dropout(0.5), dropout(0.5))
    const { params, state } = model.init(key, [100])
    const [y] = model.apply(params, state, x, { key, training: true })
    const zeroShare = [...y.values()].filter(v => v === 0).length / y.size
    expect(zeroShare).toBeCloseTo(0.75, 1)
  })
})

describe("flatten", () => {
  it("makes one axis of all but the first", () => {
    expect(run(flatten(), zeros([5, 2, 3])).shape).toEqual([5, 6])
    expect(run(sequential(flatten(), dense(6, 2)), zeros([5, 2, 3])).shape).toEqual([5, 2])
    expect(() => sequential(flatten(), dense(7, 2)).init(key, [2, 3])).toThrow("layers.1 (dense): expects 7 inputs, gets 6")
  })
})

describe("sequential", () => {
  const model = sequential(dense(4, 3), tanh(), dense(3, 2))
  const { params, state } = model.init(key, [4])
  const x = random.uniform(key, [5, 4])
  it("applies its layers in turn", () => {
    const [a, , c] = params.layers as readonly Params[]
    const hidden = x.matmul(a!.w as Tensor).tanh()
    close(model.apply(params, state, x)[0], [...hidden.matmul(c!.w as Tensor).values()])
    expect(paths(params)).toEqual(["layers.0.w", "layers.0.b", "layers.2.w", "layers.2.b"])
    expect([model.in, model.out, model.outShape([4])]).toEqual([4, 2, [2]])
  })
  it("starts layers of one kind differently", () => {
    const twins = sequential(dense(4, 4), dense(4, 4)).init(key, [4])
    const [a, b] = leaves(twins.params).filter(p => p.ndim === 2)
    expect(a!.values()).not.toEqual(b!.values())
  })
  it("is a layer", () => {
    const outer = sequential(dense(7, 4), model, softmax())
    expect([outer.in, outer.out]).toEqual([7, 2])
    const made = outer.init(key, [7])
    expect(paths(made.params)).toContain("layers.1.layers.2.w")
    close(outer.apply(made.params, made.state, zeros([3, 7]))[0], Array(6).fill(0.5))
  })
  it("gives the same numbers compiled", () => {
    const compiled = jit((p: Params, x: Tensor) => model.apply(p, state, x)[0])
    close(compiled(params, x), [...model.apply(params, state, x)[0].values()])
  })
  const n: number = 64
  throws([
    [() => sequential(dense(784, 128), relu(), dense(n, 10)), "layers.2 (dense): expects 64 inputs, gets 128"],
    [() => sequential(model, sequential(dense(n, 10))), "layers.1 (sequential): expects 64 inputs, gets 2"],
    [() => model.init(key, [5]), "layers.0 (dense): expects 4 inputs, gets 5"],
    [() => model.apply(params, state, zeros([2, 9])), "layers.0 (dense): expects 4 inputs, gets 9"],
    [() => sequential(relu(), sequential(dense(4, 2))).init(key, [5]), "layers.1/layers.0 (dense): expects 4 inputs, gets 5"],
    [() => sequential(relu(), "relu" as never), "sequential: argument 1 must be a layer, such as dense(2, 3) or relu(); got string"],
    [() => model.apply({ layers: [] }, state, x), "sequential: params must be { layers: [...] } with 3 entries, as init returns it; got 0"],
    [
      () => model.apply(params, undefined as never, x),
      "sequential: state must be { layers: [...] } with 3 entries, as init returns it; got undef",
    ],
  ])
})

describe("config", () => {
  const model = sequential(
    dense(4, 8, { init: "he", bias: false, dtype: "f64" }),
    relu(),
    dropout(0.5),
    sequential(dense(8, 8), gelu(), swish(), logistic()),
    flatten(),
    tanh(),
    softmax(),
  )
  it("describes a model so that it can be made again", () => {
    const config: unknown = JSON.parse(JSON.stringify(model.config))
    const again = fromConfig(config)
    expect(again.config).toEqual(model.config)
    const parts = (model.config as unknown as { layers: object[] }).layers
    expect(parts.slice(0, 3)).toEqual([
      { kind: "dense", inputs: 4, outputs: 8, bias: false, init: "he", dtype: "f64" },
      { kind: "relu" },
      { kind: "dropout", rate: 0.5 },
    ])
    const plain = sequential(dense(4, 3), tanh())
    const { params, state } = plain.init(key, [4])
    const x = random.uniform(key, [2, 4])
    expect(fromConfig(plain.config).apply(params, state, x)[0].values()).toEqual(plain.apply(params, state, x)[0].values())
    expect(leaves(fromConfig(plain.config).init(key, [4]).params)[0]!.values()).toEqual(leaves(params)[0]!.values())
  })
  it("does not hold functions: such a layer works but starts no new parameters", () => {
    const layer = fromConfig(dense(2, 1, { init: (_key, shape) => zeros(shape) }).config)
    expect(layer.config.init).toBe("custom")
    expect(layer.apply({ w: zeros([2, 1]), b: zeros([1]) }, {}, zeros([3, 2]))[0].shape).toEqual([3, 1])
    expect(() => layer.init(key, [2])).toThrow("a saved model does not hold")
    expect(dense(2, 1, { init: initializers.heNormal }).config.init).toBe("heNormal")
  })
  it.each([
    [{ kind: "conv9d" }, 'unknown kind of layer "conv9d"; known are dense, logistic, tanh, relu, swish, gelu, softmax, '],
    [{ kind: "__proto__" }, "unknown kind"],
    [{ kind: "constructor" }, "unknown kind"],
    [null, 'described by an object with a "kind"; got null'],
    ["dense", 'described by an object with a "kind"; got "dense"'],
    [{ kind: "dense", inputs: "3", outputs: 2 }, 'dense: inputs must be a whole number >= 1; got "3"'],
    [{ kind: "sequential", layers: {} }, '"layers" of a sequential must be a list; got object'],
  ])("refuses %j", (config, message) => expect(() => fromConfig(config)).toThrow(message))
})

it("counts and lists parameters", () => {
  const model = sequential(dense(784, 128), relu(), sequential(dense(128, 10)))
  const { params } = model.init(key, [784])
  expect(countParameters(params)).toBe(101_770)
  expect(summary(model, params)).toBe(
    [
      "layers.0           dense  784 -> 128  100480",
      "layers.1           relu                    0",
      "layers.2/layers.0  dense  128 -> 10     1290",
      "total                                 101770",
    ].join("\n"),
  )
})

it("names a layer or the loss in every node of the backward graph", () => {
  const model = sequential(dense(784, 128), relu(), dense(128, 10))
  const { params, state } = model.init(key, [784])
  const x = zeros([64, 784])
  const labels = zeros([64], { dtype: "i32" })
  const args = [...leaves(params), x, labels]
  const flat = (xs: readonly Tensor[]): Tensor[] => {
    const p = { layers: [{ w: xs[0]!, b: xs[1]! }, {}, { w: xs[2]!, b: xs[3]! }] }
    const loss = (p: Params): Tensor => crossEntropy(model.apply(p, state, xs[4]!)[0], xs[5]!)
    const [value, g] = valueAndGrad(loss)(p)
    return [value, ...leaves(g)]
  }
  const { graph } = record(
    flat,
    args.map(a => a.aval),
  )
  const whole = inline(graph)
  const unnamed = whole.nodes.filter(n => !/^(layers\.\d+|crossEntropy)$/.test(n.scope[0] ?? ""))
  expect(unnamed.map(n => `${n.prim.name} ${n.scope.join("/")}`)).toEqual([])
  const text = print(whole)
  for (const name of ["layers.0/dense", "layers.1/relu", "layers.2/dense", "crossEntropy"]) {
    expect(text).toContain(`// ${name}\n`)
    expect(text).toMatch(new RegExp(`// ${name}(/backward|.*backward)`))
  }
})

it("stacks wide models of run-time widths", () => {
  const widths = [3, 5, 4, 2]
  const layers = widths.slice(1).map((n, i) => dense(widths[i]!, n))
  const model = sequential(...layers)
  expect([model.in, model.out]).toEqual([3, 2])
  expect(run(model, stack([zeros([3]), zeros([3])])).shape).toEqual([2, 2])
})
