import { existsSync, readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { describe, expect, test } from "vitest"
import { parseCsv } from "./csv.ts"
import { decodeTarget, encode } from "./encode.ts"
import { readEncoding } from "./encoding.ts"
import { DataError } from "./errors.ts"
import { type FitOptions, fitEncoding } from "./fit.ts"

const read = (text: string) => parseCsv(text, { name: "people.csv" })
const people = read("age,city,sold\n20,Rome,yes\n30,Oslo,no\n,Rome,yes\n40,NA,no\n")
const rowsOf = (x: Float32Array, features: number) =>
  Array.from({ length: x.length / features }, (_, i) => [...x.slice(i * features, (i + 1) * features)])

test("numbers are standardised, categories one-hot, missing cells filled and told", () => {
  const encoding = fitEncoding(people, { target: "sold" })
  const std = Math.sqrt(200 / 3)
  expect(encoding).toEqual({
    inputs: [
      { name: "age", kind: "number", mean: 30, std },
      { name: "city", kind: "category", values: ["Oslo", "Rome"] },
    ],
    target: { name: "sold", kind: "class", values: ["no", "yes"] },
    notes: [],
  })
  const { x, y, ...rest } = encode(encoding, people, { target: true })
  const s = Math.fround(10 / std)
  expect(rowsOf(x, 3)).toEqual([
    [-s, 0, 1],
    [0, 1, 0],
    [0, 0, 1],
    [s, 0, 0],
  ])
  expect(y).toEqual(new Int32Array([1, 0, 1, 0]))
  expect(rest).toEqual({
    rows: 4,
    features: 3,
    featureNames: ["age", "city=Oslo", "city=Rome"],
    warnings: [
      'Column "age": 1 of 4 cells missing; the mean of the training rows, 30, stands in.',
      'Column "city": 1 of 4 cells missing; none of its categories stands in.',
    ],
  })
  expect(decodeTarget(encoding, y!)).toEqual(["yes", "no", "yes", "no"])
})

test("statistics come from the training rows alone, classes from all", () => {
  const encoding = fitEncoding(people, { target: "sold", rows: new Int32Array([0, 2]) })
  expect(encoding.inputs).toEqual([{ name: "age", kind: "number", mean: 20, std: 1 }])
  expect(encoding.target).toMatchObject({ values: ["no", "yes"] })
  expect(encoding.notes).toEqual([
    'Column "age" is 20 in all training rows; it is kept, but tells nothing.',
    'Column "city" is left out: it does not vary in the training rows.',
  ])
})

test("chosen rows are encoded in the order given", () => {
  const encoding = fitEncoding(people, { target: "sold" })
  const whole = encode(encoding, people, { target: true })
  const some = encode(encoding, people, { target: true, rows: new Int32Array([3, 0]) })
  expect(rowsOf(some.x, 3)).toEqual([rowsOf(whole.x, 3)[3], rowsOf(whole.x, 3)[0]])
  expect([...some.y!]).toEqual([0, 1])
})

test("regression standardises the target, decodeTarget undoes it", () => {
  const table = read("x,y\n1,10.5\n2,20.5\n3,30.5\n")
  const encoding = fitEncoding(table, { target: "y" })
  expect(encoding.target).toMatchObject({ kind: "number", mean: 20.5 })
  const { y } = encode(encoding, table, { target: true })
  expect(y).toBeInstanceOf(Float32Array)
  for (const [i, value] of decodeTarget(encoding, y!).entries()) expect(value).toBeCloseTo([10.5, 20.5, 30.5][i]!, 5)
  expect(() => decodeTarget(fitEncoding(people, { target: "sold" }), [2])).toThrow(RangeError)
})

describe("the task", () => {
  const column = (cells: (string | number)[]) => read(["x,y", ...cells.map((cell, i) => `${i % 3},${cell}`)].join("\n"))
  const of = (n: number, f: (i: number) => string | number) => Array.from({ length: n }, (_, i) => f(i))
  const cases: [string, (string | number)[], "class" | "number"][] = [
    ["words", ["a", "b", "a"], "class"],
    ["two whole numbers", [0, 1, 1], "class"],
    ["few whole numbers", of(60, i => i % 3), "class"],
    ["few whole numbers of few rows", of(20, i => i % 3), "number"],
    ["many whole numbers", of(1000, i => i % 21), "number"],
    ["fractions", of(100, i => (i % 2) / 2), "number"],
  ]
  test.each(cases)("%s", (_, cells, kind) => expect(fitEncoding(column(cells), { target: "y" }).target.kind).toBe(kind))
  test("whole numbers are sorted as numbers, and 1.0 is 1", () => {
    const table = column(of(60, i => ["10", "9", "1.0", "1"][i % 4]!))
    expect(fitEncoding(table, { target: "y", task: "classification" }).target).toMatchObject({ values: ["1", "9", "10"] })
  })
  test("can be told", () => {
    expect(fitEncoding(column([0, 1, 1]), { target: "y", task: "regression" }).target.kind).toBe("number")
    expect(fitEncoding(column([1.5, 2.5, 1.5]), { target: "y", task: "classification" }).target.kind).toBe("class")
  })
})

test("ids, free text and constants are left out, and notes say so", () => {
  const lines = Array.from({ length: 30 }, (_, i) => `${i},person ${i},same,5,,${i % 7},${i % 2 ? "a" : "b"}`)
  const encoding = fitEncoding(read(["id,name,kind,level,gap,x,y", ...lines].join("\n")), { target: "y" })
  expect(encoding.inputs.map(c => c.name)).toEqual(["level", "x"])
  expect(encoding.notes).toEqual([
    'Column "id" is left out: it looks like an id, different in every row.',
    'Column "name" is left out: it holds text with 30 different values.',
    'Column "kind" is left out: it is "same" in all rows.',
    'Column "level" is 5 in all training rows; it is kept, but tells nothing.',
    'Column "gap" is left out: it is empty.',
  ])
})

describe("fitEncoding refuses, and says where", () => {
  const ages = [..."123456789"].join(",a\n")
  const cases: [string, string, FitOptions, string][] = [
    [
      "no such target",
      "a,species\n1,x\n2,y",
      { target: "specis" },
      'people.csv has no column "specis" to predict. Did you mean "species"?',
    ],
    ["an unlike target", "a,species\n1,x\n2,y", { target: "q" }, 'The likely target is "species".'],
    ["no such column to ignore", "a,y\n1,x\n2,z", { target: "y", ignore: ["b"] }, 'has no column "b"'],
    ["one class", "a,y\n1,x\n2,x", { target: "y" }, 'the target "y" is "x" in all 2 rows, one class only'],
    ["one number", "a,y\n1,5\n2,5", { target: "y", task: "regression" }, 'the target "y" is "5" in all 2 rows'],
    [
      "missing target cells",
      "a,y\n1,x\n2,\n3,NA\n4,z",
      { target: "y" },
      'the target "y" is missing in 2 rows (row 3, 4; the header is row 1)',
    ],
    [
      "a stray text",
      `age,y\n${ages},a\ntwelve,b`,
      { target: "y" },
      'people.csv, row 11 (the header is row 1), column "age": "twelve" is not a number;',
    ],
    [
      "a stray text in the target",
      `y,a\n${ages},a\ntwelve,b`,
      { target: "y" },
      'row 11 (the header is row 1), column "y": "twelve" is not a number',
    ],
    [
      "words for regression",
      "a,y\n1,2\n2,x",
      { target: "y", task: "regression" },
      'row 3 (the header is row 1), column "y": "x" is not a number',
    ],
    [
      "too many classes",
      `y,a\n${Array.from({ length: 30 }, (_, i) => `w${i},${i}`).join("\n")}`,
      { target: "y" },
      "has 30 different values in 30 rows",
    ],
    ["no inputs", "k,y\n1,a\n,b", { target: "y", ignore: ["k"] }, 'has no column to predict "y" from'],
    ["numbers beyond all bounds", "k,y\n1e300,a\n-1e300,b", { target: "y" }, "too large or too small to standardise"],
  ]
  test.each(cases)("%s", (_, text, options, message) => {
    expect(() => fitEncoding(read(text), options)).toThrow(DataError)
    expect(() => fitEncoding(read(text), options)).toThrow(message)
  })
  test("unless the column is declared to hold categories", () => {
    const encoding = fitEncoding(read(`age,y\n${ages},a\ntwelve,b`), { target: "y", categories: ["age"] })
    expect(encoding.inputs).toMatchObject([{ kind: "category", values: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "twelve"] }])
  })
})

describe("tables to predict", () => {
  const encoding = fitEncoding(people, { target: "sold" })
  const x = (text: string) => rowsOf(encode(encoding, read(text)).x, 3)
  test("other orders and more columns change nothing", () => {
    expect(x("city,more,age\nRome,1,20\n")).toEqual(x("age,city\n20,Rome\n"))
  })
  test("an unseen category counts as none and is told", () => {
    const { x, warnings } = encode(encoding, read("age,city\n30,Paris\n30,Paris\n30,Bonn\n30,Rome\n"))
    expect(rowsOf(x, 3)).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 1],
    ])
    expect(warnings).toEqual([
      'Column "city": not seen in training: "Paris" (2 rows), "Bonn" (1 row); they count as none of its categories.',
    ])
  })
  const cases: [string, string, boolean, string][] = [
    [
      "a missing column",
      "age\n20",
      false,
      'people.csv lacks 1 column that the model was trained on. Column "city" is missing. Its columns are "age".',
    ],
    ["a renamed column", "Age,city\n20,Rome", false, 'Column "age" is missing; "Age" looks like it: rename that column to "age".'],
    ["a text among numbers", "age,city\nold,Rome", false, 'people.csv, row 2 (the header is row 1), column "age": "old" is not a number;'],
    ["a number out of proportion", "age,city\n1e300,Rome", false, '"1e300" is out of all proportion'],
    ["a missing target", "age,city\n1,Rome", true, 'Column "sold" is missing'],
    ["a missing target cell", "age,city,sold\n1,Rome,", true, 'the target "sold" is missing in 1 row (row 2;'],
    ["an unknown class", "age,city,sold\n1,Rome,maybe", true, '"maybe" is none of the classes the model knows: "no", "yes".'],
  ]
  test.each(cases)("%s is refused", (_, text, target, message) => {
    expect(() => encode(encoding, read(text), { target })).toThrow(message)
  })
})

describe("readEncoding", () => {
  const encoding = fitEncoding(people, { target: "sold" })
  const json = () => JSON.parse(JSON.stringify(encoding))
  test("an encoding survives JSON", () => expect(readEncoding(json())).toEqual(encoding))
  const cases: [string, (e: any) => unknown, string][] = [
    ["nothing", () => null, "encoding should be an object"],
    ["inputs", e => ({ ...e, inputs: {} }), "encoding.inputs should be a list"],
    ["no inputs", e => ({ ...e, inputs: [] }), "at least one column"],
    ["a mean that is text", e => Object.assign(e.inputs[0], { mean: "30" }) && e, "encoding.inputs[0].mean should be a finite number"],
    ["a deviation of 0", e => Object.assign(e.inputs[0], { std: 0 }) && e, "encoding.inputs[0].std should be a positive number"],
    ["a value twice", e => Object.assign(e.inputs[1], { values: ["a", "a"] }) && e, "encoding.inputs[1].values should be different values"],
    [
      "a class among inputs",
      e => Object.assign(e.inputs[1], { kind: "class" }) && e,
      'encoding.inputs[1].kind should be "number" or "category"',
    ],
    ["a column twice", e => Object.assign(e.inputs[1], { name: "age" }) && e, "columns with different names"],
  ]
  test.each(cases)("refuses %s", (_, damage, message) => expect(() => readEncoding(damage(json()))).toThrow(message))
})

const folder = "../shared/material/uci-small"
test.skipIf(!existsSync(folder))(`digits of the wild (skipped where ${folder} is absent)`, () => {
  const header = [...Array.from({ length: 64 }, (_, i) => `p${i}`), "digit"].join(",")
  const table = parseCsv(`${header}\n${gunzipSync(readFileSync(`${folder}/digits.csv.gz`)).toString()}`)
  const encoding = fitEncoding(table, { target: "digit" })
  expect(encoding.target).toMatchObject({ kind: "class", values: [..."0123456789"] })
  const { x, rows, features } = encode(encoding, table, { target: true })
  expect([rows, features, encoding.notes.length]).toEqual([1797, 64, 3])
  expect(x.every(Number.isFinite)).toBe(true)
})
