// The reference itself is held against differences before anybody is accused.
import { filled } from "../../check/arrays.ts"
import { say } from "../messages/index.ts"
import type { Backward } from "../reverse.ts"
import { mapLeaves, mulberry } from "./inputs.ts"

type Forward = (...inputs: any[]) => { item(): number }

/** Steps of differences, and how far they can be trusted. */
// biome-ignore format: a table
const STEPS = {
  f32: [[2e-2, 2e-2], [5e-3, 5e-2]],
  f64: [[1e-3, 1e-6], [1e-4, 1e-5], [1e-5, 1e-4]],
} as const

/**
 * What central differences of fourth order along two directions say against the reference; null where they agree. Differences
 * across a kink disagree with every derivative, so that smaller steps are tried too.
 */
export function differences(
  forward: Forward,
  inputs: readonly unknown[],
  checked: readonly boolean[],
  dtype: "f32" | "f64",
  run: Backward,
): string | null {
  const truth = run.gradients()
  const random = mulberry(7)
  /** The value at these inputs, moved by `h` along `ts`. */
  const along = (ts: readonly Float64Array[], h: number): number => {
    let [leaf, next] = [0, 0]
    const moved = mapLeaves(inputs, x => {
      if (!checked[leaf++]) return x
      const t = ts[next++]!
      const values = x.values()
      return filled(x.shape, dtype, i => values[i]! + h * t[i]!)
    })
    return forward(...moved).item()
  }
  for (let k = 0; k < 2; k++) {
    const ts = truth.map(g => Float64Array.from(g, () => 2 * random() - 1))
    const terms = truth.flatMap((g, l) => Array.from(g, (x, i) => x * ts[l]![i]!))
    const wanted = terms.reduce((a, b) => a + b, 0)
    const scale = terms.reduce((a, b) => a + Math.abs(b), 0)
    const size = Math.abs(run.output.value.item())
    let got = Number.NaN
    const agrees = STEPS[dtype].some(([h, tolerance]) => {
      got = (along(ts, -2 * h) - 8 * along(ts, -h) + 8 * along(ts, h) - along(ts, 2 * h)) / (12 * h)
      return Math.abs(got - wanted) <= tolerance * Math.max(scale, size * 1e-3, 1e-9)
    })
    if (!agrees) return say.diagnosis.reference(wanted, got)
  }
  return null
}
