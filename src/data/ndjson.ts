import { decodeText, makeTable, type Table } from "./csv.ts"
import { DataError } from "./errors.ts"
import { quote } from "./names.ts"

/** What `parseNdjson` may be told. */
export interface NdjsonOptions {
  /** As for `parseCsv`. */
  readonly encoding?: string
  /** The file's name, for messages. */
  readonly name?: string
}

/**
 * Reads a table from NDJSON (JSON Lines): one object a line, its fields the cells.
 *
 * Columns are the names of all objects in the order in which they come; a field that an object lacks, `null` and empty text are missing
 * cells. Numbers are those of JavaScript: whole ones are exact to 2^53. Fields may be texts, numbers, true, false and null.
 *
 * @throws DataError for a line that is no object, a field that holds a list or an object, a name twice in one object, or no rows at all.
 * @example
 * const table = parseNdjson('{"age":31,"name":"Ada"}\n{"age":null}\n')
 * table.column("age") // ["31", ""]
 * @see https://github.com/ndjson/ndjson-spec
 */
export function parseNdjson(input: string | Uint8Array, { encoding, name = "table" }: NdjsonOptions = {}): Table {
  if (typeof input !== "string" && !(input instanceof Uint8Array))
    throw new TypeError(`parseNdjson: wants the text of a table or its bytes; got ${input === null ? "null" : typeof input}`)
  const text = typeof input === "string" ? input.replace(/^\uFEFF/, "") : decodeText(input, name, encoding)
  const { cells, lines } = readObjects(text, { name })
  if (lines.length === 0) throw new DataError(`${name} is empty; wanted one JSON object for each row, each in a line of its own.`)
  if (cells.size === 0) throw new DataError(`${name} has objects without fields; wanted the same names in each one, as in {"age": 31}.`)
  const columns = [...cells.keys()]
  return makeTable({
    ...{ name, columns, header: false, decimal: "." },
    lines: Int32Array.from(lines),
    cells: columns.map(column => filled(cells.get(column)!, lines.length)),
  })
}

/** How objects are read: `known` are the only names allowed, `before` the line before the first one. */
export interface ObjectOptions {
  readonly name: string
  readonly known?: readonly string[]
  readonly before?: number
}

/** The fields of all lines that are not empty: for each name its cells, which may end before the last row. */
export function readObjects(text: string, { name, known, before = 0 }: ObjectOptions): { cells: Map<string, string[]>; lines: number[] } {
  const cells = new Map<string, string[]>(known?.map(column => [column, []]))
  const lines: number[] = []
  let line = before
  for (const source of text.split("\n")) {
    line++
    if (source.trim() === "") continue
    for (const [key, value] of fieldsOf(source, `${name}, row ${line}`)) {
      let column = cells.get(key)
      if (column === undefined) {
        if (known)
          throw new DataError(
            `${name}, row ${line}: the field ${quote(key)} is not among those of the first rows. Give it to them too, with null.`,
          )
        cells.set(key, (column = []))
      }
      while (column.length < lines.length) column.push("")
      column.push(value)
    }
    lines.push(line)
  }
  return { cells, lines }
}

/** A column as long as the table. */
export function filled(column: string[], rows: number): string[] {
  while (column.length < rows) column.push("")
  return column
}

function fieldsOf(source: string, where: string): [name: string, cell: string][] {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    throw new DataError(`${where} is not JSON (${(error as Error).message.slice(0, 80)}). Wanted one object, as in {"age": 31}.`)
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new DataError(`${where} is ${quote(source.trim())}; wanted an object, as in {"age": 31}.`)
  const fields = Object.entries(value)
  const cells = fields.map(([key, field]): [string, string] => [key.trim(), cellOf(field, key, where)])
  // JSON.parse keeps the last of two; the fields are flat, so every text before a colon is a name
  const names = source.match(/"(?:[^"\\]|\\.)*"\s*:?/g)?.filter(token => token.endsWith(":")).length ?? 0
  if (names !== fields.length || new Set(cells.map(([key]) => key)).size !== names)
    throw new DataError(`${where}: the same name stands there twice. Remove or rename one of them.`)
  return cells
}

function cellOf(field: unknown, key: string, where: string): string {
  if (field === null) return ""
  if (typeof field === "object")
    throw new DataError(
      `${where}: the field ${quote(key)} holds ${Array.isArray(field) ? "a list" : "an object"}; wanted a text, a number, true, false or null.`,
    )
  return String(field).trim()
}
