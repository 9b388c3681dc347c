import { isMissing, numberOf } from "./cells.ts"
import type { Table } from "./csv.ts"
import { type DateOrder, dateText, daysOf, tellsOrder } from "./dates.ts"

/**
 * What a column holds:
 * - `numeric`: numbers, perhaps with a few stray texts among them (`stray`);
 * - `date`: dates such as 2023-01-31, 2023/1/31 or 31.1.2023, perhaps with times, and perhaps with a few stray texts among them;
 * - `category`: a few texts that come again and again;
 * - `text`: texts that say little about the next row: more than 100 different ones, or nearly every one different;
 * - `constant`: one value, or none at all;
 * - `id`: by its name and its values, all different, the label of the row.
 */
export type ColumnType = "numeric" | "date" | "category" | "text" | "constant" | "id"

/** A column of a table in brief. */
export interface ColumnInfo {
  readonly name: string
  readonly type: ColumnType
  /** Cells whose value is unknown (see `isMissing`). */
  readonly missing: number
  /** Different texts among the cells that are not missing. */
  readonly distinct: number
  /** Its first different cells, three at most. */
  readonly examples: readonly string[]
  /** Of the cells that are numbers; absent where the column holds text. */
  readonly numbers?: NumberInfo
  /** Of the cells that are dates; absent where the column does not hold dates. */
  readonly dates?: DateInfo
  /** The cells of a column of numbers or dates that are none, up to `STRAY_SHOWN` of them; empty for all other columns. */
  readonly stray: readonly StrayCell[]
}

/** The numbers of a column in brief. */
export interface NumberInfo {
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Whether all are whole. */
  readonly whole: boolean
}

/** The dates of a column in brief. */
export interface DateInfo {
  /** The first and the last day, as ISO 8601 writes them. */
  readonly min: string
  readonly max: string
  /** Whether the year comes first, or the day. */
  readonly order: DateOrder
}

/** A text among numbers or dates; `row` counts data rows from 0. */
export interface StrayCell {
  readonly row: number
  readonly cell: string
}

const MAX_CATEGORIES = 100
const STRAY_SHOWN = 3

/**
 * Describes every column of a table: its type, missing cells, different values and range.
 *
 * @example
 * describeColumns(parseCsv("age,city\n31,Rome\n,Oslo\n")).map(c => [c.type, c.missing]) // [["constant", 1], ["category", 0]]
 */
export function describeColumns(table: Table): ColumnInfo[] {
  return table.columns.map(name => describeColumn(table, name))
}

/** Describes one column. Throws `DataError` if the table has none of that name. */
export function describeColumn(table: Table, name: string): ColumnInfo {
  const cells = table.column(name)
  const distinct = new Set<string>()
  const examples: string[] = []
  const stray: StrayCell[] = []
  const dates = new Dates()
  let missing = 0
  let numeric = 0
  let whole = true
  let [min, max, sum] = [Infinity, -Infinity, 0]
  for (let row = 0; row < cells.length; row++) {
    const cell = cells[row]!
    if (isMissing(cell)) {
      missing++
      continue
    }
    if (examples.length < 3 && !distinct.has(cell)) examples.push(cell)
    distinct.add(cell)
    const value = numberOf(cell, table.decimal)
    if (Number.isNaN(value)) {
      dates.see(cell, row)
      if (stray.length < STRAY_SHOWN) stray.push({ row, cell })
      continue
    }
    numeric++
    whole &&= Number.isInteger(value)
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
  }
  const present = cells.length - missing
  const varied = isVaried(distinct.size, present)
  const isNumeric = holdsNumbers(numeric, present - numeric, varied)
  const found = isNumeric ? undefined : dates.found(present, varied)
  if (found && distinct.size > 1) return { name, type: "date", missing, distinct: distinct.size, examples, ...found }
  return {
    name,
    type: typeOf(name, { isNumeric, varied, distinct: distinct.size, present, whole: !isNumeric || (whole && stray.length === 0) }),
    missing,
    distinct: distinct.size,
    examples,
    ...(isNumeric ? { numbers: { min, max, mean: sum / numeric, whole } } : {}),
    stray: isNumeric ? stray : [],
  }
}

/** The cells of a column that are dates, by their order. */
class Dates {
  private readonly seen = (["ymd", "dmy"] as const).map(order => ({
    order,
    cells: 0,
    min: Infinity,
    max: -Infinity,
    stray: [] as StrayCell[],
  }))
  private isTold = false

  see(cell: string, row: number): void {
    for (const form of this.seen) {
      const days = daysOf(cell, form.order)
      if (Number.isNaN(days)) {
        if (form.stray.length < STRAY_SHOWN) form.stray.push({ row, cell })
        continue
      }
      form.cells++
      form.min = Math.min(form.min, days)
      form.max = Math.max(form.max, days)
      this.isTold ||= form.order === "dmy" && tellsOrder(cell)
    }
  }

  /** Nothing if the column holds something else, or if days cannot be told from months. */
  found(present: number, varied: boolean): { readonly dates: DateInfo; readonly stray: readonly StrayCell[] } | undefined {
    const [years, days] = this.seen as [(typeof this.seen)[0], (typeof this.seen)[0]]
    const { order, cells, min, max, stray } = this.isTold && days.cells > years.cells ? days : years
    return holdsNumbers(cells, present - cells, varied) ? { dates: { min: dateText(min), max: dateText(max), order }, stray } : undefined
  }
}

// Nearly unique only counts in tables large enough to tell: in ten rows, nine different cities are nothing special.
const ENOUGH_TO_TELL = 20
const NEARLY_ALL = 0.9

/** Too many different values for a category. */
function isVaried(distinct: number, present: number): boolean {
  return distinct > MAX_CATEGORIES || (present >= ENOUGH_TO_TELL && distinct >= NEARLY_ALL * present)
}

/** Numbers or dates: at most a tenth of the cells are something else, or one of at least five, or fewer than half where it cannot be a category. */
function holdsNumbers(numbers: number, others: number, varied: boolean): boolean {
  return numbers > 0 && (others <= numbers / 9 || (others === 1 && numbers >= 4) || (varied && others < numbers))
}

type Facts = { isNumeric: boolean; varied: boolean; distinct: number; present: number; whole: boolean }

function typeOf(name: string, { isNumeric, varied, distinct, present, whole }: Facts): ColumnType {
  if (distinct <= 1) return "constant"
  if (whole && distinct === present && looksLikeId(name)) return "id"
  if (isNumeric) return "numeric"
  return varied ? "text" : "category"
}

function looksLikeId(name: string): boolean {
  return (
    /^(id|index|idx|key|row|no\.?|nr\.?|#|column 1|unnamed: 0)$|[\s_.-](id|idx|uuid|guid)$|^(uuid|guid)$/i.test(name) ||
    /[a-z](Id|ID)$/.test(name)
  )
}

const TARGET_NAMES = [
  "target",
  "label",
  "labels",
  "class",
  "y",
  "outcome",
  "species",
  "diagnosis",
  "survived",
  "result",
  "response",
  "category",
]

/**
 * The column that is most likely the one to predict: one with a customary name (target, label, class, y, outcome, species, diagnosis, ...),
 * else the last one that is neither an id, a constant nor free text; undefined if there is none.
 *
 * @example
 * likelyTarget(describeColumns(parseCsv("size,species\n1,a\n3,b\n")))  // "species"
 */
export function likelyTarget(infos: readonly ColumnInfo[]): string | undefined {
  for (const wanted of TARGET_NAMES) {
    const named = infos.find(info => info.name.toLowerCase() === wanted)
    if (named !== undefined) return named.name
  }
  return infos.findLast(info => info.type === "numeric" || info.type === "category")?.name
}
