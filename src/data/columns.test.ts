import { describe, expect, test } from "vitest"
import { type ColumnType, describeColumn, describeColumns, likelyTarget } from "./columns.ts"
import { parseCsv } from "./csv.ts"

const table = (name: string, cells: readonly (string | number)[]) => parseCsv([name, ...cells.map(c => `"${c}"`)].join("\n"))
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

describe("describeColumn tells the type", () => {
  const cases: [string, string, (string | number)[], ColumnType][] = [
    ["numbers", "x", [1, 2.5, "-3e2", ".5", "+4."], "numeric"],
    ["numbers with gaps", "x", [1, "", "NA", "nan", "NULL", "?", "n/a", 2], "numeric"],
    ["numbers with a stray text", "x", [1, 2, 3, 4, "five"], "numeric"],
    ["a tenth of stray texts", "x", [...range(90), ...Array(10).fill("many")], "numeric"],
    ["more texts among many numbers", "x", [...range(120), ...Array(80).fill("many")], "numeric"],
    ["more texts among few numbers", "x", [...range(60).map(i => i % 4), ...Array(40).fill("many")], "category"],
    ["what only looks like numbers", "x", ["1,200", "12%", "0x10", "1_000", "Infinity", "1e999"], "category"],
    ["words", "x", ["red", "green", "red"], "category"],
    ["truth values", "x", ["true", "false"], "category"],
    ["nearly unique words", "x", range(30).map(i => `person ${i}`), "text"],
    ["too many words", "x", range(400).map(i => `street ${i % 101}`), "text"],
    ["one number", "x", [7, 7, 7], "constant"],
    ["one word", "x", ["a", "", "a"], "constant"],
    ["nothing", "x", ["", "NA", "?"], "constant"],
    ["an id by name", "PassengerId", range(30), "id"],
    ["an id by name", "user_id", ["u9", "u7", "u8"], "id"],
    ["an index without a name", '""', range(5), "id"],
    ["an id's name on repeated values", "shop_id", [1, 2, 1, 2], "numeric"],
    ["an id's name on fractions", "row", [0.5, 1.5, 2], "numeric"],
    ["counting numbers with another name", "x", range(30), "numeric"],
    ["dates", "x", ["2023-01-31", "", "2024-02-29"], "date"],
    ["dates with times", "x", ["2023-01-31T10:00", "2023-02-01 9:30:15.5Z", "2023-02-01T23:59:59+05:30"], "date"],
    ["dates with slashes", "x", ["2023/1/5", "2023/12/05"], "date"],
    ["dates with points of which one tells the day", "x", ["01.02.2023", "13.02.2023"], "date"],
    ["dates with points of which none does", "x", ["01.02.2023", "03.02.2023", "01.02.2023"], "category"],
    ["days of which few do not exist", "x", ["2023-02-27", "2023-02-28", "2023-02-29", "2023-03-01", "2023-03-02"], "date"],
    ["days that do not exist", "x", ["2023-02-30", "2023-13-01", "2023-02-30"], "category"],
    ["one date", "x", ["2023-02-03", "2023-02-03"], "constant"],
    ["dates among numbers", "x", [1, 2, 3, 4, "2023-02-03"], "numeric"],
    ["what only looks like dates", "x", ["2023-1-1x", "23-01-01", "2023-01/01", "2023-01-01 25:00", "1.2.23"], "category"],
  ]
  test.each(cases)("%s", (_, name, cells, type) => expect(describeColumns(table(name, cells))[0]!.type).toBe(type))
})

test("describeColumns counts", () => {
  const infos = describeColumns(parseCsv("age,city\n31,Rome\n,Oslo\n40,Rome\n35.5,NA\n"))
  expect(infos).toEqual([
    {
      name: "age",
      type: "numeric",
      missing: 1,
      distinct: 3,
      examples: ["31", "40", "35.5"],
      numbers: { min: 31, max: 40, mean: 35.5, whole: false },
      stray: [],
    },
    { name: "city", type: "category", missing: 1, distinct: 2, examples: ["Rome", "Oslo"], stray: [] },
  ])
})

test("stray cells keep their row and text", () => {
  expect(describeColumn(table("x", [1, 2, "", "twelve", 3, 4, 5]), "x").stray).toEqual([{ row: 3, cell: "twelve" }])
})

describe("likelyTarget", () => {
  const cases: [string, string, string | undefined][] = [
    ["a customary name", "Species,a,b\nx,1,2\ny,3,4", "Species"],
    ["the more telling of two names", "class,target,a\n1,2,3\n2,1,4", "target"],
    ["else the last", "a,b,c\n1,2,3\n2,1,4", "c"],
    ["but not an id", "a,b,row_id\n1,2,3\n2,1,4", "b"],
    ["nor a constant", "a,b,c\n1,2,3\n2,1,3", "b"],
    ["or none", "a\n1\n1", undefined],
  ]
  test.each(cases)("%s", (_, text, name) => expect(likelyTarget(describeColumns(parseCsv(text)))).toBe(name))
})
