/** One column of a table to write; all columns of a table have the same number of values. */
export interface CsvColumn {
  readonly name: string
  /** [rows] */
  readonly values: ArrayLike<string | number>
}

/** What `formatCsv` may be told. */
export interface FormatOptions {
  /** Whether the names come first: not where lines of the same table stand before. Default: true. */
  readonly header?: boolean
}

/**
 * Writes columns as comma-separated values (RFC 4180): a header, one line for each row, quotes where a cell needs them. Numbers have
 * as many digits as it takes to read them back exactly.
 *
 * @throws RangeError if the columns differ in length.
 * @example formatCsv([{ name: "answer", values: ["yes"] }, { name: "p", values: [0.75] }]) // "answer,p\nyes,0.75\n"
 */
export function formatCsv(columns: readonly CsvColumn[], { header = true }: FormatOptions = {}): string {
  const rows = columns[0]?.values.length ?? 0
  for (const { name, values } of columns) {
    if (values.length !== rows)
      throw new RangeError(`formatCsv: wanted ${rows} values in every column, got ${values.length} in ${JSON.stringify(name)}.`)
  }
  const lines = header ? [columns.map(column => cell(column.name)).join(",")] : []
  for (let row = 0; row < rows; row++) lines.push(columns.map(column => cell(column.values[row]!)).join(","))
  return lines.map(line => `${line}\n`).join("")
}

function cell(value: string | number): string {
  const text = String(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
