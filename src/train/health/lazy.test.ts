// What is found in data that are read when they are needed.
import { describe, expect, it } from "vitest"
import { size } from "../../core/aval.ts"
import { allocate } from "../../core/dtype.ts"
import type { LazyDataset } from "../../data/lazy.ts"
import { DivergedError, type FitEvent, fit } from "../../train.ts"
import { type Dataset, pair } from "../rows.ts"
import { FAULTS } from "./testing/faults.ts"
import { type Case, HEALTHY } from "./testing/healthy.ts"

/** Rows of memory that are read as from a file: in any order, or in theirs only. */
function lazily(data: Dataset, ordered = false): LazyDataset {
  const { x, y } = pair(data, "data")
  return {
    ...{ rows: x.rows, x, y, ordered },
    async load(rows) {
      const [xs, ys] = [x, y].map(part => {
        const array = allocate(part.dtype, rows.length * size(part.shape))
        part.read(rows, array)
        return array
      })
      return { x: xs!, y: ys! }
    },
  }
}

async function trained({ model, data, options }: Case, given: Dataset | LazyDataset = data as Dataset, health: number | boolean = 20) {
  const run = fit(model, given, { seed: 1, health, ...options })
  const found: Extract<FitEvent, { event: "finding" }>[] = []
  const result = run.result.catch(error => error)
  try {
    for await (const e of run) if (e.event === "finding") found.push(e)
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error
  }
  return { found, result: await result }
}
const faultOf = (name: string) => FAULTS.find(f => f.name === name)!

describe("planted faults", () => {
  it.each([
    ["a column that never changes", false],
    ["a column that never changes", true],
    ["inputs not standardised", false],
    ["targets not standardised", true],
    ["a missing number in the inputs", false],
    ["weights of one layer x 100", false],
    ["dead rectified units", false],
    ["tanh saturated by inputs", true],
  ])("%s, in order only: %s", async (name, ordered) => {
    const { kinds, causes, architectures } = faultOf(name)
    const { layer, make } = architectures[0]
    const planted = make(1)
    const { found } = await trained(planted, lazily(planted.data as Dataset, ordered))
    const told = found.map(({ kind, cause, layer }) => ({ kind, cause, layer }))
    const named = told.filter(f => kinds.includes(f.kind) && causes.includes(f.cause) && (layer === undefined || f.layer === layer))
    expect(named, JSON.stringify(told)).not.toEqual([])
  })
})

it("nothing is found where nothing is wrong, and the bits stay", async () => {
  for (const [, make] of HEALTHY.slice(0, 1)) {
    const healthy = make()
    const { found, result } = await trained(healthy, lazily(healthy.data as Dataset))
    expect(found).toEqual([])
    const { result: plain } = await trained(healthy, undefined, false)
    expect(JSON.stringify(result.params)).toBe(JSON.stringify(plain.params))
  }
})
