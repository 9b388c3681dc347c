// Against PyTorch's own values, and papers written down in Python: scripts/golden/optim.py makes the file.
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { leaves, type Tree } from "../core/tree.ts"
import { jit, type Tensor, tensor } from "../js.ts"
import {
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamw,
  chain,
  clipByGlobalNorm,
  clipByValue,
  groups,
  lamb,
  lion,
  muon,
  nadam,
  type Optimizer,
  type PlateauOptions,
  plateau,
  radam,
  rmsprop,
  type Schedule,
  schedules,
  sgd,
} from "./index.ts"

type Arrays = { readonly w: number[][]; readonly b: number[] }
interface Golden {
  readonly schedules: Record<string, number[]>
  readonly plateaus: Record<string, { readonly losses: number[]; readonly scales: number[] }>
  readonly start: Arrays
  readonly gradients: readonly Arrays[]
  readonly optimizers: Record<string, number[][]>
}
const golden: Golden = JSON.parse(readFileSync(new URL("../../tests/golden/optim.json", import.meta.url), "utf8"))
/** The largest difference, as a share of numbers larger than 1. */
const worst = (got: readonly number[], wanted: readonly number[]): number =>
  Math.max(...wanted.map((x, i) => Math.abs(x - got[i]!) / Math.max(1, Math.abs(x))))
const close = (got: readonly number[], wanted: readonly number[], limit: number): void => {
  expect(got.length).toBe(wanted.length)
  expect(worst(got, wanted)).toBeLessThan(limit)
}

describe("schedules have PyTorch's values, as part of a program", () => {
  const { constant, stepDecay, piecewise, exponential, linear, polynomial, cosine, oneCycle, join } = schedules
  const mine: Record<string, Schedule> = {
    constant: constant(0.1),
    stepDecay: stepDecay(0.1, { every: 7 }),
    "stepDecay by 0.3": stepDecay(0.1, { every: 3, factor: 0.3 }),
    piecewise: piecewise(0.1, { 4: 0.5, 9: 0.5, 20: 0.5 }),
    exponential: exponential(0.1, { decay: 0.93 }),
    linear: linear(0.1, { steps: 12, end: 0.02 }),
    "linear, upwards": linear(0.025, { steps: 10, end: 0.1 }),
    polynomial: polynomial(0.1, { steps: 20 }),
    "polynomial, power 2.5": polynomial(0.1, { steps: 20, power: 2.5 }),
    cosine: cosine(0.1, { steps: 29, end: 0.01 }),
    "cosine with warm-up": cosine(0.1, { steps: 30, warmup: 5, start: 0.01, end: 0.01 }),
    oneCycle: oneCycle(0.1, { steps: 31 }),
    "oneCycle, linear": oneCycle(0.1, { steps: 31, warm: 0.4, anneal: "linear", divisor: 10, endDivisor: 100 }),
    "oneCycle, three phases": oneCycle(0.1, { steps: 31, threePhase: true }),
    join: join([exponential(0.1, { decay: 0.9 }), stepDecay(0.1, { every: 4, factor: 0.5 })], [7]),
  }
  it("all of the file", () => expect(Object.keys(mine)).toEqual(Object.keys(golden.schedules)))
  it.each(Object.entries(mine))("%s", (name, schedule) => {
    const wanted = golden.schedules[name]!
    const compiled = jit(schedule)
    const steps = wanted.map((_, i) => tensor(i, { dtype: "i32" }))
    close(
      steps.map(t => compiled(t).item()),
      wanted,
      1e-15,
    )
    close(
      steps.map(t => schedule(t).item()),
      wanted,
      1e-15,
    )
    expect(compiled(steps[0]!).dtype).toBe("f64")
  })
})

describe("plateau has PyTorch's values", () => {
  const mine: Record<string, PlateauOptions> = {
    default: {},
    "patience 2": { patience: 2, factor: 0.5 },
    "cooldown 3": { patience: 1, factor: 0.5, cooldown: 3 },
    "absolute threshold": { patience: 1, factor: 0.5, threshold: 0.1, relative: false },
    "smallest scale": { patience: 0, factor: 0.3, minScale: 0.05 },
    maximum: { mode: "max", patience: 2, factor: 0.2 },
  }
  it("all of the file", () => expect(Object.keys(mine)).toEqual(Object.keys(golden.plateaus)))
  it.each(Object.entries(mine))("%s", (name, options) => {
    const { losses, scales } = golden.plateaus[name]!
    const rule = plateau(options)
    let now = rule.init()
    const got = losses.map(loss => (now = JSON.parse(JSON.stringify(rule.update(now, loss)))).scale)
    expect(got).toEqual(scales)
  })
})

describe("optimizers have PyTorch's values", () => {
  const options = { b1: 0.8, b2: 0.9, eps: 1e-3, weightDecay: 0.1 }
  const mine: Record<string, Optimizer> = {
    adadelta: adadelta(),
    "adadelta with options": adadelta(0.5, { decay: 0.8, eps: 1e-3, weightDecay: 0.1 }),
    "adagrad with a first sum": adagrad(0.1, { initialAccumulator: 0.5, eps: 1e-3 }),
    adamax: adamax(),
    "adamax with options": adamax(0.1, options),
    nadam: nadam(),
    "nadam with options": nadam(0.1, { ...options, momentumDecay: 0.1 }),
    radam: radam(),
    "radam with options": radam(0.1, options),
    "rmsprop with options": rmsprop(0.1, { decay: 0.8, eps: 0.1, momentum: 0.5, centered: true, weightDecay: 0.1 }),
    "sgd, clipped by norm": chain(clipByGlobalNorm(1), sgd(0.1)),
    "adam, clipped by value": chain(clipByValue(0.3), adam(0.1)),
    groups: groups([{ match: /^w$/, optimizer: adamw(0.1, { weightDecay: 0.1 }) }, { optimizer: adamw(0.01, { weightDecay: 0 }) }]),
    lion: lion(0.1, { weightDecay: 0.1 }),
    lamb: lamb(0.1, { weightDecay: 0.1 }),
    muon: muon(0.1, { weightDecay: 0.1 }),
    adafactor: adafactor(0.1),
  }
  it("all of the file", () => expect(Object.keys(mine)).toEqual(Object.keys(golden.optimizers)))

  const tree = ({ w, b }: Arrays) => ({ w: tensor(w, { dtype: "f64" }), b: tensor(b, { dtype: "f64" }) })
  type Params = ReturnType<typeof tree>
  function trajectory(o: Optimizer, update: (g: Params, s: Tree, p: Params) => [Params, Tree]): number[] {
    let params = tree(golden.start)
    let state = o.init(params)
    return golden.gradients.flatMap(g => {
      ;[params, state] = update(tree(g), state, params)
      return leaves(params).flatMap((p: Tensor) => [...p.values()])
    })
  }
  it.each(Object.entries(mine))("%s", (name, o) => {
    const wanted = golden.optimizers[name]!.flat()
    const update = (g: Params, s: Tree, p: Params): [Params, Tree] => o.update(g, s, p)
    close(trajectory(o, update), wanted, 1e-12)
    // and as one program whose state is in place
    close(trajectory(o, jit(update, { donate: [1, 2] })), wanted, 1e-12)
  })
})
