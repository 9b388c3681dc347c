// Which rows of a table are for training, validation and the test.
import { categoryOf, isMissing, numberOf } from "../data/cells.ts"
import { describeColumn } from "../data/columns.ts"
import { place, type Table } from "../data/csv.ts"
import { daysOf } from "../data/dates.ts"
import type { TargetColumn } from "../data/encoding.ts"
import { DataError } from "../data/errors.ts"
import { quote } from "../data/names.ts"
import { kFold, type Split, type SplitOptions, splitRows } from "../data/split.ts"

/** How rows are divided; saved with the model, so that `evaluate` finds the rows that training has not seen. */
export interface Division {
  readonly seed: number
  readonly test: number
  readonly validation: number
  /** The column whose rows of one value stay together. */
  readonly groups?: string
  /** The column by which the latest rows are the test. */
  readonly times?: string
}

type Ordering = Pick<SplitOptions, "stratify" | "groups" | "times">

/** Divides the rows of a table as training does: by seed, and so that every part has its share of every class unless told otherwise. */
export function splitTable(table: Table, target: TargetColumn, { seed, test, validation, ...columns }: Division): Split {
  return splitRows(table.rows, { seed, test, validation, ...orderingOf(table, target, columns) })
}

/** One division for each fold of a cross-validation: every row is a test row once. Validation rows come from the others. */
export function splitFolds(table: Table, target: TargetColumn, { seed, validation, ...columns }: Division, folds: number): Split[] {
  const ordering = orderingOf(table, target, columns)
  return kFold(table.rows, folds, { seed, ...ordering }).map(({ train: others, validation: test }) => {
    const of = Object.entries(ordering).map(([name, list]) => [name, Array.from(others, row => list[row]!)])
    const share = (validation * table.rows) / others.length
    const parts = splitRows(others.length, { seed, validation: share, ...Object.fromEntries(of) })
    const rows = (part: Int32Array): Int32Array => part.map(i => others[i]!)
    return { train: rows(parts.train), validation: rows(parts.validation), test }
  })
}

function orderingOf(table: Table, target: TargetColumn, { groups, times }: Pick<Division, "groups" | "times">): Ordering {
  if (groups !== undefined) return { groups: groupsOf(table, groups) }
  if (times !== undefined) return { times: timesOf(table, times) }
  if (target.kind === "number") return {}
  const index = new Map(target.values.map((value, i) => [value, i]))
  return { stratify: Int32Array.from(table.column(target.name), cell => index.get(categoryOf(cell)) ?? -1) }
}

function groupsOf(table: Table, name: string): readonly string[] {
  const cells = table.column(name)
  checkPresent(table, name, "--groups needs the group of each row")
  return cells.map(categoryOf)
}

/** Numbers, or days of dates. */
function timesOf(table: Table, name: string): readonly number[] {
  checkPresent(table, name, "--times needs the time of each row")
  const { dates } = describeColumn(table, name)
  const times = table.column(name).map(cell => (dates ? daysOf(cell, dates.order) : numberOf(cell, table.decimal)))
  const odd = times.findIndex(time => Number.isNaN(time))
  if (odd < 0) return times
  const cell = quote(table.column(name)[odd]!)
  throw new DataError(
    `${place(table, odd, name)}: ${cell} is neither a number nor a date such as 2023-01-31, so it tells no time. Correct the cell.`,
  )
}

function checkPresent(table: Table, name: string, why: string): void {
  const row = table.column(name).findIndex(isMissing)
  if (row >= 0) throw new DataError(`${place(table, row, name)} is empty; ${why}. Fill the cell in, or remove the row.`)
}
