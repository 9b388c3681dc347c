import { describe, expect, test } from "vitest"
import { parseCsv, type Table } from "./csv.ts"
import { DataError } from "./errors.ts"
import { parseNdjson } from "./ndjson.ts"
import { shuffle } from "./split.ts"
import { readRows, readTables } from "./stream-tables.ts"
import { openTable, type TableFile } from "./table-file.ts"

const all = (file: TableFile) => Int32Array.from({ length: file.rows }, (_, i) => i)
const contents = (table: Table) => table.columns.map(name => [name, ...table.column(name)])
const bytesOf = (text: string) => new TextEncoder().encode(text)
/** The bytes one piece after another, each of `n`. */
const pieces = function* (bytes: Uint8Array, n: number) {
  for (let at = 0; at < bytes.length; at += n) yield bytes.slice(at, at + n)
}
const streamed = async (bytes: Uint8Array, n: number, options = {}) => {
  const tables: Table[] = []
  for await (const table of readTables(pieces(bytes, n), options)) tables.push(table)
  return tables
}

// as in memory, whether the file is read at any place or as a stream of small pieces
const texts: [string, string, object?][] = [
  ["plain", "a,b\n1,x\n2,y\n3,z\n"],
  ["without a last line end", "a,b\n1,x\n2,y"],
  ["Windows ends and empty lines", "a,b\r\n\r\n1,x\r\n \r\n2,y\r\n\r\n"],
  ["old Macs' ends", "a,b\r1,x\r2,y\r"],
  ["quotes with delimiters, quotes and breaks", 'a,b\n"1,5","x\ny"\n2,"say ""hi"""\n3,"\n"\n'],
  ["a mark in front", "\uFEFFa,b\n1,é\n2,日本\n"],
  ["semicolons and decimal commas", "a;b\n1,5;x\n2,5;y\n"],
  ["tabs", "a\tb\n\t\n1\t2\n", { delimiter: "\t" }],
  ["no header", "1,2\n3,4\n", { header: false }],
  ["a column called __proto__", "__proto__,constructor\n1,2\n"],
]
describe("a table that stays in its file is as in memory", () => {
  test.each(texts)("%s", async (_, text, options = {}) => {
    const memory = parseCsv(text, options)
    const file = await openTable(new Blob([text]), options)
    expect(file.rows).toBe(memory.rows)
    expect(contents(await file.read(all(file)))).toEqual(contents(memory))
    const order = shuffle(file.rows, 3, 1)
    const mixed = await file.read(order)
    for (const name of memory.columns) expect(mixed.column(name)).toEqual(Array.from(order, row => memory.column(name)[row]))
    for (const n of [1, 2, 7, 1000]) {
      const [table] = (await streamed(bytesOf(text), n, options)) as [Table]
      expect(contents(table)).toEqual(contents(memory))
      expect(table.lines).toEqual(memory.lines)
    }
  })
  test("NDJSON", async () => {
    const text = '{"a":1,"b":"x"}\n\n{"b":"}\\n{","a":2}\n'
    const file = await openTable(new Blob([text]), { format: "ndjson" })
    expect(contents(await file.read(all(file)))).toEqual(contents(parseNdjson(text)))
    expect(contents((await streamed(bytesOf(text), 3, { format: "ndjson" }))[0]!)).toEqual(contents(parseNdjson(text)))
  })
  test("rows of empty cells at the end are no rows", async () => expect((await openTable(new Blob(["a,b\n1,2\n,\n , \n"]))).rows).toBe(1))
  test("a sample has rows of the file, all if there are few", async () => {
    const file = await openTable(new Blob(["a\n", ...Array.from({ length: 100 }, (_, i) => `${i}\n`)]))
    const some = (await file.sample(10, 1)).column("a")
    expect(new Set(some).size).toBe(10)
    expect(await file.sample(10, 1).then(table => table.column("a"))).toEqual(some)
    expect((await file.sample(1000, 1)).rows).toBe(100)
  })
})

test.each(texts)("read without waiting where its bytes are at hand, %s", async (_, text, options = {}) => {
  const bytes = bytesOf(text)
  const read = (into: Uint8Array, at: number) => into.set(bytes.subarray(at, at + into.length))
  const file = await openTable({ name: "t", size: bytes.length, read }, options)
  const order = shuffle(file.rows, 3, 1)
  const [now, waited] = [file.readSync(order), await file.read(order)]
  expect([contents(now), now.lines]).toEqual([contents(waited), waited.lines])
})

test("streams longer than a block keep lines and columns", async () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => (i === 150_000 ? `${i},"two\nlines"` : `${i},text ${i}`))
  const tables = await streamed(bytesOf(`n,t\n${rows.join("\n")}\n`), 1 << 16)
  expect(tables.length).toBeGreaterThan(1)
  expect(tables.reduce((n, table) => n + table.rows, 0)).toBe(rows.length)
  const last = tables.at(-1)!
  expect(last.column("n").at(-1)).toBe("199999")
  expect(last.lines.at(-1)).toBe(200_002)
})

test("a stream in UTF-16, cut anywhere", async () => {
  const text = "a,b\n1,é\n2,日本\n"
  const bytes = new Uint8Array(2 + 2 * text.length)
  new DataView(bytes.buffer).setUint16(0, 0xfeff, true)
  for (let i = 0; i < text.length; i++) new DataView(bytes.buffer).setUint16(2 + 2 * i, text.charCodeAt(i), true)
  for (const n of [3, 5]) expect(contents((await streamed(bytes, n))[0]!)).toEqual(contents(parseCsv(text)))
})

test("rows as objects, without a prototype", async () => {
  const rows = []
  for await (const row of readRows([bytesOf("__proto__,b\n1,2\n3,4\n")])) rows.push(row)
  expect(rows.map(row => [Object.getPrototypeOf(row), ...Object.values(row)])).toEqual([
    [null, "1", "2"],
    [null, "3", "4"],
  ])
})

describe("refused, naming the row", () => {
  const cases: [string, string, object, string][] = [
    ["a short row", `a,b\n${"1,2\n".repeat(3000)}3\n1,2\n`, {}, "row 3002: 1 cell, but the header (row 1) has 2."],
    ["a quote in a cell", `a,b\n${"1,2\n".repeat(3000)}x"y"z,2\n1,2\n`, {}, "row 3002: a double quote stands in the middle of a cell."],
    ["two kinds of line ends", `a\n${"1\n".repeat(3000)}1\r2\n3\n`, {}, "row 3002: it is several rows"],
    ["a new field", `${'{"a":1}\n'.repeat(3000)}{"b":2}\n{"a":1}\n`, { format: "ndjson" }, 'row 3001: the field "b" is not among'],
    ["nothing", "", {}, "is empty"],
    ["a header alone", "a,b\n", {}, "no data rows"],
  ]
  test.each(cases)("%s", async (_, text, options, message) => {
    const reading = openTable(new Blob([text]), options).then(file => file.read(all(file)))
    await expect(reading).rejects.toThrow(DataError)
    await expect(reading).rejects.toThrow(message)
  })
  test("an open quote fills no memory", async () => {
    let bytes = 0
    const start = bytesOf('a\n"')
    const read = (into: Uint8Array, at: number) => {
      bytes += into.length
      into.fill(0x61)
      if (at === 0) into.set(start)
    }
    const open = { name: "open.csv", size: 2 ** 40, read }
    await expect(openTable(open)).rejects.toThrow(
      "open.csv: the row that begins at byte 2 is longer than 16777216 bytes. A double quote opens",
    )
    expect(bytes).toBeLessThan(2 ** 25)
  })
  test("compressed, or in UTF-16", async () => {
    await expect(openTable(new Blob([Uint8Array.of(0x1f, 0x8b, 8)]))).rejects.toThrow("compressed with gzip")
    await expect(openTable(new Blob([Uint8Array.of(0xff, 0xfe, 8)]))).rejects.toThrow("is not in UTF-8")
  })
  test("bytes that have to be waited for, without waiting", async () => {
    const file = await openTable(new Blob(["a,b\n1,x\n2,y\n"]))
    expect(() => file.readSync(Int32Array.of(1))).toThrow(TypeError)
    expect(() => file.readSync(Int32Array.of(1))).toThrow("have to be waited for; await read, or open a path in Node")
  })
  test("rows that are not there", async () => {
    const file = await openTable(new Blob(["a\n1\n"]))
    await expect(file.read(Int32Array.of(0, 1))).rejects.toThrow(RangeError)
  })
})
