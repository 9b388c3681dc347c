// Tables and equations in plain text.
import { digits } from "./digits.ts"

/** Lines are at most so long. */
export const WIDTH = 80
export const INDENT = "  "

/** The length of the longest of some texts. */
export const widest = (texts: readonly string[]): number => texts.reduce((most, text) => Math.max(most, text.length), 0)

/** Numbers with their decimal points below each other; undefined stays empty. `signed` writes + too. */
export function aligned(values: readonly (number | undefined)[], { signed = false } = {}): string[] {
  const texts = values.map(x => (x === undefined ? "" : `${signed && x > 0 ? "+" : ""}${digits(x)}`))
  const whole = (text: string): string => /^[^.e]*/.exec(text)![0]
  const left = widest(texts.map(whole))
  const padded = texts.map(text => " ".repeat(left - whole(text).length) + text)
  const width = widest(padded)
  return padded.map(text => text.padEnd(width))
}

/** Columns of cells below their heads, the first `leading` of them to the left, the others to the right. */
export function table(columns: readonly (readonly string[])[], heads: readonly string[], leading = 1): string[] {
  const widths = columns.map((cells, c) => widest([heads[c]!, ...cells]))
  const line = (cells: readonly string[]): string =>
    (INDENT + cells.map((cell, c) => (c < leading ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]! + 2))).join("")).trimEnd()
  return [line(heads), ...columns[0]!.map((_, row) => line(columns.map(cells => cells[row]!)))]
}

/** `left = side = side` on one line if that is short enough, else broken at signs of equality, and long sides at their terms. */
export function equation(left: string, sides: readonly string[]): string[] {
  const one = INDENT + [left, ...sides].join(" = ")
  if (one.length <= WIDTH) return [one]
  const hang = INDENT.length + left.length + 3
  const [first, ...others] = sides as [string, ...string[]]
  const rest = others.join(" = ")
  const lines = hang + rest.length <= WIDTH ? [rest] : others
  return [`${INDENT}${left} = ${first}`, ...lines.map(side => `${" ".repeat(hang - 3)} = ${side}`)].flatMap(line => wrap(line, hang))
}

/** Equations with the same number of sides, in columns if that is short enough. */
export function equations(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, c) => widest(rows.map(row => row[c]!)))
  const lines = rows.map(row => (INDENT + row.map((side, c) => side.padEnd(widths[c]!)).join(" = ")).trimEnd())
  return widest(lines) <= WIDTH ? lines : rows.flatMap(([left, ...sides]) => equation(left!, sides))
}

/** Breaks a long line, at a sign if there is one, so that terms stay whole; what follows is indented by `hang`. */
export function wrap(line: string, hang: number): string[] {
  if (line.length <= WIDTH) return [line]
  const sign = Math.max(line.lastIndexOf(" + ", WIDTH), line.lastIndexOf(" - ", WIDTH))
  const at = sign > hang ? sign : line.lastIndexOf(" ", WIDTH)
  if (at <= hang) return [line]
  return [line.slice(0, at), ...wrap(" ".repeat(hang) + line.slice(at + 1), hang)]
}

/** A sentence in lines of at most 80 columns, broken at blanks; the first is indented by `indent`, what follows by `hang`. */
export function prose(text: string, indent = 0, hang = indent): string[] {
  const lines: string[] = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(" ".repeat(lines.length ? hang : indent) + word)
  }
  return lines
}
