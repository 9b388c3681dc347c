// Trainings that are broken off anywhere end in the bits of one that was not, and no damaged checkpoint goes unnoticed.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { random, type Tensor } from "../index.ts"
import { FormatError, unpackCheckpoint } from "../io.ts"
import { crossEntropy } from "../losses.ts"
import { batchNorm, dense, dropout, sequential, tanh } from "../nn.ts"
import { adam, plateau } from "../optim.ts"
import { readModelFolder } from "../platform/node/model-folder.ts"
import { type FitEvent, type FitOptions, fit, type TrainedModel } from "../train.ts"

const folder = mkdtempSync(join(tmpdir(), "adjoint-checkpoint-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ROWS = 3000
const x = random.normal(random.key(1), [ROWS, 8])
const y = x.slice(":", [0, 3]).argmax({ axis: -1 })
const model = sequential(dense(8, 64), batchNorm(64), dropout(0.2), tanh(), dense(64, 3))
const options: FitOptions = { loss: crossEntropy, optimizer: adam(0.01), epochs: 4, batchSize: 7, seed: 1 }
const bytes = (t: TrainedModel): string => Buffer.concat([...t.pack().values()]).toString("base64")
type Epoch = Extract<FitEvent, { event: "epoch" }>
const withoutTime = ({ seconds: _, ...rest }: Epoch) => rest

/**
 * Trains, but stops when it has been looked so often whether it should: before each piece of an epoch, of which the first is a single step.
 * The epochs that ended, and what came out.
 */
async function part(settings: FitOptions, looks: number) {
  const signal = Object.defineProperty(new EventTarget(), "aborted", { get: () => --looks < 0 }) as AbortSignal
  const run = fit(model, { x, y }, { ...settings, signal })
  const epochs: Epoch[] = []
  const notes: string[] = []
  let end: Extract<FitEvent, { event: "end" }> | undefined
  for await (const e of run) {
    if (e.event === "epoch") epochs.push(e)
    if (e.event === "note") notes.push(e.message)
    if (e.event === "end") end = e
  }
  return { epochs, notes, end: end!, trained: await run.result }
}

describe("a training that is stopped again and again, also amid epochs,", () => {
  const cases: [string, Partial<FitOptions>][] = [
    ["with validation", { validation: 0.2 }],
    ["with patience and a plateau rule, by the mean over the epoch", { patience: 2, plateau: plateau({ factor: 0.5, patience: 0 }) }],
  ]
  test.each(cases)("%s, ends in the bits of an unbroken one, and tells the same", async (name, more) => {
    const settings = { ...options, ...more }
    const whole = await part(settings, Number.POSITIVE_INFINITY)
    const checkpoint = join(folder, name)
    const epochs: Epoch[] = []
    let within = 0
    for (let round = 0; ; round++) {
      const { trained, end, ...told } = await part({ ...settings, checkpoint, checkpointEvery: 0, resume: round > 0 }, 1 + 3 * (round % 3))
      epochs.push(...told.epochs)
      const { step, settings: saved } = latest(checkpoint)
      within += Number((saved as { total: number }).total > 0)
      if (end.reason === "aborted") continue
      expect(epochs.map(withoutTime)).toEqual(whole.epochs.map(withoutTime))
      expect(step).toBe(end.epoch * Math.ceil(((more.validation ? 0.8 : 1) * ROWS) / 7))
      expect(bytes(trained)).toBe(bytes(whole.trained))
      break
    }
    expect(within).toBeGreaterThan(0)
    // resumed once more, there is nothing left to do
    const again = await part({ ...settings, checkpoint, resume: true }, Number.POSITIVE_INFINITY)
    expect(again.epochs).toEqual([])
    expect(bytes(again.trained)).toBe(bytes(whole.trained))
  })
})

/** The later one of the two checkpoints in a folder. */
const latest = (dir: string) =>
  ["a", "b"]
    .filter(name => existsSync(join(dir, name)))
    .map(name => unpackCheckpoint(readModelFolder(join(dir, name))))
    .sort((a, b) => b.step - a.step)[0]!

/** Flips one bit of a file. */
function flip(file: string, bit: number): void {
  const bytes = readFileSync(file)
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  writeFileSync(file, bytes)
}

test("where the last checkpoint is damaged the one before is taken, and it says so; where both are, none is", async () => {
  const settings = { ...options, validation: 0.2, checkpoint: join(folder, "damaged"), checkpointEvery: 0 }
  const whole = bytes((await part({ ...options, validation: 0.2 }, Number.POSITIVE_INFINITY)).trained)
  // each part ends with a checkpoint of its own
  for (const resume of [false, true]) await part({ ...settings, resume }, 20)
  const steps = ["a", "b"].map(name => unpackCheckpoint(readModelFolder(join(settings.checkpoint, name))).step)
  const [last, before] = steps[0]! > steps[1]! ? ["a", "b"] : ["b", "a"]
  flip(join(settings.checkpoint, last, "weights.safetensors"), 12_345)
  cpSync(settings.checkpoint, join(folder, "both"), { recursive: true })
  const { notes, trained } = await part({ ...settings, resume: true }, Number.POSITIVE_INFINITY)
  expect(notes[0]).toContain(`${last}/weights.safetensors is damaged`)
  expect(notes[0]).toContain(`goes on from step ${Math.min(...steps)}, in ${settings.checkpoint}/${before}`)
  expect(bytes(trained)).toBe(whole)
  flip(join(folder, "both", before, "model.json"), 4_321)
  await expect(part({ ...settings, checkpoint: join(folder, "both"), resume: true }, 1)).rejects.toThrow(FormatError)
})

test("a training that begins anew leaves no checkpoint of the one before it", async () => {
  const settings = { ...options, checkpoint: join(folder, "anew"), checkpointEvery: 0 }
  await part(settings, 15)
  const { end } = await part({ ...settings, seed: 2 }, 1)
  expect(end.reason).toBe("aborted")
  expect(latest(settings.checkpoint).seed).toBe(2)
  expect(["a", "b"].filter(name => existsSync(join(settings.checkpoint, name)))).toHaveLength(1)
  await expect(part({ ...settings, resume: true }, 1)).rejects.toThrow("is of a training with another seed: 2, now 1")
})

test("none of 1,000 flipped bits is loaded", async () => {
  await part({ ...options, validation: 0.2, checkpoint: join(folder, "flipped"), checkpointEvery: 0 }, 9)
  const name = ["a", "b"].find(name => existsSync(join(folder, "flipped", name)))!
  const files = readModelFolder(join(folder, "flipped", name))
  expect(unpackCheckpoint(files).epoch).toBeGreaterThanOrEqual(0)
  // half of them in the smaller file, where a bit may be of a number, a name, a bracket or the layout
  const uniform = random.uniform(random.key(7), [1000], { dtype: "f64" }).values()
  const accepted: string[] = []
  for (const [i, u] of uniform.entries()) {
    const file = i % 2 ? "model.json" : "weights.safetensors"
    const bytes = files.get(file)!.slice()
    const bit = Math.floor(u * bytes.length * 8)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    try {
      unpackCheckpoint(new Map(files).set(file, bytes))
      accepted.push(`${file} bit ${bit}`)
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError)
    }
  }
  expect(accepted).toEqual([])
})

test("a checkpoint as version 0.1.0 wrote it, in the folder itself, goes on", async () => {
  const dir = join(folder, "old")
  cpSync(resolve("tests/fixtures/format-1/checkpoint"), dir, { recursive: true })
  const x: Tensor = random.normal(random.key(1), [40, 3])
  const data = { x, y: x.argmax({ axis: -1 }) }
  const small = sequential(dense(3, 4), dropout(0.2), tanh(), dense(4, 3))
  const settings = { loss: crossEntropy, optimizer: adam(0.01), seed: 1, validation: 0.2, epochs: 7 }
  const run = fit(small, data, { ...settings, checkpoint: dir, resume: true })
  const told: FitEvent[] = []
  for await (const e of run) told.push(e)
  expect(told.flatMap(e => (e.event === "note" && e.message.includes("as adjoint 0.1.0 wrote them") ? [1] : []))).toEqual([1])
  expect(told.flatMap(e => (e.event === "epoch" ? [e.epoch] : []))).toEqual([4, 5, 6, 7])
  expect(existsSync(join(dir, "model.json"))).toBe(false)
  // that fixture was made with fused multiply-adds, which not every machine has
  if (!told.some(e => e.event === "note" && e.message.includes("the bits will differ")))
    expect(bytes(await run.result)).toBe(bytes(await fit(small, data, settings).result))
})
