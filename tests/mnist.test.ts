// The real MNIST set by the command of `npm start`: at least 97.5 % on the 10,000 test digits, and chance where nothing can be learned.
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"

const main = "dist/cli/main.js"
if (!existsSync(main)) throw new Error("these tests run the built command; build it first: npm run build")
const dir = mkdtempSync(join(tmpdir(), "adjoint-mnist-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const adjoint = (...args: readonly string[]): { events: any[]; out: string; err: string } => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" })
  expect([status, args.includes("--json") ? stderr : ""]).toEqual([0, ""])
  const events = args.includes("--json")
    ? stdout
        .trim()
        .split("\n")
        .map(line => JSON.parse(line))
    : []
  return { events, out: stdout, err: stderr }
}

test("trains to at least 97.5 %, and the saved model has the same accuracy", () => {
  const model = join(dir, "mnist")
  const { events } = adjoint("train", "mnist", "--out", model, "--json")
  const done = events.at(-1)
  expect(events.filter(e => e.event === "progress").length).toBeGreaterThan(10)
  expect(events.find(e => e.event === "end").seconds).toBeLessThan(30)
  expect(done).toMatchObject({ event: "done", test: { rows: 10_000 }, beatsBaseline: true })
  expect(done.test.accuracy).toBeGreaterThanOrEqual(0.975)
  expect(adjoint("evaluate", model, "mnist", "--json").events.at(-1).test).toEqual(done.test)
  const last = adjoint("evaluate", model, "mnist").out.trimEnd().split("\n").at(-1)
  expect(last).toBe(`test accuracy ${(done.test.accuracy * 100).toFixed(2)} %`)
})

test("with shuffled training labels the test is at chance", () => {
  const { events } = adjoint("train", "mnist", "--shuffle-labels", "--epochs", "1", "--out", join(dir, "shuffled"), "--json")
  const { accuracy } = events.at(-1).test
  expect(accuracy).toBeGreaterThan(0.05)
  expect(accuracy).toBeLessThan(0.2)
})
