// `adjoint explain --attribution`: of linear models, whose attributions are weights times inputs.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { tensor } from "../index.ts"
import { dense } from "../nn.ts"
import { TrainedModel } from "../train.ts"
import { define } from "./explain.ts"
import { runCommand } from "./testing/run-command.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-attribution-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const at = (name: string): string => join(dir, name)

const run = (...args: readonly string[]): Promise<string> => runCommand(define, ...args)

const inputs = [
  { name: "length", kind: "number", mean: 1, std: 2 },
  { name: "<b>", kind: "category", values: ["red", "blue"] },
]
const training = { data: { name: "t" }, settings: { learningRate: 0.05 }, constant: 0 }
const save = (name: string, w: number[][], encoding: unknown) =>
  new TrainedModel(dense(w.length, w[0]!.length), { w: tensor(w), b: tensor(w[0]!.map(() => 0.5)) }, {}, [w.length]).save(at(name), {
    encoding,
    training,
  })

beforeAll(async () => {
  // red 3, blue -1
  await save("price", [[2], [3], [-1]], { inputs, target: { name: "price", kind: "number", mean: 10, std: 4 }, notes: [] })
  await save(
    "kind",
    [
      [2, 0],
      [3, 0],
      [-1, 0],
    ],
    { inputs, target: { name: "kind", kind: "class", values: ["a", "b"] }, notes: [] },
  )
  // no target: an answer needs none
  writeFileSync(at("rows.csv"), "length,<b>\n3,red\n-1,blue\n")
})

test("one row: columns in the target's unit, categories as one", async () => {
  const found = JSON.parse(await run(at("price"), at("rows.csv"), "--attribution", "--row", "0", "--json"))
  // length 3 is 1 standardised: 2 * 1 * 4; red: 3 * 4
  expect(found).toMatchObject({
    ...{ event: "done", method: "integrated gradients", row: 0, prediction: 32, output: 32, baseline: 12 },
    columns: [
      { name: "<b>", value: "red", attribution: 12 },
      { name: "length", value: "3", attribution: 8 },
    ],
  })
  expect(found.gap).toBeLessThan(1e-4)
  const text = await run(at("price"), at("rows.csv"), "--attribution", "--row", "1")
  expect(text).toContain("price 0, at the baseline 12")
  expect(text).toMatch(/length +-1 +-8 +█{20}\n<b> +blue +-4 +█{10}\n/)
})

test("a row of a large table is the row of that number", async () => {
  // more bytes than are read whole elsewhere, and more rows than are looked at
  const rows = Array.from({ length: 200_010 }, (_, i) => `${i},${i % 2 ? "red" : "blue"},${" ".repeat(250)}`)
  writeFileSync(at("large.csv"), `length,<b>,more\n${rows.join("\n")}\n`)
  const found = JSON.parse(await run(at("price"), at("large.csv"), "--attribution", "--row", "150001", "--json"))
  expect(found.columns).toMatchObject([{ value: "150001" }, { value: "red" }])
})

test("all rows: means of absolute values, each for its own class, and a page without what was in names", async () => {
  const text = await run(at("kind"), at("rows.csv"), "--attribution", "--html", at("page.html"))
  expect(text).toContain("over 2 rows")
  // row 0 is for class a: 2 and 3; row 1 for class b, whose output is constant
  expect(text).toMatch(/<b> +1.5 +█{20}\nlength +1 +█{13}\n/)
  const page = readFileSync(at("page.html"), "utf8")
  expect(page).toContain("&lt;b&gt;")
  expect(page).not.toMatch(/<b>|<script|https?:/)
})

test.each([
  [["--attribution"], "name its folder and the data"],
  [["rows.csv", "--attribution", "--weight", "w[0,0]"], "--weight tells of weights"],
  [["rows.csv", "--attribution", "--row", "2"], "has 2 rows, 0 to 1"],
  [["rows.csv", "--steps", "2"], "--steps goes with --attribution"],
] as const)("%s is refused", async ([data, ...more], message) => {
  const args = data.startsWith("-") ? [data] : [at(data)]
  await expect(run(at("price"), ...args, ...more)).rejects.toThrow(message)
})
