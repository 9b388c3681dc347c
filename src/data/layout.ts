// How the rows of a table file are read after its first ones have been seen.
import {
  type CsvOptions,
  decimalOf,
  findDelimiter,
  headerOf,
  makeTable,
  numbered,
  readRecords,
  type Table,
  type TableParts,
} from "./csv.ts"
import { DataError } from "./errors.ts"
import { filled, readObjects } from "./ndjson.ts"

/** What `openTable` and `readTables` may be told. */
export interface TableOptions extends CsvOptions {
  /** Default: "ndjson" for names that end in .ndjson or .jsonl, "parquet" for .parquet, else "csv". Parquet cannot be read from a stream. */
  readonly format?: "csv" | "ndjson" | "parquet"
}

/** A reader of rows: `parse` gives those of a text without its header; `before` is the line before it. */
export interface Layout extends Pick<Table, "name" | "columns" | "header" | "decimal"> {
  readonly delimiter: string
  parse(text: string, before: number): Pick<TableParts, "cells"> & { readonly lines: number[] }
}

export const isNdjson = ({ format, name = "" }: TableOptions): boolean =>
  format === undefined ? /\.(ndjson|jsonl)$/i.test(name) : format === "ndjson"

export const isParquet = ({ format, name = "" }: TableOptions): boolean =>
  format === undefined ? /\.parquet$/i.test(name) : format === "parquet"

export const isTabbed = ({ delimiter, name = "" }: TableOptions): boolean =>
  delimiter === "\t" || (delimiter === undefined && /\.tsv$/i.test(name))

/**
 * The layout of a file by the text of its first rows, header included.
 *
 * @throws DataError as `parseCsv` and `parseNdjson`.
 */
export function layoutOf(first: string, options: TableOptions): Layout {
  const { name = "table", header = true } = options
  if (first.trim() === "") throw new DataError(`${name} is empty; wanted one line for each row.`)
  if (isNdjson(options)) return ndjsonLayout(first, name)
  const delimiter = isTabbed(options) ? "\t" : (options.delimiter ?? findDelimiter(first))
  const { cells } = readRecords(first, { delimiter, name, header })
  const columns = header
    ? headerOf(
        cells.map(column => column[0]!),
        name,
      )
    : numbered(cells.length)
  return {
    ...{ name, columns, header, delimiter, decimal: decimalOf(delimiter, cells, header ? 1 : 0) },
    parse: (text, before) => readRecords(text, { delimiter, name, header, before, width: columns.length }),
  }
}

function ndjsonLayout(first: string, name: string): Layout {
  const columns = [...readObjects(first, { name }).cells.keys()]
  return {
    ...{ name, columns, header: false, delimiter: "", decimal: "." },
    parse(text, before) {
      const { cells, lines } = readObjects(text, { name, known: columns, before })
      return { cells: columns.map(column => filled(cells.get(column)!, lines.length)), lines }
    },
  }
}

/** Rows of a layout as a table; `lines` are where they stand. */
export const tableOf = ({ name, columns, header, decimal }: Layout, cells: TableParts["cells"], lines: Int32Array): Table =>
  makeTable({ name, columns, header, decimal, cells, lines })
