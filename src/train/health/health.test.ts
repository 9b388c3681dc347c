import { describe, expect, it } from "vitest"
import { LONG } from "../../../tests/long.ts"
import { mean, square, type Tensor } from "../../index.ts"
import { schedules, sgd } from "../../optim.ts"
import { DivergedError, fit } from "../../train.ts"
import type { FitEvent } from "../events.ts"
import type { Fault } from "./testing/fault.ts"
import { FAULTS } from "./testing/faults.ts"
import { type Case, HEALTHY } from "./testing/healthy.ts"

type Found = Extract<FitEvent, { event: "finding" }>
async function findings({ model, data, options }: Case, seed = 0, health = 20): Promise<Found[]> {
  const run = fit(model, data, { seed, health, ...options })
  const found: Found[] = []
  run.result.catch(() => {})
  try {
    for await (const e of run) if (e.event === "finding") found.push(e)
  } catch (error) {
    if ((error as Error).name !== "DivergedError") throw error
  }
  return found
}
const told = (found: readonly Found[]): string[] =>
  found.map(f => `${f.step} ${f.kind} ${f.layer ?? ""} (${f.cause}): ${f.message} ${JSON.stringify(f.evidence)}`)

describe("healthy trainings", () => {
  it.each(HEALTHY)("%s", async (_name, make) => {
    expect(told(await findings(make()))).toEqual([])
  })
})

const fits = (wanted: string | RegExp, layer = ""): boolean => (typeof wanted === "string" ? layer === wanted : wanted.test(layer))
/** Whether one of the findings says what was planted, where, and why. */
const names = ({ kinds, causes, architectures }: Fault, architecture: number, found: readonly Found[]): boolean => {
  const { layer } = architectures[architecture]!
  return found.some(f => kinds.includes(f.kind) && causes.includes(f.cause) && (layer === undefined || fits(layer, f.layer)))
}
const planted = (heldOut: boolean): [name: string, fault: Fault, architecture: number, seed: number][] =>
  FAULTS.filter(f => f.heldOut === heldOut).flatMap(f =>
    [0, 1].flatMap(a => (LONG ? [1, 2, 3] : [1 + a]).map((s): [string, Fault, number, number] => [`${f.name} (${a}, seed ${s})`, f, a, s])),
  )

describe.each([
  ["that the thresholds were chosen by", false],
  ["written after the thresholds", true],
] as const)("planted faults %s", (_name, heldOut) => {
  it.each(planted(heldOut))("%s", async (_name, fault, architecture, seed) => {
    const { layer, make } = fault.architectures[architecture]!
    const found = await findings(make(seed), seed)
    if (!names(fault, architecture, found)) expect(told(found)).toBe(`${fault.kinds} at ${layer} by ${fault.causes}`)
  })
})

describe("what is told", () => {
  const first = (name: string): Case => FAULTS.find(f => f.name === name)!.architectures[0].make(1)
  const large = "weights of one layer x 100"
  it("is told once, with numbers, and what to try", async () => {
    const found = await findings(first(large), 1, 5)
    const names = found.map(f => `${f.kind} ${f.layer}`)
    expect(new Set(names).size).toBe(names.length)
    expect(found[0]).toMatchObject({ step: 0, kind: "weights too large", layer: "layers.2", cause: "weight" })
    expect(found[0]!.evidence.gain).toBeGreaterThan(50)
    expect(found[0]!.message).toMatch(/^The weights of layers\.2 have root mean square \d+\.\d+: with 24 inputs/)
    expect(found[0]!.advice).toMatch(/init "he"/)
  })

  it("is told after the first epoch and at the end without a number of steps, and never with false", async () => {
    const { model, data, options } = first(large)
    expect((await findings({ model, data, options: { ...options, health: true } }))[0]).toMatchObject({ step: 6, layer: "layers.2" })
    expect(await findings({ model, data, options: { ...options, health: false } })).toEqual([])
  })

  it("says in the error where a NaN came from, and gives the finding with it", async () => {
    const { model, data, options } = first("logarithm of 0")
    for (const health of [true, 50]) {
      const error = await fit(model, data, { ...options, health }).result.catch(e => e)
      expect(error).toBeInstanceOf(DivergedError)
      expect(error.message).toMatch(
        /^the loss became (NaN|-?Infinity) at step 1 \(epoch 1\)\. At step 1 log in layers\.2 gave the first number/,
      )
      expect(error.finding).toMatchObject({ kind: "not finite", layer: "layers.2", evidence: { low: 0 } })
    }
  })

  it("finds what happened many steps after the last look, in a later epoch", async () => {
    // the rate is harmless for 100 steps, and then a million times as large
    const { model, data } = first(large)
    const rate = schedules.piecewise(1e-4, { 100: 1e12 })
    const error = await fit(model, data, { loss: squaredOutputs, optimizer: sgd(rate), epochs: 40, health: 1000, seed: 1 }).result.catch(
      e => e,
    )
    expect(error.finding).toMatchObject({ kind: "divergence" })
    expect(error.finding.evidence.step).toBeGreaterThanOrEqual(100)
    expect(error.finding.evidence.step).toBeLessThan(110)
  })
})
const squaredOutputs = (output: Tensor): Tensor => mean(square(output))
