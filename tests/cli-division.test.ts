// How the command reads and divides tables when it is told to: without a header, in another encoding, by groups, by time, in folds, in two files.
import { readFileSync } from "node:fs"
import { afterAll, expect, test } from "vitest"
import { events, flowers, last, workplace } from "./cli-process.ts"

const { at, write, run, remove } = workplace()
afterAll(remove)

const [header, ...rows] = flowers().split("\n") as [string, ...string[]]

test("a table without a header, in windows-1252, and the model remembers both", async () => {
  const text = rows.map(row => row.replace("aster", "fl\u00e4chig")).join("\n")
  write("plain.csv", Buffer.from(text, "latin1"))
  const flags = [
    "--no-header",
    "--encoding",
    "windows-1252",
    "-t",
    "column 5",
    "--epochs",
    "2",
    "--hidden",
    "none",
    "--no-report",
    "--json",
    "--out",
    "plain",
  ]
  const trained = await run(["train", "plain.csv", ...flags])
  expect([trained.code, trained.err]).toEqual([0, ""])
  expect(last(trained.out).test.classes).toContain("fl\u00e4chig")
  expect(JSON.parse(readFileSync(at("plain/config.json"), "utf8"))).toMatchObject({ header: false, encoding: "windows-1252" })
  const { code, out } = await run(["evaluate", "plain", "plain.csv", "--json"])
  expect([code, last(out).test]).toEqual([0, last(trained.out).test])
})

test("folds by group, from a configuration; the model that is kept has seen all rows", async () => {
  write("groups.csv", [`${header},plot`, ...rows.map((row, i) => `${row},${i % 25}`)].join("\n"))
  write(
    "folds.json",
    JSON.stringify({ data: "groups.csv", target: "kind", kFold: 3, groups: "plot", epochs: 3, out: "folds", classWeight: "balanced" }),
  )
  const { code, out, err } = await run(["train", "--config", "folds.json", "--json"])
  expect([code, err]).toEqual([0, ""])
  const all = events(out)
  expect(all.find(({ event }) => event === "start")).toMatchObject({ rows: 132, validationRows: 18 })
  const scores = all.filter(({ event }) => event === "fold").map(({ test }) => test)
  expect(scores.map(({ rows }) => rows).reduce((a, b) => a + b)).toBe(150)
  const { test, crossValidation } = all.at(-1)
  expect(test).toBeNull()
  expect(crossValidation).toMatchObject({ measure: "accuracy", scores: scores.map(({ accuracy }) => accuracy) })
  expect(readFileSync(at("folds/report.html"), "utf8")).toContain("mean and standard error of 3 folds")
  const { encoding, training } = JSON.parse(readFileSync(at("folds/model.json"), "utf8"))
  expect(encoding.inputs.map(({ name }: { name: string }) => name)).not.toContain("plot")
  expect(training.data.division).toMatchObject({ test: 0, groups: "plot" })
  expect(training.classWeights).toHaveLength(3)
})

test("test rows of a file of their own, dates, and a rare class", async () => {
  const day = (i: number): string => new Date(Date.UTC(2023, 0, 1 + i)).toISOString().slice(0, 10)
  const weekdays = Array.from({ length: 280 }, (_, i) => `${day(i)},${i % 3},${i % 14 === 0 ? "holiday" : "work"}`)
  write("train.csv", ["day,x,kind", ...weekdays.slice(0, 210)].join("\n"))
  write("later.csv", ["day,x,kind", ...weekdays.slice(210)].join("\n"))
  const { code, out } = await run([
    "train",
    "train.csv",
    "-t",
    "kind",
    "--test-file",
    "later.csv",
    "--times",
    "day",
    "--json",
    "--epochs",
    "2",
    "--out",
    "days",
  ])
  expect(code).toBe(0)
  const all = events(out)
  expect(all.filter(({ event }) => event === "warning").map(({ message }) => message)).toEqual([
    expect.stringContaining("--class-weight balanced"),
  ])
  expect(all.find(({ event }) => event === "start")).toMatchObject({ rows: 189, validationRows: 21 })
  expect(all.at(-1).test).toMatchObject({ rows: 70, balancedAccuracy: expect.any(Number) })
})

test("a test file of other columns is found out before the training", async () => {
  write("flowers.csv", flowers())
  write("other.csv", `id,length,wide,color,kind\n${rows[0]}\n`)
  const { code, err } = await run(["train", "flowers.csv", "-t", "kind", "--test-file", "other.csv"])
  expect(err).toContain('Column "width" is missing')
  expect(code).toBe(2)
})
