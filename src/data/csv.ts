import { parse } from "#csv-parse"
import { numberOf } from "./cells.ts"
import { DataError } from "./errors.ts"
import { closest, count, listNames, quote } from "./names.ts"

/** A table of text cells, column by column. */
export interface Table {
  /** The file's name, for messages. */
  readonly name: string
  /** Column names in the order of the file, all different. */
  readonly columns: readonly string[]
  /** Number of data rows, the header not counted. */
  readonly rows: number
  /** [rows] the line of the file on which each row starts, from 1. */
  readonly lines: Int32Array
  /** Whether line 1 is a header. */
  readonly header: boolean
  /** The decimal sign of its numbers. */
  readonly decimal: "." | ","
  /** The cells of a column [rows], outer blanks removed. Throws `DataError` that names the nearest column if there is no such column. */
  column(name: string): readonly string[]
}

/** What `parseCsv` may be told. */
export interface CsvOptions {
  /** Between two cells; found in the header if not given. */
  readonly delimiter?: "," | ";" | "\t"
  /** Whether the first line names the columns. Without a header they are called `column 1`, `column 2`, ... Default: true. */
  readonly header?: boolean
  /** What the bytes are written in, as `TextDecoder` calls it: "windows-1252", "iso-8859-2". Default: UTF-8, or UTF-16 by its mark. */
  readonly encoding?: string
  /** The file's name, for messages. */
  readonly name?: string
}

/**
 * Reads a table from delimited text (RFC 4180, also with semicolons or tabs, any line ending, UTF-8, UTF-16 with its mark, or as said).
 *
 * The first line is the header unless said otherwise; a column without a name is called `column 1` after its place. Empty lines, and rows of empty cells at the
 * end, are not rows. Where semicolons delimit, numbers such as `3,14` are understood.
 *
 * @throws DataError if the text is empty, has no data row, no header, the same column twice, rows of different lengths or an open quote.
 * @example
 * const table = parseCsv("age,name\n31,Ada\n", { name: "people.csv" })
 * table.column("age") // ["31"]
 */
export function parseCsv(input: string | Uint8Array, options: CsvOptions = {}): Table {
  const { delimiter, header = true, encoding, name = "table" } = options
  if (typeof input !== "string" && !(input instanceof Uint8Array))
    throw new TypeError(`parseCsv: wants the text of a table or its bytes; got ${input === null ? "null" : typeof input}`)
  const text = typeof input === "string" ? input.replace(/^\uFEFF/, "") : decodeText(input, name, encoding)
  if (text.trim() === "")
    throw new DataError(`${name} is empty; wanted ${header ? "a header line with column names, then " : ""}one line for each row.`)
  const between = delimiter ?? findDelimiter(text)
  const { cells, lines } = readRecords(text, { delimiter: between, name, header })
  const columns = header
    ? headerOf(
        cells.map(column => column[0]!),
        name,
      )
    : numbered(cells.length)
  const first = header ? 1 : 0
  let rows = lines.length
  while (rows > first && cells.every(column => column[rows - 1] === "")) rows--
  if (rows <= first) throw new DataError(`${name} has a header (${listNames(columns)}) but no data rows; wanted one line for each row.`)
  return makeTable({
    ...{ name, columns, header, lines: Int32Array.from(lines.slice(first, rows)) },
    cells: cells.map(column => column.slice(first, rows)),
    decimal: decimalOf(between, cells, first),
  })
}

/** What a table is made from: `cells` is [columns][rows] and `lines` [rows]. */
export type TableParts = Pick<Table, "name" | "columns" | "lines" | "decimal" | "header"> & {
  readonly cells: readonly (readonly string[])[]
}

/** A table from its columns. */
export function makeTable({ cells, ...parts }: TableParts): Table {
  const { name, columns, lines } = parts
  const byName = new Map(columns.map((column, i) => [column, cells[i]!]))
  return {
    ...parts,
    rows: lines.length,
    column(wanted) {
      const found = byName.get(wanted)
      if (found === undefined) throw new DataError(`${name} has no column ${quote(wanted)}. ${suggest(wanted, columns)}`)
      return found
    },
  }
}

/** Where a cell stands, for messages: `people.csv, row 17 (the header is row 1), column "age"`. `row` counts data rows from 0. */
export function place(table: Table, row: number, column: string): string {
  return `${table.name}, row ${table.lines[row]}${table.header ? " (the header is row 1)" : ""}, column ${quote(column)}`
}

/** What to say after "there is no column X". */
export function suggest(wanted: string, columns: readonly string[]): string {
  const near = closest(wanted, columns)
  return `${near === undefined ? "" : `Did you mean ${quote(near)}? `}Its columns are ${listNames(columns)}.`
}

/** The encoding of a text by its first bytes, unless one is wanted. Throws DataError for compressed files. */
export function encodingOf(bytes: Uint8Array, name: string, wanted?: string): string {
  const starts = (...first: number[]) => first.every((byte, i) => bytes[i] === byte)
  if (starts(0x1f, 0x8b)) throw new DataError(`${name} is compressed with gzip; decompress it first.`)
  if (starts(0x50, 0x4b, 3, 4)) throw new DataError(`${name} is a zip archive or a spreadsheet file; save the sheet as CSV and use that.`)
  return wanted ?? (starts(0xff, 0xfe) ? "utf-16le" : starts(0xfe, 0xff) ? "utf-16be" : "utf-8")
}

/** @throws DataError if there is no such encoding. */
export function makeDecoder(encoding: string, name: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true })
  } catch {
    throw new DataError(
      `${name}: there is no encoding called ${quote(encoding)}; wanted one such as "utf-8", "utf-16le" or "windows-1252".`,
    )
  }
}

/** @throws DataError for bytes that are no text in their encoding, or a compressed file. */
export function decodeText(bytes: Uint8Array, name: string, wanted?: string): string {
  const encoding = encodingOf(bytes, name, wanted)
  const decoder = makeDecoder(encoding, name)
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    const hint = wanted === undefined ? "save it in UTF-8 and use that, or name its encoding." : "name another encoding."
    throw new DataError(`${name} is not text in ${encoding.toUpperCase()}; ${hint}`)
  }
  if (text.includes("\0")) throw new DataError(`${name} holds binary data; wanted a text file of comma-separated values.`)
  return text
}

/** What stands most often in the first line. */
export function findDelimiter(text: string): string {
  const header = text.slice(0, text.search(/[\r\n]|$/)).replace(/"[^"]*"/g, "")
  const counts = [",", ";", "\t"].map(sign => ({ sign, n: header.split(sign).length - 1 }))
  return counts.reduce((best, next) => (next.n > best.n ? next : best)).sign
}

/** How records are read: `width` is the number of cells that each one should have, the first one's if not given. */
export type RecordOptions = {
  readonly delimiter: string
  readonly name: string
  readonly header: boolean
  readonly width?: number
  /** The line before the first one. */
  readonly before?: number
}

/** All records of a text, column by column, and the line on which each one starts. */
export function readRecords(text: string, options: RecordOptions): { cells: string[][]; lines: number[] } {
  const { delimiter, name, header, before = 0 } = options
  const cells: string[][] = []
  const lines: number[] = []
  let width = options.width ?? -1
  for (let i = 0; i < width; i++) cells.push([])
  let last = 0 // the line on which the last record ended
  const add = (record: readonly string[], line: number): void => {
    if (width < 0) {
      width = record.length
      for (let i = 0; i < width; i++) cells.push([])
    }
    if (record.length !== width) {
      throw new DataError(
        `${name}, row ${line}: ${count(record.length, "cell")}, but ${header ? "the header (row 1)" : "row 1"} has ${width}. ` +
          "Add or remove cells so that all rows have the same number, and put cells that contain the delimiter in double quotes.",
      )
    }
    for (let i = 0; i < width; i++) cells[i]!.push(record[i]!)
    lines.push(line)
  }
  if (!text.includes('"')) {
    readPlain(text, delimiter, (record, line) => add(record, before + line))
    return { cells, lines }
  }
  const onRecord = (record: string[], info: { lines: number }): null => {
    const breaks = info.lines - last > 1 ? record.reduce((n, cell) => n + cell.split(/\r\n|\r|\n/).length - 1, 0) : 0
    last = info.lines
    add(record, before + info.lines - breaks)
    return null
  }
  try {
    // `relax_column_count`: a ragged row is reported above, by its line and in our words.
    parse(text, {
      delimiter,
      record_delimiter: ["\r\n", "\n", "\r"],
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      on_record: onRecord as never,
    })
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(`${name}${quoteProblem(error as { code?: string; lines?: number; message: string }, last, before)}`)
  }
  return { cells, lines }
}

/**
 * Text without a quote, where every line end ends a row and every delimiter a cell: splitting takes a twentieth of the time that parsing
 * does, and means the same.
 */
function readPlain(text: string, delimiter: string, add: (record: readonly string[], line: number) => void): void {
  const rows = text.includes("\r") ? text.split(/\r\n|\n|\r/) : text.split("\n")
  for (let i = 0; i < rows.length; i++) {
    const record = rows[i]!.split(delimiter)
    for (let k = 0; k < record.length; k++) record[k] = record[k]!.trim()
    if (record.length > 1 || record[0] !== "") add(record, i + 1)
  }
}

function quoteProblem(error: { code?: string; lines?: number; message: string }, last: number, before: number): string {
  if (error.code === "CSV_QUOTE_NOT_CLOSED") {
    return `, row ${before + last + 1}: a double quote opens here and is never closed. Close it, or write it twice ("") if it is part of the text.`
  }
  if (error.code === "CSV_INVALID_CLOSING_QUOTE" || error.code === "INVALID_OPENING_QUOTE") {
    return (
      `, row ${before + (error.lines ?? 0)}: a double quote stands in the middle of a cell. ` +
      'Put the whole cell in double quotes and write the quote inside it twice (""), or remove it.'
    )
  }
  return ` cannot be read as CSV: ${error.message}`
}

/** The names of columns. Throws DataError for numbers in their place, and for the same name twice. */
export function headerOf(cells: readonly string[], name: string): string[] {
  if (cells.every(cell => !Number.isNaN(numberOf(cell, ".")))) {
    throw new DataError(
      `${name}: the first line holds only numbers (${listNames(cells, 4)}), so the header is missing. Put a line with column names first, or say that there is none (header: false).`,
    )
  }
  const columns = cells.map((cell, i) => (cell === "" ? `column ${i + 1}` : cell))
  const seen = new Map<string, number>()
  for (const [i, column] of columns.entries()) {
    const before = seen.get(column)
    if (before !== undefined) {
      throw new DataError(`${name}: columns ${before + 1} and ${i + 1} of the header are both called ${quote(column)}. Rename one of them.`)
    }
    seen.set(column, i)
  }
  return columns
}

/** Names of columns without a header. */
export const numbered = (n: number): string[] => Array.from({ length: n }, (_, i) => `column ${i + 1}`)

/** The decimal sign of the numbers in columns from row `first` on. */
export function decimalOf(delimiter: string, cells: readonly (readonly string[])[], first: number): "." | "," {
  if (delimiter !== ";") return "."
  const data = (form: RegExp) => cells.some(column => column.some((cell, i) => i >= first && form.test(cell)))
  const comma = data(/^[+-]?\d+,\d+$/) && !data(/^[+-]?\d+\.\d+$/)
  return comma ? "," : "."
}
