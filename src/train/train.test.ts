import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { cast, equal, mean, random, type Tensor, tensor } from "../index.ts"
import { FormatError, packModel, unpackModel } from "../io.ts"
import { crossEntropy, squaredError } from "../losses.ts"
import { dense, dropout, lambda, residual, sequential, tanh } from "../nn.ts"
import { adam, type Plateau, plateau, sgd } from "../optim.ts"
import { stats } from "../runtime/program.ts"
import { accuracy, DivergedError, type FitEvent, fit, loadModel, meanSquaredError, rowsOf, TrainedModel, unpackTrained } from "../train.ts"

const folder = mkdtempSync(join(tmpdir(), "adjoint-train-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** 300 points whose class is the largest of their first three coordinates. */
const x = random.normal(random.key(1), [300, 8])
const y = x.slice(":", [0, 3]).argmax({ axis: -1 })
const model = sequential(dense(8, 32), tanh(), dense(32, 3))
const options = { loss: crossEntropy, optimizer: adam(0.01), epochs: 20, seed: 1, metrics: { accuracy } }
const bytes = (t: TrainedModel): string => Buffer.concat([...t.pack().values()]).toString("base64")
const all = async (run: AsyncIterable<FitEvent>): Promise<FitEvent[]> => {
  const events: FitEvent[] = []
  for await (const e of run) events.push(e)
  return events
}

describe("fit", () => {
  it("learns, and tells what happens", async () => {
    const run = fit(model, { x, y }, { ...options, validation: 0.2 })
    const events = await all(run)
    const trained = await run.result
    expect(events[0]).toEqual({
      event: "start",
      parameters: 8 * 32 + 32 + 32 * 3 + 3,
      rows: 240,
      validationRows: 60,
      steps: 160,
      epochsDone: 0,
    })
    const epochs = events.filter(e => e.event === "epoch")
    expect(epochs.map(e => e.epoch)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(epochs[0]!.best).toBe(true)
    expect(epochs.at(-1)!.loss).toBeLessThan(epochs[0]!.loss / 3)
    expect(events.at(-1)).toMatchObject({ event: "end", reason: "epochs", epoch: 20 })
    expect(mean(cast(equal(trained.predict(x).argmax({ axis: -1 }), y), "f32")).item()).toBeGreaterThan(0.9)
    const measured = trained.evaluate({ x, y }, { loss: crossEntropy, metrics: { accuracy }, batchSize: 37 })
    expect(measured.accuracy).toBeGreaterThan(0.9)
  })

  it("gives the same bits for the same seed, whoever watches, and others for another", async () => {
    const once = bytes(await fit(model, { x, y }, options).result)
    const watched = fit(model, { x, y }, options)
    await all(watched)
    expect(bytes(await watched.result)).toBe(once)
    expect(bytes(await fit(model, { x, y }, { ...options, seed: 2 }).result)).not.toBe(once)
  })

  it("gives the same bits whether it is looked after or not", async () => {
    const small = sequential(dense(8, 32), dropout(0.2), tanh(), dense(32, 3))
    for (const validation of [0, 0.2]) {
      const settings = { ...options, epochs: 5, validation }
      const without = bytes(await fit(small, { x, y }, { ...settings, health: false }).result)
      for (const health of [1, 7, true])
        expect(bytes(await fit(small, { x, y }, { ...settings, health }).result), `health: ${health}`).toBe(without)
    }
  })

  it("keeps the parameters of the best epoch and stops when it no longer improves", async () => {
    // validation targets that have nothing to do with the inputs: what is learned only makes them worse
    const validation = { x: random.normal(random.key(5), [60, 8]), y: cast(random.uniform(random.key(6), [60], { high: 3 }), "i32") }
    const run = fit(model, { x, y }, { ...options, epochs: 50, validation, patience: 3 })
    const events = await all(run)
    const end = events.at(-1) as Extract<FitEvent, { event: "end" }>
    expect(end.reason).toBe("patience")
    expect(end.epoch).toBe(end.bestEpoch + 3)
    const losses = events.flatMap(e => (e.event === "epoch" ? [e.validation!.loss] : []))
    expect((await run.result).evaluate(validation, { loss: crossEntropy }).loss).toBeCloseTo(Math.min(...losses), 6)
  })

  it("stops at a signal with what it has learned", async () => {
    const stop = new AbortController()
    const run = fit(model, { x, y }, { ...options, epochs: 100_000, signal: stop.signal })
    let epochs = 0
    let last: FitEvent | undefined
    for await (const e of run) {
      if (e.event === "epoch" && ++epochs === 5) stop.abort()
      last = e
    }
    expect(last).toMatchObject({ event: "end", reason: "aborted" })
    expect((await run.result).predict(x).shape).toEqual([300, 3])
  })

  it("trains on bytes that stay outside of the engine, with a last short batch", async () => {
    const pixels = Uint8Array.from({ length: 50 * 4 }, (_, i) => (i * 37) % 256)
    const target = tensor(Array.from({ length: 50 }, (_, i) => [pixels[4 * i]! / 255]))
    const data = { x: rowsOf(pixels, [4], { scale: 1 / 255 }), y: target }
    const run = fit(sequential(dense(4, 1)), data, {
      loss: squaredError,
      optimizer: sgd(0.3),
      epochs: 80,
      batchSize: 16,
      metrics: { meanSquaredError },
    })
    expect((await run.result).evaluate(data, { loss: squaredError }).loss).toBeLessThan(1e-3)
  })

  it("compiles one program for all whole batches, one for the last, and uses dropout in training only", async () => {
    const wide = sequential(dense(8, 64), dropout(0.5), dense(64, 3))
    await fit(wide, { x, y }, { ...options, epochs: 1 }).result
    const before = stats.programs
    const trained = await fit(wide, { x, y }, { ...options, epochs: 3 }).result
    expect(stats.programs - before).toBeLessThanOrEqual(4)
    expect(String(trained.predict(x))).toBe(String(trained.predict(x)))
  })

  it("goes on from a checkpoint with the bits of an unbroken run", async () => {
    const small = sequential(dense(8, 32), dropout(0.2), tanh(), dense(32, 3))
    for (const validation of [0.2, 0]) {
      const settings = { ...options, epochs: 7, validation, checkpoint: join(folder, `checkpoint-${validation}`) }
      const whole = bytes(await fit(small, { x, y }, { ...options, epochs: 7, validation }).result)
      await fit(small, { x, y }, { ...settings, epochs: 3 }).result
      const run = fit(small, { x, y }, { ...settings, resume: true })
      const events = await all(run)
      expect(events.find(e => e.event === "start")).toMatchObject({ epochsDone: 3 })
      expect(events.flatMap(e => (e.event === "epoch" ? [e.epoch] : []))).toEqual([4, 5, 6, 7])
      expect(bytes(await run.result)).toBe(whole)
      const other = fit(small, { x, y }, { ...settings, seed: 2, resume: true })
      await expect(other.result).rejects.toThrow(/is of a training with another seed: 1, now 2/)
      const wider = fit(model, { x, y }, { ...settings, resume: true })
      await expect(wider.result).rejects.toThrow(/another model/)
    }
    await expect(fit(small, { x, y }, { ...options, resume: true }).result).rejects.toThrow(/`resume` goes on from a `checkpoint`/)
  })

  it("lowers the learning rate on a plateau, also after a break", async () => {
    // targets of no pattern: the validation loss stops improving at once
    const validation = { x: random.normal(random.key(5), [60, 8]), y: cast(random.uniform(random.key(6), [60], { high: 3 }), "i32") }
    const settings = { ...options, epochs: 9, validation, plateau: plateau({ factor: 0.5, patience: 1 }) }
    const run = fit(model, { x, y }, settings)
    const scales = (await all(run)).flatMap(e => (e.event === "epoch" ? [e.rateScale] : []))
    expect(scales[0]).toBe(1)
    expect(scales.at(-1)).toBeLessThanOrEqual(0.25)
    const whole = bytes(await run.result)
    const checkpoint = join(folder, "plateau")
    await fit(model, { x, y }, { ...settings, epochs: 4, checkpoint }).result
    const rest = fit(model, { x, y }, { ...settings, checkpoint, resume: true })
    expect((await all(rest)).flatMap(e => (e.event === "epoch" ? [e.rateScale] : []))).toEqual(scales.slice(4))
    expect(bytes(await rest.result)).toBe(whole)
  })

  it("scales the step as a smaller learning rate would, and not at all before a plateau", async () => {
    const fixed = (scale: number): Plateau => ({ init: () => ({ scale, best: null, bad: 0, cooldown: 0 }), update: state => state })
    const trained = (rate: number, rule?: Plateau) =>
      fit(model, { x, y }, { ...options, epochs: 2, optimizer: sgd(rate), ...(rule && { plateau: rule }) }).result
    expect(bytes(await trained(0.1, fixed(1)))).toBe(bytes(await trained(0.1)))
    const [a, b] = [await trained(0.1, fixed(0.125)), await trained(0.0125)].map(t => t.predict(x).values())
    a!.forEach((v, i) => expect(Math.abs(v - b![i]!)).toBeLessThan(1e-5))
  })

  it("says where a training diverged", async () => {
    const run = fit(
      sequential(dense(8, 32), dense(32, 1)),
      { x, y: x.slice(":", [0, 1]) },
      { loss: squaredError, optimizer: sgd(1e3), epochs: 50 },
    )
    await expect(all(run)).rejects.toThrow(DivergedError)
    await expect(run.result).rejects.toThrow(/the loss became (NaN|Infinity) at step \d+ \(epoch \d+\).*smaller learning rate/)
  })

  const wrong: readonly (readonly [string, () => { result: Promise<unknown> }, RegExp])[] = [
    ["rows that differ", () => fit(model, { x, y: y.slice([0, 10]) }, options), /same number of rows, at least 1; got 300 and 10/],
    ["a list for x", () => fit(model, { x: [[1, 2]] as never, y }, options), /fit: x: wants a tensor, or rows made with rowsOf/],
    ["no loss", () => fit(model, { x, y }, { ...options, loss: undefined as never }), /`loss` must be a function/],
    ["no optimizer", () => fit(model, { x, y }, { ...options, optimizer: "adam" as never }), /`optimizer` must be an optimizer/],
    ["half an epoch", () => fit(model, { x, y }, { ...options, epochs: 0.5 }), /`epochs` must be a whole number from 1; got 0.5/],
    ["a batch of nothing", () => fit(model, { x, y }, { ...options, batchSize: 0 }), /`batchSize` must be a whole number from 1; got 0/],
    [
      "half a look",
      () => fit(model, { x, y }, { ...options, health: 0 }),
      /`health` must be true, false or a whole number of steps from 1; got 0/,
    ],
    [
      "checkpoints before now",
      () => fit(model, { x, y }, { ...options, checkpointEvery: -1 }),
      /`checkpointEvery` must be seconds, from 0; got -1/,
    ],
    ["no rule", () => fit(model, { x, y }, { ...options, plateau: {} as never }), /`plateau` must be a rule, such as plateau\(/],
    ["no patience", () => fit(model, { x, y }, { ...options, patience: 0 }), /`patience` must be at least 1 epoch/],
    ["another width", () => fit(sequential(dense(5, 3)), { x, y }, options), /layers\.0 \(dense\): expects 5 inputs, gets 8/],
    [
      "labels that are no integers",
      () => fit(model, { x, y: cast(y, "f32") }, options),
      /crossEntropy: targets must be class numbers i32\[32\]/,
    ],
  ]
  it.each(wrong)("rejects %s", async (_name, run, message) => {
    await expect(run().result).rejects.toThrow(message)
  })
})

describe("save and load", () => {
  it("gives back the same model, also one whose initializer was a function", async () => {
    const zeros = sequential(
      dense(8, 4, { init: (_key, shape) => tensor(new Float32Array(shape[0]! * shape[1]!), { shape: [...shape] }) }),
      tanh(),
      dense(4, 3),
    )
    for (const m of [model, zeros]) {
      const trained: TrainedModel = await fit(m, { x, y }, { ...options, epochs: 1 }).result
      const dir = join(folder, "model")
      await trained.save(dir, { encoding: { inputs: ["a"] }, training: { seed: 1 } })
      const { trained: loaded, encoding, training } = await loadModel(dir)
      expect(loaded.predict(x).toArray()).toEqual(trained.predict(x).toArray())
      expect([encoding, training]).toEqual([{ inputs: ["a"] }, { seed: 1 }])
    }
  })

  it("needs no file system", async () => {
    const trained = await fit(model, { x, y }, { ...options, epochs: 1 }).result
    expect(unpackTrained(trained.pack()).trained.predict(x).toArray()).toEqual(trained.predict(x).toArray())
  })

  it("says what is wrong with files that it cannot use", async () => {
    const trained = await fit(model, { x, y }, { ...options, epochs: 1 }).result
    const { tensors, ...packed } = unpackModel(trained.pack())
    const architecture = packed.architecture as { params: object; model: object }
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ ...architecture, inShape: "8" }, /^m: architecture\.inShape must be a shape, such as \[784\]; got "8"/],
      [{ ...architecture, params: undefined }, /^The form of params\/ must be made of objects, lists and text; got undefined/],
      [{ ...architecture, params: { w: "f32[9]" } }, /^The model wants params\/w as f32\[9\]; the file has none/],
      [{ ...architecture, model: { kind: "telepathy" } }, /^m: .*telepathy.*dense.*npm install adjoint@latest/],
    ]
    for (const [changed, message] of cases) {
      const load = (): unknown => unpackTrained(packModel({ ...packed, tensors, architecture: JSON.parse(JSON.stringify(changed)) }), "m")
      expect(load).toThrow(FormatError)
      expect(load).toThrow(message)
    }
  })

  it("does not save what could not be made again", async () => {
    const nameless = {
      init: () => ({ params: { w: tensor(2) }, state: {} }),
      apply: (p: { w: Tensor }, s: object, x: Tensor) => [x.mul(p.w), s] as const,
    }
    const trained = new TrainedModel(nameless, { w: tensor(2) }, {}, [3])
    await expect(trained.save(join(folder, "nameless"))).rejects.toThrow(/the model has no `config`/)
    expect(existsSync(join(folder, "nameless"))).toBe(false)
    const twice = sequential(dense(2, 2), residual(lambda(x => x.mul(2), { name: "twice" })))
    const { params, state } = twice.init(random.key(1), [2])
    const dir = join(folder, "lambda")
    await expect(new TrainedModel(twice, params, state, [2]).save(dir)).rejects.toThrow(/^save: the model has a lambda, "twice"/)
    expect(existsSync(dir)).toBe(false)
  })
})
