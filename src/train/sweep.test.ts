import { describe, expect, it } from "vitest"
import { leaves } from "../core/tree.ts"
import { random, type Tensor } from "../index.ts"
import { crossEntropy } from "../losses.ts"
import {
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  type Layer,
  lambda,
  layerNorm,
  lstm,
  type Model,
  relu,
  sequential,
  tanh,
} from "../nn.ts"
import { adam, adamw, sgd } from "../optim.ts"
import { accuracy, DivergedError, fit, type SweepEvent, sweep, type TrainedModel } from "../train.ts"

/** 70 points whose class is the largest of their first three coordinates. */
const x = random.normal(random.key(1), [70, 8])
const y = x.slice(":", [0, 3]).argmax({ axis: -1 })
const validation = {
  x: random.normal(random.key(2), [30, 8]),
  y: random.normal(random.key(2), [30, 8]).slice(":", [0, 3]).argmax({ axis: -1 }),
}
const data = { x, y }
const common = { loss: crossEntropy, epochs: 3, batchSize: 16, metrics: { accuracy } }
const numbers = (t: TrainedModel): number[] => leaves([t.params, t.state]).flatMap(p => [...p.values()])
/** The largest difference between the parameters of two models. */
const apart = (a: TrainedModel, b: TrainedModel): number => {
  const [p, q] = [numbers(a), numbers(b)]
  expect(p.length).toBe(q.length)
  return Math.max(...p.map((v, i) => Math.abs(v - q[i]!)))
}

describe("members", () => {
  it.each<[string, () => Model]>([
    ["dense", () => sequential(dense(8, 6), tanh(), dense(6, 3))],
    ["dropout", () => sequential(dense(8, 6), dropout(0.3), relu(), dense(6, 3))],
    ["batch norm", () => sequential(dense(8, 6), batchNorm(6), relu(), dense(6, 3))],
    ["layer norm", () => sequential(dense(8, 6), layerNorm(6), relu(), dense(6, 3))],
  ])("are what fit makes of their seed: %s", async (_name, make) => {
    const model = make()
    const swept = await sweep(model, data, { ...common, optimizer: adam(0.01), seeds: [3, 0, 7, 1, 2], validation }).result
    for (const { member, seed, ...row } of swept.members) {
      const alone = fit(model, data, { ...common, optimizer: adam(0.01), seed, validation, health: false })
      let best: any
      for await (const e of alone) if (e.event === "epoch" && e.best) best = e
      console.log(apart(swept.model(member), await alone.result), row, best)
    }
  })
})
