import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { build } from "vite"
import { afterAll, beforeAll, expect, test } from "vitest"
import { packModel, unpackModel } from "../../io/model.ts"
import { readModelFolder, writeModelFolder } from "./model-folder.ts"

const root = mkdtempSync(join(tmpdir(), "adjoint-kill-"))
const program = join(root, "build/saver.mjs")
const dir = join(root, "runs/model")

beforeAll(async () => {
  // A killed process must be a real one, and Node 20 runs no TypeScript.
  await build({
    configFile: false,
    logLevel: "silent",
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir: join(root, "build"),
      rollupOptions: { input: resolve("src/platform/node/testing/saver.ts"), output: { entryFileNames: "saver.mjs" } },
    },
  })
})

const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill("SIGKILL")
  rmSync(root, { recursive: true, force: true })
})

/** The step at which the folder's model was saved, if it is whole. */
function load(): number {
  const { training, tensors } = unpackModel(readModelFolder(dir)) // throws if a checksum does not fit
  const { step } = training as { step: number }
  expect(tensors.w!.data.every((value: number | bigint) => value === step)).toBe(true)
  return step
}

test("however a process that saves is killed, the folder holds a whole model, also for who reads it meanwhile", {
  timeout: 30_000,
}, async () => {
  let last = 0
  const end = performance.now() + 4_000
  for (let round = 0; performance.now() < end; round++) {
    const weights = round % 2 === 0 ? 10 : 200_000
    const child = spawn(process.execPath, [program, dir, String(last + 1), String(weights)], { stdio: ["ignore", "pipe", "inherit"] })
    running.add(child)
    const exit = once(child, "exit")
    await once(child.stdout!, "data") // the first save is done
    if (round % 4 === 0) for (let i = 0; i < 20; i++) load()
    else await sleep((round * 7.3) % 23)
    child.kill(round % 3 === 0 ? "SIGINT" : "SIGKILL")
    await exit
    running.delete(child)

    const step = load()
    expect(step).toBeGreaterThan(last)
    last = step
  }
  writeModelFolder(dir, packModel({ kind: "model", version: "0.1.0", architecture: null, tensors: {} }))
  expect(readdirSync(join(root, "runs"))).toEqual(["model"])
})
