import { type ByteSource, named, openBytes } from "./byte-source.ts"
import { decodeText, encodingOf, type Table } from "./csv.ts"
import { DataError } from "./errors.ts"
import { isNdjson, isParquet, isTabbed, type Layout, layoutOf, type TableOptions, tableOf } from "./layout.ts"
import { RowScanner } from "./row-scanner.ts"
import { shuffle } from "./split.ts"

/** A table that stays in its file: only where its rows begin is kept in memory, 8 bytes for each. */
export interface TableFile {
  readonly name: string
  readonly columns: readonly string[]
  /** Number of data rows. */
  readonly rows: number
  /** Where it is read part by part, because only a whole part can be read: the first row of each. */
  readonly parts?: readonly number[]
  /** The given rows, counted from 0, in this order, as a table in memory. */
  read(rows: Int32Array): Promise<Table>
  /** The same without waiting, of CSV, TSV and NDJSON at a path (in Node). Throws TypeError where bytes or columns have to be waited for. */
  readSync(rows: Int32Array): Table
  /** So many rows drawn at random, all of them if there are fewer: to see what columns hold and to fit an encoding. */
  sample(rows: number, seed: number): Promise<Table>
  close(): void
}

/** Bytes that are looked through at a time, and rows that say what the columns are. */
const PIECE = 1 << 20
const FIRST_ROWS = 1000

/**
 * Opens a table that may be larger than memory: CSV, TSV or NDJSON in UTF-8, not compressed. One pass finds where the rows begin; then
 * any of them are read in any order. Parquet (as `readParquet`) is read row group by row group, of which the last one stays in memory.
 *
 * In a table of semicolons the first thousand rows decide about decimal commas, in NDJSON about the columns. The numbers of rows in
 * messages take every row for one line.
 *
 * @param file a path (in Node), a `Blob` or `File`, or anything that reads bytes at a place
 * @throws DataError as `parseCsv`, `parseNdjson` and `readParquet` do; rows of another length when they are read.
 * @example
 * const file = await openTable(new Blob(["size,kind\n1,a\n3,b\n2,a\n"]), { name: "kinds.csv" })
 * const table = await file.read(Int32Array.of(2, 0))
 * table.column("size")  // ["2", "1"]
 */
export async function openTable(file: string | Blob | ByteSource, options: TableOptions = {}): Promise<TableFile> {
  const source = await openBytes(file, options.name)
  try {
    const told = { ...options, name: options.name ?? source.name }
    if (isParquet(told)) {
      const { openParquet } = await import("./parquet/file.ts")
      return await openParquet(named(source, told.name))
    }
    const index = await indexRows(source, told)
    return await makeFile(source, index, told)
  } catch (error) {
    source.close?.()
    throw error
  }
}

/** Where rows begin; one more entry says where the last one ends. In blocks, so that growing copies nothing. */
class RowIndex {
  private readonly blocks: Float64Array[] = []
  rows = 0
  end = 0
  add(start: number, end: number): void {
    if ((this.rows & 0xffff) === 0) this.blocks.push(new Float64Array(1 << 16))
    this.blocks.at(-1)![this.rows++ & 0xffff] = start
    this.end = end
  }
  start(row: number): number {
    return row < this.rows ? this.blocks[row >>> 16]![row & 0xffff]! : this.end
  }
  drop(): void {
    this.end = this.start(this.rows - 1)
    this.rows--
  }
}

async function indexRows(source: ByteSource, options: TableOptions & { readonly name: string }): Promise<RowIndex> {
  const { name } = options
  const index = new RowIndex()
  const scanner = new RowScanner({ name, quotes: !isNdjson(options), tabs: isTabbed(options) })
  const add = (start: number, end: number) => index.add(start, end)
  const piece = new Uint8Array(Math.min(PIECE, source.size))
  for (let at = 0; at < source.size; at += piece.length) {
    const some = piece.subarray(0, Math.min(piece.length, source.size - at))
    await source.read(some, at)
    if (at === 0 && !/^utf-?8$/i.test(encodingOf(some, name, options.encoding)))
      throw new DataError(`${name} is not in UTF-8, which tables that stay in their file must be; save it in UTF-8.`)
    scanner.scan(some, add)
  }
  scanner.finish(add)
  return index
}

async function makeFile(source: ByteSource, index: RowIndex, options: TableOptions & { readonly name: string }): Promise<TableFile> {
  const { name } = options
  const first = Int32Array.from({ length: Math.min(index.rows, FIRST_ROWS) }, (_, i) => i)
  const layout = layoutOf(decodeText(await bytesOf(source, index, first), name, "utf-8"), options)
  const skipped = layout.header ? 1 : 0
  const read = async (places: Int32Array): Promise<Table> => tableFrom(layout, index, await bytesOf(source, index, places), places)
  const isEmpty = async (place: number) => {
    const table = await read(Int32Array.of(place))
    return layout.delimiter !== "" && table.columns.every(column => table.column(column)[0] === "")
  }
  while (index.rows > skipped && (await isEmpty(index.rows - 1))) index.drop()
  const rows = index.rows - skipped
  if (rows < 1) throw new DataError(`${name} has a header but no data rows; wanted one line for each row.`)
  const placesOf = (chosen: Int32Array): Int32Array => {
    const odd = chosen.find(row => !(row >= 0 && row < rows))
    if (odd !== undefined) throw new RangeError(`${name} has the rows 0 to ${rows - 1}; got ${odd}.`)
    return chosen.map(row => row + skipped)
  }
  return {
    ...{ name, columns: layout.columns, rows },
    read: async chosen => read(placesOf(chosen)),
    readSync(chosen) {
      const places = placesOf(chosen)
      return tableFrom(layout, index, bytesNow(source, index, places), places)
    },
    sample: async (n, seed) => read(placesOf(n >= rows ? Int32Array.from({ length: rows }, (_, i) => i) : drawn(rows, n, seed))),
    close: () => source.close?.(),
  }
}

/** In ascending order, which disks read fastest. */
const drawn = (rows: number, n: number, seed: number): Int32Array => shuffle(rows, seed, 0).slice(0, n).sort()

/** Room for rows one after another, each with a line end, and what of the file comes where in it; neighbours are read at once. */
function roomFor(index: RowIndex, rows: Int32Array) {
  const bytes = new Uint8Array(lengthOf(index, rows)).fill(0x0a)
  const parts: { readonly into: Uint8Array; readonly from: number }[] = []
  let at = 0
  for (let i = 0; i < rows.length; ) {
    const first = rows[i]!
    let next = first + 1
    for (i++; i < rows.length && rows[i] === next; i++) next++
    const [from, to] = [index.start(first), index.start(next)]
    parts.push({ into: bytes.subarray(at, at + to - from), from })
    at += to - from
    if (next === index.rows) at++ // the last row of the file may have no line end
  }
  return { bytes, parts }
}

/** Bytes that rows take, with one more for each last row of the file. */
const lengthOf = (index: RowIndex, rows: Int32Array): number =>
  rows.reduce((n, row) => n + index.start(row + 1) - index.start(row) + (row + 1 === index.rows ? 1 : 0), 0)

async function bytesOf(source: ByteSource, index: RowIndex, rows: Int32Array): Promise<Uint8Array> {
  const { bytes, parts } = roomFor(index, rows)
  for (const { into, from } of parts) {
    const waiting = source.read(into, from)
    if (waiting) await waiting
  }
  return bytes
}

function bytesNow(source: ByteSource, index: RowIndex, rows: Int32Array): Uint8Array {
  const { bytes, parts } = roomFor(index, rows)
  for (const { into, from } of parts)
    if (source.read(into, from))
      throw new TypeError(`readSync: the bytes of ${source.name} have to be waited for; await read, or open a path in Node`)
  return bytes
}

/** The rows at these places of the file from their bytes. Which of them is wrong is found by halves. */
function tableFrom(layout: Layout, index: RowIndex, bytes: Uint8Array, places: Int32Array): Table {
  try {
    return parsed(layout, decodeText(bytes, layout.name, "utf-8"), places)
  } catch (error) {
    if (places.length > 1 && error instanceof DataError) {
      const half = places.length >> 1
      const cut = lengthOf(index, places.subarray(0, half))
      tableFrom(layout, index, bytes.subarray(0, cut), places.subarray(0, half))
      tableFrom(layout, index, bytes.subarray(cut), places.subarray(half))
    }
    throw error
  }
}

function parsed(layout: Layout, text: string, places: Int32Array): Table {
  const { cells, lines } = layout.parse(text, places.length === 1 ? places[0]! : 0)
  if (lines.length !== places.length)
    throw new DataError(`${layout.name}, row ${places[0]! + 1}: it is several rows, or none. Let all lines end in the same way.`)
  return tableOf(
    layout,
    cells,
    places.map(place => place + 1),
  )
}
