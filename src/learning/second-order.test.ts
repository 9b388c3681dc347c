// Natural gradient and K-FAC: what they compute, and that they need fewer steps than momentum.
import { describe, expect, test } from "vitest"
import { cast, grad, random, stack, type Tensor, tensor } from "../index.ts"
import { fisherProduct, gaussNewton, kfac, type LearningRule, naturalGradient } from "../learning.ts"
import { crossEntropy, squaredError } from "../losses.ts"
import { conv2d, dense, flatten, gru, type Layer, relu, sequential, tanh } from "../nn.ts"
import { type Optimizer, sgd } from "../optim.ts"
import { fit } from "../train.ts"
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
