// SIGTERM, as schedulers and containers send it, is Ctrl-C with another exit code.
import { readdirSync } from "node:fs"
import { afterAll, expect, test } from "vitest"
import { flowers, last, workplace } from "./cli-process.ts"

const { at, write, run, remove } = workplace()
afterAll(remove)

test("ends a training with a model, a checkpoint and the way on", async () => {
  write("flowers.csv", flowers())
  let sent = false
  const { code, out, err } = await run(
    ["train", "flowers.csv", "-t", "kind", "--epochs", "100000", "--patience", "100000", "--json", "--out", "run"],
    {
      watch(child, out) {
        if (!sent && out.split('"event":"epoch"').length > 4) sent = child.kill("SIGTERM")
      },
    },
  )
  expect([code, sent, err]).toEqual([143, true, ""])
  expect(last(out)).toMatchObject({ event: "done", stopped: true, resume: "adjoint train --resume run" })
  expect(readdirSync(at("run"))).toEqual(expect.arrayContaining(["checkpoints", "model.json", "results.json"]))
})
