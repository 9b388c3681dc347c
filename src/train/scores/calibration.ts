// Whether probabilities mean what they say.
import { tensor } from "../../core/concrete.ts"
import { log } from "../../ops/arithmetic.ts"
import { type ByClass, classNumbers, largestAt, type Numbers, probabilities } from "./inputs.ts"

/** Rows whose predicted class has a probability in the same interval. */
export interface CalibrationBin {
  /** Confidences from here, the end not included but for the last bin. */
  readonly from: number
  readonly to: number
  readonly rows: number
  /** Mean probability of the predicted class. */
  readonly confidence: number
  /** Share of the rows with the right class. */
  readonly accuracy: number
}

/** What `calibration` returns. */
export interface Calibration {
  /** The bins that have rows. */
  readonly bins: readonly CalibrationBin[]
  /** Mean distance of confidence and accuracy, weighted with the rows of the bins. */
  readonly expectedError: number
  /** The largest distance of confidence and accuracy. */
  readonly largestError: number
}

/**
 * Reliability: how sure predictions are, and how often they are right. With n_b rows in bin b, the expected calibration error is
 * sum_b n_b / n |accuracy_b - confidence_b|.
 *
 * Source: Guo, Pleiss, Sun, Weinberger 2017, "On calibration of modern neural networks", section 2; bins here are closed on the left, so
 * that a confidence of ½ among two classes counts with those above.
 *
 * @param truth [rows] class numbers
 * @param p [rows, classes] probabilities, or of two classes [rows] for class 1
 * @param options `bins`: number of intervals of equal width. Default: 10.
 * @throws RangeError for what are no class numbers or probabilities.
 *
 * @example
 * calibration([1, 1, 0, 1], [0.9, 0.9, 0.3, 0.3]).expectedError  // 0.15
 */
export function calibration(truth: Numbers, p: ByClass, { bins: n = 10 }: { readonly bins?: number } = {}): Calibration {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`calibration: bins must be a whole number from 1; got ${n}`)
  const t = classNumbers(truth, "calibration: truth")
  const { values, classes } = probabilities(p, "calibration: p", t.length)
  const sums = Array.from({ length: n }, () => ({ confidence: 0, right: 0, rows: 0 }))
  for (let row = 0; row < t.length; row++) {
    const best = largestAt(values, row, classes)
    const confidence = values[row * classes + best]!
    const bin = sums[Math.min(n - 1, Math.floor(confidence * n))]!
    bin.confidence += confidence
    bin.right += Number(best === t[row])
    bin.rows++
  }
  const bins = sums.flatMap(({ confidence, right, rows }, i): CalibrationBin[] =>
    rows === 0 ? [] : [{ from: i / n, to: (i + 1) / n, rows, confidence: confidence / rows, accuracy: right / rows }],
  )
  const errors = bins.map(({ confidence, accuracy }) => Math.abs(confidence - accuracy))
  return {
    bins,
    expectedError: errors.reduce((sum, error, i) => sum + (error * bins[i]!.rows) / t.length, 0),
    largestError: errors.reduce((a, b) => Math.max(a, b)),
  }
}

/**
 * The Brier score: the mean of sum_k (p_k - t_k)², from 0 to 2, with t_k 1 for the true class. Of two classes it is half of that, the mean of
 * (p_1 - t_1)², from 0 to 1, as in scikit-learn's `brier_score_loss`.
 *
 * Source: Brier 1950, "Verification of forecasts expressed in terms of probability", equation 2.
 *
 * @param truth [rows] class numbers
 * @param p [rows, classes] probabilities, or of two classes [rows] for class 1
 * @throws RangeError for what are no class numbers or probabilities.
 *
 * @example
 * brierScore([0, 1, 1], [0.1, 0.8, 0.6])  // 0.07
 */
export function brierScore(truth: Numbers, p: ByClass): number {
  const t = classNumbers(truth, "brierScore: truth")
  const { values, classes } = probabilities(p, "brierScore: p", t.length)
  classNumbers(t, "brierScore: truth", { classes })
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    const d = values[i]! - Number(t[Math.floor(i / classes)] === i % classes)
    sum += d * d
  }
  return sum / (t.length * (classes === 2 ? 2 : 1))
}

/** The distance of f64 numbers from 1: as close as a probability may come to 0. */
const LEAST = 2 ** -52

/**
 * The mean of -log(p) of the true class: cross-entropy in natural logarithms. Probabilities below 2^-52 count as 2^-52, so that one wrong row
 * of no doubt does not make it infinite.
 *
 * The numbers are those of scikit-learn's `log_loss` in f64.
 *
 * @param truth [rows] class numbers
 * @param p [rows, classes] probabilities, or of two classes [rows] for class 1
 * @throws RangeError for what are no class numbers or probabilities.
 *
 * @example
 * logLoss([0, 1, 1], [0.1, 0.8, 0.6])  // 0.2798
 */
export function logLoss(truth: Numbers, p: ByClass): number {
  const t = classNumbers(truth, "logLoss: truth")
  const { values, classes } = probabilities(p, "logLoss: p", t.length)
  classNumbers(t, "logLoss: truth", { classes })
  const ofTruth = Float64Array.from({ length: t.length }, (_, row) => Math.max(LEAST, values[row * classes + t[row]!]!))
  const logs = log(tensor(ofTruth, { dtype: "f64" })).values() as Float64Array
  return -logs.reduce((a, b) => a + b, 0) / t.length
}
