// Each rule against its equations, on networks that are small enough to write them down.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { leaves } from "../core/tree.ts"
import { cast, concat, oneHot, random, type Tensor, type Tree, tensor, valueAndGrad, where } from "../index.ts"
import {
  alternatingMinimization,
  backprop,
  directFeedbackAlignment,
  evolve,
  feedbackAlignment,
  gaussianKernel,
  genetic,
  hsic,
  hsicBottleneck,
  type LearningRule,
  type OwnParameters,
  rules,
  type SlopeRule,
  syntheticGradients,
  targetPropagation,
} from "../learning.ts"
import { crossEntropy, squaredError } from "../losses.ts"
import {
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  gru,
  type Layer,
  logistic,
  type Model,
  maxPool,
  multiHeadAttention,
  relu,
  residual,
  sequential,
  tanh,
} from "../nn.ts"
import { adam, sgd } from "../optim.ts"
import { advance, startOf } from "../train/rule.ts"
import { accuracy, fit, type Loss, type TrainedModel } from "../train.ts"

const folder = mkdtempSync(join(tmpdir(), "adjoint-learning-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const f64 = { dtype: "f64" } as const
const normal = (seed: number, shape: number[]): Tensor => random.normal(random.key(seed), shape, f64)
const N = 7
const x = normal(1, [N, 4])
const y = tensor([0, 2, 1, 1, 0, 2, 2], { dtype: "i32" })
const mlp = sequential(dense(4, 5, f64), tanh(), dense(5, 6, f64), tanh(), dense(6, 3, f64))

interface Case {
  readonly model: Model
  readonly x: Tensor
  readonly y: Tensor
  readonly loss: Loss
}
const ofClasses: Case = { model: mlp, x, y, loss: crossEntropy }
/** What a rule says at first weights; `own` changes what it begins with. */
function at({ model, x, y, loss }: Case, rule: LearningRule, own: (first: OwnParameters, params: any) => OwnParameters = first => first) {
  const inShape = x.shape.slice(1)
  const { params, state } = model.init(random.key(2), inShape)
  const first = rule.init?.(model, params, inShape, random.key(3)) ?? { kept: {}, learned: {} }
  const step = { model, loss, params, own: own(first, params), state, x, y, key: random.key(4) }
  return { ...(rule as SlopeRule).slopes(step), own: step.own, step }
}
const gradient = (c: Case): any => at(c, backprop()).params
const slopesOf = (c: Case, rule: LearningRule, own?: Parameters<typeof at>[2]): any => at(c, rule, own) as any

/** Equal to about the rounding of f64. */
function same(got: Tensor, wanted: Tensor): void {
  expect(got.shape).toEqual(wanted.shape)
  const [a, b] = [got.values() as Float64Array, wanted.values() as Float64Array]
  a.forEach((v, i) => expect(Math.abs(v - b[i]!), `${v} for ${b[i]}`).toBeLessThan(1e-12 * Math.max(1, Math.abs(b[i]!))))
}
const layersOf = (tree: any): readonly { w: Tensor; b: Tensor }[] => tree.layers.filter((l: any) => l.w)
function sameLayers(got: any, wanted: any): void {
  expect(got.layers.length).toBe(wanted.layers.length)
  layersOf(got).forEach((l, i) => {
    same(l.w, layersOf(wanted)[i]!.w)
    same(l.b, layersOf(wanted)[i]!.b)
  })
}
const bytes = (t: TrainedModel): string => Buffer.concat([...t.pack().values()]).toString("base64")

describe("backprop", () => {
  test("is the gradient, to the bit, and the default", async () => {
    const found = slopesOf(ofClasses, backprop())
    const { params, state } = mlp.init(random.key(2), [4])
    const lossOf = (p: Tree): Tensor => crossEntropy(mlp.apply(p as any, state, x, { key: random.key(4), training: true })[0], y)
    const [loss, slopes] = valueAndGrad(lossOf)(params as unknown as Tree)
    expect(found.loss.item()).toBe(loss.item())
    layersOf(found.params).forEach((l, i) => expect(l.w.toArray()).toEqual(layersOf(slopes)[i]!.w.toArray()))
    const settings = { loss: crossEntropy, optimizer: adam(0.01), epochs: 3, batchSize: 3 }
    const named = await fit(mlp, { x, y }, { ...settings, rule: backprop() }).result
    expect(bytes(named)).toBe(bytes(await fit(mlp, { x, y }, settings).result))
  })
})

/** Classes and numbers, activations with and without a slope of 0, convolutions and pooling, dropout. */
const cases: readonly (readonly [string, Case])[] = [
  ["dense", ofClasses],
  ["dense, numbers", { ...ofClasses, y: normal(5, [N, 3]), loss: squaredError }],
  ["a single layer", { ...ofClasses, model: sequential(dense(4, 3, f64)) }],
  [
    "convolutional",
    {
      model: sequential(conv2d(1, 2, 3, f64), relu(), maxPool(2), conv2d(2, 3, 2, f64), tanh(), flatten(), dense(12, 3, f64)),
      x: normal(6, [N, 8, 8, 1]),
      y,
      loss: crossEntropy,
    },
  ],
  ["dropout", { ...ofClasses, model: sequential(dropout(0.2), dense(4, 5, f64), tanh(), dropout(0.4), dense(5, 3, f64), dropout(0.3)) }],
]

describe("feedbackAlignment", () => {
  test.each(cases)("%s: with the weights themselves as feedback it is backpropagation", (_name, c) => {
    const symmetric = (_first: OwnParameters, params: any): OwnParameters => ({
      kept: {
        feedback: layersOf(params)
          .slice(1)
          .map(({ w }) => ({ w })),
      },
      learned: {},
    })
    sameLayers(slopesOf(c, feedbackAlignment(), symmetric).params, gradient(c))
  })
  test("with random feedback it is the product of the equations", () => {
    const { own, params: slopes, step } = slopesOf(ofClasses, feedbackAlignment())
    const { hs, delta } = passOf(step)
    const [b1, b2] = own.kept.feedback.map((f: { w: Tensor }) => f.w)
    const d2 = delta.matmul(b2.transpose()).mul(slopeOfTanh(hs[2]!))
    const d1 = d2.matmul(b1.transpose()).mul(slopeOfTanh(hs[1]!))
    same(layersOf(slopes)[1]!.w, hs[1]!.transpose().matmul(d2))
    same(layersOf(slopes)[0]!.w, hs[0]!.transpose().matmul(d1))
    expect(b1.shape).toEqual([5, 6])
  })
})
/** Activations of `mlp`, its sums and dE/ds_L, written by hand. */
function passOf({ params, x, y }: { params: any; x: Tensor; y: Tensor }) {
  const [l0, l1, l2] = layersOf(params)
  const h1 = x.matmul(l0!.w).add(l0!.b).tanh()
  const h2 = h1.matmul(l1!.w).add(l1!.b).tanh()
  const out = h2.matmul(l2!.w).add(l2!.b)
  const p = out.exp().div(out.exp().sum({ axis: 1, keepdims: true }))
  return { hs: [x, h1, h2, out], delta: p.sub(oneHot(y, 3, f64)).div(x.shape[0]!), layers: [l0!, l1!, l2!] }
}
const slopeOfTanh = (h: Tensor): Tensor => h.square().neg().add(1)

test("directFeedbackAlignment: each hidden layer gets the error of the output", () => {
  const { own, params: slopes, step } = slopesOf(ofClasses, directFeedbackAlignment())
  const { hs, delta } = passOf(step)
  const [b1, b2] = own.kept.feedback as [Tensor, Tensor]
  same(layersOf(slopes)[2]!.w, hs[2]!.transpose().matmul(delta))
  same(layersOf(slopes)[1]!.w, hs[1]!.transpose().matmul(delta.matmul(b2).mul(slopeOfTanh(hs[2]!))))
  same(layersOf(slopes)[0]!.w, hs[0]!.transpose().matmul(delta.matmul(b1).mul(slopeOfTanh(hs[1]!))))
  same(layersOf(slopes)[0]!.b, delta.matmul(b1).mul(slopeOfTanh(hs[1]!)).sum({ axis: 0 }))
})

describe("targetPropagation", () => {
  /** y = x W1 W2 with orthogonal W2, whose inverse is its transpose; the identity as inputs, so that slopes show targets. */
  const linear = sequential(dense(3, 3, { ...f64, bias: false }), dense(3, 3, { ...f64, bias: false }))
  const turned = tensor([[0, 0.6, 0.8], [1, 0, 0], [0, -0.8, 0.6]], f64) // biome-ignore format: a matrix
  const params = { layers: [{ w: normal(7, [3, 3]) }, { w: turned }] }
  const eye = tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]], f64) // biome-ignore format: a matrix
  const wanted = normal(8, [3, 3])
  const own: OwnParameters = { kept: {}, learned: { inverses: [{ w: turned.transpose(), b: tensor([0, 0, 0], f64) }] } }
  const step = { model: linear, loss: squaredError, params, own, state: { layers: [{}, {}] }, x: eye, y: wanted, key: random.key(4) }

  test("with an exact inverse the layer above maps the target to its own", () => {
    const found = targetPropagation({ stepSize: 0.3 }).slopes(step)
    const h1 = params.layers[0]!.w
    // slopes are x^T (h1 - target) / examples, and x is the identity
    const target = h1.sub(found.params.layers[0].w.mul(3))
    const out = h1.matmul(turned)
    const slope = out.sub(wanted).mul(2 / 9)
    same(target.matmul(turned), out.sub(slope.mul(0.3 * 3)))
    same(found.params.layers[1].w, h1.transpose().matmul(slope))
  })
  test("an exact inverse has nothing to learn, another one learns to be it", () => {
    const found = targetPropagation({ noise: 0.5 }).slopes(step)
    for (const v of found.learned.inverses[0].w.values()) expect(Math.abs(v)).toBeLessThan(1e-12)
    let g = { w: normal(9, [3, 3]), b: normal(10, [3]) }
    for (let i = 0; i < 300; i++) {
      const at = { ...step, key: random.key(i), own: { kept: {}, learned: { inverses: [g] } } }
      const [slope] = targetPropagation({ noise: 0.5 }).slopes(at).learned.inverses
      g = { w: g.w.sub(slope.w.mul(0.2)), b: g.b.sub(slope.b.mul(0.2)) }
    }
    const left = g.w.sub(turned.transpose()).abs().values() as Float64Array
    expect(Math.max(...left)).toBeLessThan(1e-3)
  })
  test("differences make the target of an activation near enough to its output, whatever the inverse", () => {
    const { own, params: slopes, step } = slopesOf(ofClasses, targetPropagation({ stepSize: 0.5 }))
    const { hs, delta } = passOf(step)
    const g = (i: number, h: Tensor): Tensor => h.matmul(own.learned.inverses[i].w).add(own.learned.inverses[i].b).tanh()
    const t3 = hs[3]!.sub(delta.mul(0.5 * N))
    const t2 = hs[2]!.sub(g(1, hs[3]!)).add(g(1, t3))
    const t1 = hs[1]!.sub(g(0, hs[2]!)).add(g(0, t2))
    const by = (h: Tensor, t: Tensor, below: Tensor): Tensor => below.transpose().matmul(h.sub(t).div(N).mul(slopeOfTanh(h)))
    same(layersOf(slopes)[2]!.w, hs[2]!.transpose().matmul(delta))
    same(layersOf(slopes)[1]!.w, by(hs[2]!, t2, hs[1]!))
    same(layersOf(slopes)[0]!.w, by(hs[1]!, t1, hs[0]!))
  })
  test("stochastic units are 0 or 1, by their probability", () => {
    const model = sequential(dense(4, 5, f64), logistic(), dense(5, 3, f64))
    const rule = targetPropagation({ stochastic: true })
    const drawn = Array.from({ length: 400 }, (_, i) => {
      const { step } = at({ ...ofClasses, model }, rule)
      // the slope of the last layer by its weights is h^T delta: of one example it shows which units were 1
      const one = { ...step, x: x.slice([0, 1]), y: y.slice([0, 1]), key: random.key(i) }
      const { w, b } = rule.slopes(one).params.layers[2]
      return [...w.slice(":", 0).div(b.slice(0)).values()] as number[]
    })
    for (const units of drawn) for (const v of units) expect(Math.min(Math.abs(v), Math.abs(v - 1))).toBeLessThan(1e-9)
    const { params } = model.init(random.key(2), [4])
    const [first] = layersOf(params)
    const p = x.slice([0, 1]).matmul(first!.w).add(first!.b).neg().exp().add(1).pow(-1).values() as Float64Array
    // 400 draws: five standard deviations are at most 0.125
    p.forEach((v, u) => expect(Math.abs(drawn.reduce((n, units) => n + units[u]!, 0) / 400 - v)).toBeLessThan(0.125))
  })
})

describe("hsicBottleneck", () => {
  const rows = (t: Tensor): number[][] => t.toArray() as number[][]
  /** Kernel, centring and trace as they are defined, with loops. */
  function kernel(a: number[][], sigma: number): number[][] {
    return a.map(p => a.map(q => Math.exp(-p.reduce((s, v, i) => s + (v - q[i]!) ** 2, 0) / (2 * sigma ** 2 * p.length))))
  }
  const product = (a: number[][], b: number[][]): number[][] => a.map(r => b[0]!.map((_, j) => r.reduce((s, v, k) => s + v * b[k]![j]!, 0)))
  function plainHsic(k: number[][], l: number[][]): number {
    const m = k.length
    const h = k.map((_, i) => k.map((_, j) => (i === j ? 1 : 0) - 1 / m))
    const all = product(product(product(k, h), l), h)
    return all.reduce((s, r, i) => s + r[i]!, 0) / (m - 1) ** 2
  }
  test("kernel and criterion are those of plain loops", () => {
    const [a, b] = [normal(11, [6, 3]), normal(12, [6, 2])]
    const [ka, kb] = [gaussianKernel(a, 1.5), gaussianKernel(b, 0.7)]
    same(ka, tensor(kernel(rows(a), 1.5), f64))
    expect(hsic(ka, kb).item()).toBeCloseTo(plainHsic(rows(ka), rows(kb)), 14)
    expect(hsic(ka, ka).item()).toBeCloseTo(plainHsic(rows(ka), rows(ka)), 14)
  })
  test("hidden layers descend on their own objective: slopes against differences of the plain one", () => {
    const [sigma, beta] = [1.2, 7]
    const { params: slopes, step } = slopesOf(ofClasses, hsicBottleneck({ sigma, beta }))
    const { hs, delta, layers } = passOf(step)
    const [kx, ky] = [kernel(rows(x), sigma), kernel(rows(oneHot(y, 3, f64)), sigma)]
    const objective = (w: Tensor, l: number): number => {
      const z = kernel(rows(hs[l]!.matmul(w).add(layers[l]!.b).tanh()), sigma)
      const normalized = (k: number[][]): number => plainHsic(z, k) / Math.sqrt(plainHsic(z, z) * plainHsic(k, k))
      return normalized(kx) - beta * normalized(ky)
    }
    for (const l of [0, 1]) {
      const { w } = layers[l]!
      const slope = layersOf(slopes)[l]!.w.values() as Float64Array
      for (const i of [0, 3, 11, slope.length - 1]) {
        const moved = (by: number): Tensor =>
          tensor(
            (w.values() as Float64Array).map((v, j) => (j === i ? v + by : v)),
            { shape: [...w.shape] },
          )
        const difference = (objective(moved(1e-5), l) - objective(moved(-1e-5), l)) / 2e-5
        expect(Math.abs(slope[i]! - difference)).toBeLessThan(1e-8 * Math.max(1, Math.abs(difference)))
      }
    }
    same(layersOf(slopes)[2]!.w, hs[2]!.transpose().matmul(delta))
  })
})

describe("alternatingMinimization", () => {
  test("one step of the codes, then each layer towards its codes", () => {
    const [rate, weight] = [0.3, 0.7]
    const { params: slopes, step } = slopesOf(ofClasses, alternatingMinimization({ steps: 1, rate, weight }))
    const { layers, hs, delta } = passOf(step)
    const sums = (h: Tensor, l: number): Tensor => h.matmul(layers[l]!.w).add(layers[l]!.b)
    const [s1, s2] = [sums(x, 0), sums(hs[1]!, 1)]
    // codes begin at the sums, so that at first the last code alone has a slope
    const c2 = s2.sub(delta.mul(N).matmul(layers[2]!.w.transpose()).mul(slopeOfTanh(hs[2]!)).mul(rate))
    const d2 = s2.sub(c2).mul(weight)
    const c1 = s1.sub(d2.matmul(layers[1]!.w.transpose()).mul(slopeOfTanh(hs[1]!)).mul(rate))
    same(layersOf(slopes)[0]!.w, x.transpose().matmul(s1.sub(c1).mul(weight / N)))
    same(
      layersOf(slopes)[1]!.w,
      c1
        .tanh()
        .transpose()
        .matmul(
          sums(c1.tanh(), 1)
            .sub(c2)
            .mul(weight / N),
        ),
    )
    const out = sums(c2.tanh(), 2)
    const p = out.exp().div(out.exp().sum({ axis: 1, keepdims: true }))
    same(
      layersOf(slopes)[2]!.w,
      c2
        .tanh()
        .transpose()
        .matmul(p.sub(oneHot(y, 3, f64)).div(N)),
    )
  })
  test("many small steps of the codes go on where one ends", () => {
    const one = slopesOf(ofClasses, alternatingMinimization({ steps: 1, rate: 0.01 })).params
    const more = slopesOf(ofClasses, alternatingMinimization({ steps: 4, rate: 0.01 })).params
    const size = (p: any): number => Math.hypot(...(layersOf(p)[1]!.w.values() as Float64Array))
    expect(size(more) / size(one)).toBeGreaterThan(3)
  })
})

describe("syntheticGradients", () => {
  /** Linear layers and squared errors: the gradients are linear in activations and targets, so that predictors can be perfect. */
  const model = sequential(dense(4, 5, f64), dense(5, 2, f64))
  const c: Case = { model, x, y: normal(13, [N, 2]), loss: squaredError }
  const perfect = (_first: OwnParameters, params: any): OwnParameters => {
    const [, { w, b }] = layersOf(params) as [unknown, { w: Tensor; b: Tensor }]
    // of one example: dE/dh = 2/2 (h W + b - y) W^T
    const back = w.transpose()
    const [wh, wy] = [w.matmul(back), back.neg()].map(t => t.toArray() as number[][])
    const predictor = { w: tensor([...wh!, ...wy!], f64), b: b.reshape([1, 2]).matmul(back).reshape([5]) }
    return { kept: {}, learned: { predictors: [predictor] } }
  }
  test("a perfect predictor gives backpropagation, and has nothing to learn", () => {
    const found = slopesOf(c, syntheticGradients(), perfect)
    sameLayers(found.params, gradient(c))
    for (const v of found.learned.predictors[0].w.values()) expect(Math.abs(v)).toBeLessThan(1e-12)
  })
  test("predictors learn what the layer above sends back, first nothing", () => {
    const { params: slopes, learned, own, step } = slopesOf(ofClasses, syntheticGradients())
    const { hs, delta, layers } = passOf(step)
    expect(new Set(layersOf(slopes)[0]!.w.values())).toEqual(new Set([0]))
    expect(new Set(own.learned.predictors[1].w.values())).toEqual(new Set([0]))
    const target = delta.mul(N).matmul(layers[2]!.w.transpose())
    const given = concat([hs[2]!, oneHot(y, 3, f64)], { axis: 1 })
    same(learned.predictors[1].w, given.transpose().matmul(target.neg().div(N)))
  })
  test("targets that cannot be told from outputs", () => {
    const wide = { ...c, y: normal(1, [N, 3]), loss: (out: Tensor) => out.sum() }
    expect(() => slopesOf(wide, syntheticGradients())).toThrow(/as many numbers as the outputs, 2, or be class numbers; got 3/)
  })
})

describe("genetic", () => {
  const model = sequential(dense(4, 3, f64))
  const { params, state } = model.init(random.key(2), [4])
  const members = (o: OwnParameters) => (o.kept as any).members.layers[0].w.reshape([-1, 12]).toArray() as number[][]
  const generation = (options: Parameters<typeof genetic>[0], key = 4) => {
    const rule = genetic(options)
    const own = rule.init!(model, params, [4], random.key(3))
    const moved = rule.move({ model, loss: crossEntropy, params, own, state, x, y, key: random.key(key) })
    return { before: members(own), after: members(moved.own), moved }
  }
  const lossOf = (w: number[]): number =>
    crossEntropy(model.apply({ layers: [{ w: tensor(w, { ...f64, shape: [4, 3] }), b: tensor([0, 0, 0], f64) }] }, state, x)[0], y).item()

  test("the best member is the model, and stays with the elite", () => {
    const { before, after, moved } = generation({ population: 20, elite: 3 })
    const order = before.map(w => ({ w, loss: lossOf(w) })).sort((a, b) => a.loss - b.loss)
    expect(moved.loss.item()).toBeCloseTo(order[0]!.loss, 12)
    expect([...moved.params.layers[0].w.values()]).toEqual(order[0]!.w)
    expect(after.slice(0, 3)).toEqual(order.slice(0, 3).map(o => o.w))
  })
  test("without mutation every gene comes from a parent, of one or of two", () => {
    for (const [crossover, most] of [
      [0, 1],
      [1, 2],
    ] as const) {
      // biome-ignore format: pairs
      const { before, after } = generation({ population: 30, elite: 1, mutation: 0, crossover })
      for (const child of after) {
        const from = new Set(child.map((v, i) => before.findIndex(m => m[i] === v)))
        expect(from.has(-1)).toBe(false)
        expect(from.size).toBeLessThanOrEqual(most)
      }
    }
  })
  test("a tournament of many leaves the best alone to have children; one of a single member chooses nobody", () => {
    const best = generation({ population: 10, elite: 0, tournament: 200, mutation: 0, crossover: 0 })
    expect(new Set(best.after.map(w => w.join())).size).toBe(1)
    const anybody = generation({ population: 200, elite: 0, tournament: 1, mutation: 0, crossover: 0 })
    // 200 draws out of 200 leave about a share of 1/e out
    expect(new Set(anybody.after.map(w => w.join())).size).toBeGreaterThan(100)
  })
  test("as many genes mutate as it is told, by as much", () => {
    const { before, after } = generation({ population: 400, elite: 0, mutation: 0.25, mutationSize: 0.01, crossover: 0, tournament: 1 })
    const all = new Set(before.flat())
    const changed = after.flat().filter(v => !all.has(v)).length / after.flat().length
    // 4,800 genes: five standard deviations are 0.03
    expect(Math.abs(changed - 0.25)).toBeLessThan(0.03)
  })
  test("members whose loss is no number have no children", () => {
    const rule = genetic({ population: 20, elite: 2, mutation: 0 })
    const own = rule.init!(model, params, [4], random.key(3))
    const bad = (out: Tensor, y: Tensor): Tensor => {
      const loss = crossEntropy(out, y)
      return where(loss.less(1.2), Number.NaN, loss)
    }
    const moved = rule.move({ model, loss: bad, params, own, state, x, y, key: random.key(4) })
    const losses = (members(own) as number[][]).map(lossOf)
    expect(losses.filter(l => l < 1.2).length).toBeGreaterThan(0)
    expect(moved.loss.item()).toBeCloseTo(Math.min(...losses.filter(l => l >= 1.2)), 12)
  })
})

describe("fit with each rule", () => {
  const model = sequential(dense(4, 8), tanh(), dense(8, 6), tanh(), dense(6, 3))
  // the last batch has a single row
  const inputs = random.normal(random.key(1), [201, 4])
  const data = { x: inputs, y: inputs.slice(":", [0, 3]).argmax({ axis: -1 }) }
  const settings = (rule: LearningRule) => ({ loss: crossEntropy, optimizer: adam(0.02), rule, batchSize: 40, seed: 1 })

  test.each(Object.entries(rules))("%s: learns, the same for the same seed, also across a break", async (name, make) => {
    const whole = await fit(model, data, { ...settings(make()), epochs: 20 }).result
    const first = await fit(model, data, { ...settings(make()), epochs: 1 }).result
    const lossOf = (t: TrainedModel): number => t.evaluate(data, { loss: crossEntropy }).loss
    expect(lossOf(whole)).toBeLessThan(lossOf(first) * 0.85)
    const other = await fit(model, data, { ...settings(make()), epochs: 20, seed: 2 }).result
    expect(bytes(other)).not.toBe(bytes(whole))
    const checkpoint = join(folder, name)
    await fit(model, data, { ...settings(make()), epochs: 8, checkpoint }).result
    const rest = await fit(model, data, { ...settings(make()), epochs: 20, checkpoint, resume: true }).result
    expect(bytes(rest)).toBe(bytes(whole))
    const changed = name === "backprop" ? feedbackAlignment() : backprop()
    await expect(fit(model, data, { ...settings(changed), checkpoint, resume: true }).result).rejects.toThrow(/training with another rule/)
  })
  const local = Object.entries(rules).filter(([name]) => name !== "genetic")
  test.each(local)("%s: learns with convolutions, pooling and dropout too", async (_name, make) => {
    const images = sequential(conv2d(1, 4, 3), relu(), maxPool(2), conv2d(4, 6, 2), tanh(), flatten(), dropout(0.1), dense(24, 2))
    const pixels = random.normal(random.key(1), [160, 8, 8, 1])
    const brighter = pixels
      .slice(":", [0, 4])
      .sum({ axis: [1, 2, 3] })
      .sub(pixels.slice(":", [4, 8]).sum({ axis: [1, 2, 3] }))
    const pictures = { x: pixels, y: cast(brighter.less(0), "i32") }
    const trained = await fit(images, pictures, { ...settings(make()), optimizer: adam(0.005), epochs: 60 }).result
    const { accuracy: right } = trained.evaluate(pictures, { loss: crossEntropy, metrics: { accuracy } })
    // half of the pictures are of each class; measured were 0.79 to 0.99
    expect(right).toBeGreaterThan(0.72)
  })
  test("validation rows keep the best epoch, and patience ends a training", async () => {
    const run = fit(model, data, { ...settings(feedbackAlignment()), optimizer: sgd(0), epochs: 50, validation: 0.2, patience: 2 })
    const events = []
    for await (const e of run) events.push(e)
    expect(events.at(-1)).toMatchObject({ event: "end", reason: "patience", epoch: 3, bestEpoch: 1 })
  })
  test("fixed feedback weights stay what they are, whatever the optimizer decays", () => {
    const [rule, optimizer] = [feedbackAlignment(), sgd(0.1, { weightDecay: 0.5 })]
    const { params, state } = model.init(random.key(2), [4])
    const before = startOf(rule, optimizer, model, params as unknown as Tree, [4], random.key(3)) as any
    const rest = { model, loss: crossEntropy, ...data, key: random.key(4) }
    const after = advance(rule, optimizer, { params, state, optimizer: before }, rest)
    const weights = (o: any): number[][] => leaves(o.own.kept).map(w => [...w.values()] as number[])
    expect(weights(after.optimizer)).toEqual(weights(before))
    expect(weights(before).length).toBe(2)
    expect(layersOf(after.params)[0]!.w.toArray()).not.toEqual(layersOf(params)[0]!.w.toArray())
  })
})

const gated = residual(dense(4, 4))
const wrongModels: readonly (readonly [string, Layer, RegExp])[] = [
  ["a recurrent layer", sequential(gru(4, 3), dense(3, 3)), /cannot take layers\.0 \(gru\) apart.*Train this model with backprop\(\)/],
  ["attention", sequential(dense(4, 4), multiHeadAttention(4, 2), dense(4, 3)), /layers\.1 \(multiHeadAttention\)/],
  ["a residual layer", sequential(gated, dense(4, 3)), /layers\.0 \(residual\)/],
  ["a normalization", sequential(dense(4, 4), batchNorm(4), dense(4, 3)), /layers\.1 \(batchNorm\)/],
  ["no sequence of layers", dense(4, 3), /trains models made with sequential\(\.\.\.\) of adjoint\/nn, which it takes apart; got dense/],
  ["nothing to learn", sequential(tanh()), /the model has no layer with parameters/],
]
const taking = Object.entries(rules).filter(([name]) => name !== "backprop" && name !== "genetic")
describe.each(wrongModels)("%s", (_name, model, message) => {
  const inShape = (model as Model).layers?.[0]?.kind === "gru" ? [5, 4] : [4]
  test.each(taking)("is refused by %s", async (_rule, make) => {
    const rows = { x: random.normal(random.key(1), [N, ...inShape]), y }
    const run = fit(model, rows, { loss: crossEntropy, optimizer: adam(0.01), epochs: 1, rule: make() })
    await expect(run.result).rejects.toThrow(message)
  })
})

const wrong: readonly (readonly [string, () => unknown, RegExp])[] = [
  ["a step of 0", () => targetPropagation({ stepSize: 0 }), /targetPropagation: `stepSize` must be a number > 0; got 0/],
  ["no noise", () => targetPropagation({ noise: -1 }), /`noise` must be a number > 0; got -1/],
  ["beta as a text", () => hsicBottleneck({ beta: "1" as never }), /hsicBottleneck: `beta` must be a number > 0; got "1"/],
  ["a kernel without width", () => hsicBottleneck({ sigma: 0 }), /`sigma` must be a number > 0/],
  ["half a step", () => alternatingMinimization({ steps: 0.5 }), /alternatingMinimization: `steps` must be a whole number from 1; got 0.5/],
  ["a population of one", () => genetic({ population: 1 }), /genetic: `population` must be a whole number from 2; got 1/],
  ["an elite of all", () => genetic({ population: 5, elite: 5 }), /`elite` must be less than the population, 5/],
  ["odds above 1", () => genetic({ mutation: 1.5 }), /`mutation` must be a number from 0 to 1; got 1.5/],
]
test.each(wrong)("%s", (_name, f, message) => expect(f).toThrow(message))
test.each([
  ["a name", "feedback-alignment"],
  ["a function that was not called", feedbackAlignment],
])("fit refuses %s as a rule", async (_name, rule) => {
  const run = fit(mlp, { x, y }, { loss: crossEntropy, optimizer: adam(0.01), rule: rule as never })
  await expect(run.result).rejects.toThrow(/fit: `rule` must be a rule of learning, such as feedbackAlignment\(\) from adjoint\/learning/)
})
test("stochastic units want logistic layers", () => {
  expect(() => slopesOf(ofClasses, targetPropagation({ stochastic: true }))).toThrow(/layers\.1 must be logistic\(\); got tanh/)
})
test("evolve needs no optimizer, and sees all rows in a generation", async () => {
  const run = evolve(mlp, { x, y }, { loss: crossEntropy, epochs: 30 })
  const events = []
  for await (const e of run) events.push(e)
  expect(events[0]).toMatchObject({ event: "start", steps: 30, rows: N })
  const losses = events.flatMap(e => (e.event === "epoch" ? [e.loss] : []))
  // the best of the elite stays, and all generations see the same rows
  losses.slice(1).forEach((l, i) => expect(l).toBeLessThanOrEqual(losses[i]! + 1e-12))
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 2)
})
