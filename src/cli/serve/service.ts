// What a server answers to: rows from outside, looked at before the network sees them.

import { fromArray } from "../../core/concrete.ts"
import type { InputColumn, TargetColumn } from "../../data/encoding.ts"
import { DataError } from "../../data/errors.ts"
import { quote } from "../../data/names.ts"
import { encodeRecords } from "../../data/records.ts"
import { numbersOf } from "../../standalone/runtime/rows.ts"
import { loadModel, rowsOf, type TrainedModel } from "../../train.ts"
import { type Answer, answerOf, answers } from "../answers.ts"
import { isImages, openModel, type Saved } from "../saved.ts"

export interface Predicted {
  readonly predictions: readonly (Answer | { readonly outputs: readonly number[] })[]
  readonly warnings?: readonly string[]
}
export interface Service {
  /** What the model is, as plain JSON. */
  readonly info: { readonly [field: string]: unknown }
  /** Throws DataError, RangeError or TypeError for rows that are not as they should be. */
  predict(rows: readonly unknown[]): Predicted
}

/** Rows are filled up to one of these numbers, each of which is compiled once; more come in pieces of the largest. */
const SIZES = [1, 16, 128, 1000]
const filled = (rows: number): number => SIZES.find(n => n >= rows) ?? Math.ceil(rows / 1000) * 1000

/** The model in a folder as a service. */
export async function openService(dir: string): Promise<Service> {
  const { trained, encoding } = await loadModel(dir)
  return encoding === undefined ? plain(trained) : encoded(await openModel(dir))
}

function encoded({ model, encoding }: Saved): Service {
  const { target } = encoding
  const [features] = model.inShape as [number]
  const answer = (x: Float32Array, rows: number): Answer[] => {
    const all = new Float32Array(filled(rows) * features)
    all.set(x)
    const columns = answers(model, rowsOf(all, [features]), target)
    return Array.from({ length: rows }, (_, row) => answerOf(columns, target, row))
  }
  if (isImages(encoding)) {
    const { shape, scale } = encoding
    return {
      info: { input: { kind: "images", shape, pixels: features }, target: describe(target) },
      predict: rows => ({
        predictions: answer(
          numbers(rows, features).map(v => Math.fround(v) * scale),
          rows.length,
        ),
      }),
    }
  }
  const names = encoding.inputs.map(column => column.name)
  return {
    info: { input: { kind: "table", columns: encoding.inputs.map(describe) }, target: describe(target) },
    predict(rows) {
      const records = rows.map((row, i) => (Array.isArray(row) ? recordOf(row, names, i) : row))
      const { x, warnings } = encodeRecords(encoding, records)
      return { predictions: answer(x, rows.length), ...(warnings.length > 0 && { warnings }) }
    },
  }
}

/** A model that knows its shapes only: numbers in, numbers out. */
function plain(model: TrainedModel): Service {
  const { inShape } = model
  const size = inShape.reduce((a, b) => a * b, 1)
  return {
    info: { input: { kind: "numbers", shape: inShape } },
    predict(rows) {
      const n = filled(rows.length)
      const all = new Float32Array(n * size)
      all.set(numbers(rows, size))
      const y = model.predict(fromArray(all, { shape: [n, ...inShape], dtype: "f32" })).values()
      const width = y.length / n
      return { predictions: rows.map((_, i) => ({ outputs: Array.from(y.subarray(i * width, (i + 1) * width)) })) }
    },
  }
}

/** Rows of numbers one after another. */
function numbers(rows: readonly unknown[], size: number): Float32Array {
  const odd = rows.findIndex(row => !Array.isArray(row))
  if (odd >= 0) throw new DataError(`row ${odd + 1}: wanted a list of ${size} numbers.`)
  try {
    return Float32Array.from(numbersOf(rows, { size, dtype: "f32" }, "rows").values)
  } catch (error) {
    throw new DataError((error as Error).message)
  }
}

/** A list of cells as an object: cells follow each other as the columns of the training did. */
function recordOf(cells: readonly unknown[], names: readonly string[], row: number): object {
  if (cells.length !== names.length)
    throw new DataError(
      `row ${row + 1}: wanted ${names.length} values, of the columns ${names.map(quote).join(", ")}; got ${cells.length}.`,
    )
  return Object.fromEntries(names.map((name, i) => [name, cells[i]]))
}

/** A column as a client needs to know it. */
const describe = (column: TargetColumn | InputColumn) => ({
  name: column.name,
  kind: column.kind,
  ...("values" in column && { values: column.values }),
})
