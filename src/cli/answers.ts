// A model's answers in the target's own terms, as columns and row by row.
import { decodeTarget } from "../data/encode.ts"
import type { TargetColumn } from "../data/encoding.ts"
import { softmax } from "../index.ts"
import type { CsvColumn } from "../io/csv.ts"
import type { Rows } from "../train.ts"
import type { Saved } from "./saved.ts"
import { largest, outputsOf } from "./scores.ts"

export interface Answer {
  readonly prediction: string | number
  readonly probabilities?: { readonly [name: string]: number }
}

/** The prediction, and for classes the probability of each. */
export function answers(model: Saved["model"], x: Rows, target: TargetColumn): CsvColumn[] {
  if (target.kind === "number") {
    // The network computes with seven digits; more would be noise.
    const values = decodeTarget({ target }, outputsOf(model, x).values).map(value => Number((value as number).toPrecision(7)))
    return [{ name: "prediction", values }]
  }
  const { values, width } = outputsOf(model, x, y => softmax(y))
  const probabilities = target.values.map((name, k) => ({
    name: `p(${name})`,
    values: Float64Array.from({ length: x.rows }, (_, row) => Number(values[row * width + k]!.toPrecision(6))),
  }))
  return [{ name: "prediction", values: decodeTarget({ target }, largest(values, width)) }, ...probabilities]
}

/** What the columns of `answers` say of one row. */
export function answerOf(columns: readonly CsvColumn[], target: TargetColumn, row: number): Answer {
  const [prediction, ...probabilities] = columns as [CsvColumn, ...CsvColumn[]]
  const p = target.kind === "class" && Object.fromEntries(target.values.map((name, k) => [name, probabilities[k]!.values[row] as number]))
  return { prediction: prediction.values[row]!, ...(p && { probabilities: p }) }
}
