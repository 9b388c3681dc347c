// Dates in cells, and what a network is told of them.
import type { DateColumn } from "./encoding.ts"

/** Which part of a date comes first: the year, as in 2023-01-31 and 2023/1/31, or the day, as in 31.1.2023. */
export type DateOrder = "ymd" | "dmy"

const TIME = /(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)? ?(?:Z|[+-]\d{2}:?\d{2})?)?$/.source
const FORMS: Readonly<Record<DateOrder, RegExp>> = {
  ymd: new RegExp(/^(\d{4})(?:-(\d{1,2})-|\/(\d{1,2})\/)(\d{1,2})/.source + TIME),
  dmy: new RegExp(/^(\d{1,2})\.(\d{1,2})(\.)(\d{4})/.source + TIME),
}
const DAY = 86_400_000

/**
 * The days from 1970-01-01 to the date in a cell, with the time of day as a fraction, or NaN if it holds none: a day that no month has
 * is no date. The clock is read as it is written: an offset from UTC does not move it, since habits follow the clock on the wall.
 *
 * @see ISO 8601-1:2019, 5.2.2.1 and 5.4.2.1
 */
export function daysOf(cell: string, order: DateOrder): number {
  // dates are short, and begin and go on with digits: most texts need no expression
  if (cell.length < 8 || cell.length > 40) return Number.NaN
  const found = FORMS[order].exec(cell)
  if (found === null) return Number.NaN
  const [year, month, day] =
    order === "ymd" ? [found[1], found[2] ?? found[3], found[4]].map(Number) : [found[4], found[2], found[1]].map(Number)
  const [hours, minutes, seconds] = [found[5], found[6], found[7]].map(part => Number(part ?? 0))
  const date = new Date(Date.UTC(year!, month! - 1, day))
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month! - 1 && date.getUTCDate() === day
  if (!exists || hours! > 23 || minutes! > 59 || seconds! > 59) return Number.NaN
  return (date.getTime() + ((hours! * 60 + minutes!) * 60 + seconds!) * 1000) / DAY
}

/** Whether the first number of a date with points can only be a day: `01.02.2023` alone may be of January or of February. */
export const tellsOrder = (cell: string): boolean => Number.parseInt(cell, 10) > 12

/** A day as ISO 8601 writes it. */
export const dateText = (days: number): string => new Date(Math.floor(days) * DAY).toISOString().slice(0, 10)

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

/** The names of a date's features, in order. */
export const dateFeatures = ({ name, times }: DateColumn): string[] => [
  name,
  ...["sin", "cos"].map(f => `${name} ${f} year`),
  ...WEEKDAYS.map(day => `${name}=${day}`),
  ...(times ? ["sin", "cos"].map(f => `${name} ${f} day`) : []),
]

/** Writes the features of a date, `days` since 1970-01-01, into `x` from `at` on. */
export function writeDate({ mean, std, times }: DateColumn, days: number, x: Float32Array, at: number): void {
  const day = Math.floor(days)
  const year = new Date(day * DAY).getUTCFullYear()
  const [from, to] = [Date.UTC(year) / DAY, Date.UTC(year + 1) / DAY]
  const ofYear = (days - from) / (to - from)
  x[at] = (days - mean) / std
  x[at + 1] = sine(ofYear)
  x[at + 2] = sine(ofYear + 0.25)
  x[at + 3 + ((((day + 3) % 7) + 7) % 7)] = 1 // 1970-01-01 was a Thursday
  if (!times) return
  x[at + 10] = sine(days - day)
  x[at + 11] = sine(days - day + 0.25)
}

/** Sine of so many whole turns, by its series to less than 1e-9: `Math.sin` is not the same on every engine. */
function sine(turns: number): number {
  const turn = turns - Math.round(turns)
  const x = 2 * Math.PI * (Math.abs(turn) > 0.25 ? Math.sign(turn) * 0.5 - turn : turn)
  const s = x * x
  return x * (1 - (s / 6) * (1 - (s / 20) * (1 - (s / 42) * (1 - (s / 72) * (1 - (s / 110) * (1 - s / 156))))))
}
