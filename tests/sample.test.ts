// The judge of samples in documents: what it takes for kept promises, and what it does not.
import { expect, test } from "vitest"
import { tensor } from "../src/index.ts"
import { keeps, runSample } from "./sample.ts"

const load = (): Promise<Record<string, unknown>> => Promise.resolve({ tensor })
const judge = async (code: string): Promise<boolean[]> => (await runSample(`import { tensor } from "adjoint"\n${code}`, load)).map(keeps)

test.each([
  ["1.54  // 1.5", true],
  ["1.56  // 1.5", false],
  ["1000.4  // 1000", false],
  ["1e-11 * 1.04  // 1.0e-11", true],
  ["1e-11 * 1.06  // 1.0e-11", false],
  ["0.3  // 0", false],
  ["NaN  // NaN", true],
  ["1  // NaN", false],
  ["-Infinity  // -Infinity", true],
  ["2  // 2: the number of operands", true],
  ["2  // 3: the number of operands", false],
  ["2  // two", false],
  ['["a", 1]  // ["a", 1]', true],
  ['["a", 1]  // "a", 1', true],
  ['["a", 1]  // "b", 1', false],
  ["[1, 2, 3]  // [1, ...]", true],
  ["[1, 2, 3]  // [2, ...]", false],
  ["[1, 2, 3]  // [1, 2]", false],
  ["tensor([1, 2])  // [1, 2]", true],
  ["tensor([1, 2])  // f32[2]", true],
  ["tensor([1, 2])  // f32[2] [1, 2]", true],
  ["tensor([1, 2])  // i32[2] [1, 2]", false],
  ["tensor([1, 2])  // Tensor f32[2] [1, 2]", true],
  ["const { a, b } = { a: tensor([1]), b: 2 }  // [1], 2", true],
  ["const { a, b } = { a: tensor([1]), b: 2 }  // [1], 3", false],
  ["const [a] = [{ w: tensor([1]) }]  // { w: [1] }", true],
  ["console.log('a', 1)  // a 1", true],
  ["console.log('a')\n// a", true],
  ["console.log('a')\nconsole.log('b')\n// a", false],
  ["for (const x of [1, 2]) console.log(x)\n// 1\n// 2", true],
  ["console.log('before')\nconsole.log('a')  // a\n\n// prose", true],
])("%s: %s", async (code, kept) => expect(await judge(code)).toEqual([kept]))

test("nothing is promised by prose on a line of its own", async () => {
  expect(await judge("// 1\nconst x = 2\n// 3")).toEqual([])
})
test("a promise behind what has no value is a mistake", async () => {
  await expect(judge("for (;;) break  // 1")).rejects.toThrow("has no value")
})
