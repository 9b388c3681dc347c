import { describe, expect, test } from "vitest"
import { describeColumns } from "./columns.ts"
import { parseCsv, type Table } from "./csv.ts"
import { DataError } from "./errors.ts"
import { parseNdjson } from "./ndjson.ts"

const contents = (table: Table) => Object.fromEntries(table.columns.map(name => [name, table.column(name)]))

describe("parseNdjson reads", () => {
  const cases: [string, string, Record<string, string[]>][] = [
    ["fields that are missing", '{"a":1}\n{"b":"x"}\n{"a":3,"b":null}', { a: ["1", "", "3"], b: ["", "x", ""] }],
    ["numbers, texts and truth", '{"a":-1.5e-7,"b":" x ","c":true}', { a: ["-1.5e-7"], b: ["x"], c: ["true"] }],
    ["empty lines and Windows ends", '\r\n{"a":1}\r\n\r\n{"a":2}\r\n', { a: ["1", "2"] }],
    ["texts that look like names", '{"a":"x\\":","b":"\\"b\\":"}', { a: ['x":'], b: ['"b":'] }],
  ]
  test.each(cases)("%s", (_, text, wanted) => {
    expect(contents(parseNdjson(text))).toEqual(wanted)
    expect(contents(parseNdjson(new TextEncoder().encode(text)))).toEqual(wanted)
  })
  test("a column called __proto__", () => {
    const table = parseNdjson('{"__proto__":1,"constructor":2}')
    expect(table.columns).toEqual(["__proto__", "constructor"])
    expect([table.column("__proto__"), table.column("constructor")]).toEqual([["1"], ["2"]])
  })
  test("as the same table in CSV", () => {
    const csv = parseCsv("age,city\n31,Rome\n,Oslo\n40,Rome\n")
    const json = parseNdjson('{"age":31,"city":"Rome"}\n{"city":"Oslo"}\n{"age":40,"city":"Rome"}')
    expect(describeColumns(json)).toEqual(describeColumns(csv))
  })
})

describe("parseNdjson refuses", () => {
  const cases: [string, string, string][] = [
    ["nothing", " \n", "rows.json is empty; wanted one JSON object for each row"],
    ["a list", '{"a":1}\n[1]', 'rows.json, row 2 is "[1]"; wanted an object'],
    ["null", "null", 'is "null"; wanted an object'],
    ["JSON cut off", '{"a":1}\n\n{"a":', "rows.json, row 3 is not JSON ("],
    ["a list in a field", '{"a":[1]}', 'row 1: the field "a" holds a list; wanted a text'],
    ["an object in a field", '{"a":{"b":1}}', "holds an object"],
    ["a name twice", '{"a":1,"a":2}', "the same name stands there twice"],
    ["a name twice, written differently", '{"a":1,"\\u0061":2}', "the same name stands there twice"],
    ["no fields", "{}\n{}", "has objects without fields"],
  ]
  test.each(cases)("%s", (_, text, message) => {
    expect(() => parseNdjson(text, { name: "rows.json" })).toThrow(DataError)
    expect(() => parseNdjson(text, { name: "rows.json" })).toThrow(message)
  })
})

describe("parseCsv as said", () => {
  test("without a header", () => {
    const table = parseCsv("1;2,5;0\n3;4,5;0\n", { header: false, name: "rows.csv" })
    expect(contents(table)).toEqual({ "column 1": ["1", "3"], "column 2": ["2,5", "4,5"], "column 3": ["0", "0"] })
    expect([table.decimal, [...table.lines]]).toEqual([",", [1, 2]])
    expect(() => parseCsv("1,2\n3\n", { header: false, name: "rows.csv" })).toThrow("rows.csv, row 2: 1 cell, but row 1 has 2.")
    expect(() => parseCsv("", { header: false, name: "rows.csv" })).toThrow("rows.csv is empty; wanted one line for each row.")
  })
  test("in another encoding", () => {
    const bytes = Uint8Array.of(0x6e, 0x0a, 0xe9, 0x0a) // "n\né\n" in windows-1252
    expect(() => parseCsv(bytes)).toThrow("is not text in UTF-8")
    expect(parseCsv(bytes, { encoding: "windows-1252" }).column("n")).toEqual(["é"])
    expect(() => parseCsv(bytes, { encoding: "klingon" })).toThrow('there is no encoding called "klingon"')
  })
})
