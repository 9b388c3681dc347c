// Masks, groups, clipping, accumulation; and what holds for every optimizer and transformation.
import { describe, expect, it } from "vitest"
import { leaves, paths, type Tree } from "../core/tree.ts"
import { grad, jit, type Tensor, tensor, treeMap, zeros } from "../js.ts"
import {
  accumulate,
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamw,
  addDecayedWeights,
  chain,
  clipByGlobalNorm,
  clipByValue,
  frozen,
  globalNorm,
  groups,
  lamb,
  lion,
  type Mask,
  masked,
  matrices,
  momentum,
  muon,
  nadam,
  nesterov,
  type Optimizer,
  optimizer,
  orthogonalize,
  plateau,
  radam,
  rmsprop,
  type Schedule,
  scale,
  scaleByLearningRate,
  scaleByTrustRatio,
  schedules,
  sgd,
  type Transformation,
  trace,
} from "./index.ts"

type Dtype = "f32" | "f64"
const values = (t: unknown): number[][] => leaves(t as Tree).map(x => [...x.values()])
const model = (dtype: Dtype = "f64") => ({
  layers: [
    { w: tensor([1, -2, 3, -4, 5, -6], { dtype, shape: [2, 3] }), b: tensor([1, 2, 3], { dtype }) },
    {},
    { w: tensor([1, -1, 2], { dtype, shape: [3, 1] }), b: tensor([4], { dtype }) },
  ],
})
type Model = ReturnType<typeof model>
const loss = ({ layers: [a, , c] }: Model): Tensor =>
  tensor([[1, 2]], { dtype: a!.w!.dtype })
    .matmul(a!.w!)
    .add(a!.b!)
    .sin()
    .matmul(c!.w!)
    .add(c!.b!)
    .mul(3)
    .sum()

/** Parameters after some steps, each of them a call of `update`. */
function train(o: Optimizer, steps: number, update = (p: Model, s: Tree): [Model, Tree] => o.update(grad(loss)(p) as Model, s, p)): Model {
  let params = model()
  let state = o.init(params)
  for (let i = 0; i < steps; i++) [params, state] = update(params, state)
  return params
}
/** A transformation as an optimizer that adds what comes out of it. */
const alone = (...parts: readonly Transformation[]): Optimizer => optimizer({ kind: "alone" }, ...parts)

const named: Record<string, Optimizer> = {
  sgd: sgd(0.1),
  momentum: momentum(0.1),
  nesterov: nesterov(0.1),
  adam: adam(0.1, { amsgrad: true, weightDecay: 0.1, weightDecayMask: matrices }),
  adamw: adamw(0.1),
  rmsprop: rmsprop(0.1, { centered: true, momentum: 0.9 }),
  adagrad: adagrad(schedules.linear(0.1, { steps: 5 }), { lrDecay: 0.1 }),
  adadelta: adadelta(),
  adamax: adamax(),
  nadam: nadam(),
  radam: radam(0.1, { b2: 0.9 }),
  lion: lion(0.1, { weightDecay: 0.1 }),
  lamb: lamb(0.1),
  adafactor: adafactor(),
  muon: muon(),
}
const composed: Record<string, Optimizer> = {
  clipByGlobalNorm: chain(clipByGlobalNorm(1), adam(0.1)),
  clipByValue: chain(clipByValue(0.1), sgd(0.1)),
  masked: masked(adam(0.1), /w$/),
  groups: groups([{ match: matrices, optimizer: adamw(0.1) }, { optimizer: frozen() }]),
  accumulate: accumulate(3, adam(schedules.cosine(0.1, { steps: 3 }))),
  "all of them": accumulate(2, chain(clipByGlobalNorm(1), masked(scale(2), matrices), muon(0.1))),
  scaleByTrustRatio: alone(trace(0.5), scaleByTrustRatio(), addDecayedWeights(0.1, matrices), scale(-0.1)),
}

describe("every optimizer", () => {
  it.each(Object.entries({ ...named, ...composed }))("%s: the same compiled, with its state in place", (_, o) => {
    const update = (p: Model, s: Tree): [Model, Tree] => o.update(grad(loss)(p) as Model, s, p)
    const wanted = values(train(o, 7))
    const got = values(train(o, 7, jit(update, { donate: [0, 1] })))
    got.forEach((xs, i) => xs.forEach((x, j) => expect(x).toBeCloseTo(wanted[i]![j]!, 12)))
    expect(got.flat().every(Number.isFinite)).toBe(true)
    expect(values(model())).not.toEqual(got)
  })
  it.each(Object.entries(named))("%s: says what it is, as plain data", (name, { config }) => {
    expect(JSON.parse(JSON.stringify(config))).toEqual(config)
    expect(config.kind).toBe(["momentum", "nesterov"].includes(name) ? "sgd" : name)
  })
  it.each(Object.entries({ ...named, ...composed }))("%s: no denormal numbers in its state", (_, o) => {
    for (const dtype of ["f32", "f64"] as const) {
      const smallest = dtype === "f32" ? 2 ** -126 : 2 ** -1022
      const params = model(dtype)
      // gradients whose squares, or which themselves, are about to be denormal
      for (const size of dtype === "f32" ? [1e-20, 1e-36, 1e-42] : [1e-155, 1e-305, 1e-315]) {
        const grads = { layers: params.layers.map(l => Object.fromEntries(Object.entries(l).map(([k, p]) => [k, p.mul(0).add(size)]))) }
        let state = o.init(params)
        for (let i = 0; i < 3; i++) [, state] = o.update(grads as unknown as Model, state, params)
        for (const x of values(state).flat()) expect(x === 0 || Math.abs(x) >= smallest).toBe(true)
      }
    }
  })
  it("nadam's product of momenta ends as 0", () => {
    const w = tensor([1])
    const state = nadam().init(w) as [{ product: Tensor }, Tree]
    const [, after] = nadam().update(w, [{ ...state[0], product: tensor(1e-302, { dtype: "f64" }) } as unknown as Tree, state[1]], w)
    expect((after as unknown as typeof state)[0].product.item()).toBe(0)
  })
  it("names what its operations are for", () => {
    expect(named.adam!.config.weightDecayMask).toBe("mask")
    expect(composed.groups!.config).toMatchObject({ kind: "groups", optimizers: [{ kind: "adamw" }, { kind: "frozen" }] })
  })
})

describe("masks", () => {
  // the places of the model: layers.0.w, layers.0.b, layers.2.w, layers.2.b
  const cases: [name: string, Mask, chosen: boolean[]][] = [
    ["all", true, [true, true, true, true]],
    ["none", false, [false, false, false, false]],
    ["a pattern", /^layers\.2/, [false, false, true, true]],
    ["a pattern with a memory", /w/g, [true, false, true, false]],
    ["a function of path and parameter", (path, p) => path.endsWith("b") && p.size > 1, [false, true, false, false]],
    ["matrices", matrices, [true, false, true, false]],
    ["a tree", { layers: [{ w: true, b: false }, {}, /b/] }, [true, false, false, true]],
    ["a tree with a function", { layers: [path => path === "layers.0.b", false, true] }, [false, true, true, true]],
  ]
  it.each(cases)("%s", (_, mask, chosen) => {
    const params = model()
    const [doubled] = masked(scale(2), mask).update(params, masked(scale(2), mask).init(params), params)
    values(params).forEach((xs, i) => expect(values(doubled)[i]).toEqual(xs.map(x => (chosen[i] ? 2 * x : x))))
    const [moved] = masked(sgd(1), mask).update(params, masked(sgd(1), mask).init(params), params)
    values(params).forEach((xs, i) => expect(values(moved)[i]).toEqual(xs.map(x => (chosen[i] ? 0 : x))))
  })
  it("state has only what is chosen, in a form that checkpoints can hold", () => {
    const state = masked(trace(0.9), /2\.b/).init(model()) as { v: Tree }
    expect(paths(state.v)).toEqual(["layers.2.b"])
    const form = treeMap(x => x.shape as never, state.v)
    expect(form).toEqual({ layers: [{ w: {}, b: {} }, {}, { w: {}, b: [1] }] })
  })
  it("a single tensor is a tree too", () => {
    const w = tensor([1, 2])
    expect(values(masked(sgd(1), true).update(w, [{}], w)[0])).toEqual([[0, 0]])
    expect(values(masked(sgd(1), false).update(w, [{}], w)[0])).toEqual([[1, 2]])
  })
  it("weight decay may leave out biases", () => {
    const params = model()
    const zero = {
      layers: params.layers.map(l => Object.fromEntries(Object.entries(l).map(([k, p]) => [k, p.mul(0)]))),
    } as unknown as Model
    for (const make of [sgd, rmsprop, adagrad, adadelta, adam, adamw, adamax, nadam, radam, lion, lamb]) {
      const o = make(0.5, { weightDecay: 0.5, weightDecayMask: matrices })
      const [next] = o.update(zero, o.init(params), params)
      const [before, after] = [values(params), values(next)]
      expect([after[1], after[3]]).toEqual([before[1], before[3]])
      expect(after[0]).not.toEqual(before[0])
    }
  })
})

describe("groups", () => {
  it("each parameter has the optimizer of the first group that matches", () => {
    const o = groups([{ match: /0/, optimizer: frozen() }, { match: matrices, optimizer: sgd(1) }, { optimizer: sgd(0.5) }])
    const params = model()
    const [next] = o.update(params, o.init(params), params)
    const [w, b, w2, b2] = values(params) as [number[], number[], number[], number[]]
    expect(values(next)).toEqual([w, b, w2.map(() => 0), b2.map(x => x / 2)])
  })
  it("are what their optimizers are alone", () => {
    const [both, one] = [groups([{ match: /w/, optimizer: adam(0.1) }, { optimizer: adam(0.1) }]), adam(0.1)]
    expect(values(train(both, 5))).toEqual(values(train(one, 5)))
  })
})

describe("accumulate", () => {
  const o = accumulate(4, adam(0.1))
  it("one update for four gradients, with their mean", () => {
    const update = jit((g: Tensor, s: Tree, p: Tensor) => o.update(g, s, p), { donate: [1, 2] })
    const one = adam(0.1)
    let [w, wanted] = [tensor([1, 2], { dtype: "f64" }), tensor([1, 2], { dtype: "f64" })]
    let [state, inner] = [o.init(w), one.init(w)]
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) {
        expect([...w.values()]).toEqual([...wanted.values()])
        ;[w, state] = update(tensor([i, round], { dtype: "f64" }), state, w)
      }
      ;[wanted, inner] = one.update(tensor([1.5, round], { dtype: "f64" }), inner, wanted)
      expect([...w.values()]).toEqual([...wanted.values()])
    }
  })
  it("counts updates for schedules", () => {
    const rate: Schedule = step => schedules.piecewise(1, { 1: 0.5 })(step)
    const half = accumulate(2, sgd(rate))
    let w = tensor([0])
    let state = half.init(w)
    const seen = [1, 1, 1, 1, 1].map(() => {
      ;[w, state] = half.update(tensor([1]), state, w)
      return w.item()
    })
    expect(seen).toEqual([0, -1, -1, -1.5, -1.5])
  })
})

describe("clipping", () => {
  const g = { a: tensor([3, 0]), b: tensor([[4]]) }
  it("by the norm of all gradients together", () => {
    expect(globalNorm(g).item()).toBe(5)
    const clip = clipByGlobalNorm(1)
    expect(values(jit((g: Tree) => clip.update(g, {}, g)[0])(g)).flat()[0]).toBeCloseTo(0.6, 6)
    expect(values(clipByGlobalNorm(6).update(g, {}, g)[0])).toEqual(values(g))
    // squares that f32 could not hold
    expect(clip.update(tensor([1e30]), {}, tensor([0]))[0].item()).toBeCloseTo(1, 6)
    expect(clip.update(tensor([0]), {}, tensor([0]))[0].item()).toBe(0)
  })
  it("of each element", () => {
    const [clipped] = clipByValue(1).update(tensor([-3, 0.5, 2]), {}, tensor([0, 0, 0]))
    expect([...clipped.values()]).toEqual([-1, 0.5, 1])
  })
})

describe("orthogonalize", () => {
  it.each([
    [4, 7],
    [7, 4],
    [5, 5],
  ])("singular values of [%i, %i] go near 1", (rows, columns) => {
    const x = tensor(
      Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i)),
      { dtype: "f64", shape: [rows, columns] },
    )
    const t = orthogonalize({ steps: 12 })
    const [o] = t.update(x, t.init(x), x)
    const y = rows < columns ? o.transpose() : o
    const gram = y
      .transpose()
      .matmul(y)
      .div(Math.max(1, columns / rows))
      .toArray() as number[][]
    // the iteration does not converge: singular values stay between 0.68 and 1.13
    gram.forEach((row, i) => row.forEach((v, j) => expect(Math.abs(v - (i === j ? 0.87 : 0))).toBeLessThan(0.45)))
  })
})

describe("errors say what was wanted and what came", () => {
  const w = zeros([2, 3])
  const cases: [() => unknown, string][] = [
    [() => adam(0.1, { weightDecay: -1 }), "weight decay must be a number >= 0; got -1"],
    [() => rmsprop(0.1, { momentum: 1 }), "momentum must be a number in [0, 1); got 1"],
    [() => adagrad(0.1, { lrDecay: -1 }), "adagrad: lrDecay must be a number >= 0; got -1"],
    [() => adagrad(0.1, { initialAccumulator: -1 }), "initialAccumulator must be a number >= 0; got -1"],
    [() => adagrad("fast" as never, { lrDecay: 1 }), "learning rate must be a number >= 0 or a function of the step; got string"],
    [() => adadelta(1, { eps: 0 }), "eps must be a number > 0; got 0"],
    [() => adafactor(-1), "learning rate must be a number >= 0 or a function of the step; got -1"],
    [() => adafactor(0.1, { beta2Decay: 1 }), "beta2Decay must be a number < 0; got 1"],
    [() => adafactor(0.1, { clip: 0 }), "adafactor: clip must be a number > 0; got 0"],
    [() => lion(0.1, { b2: 1 }), "b2 must be a number in [0, 1); got 1"],
    [() => nadam(0.1, { momentumDecay: -1 }), "momentumDecay must be a number >= 0; got -1"],
    [() => muon(0.1, { steps: 0 }), "orthogonalize: steps must be a whole number >= 1; got 0"],
    [() => clipByGlobalNorm(0), "clipByGlobalNorm: limit must be a number > 0; got 0"],
    [() => clipByValue(Number.NaN), "clipByValue: limit must be a number > 0; got NaN"],
    [() => accumulate(1.5, adam()), "accumulate: n must be a whole number >= 1; got 1.5"],
    [
      () => accumulate(2, adam()).update(zeros([3]), accumulate(2, adam()).init(w), w),
      "accumulate: the gradient of the parameter must be f32[2,3]; got f32[3]",
    ],
    [() => chain(adam() as never, scale(2)), "chain: an optimizer must be the last part; got adam before another one"],
    [() => groups([{ match: /b/, optimizer: adam() }]).init({ w }), "groups: no group matches w; add { optimizer: frozen() } for the rest"],
    [
      () => masked(adam(), { w: "yes" } as never).init({ w }),
      "mask: w must be true, false, a pattern, a function, or a tree of these; got string",
    ],
    [() => masked(adam(), {}).init({ w }), "mask: w must be true, false, a pattern, a function, or a tree of these; got undefined"],
    [
      () => masked(scale(2), true).update({} as never, {}, { w }),
      "masked: updates must be a tree like the parameters, which have 1 leaves; got 0",
    ],
    [() => alone(orthogonalize()).update(zeros([3]), [{}], zeros([3])), "orthogonalize: wants matrices; got f32[3]"],
    [() => schedules.constant(-1), "constant: rate must be a number >= 0; got -1"],
    [() => schedules.stepDecay(1, { every: 0 }), "stepDecay: every must be a whole number >= 1; got 0"],
    [() => schedules.piecewise(1, { 1.5: 0.1 }), "piecewise: the place of a factor must be a whole number >= 1; got 1.5"],
    [() => schedules.exponential(1, { decay: 0 }), "exponential: decay must be a number > 0; got 0"],
    [() => schedules.linear(1, { steps: 0 }), "linear: steps must be a whole number >= 1; got 0"],
    [() => schedules.polynomial(1, { steps: 9, power: 0 }), "polynomial: power must be a number > 0; got 0"],
    [() => schedules.cosine(1, { steps: 9, warmup: 9 }), "cosine: warmup must be a whole number < steps = 9; got 9"],
    [() => schedules.oneCycle(1, { steps: 9, warm: 1 }), "oneCycle: warm must be a number in (0, 1); got 1"],
    [() => schedules.oneCycle(1, { steps: 9, anneal: "cos" as never }), 'oneCycle: anneal must be "cosine" or "linear"; got "cos"'],
    [() => schedules.join([schedules.constant(1)], [3]), "join: 1 schedules want 0 boundaries; got 1"],
    [() => schedules.join(Array(3).fill(schedules.constant(1)), [3, 3]), "join: boundary 1 must be a whole number > 3; got 3"],
    [() => plateau({ factor: 1 }), "plateau: factor must be a number in (0, 1); got 1"],
    [() => plateau({ patience: -1 }), "plateau: patience must be a number >= 0; got -1"],
    [() => plateau({ mode: "least" as never }), 'plateau: mode must be "min" or "max"; got "least"'],
  ]
  it.each(cases.map(([f, message]) => [message, f] as const))("%s", (message, f) => {
    expect(f).toThrow(TypeError)
    expect(f).toThrow(message)
  })
  it("schedules stay where they end", () => {
    const { linear, polynomial, cosine, oneCycle } = schedules
    const late = tensor(1000, { dtype: "i32" })
    const ends = [linear(1, { steps: 9, end: 0.5 }), polynomial(1, { steps: 9, end: 0.5 }), cosine(1, { steps: 9, end: 0.5, warmup: 3 })]
    expect([...ends, oneCycle(1, { steps: 9, divisor: 2, endDivisor: 1 })].map(f => f(late).item())).toEqual([0.5, 0.5, 0.5, 0.5])
  })
  it("a loss that is no number is no improvement", () => {
    const rule = plateau({ patience: 0, factor: 0.5 })
    let now = rule.init()
    const seen = [Number.NaN, 1, Infinity, 0.5].map(loss => (now = rule.update(now, loss)).scale)
    expect(seen).toEqual([0.5, 0.5, 0.25, 0.25])
  })
  it("a learning rate of a schedule in f32 is fine", () => {
    const o = optimizer(
      { kind: "mine" },
      scaleByLearningRate(step => step.mul(0).add(1)),
    )
    expect(() => o.update(zeros([2]), o.init(zeros([2])), zeros([2]))).not.toThrow()
  })
})
