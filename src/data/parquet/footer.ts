import type { ByteSource } from "../byte-source.ts"
import { DataError } from "../errors.ts"
import { quote } from "../names.ts"
import type { Hyparquet } from "./library.ts"
import { endOfStruct } from "./thrift.ts"

type Schema = ReturnType<Hyparquet["parquetSchema"]>
type Metadata = ReturnType<Hyparquet["parquetMetadata"]>

/** A column of cells, not of lists or structures. */
export interface ParquetColumn {
  readonly name: string
  readonly element: Schema["element"]
  /** From the root of the schema to the column. */
  readonly path: Schema[]
  /** Whether cells may be missing. */
  readonly optional: boolean
}

/** Rows that lie together in the file: for each column the place of its pages. */
export interface RowGroup {
  readonly first: number
  readonly rows: number
  readonly chunks: readonly Chunk[]
}

export interface Chunk {
  readonly from: number
  readonly length: number
  readonly codec: string
}

/** What the end of a Parquet file says about the rest of it. */
export interface Footer {
  readonly columns: readonly ParquetColumn[]
  readonly groups: readonly RowGroup[]
  readonly rows: number
  /** Bytes of all pages, not compressed, as far as the file tells the truth. */
  readonly unpacked: number
}

/** Cells that one byte of a file may stand for: runs of one value take next to no place, but what is told without limit is no file's. */
const CELLS_PER_BYTE = 1000

/**
 * The description of a file, compared with its size.
 *
 * @throws DataError for what is no Parquet, encrypted, empty, or has columns that are no cells; any other error for what is damaged.
 */
export async function readFooter(source: ByteSource, library: Hyparquet): Promise<Footer> {
  const { name, size } = source
  const tail = await bytesAt(source, Math.max(0, size - 8), Math.min(8, size))
  const magic = String.fromCharCode(...tail.subarray(-4))
  if (magic === "PARE") throw new DataError(`${name} is encrypted, which cannot be read. Write it without encryption.`)
  if (size < 12 || magic !== "PAR1")
    throw new DataError(`${name} is not a Parquet file, or is cut off: wanted PAR1 as its last four bytes. Download or write it again.`)
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true)
  if (length > size - 12) throw new TypeError(`its description takes ${length} bytes, more than the file has`)
  const bytes = await bytesAt(source, size - 8 - length, length + 8)
  const end = endOfStruct(new DataView(bytes.buffer, bytes.byteOffset, length), 0)
  if (end !== length) throw new TypeError(`its description takes ${end} bytes, not ${length}`)
  const metadata = library.parquetMetadata(bytes, { geoparquet: false })
  const columns = columnsOf(metadata, name, library)
  const groups = groupsOf(metadata, columns, size - 8 - length)
  const rows = groups.reduce((n, group) => n + group.rows, 0)
  if (rows !== Number(metadata.num_rows)) throw new TypeError(`it tells of ${metadata.num_rows} rows, and has ${rows}`)
  if (rows === 0) throw new DataError(`${name} has columns but no rows; wanted at least one.`)
  if (rows * columns.length > CELLS_PER_BYTE * size)
    throw new TypeError(`${rows} rows of ${columns.length} columns are more than ${CELLS_PER_BYTE} cells for each byte`)
  const unpacked = metadata.row_groups.reduce((n, group) => n + Number(group.total_byte_size), 0)
  return { columns, groups, rows, unpacked }
}

export async function bytesAt(source: ByteSource, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  await source.read(bytes, at)
  return bytes
}

function columnsOf(metadata: Metadata, name: string, library: Hyparquet): ParquetColumn[] {
  const [root, ...elements] = metadata.schema
  if (!root || elements.length === 0) throw new TypeError("it has no columns")
  for (const { name: column, num_children: children, repetition_type: repetition } of elements) {
    if (children || repetition === "REPEATED")
      throw new DataError(`${name}: column ${quote(column)} holds lists or structures; wanted one value in a cell. Write it without it.`)
  }
  if (root.num_children !== elements.length) throw new TypeError("its columns are not as many as it tells")
  const schema = library.parquetSchema(metadata)
  const columns = schema.children.map(
    (child, i): ParquetColumn => ({
      name: child.element.name.trim() || `column ${i + 1}`,
      ...{ element: child.element, path: [schema, child], optional: child.element.repetition_type !== "REQUIRED" },
    }),
  )
  const twice = columns.find((column, i) => columns.findIndex(({ name }) => name === column.name) < i)
  if (twice) throw new DataError(`${name}: two columns are both called ${quote(twice.name)}. Rename one of them.`)
  return columns
}

/** The place of every chunk, inside of the file and before its description. */
function groupsOf(metadata: Metadata, columns: readonly ParquetColumn[], end: number): RowGroup[] {
  let first = 0
  return metadata.row_groups.map((group, g) => {
    const rows = Number(group.num_rows)
    if (!Number.isSafeInteger(rows) || rows < 0 || group.columns.length !== columns.length)
      throw new TypeError(`row group ${g + 1} has ${rows} rows and ${group.columns.length} columns`)
    const chunks = group.columns.map(({ file_path: elsewhere, meta_data: chunk }, c): Chunk => {
      const { element } = columns[c]!
      if (!chunk || elsewhere || chunk.type !== element.type || chunk.path_in_schema.join() !== element.name)
        throw new TypeError(`row group ${g + 1} lacks column ${c + 1}`)
      const data = Number(chunk.data_page_offset)
      const dictionary = Number(chunk.dictionary_page_offset ?? 0)
      const from = dictionary > 0 ? Math.min(dictionary, data) : data
      const length = Number(chunk.total_compressed_size)
      if (!(from >= 4 && length >= 0 && from + length <= end) || Number(chunk.num_values) !== rows)
        throw new TypeError(`row group ${g + 1}: the pages of column ${c + 1} are not where it tells`)
      return { from, length, codec: chunk.codec }
    })
    first += rows
    return { first: first - rows, rows, chunks }
  })
}
