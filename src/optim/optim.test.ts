import { describe, expect, it } from "vitest"
import { leaves, type Tree } from "../core/tree.ts"
import { cast, div, jit, type Tensor, tensor, treeMap, zeros } from "../js.ts"
import {
  adam,
  adamw,
  addDecayedWeights,
  momentum,
  type Optimizer,
  optimizer,
  rmsprop,
  scale,
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
    const o = sgd(step => div(0.1, cast(step, "f32").add(1)))
    const wanted = byHand(gs, (w, g, t) => w - (0.1 / t) * g)
    run(o, gs).forEach((w, i) => expect(w).toBeCloseTo(wanted[i]!, 7))
    expect(o.config.learningRate).toBe("schedule")
  })
})

describe("optimizers", () => {
  it("work on trees, are values, and say what they are", () => {
    const params = { layers: [{ w: zeros([2, 3]), b: zeros([3]) }, {}] }
    const grads = treeMap(p => p.add(1), params)
    const o = adam()
    const state = o.init(params)
    const [p1, s1] = o.update(grads, state, params)
    expect(leaves(p1 as Tree).map(p => p.shape)).toEqual([[2, 3], [3]])
    expect(p1.layers[0]!.b.toArray()).toEqual(Array(3).fill(Math.fround(-1e-3)))
    expect((state as { step: Tensor }[])[0]!.step.item()).toBe(0)
    expect((s1 as { step: Tensor }[])[0]!.step.item()).toBe(1)
    const moments = { b1: 0.9, b2: 0.999, eps: 1e-8, amsgrad: false }
    expect(o.config).toEqual({ kind: "adam", learningRate: 1e-3, ...moments, weightDecay: 0 })
    expect(JSON.parse(JSON.stringify(momentum(0.1).config))).toEqual({
      ...{ kind: "sgd", learningRate: 0.1, momentum: 0.9, nesterov: false, weightDecay: 0 },
    })
  })
  it("are chains of transformations", () => {
    const o = optimizer({ kind: "mine" }, scale(2), addDecayedWeights(0.5), trace(0.5), scaleByLearningRate(0.1))
    let v = 0
    const wanted = byHand(gs, (w, g) => w - 0.1 * (v = 0.5 * v + 2 * g + 0.5 * w))
    run(o, gs).forEach((w, i) => expect(w).toBeCloseTo(wanted[i]!, 13))
  })
  it("may give their state's memory to the next step", () => {
    const o = adam(0.1)
    const step = jit((w: Tensor, s: Tree) => o.update(w, s, w), { donate: [0, 1] })
    let w: Tensor = f64([1, -2])
    let state = o.init(w)
    for (let i = 0; i < 3; i++) [w, state] = step(w, state)
    expect(w.values()[0]).toBeCloseTo(0.7, 2)
  })
  it("keep denormal numbers out of their state", () => {
    for (const dtype of ["f32", "f64"] as const) {
      const small = dtype === "f32" ? 1e-36 : 1e-305
      const w = tensor([1], { dtype })
      const g = tensor([small], { dtype })
      for (const o of [momentum(0.1), rmsprop(0.1), adam(0.1)])
        for (const x of leaves(o.update(g, o.init(w), w)[1])) if (x.dtype !== "i32") expect([...x.values()]).toEqual([0])
    }
    const [, state] = momentum(0.1).update(f64([Number.NaN]), momentum(0.1).init(f64([1])), f64([1]))
    expect(leaves(state)[0]!.item()).toBeNaN()
  })
  const w = zeros([2, 3])
  const cases: [() => unknown, string][] = [
    [() => sgd(-1), "learning rate must be a number >= 0 or a function of the step; got -1"],
    [() => adam("1e-3" as never), "learning rate must be a number >= 0 or a function of the step; got string"],
    [() => momentum(0.1, 1), "momentum must be a number in [0, 1); got 1"],
    [() => adam(0.1, { b2: 1.5 }), "b2 must be a number in [0, 1); got 1.5"],
    [() => rmsprop(0.1, { eps: -1 }), "eps must be a number >= 0; got -1"],
    [() => sgd(0.1).update({ w: zeros([3]) }, sgd(0.1).init({ w }), { w }), "sgd: the gradient of w must be f32[2,3]; got f32[3]"],
    [
      () => sgd(0.1).update({} as never, sgd(0.1).init({ w }), { w }),
      "sgd: gradients must be a tree like the parameters, which have 1 leaves; got 0",
    ],
    [() => adam().update(w, {}, w), "adam: state must be the list of 2 states that init or update of this optimizer returned"],
  ]
  it.each(cases.map(([f, message]) => [message, f] as const))("%s", (message, f) => expect(f).toThrow(message))
})
