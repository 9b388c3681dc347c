// A gradient that was given beside the true one.
import { indexOf } from "../../check/arrays.ts"
import type { Shape } from "../../core/aval.ts"
import type { Cell } from "../tape.ts"
import type { Evidence, Mistake } from "./diagnosis.ts"
import type { Given } from "./given.ts"

/** The largest difference, relative to the largest number or to what is rounding. */
export function differenceOf(a: ArrayLike<number>, b: ArrayLike<number>, floor: number): number {
  if (a.length !== b.length) return Infinity
  let [most, scale] = [0, floor]
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!)
    if (Number.isNaN(d) && !Object.is(a[i], b[i])) return Infinity
    most = Math.max(most, d)
    scale = Math.max(scale, Math.abs(b[i]!))
  }
  return scale === 0 ? (most === 0 ? 0 : Infinity) : most / scale
}
/** What of the largest gradient is rounding where another one is 0. */
export function floorOf(gs: readonly ArrayLike<number>[]): number {
  let most = 0
  for (const g of gs) for (let i = 0; i < g.length; i++) most = Math.max(most, Math.abs(g[i]!) || 0)
  return most * 1e-6
}

/** Axes of length 1 do not count, and a flat list of the right length is taken row by row. */
export function fitsShape({ shape, values }: Given, { aval }: Cell): boolean {
  const plain = (s: readonly number[]): string => s.filter(n => n !== 1).join()
  return values.length === aval.shape.reduce((a, b) => a * b, 1) && (shape.length <= 1 || plain(shape) === plain(aval.shape))
}
/** What makes of the true gradient an array of this other shape. */
export function shapeMistake({ values, shape }: Given, truth: ArrayLike<number>, { aval }: Cell, tolerance: number): Mistake {
  const [rows = 1, cols = 1] = aval.shape
  const told = { name: `[${shape}]`, other: `[${aval.shape}]` }
  const n = truth.length
  const equal = (g: ArrayLike<number>): boolean => differenceOf(g, truth, 0) <= tolerance
  if (aval.shape.length === 2 && values.length === n && equal(values.map((_, i) => values[(i % cols) * rows + Math.floor(i / cols)]!)))
    return { kind: "transposed", ...told }
  if (values.length === 1) return { kind: "oneScalar", ...told }
  if (n > 0 && values.length > n && values.length % n === 0) {
    const summed = Float64Array.from({ length: n }, (_, i) => {
      let total = 0
      for (let k = i; k < values.length; k += n) total += values[k]!
      return total
    })
    if (equal(summed)) return { kind: "batchSumMissing", ...told }
  }
  return { kind: "shape", ...told }
}

/** The elements that differ most, at most two. */
export function evidenceOf({ values }: Given, truth: ArrayLike<number>, leaf: string, shape: Shape): Evidence[] {
  const n = Math.min(values.length, truth.length)
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => Math.abs(values[b]! - truth[b]!) - Math.abs(values[a]! - truth[a]!))
  return order.slice(0, 2).map(i => ({
    leaf,
    index: indexOf(i, shape),
    yours: values[i]!,
    true: truth[i]!,
    ratio: values[i]! / truth[i]!,
  }))
}

/** The number that makes `x` as like `y` as can be. */
export function ratio(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let [xy, xx] = [0, 0]
  for (let i = 0; i < x.length; i++) {
    xy += x[i]! * y[i]!
    xx += x[i]! * x[i]!
  }
  return xy / xx
}
