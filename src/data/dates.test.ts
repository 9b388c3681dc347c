import { describe, expect, test } from "vitest"
import { parseCsv } from "./csv.ts"
import { type DateOrder, daysOf } from "./dates.ts"
import { encode } from "./encode.ts"
import { type DateColumn, type Encoding, featureNames, readEncoding } from "./encoding.ts"
import { fitEncoding } from "./fit.ts"
import { encodeRecords } from "./records.ts"

describe("daysOf", () => {
  const cases: [string, DateOrder, number][] = [
    ["1970-01-01", "ymd", 0],
    ["1969-12-31", "ymd", -1],
    ["2000-03-01", "ymd", 11017],
    ["2000/3/1", "ymd", 11017],
    ["1.3.2000", "dmy", 11017],
    ["01.03.2000 18:00", "dmy", 11017.75],
    ["2000-03-01T06:00:00", "ymd", 11017.25],
    ["2000-03-01 06:00:00.000Z", "ymd", 11017.25],
    ["2000-03-01T06:00:00+02:00", "ymd", 11017.25], // the clock on the wall
    ["2024-02-29", "ymd", 19782],
    ["2023-02-29", "ymd", Number.NaN],
    ["2023-02-30", "ymd", Number.NaN],
    ["2023-00-10", "ymd", Number.NaN],
    ["2023-04-31", "ymd", Number.NaN],
    ["2023-04-30T24:00", "ymd", Number.NaN],
    ["2023-04-30T10:60", "ymd", Number.NaN],
    ["2023-04-30T10", "ymd", Number.NaN],
    ["2023-04/30", "ymd", Number.NaN],
    ["20230430", "ymd", Number.NaN],
    ["2023-04-30", "dmy", Number.NaN],
    ["30.04.2023", "ymd", Number.NaN],
    ["04.30.2023", "dmy", Number.NaN],
  ]
  test.each(cases)("%s, %s", (cell, order, days) => expect(daysOf(cell, order)).toBe(days))
})

const table = (cells: readonly string[]) => parseCsv(["day,y", ...cells.map((cell, i) => `${cell},${i % 2 ? "a" : "b"}`)].join("\n"))
const fit = (cells: readonly string[], rows?: number[]): Encoding =>
  fitEncoding(table(cells), { target: "y", ...(rows && { rows: Int32Array.from(rows) }) })
/** The features of one date, by name. */
const features = (encoding: Encoding, cell: string): Record<string, number> => {
  const { x } = encode(encoding, table([cell]))
  return Object.fromEntries(featureNames(encoding).map((name, i) => [name, x[i]!]))
}

test("days, time of the year and weekday, from the training rows alone", () => {
  const encoding = fit(["2023-01-02", "2023-01-06", "1950-05-05"], [0, 1])
  expect(encoding.inputs).toEqual([{ name: "day", kind: "date", order: "ymd", mean: 19361, std: 2, times: false }])
  const { day, ...rest } = features(encoding, "2023-01-08")
  expect(day).toBe(2)
  const ones = Object.entries(rest).filter(([, value]) => value === 1)
  expect(ones).toEqual([["day=Sunday", 1]])
  const angle = (2 * Math.PI * 7) / 365
  expect(rest["day sin year"]).toBeCloseTo(Math.sin(angle), 6)
  expect(rest["day cos year"]).toBeCloseTo(Math.cos(angle), 6)
  expect(featureNames(encoding)).toHaveLength(10)
})

test("the year is a circle, also a leap year, and so is the day where there are times", () => {
  const encoding = fit(["2024-01-01T00:00", "2024-07-01 12:30"])
  for (let hour = 0; hour < 366 * 24; hour += 61) {
    const at = new Date(Date.UTC(2024, 0, 1, hour))
    const of = features(encoding, at.toISOString())
    const [year, day] = [hour / (366 * 24), (hour % 24) / 24].map(turn => 2 * Math.PI * turn) as [number, number]
    const wanted = [Math.sin(year), Math.cos(year), Math.sin(day), Math.cos(day)]
    ;["day sin year", "day cos year", "day sin day", "day cos day"].forEach((name, i) => {
      expect(Math.abs(of[name]! - wanted[i]!)).toBeLessThan(1e-7)
    })
    expect(of[`day=${["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"][at.getUTCDay()]}`]).toBe(1)
  }
})

test("a missing date is all zeros, and told", () => {
  const encoding = fit(["2023-01-02", "2023-01-06"])
  const { x, warnings } = encode(encoding, table(["", "2023-01-06"]))
  expect([...x.slice(0, 10)]).toEqual(Array(10).fill(0))
  expect(warnings).toEqual(['Column "day": 1 of 2 cells missing; the mean of the training rows, 2023-01-04, stands in.'])
})

describe("what is wrong is said by row and column", () => {
  const good = Array.from({ length: 9 }, (_, i) => `2023-02-0${i + 1}`)
  const place = 'table, row 11 (the header is row 1), column "day": "2023-02-30" is not a date; '
  test("in training, as of stray texts among numbers", () =>
    expect(() => fit([...good, "2023-02-30"])).toThrow(`${place}nearly all other cells of this column are.`))
  test("in new rows", () => {
    const encoding = fit(good)
    expect(() => encode(encoding, table([...good, "2023-02-30"]))).toThrow(`${place}this column held dates such as 2023-01-31 in training.`)
    expect(() => encodeRecords(encoding, [{ day: "30.1.2023" }])).toThrow(
      'row 1, column "day": wanted a date such as 2023-01-31, got "30.1.2023"',
    )
    expect(() => encodeRecords(encoding, [{ day: 2023 }])).toThrow('row 1, column "day": wanted a date as text, got 2023.')
  })
  test("dates that do not vary are left out", () => {
    const text = "day,x,y\n2023-01-02,1,a\n2023-01-02,2,b\n2023-01-03,3,a"
    const { notes, inputs } = fitEncoding(parseCsv(text), { target: "y", rows: Int32Array.of(0, 1) })
    expect(inputs.map(input => input.name)).toEqual(["x"])
    expect(notes).toEqual(['Column "day" is left out: its dates do not vary in the training rows.'])
  })
  test("--categories reads them as before", () => {
    const { inputs } = fitEncoding(table(good), { target: "y", categories: ["day"] })
    expect(inputs[0]).toMatchObject({ kind: "category", values: good })
  })
})

test("objects are encoded as rows of tables are, and an encoding survives JSON", () => {
  const cells = ["13.01.2023 08:30", "02.06.2023 23:10", "", "31.12.2022"]
  const encoding = readEncoding(JSON.parse(JSON.stringify(fit(cells))))
  expect(encoding).toEqual(fit(cells))
  expect(encodeRecords(encoding, cells.map(day => ({ day }))).x).toEqual(encode(encoding, table(cells)).x) // biome-ignore format: one line
  const date = encoding.inputs[0] as DateColumn
  for (const [change, wanted] of [
    [{ order: "mdy" }, 'encoding.inputs[0].order should be "ymd" or "dmy"'],
    [{ times: 1 }, "encoding.inputs[0].times should be true or false"],
    [{ std: 0 }, "encoding.inputs[0].std should be a positive number"],
  ] as const)
    expect(() => readEncoding({ ...encoding, inputs: [{ ...date, ...change }] })).toThrow(wanted)
  expect(() => readEncoding({ ...encoding, target: date })).toThrow("encoding.target.kind")
})
