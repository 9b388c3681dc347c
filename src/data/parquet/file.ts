import { type ByteSource, named, openBytes } from "../byte-source.ts"
import { makeTable, type Table } from "../csv.ts"
import { DataError } from "../errors.ts"
import { shuffle } from "../split.ts"
import type { TableFile } from "../table-file.ts"
import { bytesAt, type Footer, type RowGroup, readFooter } from "./footer.ts"
import { type Decompress, decompressorOf, loadHyparquet } from "./library.ts"
import { readPages } from "./pages.ts"
import { cellsOf } from "./parsers.ts"

/** What `readParquet` may be told. */
export interface ParquetOptions {
  /** The file's name, for messages. */
  readonly name?: string
}

/**
 * Reads a table from a Parquet file: numbers, texts, flags, dates and times (as ISO 8601), missing values. It needs the package
 * hyparquet, and hyparquet-compressors for files that are compressed by other means than snappy.
 *
 * Rows are counted from 1 in messages. A file larger than memory is opened by `openTable`.
 *
 * @param file its bytes, a path (in Node), a `Blob` or `File`, or anything that reads bytes at a place
 * @throws DataError if a package is missing (with the line that installs it), for what is no Parquet, damaged or encrypted, a column of
 * lists, structures or bytes, the same column twice, or no rows.
 * @example
 * const encodingOf = async (path: string) => fitEncoding(await readParquet(path), { target: "species" })
 * @see https://parquet.apache.org/docs/file-format/
 */
export async function readParquet(file: string | Uint8Array | Blob | ByteSource, options: ParquetOptions = {}): Promise<Table> {
  const source = file instanceof Uint8Array ? bytesSource(file, options.name ?? "table") : await openBytes(file, options.name)
  try {
    const parquet = await openParquet(named(source, options.name ?? source.name))
    return await parquet.read(Int32Array.from({ length: parquet.rows }, (_, i) => i))
  } finally {
    source.close?.()
  }
}

const bytesSource = (bytes: Uint8Array, name: string): ByteSource => ({
  ...{ name, size: bytes.length },
  read: (into, at) => into.set(bytes.subarray(at, at + into.length)),
})

/** Bytes of pages, unpacked, up to which a file is kept in memory once it has been read; texts of cells take about four times as many. */
const KEPT = 1 << 26

/** A Parquet file as `openTable` gives it: its row groups are read one after another, and the last one is kept. */
export async function openParquet(source: ByteSource): Promise<TableFile> {
  const { name } = source
  const library = await loadHyparquet()
  const footer = await told(name, "", () => readFooter(source, library))
  const decompress = new Map<string, Decompress>()
  for (const { codec } of footer.groups.flatMap(({ chunks }) => chunks))
    if (!decompress.has(codec)) decompress.set(codec, await decompressorOf(codec, name, library))
  const isKept = footer.unpacked <= KEPT
  const kept = new Map<RowGroup, string[][]>()
  const cellsIn = async (group: RowGroup): Promise<string[][]> => {
    const known = kept.get(group)
    if (known) return known
    if (!isKept) kept.clear()
    const cells: string[][] = []
    for (const [c, column] of footer.columns.entries()) {
      const { from, length, codec } = group.chunks[c]!
      const about = { library, column, codec, decompress: decompress.get(codec)! }
      cells.push(
        await told(name, `, column ${JSON.stringify(column.name)}`, async () =>
          cellsOf(readPages(await bytesAt(source, from, length), group.rows, about), column, name),
        ),
      )
    }
    kept.set(group, cells)
    return cells
  }
  const columns = footer.columns.map(column => column.name)
  const read = async (rows: Int32Array): Promise<Table> => {
    const odd = rows.find(row => !(row >= 0 && row < footer.rows))
    if (odd !== undefined) throw new RangeError(`${name} has the rows 0 to ${footer.rows - 1}; got ${odd}.`)
    const cells = columns.map(() => new Array<string>(rows.length))
    for (const { group, places } of byGroup(footer.groups, rows)) {
      const there = await cellsIn(group)
      for (const [c, column] of cells.entries()) for (const i of places) column[i] = there[c]![rows[i]! - group.first]!
    }
    return makeTable({ ...{ name, columns, header: false, decimal: ".", cells }, lines: rows.map(row => row + 1) })
  }
  return {
    ...{ name, columns, rows: footer.rows, read },
    readSync() {
      throw new TypeError(`readSync: ${name} is Parquet, whose columns have to be waited for; await read`)
    },
    ...(!isKept && { parts: footer.groups.map(({ first }) => first) }),
    sample: (n, seed) => read(sampled(footer, n, seed)),
    close: () => source.close?.(),
  }
}

/** Which places of `rows` are in each row group. */
function byGroup(groups: readonly RowGroup[], rows: Int32Array): { group: RowGroup; places: number[] }[] {
  const found = new Map<RowGroup, number[]>()
  let group = groups[0]!
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (row < group.first || row >= group.first + group.rows) group = groups.findLast(({ first, rows }) => rows > 0 && first <= row)!
    const places = found.get(group)
    if (places) places.push(i)
    else found.set(group, [i])
  }
  return [...found].map(([group, places]) => ({ group, places }))
}

const sampled = ({ rows }: Footer, n: number, seed: number): Int32Array =>
  n >= rows ? Int32Array.from({ length: rows }, (_, i) => i) : shuffle(rows, seed, 0).slice(0, n).sort()

/** The library throws what it likes; readers of tables throw DataError. */
async function told<T>(name: string, where: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof DataError) throw error
    const why = (error as Error).message.slice(0, 120)
    const wrong = new DataError(`${name}${where}: the Parquet file is damaged, or of a kind that cannot be read (${why}). Write it again.`)
    throw Object.assign(wrong, { cause: error })
  }
}
