// `adjoint export`: modules that answer as `adjoint predict` does, and go on learning.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { pathToFileURL } from "node:url"
import { afterAll, beforeAll, expect, test } from "vitest"
import { parseCsv } from "../src/data.ts"
import { events, flowers, houses, last, workplace } from "./cli-process.ts"

const { at, write, writeImages, run, remove } = workplace()
afterAll(remove)

const train = async (...args: string[]): Promise<void> => {
  const { code, err } = await run(["train", ...args, "--epochs", "5", "--deterministic", "--json"])
  expect([code, err]).toEqual([0, ""])
}
beforeAll(async () => {
  write("package.json", '{ "type": "module" }')
  write("flowers.csv", flowers())
  write("houses.csv", houses())
  writeImages("shapes", { train: 200, t10k: 40 })
  await Promise.all([
    train("flowers.csv", "--target", "kind", "--out", "runs/my flowers"),
    train("houses.csv", "--target", "price", "--out", "runs/houses"),
    train("shapes", "--out", "runs/shapes"),
  ])
}, 60_000)
const opened = (file: string): Promise<any> => import(/* @vite-ignore */ pathToFileURL(at(file)).href)
/** What `adjoint predict` says. */
const predicted = async (model: string, data: string): Promise<any[]> =>
  events((await run(["predict", model, data, "--json"])).out)
    .filter(e => e.event === "prediction")
    .map(({ prediction, probabilities }) => ({ prediction, ...(probabilities && { probabilities }) }))
/** Two answers: the command has products with fused additions, so the last of six digits may differ. */
function alike(a: any, b: any): void {
  if (typeof a.prediction === "number") expect(Math.abs(a.prediction - b.prediction)).toBeLessThan(1e-4 * Math.abs(b.prediction))
  else expect(a.prediction).toBe(b.prediction)
  for (const name of Object.keys(b.probabilities ?? {})) expect(a.probabilities[name]).toBeCloseTo(b.probabilities[name], 4)
}

test("a table of classes: the answers of predict, in one file with the model's name", async () => {
  const { code, out, err } = await run(["export", "runs/my flowers", "--standalone"])
  expect([code, err]).toEqual([0, ""])
  expect(out).toMatch(/^my-flowers\.js {2}[\d,]+ bytes\nmy-flowers\.d\.ts {2}[\d,]+ bytes\n$/)
  const { predict, info, step } = await opened("my-flowers.js")
  const csv = parseCsv(readFileSync(at("flowers.csv")))
  const rows = Array.from({ length: csv.rows }, (_, i) => Object.fromEntries(csv.columns.map(name => [name, csv.column(name)[i]])))
  const answers = predict(rows)
  const wanted = await predicted("runs/my flowers", "flowers.csv")
  expect(answers).toHaveLength(wanted.length)
  wanted.forEach((answer, i) => alike(answers[i], answer))
  expect(info).toMatchObject({ target: "kind", classes: ["aster", "daisy", "tulip"], columns: ["length", "width", "color"] })
  expect(step).toBeUndefined()
})

test("a number, and learning with the settings of the training", async () => {
  const { code, out } = await run([
    "export",
    "runs/houses",
    "--standalone",
    "--trainable",
    "--separate",
    "--out",
    "web/h.js",
    "--json",
    "--weight-decay",
    "0",
  ])
  expect(code).toBe(0)
  expect(readdirSync(at("web")).sort()).toEqual(["h.d.ts", "h.js", "h.wasm"])
  expect(last(out)).toMatchObject({
    event: "done",
    files: [{ file: "web/h.js" }, { file: "web/h.d.ts" }, { file: "web/h.wasm", bytes: readFileSync(at("web/h.wasm")).length }],
  })
  writeFileSync(at("web/package.json"), '{ "type": "module" }')
  const { predict, info, step } = await opened("web/h.js")
  write("two.csv", "area;age\n1,5;-1\n0,25;2\n")
  const wanted = await predicted("runs/houses", "two.csv")
  predict([
    { area: 1.5, age: -1 },
    { area: "0.25", age: 2 },
  ]).forEach((answer: any, i: number) => alike(answer, wanted[i]))
  expect(info.trainable).toMatchObject({ batchSizes: [1, 8], optimizer: { kind: "adam", learningRate: 0.001 } })
  const row = { area: 1, age: 1 }
  const before = predict(row).prediction
  for (let i = 0; i < 200; i++) step(row, 500)
  expect(Math.abs(predict(row).prediction - 500)).toBeLessThan(Math.abs(before - 500) / 2)
})

test("images, and another optimizer", async () => {
  const given = ["export", "runs/shapes", "--standalone", "--trainable", "--batch-size", "4", "--optimizer", "sgd"]
  expect(await run(given)).toMatchObject({ code: 2, err: expect.stringContaining("add --learning-rate") })
  expect((await run([...given, "--learning-rate", "0.1"])).code).toBe(0)
  const { predict, info } = await opened("shapes.js")
  const file = readFileSync(at("shapes/t10k-images-idx3-ubyte")).subarray(16)
  const images = Array.from({ length: 40 }, (_, i) => file.subarray(16 * i, 16 * i + 16))
  const wanted = await predicted("runs/shapes", "shapes/t10k-images-idx3-ubyte")
  predict(images).forEach((answer: any, i: number) => alike(answer, wanted[i]))
  expect(info.trainable).toMatchObject({ batchSizes: [4], optimizer: { kind: "sgd" } })
})

test.each([
  [["runs/houses"], 2, "wanted --standalone"],
  [["nowhere", "--standalone"], 2, "nowhere"],
  [["runs/houses", "--standalone", "--out", "a.wasm"], 2, "--out a.wasm: wanted a file whose name ends in .js"],
  [["runs/houses", "--standalone", "--input", "i32"], 2, "--input is for models that do not know their columns"],
  [["runs/houses", "--standalone", "--trainable", "--batch-size", "1,x"], 2, "whole number from 1"],
] as const)("export %j is refused", async (args, code, words) => {
  const ended = await run(["export", ...args])
  expect(ended.code).toBe(code)
  expect(ended.err).toContain(words)
})
