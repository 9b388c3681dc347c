import { describe, expect, it } from "vitest"
import { fit } from "../../train.ts"
import type { FitEvent } from "../fit.ts"
import { type Fault, FIRST, SECOND } from "./testing/faults.ts"
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
const names = ({ kinds, causes, layers }: Fault, architecture: number, found: readonly Found[]): boolean =>
  found.some(f => kinds.includes(f.kind) && causes.includes(f.cause) && (!layers || fits(layers[architecture]!, f.layer)))

const planted = (faults: readonly Fault[]): [name: string, fault: Fault, architecture: number, seed: number][] =>
  faults.flatMap(f => [0, 1].flatMap(a => [1, 2, 3].map((s): [string, Fault, number, number] => [`${f.name} (${a}, seed ${s})`, f, a, s])))

describe("planted faults", () => {
  it.each(planted([...FIRST, ...SECOND]))("%s", async (_name, fault, architecture, seed) => {
    const found = await findings(fault.make[architecture]!(seed), seed)
    if (!names(fault, architecture, found)) expect(told(found)).toBe(`${fault.kinds} at ${fault.layers?.[architecture]} by ${fault.causes}`)
  })
})
