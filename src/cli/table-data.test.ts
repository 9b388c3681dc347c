// Tables that stay in their file mean what they mean in memory: the same division, encoding and model, bit for bit, and the same answers.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { afterAll, describe, expect, test } from "vitest"
import { DataError } from "../data/errors.ts"
import { UsageError } from "./errors.ts"
import { define as evaluate } from "./evaluate.ts"
import { openData } from "./open.ts"
import { define as predict } from "./predict.ts"
import { foldProblems, type Labelled, type Problem, tableProblem } from "./problem.ts"
import type { TableSource } from "./source.ts"
import { inFile, type TableData } from "./table-data.ts"
import { runCommand } from "./testing/run-command.ts"
import { define as train } from "./train.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-table-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const at = (name: string): string => join(dir, name)

const N = 600
/** Numbers, categories and dates, some of them missing; a class of few rows. */
const rows = Array.from({ length: N }, (_, i) => {
  const size = 5 + 5 * Math.sin(i * 7.13)
  const city = ["Rome", "Oslo", "Bern"][(i * 7) % 3]!
  const day = new Date(Date.UTC(2023, 0, 1 + ((i * 77) % 360))).toISOString().slice(0, 10)
  const kind = i % 97 === 0 ? "odd" : size + (city === "Oslo" ? 3 : 0) > 6 ? "big" : "small"
  return [i % 40, i % 19 === 0 ? "" : size.toFixed(3), i % 31 === 0 ? "NA" : city, day, kind, (3 * size + Math.sin(i)).toFixed(4)].join()
})
const HEADER = "owner,size,city,day,kind,price"
const data = at("houses.csv")
writeFileSync(data, `${[HEADER, ...rows].join("\n")}\n`)

const division = { seed: 3, test: 0.2, validation: 0.1 }
const source = async (path: string, memory?: number) => (await openData(path, { memory })) as TableSource
/** The table of a file as it is where only some rows are looked at. */
const sampled = async (lines: readonly string[], looked = 200): Promise<TableSource> => {
  const path = at("sampled.csv")
  writeFileSync(path, [HEADER, ...lines].join("\n"))
  const table: TableData = await inFile(path, { name: "sampled.csv" }, 0, { rows: looked, cells: Infinity })
  return { kind: "table", name: "sampled", data: table, sha256: "" }
}

const contents = (part: Labelled | undefined) => {
  if (part === undefined) return undefined
  const x = new Float32Array(part.x.rows * part.x.shape[0]!)
  part.x.read(
    Int32Array.from({ length: part.x.rows }, (_, i) => part.x.rows - 1 - i),
    x,
  )
  return { ...part, x, y: part.y.dtype }
}
const allOf = ({ train, validation, test, ...rest }: Problem) => ({
  ...rest,
  parts: [train, validation, test()].map(contents),
})

describe("a problem made from a file is the one made from memory", () => {
  test.each([
    ["classes", { target: "kind", ignore: ["price"] }],
    ["classes that count the same", { target: "kind", classWeight: "balanced" }],
    ["a number, with answers shuffled", { target: "price", shuffleLabels: true }],
    ["groups", { target: "kind", groups: "owner" }],
    ["times", { target: "price", times: "day" }],
  ] as const)("%s", async (_, options) => {
    const [memory, file] = await Promise.all(
      [undefined, 0].map(async mb => tableProblem(await source(data, mb), { ...division, ...options })),
    )
    expect(allOf(file!)).toEqual(allOf(memory!))
    expect(memory!.train.warnings).toHaveLength(2)
  })
  test("folds", async () => {
    const folds = async (mb?: number) => foldProblems(await source(data, mb), { ...division, test: 0, target: "kind" }, 3).map(allOf)
    expect(await folds(0)).toEqual(await folds())
  })
  test("inputs that take little memory are kept", async () => {
    const { data: table } = await source(data, 0.04)
    expect(table.memory).toBe(20_000)
    const kept = tableProblem(
      { kind: "table", name: "t", data: table, sha256: "" },
      { ...division, target: "kind", ignore: ["day", "city"] },
    )
    expect(allOf(kept)).toEqual(allOf(tableProblem(await source(data), { ...division, target: "kind", ignore: ["day", "city"] })))
  })
})

describe("the commands", () => {
  const ended = async (target: string, flags: readonly string[]) => {
    const run = at(target)
    await runCommand(
      train,
      data,
      "-t",
      target,
      "--hidden",
      "none",
      "--epochs",
      "2",
      "--seed",
      "2",
      "--no-report",
      "--json",
      "--out",
      run,
      ...flags,
    )
    const evaluated = await runCommand(evaluate, run, data, "--json", ...flags)
    await runCommand(predict, run, data, "--quiet", "--out", at("answers.csv"), ...flags)
    const files = ["weights.safetensors", "model.json", "results.json"].map(name => readFileSync(join(run, name), "base64"))
    const { memory } = JSON.parse(readFileSync(join(run, "config.json"), "utf8"))
    return { files, evaluated, answers: readFileSync(at("answers.csv"), "utf8"), memory }
  }
  test.each(["kind", "price"])("train, evaluate and predict %s", async target => {
    const memory = await ended(target, [])
    expect(await ended(target, ["--memory", "0"])).toEqual({ ...memory, memory: 0 })
    expect(memory.answers.split("\n")).toHaveLength(N + 2)
  })
})

describe("of a large table some rows are looked at", () => {
  const options = { ...division, target: "kind", ignore: ["price", "owner"] }
  test("means come from training rows among them, classes from all rows", async () => {
    const table = await sampled([...rows, "1,2,Rome,2023-01-01,rare,1", "1,2,Rome,2023-01-01,rare,1"])
    const { target, notes, train, encoding } = tableProblem(table, options)
    expect(target).toMatchObject({ values: ["big", "odd", "rare", "small"] })
    expect(notes.find(note => note.startsWith("What the columns hold"))).toMatch(
      /^What the columns hold was seen in 200 of the 602 rows, drawn at random; means and categories come from 1\d\d of the 42\d training rows\.$/,
    )
    const { sampled: chosen } = table.data
    const all = tableProblem(await source(at("sampled.csv")), options)
    expect(train.rows).toEqual(all.train.rows)
    const among = [...train.rows!].filter(row => chosen!.includes(row))
    const sizes = among.flatMap(row => (rows[row]?.split(",")[1] ? [Number(rows[row]!.split(",")[1])] : []))
    const { inputs } = encoding as Extract<typeof encoding, { inputs: unknown }>
    expect(inputs[0]).toMatchObject({ name: "size", mean: sizes.reduce((a, b) => a + b, 0) / sizes.length })
  })
  const bad = (row: number, line: string) => rows.map((good, i) => (i === row ? line : good))
  test.each([
    ["a text among numbers", "1,two,Rome,2023-01-01,big,1", 'column "size": "two" is not a number'],
    ["a text among dates", "1,2,Rome,soon,big,1", 'column "day": "soon" is not a date'],
    ["no class", "1,2,Rome,2023-01-01,,1", 'the target "kind" is missing in 1 row (row'],
    ["a cell too few", "1,2,Rome,2023-01-01,big", "5 cells, but the header (row 1) has 6"],
  ])("%s is found before training, in the other rows too", async (_, line, message) => {
    const { data: table } = await sampled(rows)
    const row = rows.findIndex((_, i) => !table.sampled!.includes(i))
    const problem = sampled(bad(row, line)).then(source => tableProblem(source, options))
    await expect(problem).rejects.toThrow(DataError)
    await expect(problem).rejects.toThrow(message)
    await expect(problem).rejects.toThrow(`row ${row + 2}`)
  })
  test("numbers that look like classes in these rows only", async () => {
    const { data: table } = await sampled(rows)
    const others = new Set(rows.keys())
    for (const row of table.sampled!) others.delete(row)
    const numbers = rows.map((line, i) => line.replace(/[^,]*,[^,]*$/, others.has(i) ? `${i},1` : `${i % 3},1`))
    const problem = () => sampled(numbers).then(source => tableProblem(source, options))
    await expect(problem()).rejects.toThrow(UsageError)
    await expect(problem()).rejects.toThrow("Say what it is: --task classification or --task regression.")
    const told = tableProblem(await sampled(numbers), { ...options, task: "regression" })
    expect(told.target).toMatchObject({ kind: "number" })
  })
})

describe("refused, with what to do", () => {
  writeFileSync(at("t.parquet"), new Uint8Array(2000))
  writeFileSync(at("t.csv.gz"), gzipSync("a,b\n1,2\n"))
  writeFileSync(at("t.ndjson"), '{"a":1}\n')
  writeFileSync(at("wide.csv"), Uint8Array.of(0xff, 0xfe, 0x61, 0))
  test.each([
    ["t.parquet", {}, UsageError, "only if --memory says so. Write it as CSV"],
    ["t.csv.gz", {}, DataError, "is compressed with gzip; decompress it first"],
    ["t.ndjson", { header: false }, UsageError, "--no-header is for CSV"],
    ["wide.csv", {}, DataError, "save it in UTF-8"],
  ] as const)("%s", async (name, reading, kind, message) => {
    const opened = openData(at(name), { memory: 0, reading })
    await expect(opened).rejects.toThrow(kind)
    await expect(opened).rejects.toThrow(message)
  })
})
