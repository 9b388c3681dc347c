// Readers of tests/malformed.test.ts that are asynchronous, with sound files and those that must be refused.
import { gzipSync } from "node:zlib"
import { encode as encodePng } from "fast-png"
import { parquetWriteBuffer } from "hyparquet-writer"
import { encode as encodeJpeg } from "jpeg-js"
import { expect } from "vitest"
import { decodeImage, loadDecoders } from "../src/data/images/decode.ts"
import {
  type ByteSource,
  DataError,
  openTable,
  readParquet,
  readRows,
  readTables,
  readText,
  type Table,
  type TableOptions,
} from "../src/data.ts"

export interface Reader {
  readonly name: string
  readonly error: new (message: string) => Error
  readonly sound: readonly Uint8Array[]
  /** Reads, checks what came against the file, and returns the bytes of arrays in it. */
  read(bytes: Uint8Array): number | Promise<number>
  /** Files that must be refused. */
  readonly malformed: readonly (readonly [why: string, bytes: Uint8Array])[]
  /** Whether every file that ends early must be refused. */
  readonly binary: boolean
  /** Bytes that the arrays of a small file may take, where they may be more than the file. */
  readonly most?: number
  /** The file with checksums that are right again, so that mutations get past them. */
  mended?(bytes: Uint8Array): Uint8Array
  /** Mutations in the short form, where each takes longer. */
  readonly short?: number
}

export function checkTable(table: Table): number {
  expect(new Set(table.columns).size).toBe(table.columns.length)
  for (const name of table.columns) if (table.column(name).length !== table.rows) throw new Error(`column ${name} has another length`)
  if (table.lines.length !== table.rows) throw new Error("lines")
  return table.lines.byteLength
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const csv = [bytesOf('id,name,__proto__\n1,"a ""b"",\nc",2\n2,,3\n'), bytesOf("a;b\r\n1,5;x\r\n2,5;y\r\n"), bytesOf("\uFEFFk,v\n1,é\n")]
const ndjson = [bytesOf('{"a":1,"b":"x\\n\\u00e9"}\n{"a":null,"b":true}\n'), bytesOf('{"__proto__":1}\n{"__proto__":-2.5e3}\n')]
const tables: readonly (readonly [string, Uint8Array])[] = [
  ["empty", bytesOf("")],
  ["blanks", bytesOf(" \n\n ")],
  ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0)],
  ["a spreadsheet", Uint8Array.of(0x50, 0x4b, 3, 4, 0)],
  ["no UTF-8", Uint8Array.of(0x61, 0x0a, 0xe9, 0x0a)],
]
const rowsOnly: readonly (readonly [string, Uint8Array])[] = [
  ["a short row", bytesOf("a,b\n1\n")],
  ["a long row", bytesOf("a,b\n1,2,3\n")],
  ["a name twice", bytesOf("a,a\n1,2\n")],
  ["an open quote", bytesOf('a,b\n"1,2\n')],
  ["numbers for a header", bytesOf("1,2\n3,4\n")],
]

const text: Reader = {
  ...{ name: "readText", error: DataError, binary: false, most: 1 << 12 },
  sound: [bytesOf("to be, or not to be"), bytesOf("\uFEFFé日本𝔞\n")],
  malformed: [
    ["empty", bytesOf("")],
    ["no UTF-8", Uint8Array.of(0x61, 0xe9, 0x61)],
    ["a character cut off", Uint8Array.of(0x61, 0xe6, 0x97)],
    ["half a character", Uint8Array.of(0xed, 0xa0, 0x80)],
    ["an overlong character", Uint8Array.of(0xc0, 0x80)],
    ["a mark alone", Uint8Array.of(0xef, 0xbb, 0xbf)],
  ],
  async read(bytes) {
    const { codes, characters } = await readText(sourceOf(bytes))
    if (characters.decode(codes) !== new TextDecoder().decode(bytes)) throw new Error("another text")
    return codes.byteLength
  },
}

/** Three bytes at a time, so that everything is cut somewhere. */
function* pieces(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3)
}

const sourceOf = (bytes: Uint8Array): ByteSource => ({
  ...{ name: "t", size: bytes.length },
  read: (into, at) => into.set(bytes.subarray(at, at + into.length)),
})

async function opened(bytes: Uint8Array, options: TableOptions): Promise<number> {
  const file = await openTable(sourceOf(bytes), options)
  return checkTable(await file.read(Int32Array.from({ length: file.rows }, (_, i) => file.rows - 1 - i)))
}

// Streams and files look through the bytes in pieces of a megabyte, whatever their size.
const PIECE = 1 << 20
const streams: readonly Reader[] = (
  [
    ["csv", csv, [...tables, ...rowsOnly]],
    ["ndjson", ndjson, tables],
  ] as const
).flatMap(([format, sound, malformed]) => [
  { name: `openTable ${format}`, error: DataError, sound, binary: false, most: PIECE, malformed, read: bytes => opened(bytes, { format }) },
  {
    ...{ name: `readTables ${format}`, error: DataError, sound, binary: false, most: PIECE, malformed },
    async read(bytes) {
      let n = 0
      for await (const table of readTables(pieces(bytes), { format })) n += checkTable(table)
      return n
    },
  } satisfies Reader,
])

const rows: Reader = {
  ...{ name: "readRows", error: DataError, sound: csv, binary: false, most: PIECE, malformed: [...tables, ...rowsOnly] },
  async read(bytes) {
    let columns = ""
    for await (const row of readRows(pieces(bytes))) {
      if (Object.getPrototypeOf(row) !== null) throw new Error("a prototype")
      columns ||= Object.keys(row).join()
      if (Object.keys(row).join() !== columns) throw new Error("a row of other columns")
    }
    return 0
  },
}

// Parquet

type Written = Parameters<typeof parquetWriteBuffer>[0]
const GZIP = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))
const written = (columnData: unknown, options: Partial<Written> = {}) =>
  new Uint8Array(parquetWriteBuffer({ columnData, compressors: { GZIP }, ...options } as Written))
const numbers = [3, 1, 4, 1, 5, 9, 2, 6]
const texts = ["ab", "abc", "abd", "ab", "x", "xyz", "x", ""]
const parquet = [
  written([
    { name: "n", data: numbers.map((n, i) => (i === 2 ? null : n / 2)), type: "DOUBLE" },
    { name: "t", data: texts, type: "STRING" },
  ]),
  written([
    { name: "i", data: numbers.map(BigInt), type: "INT64", encoding: "DELTA_BINARY_PACKED" },
    { name: "b", data: numbers.map(n => n > 3), type: "BOOLEAN", encoding: "RLE" },
    { name: "s", data: texts, type: "STRING", encoding: "DELTA_BYTE_ARRAY" },
  ]),
  written(
    [
      { name: "f", data: numbers, type: "FLOAT", encoding: "BYTE_STREAM_SPLIT", nullable: false },
      { name: "d", data: Array(8).fill("same"), type: "STRING", encoding: "RLE_DICTIONARY" },
      { name: "w", data: numbers.map(n => new Date(1e12 * n)), type: "TIMESTAMP" },
    ],
    { codec: "GZIP", rowGroupSize: 5 },
  ),
]
/** A sound file whose last bytes are `tail` in the place of as many. */
const ending = (...tail: number[]) => {
  const bytes = parquet[0]!.slice()
  bytes.set(tail, bytes.length - tail.length)
  return bytes
}
/** A file whose description is these bytes. */
const described = (...thrift: number[]) =>
  Uint8Array.of(...bytesOf("PAR1"), ...thrift, thrift.length & 255, thrift.length >> 8, 0, 0, ...bytesOf("PAR1"))

const parquetReader: Reader = {
  ...{ name: "readParquet", error: DataError, sound: parquet, binary: true, most: 4096 },
  read: async bytes => checkTable(await readParquet(bytes)),
  malformed: [
    ["empty", bytesOf("")],
    ["text", bytesOf("a,b\n1,2\n")],
    ["its mark alone", bytesOf("PAR1")],
    ["its mark twice", bytesOf("PAR1PAR1")],
    ["another mark behind", ending(...bytesOf("PAR2"))],
    ["an encrypted one", ending(...bytesOf("PARE"))],
    ["a description of four gigabytes", ending(255, 255, 255, 255, ...bytesOf("PAR1"))],
    ["no description", ending(0, 0, 0, 0, ...bytesOf("PAR1"))],
    ["bytes behind", Uint8Array.of(...parquet[0]!, 0)],
    ["an empty description", described(0)],
    ["a description without end", described(0x15, 2)],
    ["a list of two billion structures", described(0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 7, 0)],
    ["a list of two billion flags", described(0x29, 0xf1, 0xff, 0xff, 0xff, 0xff, 7, 0)],
    ["a text of two billion bytes", described(0x18, 0xff, 0xff, 0xff, 0xff, 7, 0)],
    ["a number without end", described(...Array(40).fill(0x16), ...Array(40).fill(0xff), 0)],
    ["structures in structures", described(...Array(200).fill(0x1c), ...Array(200).fill(0))],
    ["a field of no type", described(0x1e, 0)],
    ["no rows", written([{ name: "n", data: [], type: "DOUBLE" }])],
    [
      "the same column twice",
      written([
        { name: "n", data: [1], type: "DOUBLE" },
        { name: "n", data: [2], type: "DOUBLE" },
      ]),
    ],
  ],
}

// Images, packed, whose pixels may take more than the file

const pixels = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * i * 37) % 251)
const png = [
  encodePng({ width: 5, height: 4, channels: 3, data: pixels(60) }),
  encodePng({ width: 7, height: 3, channels: 2, data: pixels(42) }),
]
const jpeg = [20, 60].map(quality => new Uint8Array(encodeJpeg({ width: 9, height: 10, data: pixels(360) }, quality).data))
const withBytes = (bytes: Uint8Array, at: number, ...values: number[]) => {
  const copy = bytes.slice()
  copy.set(values, at)
  return copy
}
/** A PNG whose chunks have their own checksums. */
function mended(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  for (let at = 8; at + 12 <= copy.length; ) {
    const end = at + 8 + view.getUint32(at)
    if (end + 4 > copy.length) break
    view.setUint32(end, crc32(copy.subarray(at + 4, end)))
    at = end + 4
  }
  return copy
}
/** The last but four bytes of gzip. */
const crc32 = (bytes: Uint8Array) => gzipSync(bytes).subarray(-8).readUInt32LE(0)
const decoders = await loadDecoders()
const image: Pick<Reader, "error" | "binary" | "read"> = {
  ...{ error: DataError, binary: true },
  read(bytes) {
    const { width, height, channels, data } = decodeImage(bytes, "x", decoders)
    if (data.length !== width * height * channels) throw new Error("pixels")
    return data.byteLength
  },
}
const images: readonly Reader[] = [
  {
    ...{ ...image, name: "PNG", sound: png, most: 1 << 14, mended },
    malformed: [
      ["empty", bytesOf("")],
      ["its first bytes alone", png[0]!.slice(0, 8)],
      ["no header", Uint8Array.of(...png[0]!.slice(0, 8), ...png[0]!.slice(33))],
      ["four billion by four billion pixels", withBytes(png[0]!, 16, 255, 255, 255, 255, 255, 255, 255, 255)],
      ["no pixels", withBytes(png[0]!, 16, 0, 0, 0, 0)],
      ["another checksum", withBytes(png[0]!, 29, 0, 0, 0, 0)],
      ["a chunk of four gigabytes", withBytes(png[0]!, 33, 255, 255, 255, 255)],
    ],
  },
  {
    // unpacking takes whole blocks with 32-bit coefficients
    ...{ ...image, name: "JPEG", sound: jpeg, most: 1 << 22 },
    malformed: [
      ["its first bytes alone", jpeg[0]!.slice(0, 2)],
      ["text behind its first bytes", Uint8Array.of(0xff, 0xd8, ...bytesOf("hello"))],
      ["no frame", Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xd9)],
      [
        "four billion pixels",
        withBytes(jpeg[0]!, jpeg[0]!.findIndex((b, i, all) => b === 0xff && all[i + 1] === 0xc0) + 5, 255, 255, 255, 255),
      ],
      ["filling without end", Uint8Array.of(0xff, 0xd8, ...Array(500).fill(0xff))],
    ],
  },
]

export const moreReaders: readonly Reader[] = [...streams, rows, text, parquetReader, ...images].map(reader => ({ ...reader, short: 300 }))
