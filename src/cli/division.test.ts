import { describe, expect, test } from "vitest"
import { parseCsv } from "../data/csv.ts"
import { DataError } from "../data/errors.ts"
import { fitEncoding } from "../data/fit.ts"
import { type Division, splitFolds, splitTable, survey } from "./division.ts"
import { UsageError } from "./errors.ts"
import { tableProblem } from "./problem.ts"
import type { ImageSource } from "./source.ts"
import { inMemory } from "./table-data.ts"
import { checkDivision, checkImages, type TrainOptions } from "./train-options.ts"

/** 120 rows of 30 patients, day after day in no order. */
const rows = Array.from({ length: 120 }, (_, i) => {
  const day = new Date(Date.UTC(2023, 0, 1 + ((i * 77) % 120))).toISOString().slice(0, 10)
  return `${i % 30},${day},${i / 7},${i % 3 === 0 ? "a" : "b"}`
})
const table = parseCsv(["patient,day,x,y", ...rows].join("\n"))
const { target } = fitEncoding(table, { target: "y" })
const of = (columns: Partial<Division> = {}) => survey(inMemory(table), target, columns)
const shares = { seed: 3, test: 0.2, validation: 0.1 }
const valuesOf = (column: string, part: Int32Array): Set<string> => new Set(Array.from(part, row => table.column(column)[row]!))
const all = [...rows.keys()]

test("rows of a group come into one part", () => {
  const parts = Object.values(splitTable(of({ groups: "patient" }), shares)) as Int32Array[]
  const groups = parts.map(part => valuesOf("patient", part))
  expect(groups.reduce((n, set) => n + set.size, 0)).toBe(30)
  expect(parts.every(part => part.length > 0)).toBe(true)
})

test("the latest rows are the test, those before them validation", () => {
  const { train, validation, test } = splitTable(of({ times: "day" }), shares)
  const [before, between, after] = [train, validation, test].map(part => [...valuesOf("day", part)].sort())
  expect([before!.length, between!.length, after!.length]).toEqual([84, 12, 24])
  expect(before!.at(-1)! < between![0]! && between!.at(-1)! < after![0]!).toBe(true)
})

const divisions: [string, Partial<Division>][] = [
  ["with its share of every class", {}],
  ["groups together", { groups: "patient" }],
]
test.each(divisions)("every row is a test row of one fold, %s", (_, columns) => {
  const folds = splitFolds(of(columns), { ...shares, test: 0 }, 4)
  expect(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual(all)
  for (const { train, validation, test } of folds) {
    expect([...train, ...validation, ...test].sort((a, b) => a - b)).toEqual(all)
    expect(Math.abs(validation.length - 12)).toBeLessThanOrEqual(4)
    const tested = valuesOf("patient", test)
    if (columns.groups)
      expect([...valuesOf("patient", train), ...valuesOf("patient", validation)].filter(group => tested.has(group))).toEqual([])
    else expect([...test].filter(row => table.column("y")[row] === "a")).toHaveLength(10)
  }
})

test.each([
  [{ groups: "Patient" }, 'no column "Patient"'],
  [{ groups: "gap" }, 'row 3 (the header is row 1), column "gap" is empty; --groups needs the group of each row.'],
  [{ times: "gap" }, 'column "gap" is empty; --times needs the time of each row.'],
  [{ times: "y" }, 'row 2 (the header is row 1), column "y": "a" is neither a number nor a date such as 2023-01-31'],
])("what divides has to be there: %j", (columns, message) => {
  const short = parseCsv("gap,x,y\n1,1,a\n,2,b\n3,3,a\n4,4,b")
  const split = () => survey(inMemory(short), fitEncoding(short, { target: "y" }).target, columns)
  expect(split).toThrow(DataError)
  expect(split).toThrow(message)
})

describe("flags that contradict each other", () => {
  const cases: [Partial<TrainOptions>, string][] = [
    [{ groups: "a", times: "b" }, "--groups and --times"],
    [{ test: 0.2, testFile: "b" }, "leave --test out"],
    [{ test: 0.2, kFold: 5 }, "leave --test out"],
    [{ testFile: "b", kFold: 5 }, "two tests"],
    [{ times: "b", kFold: 5 }, "leave it or --times out"],
    [{ kFold: 2, validation: 0.5 }, "--k-fold 2 and --validation 0.5 leave no rows to train on"],
    [{ test: 0.5, validation: 0.5 }, "--test 0.5 and --validation 0.5 leave no rows to train on"],
  ]
  test.each(cases)("%j", (options, message) => {
    const check = () => checkDivision({ seed: 0, ...options } as TrainOptions)
    expect(check).toThrow(UsageError)
    expect(check).toThrow(message)
  })
  test("and those that do not", () => {
    for (const options of [{}, { groups: "a", kFold: 5 }, { times: "a", testFile: "b" }, { kFold: 2, validation: 0 }])
      expect(() => checkDivision({ seed: 0, ...options } as Partial<TrainOptions> as TrainOptions)).not.toThrow()
  })
  test.each([
    [{ kFold: 3 }, "--k-fold"],
    [{ testFile: "x" }, "--test-file"],
    [{ header: false }, "--no-header"],
  ] as const)("%j, of images", (options, flag) =>
    expect(() => checkImages({ header: true, ...options } as TrainOptions, { name: "mnist" } as ImageSource)).toThrow(
      `${flag} is for tables`,
    ),
  )
})

test.each([
  [{ target: "y", groups: "y" }, "--groups y is the target"],
  [{ target: "day2", classWeight: "balanced" }, 'the target "day2" is a number'],
] as const)("what the target rules out: %j", (options, message) => {
  const numbers = parseCsv(["patient,day2,y", ...rows.map(row => row.split(",")).map(([a, _, b, c]) => [a, b, c].join())].join("\n"))
  const problem = () => tableProblem({ kind: "table", name: "t", data: inMemory(numbers), sha256: "" }, { ...shares, ...options })
  expect(problem).toThrow(UsageError)
  expect(problem).toThrow(message)
})
