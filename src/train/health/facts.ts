// What is known of the data before any step: they do not change, so they are looked at once, on the host.
import { size } from "../../core/aval.ts"
import { isFloating, type TypedArray } from "../../core/dtype.ts"
import { BatchReader, type Rows } from "../rows.ts"

/** A feature of the inputs. */
export interface Feature {
  readonly index: number
  readonly mean: number
  readonly std: number
  /** Always this value; absent for features that vary. */
  readonly constant?: number
}
export interface Facts {
  readonly floating: boolean
  /** NaN and infinities. */
  readonly notFinite: number
  readonly low: number
  readonly high: number
  /** Empty for integers. */
  readonly features: readonly Feature[]
  /** Shares of the class numbers from 0 on, for integers that are not negative. */
  readonly shares: readonly number[]
  /** Of the last axis: smallest and largest sum of a row. */
  readonly sums: readonly [number, number]
}

/** Elements that are looked at. */
const SAMPLE = 1 << 18
const MAX_CLASSES = 1 << 12

/** Facts of rows spread evenly over all. Features are the elements of vectors, and of anything larger its last axis. */
export function factsOf(rows: Rows): Facts {
  const each = Math.max(1, size(rows.shape))
  const count = Math.max(1, Math.min(rows.rows, Math.floor(SAMPLE / each)))
  const chosen = Int32Array.from({ length: count }, (_, i) => Math.floor((i * rows.rows) / count))
  const x = new BatchReader(rows).read(chosen).array
  const floating = isFloating(rows.dtype)
  const units = rows.shape.at(-1) ?? 1
  let [notFinite, low, high] = [0, Infinity, -Infinity]
  for (const v of x) {
    if (!Number.isFinite(v)) notFinite++
    if (v < low) low = v
    if (v > high) high = v
  }
  return {
    ...{ floating, notFinite, low, high },
    features: floating && notFinite === 0 ? featuresOf(x, units) : [],
    shares: floating ? [] : sharesOf(x, low, high),
    sums: sumsOf(x, units),
  }
}

function featuresOf(x: TypedArray, units: number): Feature[] {
  const n = x.length / units
  const all = Array.from({ length: units }, (_, index): Feature => {
    let [sum, squares, varies] = [0, 0, false]
    for (let i = index; i < x.length; i += units) {
      sum += x[i]!
      varies ||= x[i] !== x[index]
    }
    const mean = sum / n
    for (let i = index; i < x.length; i += units) squares += (x[i]! - mean) ** 2
    return { index, mean, std: Math.sqrt(squares / n), ...(!varies && n > 1 && { constant: x[index]! }) }
  })
  const varying = all.filter(f => f.constant === undefined).map(f => f.index)
  const backgrounds = new Map<number, boolean>()
  return all.filter(({ constant }) => {
    if (constant === undefined) return true
    if (!backgrounds.has(constant)) backgrounds.set(constant, isBackground(x, units, varying, constant))
    return !backgrounds.get(constant)
  })
}

/** Whether the features that vary often have exactly this value too: the background of images, the zeros of one-hot vectors. */
function isBackground(x: TypedArray, units: number, varying: readonly number[], value: number): boolean {
  let same = 0
  for (let i = 0; i < x.length; i += units) for (const j of varying) if (x[i + j] === value) same++
  return same * units > 0.1 * x.length * varying.length
}

function sharesOf(x: TypedArray, low: number, high: number): number[] {
  if (low < 0 || high >= MAX_CLASSES) return []
  const counts = new Array<number>(high + 1).fill(0)
  for (const v of x) counts[v]!++
  return counts.map(n => n / x.length)
}

function sumsOf(x: TypedArray, units: number): [number, number] {
  let [least, most] = [Infinity, -Infinity]
  for (let i = 0; i < x.length; i += units) {
    let sum = 0
    for (let j = i; j < i + units; j++) sum += x[j]!
    least = Math.min(least, sum)
    most = Math.max(most, sum)
  }
  return [least, most]
}
