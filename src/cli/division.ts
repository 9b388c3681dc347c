// Which rows of a table are for training, validation and the test.
import { categoryOf, compareCategories, isMissing, numberOf } from "../data/cells.ts"
import { describeColumn } from "../data/columns.ts"
import { place, type Table } from "../data/csv.ts"
import { type DateOrder, daysOf } from "../data/dates.ts"
import type { TargetColumn } from "../data/encoding.ts"
import { DataError } from "../data/errors.ts"
import { checkTargetPresent } from "../data/fit.ts"
import { quote } from "../data/names.ts"
import { kFold, type Split, type SplitOptions, splitRows } from "../data/split.ts"
import type { TableData } from "./table-data.ts"

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

/** What all rows of a table say at once. */
export interface Survey {
  readonly rows: number
  /** The classes of the target, where it has some. */
  readonly classes: readonly string[] | undefined
  /** By what rows are divided. */
  readonly ordering: Pick<SplitOptions, "stratify" | "groups" | "times">
}

/**
 * Goes through all rows once for the classes of the target and for what divides the rows.
 *
 * @throws DataError for cells of these columns that are empty, or no times.
 */
export function survey(data: TableData, target: TargetColumn, { groups, times }: Pick<Division, "groups" | "times">): Survey {
  const { rows } = data
  if (target.kind === "number" && groups === undefined && times === undefined) return { rows, classes: undefined, ordering: {} }
  const classes = target.kind === "class" ? new Codes(rows) : undefined
  const members = groups === undefined ? undefined : new Codes(rows)
  const moments = times === undefined ? undefined : new Float64Array(rows)
  const order = times === undefined ? undefined : describeColumn(data.look(), times).dates?.order
  let at = 0
  for (const { table } of data.blocks()) {
    if (classes) checkTargetPresent(table, target.name)
    classes?.add(table.column(target.name))
    members?.add(groupsOf(table, groups!))
    moments?.set(timesOf(table, times!, order), at)
    at += table.rows
  }
  return { rows, classes: classes?.sorted(), ordering: orderingOf(members, moments, classes) }
}

function orderingOf(groups: Codes | undefined, times: Float64Array | undefined, classes: Codes | undefined): Survey["ordering"] {
  if (groups) return { groups: groups.list }
  if (times) return { times }
  return classes ? { stratify: classes.list } : {}
}

/** The categories of cells as numbers, in the order in which they come. */
class Codes {
  private readonly known = new Map<string, number>()
  private at = 0
  readonly list: Int32Array
  constructor(rows: number) {
    this.list = new Int32Array(rows)
  }
  add(cells: readonly string[]): void {
    for (const cell of cells) {
      const category = categoryOf(cell)
      let code = this.known.get(category)
      if (code === undefined) this.known.set(category, (code = this.known.size))
      this.list[this.at++] = code
    }
  }
  sorted(): string[] {
    return [...this.known.keys()].sort(compareCategories)
  }
}

/** Divides the rows of a table as training does: by seed, and so that every part has its share of every class unless told otherwise. */
export const splitTable = ({ rows, ordering }: Survey, { seed, test, validation }: Division): Split =>
  splitRows(rows, { seed, test, validation, ...ordering })

/** One division for each fold of a cross-validation: every row is a test row once. Validation rows come from the others. */
export function splitFolds({ rows: n, ordering }: Survey, { seed, validation }: Division, folds: number): Split[] {
  return kFold(n, folds, { seed, ...ordering }).map(({ train: others, validation: test }) => {
    const of = Object.entries(ordering).map(([name, list]) => [name, Array.from(others, row => list[row]!)])
    const share = (validation * n) / others.length
    const parts = splitRows(others.length, { seed, validation: share, ...Object.fromEntries(of) })
    const rows = (part: Int32Array): Int32Array => part.map(i => others[i]!)
    return { train: rows(parts.train), validation: rows(parts.validation), test }
  })
}

function groupsOf(table: Table, name: string): readonly string[] {
  checkPresent(table, name, "--groups needs the group of each row")
  return table.column(name)
}

/** Numbers, or days of dates. */
function timesOf(table: Table, name: string, order: DateOrder | undefined): readonly number[] {
  checkPresent(table, name, "--times needs the time of each row")
  const times = table.column(name).map(cell => (order ? daysOf(cell, order) : numberOf(cell, table.decimal)))
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
