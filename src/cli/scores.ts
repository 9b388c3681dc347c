// How good answers are: of a network, or of a baseline that it has to beat.

import { fromArray } from "../core/concrete.ts"
import type { TargetColumn } from "../data/encoding.ts"
import type { Tensor } from "../index.ts"
import { batches, rowsAtOnce } from "../train/evaluate.ts"
import { BatchReader } from "../train/rows.ts"
import type { Rows, TrainedModel } from "../train.ts"
import { isImbalanced } from "./class-weights.ts"
import type { Labelled } from "./problem.ts"

export interface ClassScore {
  readonly rows: number
  /** Share of the rows with the right class. */
  readonly accuracy: number
  /** The mean over the classes of the share of their rows that is right; only where a class has few rows beside another. */
  readonly balancedAccuracy?: number
  /** [classes][classes] numbers of rows: by the true class, then by the predicted one. */
  readonly confusion: readonly (readonly number[])[]
}

export interface NumberScore {
  readonly rows: number
  /** Root of the mean squared error, in the target's unit. */
  readonly rmse: number
  /** Mean absolute error, in the target's unit. */
  readonly mae: number
  /** Share of the variance that is explained: 1 - squared error / squared deviation from the mean; NaN if the rows do not vary. */
  readonly r2: number
}

export type Score = ClassScore | NumberScore
export const isClassScore = (score: Score): score is ClassScore => "accuracy" in score

/** [rows, width] what the model's last layer gives for all rows, passed through `then`. */
export function outputsOf(
  model: TrainedModel,
  x: Rows,
  then: (output: Tensor) => Tensor = y => y,
): { values: Float64Array; width: number } {
  const reader = new BatchReader(x)
  const parts: ArrayLike<number>[] = []
  for (const [from, to] of batches(x.rows, rowsAtOnce(x.shape))) {
    const { array, aval } = reader.read(Int32Array.from({ length: to - from }, (_, i) => from + i))
    parts.push(then(model.predict(fromArray(array, aval))).values() as ArrayLike<number>)
  }
  const values = new Float64Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    values.set(part, at)
    at += part.length
  }
  return { values, width: values.length / x.rows }
}

/** For each row of outputs [rows, width] the number of the largest, the first of equals. */
export function largest(values: ArrayLike<number>, width: number): Int32Array {
  return Int32Array.from({ length: values.length / width }, (_, row) => {
    let best = 0
    for (let k = 1; k < width; k++) if (values[row * width + k]! > values[row * width + best]!) best = k
    return best
  })
}

/** The score of a model on rows. */
export function scoreOf(model: TrainedModel, target: TargetColumn, { x, answers }: Labelled): Score {
  const { values, width } = outputsOf(model, x)
  return target.kind === "class" ? scoreClasses(largest(values, width), answers, width) : scoreNumbers(values, answers, target)
}

/** The score of one and the same answer for every row: a class number, or a standardised number. */
export function scoreOfConstant(answer: number, target: TargetColumn, { answers }: Labelled): Score {
  const given = new Float64Array(answers.length).fill(answer)
  return target.kind === "class" ? scoreClasses(given, answers, target.values.length) : scoreNumbers(given, answers, target)
}

/** The most frequent class, the first of equals. */
export function majority(answers: ArrayLike<number>, classes: number): number {
  const counts = new Float64Array(classes)
  for (let i = 0; i < answers.length; i++) counts[answers[i]!]!++
  return counts.indexOf(counts.reduce((a, b) => Math.max(a, b)))
}

function scoreClasses(given: ArrayLike<number>, truth: ArrayLike<number>, classes: number): ClassScore {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  let right = 0
  for (let i = 0; i < truth.length; i++) {
    confusion[truth[i]!]![given[i]!]!++
    if (given[i] === truth[i]) right++
  }
  const counts = confusion.map(row => row.reduce((a, b) => a + b, 0))
  const recalls = confusion.flatMap((row, k) => (counts[k]! > 0 ? [row[k]! / counts[k]!] : []))
  return {
    rows: truth.length,
    accuracy: right / truth.length,
    ...(isImbalanced(counts) && { balancedAccuracy: recalls.reduce((a, b) => a + b, 0) / recalls.length }),
    confusion,
  }
}

function scoreNumbers(given: ArrayLike<number>, truth: ArrayLike<number>, { std }: { readonly std: number }): NumberScore {
  const rows = truth.length
  let [squares, absolute, sum] = [0, 0, 0]
  for (let i = 0; i < rows; i++) {
    const error = given[i]! - truth[i]!
    squares += error * error
    absolute += Math.abs(error)
    sum += truth[i]!
  }
  let deviation = 0
  for (let i = 0; i < rows; i++) deviation += (truth[i]! - sum / rows) * (truth[i]! - sum / rows)
  return {
    rows,
    rmse: Math.sqrt(squares / rows) * std,
    mae: (absolute / rows) * std,
    r2: deviation > 0 ? 1 - squares / deviation : Number.NaN,
  }
}

/** What all folds say together: accuracy, or RMSE in the target's unit. */
export interface FoldResult {
  readonly measure: "accuracy" | "rmse"
  readonly scores: readonly number[]
  readonly mean: number
  /** Of the mean, as if folds were independent: their training rows overlap, so it is rather too small. */
  readonly standardError: number
}

/** Mean and standard error of the folds' accuracies or RMSEs. */
export function together(scores: readonly number[], target: TargetColumn): FoldResult {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
  const squares = scores.reduce((sum, score) => sum + (score - mean) * (score - mean), 0)
  const standardError = Math.sqrt(squares / (scores.length - 1) / scores.length)
  return { measure: target.kind === "class" ? "accuracy" : "rmse", scores, mean, standardError }
}
