import { expect, test } from "vitest"
import { formatCsv } from "./csv.ts"

test("cells are quoted where they need it", () => {
  const text = formatCsv([
    { name: "a,b", values: ["plain", 'say "hi"', " blank", "two\nlines", ""] },
    { name: "x", values: new Float64Array([1, 0.1, -1e-7, Number.NaN, 1 / 3]) },
  ])
  expect(text).toBe('"a,b",x\nplain,1\n"say ""hi""",0.1\n" blank",-1e-7\n"two\nlines",NaN\n,0.3333333333333333\n')
})

test("columns of different lengths are refused", () => {
  expect(() =>
    formatCsv([
      { name: "a", values: [1] },
      { name: "b", values: [] },
    ]),
  ).toThrow('wanted 1 values in every column, got 0 in "b"')
})
