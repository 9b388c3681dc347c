// What a command says, and to whom: lines for people, or with --json one event a line for programs.
import type { WriteStream } from "node:tty"

type Stream = Pick<NodeJS.WriteStream, "write"> & Partial<Pick<WriteStream, "isTTY" | "columns" | "hasColors">>

export interface OutputOptions {
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Columns of the terminal; where there is none, those of `COLUMNS`, or 80. */
export function widthOf(stream: Stream): number {
  const columns = stream.columns ?? Number(process.env.COLUMNS)
  return Math.max(20, columns > 0 ? Math.floor(columns) : 80)
}

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const
export type Style = keyof typeof CODES

/** Text in a colour where the stream shows colours; `NO_COLOR` and `FORCE_COLOR` decide before the terminal does. */
export function paint(style: Style, text: string, stream: Stream = process.stdout): string {
  const [on, off] = CODES[style]
  return stream.hasColors?.() ? `\x1b[${on}m${text}\x1b[${off}m` : text
}

/**
 * A line that is drawn again and again on a terminal; where there is none, nothing is drawn.
 *
 * Blanks wipe out the rest of a longer line before: terminals that know no escape sequences understand them too.
 */
export class StatusLine {
  private readonly stream: Stream
  private drawn = 0
  constructor(stream: Stream = process.stderr) {
    this.stream = stream
  }
  /** Columns for the text: the cursor wants one. */
  get width(): number {
    return widthOf(this.stream) - 1
  }
  draw(text: string): void {
    if (!this.stream.isTTY) return
    const line = text.slice(0, this.width)
    this.stream.write(`\r${line.padEnd(Math.min(this.drawn, this.width))}`)
    this.drawn = line.length
  }
  /** Makes room for what comes after. */
  clear(): void {
    if (this.drawn > 0) this.stream.write(`\r${" ".repeat(this.drawn)}\r`)
    this.drawn = 0
  }
}

/** What is drawn at the bottom of the terminal: it gives way to what is written, and is drawn again below. */
let bottom: Block | undefined

/**
 * Lines that are drawn again and again in place, on a terminal that knows escape sequences. The cursor is hidden meanwhile, and comes back
 * at the end of the process at the latest.
 */
export class Block {
  private readonly stream: Stream & { readonly rows?: number }
  private lengths: readonly number[] = []
  private readonly showCursor = (): void => void this.stream.write("\x1b[?25h")
  private hidden = false
  constructor(stream: Stream & { readonly rows?: number }) {
    this.stream = stream
  }
  /** Columns for a line: a terminal may wrap behind the last one. */
  get width(): number {
    return widthOf(this.stream) - 1
  }
  /** Draws lines of at most `width` columns in the place of those before; no more than the terminal has. */
  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, Math.max(1, (this.stream.rows || Infinity) - 1))
    const hide = this.hidden ? "" : "\x1b[?25l"
    if (!this.hidden) process.once("exit", this.showCursor)
    this.hidden = true
    bottom = this
    this.stream.write(`${hide}${this.home()}${shown.map(line => `${line}\x1b[K`).join("\n")}\x1b[J`)
    this.lengths = shown.map(visible)
  }
  /** Makes room for other lines. */
  clear(): void {
    if (this.lengths.length > 0) this.stream.write(`${this.home()}\x1b[J`)
    this.lengths = []
  }
  end(): void {
    this.clear()
    if (bottom === this) bottom = undefined
    if (!this.hidden) return
    process.off("exit", this.showCursor)
    this.showCursor()
    this.hidden = false
  }
  /** To the first column of the first line. A terminal that has become narrower has broken lines: they take more rows now. */
  private home(): string {
    const columns = widthOf(this.stream)
    const rows = this.lengths.reduce((sum, n) => sum + Math.max(1, Math.ceil(n / columns)), 0)
    return rows > 1 ? `\r\x1b[${rows - 1}A` : "\r"
  }
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const visible = (text: string): number => text.replace(/\x1b\[\d+m/g, "").length

/** Breaks a sentence into lines of at most `width` characters, at blanks. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Rows of cells as lines with aligned columns: the first to the left, all others to the right unless `left` says so. */
export function columns(rows: readonly (readonly string[])[], left: readonly number[] = [0], gap = "  "): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map(row => row[i]!.length)))
  return rows.map(row =>
    row
      .map((cell, i) => (left.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join(gap)
      .trimEnd(),
  )
}

/** The standard output of a command. */
export class Output {
  readonly json: boolean
  readonly quiet: boolean
  constructor({ json = false, quiet = false }: OutputOptions) {
    this.json = json
    this.quiet = quiet
  }
  /** Whether people are told what happens, not only what came out. */
  get talks(): boolean {
    return !this.json && !this.quiet
  }
  /** Lines as they are. */
  lines(...lines: readonly string[]): void {
    if (this.talks) bottom?.clear()
    if (this.talks) for (const line of lines) process.stdout.write(`${line}\n`)
  }
  /** A sentence, broken where the terminal ends. */
  say(text: string): void {
    this.lines(...wrap(text, widthOf(process.stdout)))
  }
  /** What the command was asked for; --quiet leaves it. */
  result(line: string): void {
    if (!this.json) process.stdout.write(`${line}\n`)
  }
  /** An event, with --json. */
  event(event: { readonly event: string; readonly [field: string]: unknown }): void {
    if (this.json) process.stdout.write(`${JSON.stringify(event)}\n`)
  }
  /** Something about the data that the user should know. */
  warn(message: string): void {
    this.event({ event: "warning", message })
    this.caution(message)
  }
  /** As `warn`, for people alone: programs have been told in another way. */
  caution(message: string): void {
    this.note(`${paint("yellow", "warning:", process.stderr)} ${message}\n`)
  }
  /** Text as it is for people, where warnings go. */
  note(text: string): void {
    if (!this.talks) return
    bottom?.clear()
    process.stderr.write(text)
  }
}

/** A number for people: four significant digits, and all digits of large whole numbers. */
export function show(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "-" : String(x)
  return Math.abs(x) >= 1e5 && Number.isInteger(x) ? x.toLocaleString("en") : String(Number(x.toPrecision(4)))
}
/** A number for a column of numbers, which keeps its last zeros. */
export const aligned = (x: number): string => (Math.abs(x) >= 0.001 && Math.abs(x) < 10_000 ? x.toPrecision(4) : show(x))
/** A whole number with separators: 60,000. */
export const grouped = (n: number): string => Math.round(n).toLocaleString("en")
/** A share as people read it: 97.43 %. */
export const percent = (share: number, digits = 2): string => (Number.isNaN(share) ? "-" : `${(share * 100).toFixed(digits)} %`)
