import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { leaves, type Tree } from "../core/tree.ts"
import { grad, jit, sigmoid, type Tensor, tensor, treeMap, zeros } from "../js.ts"
import {
  adam,
  adamw,
  addDecayedWeights,
  chain,
  momentum,
  type Optimizer,
  optimizer,
  rmsprop,
  scale,
  scaleByAdam,
  scaleByLearningRate,
  sgd,
  trace,
} from "./index.ts"

const f64 = (x: Parameters<typeof tensor>[0]): Tensor => tensor(x, { dtype: "f64" })

/** Parameters after each update with the given gradients, starting from 1. */
function run(o: Optimizer, gradients: readonly number[]): number[] {
  const step = jit((g: Tensor, s: Tree, w: Tensor) => o.update(g, s, w))
  let w: Tensor = f64([1])
  let state = o.init(w)
  return gradients.map(g => {
    ;[w, state] = step(f64([g]), state, w)
    return w.values()[0]!
  })
}
/** The same rule with numbers. */
function byHand(gradients: readonly number[], update: (w: number, g: number, t: number) => number): number[] {
  let w = 1
  return gradients.map((g, i) => (w = update(w, g, i + 1)))
}

const gs = [0.5, -1, 0.25, 2, 0]
const rules: [name: string, Optimizer, () => (w: number, g: number, t: number) => number][] = [
  ["sgd", sgd(0.1), () => (w, g) => w - 0.1 * g],
  ["sgd with weight decay", sgd(0.1, { weightDecay: 0.5 }), () => (w, g) => w - 0.1 * (g + 0.5 * w)],
  [
    "momentum",
    momentum(0.1),
    () => {
      let v = 0
      return (w, g) => w - 0.1 * (v = 0.9 * v + g)
    },
  ],
  [
    "sgd with Nesterov momentum",
    sgd(0.1, { momentum: 0.5, nesterov: true }),
    () => {
      let v = 0
      return (w, g) => {
        v = 0.5 * v + g
        return w - 0.1 * (g + 0.5 * v)
      }
    },
  ],
  [
    "rmsprop",
    rmsprop(0.1, { decay: 0.9, eps: 0.01 }),
    () => {
      let s = 0
      return (w, g) => {
        s = 0.9 * s + 0.1 * g * g
        return w - (0.1 * g) / (Math.sqrt(s) + 0.01)
      }
    },
  ],
  ["adam", adam(0.1, { b1: 0.8, b2: 0.95, eps: 1e-3 }), () => adamByHand(0)],
  ["adamw", adamw(0.1, { b1: 0.8, b2: 0.95, eps: 1e-3, weightDecay: 0.2 }), () => adamByHand(0.2)],
]
function adamByHand(weightDecay: number): (w: number, g: number, t: number) => number {
  let [m, v] = [0, 0]
  return (w, g, t) => {
    m = 0.8 * m + 0.2 * g
    v = 0.95 * v + 0.05 * g * g
    return w - 0.1 * (m / (1 - 0.8 ** t) / (Math.sqrt(v / (1 - 0.95 ** t)) + 1e-3) + weightDecay * w)
  }
}
describe("rules", () => {
  it.each(rules)("%s", (_name, o, rule) => {
    const wanted = byHand(gs, rule())
    run(o, gs).forEach((w, i) => expect(w).toBeCloseTo(wanted[i]!, 13))
  })
  it("the first step of Adam has the size of the learning rate, in f32 too", () => {
    for (const g of [1e-3, 1, -1e3]) {
      const o = adam(0.5)
      const w = tensor([0])
      const [next] = o.update(tensor([g]), o.init(w), w)
      expect(next.item()).toBeCloseTo(-0.5 * Math.sign(g), 4)
    }
  })
})

describe("learning rates", () => {
  it("may be schedules of the number of updates made", () => {
    const halving = (step: Tensor): Tensor => tensor(0.1).div(step.add(1).mul(1) && castTo(step))
    const castTo = (step: Tensor): Tensor => step.equal(0).size && toFloat(step).add(1)
    const o = sgd(halving)
    const wanted = byHand(gs, (w, g, t) => w - (Math.fround(0.1) / t) * g)
    run(o, gs).forEach((w, i) => expect(w).toBeCloseTo(wanted[i]!, 7))
    expect(o.config.learningRate).toBe("schedule")
  })
})
