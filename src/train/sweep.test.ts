import { describe, expect, it } from "vitest"
import { leaves } from "../core/tree.ts"
import { random, reshape } from "../index.ts"
import { crossEntropy } from "../losses.ts"
import { batchNorm, conv2d, dense, dropout, flatten, lambda, layerNorm, type Model, relu, sequential, tanh } from "../nn.ts"
import { adam, adamw, sgd } from "../optim.ts"
import { accuracy, DivergedError, type FitEvent, fit, type SweepEvent, sweep, type TrainedModel } from "../train.ts"

/** 70 points whose class is the largest of their first three coordinates. */
const x = random.normal(random.key(1), [70, 16])
const y = x.slice(":", [0, 3]).argmax({ axis: -1 })
const others = random.normal(random.key(2), [30, 16])
const validation = { x: others, y: others.slice(":", [0, 3]).argmax({ axis: -1 }) }
const data = { x, y }
const common = { loss: crossEntropy, epochs: 3, batchSize: 16, metrics: { accuracy } }
const small = sequential(dense(16, 4), tanh(), dense(4, 3))
const all = async (run: AsyncIterable<SweepEvent>): Promise<SweepEvent[]> => {
  const events: SweepEvent[] = []
  for await (const e of run) events.push(e)
  return events
}

/** The largest difference between the parameters and states of two models. */
function apart(a: TrainedModel, b: TrainedModel): number {
  const [p, q] = [a, b].map(t => leaves([t.params, t.state]).flatMap(v => [...v.values()])) as [number[], number[]]
  expect(p.length).toBe(q.length)
  return Math.max(...p.map((v, i) => Math.abs(v - q[i]!)))
}
async function alone(model: Model, options: Parameters<typeof fit>[2]) {
  const run = fit(model, data, { ...common, health: false, validation, ...options })
  let best: Extract<FitEvent, { event: "epoch" }> | undefined
  for await (const e of run) if (e.event === "epoch" && e.best) best = e
  return { model: await run.result, best: best! }
}

describe("each member is what fit makes of its seed", () => {
  // the axis of members is the last one for at least four members with tiny products, else the first
  it.each<[string, number[], Model]>([
    ["products side by side", [3, 0, 7, 1], small],
    ["products one after another", [3, 7], small],
    ["dropout and layer norm", [3, 0, 7, 1], sequential(dense(16, 4), layerNorm(4), dropout(0.3), relu(), dense(4, 3))],
    ["batch norm", [3, 0, 7, 1], sequential(dense(16, 4, { bias: false }), batchNorm(4), relu(), dense(4, 3))],
    [
      "convolution",
      [3, 7],
      sequential(
        lambda(x => reshape(x, [x.shape[0]!, 4, 4, 1])),
        conv2d(1, 2, 3),
        relu(),
        flatten(),
        dense(8, 3),
      ),
    ],
  ])("%s", async (_name, seeds, model) => {
    const swept = await sweep(model, data, { ...common, optimizer: sgd(0.1), seeds, validation }).result
    for (const { member, seed, bestEpoch, loss, validation } of swept.members.slice(0, 2)) {
      const own = await alone(model, { ...common, optimizer: sgd(0.1), seed })
      expect(apart(swept.model(member), own.model)).toBeLessThan(2e-6)
      expect(bestEpoch).toBe(own.best.epoch)
      expect(loss).toBeCloseTo(own.best.loss, 5)
      expect(validation!.loss).toBeCloseTo(own.best.validation!.loss, 5)
      expect(validation!.accuracy).toBeCloseTo(own.best.validation!.accuracy!, 6)
    }
  })
})

describe("settings", () => {
  it("are numbers of one program, whatever reads them, or make groups where they change shapes or operations", async () => {
    const settings = { hidden: [2, 3], rate: [0.01, 0.03], decay: [0, 0.1, 0.2] }
    const model = ({ hidden }: { hidden: number }) => sequential(dense(16, hidden), tanh(), dense(hidden, 3))
    const optimizer = ({ rate, decay }: { rate: number; decay: number }) => adamw(rate, { weightDecay: decay })
    const run = sweep(model, data, { ...common, settings, optimizer, validation })
    const events = await all(run)
    // no decay is another program than some decay
    expect(events[0]).toMatchObject({ event: "start", members: 12, rows: 70, validationRows: 30, steps: 4 * 3 * 5 })
    expect((events[0] as Extract<SweepEvent, { event: "start" }>).programs).toEqual([
      [0, 3],
      [1, 2, 4, 5],
      [6, 9],
      [7, 8, 10, 11],
    ])
    const result = await run.result
    for (const member of [3, 11]) {
      const { settings } = result.members[member]!
      const own = await alone(model(settings), { ...common, optimizer: optimizer(settings) })
      expect(apart(result.model(member), own.model)).toBeLessThan(1e-5)
    }
    const scores = result.ranking.map(r => r.validation!.loss)
    expect(scores).toEqual([...scores].sort((a, b) => a - b))
    expect(apart(result.best, result.model(result.ranking[0]!.member))).toBe(0)
    const [head, ...rows] = String(result).split("\n")
    expect(head).toMatch(/^member +hidden +rate +decay +seed +epoch +loss +validation loss +validation accuracy$/)
    expect(rows.length).toBe(12)
  })
})

describe("what happens on the way", () => {
  it("goes on without a member that diverges, and says which", async () => {
    const settings = [{ rate: 0.1 }, { rate: 1e30 }, { rate: 0.2 }]
    const small = sequential(dense(16, 4), relu(), dense(4, 3))
    const run = sweep(small, data, { ...common, settings, optimizer: s => sgd(s.rate) })
    const events = await all(run)
    const told = events.filter(e => e.event === "diverged")
    expect(told.map(e => e.member)).toEqual([1])
    const { members, ranking, model } = await run.result.then(r => ({ ...r, model: r.model.bind(r) }))
    expect(members[1]!.diverged).toEqual({ epoch: told[0]!.epoch, step: told[0]!.step })
    expect(ranking.at(-1)!.member).toBe(1)
    expect(() => model(1)).toThrow("member 1 has no model: it diverged")
    expect(() => model(3)).toThrow("there are members 0 to 2; got 3")
    expect(apart(model(2), await fit(small, data, { ...common, optimizer: sgd(0.2), health: false }).result)).toBeLessThan(1e-5)
    const none = sweep(small, data, { ...common, optimizer: sgd(1e30), seeds: 2 }).result
    await expect(none).rejects.toThrow(DivergedError)
    await expect(none).rejects.toThrow("all 2 members of the sweep diverged")
  })

  it("ends a member's training by patience, all members by a signal", async () => {
    const noise = { x: validation.x, y: random.permutation(random.key(3), validation.y) }
    const patient = await sweep(small, data, { ...common, epochs: 60, optimizer: adam(0.02), seeds: 2, validation: noise, patience: 2 })
      .result
    for (const { epochs, bestEpoch } of patient.members) expect(epochs).toBe(bestEpoch + 2)
    const stop = new AbortController()
    const run = sweep(small, data, { ...common, epochs: 100_000, optimizer: adam(0.02), seeds: 2, atOnce: 1, signal: stop.signal })
    const events: SweepEvent[] = []
    for await (const e of run) {
      events.push(e)
      if (e.event === "epoch" && e.epoch === 3) stop.abort()
    }
    expect(events.at(-1)).toMatchObject({ event: "end", reason: "aborted" })
    const { members, best } = await run.result
    expect(members[0]!.epochs).toBeGreaterThanOrEqual(3)
    expect(members[1]).toMatchObject({ epochs: 0, loss: Number.NaN })
    expect(best.predict(x).shape).toEqual([70, 3])
  })

  it("says that rows have to be in memory", () => {
    const lazy = { rows: 8, load: async () => data } as never
    return expect(sweep(small, lazy, { ...common, optimizer: sgd(0.1) }).result).rejects.toThrow("wanted rows in memory")
  })

  it.each([
    ["no seeds", { seeds: 0 }, "`seeds` must be how many"],
    ["a seed that is none", { seeds: [1.5] }, "`seeds` must be how many"],
    ["a setting without values", { settings: { rate: [] } }, "lists of values by name"],
    ["one value instead of a list", { settings: { rate: 0.1 } }, "lists of values by name"],
  ])("says what is wrong: %s", async (_name, options, message) => {
    await expect(sweep(small, data, { ...common, optimizer: sgd(0.1), ...(options as object) }).result).rejects.toThrow(message)
  })
})
