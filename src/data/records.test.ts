import { expect, test } from "vitest"
import { parseCsv } from "./csv.ts"
import { encode } from "./encode.ts"
import { fitEncoding } from "./fit.ts"
import { encodeAnswer, encodeRecords } from "./records.ts"

const table = parseCsv("size,zip,kind,price\n1,10,a,5\n3.5,20,b,7.5\n2,10,a,6\nNA,30,,8\n1e1,20,b,9\n7,10,c,1\n")
const encoding = fitEncoding(table, { target: "price", task: "regression", categories: ["zip", "kind"] })
const classes = fitEncoding(table, { target: "zip", task: "classification", categories: ["kind"] })
const names = ["size", "zip", "kind"]

test("gives what encode gives, for text and for numbers", () => {
  const text = Array.from({ length: table.rows }, (_, i) => Object.fromEntries(names.map(name => [name, table.column(name)[i]])))
  const { x } = encode(encoding, table)
  expect(encodeRecords(encoding, text)).toEqual({ x, warnings: [] })
  const numbers = text.map(row => ({
    ...row,
    size: row.size === "NA" ? null : Number(row.size),
    zip: Number(row.zip),
    kind: row.kind || null,
  }))
  expect(encodeRecords(encoding, numbers).x).toEqual(x)
  const blanks = text.map(row => ({ ...row, size: ` ${row.size} `, zip: `${row.zip}.0` }))
  expect(encodeRecords(encoding, blanks).x).toEqual(x)
})

test("says which categories training has not seen", () => {
  const { x, warnings } = encodeRecords(encoding, [{ size: null, zip: 40, kind: "a" }])
  expect([...x]).toEqual([0, 0, 0, 0, 1, 0, 0])
  expect(warnings).toEqual(['row 1, column "zip": "40" was not seen in training; it counts as none of "10", "20", "30".'])
})

const good = { size: 1, zip: 10, kind: "a" }
const refused: readonly (readonly [row: unknown, words: string])[] = [
  [{ zip: 10, kind: "a" }, 'row 2: column "size" is missing. Give null'],
  [{ ...good, size: undefined }, 'row 2, column "size": wanted a finite number, got nothing'],
  [{ zip: 10, kind: "a", SIZE: 1 }, 'column "size" is missing. Is it "SIZE"?'],
  [Object.create(good), 'row 2: column "size" is missing'],
  [{ ...good, size: "1 m" }, 'row 2, column "size": wanted a number, got "1 m"'],
  [{ ...good, size: Number.NaN }, 'row 2, column "size": wanted a finite number, got NaN'],
  [{ ...good, size: [1] }, 'row 2, column "size": wanted a finite number, got a list'],
  [{ ...good, size: false }, 'row 2, column "size": wanted a finite number, got false'],
  [{ ...good, size: "1e300" }, 'row 2, column "size": "1e300" is out of all proportion'],
  [{ ...good, kind: { a: 1 } }, 'row 2, column "kind": wanted a text or a number, got an object'],
  [null, 'row 2: wanted an object with the columns "size", "zip", "kind", got null'],
  [[1, 10, "a"], "row 2: wanted an object"],
  ["a", "row 2: wanted an object"],
]
test.each(refused)("%j is refused by row and column", (row, words) => {
  expect(() => encodeRecords(encoding, [good, row])).toThrow(words)
})

test("answers: classes by name or number, numbers standardised", () => {
  const { target } = encoding
  if (target.kind !== "number") throw new Error("a number was asked for")
  expect(encodeAnswer(target, 7, 0)).toBe(Math.fround((7 - target.mean) / target.std))
  expect(encodeAnswer(target, "7", 0)).toBe(encodeAnswer(target, 7, 0))
  expect([10, "20", "30.0"].map(zip => encodeAnswer(classes.target, zip, 0))).toEqual([0, 1, 2])
  expect(() => encodeAnswer(target, null, 0)).toThrow('answer 1 ("price"): wanted a number')
  expect(() => encodeAnswer(classes.target, 40, 2)).toThrow('answer 3 ("zip"): wanted one of the classes "10", "20", "30", got "40"')
})
