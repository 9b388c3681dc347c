// kill -9 of trainings at random moments, also while they write: they go on, and end in the bits of one that nobody killed.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { afterAll, beforeAll, expect, test } from "vitest"
import { bytesOf, events, workplace } from "./cli-process.ts"
import { LONG } from "./long.ts"

const { at, write, run, remove } = workplace()
afterAll(remove)

/** Trainings, and how often each is killed. */
const [RUNS, KILLS] = LONG ? [10, 5] : [2, 2]
// checkpoints of some megabytes after every 50 ms of steps, so that the writing is met often
const settings = ["--hidden", "192,192", "--dropout", "0.1", "--epochs", "5", "--batch-size", "8", "--weight-decay", "0"]
const train = ["train", "rows.csv", "-t", "y", ...settings, "--checkpoint-every", "0", "--json", "--out"]
let whole: { readonly bytes: string; readonly metrics: unknown[] }
let milliseconds = 0

let word = 20_26
const random = (): number => (word = (Math.imul(word, 1664525) + 1013904223) >>> 0) / 2 ** 32

/** The lines of the metrics, without what the clock decides. */
const metricsOf = (dir: string): unknown[] =>
  readFileSync(at(dir, "metrics.ndjson"), "utf8")
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
    .filter(line => line.event === "epoch")
    .map(({ seconds: _, ...line }) => line)

beforeAll(async () => {
  write("rows.csv", ["a,b,y", ...Array.from({ length: 4000 }, () => `${random()},${random()},${random() < 0.6 ? "yes" : "no"}`)].join("\n"))
  const { code, out } = await run([...train, "whole"])
  expect(code).toBe(0)
  whole = { bytes: bytesOf(at("whole")), metrics: metricsOf("whole") }
  milliseconds = events(out).find(e => e.event === "end").seconds * 1000
})

/** Whether a process was killed while it replaced a folder. */
const metWriting = (dir: string): boolean =>
  [at(dir, "checkpoints"), at(dir, "..")].some(place => existsSync(place) && readdirSync(place).some(name => name.includes(".adjoint-")))

test(`killed ${RUNS * KILLS} times, trainings end with the same model and the same metrics`, { timeout: 900_000 }, async () => {
  let [kills, written] = [0, 0]
  for (let i = 0; i < RUNS; i++) {
    const dir = `killed/${i}`
    const begun = () => existsSync(at(dir, "config.json")) || existsSync(at("killed", `.${i}.adjoint-old`))
    const go = () => (begun() ? ["train", "--resume", dir, "--json"] : [...train, dir])
    for (let j = 0; j < KILLS; j++) {
      // some before there is anything, most in the time that training takes
      const early = (i + j) % 5 === 4
      const wait = random() * (early ? 600 : milliseconds / KILLS)
      let timer: NodeJS.Timeout | undefined
      const { code } = await run(go(), {
        watch(child, out) {
          if (timer === undefined && (early || out.includes('"event":"start"'))) timer = setTimeout(() => child.kill("SIGKILL"), wait)
        },
      })
      clearTimeout(timer)
      expect([null, 0]).toContain(code)
      if (code === null) kills++
      written += Number(metWriting(dir))
    }
    const { code, err } = await run(go())
    expect([code, err]).toEqual([0, ""])
    expect(bytesOf(at(dir)), dir).toBe(whole.bytes)
    expect(metricsOf(dir), dir).toEqual(whole.metrics)
  }
  console.log(`${kills} of ${RUNS * KILLS} trainings were killed, ${written} of them while a folder was being written`)
  expect(kills).toBeGreaterThan((RUNS * KILLS) / 2)
  if (LONG) expect(written).toBeGreaterThan(0)
  expect(readdirSync(at("killed/0")).sort().slice(0, 4)).toEqual(["checkpoints", "config.json", "environment.json", "metrics.ndjson"])
  expect(readdirSync(at("killed/0/checkpoints"))).toEqual(["a", "b"])
})
