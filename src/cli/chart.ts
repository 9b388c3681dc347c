// Curves over the epochs, drawn with characters. Every series has a mark of its own, so that they can be told apart without colours.
import { paint, type Style, show } from "./terminal.ts"

export interface Series {
  readonly name: string
  /** One value for each epoch, or whatever the axis says. */
  readonly values: readonly number[]
}

const MARKS: readonly (readonly [mark: string, style: Style])[] = [
  ["·", "cyan"],
  ["•", "yellow"],
]
const HEIGHT = 9
const MAX_WIDTH = 72

// biome-ignore lint/plugin: the last bits of a drawing do not matter
const log = (x: number): number => Math.log(x)

/** What lies below a chart. */
export interface ChartAxis {
  readonly name: string
  readonly from: string
  readonly to: string
}

/**
 * Draws up to two series of at least two values as lines of at most `width` characters. The scale is logarithmic where the values span more
 * than a factor of 10.
 */
export function chart(series: readonly Series[], width: number, axis?: ChartAxis): string[] {
  const all = series.flatMap(({ values }) => values)
  const [low, high] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))]
  const logarithmic = scaleFor(low, high) === "logarithmic"
  const height = (x: number): number => (logarithmic ? log(x / low) / log(high / low) : high > low ? (x - low) / (high - low) : 0.5)
  const middle = logarithmic ? Math.sqrt(low * high) : (low + high) / 2
  const labels = [high, middle, low].map(show)
  const margin = Math.max(...labels.map(label => label.length))
  const plot = Math.min(width, MAX_WIDTH) - margin - 2
  const grid = Array.from({ length: HEIGHT }, () => new Array<string>(plot).fill(" "))
  series.forEach(({ values }, k) =>
    draw(grid, at => (HEIGHT - 1) * (1 - height(interpolate(values, at))), paint(MARKS[k]![1], MARKS[k]![0])),
  )
  const label: Record<number, string> = { 0: labels[0]!, [(HEIGHT - 1) / 2]: labels[1]!, [HEIGHT - 1]: labels[2]! }
  const { name, from, to } = axis ?? { name: "epoch", from: "1", to: String(series[0]!.values.length) }
  const middleOf = Math.floor((plot + name.length) / 2)
  return [
    `loss${logarithmic ? " (logarithmic)" : ""}: ${series.map(({ name }, k) => `${paint(MARKS[k]![1], MARKS[k]![0])} ${name}`).join("  ")}`,
    ...grid.map((row, i) => `${(label[i] ?? "").padStart(margin)} ${i in label ? "┤" : "│"}${row.join("").trimEnd()}`),
    `${" ".repeat(margin)} └${"─".repeat(plot)}`,
    `${" ".repeat(margin + 2)}${from}${name.padStart(middleOf - from.length)}${to.padStart(plot - middleOf)}`,
  ]
}

/** The value at a place from 0 to 1 along a series. */
function interpolate(values: readonly number[], at: number): number {
  const place = at * (values.length - 1)
  const before = Math.floor(place)
  const after = Math.min(before + 1, values.length - 1)
  return values[before]! + (place - before) * (values[after]! - values[before]!)
}

/** Marks a curve; steep parts are filled from row to row. */
function draw(grid: string[][], rowAt: (at: number) => number, mark: string): void {
  const width = grid[0]!.length
  let previous: number | undefined
  for (let column = 0; column < width; column++) {
    const row = Math.round(rowAt(column / (width - 1)))
    const from = previous === undefined ? row : previous + Math.sign(row - previous)
    for (let r = Math.min(from, row); r <= Math.max(from, row); r++) grid[r]![column] = mark
    previous = row
  }
}

const BLOCKS = "▁▂▃▄▅▆▇█"
/** How high a value is drawn. */
export type Scale = "linear" | "logarithmic"
/** The scale that suits: logarithmic where the values span more than a factor of 10. */
export const scaleFor = (low: number, high: number): Scale => (low > 0 && high > 10 * low ? "logarithmic" : "linear")

/**
 * At least one value in one line of at most `width` characters; where there are more values, each character is the mean of some. Without a
 * scale it is the one that suits; there is no logarithm of what is not above 0. What is not finite is a blank.
 */
export function sparkline(values: readonly number[], width: number, scale?: Scale): string {
  const n = Math.min(width, values.length)
  const means = Array.from({ length: n }, (_, i) => {
    const [from, to] = [Math.floor((i * values.length) / n), Math.floor(((i + 1) * values.length) / n)]
    return values.slice(from, to).reduce((a, b) => a + b, 0) / (to - from)
  })
  const finite = means.filter(Number.isFinite)
  if (finite.length === 0) return " ".repeat(n)
  const [low, high] = [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))]
  const logarithmic = (scale ?? scaleFor(low, high)) === "logarithmic" && low > 0
  const height = (x: number): number => (high === low ? 0 : logarithmic ? log(x / low) / log(high / low) : (x - low) / (high - low))
  return means.map(x => (Number.isFinite(x) ? BLOCKS[Math.min(7, Math.floor(height(x) * 8))]! : " ")).join("")
}
