import { categoryOf, compareCategories, isMissing, numberOf } from "./cells.ts"
import { type ColumnInfo, type DateInfo, describeColumn, likelyTarget } from "./columns.ts"
import { place, suggest, type Table } from "./csv.ts"
import { daysOf } from "./dates.ts"
import type { DateColumn, Encoding, InputColumn, NumberColumn, TargetColumn } from "./encoding.ts"
import { DataError } from "./errors.ts"
import { count, listNames, quote } from "./names.ts"

/** What `fitEncoding` is told. */
export interface FitOptions {
  /** The column to predict. */
  readonly target: string
  /** Found from the target's cells if not given. */
  readonly task?: "classification" | "regression"
  /** Columns to leave out. */
  readonly ignore?: readonly string[]
  /** Columns to read as categories though they look like numbers or free text. */
  readonly categories?: readonly string[]
  /** The training rows, counted from 0; means, deviations and categories come from them alone. All rows if not given. */
  readonly rows?: Int32Array
}

/** Numbers of so many different values may be classes. */
export const MAX_CLASSES_OF_NUMBERS = 20
const MAX_CLASS_SHARE = 0.05

/**
 * Finds out how to encode a table for training: which columns are numbers, dates or categories, their means, deviations and values.
 *
 * Ids, free text and columns without information are left out, and `notes` says so. Without `task`, a target of texts, of two whole
 * numbers, or of at most 20 whole numbers that make up at most 5 % of the rows is classified; others are regressed. The classes come
 * from all rows, since they name the question rather than describe the training rows.
 *
 * @throws DataError for a column that is not there, a target with missing cells or one value only, a text among numbers.
 * @example
 * const table = parseCsv("size,kind\n1,a\n3,b\n2,a\n4,b\n")
 * fitEncoding(table, { target: "kind" }).target  // { name: "kind", kind: "class", values: ["a", "b"] }
 */
export function fitEncoding(table: Table, { target, task, ignore = [], categories = [], rows }: FitOptions = {} as FitOptions): Encoding {
  if (typeof target !== "string")
    throw new TypeError(`fitEncoding: wants the column to predict, as in { target: "species" }; got ${typeof target}`)
  if (!table.columns.includes(target)) throw missingTarget(table, target)
  for (const name of [...ignore, ...categories]) table.column(name)
  if (ignore.includes(target))
    throw new DataError(`The target ${quote(target)} is also among the columns to ignore; wanted it in one place only.`)
  const training = rows ?? Int32Array.from({ length: table.rows }, (_, i) => i)
  if (training.length === 0) throw new DataError(`${table.name}: no training rows are left; wanted at least one.`)
  const targetColumn = fitTarget(table, describeColumn(table, target), task, training)
  const notes: string[] = []
  const inputs: InputColumn[] = []
  for (const name of table.columns) {
    if (name === target || ignore.includes(name)) continue
    const column = fitInput(table, describeColumn(table, name), categories.includes(name), training, notes)
    if (column !== undefined) inputs.push(column)
  }
  if (inputs.length === 0) {
    const why = notes.length > 0 ? ` ${notes.join(" ")}` : ""
    throw new DataError(`${table.name} has no column to predict ${quote(target)} from; wanted at least one of numbers or categories.${why}`)
  }
  return { inputs, target: targetColumn, notes }
}

function missingTarget(table: Table, target: string): DataError {
  const likely = likelyTarget(table.columns.map(name => describeColumn(table, name)))
  const hint = likely === undefined ? "" : ` The likely target is ${quote(likely)}.`
  return new DataError(`${table.name} has no column ${quote(target)} to predict. ${suggest(target, table.columns)}${hint}`)
}

function fitTarget(table: Table, info: ColumnInfo, task: FitOptions["task"], training: Int32Array): TargetColumn {
  const name = info.name
  const cells = table.column(name)
  checkTargetPresent(table, name)
  const kind = task ?? inferTask(table, info)
  if (kind === "regression") {
    const first = cells.findIndex(cell => Number.isNaN(numberOf(cell, table.decimal)))
    if (first >= 0)
      throw notANumber(table, first, name, "a target of regression is a column of numbers; correct the cell, or classify instead.")
    if (info.distinct <= 1) throw oneValue(table, name, cells[0]!)
    return fitNumbers(table, name, training, []) as NumberColumn
  }
  const values = [...new Set(cells.map(categoryOf))].sort(compareCategories)
  if (values.length === 1) throw oneValue(table, name, values[0]!)
  if (values.length > MAX_CLASSES_OF_NUMBERS && values.length > table.rows / 2) {
    throw new DataError(
      `${table.name}: the target ${quote(name)} has ${values.length} different values in ${table.rows} rows, too many to be classes. ` +
        `Wanted values that come again and again, or${info.numbers === undefined ? "" : " regression, or"} another target.`,
    )
  }
  return { name, kind: "class", values }
}

function inferTask(table: Table, info: ColumnInfo): "classification" | "regression" {
  if (info.numbers === undefined) return "classification"
  checkNoStray(table, info)
  if (!info.numbers.whole) return "regression"
  const few = info.distinct <= MAX_CLASSES_OF_NUMBERS && info.distinct <= MAX_CLASS_SHARE * table.rows
  return few || info.distinct <= 2 ? "classification" : "regression"
}

/** @throws DataError that names the first rows in which the target is missing. */
export function checkTargetPresent(table: Table, name: string, rows?: Int32Array): void {
  const cells = table.column(name)
  const all = rows ?? Int32Array.from({ length: table.rows }, (_, i) => i)
  const missing = [...all.filter(row => isMissing(cells[row]!))].map(row => table.lines[row]!)
  if (missing.length === 0) return
  const shown = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ", ..." : "")
  throw new DataError(
    `${table.name}: the target ${quote(name)} is missing in ${count(missing.length, "row")} (row ${shown}${table.header ? "; the header is row 1" : ""}). ` +
      "Fill these cells in, or remove the rows.",
  )
}

function oneValue(table: Table, name: string, value: string): DataError {
  return new DataError(
    `${table.name}: the target ${quote(name)} is ${quote(value)} in all ${count(table.rows, "row")}, one class only, ` +
      "so there is nothing to learn. Wanted at least two different values; add rows of another class, or choose another target.",
  )
}

function fitInput(table: Table, info: ColumnInfo, asCategory: boolean, training: Int32Array, notes: string[]): InputColumn | undefined {
  const { name, type } = info
  const leaveOut = (why: string) => void notes.push(`Column ${quote(name)} is left out: ${why}.`)
  if (info.distinct === 0) return leaveOut("it is empty")
  if (info.dates !== undefined && !asCategory) {
    checkNoStray(table, info)
    return fitDates(table, name, info.dates, training, leaveOut)
  }
  if (asCategory || (info.numbers === undefined && type === "category")) return fitCategories(table, name, training, leaveOut)
  if (type === "id") return leaveOut("it looks like an id, different in every row")
  if (type === "text") return leaveOut(`it holds text with ${info.distinct} different values`)
  if (info.numbers === undefined) return leaveOut(`it is ${quote(info.examples[0]!)} in all rows`)
  checkNoStray(table, info)
  return fitNumbers(table, name, training, notes)
}

function fitCategories(table: Table, name: string, training: Int32Array, leaveOut: (why: string) => undefined): InputColumn | undefined {
  const cells = table.column(name)
  const values = new Set<string>()
  for (const row of training) if (!isMissing(cells[row]!)) values.add(categoryOf(cells[row]!))
  if (values.size < 2) return leaveOut("it does not vary in the training rows")
  return { name, kind: "category", values: [...values].sort(compareCategories) }
}

function fitNumbers(table: Table, name: string, training: Int32Array, notes: string[]): NumberColumn | undefined {
  const cells = table.column(name)
  const values: number[] = []
  for (const row of training) if (!isMissing(cells[row]!)) values.push(numberOf(cells[row]!, table.decimal))
  if (values.length === 0) return void notes.push(`Column ${quote(name)} is left out: it is empty in the training rows.`)
  if (values.every(value => value === values[0])) {
    notes.push(`Column ${quote(name)} is ${values[0]} in all training rows; it is kept, but tells nothing.`)
    return { name, kind: "number", mean: values[0]!, std: 1 }
  }
  const { mean, std } = meanAndStd(values)
  if (!Number.isFinite(std) || std === 0) {
    throw new DataError(
      `${table.name}: the numbers of column ${quote(name)} are too large or too small to standardise; wanted another unit.`,
    )
  }
  return { name, kind: "number", mean, std }
}

/** Two passes: the sum of squares alone would lose all digits of a small spread around a large mean. */
function meanAndStd(values: readonly number[]): { readonly mean: number; readonly std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, std: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / values.length) }
}

function fitDates(
  table: Table,
  name: string,
  { order }: DateInfo,
  training: Int32Array,
  leaveOut: (why: string) => undefined,
): DateColumn | undefined {
  const cells = table.column(name)
  const days = Array.from(training, row => daysOf(cells[row]!, order)).filter(day => !Number.isNaN(day))
  if (days.every(day => day === days[0])) return leaveOut("its dates do not vary in the training rows")
  return { name, kind: "date", order, ...meanAndStd(days), times: days.some(day => !Number.isInteger(day)) }
}

function checkNoStray(table: Table, info: ColumnInfo): void {
  const stray = info.stray[0]
  if (stray === undefined) return
  const advice =
    "nearly all other cells of this column are. Correct the cell, leave it empty if the value is unknown, or read the column as categories."
  throw (info.dates ? notADate : notANumber)(table, stray.row, info.name, advice)
}

/** The error for a cell that should be a number. */
export function notANumber(table: Table, row: number, name: string, advice: string): DataError {
  return new DataError(`${place(table, row, name)}: ${quote(table.column(name)[row]!)} is not a number; ${advice}`)
}

/** The error for a cell that should be a date. */
export function notADate(table: Table, row: number, name: string, advice: string): DataError {
  return new DataError(`${place(table, row, name)}: ${quote(table.column(name)[row]!)} is not a date; ${advice}`)
}

/** The error for columns that the table lacks, with the columns that look like them. */
export function missingColumns(table: Table, missing: readonly string[], near: (name: string) => string | undefined): DataError {
  const described = missing.map(name => {
    const found = near(name)
    const hint = found === undefined ? "." : `; ${quote(found)} looks like it: rename that column to ${quote(name)}.`
    return `Column ${quote(name)} is missing${hint}`
  })
  return new DataError(
    `${table.name} lacks ${count(missing.length, "column")} that the model was trained on. ${described.join(" ")} ` +
      `Its columns are ${listNames(table.columns)}.`,
  )
}
