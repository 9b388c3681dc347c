import { existsSync, readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { describe, expect, test } from "vitest"
import { parseCsv, readRecords } from "./csv.ts"
import { DataError } from "./errors.ts"
import { shuffle } from "./split.ts"

const all = (text: string | Uint8Array, options = {}) => {
  const table = parseCsv(text, options)
  return { ...Object.fromEntries(table.columns.map(c => [c, table.column(c)])), lines: [...table.lines] }
}

describe("parseCsv reads", () => {
  const wanted = { a: ["1", "3"], b: ["x", "y"], lines: [2, 3] }
  const cases: [string, string | Uint8Array, object][] = [
    ["commas", "a,b\n1,x\n3,y\n", wanted],
    ["semicolons", "a;b\n1;x\n3;y\n", wanted],
    ["tabs", "a\tb\n1\tx\n3\ty", wanted],
    ["CRLF", "a,b\r\n1,x\r\n3,y\r\n", wanted],
    ["CR alone", "a,b\r1,x\r3,y\r", wanted],
    ["mixed line endings", "a,b\r\n1,x\n3,y\n", wanted],
    ["a byte order mark", "\uFEFFa,b\n1,x\n3,y", wanted],
    ["UTF-8 bytes with a mark", new TextEncoder().encode("\uFEFFa,b\n1,x\n3,y"), wanted],
    [
      "UTF-16",
      new Uint8Array([0xff, 0xfe, ...new Uint8Array(new Uint16Array([..."a,b\n1,x\n3,y"].map(c => c.charCodeAt(0))).buffer)]),
      wanted,
    ],
    ["blanks around cells", "a, b\n 1 ,x\n3,  y", wanted],
    ["empty lines at the end", "a,b\n1,x\n3,y\n\n  \n\n", wanted],
    ["rows of empty cells at the end", "a,b\n1,x\n3,y\n,\n,\n", wanted],
    ["a delimiter in quotes", 'a,b\n1,"x,y"\n3,"say ""hi"""', { a: ["1", "3"], b: ["x,y", 'say "hi"'], lines: [2, 3] }],
    ["a line break in quotes", 'a,b\n1,"x\ny"\n3,z\n', { a: ["1", "3"], b: ["x\ny", "z"], lines: [2, 4] }],
    ["empty lines between", "a,b\n\n1,x\n\n\n3,y\n", { ...wanted, lines: [3, 6] }],
    ["a delimiter in a quoted header", '"a;b;c",d\n1,x', { "a;b;c": ["1"], d: ["x"], lines: [2] }],
    ["unnamed columns", ",b\n0,x\n1,y", { "column 1": ["0", "1"], b: ["x", "y"], lines: [2, 3] }],
    ["one column", "a\n1\n3", { a: ["1", "3"], lines: [2, 3] }],
    ["names that objects know", "__proto__,constructor\n1,2", { ["__proto__"]: ["1"], constructor: ["2"], lines: [2] }],
  ]
  test.each(cases)("%s", (_, text, table) => expect(all(text)).toEqual(table))

  test("the decimal comma only where semicolons delimit and no point occurs", () => {
    expect(parseCsv("a;b\n1,5;x").decimal).toBe(",")
    expect(parseCsv("a;b\n1,5;2.5").decimal).toBe(".")
    expect(parseCsv('a,b\n"1,5",x').decimal).toBe(".")
  })
})

describe("parseCsv refuses, and says where", () => {
  const cases: [string, string | Uint8Array, string][] = [
    ["an empty file", "", "people.csv is empty; wanted a header line"],
    ["blanks only", new TextEncoder().encode(" \n\n"), "people.csv is empty"],
    ["a header alone", "a,b\n", 'people.csv has a header ("a", "b") but no data rows'],
    ["a short row", "a,b\n1,2\n\n3\n", "people.csv, row 4: 1 cell, but the header (row 1) has 2."],
    ["a long row", 'a,b\n1,"x\ny"\n3,4,5', "people.csv, row 4: 3 cells, but the header (row 1) has 2."],
    ["a column twice", "a,b,a\n1,2,3", 'columns 1 and 3 of the header are both called "a"'],
    ["no header", "1,2\n3,4", "the first line holds only numbers"],
    ["an open quote", 'a,b\n1,2\n3,"x\n4,5\n', "people.csv, row 3: a double quote opens here and is never closed"],
    ["a quote within a cell", 'a,b\n1,6"2\n', "people.csv, row 2: a double quote stands in the middle of a cell"],
    ["text after a quote", 'a,b\n1,"x"y\n', "people.csv, row 2: a double quote stands in the middle of a cell"],
    ["gzip", new Uint8Array([0x1f, 0x8b, 8, 0]), "people.csv is compressed with gzip"],
    ["a spreadsheet", new Uint8Array([0x50, 0x4b, 3, 4, 0]), "save the sheet as CSV"],
    ["Latin-1", new Uint8Array([97, 44, 98, 10, 0xe9, 44, 49]), "is not text in UTF-8"],
    ["binary", new Uint8Array([97, 44, 98, 10, 0, 44, 49]), "holds binary data"],
  ]
  test.each(cases)("%s", (_, text, message) => {
    expect(() => parseCsv(text, { name: "people.csv" })).toThrow(DataError)
    expect(() => parseCsv(text, { name: "people.csv" })).toThrow(message)
  })

  test("a column that is not there, with the nearest name", () => {
    expect(() => parseCsv("petal_length,b\n1,2").column("petal length")).toThrow('Did you mean "petal_length"?')
  })
})

const folder = "../shared/material/uci-small"
describe.skipIf(!existsSync(folder))(`files of the wild (skipped where ${folder} is absent)`, () => {
  const cases: [string, number, number][] = [
    ["iris.csv", 5, 150],
    ["wine_data.csv", 14, 178],
  ]
  test.each(cases.filter(([file]) => existsSync(`${folder}/${file}`)))("%s", (file, columns, rows) => {
    // Their header is a line of counts and class names, shorter than the rows; a proper one takes its place.
    const [, ...lines] = readFileSync(`${folder}/${file}`, "utf8").split("\n")
    const header = Array.from({ length: columns }, (_, i) => `c${i}`).join(",")
    const table = parseCsv([header, ...lines].join("\n"), { name: file })
    expect([table.columns.length, table.rows]).toEqual([columns, rows])
  })

  test("breast_cancer.csv has a header of four cells over rows of 31", () => {
    expect(() => parseCsv(readFileSync(`${folder}/breast_cancer.csv`), { name: "breast_cancer.csv" })).toThrow(
      "breast_cancer.csv, row 2: 31 cells, but the header (row 1) has 4.",
    )
  })

  test("digits.csv.gz has no header", () => {
    expect(() => parseCsv(gunzipSync(readFileSync(`${folder}/digits.csv.gz`)))).toThrow("the header is missing")
  })
})

test("text without quotes is split as the library parses it", () => {
  const cells = ["a", "b c", "", " ", "\t", " \f x\t", "é\u00a0", "\u00a0z"]
  const ends = ["\n", "\r\n", "\r", "\n \n", "\n\n", "\n\t\r\n"]
  const outcome = (text: string) => {
    try {
      return readRecords(text, { delimiter: ",", name: "t", header: true })
    } catch (error) {
      return (error as Error).message
    }
  }
  let whole = 0
  for (let seed = 0; seed < 2000; seed++) {
    const picks = shuffle(48, seed, 0)
    const rows = Array.from({ length: 6 }, (_, i) => {
      const [a, b, end, more] = picks.subarray(4 * i) as unknown as [number, number, number, number]
      return `${cells[a % 8]},${cells[b % 8]}${more === 0 ? ",c" : ""}${ends[end % 6]}`
    })
    // a name in quotes sends the same text through the library
    const [plain, parsed] = [outcome(`x,y\n${rows.join("")}`), outcome(`"x",y\n${rows.join("")}`)]
    expect(plain).toEqual(parsed)
    if (typeof plain === "object") whole++
  }
  expect(whole).toBeGreaterThan(1000)
  expect(whole).toBeLessThan(2000)
})
