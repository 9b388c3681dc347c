// How far numbers are off.
import { type Numbers, numbers } from "./inputs.ts"

/** What `regressionReport` returns, all in the unit of the truth but `r2`. */
export interface RegressionReport {
  readonly rows: number
  /** 1 - sum (y - f)² / sum (y - mean(y))²: 1 is perfect, 0 as good as the mean; NaN if all truths are equal. */
  readonly r2: number
  /** Root of the mean squared residual. */
  readonly rmse: number
  /** Mean absolute residual. */
  readonly mae: number
  /** Median absolute residual: a few rows that are far off do not move it. */
  readonly medianAbsoluteError: number
  /** The mean of truth - prediction: above 0, predictions are too low. */
  readonly meanResidual: number
  /** [rows] truth - prediction. */
  readonly residuals: Float64Array
  /** The rows that are farthest off, the farthest first. */
  readonly worst: readonly WorstRow[]
}

export interface WorstRow {
  /** From 0. */
  readonly row: number
  readonly truth: number
  readonly predicted: number
  /** truth - prediction */
  readonly residual: number
}

/**
 * R², RMSE, mean and median absolute error, residuals, and the rows with the largest of them.
 *
 * The numbers are those of scikit-learn's `r2_score`, `mean_squared_error`, `mean_absolute_error` and `median_absolute_error`.
 *
 * @param truth [rows]
 * @param predicted [rows]
 * @param options `worst`: how many rows to name. Default: 10.
 * @throws RangeError for another number of predictions than of truths.
 * @throws TypeError for what is no finite number.
 *
 * @example
 * const { r2, mae, worst } = regressionReport([3, -0.5, 2, 7], [2.5, 0, 2, 8])
 * r2             // 0.9486
 * mae            // 0.5
 * worst[0]?.row  // 3
 */
export function regressionReport(truth: Numbers, predicted: Numbers, { worst = 10 }: { readonly worst?: number } = {}): RegressionReport {
  const y = numbers(truth, "regressionReport: truth")
  const f = numbers(predicted, "regressionReport: predicted", y.length)
  const rows = y.length
  const residuals = Float64Array.from({ length: rows }, (_, i) => y[i]! - f[i]!)
  const mean = (of: (i: number) => number): number => {
    let sum = 0
    for (let i = 0; i < rows; i++) sum += of(i)
    return sum / rows
  }
  const center = mean(i => y[i]!)
  const squared = mean(i => residuals[i]! * residuals[i]!)
  const variance = mean(i => (y[i]! - center) * (y[i]! - center))
  return {
    rows,
    r2: variance > 0 ? 1 - squared / variance : Number.NaN,
    rmse: Math.sqrt(squared),
    mae: mean(i => Math.abs(residuals[i]!)),
    medianAbsoluteError: median(residuals.map(r => Math.abs(r))),
    meanResidual: mean(i => residuals[i]!),
    residuals,
    worst: farthest(residuals, worst).map(row => ({ row, truth: y[row]!, predicted: f[row]!, residual: residuals[row]! })),
  }
}

/** Of an even number of values the mean of the two in the middle. */
function median(values: Float64Array): number {
  const sorted = values.slice().sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The rows with the largest absolute residuals; of equal ones the first. */
const farthest = (residuals: Float64Array, most: number): number[] =>
  [...residuals.keys()].sort((a, b) => Math.abs(residuals[b]!) - Math.abs(residuals[a]!) || a - b).slice(0, most)

/** Counts of values in intervals of equal width. */
export interface Histogram {
  /** [bins + 1], rising. A value on an edge counts to the right, the last one to the left. */
  readonly edges: readonly number[]
  /** [bins] */
  readonly counts: readonly number[]
}

/**
 * How often values lie in intervals of equal width between the smallest and the largest, as NumPy's `histogram`. If all are equal, from ½ below
 * to ½ above.
 *
 * @throws RangeError for no values, or for a number of bins that is no whole number from 1.
 *
 * @example
 * histogram([0, 1, 1.5, 4], { bins: 2 }).counts  // [3, 1]
 */
export function histogram(values: Numbers, { bins = 20 }: { readonly bins?: number } = {}): Histogram {
  if (!Number.isInteger(bins) || bins < 1) throw new RangeError(`histogram: bins must be a whole number from 1; got ${bins}`)
  const x = numbers(values, "histogram: values")
  let [low, high] = [x[0]!, x[0]!]
  for (let i = 1; i < x.length; i++) [low, high] = [Math.min(low, x[i]!), Math.max(high, x[i]!)]
  if (low === high) [low, high] = [low - 0.5, high + 0.5]
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + (i * (high - low)) / bins))
  const counts = new Array<number>(bins).fill(0)
  for (let i = 0; i < x.length; i++) {
    let bin = Math.min(bins - 1, Math.floor(((x[i]! - low) / (high - low)) * bins))
    // the quotient may be rounded over an edge
    if (x[i]! < edges[bin]!) bin--
    else if (bin + 1 < bins && x[i]! >= edges[bin + 1]!) bin++
    counts[bin]!++
  }
  return { edges, counts }
}
