import type { ParquetColumn } from "./footer.ts"
import { checkRuns } from "./levels.ts"
import type { Decompress, Hyparquet } from "./library.ts"
import { parsersFor } from "./parsers.ts"
import { endOfStruct, varint } from "./thrift.ts"

type Header = ReturnType<Hyparquet["parquetHeader"]>
type Decoder = Parameters<Hyparquet["convert"]>[1]

/** How a column is read: the library's own functions, and what unpacks its pages. */
export interface ColumnReader {
  readonly library: Hyparquet
  readonly column: ParquetColumn
  readonly codec: string
  readonly decompress: Decompress
}

/** Bytes that one byte of a compression can stand for, at most. */
const RATIOS: Readonly<Record<string, number>> = {
  UNCOMPRESSED: 1,
  SNAPPY: 22,
  GZIP: 1032,
  LZ4: 256,
  LZ4_RAW: 256,
  BROTLI: 1 << 15,
  ZSTD: 1 << 15,
}
/** Bytes of one page, unpacked; writers make pages of about one megabyte. */
const LARGEST_PAGE = 1 << 28

/**
 * The values of a column in one row group, missing ones as null or undefined. Numbers and lengths of every page are compared with the
 * bytes that are there before the library, which trusts them, reads it.
 *
 * @throws Error of any kind for what is damaged
 */
export function readPages(bytes: Uint8Array, rows: number, reader: ColumnReader): unknown[] {
  const { library } = reader
  const decoder = decoderOf(reader)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values: unknown[] = []
  let dictionary: ReturnType<Hyparquet["convert"]> | undefined
  for (let at = 0; values.length < rows; ) {
    const end = endOfStruct(view, at)
    const header = library.parquetHeader({ view, offset: at })
    const { page, levels } = unpacked(header, bytes.subarray(end), reader)
    at = end + header.compressed_page_size
    const whole = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 }
    const plain = plainHeader(header, page.length)
    if (header.type === "INDEX_PAGE") continue
    const wanted = check(plain, whole.view, levels, rows - values.length, reader)
    if (encodingOf(header)?.endsWith("_DICTIONARY") && !dictionary?.length) throw new TypeError("a page without its dictionary")
    const { data } = library.readPage(whole, plain, decoder, dictionary, undefined, 0)
    if (header.type === "DICTIONARY_PAGE") dictionary = data && library.convert(data, decoder)
    else {
      if (data?.length !== wanted.values) throw new TypeError(`a page of ${wanted.values} values has ${data?.length}`)
      let present = 0
      for (const value of data as unknown[]) {
        values.push(value)
        if (value !== undefined && value !== null) present++
      }
      // a place in the dictionary that is not there would pass for a missing cell
      if (present !== wanted.present) throw new TypeError(`a page of ${wanted.present} cells that are not missing has ${present}`)
    }
  }
  return values
}

const encodingOf = (header: Header): string | undefined => (header.data_page_header ?? header.data_page_header_v2)?.encoding

function decoderOf({ library, column: { element, path } }: ColumnReader): Decoder {
  const { logical_type: logical } = element
  // the older of two ways to say what a number means is the only one that hyparquet looks for
  const older =
    logical?.type === "DECIMAL"
      ? ({ converted_type: "DECIMAL", scale: logical.scale } as const)
      : logical?.type === "DATE"
        ? ({ converted_type: "DATE" } as const)
        : {}
  return {
    ...{ pathInSchema: [element.name], type: element.type!, element: { ...element, ...older }, schemaPath: path },
    ...{ codec: "UNCOMPRESSED", parsers: parsersFor(element, library.defaults), utf8: true },
  }
}

/** The bytes of a page as if they had never been compressed; `levels` of them, at the front, never were. */
function unpacked(header: Header, rest: Uint8Array, { codec, decompress }: ColumnReader): { page: Uint8Array; levels: number } {
  const { compressed_page_size: packed, uncompressed_page_size: length, data_page_header_v2: second } = header
  if (!(packed >= 0 && packed <= rest.length)) throw new TypeError(`a page takes ${packed} bytes, and ${rest.length} are left`)
  const levels = second ? second.repetition_levels_byte_length + second.definition_levels_byte_length : 0
  if (second && !(second.repetition_levels_byte_length === 0 && levels >= 0 && levels <= packed && levels <= length))
    throw new TypeError(`levels of ${levels} bytes in a page of ${packed}`)
  const input = rest.subarray(levels, packed)
  const most = Math.min(LARGEST_PAGE, input.length * (RATIOS[codec] ?? 1) + 64)
  const wanted = length - levels
  if (!(wanted >= 0 && wanted <= most)) throw new TypeError(`${input.length} bytes are said to unpack to ${wanted}`)
  if (second?.is_compressed === false || codec === "UNCOMPRESSED") {
    if (packed !== length) throw new TypeError(`a page of ${packed} bytes that is not compressed is said to have ${length}`)
    // a copy: values that go on behind the end of the page are then behind the end of the memory
    return { page: rest.slice(0, packed), levels }
  }
  if (codec === "ZSTD") checkZstd(input, wanted)
  const output = wanted === 0 ? new Uint8Array(0) : decompress(input, wanted)
  if (output?.length !== wanted) throw new TypeError(`a page unpacks to ${output?.length} bytes, not ${wanted}`)
  if (levels === 0) return { page: output.byteLength === output.buffer.byteLength ? output : output.slice(), levels }
  const page = new Uint8Array(length)
  page.set(rest.subarray(0, levels))
  page.set(output, levels)
  return { page, levels }
}

/** The header of the same page, not compressed. */
const plainHeader = (header: Header, length: number): Header => ({
  ...header,
  ...{ compressed_page_size: length, uncompressed_page_size: length },
  ...(header.data_page_header_v2 && { data_page_header_v2: { ...header.data_page_header_v2, is_compressed: false } }),
})

interface Counts {
  readonly values: number
  /** Those that are not missing. */
  readonly present: number
}

/** Compares the numbers of a header with the bytes of its page; `left` are the rows that the group lacks. */
function check(header: Header, view: DataView, levels: number, left: number, reader: ColumnReader): Counts {
  const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: words } = header
  if (header.type === "DICTIONARY_PAGE") {
    if (!(words && words.num_values >= 0 && words.num_values <= view.byteLength)) throw new TypeError("a dictionary without words")
    return { values: 0, present: 0 }
  }
  const about = header.type === "DATA_PAGE" ? first : header.type === "DATA_PAGE_V2" ? second : undefined
  const n = about?.num_values ?? -1
  if (!about || !(n > 0 && n <= left)) throw new TypeError(`a page has ${n} values, and ${left} are left`)
  let [at, present] = [levels, n]
  if (reader.column.optional && first) {
    at = 4 + view.getUint32(0, true)
    present = checkRuns(view, 4, 1, n)
  } else if (reader.column.optional) present = checkRuns(view, 0, 1, n)
  if (second && (second.num_nulls !== n - present || second.num_rows !== n)) throw new TypeError("a page has other cells than it tells")
  if (present > 0) checkValues(about.encoding, { view, at, n: present, isFirst: first === about }, reader)
  return { values: n, present }
}

/** Values at a place of a page, and whether it is of the first of the two forms that pages have. */
interface Values {
  readonly view: DataView
  readonly at: number
  readonly n: number
  readonly isFirst: boolean
}

/** Bytes of one value. */
const SIZES: Readonly<Record<string, number>> = { BOOLEAN: 1 / 8, INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8, BYTE_ARRAY: 4 }

function checkValues(encoding: string, { view, at, n, isFirst }: Values, { column, library }: ColumnReader): void {
  const { type = "", type_length: each = 1 } = column.element
  if (encoding === "PLAIN" || encoding === "BYTE_STREAM_SPLIT") {
    if (n * Math.max(SIZES[type] ?? each, 1 / 8) > view.byteLength - at) throw new RangeError("its values are cut off")
  } else if (encoding === "RLE") checkRuns(view, at + 4, 1, n)
  else if (encoding.endsWith("_DICTIONARY")) {
    const width = view.getUint8(at)
    // in the first form, places of no bits have no runs
    if (width > 0 || !isFirst) checkRuns(view, at + 1, width, n)
  } else if (encoding.startsWith("DELTA_")) {
    const blocks = varint(view, varint(view, at).end).value
    if (blocks > view.byteLength) throw new TypeError(`${blocks} blocks in a page of ${view.byteLength} bytes`)
    if (encoding === "DELTA_BYTE_ARRAY") checkPrefixes(view, at, n, library)
  }
}

/** Texts that share their beginning with the one before: together they may be many times as long as the page. */
function checkPrefixes(view: DataView, offset: number, n: number, { deltaBinaryUnpack }: Hyparquet): void {
  const reader = { view, offset }
  const [prefixes, suffixes] = [new Int32Array(n), new Int32Array(n)]
  deltaBinaryUnpack(reader, n, prefixes)
  if (varint(view, varint(view, reader.offset).end).value > view.byteLength) throw new TypeError("blocks that are not there")
  deltaBinaryUnpack(reader, n, suffixes)
  let [length, total] = [0, 0]
  for (let i = 0; i < n; i++) {
    if (!(prefixes[i]! >= 0 && prefixes[i]! <= length && suffixes[i]! >= 0)) throw new TypeError("a text that begins like none before")
    length = prefixes[i]! + suffixes[i]!
    total += length
    if (total > LARGEST_PAGE) throw new TypeError(`texts of more than ${LARGEST_PAGE} bytes in one page`)
  }
}

/** What unpacks zstd takes as much memory as the frame says. */
function checkZstd(input: Uint8Array, wanted: number): void {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const about = view.getUint8(4)
  const bytes = [about & 32 ? 1 : 0, 2, 4, 8][about >> 6]!
  const at = 5 + (about & 32 ? 0 : 1) + [0, 1, 2, 4][about & 3]!
  const said = [undefined, () => view.getUint8(at), () => 256 + view.getUint16(at, true), undefined, () => view.getUint32(at, true)][bytes]
  const size = bytes === 8 ? Number(view.getBigUint64(at, true)) : said?.()
  if (size !== undefined && size !== wanted) throw new TypeError(`a page unpacks to ${size} bytes, not ${wanted}`)
}
