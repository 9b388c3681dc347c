import { categoryOf, isMissing, numberOf } from "./cells.ts"
import { place, type Table } from "./csv.ts"
import { dateText, daysOf, writeDate } from "./dates.ts"
import {
  type CategoryColumn,
  type DateColumn,
  type Encoding,
  featureNames,
  type InputColumn,
  type NumberColumn,
  widthOf,
} from "./encoding.ts"
import { DataError } from "./errors.ts"
import { checkTargetPresent, missingColumns, notADate, notANumber } from "./fit.ts"
import { closest, count, listNames, quote } from "./names.ts"

/** What `encode` may be told. */
export interface EncodeOptions {
  /** Whether to encode the target as well; then no cell of it may be missing. */
  readonly target?: boolean
  /** The rows to encode, counted from 0, in this order; all rows if not given. */
  readonly rows?: Int32Array
}

/** A table as numbers. */
export interface Encoded {
  /** [rows, features] inputs, row after row, standardised and one-hot, dates as `DateColumn` says. */
  readonly x: Float32Array
  readonly rows: number
  readonly features: number
  /** [rows] class indices (Int32Array) or standardised numbers (Float32Array), if the target was asked for. */
  readonly y?: Int32Array | Float32Array
  /** [features] */
  readonly featureNames: readonly string[]
  /** What the user should know: missing cells and categories that training has not seen, with column, value and count. */
  readonly warnings: readonly string[]
}

/**
 * Encodes the rows of a table as training did. Columns are found by name, so their order does not matter and others are ignored.
 *
 * @throws DataError for a column that is missing (naming one that looks renamed), a text among numbers, a missing or unknown target.
 * @example
 * const table = parseCsv("size,kind\n1,a\n3,b\n2,a\n4,b\n")
 * const { x, y } = encode(fitEncoding(table, { target: "kind" }), table, { target: true })  // [-1.342, 0.4472, -0.4472, 1.342], [0, 1, 0, 1]
 */
export function encode(encoding: Encoding, table: Table, { target = false, rows: chosen }: EncodeOptions = {}): Encoded {
  const odd = new OddCells(encoding)
  const rows = chosen ?? Int32Array.from({ length: table.rows }, (_, i) => i)
  const { x, y } = encodeRows(encoding, table, rows, target, odd)
  const names = featureNames(encoding)
  const shape = { rows: rows.length, features: names.length }
  return { x, ...shape, ...(y === undefined ? {} : { y }), featureNames: names, warnings: odd.warnings() }
}

/** Cells that tell nothing: missing ones, and categories that training has not seen; counted over all tables that are encoded with it. */
export class OddCells {
  private readonly columns: readonly { readonly column: InputColumn; missing: number; readonly unseen: Map<string, number> }[]
  rows = 0
  constructor({ inputs }: Encoding) {
    this.columns = inputs.map(column => ({ column, missing: 0, unseen: new Map() }))
  }
  /** The counts of one column. */
  of(i: number) {
    return this.columns[i]!
  }
  /** In sentences. */
  warnings(): string[] {
    return this.columns.flatMap(({ column, missing, unseen }) => [
      ...(unseen.size > 0 ? [unseenText(column.name, unseen)] : []),
      ...(missing > 0 ? [missingText(column, missing, this.rows)] : []),
    ])
  }
}

function unseenText(name: string, unseen: ReadonlyMap<string, number>): string {
  const shown = [...unseen].slice(0, 3).map(([value, n]) => `${quote(value)} (${count(n, "row")})`)
  const more = unseen.size > 3 ? ` and ${unseen.size - 3} more` : ""
  return `Column ${quote(name)}: not seen in training: ${shown.join(", ")}${more}; they count as none of its categories.`
}

function missingText(column: InputColumn, missing: number, rows: number): string {
  const instead =
    column.kind === "category"
      ? "none of its categories"
      : `the mean of the training rows, ${column.kind === "date" ? dateText(column.mean) : Number(column.mean.toPrecision(6))},`
  return `Column ${quote(column.name)}: ${missing} of ${count(rows, "cell")} missing; ${instead} stands in.`
}

/** What `encode` does, for one of many tables: `odd` counts on. */
export function encodeRows(encoding: Encoding, table: Table, rows: Int32Array, target: boolean, odd: OddCells): Pick<Encoded, "x" | "y"> {
  checkColumns(encoding, table, target)
  const features = encoding.inputs.reduce((n, column) => n + widthOf(column), 0)
  const x = new Float32Array(rows.length * features)
  let at = 0
  for (const [i, column] of encoding.inputs.entries()) {
    const counts = odd.of(i)
    counts.missing +=
      column.kind === "number"
        ? encodeNumbers(column, table, rows, x, at, features)
        : column.kind === "date"
          ? encodeDates(column, table, rows, x, at, features)
          : encodeCategories(column, table, rows, x, at, features, counts.unseen)
    at += widthOf(column)
  }
  odd.rows += rows.length
  return { x, ...(target && { y: encodeTarget(encoding, table, rows) }) }
}

/**
 * Turns predictions back into the target's own terms: class indices into class names, standardised numbers into numbers.
 *
 * @param values [rows] class indices or standardised numbers
 * @throws RangeError for an index that is no class.
 * @example
 * decodeTarget({ target: { name: "species", kind: "class", values: ["setosa", "virginica"] } }, [0, 1])  // ["setosa", "virginica"]
 */
export function decodeTarget({ target }: Pick<Encoding, "target">, values: ArrayLike<number>): (string | number)[] {
  return Array.from(values, value => {
    if (target.kind === "number") return value * target.std + target.mean
    const name = target.values[value]
    if (name === undefined) throw new RangeError(`decodeTarget: wanted class indices from 0 to ${target.values.length - 1}, got ${value}.`)
    return name
  })
}

/** @throws DataError for columns that the table lacks. */
export function checkColumns(encoding: Encoding, table: Table, target: boolean): void {
  const wanted = [...encoding.inputs.map(column => column.name), ...(target ? [encoding.target.name] : [])]
  const missing = wanted.filter(name => !table.columns.includes(name))
  if (missing.length === 0) return
  const known = new Set([...wanted, encoding.target.name])
  const spare = table.columns.filter(name => !known.has(name))
  throw missingColumns(table, missing, name => closest(name, spare))
}

// They return the number of missing cells. `at` is the column's first feature, `stride` the number of all features.

function encodeNumbers(column: NumberColumn, table: Table, rows: Int32Array, x: Float32Array, at: number, stride: number): number {
  const cells = table.column(column.name)
  let missing = 0
  for (let i = 0; i < rows.length; i++) {
    const cell = cells[rows[i]!]!
    if (isMissing(cell)) missing++
    else x[i * stride + at] = standardised(column, table, rows[i]!, cell)
  }
  return missing
}

function encodeDates(column: DateColumn, table: Table, rows: Int32Array, x: Float32Array, at: number, stride: number): number {
  const cells = table.column(column.name)
  let missing = 0
  for (let i = 0; i < rows.length; i++) {
    const cell = cells[rows[i]!]!
    const days = daysOf(cell, column.order)
    if (isMissing(cell)) missing++
    else if (!Number.isNaN(days)) writeDate(column, days, x, i * stride + at)
    else {
      const form = column.order === "ymd" ? "2023-01-31" : "31.01.2023"
      const advice = `this column held dates such as ${form} in training. Correct the cell, or leave it empty if the date is unknown.`
      throw notADate(table, rows[i]!, column.name, advice)
    }
  }
  return missing
}

function standardised(column: NumberColumn, table: Table, row: number, cell: string): number {
  const value = numberOf(cell, table.decimal)
  if (Number.isNaN(value)) {
    throw notANumber(
      table,
      row,
      column.name,
      "this column held numbers in training. Correct the cell, or leave it empty if the value is unknown.",
    )
  }
  const scaled = Math.fround((value - column.mean) / column.std)
  if (!Number.isFinite(scaled)) {
    throw new DataError(
      `${place(table, row, column.name)}: ${quote(cell)} is out of all proportion to the training rows, whose mean is ${column.mean}. ` +
        "Correct the cell, or leave it empty if the value is unknown.",
    )
  }
  return scaled
}

function encodeCategories(
  column: CategoryColumn,
  table: Table,
  rows: Int32Array,
  x: Float32Array,
  at: number,
  stride: number,
  unseen: Map<string, number>,
): number {
  const cells = table.column(column.name)
  const index = new Map(column.values.map((value, i) => [value, i]))
  let missing = 0
  for (let i = 0; i < rows.length; i++) {
    const cell = cells[rows[i]!]!
    if (isMissing(cell)) {
      missing++
      continue
    }
    const value = categoryOf(cell)
    const hot = index.get(value)
    if (hot === undefined) unseen.set(value, (unseen.get(value) ?? 0) + 1)
    else x[i * stride + at + hot] = 1
  }
  return missing
}

function encodeTarget({ target }: Encoding, table: Table, rows: Int32Array): Int32Array | Float32Array {
  checkTargetPresent(table, target.name, rows)
  const cells = table.column(target.name)
  if (target.kind === "number") return Float32Array.from(rows, row => standardised(target, table, row, cells[row]!))
  const index = new Map(target.values.map((value, i) => [value, i]))
  return Int32Array.from(rows, row => {
    const found = index.get(categoryOf(cells[row]!))
    if (found !== undefined) return found
    throw new DataError(
      `${place(table, row, target.name)}: ${quote(cells[row]!)} is none of the classes the model knows: ${listNames(target.values)}. ` +
        "Correct the cell, or train again with rows of this class.",
    )
  })
}
