// Natural gradient and K-FAC: what they compute, and that they need fewer steps than momentum.
import { describe, expect, test } from "vitest"
import { cast, concat, diag, grad, ones, random, softmax, stack, type Tensor, tensor } from "../index.ts"
import { gaussNewton, kfac, type LearningRule, naturalGradient, type SlopeRule, type Slopes } from "../learning.ts"
import { crossEntropy, squaredError } from "../losses.ts"
import { conv1d, conv2d, dense, flatten, gru, type Layer, sequential, tanh } from "../nn.ts"
import { type Optimizer, sgd } from "../optim.ts"
import { fit, type Loss } from "../train.ts"
import { inverse } from "./kfac.ts"

const f64 = { dtype: "f64" } as const

describe("inverse", () => {
  const a = random.normal(random.key(1), [7, 7], f64)
  const spd = a.matmul(a.transpose()).add(tensor(0.1, f64).mul(eyeOf(7)))
  test.each([
    ["from nothing", eyeOf(7).mul(100)],
    ["from nearby", inverse(spd.mul(1.05), eyeOf(7))],
  ])("%s", (_, guess) => {
    const off = inverse(spd, guess).matmul(spd).sub(eyeOf(7)).abs().max().item()
    expect(off).toBeLessThan(1e-3)
  })
})
function eyeOf(n: number): Tensor {
  return tensor(
    Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j))),
    f64,
  )
}

// three arms of a spiral
const n = 60
const t = random.uniform(random.key(3), [3 * n])
const arm = Array.from({ length: 3 * n }, (_, i) => i % 3)
const angle = t
  .mul(4)
  .add(tensor(arm.map(a => (2 * Math.PI * a) / 3)))
  .add(random.normal(random.key(4), [3 * n]).mul(0.05))
const x = stack([t.mul(angle.sin()), t.mul(angle.cos())], { axis: 1 }).mul(0.5)
const data = { x, y: tensor(arm, { dtype: "i32" }) }
const model = (): Layer => sequential(dense(2, 24), tanh(), dense(24, 24), tanh(), dense(24, 3)) as unknown as Layer

/** Steps until the mean loss of an epoch of one batch is below `goal`. */
async function stepsTo(goal: number, rule: LearningRule | undefined, optimizer: Optimizer, most: number): Promise<number> {
  const stop = new AbortController()
  const run = fit(model(), data, {
    ...{ loss: crossEntropy, optimizer, epochs: most, batchSize: 3 * n, seed: 1, health: false, signal: stop.signal },
    ...(rule && { rule }),
  })
  let steps = Infinity
  for await (const event of run)
    if (event.event === "epoch" && event.loss < goal && steps === Infinity) {
      steps = event.epoch
      stop.abort()
    }
  return steps
}
const best = async (rates: readonly number[], steps: (rate: number) => Promise<number>): Promise<number> => {
  let least = Infinity
  for (const rate of rates) least = Math.min(least, await steps(rate).catch(() => Infinity))
  return least
}

test("both reach a loss in fewer steps than momentum, each at its best of four rates", async () => {
  const goal = 0.1
  const momentum = await best([0.03, 0.1, 0.3, 1], rate => stepsTo(goal, undefined, sgd(rate, { momentum: 0.9 }), 1500))
  const natural = await best([0.1, 0.3, 0.6, 1], rate => stepsTo(goal, naturalGradient(), sgd(rate), 200))
  const factored = await best([0.03, 0.1, 0.3, 1], rate => stepsTo(goal, kfac(), sgd(rate, { momentum: 0.9 }), 200))
  console.log(`steps to a loss of ${goal}: momentum ${momentum}, natural gradient ${natural}, K-FAC ${factored}`)
  expect(momentum).toBeLessThan(1500)
  expect(natural).toBeLessThan(momentum / 3)
  expect(factored).toBeLessThan(momentum / 3)
})

/** One call of a rule on a model, as `fit` makes it. */
function once(rule: SlopeRule, model: Layer, x: Tensor, y: Tensor, loss: Loss = crossEntropy): Slopes & { params: any; kept?: any } {
  const { params, state } = model.init(random.key(5), x.shape.slice(1))
  const own = rule.init?.(model, params, x.shape.slice(1), random.key(6)) ?? { kept: {}, learned: {} }
  return rule.slopes({ model, loss, params, own, state, x, y, key: random.key(7) })
}
const near = (got: Tensor, wanted: Tensor, bound: number): void => {
  const scale = wanted.abs().max().item()
  expect(got.shape).toEqual(wanted.shape)
  expect(got.sub(wanted).abs().max().item()).toBeLessThan(bound * scale)
}

describe("K-FAC", () => {
  const many = random.normal(random.key(8), [4000, 3], f64)
  const classes = cast(random.uniform(random.key(9), [4000]).mul(2), "i32")
  const one = sequential(dense(3, 2, f64)) as unknown as Layer
  test("factors are second moments of inputs with a 1 behind them, and of slopes by sums", () => {
    const [{ a, g }] = once(kfac(), one, many, classes).kept.factors
    const rows = concat([many, ones([4000, 1], f64)], { axis: 1 })
    near(a, rows.transpose().matmul(rows).div(4000), 1e-12)
    const { params, state } = one.init(random.key(5), [3])
    const said = softmax(one.apply(params, state, many)[0])
    // E[diag p - p p^T], of which the targets drawn are a sample
    const wanted = diag(said.mean({ axis: 0 })).sub(said.transpose().matmul(said).div(4000))
    near(g, wanted, 0.1)
  })
  test("of one layer with means as outputs is the natural gradient: A^-1 dE/dW", () => {
    const targets = random.normal(random.key(10), [4000, 2], f64)
    const options = { distribution: "gaussian", damping: 1e-4 } as const
    const factored = once(kfac(options), one, many, targets, squaredError).params.layers[0].w
    const exact = once(naturalGradient({ ...options, tolerance: 1e-10 }), one, many, targets, squaredError).params.layers[0].w
    near(factored, exact, 0.1)
  })
  test.each([
    ["conv1d", sequential(conv1d(2, 4, 3, f64), flatten()), [3, 2]],
    ["conv2d", sequential(conv2d(2, 4, [1, 3], f64), flatten()), [1, 3, 2]],
  ] as const)("of a %s with one window is that of the dense layer", (_, conv, shape) => {
    const x = random.normal(random.key(11), [30, 6], f64)
    const y = cast(random.uniform(random.key(12), [30]).mul(4), "i32")
    const plain = sequential(dense(6, 4, f64)) as unknown as Layer
    const w = random.normal(random.key(13), [6, 4], f64)
    const at = (model: Layer, wShape: readonly number[]): Layer => ({
      ...model,
      init: (key, inShape) => {
        const { params, state } = model.init(key, inShape) as any
        const [first, ...rest] = params.layers
        return { params: { layers: [{ ...first, w: w.reshape(...wShape) }, ...rest] }, state }
      },
    })
    const window = [...shape.slice(0, -1), 2, 4]
    const got = once(kfac(), at(conv as unknown as Layer, window), x.reshape(30, ...shape), y).params.layers[0]
    const wanted = once(kfac(), at(plain, [6, 4]), x, y).params.layers[0]
    near(got.w.reshape(6, 4), wanted.w, 1e-9)
    near(got.b, wanted.b, 1e-9)
  })
  test.each([
    [() => kfac({ damping: 0 }), "kfac: `damping` must be a number > 0; got 0"],
    [() => kfac({ decay: 2 }), "kfac: `decay` must be a number from 0 to 1; got 2"],
    [() => kfac({ every: 0 }), "kfac: `every` must be a whole number from 1; got 0"],
    [() => kfac({ distribution: "poisson" as never }), 'kfac: `distribution` must be "categorical" or "gaussian"; got "poisson"'],
    [() => naturalGradient({ distribution: 1 as never }), 'naturalGradient: `distribution` must be "categorical" or "gaussian"; got 1'],
    [() => gaussNewton({ iterations: 0 }), "gaussNewton: `iterations` must be a whole number from 1; got 0"],
    [
      () =>
        once(kfac(), sequential(conv2d(2, 4, 3, { groups: 2 })) as unknown as Layer, random.normal(random.key(1), [2, 5, 5, 2]), tensor(0)),
      "without groups; got conv2d of 2 groups",
    ],
    [
      () => once(kfac(), sequential(gru(2, 3)) as unknown as Layer, random.normal(random.key(1), [2, 5, 2]), tensor(0)),
      "kfac: cannot take layers.0 (gru) apart",
    ],
  ])("errors: %s", (call, message) => {
    expect(call).toThrow(message)
  })
})

test("Gauss-Newton solves a linear problem in one step", () => {
  const x = random.normal(random.key(14), [20, 3], f64)
  const y = random.normal(random.key(15), [20, 1], f64)
  const model = sequential(dense(3, 1, f64)) as unknown as Layer
  const { params: start, state } = model.init(random.key(5), [3]) as any
  const d = once(gaussNewton({ damping: 1e-12, tolerance: 1e-13 }), model, x, y, squaredError).params.layers[0]
  const moved = { layers: [{ w: start.layers[0].w.sub(d.w), b: start.layers[0].b.sub(d.b) }] }
  const left = grad((p: any) => squaredError(model.apply(p, state, x)[0], y))(moved).layers[0]
  expect(Math.max(left.w.abs().max().item(), left.b.abs().max().item())).toBeLessThan(1e-9)
})
