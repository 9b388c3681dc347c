// What one cell of a table means.

const MISSING = new Set(["", "?", "na", "n/a", "#n/a", "nan", "null"])

/** Whether a cell says that its value is unknown: empty, `?`, `NA`, `N/A`, `#N/A`, `NaN` or `null`, in upper or lower case. */
export function isMissing(cell: string): boolean {
  return cell.length <= 4 && MISSING.has(cell.toLowerCase())
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/**
 * The number written in a cell, or NaN if it is none: decimal notation with an optional exponent, finite, no thousands separators, no
 * units. With `decimal` "," the comma takes the place of the point.
 */
export function numberOf(cell: string, decimal: "." | ","): number {
  const plain = plainNumber(cell, decimal === "," ? 44 : 46)
  if (plain !== undefined) return plain
  const text = decimal === "," ? cell.replace(",", ".") : cell
  if (!NUMBER.test(text)) return Number.NaN
  const value = Number(text)
  return Number.isFinite(value) ? value : Number.NaN
}

/** 1, 10, 100, ... up to where they are no longer exact. */
const POWERS = Array.from({ length: 16 }, (_, k) => 10 ** k)

/**
 * A number of at most 15 digits without exponent, which most are: its digits as a whole number and the power of ten are exact, so their quotient
 * is what `Number` gives, several times as fast. Undefined for all else.
 */
function plainNumber(cell: string, point: number): number | undefined {
  const first = cell.charCodeAt(0)
  let value = 0
  let digits = 0
  let decimals = -1
  for (let i = first === 45 || first === 43 ? 1 : 0; i < cell.length; i++) {
    const code = cell.charCodeAt(i)
    if (code >= 48 && code <= 57) {
      value = value * 10 + (code - 48)
      digits++
      if (decimals >= 0) decimals++
    } else if (code === point && decimals < 0) decimals = 0
    else return undefined
  }
  if (digits === 0 || digits > 15) return undefined
  const size = decimals > 0 ? value / POWERS[decimals]! : value
  return first === 45 ? -size : size
}

/**
 * The category a cell stands for: its text, with `1.0` read as `1`, because a column of whole numbers is written that way as soon as a
 * program that keeps it as floating point (pandas, for one) has seen a missing cell in it.
 */
export function categoryOf(cell: string): string {
  return cell.endsWith("0") ? cell.replace(/^([+-]?\d+)\.0+$/, "$1") : cell
}

/** Orders categories the same way everywhere: by number if both are numbers, numbers before text, text by code unit. */
export function compareCategories(a: string, b: string): number {
  const x = numberOf(a, ".")
  const y = numberOf(b, ".")
  if (!Number.isNaN(x) && !Number.isNaN(y) && x !== y) return x - y
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1
  return a < b ? -1 : a > b ? 1 : 0
}
