import { gzipSync } from "node:zlib"
import { parquetWriteBuffer } from "hyparquet-writer"
import { describe, expect, test } from "vitest"
import { readParquet, type Table } from "../../data.ts"
import type { ByteSource } from "../byte-source.ts"
import { DataError } from "../errors.ts"
import { fitEncoding } from "../fit.ts"
import { datasetOf } from "../lazy.ts"
import { openTable } from "../table-file.ts"

type Written = Parameters<typeof parquetWriteBuffer>[0]
const written = (options: Written): Uint8Array => new Uint8Array(parquetWriteBuffer(options))
const contents = (table: Table) => Object.fromEntries(table.columns.map(name => [name, table.column(name)]))
const at = (bytes: Uint8Array, name = "x.parquet"): ByteSource => ({
  ...{ name, size: bytes.length },
  read: (into, from) => into.set(bytes.subarray(from, from + into.length)),
})

describe("cells", () => {
  const kinds: [string, Written["columnData"][number], string[]][] = [
    ["numbers", { name: "c", data: [1.5, null, -3e-7, Number.NaN], type: "DOUBLE" }, ["1.5", "", "-3e-7", "NaN"]],
    [
      "numbers of 32 bits",
      { name: "c", data: [0.1, 16777217, 1e-40].map(Math.fround), type: "FLOAT" },
      ["0.1", "16777216", "9.999946e-41"],
    ],
    ["whole numbers", { name: "c", data: [1, -2, 2 ** 31 - 1], type: "INT32", nullable: false }, ["1", "-2", "2147483647"]],
    ["whole numbers of 64 bits", { name: "c", data: [2n ** 62n, null, -1n], type: "INT64" }, ["4611686018427387904", "", "-1"]],
    ["flags", { name: "c", data: [true, null, false], type: "BOOLEAN" }, ["true", "", "false"]],
    ["texts", { name: "c", data: ["a", null, " é ", ""], type: "STRING" }, ["a", "", "é", ""]],
    ["JSON", { name: "c", data: [{ a: 1 }, null], type: "JSON" }, ['{"a":1}', ""]],
    [
      "times",
      { name: "c", data: [new Date(0), null, new Date(-1)], type: "TIMESTAMP" },
      ["1970-01-01T00:00:00Z", "", "1969-12-31T23:59:59.999Z"],
    ],
    ["one value again and again", { name: "c", data: Array(50).fill("x"), type: "STRING" }, Array(50).fill("x")],
    ["nothing at all", { name: "c", data: [null, null], type: "DOUBLE" }, ["", ""]],
  ]
  test.each(kinds)("%s", async (_, column, cells) => {
    const table = await readParquet(written({ columnData: [column] }))
    expect(table.column("c")).toEqual(cells)
    expect(table.rows).toBe(cells.length)
  })

  const numbers = Array.from({ length: 600 }, (_, i) => (i * 7919) % 1000)
  const texts = numbers.map(n => `row ${n}`)
  const encodings: [string, Written["columnData"][number]][] = [
    ["INT32 DELTA_BINARY_PACKED", { name: "c", data: numbers, type: "INT32", encoding: "DELTA_BINARY_PACKED" }],
    ["INT64 DELTA_BINARY_PACKED", { name: "c", data: numbers.map(BigInt), type: "INT64", encoding: "DELTA_BINARY_PACKED" }],
    ["DOUBLE BYTE_STREAM_SPLIT", { name: "c", data: numbers, type: "DOUBLE", encoding: "BYTE_STREAM_SPLIT" }],
    ["RLE_DICTIONARY", { name: "c", data: numbers, type: "INT32", encoding: "RLE_DICTIONARY" }],
    ["BOOLEAN RLE", { name: "c", data: numbers.map(n => n > 500), type: "BOOLEAN", encoding: "RLE" }],
    ["texts DELTA_LENGTH_BYTE_ARRAY", { name: "c", data: texts, type: "STRING", encoding: "DELTA_LENGTH_BYTE_ARRAY" }],
    ["texts DELTA_BYTE_ARRAY", { name: "c", data: texts, type: "STRING", encoding: "DELTA_BYTE_ARRAY" }],
    ["texts PLAIN", { name: "c", data: texts, type: "STRING", encoding: "PLAIN" }],
  ]
  test.each(encodings)("%s, with and without missing ones, in pages and row groups", async (_, column) => {
    for (const codec of ["UNCOMPRESSED", "SNAPPY", "GZIP"] as const)
      for (const missing of [false, true]) {
        const data = Array.from(column.data as ArrayLike<unknown>, (value, i) => (missing && i % 5 === 2 ? null : value))
        const columnData = [{ ...column, data, nullable: missing }] as Written["columnData"]
        const bytes = written({ columnData, codec, compressors: { GZIP: gzip }, pageSize: 500, rowGroupSize: 250 } as Written)
        expect((await readParquet(bytes)).column("c")).toEqual(data.map(value => (value === null ? "" : String(value))))
      }
  })
  const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))

  test("older and newer ways to say what a number means", async () => {
    const schema = (element: object): Written["schema"] =>
      [
        { name: "root", num_children: 1 },
        { name: "c", type: "INT32", repetition_type: "OPTIONAL", ...element },
      ] as never
    const cases: [object, number, string][] = [
      [{ converted_type: "DATE" }, 19_753, "2024-01-31"],
      [{ logical_type: { type: "DATE" } }, -1, "1969-12-31"],
      [{ converted_type: "DECIMAL", scale: 2, precision: 9 }, 1.15, "1.15"],
      [{ logical_type: { type: "DECIMAL", scale: 3, precision: 9 } }, 115, "0.115"],
      [{ converted_type: "UINT_32" }, 4294967295, "4294967295"],
    ]
    for (const [element, value, cell] of cases) {
      const columnData = [{ name: "c", data: [value, value], encoding: "PLAIN" as const }]
      expect((await readParquet(written({ columnData, schema: schema(element)!, statistics: false }))).column("c")).toEqual([cell, cell])
    }
  })
})

describe("what cannot be read", () => {
  const one = [{ name: "c", data: [1, 2, 3], type: "DOUBLE" as const }]
  const cases: [string, Uint8Array, string][] = [
    ["text", new TextEncoder().encode("a,b\n1,2\n3,4,5,6"), "t.parquet is not a Parquet file, or is cut off"],
    ["nothing", new Uint8Array(0), "t.parquet is not a Parquet file, or is cut off"],
    [
      "lists",
      written({
        columnData: [
          { ...one[0], type: undefined },
          { name: "tags", data: [["a"], ["b"], ["c"]] },
        ] as never,
        schema: listSchema()!,
      }),
      't.parquet: column "tags" holds lists or structures',
    ],
    ["no rows", written({ columnData: [{ name: "c", data: [], type: "DOUBLE" }] }), "t.parquet has columns but no rows"],
    ["bytes", written({ columnData: [{ name: "c", data: [new Uint8Array(16)], type: "UUID" }] }), ""],
    ["one name twice", written({ columnData: [...one, { ...one[0]!, name: "c " }] }), 't.parquet: two columns are both called "c"'],
    ["zstd", written({ columnData: one, codec: "ZSTD", compressors: { ZSTD: x => x } }), "the Parquet file is damaged"],
    [
      "LZO",
      written({ columnData: one, codec: "LZO", compressors: { LZO: x => x } }),
      "t.parquet is compressed with LZO, which cannot be read",
    ],
  ]
  test.each(cases)("%s", async (_, bytes, message) => {
    if (message === "") return void expect((await readParquet(bytes)).column("c")[0]).toMatch(/^[0-]+$/)
    for (const read of [
      () => readParquet(bytes, { name: "t.parquet" }),
      () => openTable(new Blob([bytes as never]), { name: "t.parquet" }),
    ]) {
      const error = await Promise.resolve(read().then(async file => "read" in file && (await file.read(Int32Array.of(0))))).catch(e => e)
      expect(error).toBeInstanceOf(DataError)
      expect(error.message).toContain(message)
    }
  })
})
function listSchema(): Written["schema"] {
  return [
    { name: "root", num_children: 2 },
    { name: "c", type: "DOUBLE", repetition_type: "OPTIONAL" },
    { name: "tags", repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", type: "BYTE_ARRAY", repetition_type: "OPTIONAL", converted_type: "UTF8" },
  ] as never
}

test("a file larger than what is kept is read row group by row group, in another order in each epoch", async () => {
  const n = 1000
  const data = Array.from({ length: n }, (_, i) => i)
  const bytes = written({
    columnData: [
      { name: "x", data, type: "DOUBLE", encoding: "PLAIN" },
      { name: "y", data: data.map(i => (i % 2 ? "odd" : "even")), type: "STRING" },
    ],
    rowGroupSize: 300,
  })
  let read = 0
  const source = at(bytes)
  const counted = (into: Uint8Array, from: number) => {
    read += into.length
    return source.read(into, from)
  }
  const file = await openTable({ ...source, read: counted })
  expect(file.parts).toBeUndefined() // small enough to be kept
  const mixed = await file.read(Int32Array.of(999, 0, 650, 1))
  expect(contents(mixed)).toEqual({ x: ["999", "0", "650", "1"], y: ["odd", "even", "even", "odd"] })
  const before = read
  await file.read(Int32Array.of(5, 998))
  expect(read).toBe(before)

  const parts = { ...file, parts: [0, 300, 600, 900] }
  const lazy = datasetOf(parts, fitEncoding(await file.sample(n, 1), { target: "y" }))
  expect(lazy.ordered).toBe(true)
  const all = Int32Array.from(data)
  const orders = await Promise.all(
    [1, 2, 1].map(async epoch => {
      const seen: number[] = []
      const spy = {
        ...parts,
        read(rows: Int32Array) {
          seen.push(...rows)
          return file.read(rows)
        },
      }
      await datasetOf(spy, fitEncoding(await file.sample(n, 1), { target: "y" })).load(all, epoch)
      return seen
    }),
  )
  expect(orders[0]).toEqual(orders[2])
  expect(orders[0]).not.toEqual(orders[1])
  expect([...orders[0]!].sort((a, b) => a - b)).toEqual(data)
  // one part after another
  const partOf = orders[1]!.map(row => Math.floor(row / 300))
  expect(partOf.filter((part, i) => part !== partOf[i - 1])).toHaveLength(4)
  await expect(file.read(Int32Array.of(n))).rejects.toThrow(RangeError)
})
