// Rows as objects with the names of columns, such as JSON holds them.
import { categoryOf, isMissing, numberOf } from "./cells.ts"
import { type DateOrder, daysOf, writeDate } from "./dates.ts"
import { type Encoding, type InputColumn, type NumberColumn, type TargetColumn, widthOf } from "./encoding.ts"
import { DataError } from "./errors.ts"
import { closest, listNames, quote } from "./names.ts"

/** A row by column. A number may come as text; `null` and empty text are values that are not known. */
export type DataRecord = { readonly [column: string]: string | number | boolean | null }

/** Rows as numbers, and what their sender should know. */
export interface EncodedRecords {
  /** [rows, features] as `encode` makes them of a table. */
  readonly x: Float32Array
  /** Categories that training has not seen, with row and column. */
  readonly warnings: readonly string[]
}

/**
 * Encodes rows that are objects as training encoded the rows of its table: other columns are ignored, an unknown value is the mean of
 * the training rows or none of the categories; dates come as text. What comes is not trusted: only own properties count.
 *
 * @throws DataError that names row (counted from 1) and column, for a row that is no object, a column that is missing, a value of
 * another kind, a text among numbers.
 * @example
 * const encoding = fitEncoding(parseCsv("size,kind\n1,a\n3,b\n2,a\n4,b\n"), { target: "kind" })
 * encodeRecords(encoding, [{ size: 2.5 }, { size: "4" }]).x  // [0, 1.342]
 */
export function encodeRecords(encoding: Encoding, records: readonly unknown[]): EncodedRecords {
  const { inputs } = encoding
  const stride = inputs.reduce((n, column) => n + widthOf(column), 0)
  const x = new Float32Array(records.length * stride)
  const warnings: string[] = []
  records.forEach((record, row) => {
    let at = row * stride
    for (const column of inputs) {
      const where = `row ${row + 1}, column ${quote(column.name)}`
      const cell = cellOf(record, column, row, inputs)
      if (isMissing(cell.text)) {
        // zeros: the mean, or none of the categories
      } else if (column.kind === "number") x[at] = standardised(column, cell, where)
      else if (column.kind === "date") writeDate(column, dateOf(cell.text, column.order, where), x, at)
      else {
        const hot = column.values.indexOf(categoryOf(cell.text))
        if (hot >= 0) x[at + hot] = 1
        else warnings.push(`${where}: ${quote(cell.text)} was not seen in training; it counts as none of ${listNames(column.values)}.`)
      }
      at += widthOf(column)
    }
  })
  return { x, warnings }
}

/**
 * The answer that a row should have had, as training encodes it: the number of a class, or a standardised number.
 *
 * @throws DataError for an unknown value, a class that the model does not know, a text for a number.
 */
export function encodeAnswer(target: TargetColumn, value: unknown, row: number): number {
  const where = `answer ${row + 1} (${quote(target.name)})`
  const cell = textOf(value, where, target.kind)
  if (target.kind === "number") {
    if (isMissing(cell.text)) throw new DataError(`${where}: wanted a number, got ${quote(cell.text)}.`)
    return standardised(target, cell, where)
  }
  const found = target.values.indexOf(categoryOf(cell.text))
  if (found < 0) throw new DataError(`${where}: wanted one of the classes ${listNames(target.values)}, got ${quote(cell.text)}.`)
  return found
}

interface Cell {
  readonly text: string
  /** A number that came as one, which no text has to be made of. */
  readonly number: number | undefined
}

function cellOf(record: unknown, column: InputColumn, row: number, inputs: readonly InputColumn[]): Cell {
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    const columns = listNames(inputs.map(input => input.name))
    throw new DataError(`row ${row + 1}: wanted an object with the columns ${columns}, got ${kindOf(record)}.`)
  }
  if (!Object.hasOwn(record, column.name)) {
    const known = new Set(inputs.map(input => input.name))
    const near = closest(
      column.name,
      Object.keys(record).filter(name => !known.has(name)),
    )
    throw new DataError(
      `row ${row + 1}: column ${quote(column.name)} is missing.${near === undefined ? "" : ` Is it ${quote(near)}?`} ` +
        "Give null if its value is not known.",
    )
  }
  return textOf((record as Record<string, unknown>)[column.name], `row ${row + 1}, column ${quote(column.name)}`, column.kind)
}

function textOf(value: unknown, where: string, kind: (InputColumn | TargetColumn)["kind"]): Cell {
  if (value === null) return { text: "", number: undefined }
  if (typeof value === "string") return { text: value.trim(), number: undefined }
  if (kind === "date") throw new DataError(`${where}: wanted a date as text, got ${kindOf(value)}.`)
  if (typeof value === "number" && Number.isFinite(value)) return { text: String(value), number: value }
  if (typeof value === "boolean" && kind !== "number") return { text: String(value), number: undefined }
  const wanted = kind === "number" ? "a finite number" : kind === "class" ? "the name of a class" : "a text or a number"
  throw new DataError(`${where}: wanted ${wanted}, got ${kindOf(value)}.`)
}

function standardised(column: NumberColumn, { text, number }: Cell, where: string): number {
  const value = number ?? numberOf(text, ".")
  if (Number.isNaN(value)) throw new DataError(`${where}: wanted a number, got ${quote(text)}. Give null if its value is not known.`)
  const scaled = Math.fround((value - column.mean) / column.std)
  if (!Number.isFinite(scaled)) {
    throw new DataError(`${where}: ${quote(text)} is out of all proportion to the training rows, whose mean is ${column.mean}.`)
  }
  return scaled
}

function dateOf(text: string, order: DateOrder, where: string): number {
  const days = daysOf(text, order)
  if (!Number.isNaN(days)) return days
  const form = order === "ymd" ? "2023-01-31" : "31.01.2023"
  throw new DataError(`${where}: wanted a date such as ${form}, got ${quote(text)}. Give null if it is not known.`)
}

const kindOf = (value: unknown): string =>
  value === null
    ? "null"
    : value === undefined
      ? "nothing"
      : Array.isArray(value)
        ? "a list"
        : typeof value === "object"
          ? "an object"
          : String(value)
