import { type DateOrder, dateFeatures } from "./dates.ts"
import { DataError } from "./errors.ts"

/**
 * How a table becomes numbers, and predictions become answers. Plain JSON without functions, saved with the model, so that the rows to
 * predict are treated exactly as the training rows were.
 */
export interface Encoding {
  /** The input columns in the order of the features. */
  readonly inputs: readonly InputColumn[]
  readonly target: TargetColumn
  /** What fitting decided that the user should know: columns left out, columns that never vary. */
  readonly notes: readonly string[]
}

/** A column of numbers, encoded as one feature (value - mean) / std; a missing cell as the mean, which is 0. */
export interface NumberColumn {
  readonly name: string
  readonly kind: "number"
  readonly mean: number
  /** The population standard deviation of the training rows, or 1 where they are all equal. */
  readonly std: number
}

/**
 * A column of categories, encoded as one feature for each value: 1 for the cell's own value, 0 for the others; missing and unseen all
 * 0.
 */
export interface CategoryColumn {
  readonly name: string
  readonly kind: "category"
  readonly values: readonly string[]
}

/**
 * A column of dates, encoded as (days - mean) / std, sine and cosine of the time of the year, one feature for each day of the week (1 for
 * the date's own) and, with `times`, sine and cosine of the time of day; all 0 for a missing cell.
 */
export interface DateColumn {
  readonly name: string
  readonly kind: "date"
  /** What comes first in a cell: the year, or the day. */
  readonly order: DateOrder
  /** Of the training rows, in days since 1970-01-01. */
  readonly mean: number
  readonly std: number
  /** Whether there are times of day among the training rows. */
  readonly times: boolean
}

/** A column to predict from. */
export type InputColumn = NumberColumn | CategoryColumn | DateColumn

/** The features that a column becomes. */
export const widthOf = (column: InputColumn): number =>
  column.kind === "number" ? 1 : column.kind === "category" ? column.values.length : column.times ? 12 : 10

/** The column to predict: a class, encoded as its index in `values`, or a number, encoded as (value - mean) / std. */
export type TargetColumn = NumberColumn | { readonly name: string; readonly kind: "class"; readonly values: readonly string[] }

/**
 * The names of the features in order: `age` for a number, `city=Rome` for a category, `day sin year`, `day=Monday` and so on for a date.
 *
 * @example
 * const encoding = fitEncoding(parseCsv("size,city,y\n1,Oslo,0\n2,Rome,1\n4,Oslo,1\n3,Rome,0\n"), { target: "y" })
 * featureNames(encoding)  // ["size", "city=Oslo", "city=Rome"]
 */
export function featureNames(encoding: Encoding): string[] {
  return encoding.inputs.flatMap(column =>
    column.kind === "number"
      ? [column.name]
      : column.kind === "date"
        ? dateFeatures(column)
        : column.values.map(value => `${column.name}=${value}`),
  )
}

/**
 * Checks that a value read from JSON is an encoding, and returns a copy with nothing else in it.
 *
 * @throws DataError that names the field which is not as it should be.
 * @example
 * const text = JSON.stringify(fitEncoding(parseCsv("size,y\n1,0\n2,1\n4,1\n"), { target: "y" }))
 * readEncoding(JSON.parse(text)).target.name  // "y"
 */
export function readEncoding(value: unknown): Encoding {
  const { inputs, target, notes } = object(value, "encoding")
  const result = {
    inputs: array(inputs, "encoding.inputs").map((item, i) => column(item, `encoding.inputs[${i}]`, "category") as InputColumn),
    target: column(target, "encoding.target", "class") as TargetColumn,
    notes: strings(notes, "encoding.notes"),
  }
  const names = [...result.inputs.map(input => input.name), result.target.name]
  need(new Set(names).size === names.length, "encoding", "columns with different names")
  need(result.inputs.length > 0, "encoding.inputs", "at least one column")
  return result
}

function column(value: unknown, path: string, listKind: "category" | "class"): object {
  const { name, kind, mean, std, values, order, times } = object(value, path)
  need(typeof name === "string", `${path}.name`, "a string")
  const isDate = kind === "date" && listKind === "category"
  if (kind === "number" || isDate) {
    need(Number.isFinite(mean), `${path}.mean`, "a finite number")
    need(Number.isFinite(std) && (std as number) > 0, `${path}.std`, "a positive number")
    if (!isDate) return { name, kind, mean, std }
    need(order === "ymd" || order === "dmy", `${path}.order`, '"ymd" or "dmy"')
    need(typeof times === "boolean", `${path}.times`, "true or false")
    return { name, kind, order, mean, std, times }
  }
  need(kind === listKind, `${path}.kind`, `"number" or "${listKind}"`)
  const list = strings(values, `${path}.values`)
  need(list.length > 0 && new Set(list).size === list.length, `${path}.values`, "different values, at least one")
  return { name, kind, values: list }
}

function object(value: unknown, path: string): Record<string, unknown> {
  need(typeof value === "object" && value !== null && !Array.isArray(value), path, "an object")
  return value as Record<string, unknown>
}

function array(value: unknown, path: string): unknown[] {
  need(Array.isArray(value), path, "a list")
  return value as unknown[]
}

function strings(value: unknown, path: string): string[] {
  const list = array(value, path)
  need(
    list.every(item => typeof item === "string"),
    path,
    "a list of strings",
  )
  return list as string[]
}

function need(holds: boolean, path: string, wanted: string): void {
  if (!holds)
    throw new DataError(`The model's description of its data is damaged: ${path} should be ${wanted}. Save or download the model again.`)
}
