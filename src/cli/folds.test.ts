// Cross-validations that are broken off and gone on with end as if nothing had happened.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { RunFolder } from "./run-folder.ts"
import { runCommand } from "./testing/run-command.ts"
import { define } from "./train.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-folds-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const at = (...names: string[]): string => join(dir, ...names)
const scoresOf = (run: string): { accuracy: number }[] => JSON.parse(readFileSync(at(run, "rows", "folds", "scores.json"), "utf8"))

const settings = ["--k-fold", "3", "--epochs", "12", "--patience", "12", "--hidden", "4", "--dropout", "0.1"]
const train = async (...args: string[]): Promise<any[]> => {
  const text = await runCommand(define, ...args, "--json")
  return text
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
}
/** What a run has come to, without what the clock decides and what this process has counted. */
const outcome = (run: string) => {
  const report = readFileSync(at(run, "rows", "report.html"), "utf8")
  return {
    results: readFileSync(at(run, "rows", "results.json"), "utf8"),
    model: readFileSync(at(run, "rows", "weights.safetensors"), "base64"),
    report: report.replace(/zr\d+-c(ls-)?\d+/g, "zr").replace(/started<\/th><td>[^<]+/, ""),
  }
}

test("stopped and killed amid the second fold", async () => {
  const rows = Array.from({ length: 90 }, (_, i) => `${i % 7},${(i * 5) % 11},${(i % 7) + ((i * 5) % 11) > 8 ? "yes" : "no"}`)
  writeFileSync(at("rows.csv"), ["a,b,y", ...rows].join("\n"))
  const begin = (run: string) => train(at("rows.csv"), "-t", "y", ...settings, "--out", at(run, "rows"))
  const whole = await begin("whole")
  const poll = setInterval(() => {
    if (!existsSync(at("stopped", "rows", "folds", "2", "a"))) return
    clearInterval(poll)
    cpSync(at("stopped"), at("killed"), { recursive: true }) // what a process leaves that is killed now
    process.emit("SIGINT", "SIGINT")
  })
  const { exitCode } = process
  const stopped = await begin("stopped")
  process.exitCode = exitCode
  expect(stopped.at(-1)).toMatchObject({ stopped: true, resume: expect.stringContaining("--resume") })
  expect(stopped.filter(({ event }) => event === "fold").length).toBe(1)
  for (const run of ["stopped", "killed"]) {
    expect([scoresOf(run).length, readdirSync(at(run, "rows", "folds")).sort()]).toEqual([1, ["2", "scores.json"]])
    const rest = await train("--resume", at(run, "rows"))
    expect(rest.filter(({ event }) => event === "fold")).toEqual(whole.filter(({ event }) => event === "fold"))
    expect(outcome(run)).toEqual(outcome("whole"))
    expect(readdirSync(at(run, "rows", "folds"))).toEqual(["scores.json"])
  }
  // folds that are done are taken from there
  const marked = scoresOf("killed").map((score, i) => ({ ...score, accuracy: i / 4 }))
  writeFileSync(at("killed", "rows", "folds", "scores.json"), JSON.stringify(marked))
  const again = await train("--resume", at("killed", "rows"))
  expect(again.at(-1).crossValidation).toMatchObject({ scores: [0, 0.25, 0.5], mean: 0.25 })
  // and a new run forgets them
  new RunFolder(at("killed", "rows")).begin({ data: "rows.csv", sha256: "", settings: {} })
  expect(existsSync(at("killed", "rows", "folds"))).toBe(false)
})
