// Readers of tests/malformed.test.ts that are asynchronous, with sound files and those that must be refused.
import { gzipSync } from "node:zlib"
import { parquetWriteBuffer } from "hyparquet-writer"
import { expect } from "vitest"
import { DataError, openTable, readParquet, readRows, readTables, type Table, type TableOptions } from "../src/data.ts"

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

/** Three bytes at a time, so that everything is cut somewhere. */
function* pieces(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3)
}

async function opened(bytes: Uint8Array, options: TableOptions): Promise<number> {
  const source = { name: "t", size: bytes.length, read: (into: Uint8Array, at: number) => into.set(bytes.subarray(at, at + into.length)) }
  const file = await openTable(source, options)
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

export const moreReaders: readonly Reader[] = [...streams, rows, parquetReader].map(reader => ({ ...reader, short: 300 }))
