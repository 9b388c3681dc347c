// `adjoint check`: gradients in a file of the user's, and those of a saved model.
import { mkdirSync, symlinkSync } from "node:fs"
import { resolve } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { flowers, last, workplace } from "./cli-process.ts"

const { at, write, run, remove } = workplace()
afterAll(remove)

const file = (backward: string): string => `
import { matmul, mean, square, sub, tensor } from "adjoint"
export const inputs = [tensor([[0.5], [0.2]]), tensor([[0.1, 0.3], [1, 2]]), tensor([[1], [0.5]])]
export const forward = (w, x, t) => mean(square(sub(matmul(x, w), t)))
${backward}
function delta(w, x, t) {
  return x.map((row, i) => row.reduce((s, v, k) => s + v * w[k][0], 0) - t[i][0])
}
function gradient(d, x) {
  return x[0].map((_, k) => [x.reduce((s, row, i) => s + row[k] * d[i], 0)])
}
`
const all = "w.toArray(), x.toArray(), t.toArray()"

beforeAll(() => {
  mkdirSync(at("node_modules"))
  symlinkSync(resolve("."), at("node_modules", "adjoint"), "dir")
  write("right.mjs", file(`export const backward = (w, x, t) => [gradient(delta(${all}), x.toArray()), null, null]`))
  write("twice.mjs", file(`export const backward = (w, x, t) => [gradient(delta(${all}).map(d => 2 * d), x.toArray()), null, null]`))
  write("sign.mjs", file(`export const backward = (w, x, t) => [gradient(delta(${all}).map(d => -d), x.toArray()), null, null]`))
  write("none.mjs", "export const forward = 1")
  write("thrown.mjs", 'throw new Error("not today")')
  write("typed.ts", "export const forward: number = 1")
  write("flowers.csv", flowers())
})

test("a right gradient: exit code 0", async () => {
  const { code, out, err } = await run(["check", "right.mjs"])
  expect([code, out, err]).toEqual([0, "The gradient is right.\n", ""])
})

test("wrong ones: what is wrong, and exit code 1", async () => {
  const sign = await run(["check", "sign.mjs"])
  expect([sign.code, sign.err]).toEqual([1, ""])
  expect(sign.out).toContain("The sign is wrong (gradient of w).")
  const twice = await run(["check", "twice.mjs", "--json"])
  expect(twice.code).toBe(1)
  expect(last(twice.out)).toMatchObject({
    event: "done",
    verdict: "wrong",
    leaves: [{ path: "w", shape: [2, 1], agrees: false }],
    findings: [{ mistakes: [{ kind: "extraTwo", factor: 2 }], leaves: ["w"] }],
  })
})

test("a saved model", async () => {
  const trained = await run(["train", "flowers.csv", "--target", "kind", "--epochs", "3", "--out", "runs/model", "--quiet"])
  expect(trained.code).toBe(0)
  const { code, out } = await run(["check", "runs/model"])
  expect([code, out]).toEqual([0, "The gradients of runs/model agree with differences.\n"])
  expect(last((await run(["check", "runs/model", "--json"])).out)).toMatchObject({ event: "done", verdict: "right" })
})

const refused: readonly (readonly [string, string, RegExp])[] = [
  ["nothing there", "nowhere.mjs", /nowhere\.mjs does not exist/],
  ["no function", "none.mjs", /must export forward, a function/],
  ["a file that throws", "thrown.mjs", /thrown\.mjs: not today/],
]
test.each(refused)("%s: exit code 2", async (_name, what, message) => {
  const { code, err } = await run(["check", what])
  expect(code).toBe(2)
  expect(err).toMatch(message)
})

test("TypeScript where Node can load it; else it is said what to do", async () => {
  const { code, err } = await run(["check", "typed.ts"])
  expect(code).toBe(2)
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number]
  if (major > 22 || (major === 22 && minor >= 18)) expect(err).toMatch(/must export forward/)
  else expect(err).toMatch(/TypeScript wants Node 22\.18 or newer/)
})
