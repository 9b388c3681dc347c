// Mistakes in a gradient as a whole, wherever the backward pass went wrong: transposed, one index for all, clipped, ...
import type { Backward, Numbers } from "../reverse.ts"
import { differenceOf, ratio } from "./compare.ts"
import type { Mistake } from "./diagnosis.ts"
import type { Given } from "./given.ts"

interface ArrayFacts {
  readonly all: readonly Numbers[]
  readonly leaf: number
  readonly run: Backward
  readonly given: Given
}
/** Mistakes in the array itself. Each gives the wrong array, or nothing where it could not have been made. */
export const ARRAYS: readonly {
  readonly mistake: Mistake
  readonly rank: number
  readonly of: (facts: ArrayFacts) => ArrayLike<number> | undefined
}[] = [
  {
    mistake: { kind: "transposed" },
    rank: 4,
    of: f => matrixOf(f, (g, rows, cols) => Float64Array.from(g, (_, i) => g[(i % rows) * cols + Math.floor(i / rows)]!)),
  },
  { mistake: { kind: "firstEverywhere" }, rank: 5, of: f => vectorOf(f, g => Float64Array.from(g, () => g[0]!)) },
  { mistake: { kind: "lastEverywhere" }, rank: 5.5, of: f => vectorOf(f, g => Float64Array.from(g, () => g.at(-1)!)) },
  { mistake: { kind: "firstEverywhere", name: "column" }, rank: 5, of: f => matrixOf(f, (g, _r, n) => g.map((_, i) => g[i - (i % n)]!)) },
  { mistake: { kind: "firstEverywhere", name: "row" }, rank: 5, of: f => matrixOf(f, (g, _r, n) => g.map((_, i) => g[i % n]!)) },
  {
    mistake: { kind: "oneScalar" },
    rank: 16,
    of: ({ all, leaf, given: { values } }) =>
      values.length > 1 && values.every(x => x === values[0]) && values[0] !== 0 && all[leaf]!.length === values.length
        ? values
        : undefined,
  },
  {
    mistake: { kind: "swapped" },
    rank: 5,
    of: ({ all, leaf, run, given }) => {
      const twin = run.leaves.findIndex(
        (c, l) => l !== leaf && c.value.size === given.values.length && differenceOf(given.values, all[l]!, 0) < 1e-5,
      )
      return twin < 0 ? undefined : all[twin]
    },
  },
  { mistake: { kind: "absolute" }, rank: 6, of: ({ all, leaf }) => all[leaf]!.map(Math.abs) },
  {
    mistake: { kind: "clipped" },
    rank: 7,
    of({ all, leaf, given }) {
      const most = given.values.reduce((m, x) => Math.max(m, Math.abs(x)), 0)
      const g = all[leaf]!
      // a limit that two elements at least have reached
      if (most === 0 || g.filter(x => Math.abs(x) >= most).length < 2) return undefined
      return g.map(x => Math.min(most, Math.max(-most, x)))
    },
  },
  {
    mistake: { kind: "weightDecay" },
    rank: 8,
    of({ all, leaf, run, given }) {
      const w = run.leaves[leaf]!.value.values()
      const g = all[leaf]!
      if (g.length < 2 || given.values.length !== g.length) return undefined
      const k = ratio(
        w,
        given.values.map((x, i) => x - g[i]!),
      )
      return Number.isFinite(k) ? g.map((x, i) => x + k * w[i]!) : undefined
    },
  },
]
const vectorOf = ({ all, leaf, run }: ArrayFacts, f: (g: Numbers) => ArrayLike<number>) =>
  run.leaves[leaf]!.aval.shape.length === 1 && all[leaf]!.length > 1 ? f(all[leaf]!) : undefined
function matrixOf({ all, leaf, run }: ArrayFacts, f: (g: Numbers, rows: number, cols: number) => ArrayLike<number>) {
  const { shape } = run.leaves[leaf]!.aval
  return shape.length === 2 && shape[0]! * shape[1]! > 1 ? f(all[leaf]!, shape[0]!, shape[1]!) : undefined
}
