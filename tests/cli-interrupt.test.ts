// Ctrl-C at different times: what was learned is kept, and nothing is left half-written.
import type { ChildProcess } from "node:child_process"
import { cpSync, readdirSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { bytesOf, events, flowers, last, workplace } from "./cli-process.ts"

const { at, write, run, remove } = workplace()
afterAll(remove)

beforeAll(async () => {
  write("flowers.csv", flowers())
  const { code, err } = await run(["train", "flowers.csv", "--target", "kind", "--json", "--out", "runs/model"])
  expect([code, err]).toEqual([0, ""])
})

describe("Ctrl-C", () => {
  const long = ["train", "flowers.csv", "--target", "kind", "--epochs", "100000", "--patience", "100000"]
  test("keeps the best epoch so far", async () => {
    let stopped = false
    const { code, out } = await run([...long, "--json", "--out", "runs/stopped"], {
      watch(child, out) {
        if (!stopped && out.split('"event":"epoch"').length > 4) stopped = child.kill("SIGINT")
      },
    })
    expect(code).toBe(130)
    expect(events(out).find(e => e.event === "end").reason).toBe("aborted")
    expect(last(out)).toMatchObject({ event: "done", stopped: true, test: { rows: 30 }, resume: "adjoint train --resume runs/stopped" })
    expect(last((await run(["evaluate", "runs/stopped", "flowers.csv", "--json"])).out).test).toEqual(last(out).test)
  })
  test("is followed by the rest of the training, with the bits of an unbroken one", async () => {
    const some = ["train", "flowers.csv", "-t", "kind", "--epochs", "500", "--patience", "500", "--dropout", "0.2"]
    await run([...some, "--out", "runs/whole"])
    let sent = false
    const { code, err } = await run([...some, "--json", "--out", "runs/rest"], {
      watch(child, out) {
        if (!sent && out.split('"event":"epoch"').length > 4) sent = child.kill("SIGINT")
      },
    })
    expect([code, sent, err]).toEqual([130, true, ""])
    expect(bytesOf(at("runs/rest"))).not.toBe(bytesOf(at("runs/whole")))
    const { code: ended, out: rest } = await run(["train", "--resume", "runs/rest", "--json"])
    expect(ended).toBe(0)
    expect(events(rest).find(e => e.event === "start").epochsDone).toBeGreaterThan(0)
    expect(bytesOf(at("runs/rest"))).toBe(bytesOf(at("runs/whole")))
  })
  // one epoch of so many rows, one by one, takes longer than anybody waits
  const endless = ["train", "many.csv", "--target", "y", "--batch-size", "1", "--out"]
  const many = () => write("many.csv", ["x,y", ...Array.from({ length: 60_000 }, (_, i) => `${i % 991},${i % 2}`)].join("\n"))
  const interrupt = (times: number) => {
    let sent = 0
    return (child: ChildProcess, out: string, err: string): void => {
      if ((sent === 0 && out.includes("seed 0")) || (sent === 1 && times === 2 && err.includes("Stopping")))
        sent += Number(child.kill("SIGINT"))
    }
  }
  test("in the first epoch leaves a checkpoint, and an older model as it was", async () => {
    many()
    cpSync(at("runs/model"), at("older/model"), { recursive: true })
    const before = bytesOf(at("older/model"))
    for (const folder of ["older/model", "older/new"]) {
      const { code, err } = await run([...endless, folder], { watch: interrupt(1) })
      expect([code, err]).toEqual([130, expect.stringContaining("nothing to save")])
      expect(err).toContain(`Go on with: adjoint train --resume ${folder}`)
    }
    const files = ["checkpoints", "config.json", "environment.json", "metrics.ndjson"]
    expect(readdirSync(at("older/new"))).toEqual(files)
    expect(readdirSync(at("older/new/checkpoints"))).toEqual(["a"])
    expect(last((await run(["evaluate", "older/new", "many.csv", "--json"])).out).message).toContain("a training that has not ended")
    expect((await run([...endless, "older/model"], { watch: interrupt(2) })).code).toBe(130)
    expect(bytesOf(at("older/model"))).toBe(before)
    expect(readdirSync(at("older"))).toEqual(["model", "new"])
    const kept = readdirSync(at("older/model")).filter(name => name !== "checkpoints")
    expect(kept).toEqual([...files.slice(1), "model.json", "weights.safetensors"])
  })
})
