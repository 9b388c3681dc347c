import { decodeText, encodingOf, makeDecoder, type Table } from "./csv.ts"
import { DataError } from "./errors.ts"
import { isNdjson, isParquet, isTabbed, type Layout, layoutOf, type TableOptions, tableOf } from "./layout.ts"
import { RowScanner } from "./row-scanner.ts"

/** Bytes of rows that are read as one table, at least. */
const BLOCK = 1 << 20

/** Bytes that come piece by piece: `fs.createReadStream(path)`, `blob.stream()`, the body of a response, or a list of arrays. */
export type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/**
 * Reads a table of any size from a stream of bytes, as tables of some thousand rows one after another: CSV, TSV or NDJSON. What is
 * compressed is decompressed before, as by `zlib.createGunzip` or `DecompressionStream`.
 *
 * The first of them decides about columns and decimal commas. Each keeps the line numbers of the file.
 *
 * @throws DataError as `parseCsv` and `parseNdjson`, when the row in question is read.
 * @example
 * const bytes = [new TextEncoder().encode("size,kind\n1,a\n"), new TextEncoder().encode("3,b\n")]
 * for await (const table of readTables(bytes)) console.log(table.rows, table.column("kind").join())  // 2 a,b
 */
export async function* readTables(bytes: Bytes, options: TableOptions = {}): AsyncGenerator<Table> {
  const { name = "table" } = options
  if (isParquet(options)) throw new DataError(`${name} is Parquet, which is described at its end: open it with openTable or readParquet.`)
  let layout: Layout | undefined
  let line = 0
  for await (const block of blocks(bytes, options, name)) {
    const text = decodeText(block, name, "utf-8")
    const isFirst = layout === undefined
    layout ??= layoutOf(text, { ...options, name })
    const { cells, lines } = layout.parse(text, line)
    line += (text.match(/\r\n|\r|\n/g) ?? []).length
    const from = isFirst && layout.header ? 1 : 0
    if (lines.length > from)
      yield tableOf(
        layout,
        cells.map(column => column.slice(from)),
        Int32Array.from(lines.slice(from)),
      )
  }
  if (layout === undefined) throw new DataError(`${name} is empty; wanted one line for each row.`)
}

/**
 * The rows of `readTables` one by one, as objects without a prototype: a column may be called `__proto__`.
 *
 * @throws DataError as `readTables`.
 * @example
 * for await (const row of readRows([new TextEncoder().encode("size,kind\n1,a\n")])) console.log(row.size, row.kind)  // 1 a
 */
export async function* readRows(bytes: Bytes, options: TableOptions = {}): AsyncGenerator<Readonly<Record<string, string>>> {
  for await (const table of readTables(bytes, options)) {
    const columns = table.columns.map(column => table.column(column))
    for (let row = 0; row < table.rows; row++) {
      const record: Record<string, string> = Object.create(null)
      for (let i = 0; i < columns.length; i++) record[table.columns[i]!] = columns[i]![row]!
      yield record
    }
  }
}

/** Pieces that end where a row ends. */
async function* blocks(bytes: Bytes, options: TableOptions, name: string): AsyncGenerator<Uint8Array> {
  const scanner = new RowScanner({ name, quotes: !isNdjson(options), tabs: isTabbed(options) })
  let kept: Uint8Array[] = []
  let length = 0
  let cut = 0 // the end of the last whole row, counted from the first of the kept bytes
  let before = 0 // bytes before them
  for await (const piece of asUtf8(bytes, options.encoding, name)) {
    kept.push(piece)
    length += piece.length
    scanner.scan(piece, (_, end) => {
      cut = end - before
    })
    if (cut < BLOCK) continue
    const all = joined(kept, length)
    yield all.subarray(0, cut)
    kept = [all.slice(cut)]
    length -= cut
    before += cut
    cut = 0
  }
  const rest = joined(kept, length)
  if (rest.some(byte => byte > 0x20)) yield rest
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

async function* asUtf8(bytes: Bytes, wanted: string | undefined, name: string): AsyncGenerator<Uint8Array> {
  let decoder: TextDecoder | undefined
  let isFirst = true
  for await (const piece of bytes) {
    if (!(piece instanceof Uint8Array)) throw new TypeError(`readTables: wants a stream of bytes (Uint8Array); got one of ${typeof piece}`)
    if (isFirst) {
      const encoding = encodingOf(piece, name, wanted)
      if (!/^utf-?8$/i.test(encoding)) decoder = makeDecoder(encoding, name)
    }
    isFirst = false
    yield decoder ? encoded(decoder, piece, name) : piece
  }
  if (decoder) yield encoded(decoder, undefined, name)
}

function encoded(decoder: TextDecoder, piece: Uint8Array | undefined, name: string): Uint8Array {
  try {
    return new TextEncoder().encode(piece ? decoder.decode(piece, { stream: true }) : decoder.decode())
  } catch {
    throw new DataError(`${name} is not text in ${decoder.encoding.toUpperCase()}; name another encoding.`)
  }
}
