// Convolutional networks and changed training images, from the command to the exported module.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Command } from "commander"
import { encode } from "fast-png"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { draws } from "../data/split.ts"
import { rowsOf } from "../train.ts"
import { augmented } from "./augment.ts"
import { define as check } from "./check.ts"
import { define as evaluate } from "./evaluate.ts"
import { define as explain } from "./explain.ts"
import { define as exportModel } from "./export.ts"
import { network, type Settings, settingsFor, sizesOf } from "./network.ts"
import { define as predict } from "./predict.ts"
import { runCommand } from "./testing/run-command.ts"
import { define as train } from "./train.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-images-"))
const at = (...names: string[]): string => join(dir, ...names)
const SIDE = 12

/** A bar on noise anywhere: upright ones are of class 1. */
function bars(rows: number, seed: number): Uint8Array {
  const draw = draws(seed, 0, 0)
  const pixels = Uint8Array.from({ length: rows * SIDE * SIDE }, () => draw(100))
  for (let i = 0; i < rows; i++) {
    const [line, from] = [1 + draw(SIDE - 2), draw(SIDE - 5)]
    for (let k = from; k < from + 6; k++) pixels[i * SIDE * SIDE + (i % 2 ? k * SIDE + line : line * SIDE + k)] = 220
  }
  return pixels
}
const idx = (shape: readonly number[], data: Uint8Array): Uint8Array => {
  const head = Buffer.alloc(4 + 4 * shape.length)
  head.set([0, 0, 8, shape.length])
  for (const [i, n] of shape.entries()) head.writeUInt32BE(n, 4 + 4 * i)
  return Buffer.concat([head, data])
}

const events = (text: string): any[] =>
  text
    .trim()
    .split("\n")
    .map(line => JSON.parse(line))
const modelOf = (run: string): string =>
  ["model.json", "weights.safetensors"].map(name => readFileSync(at(run, name)).toString("base64")).join(" ")
const flags = ["--convolutions", "4,8", "--hidden", "12", "--epochs", "6", "--flip", "--shift", "2", "--learning-rate", "0.01"]
const trained = (run: string, ...more: readonly string[]) => runCommand(train, at("bars"), "--out", at(run), "--json", ...more)

beforeAll(async () => {
  mkdirSync(at("bars"))
  for (const [part, rows] of [
    ["train", 240],
    ["t10k", 40],
  ] as const) {
    // biome-ignore format: one line
    writeFileSync(at("bars", `${part}-images-idx3-ubyte`), idx([rows, SIDE, SIDE], bars(rows, rows)))
    writeFileSync(
      at("bars", `${part}-labels-idx1-ubyte`),
      idx(
        [rows],
        Uint8Array.from({ length: rows }, (_, i) => i % 2),
      ),
    )
  }
  for (const kind of ["flat", "upright"]) mkdirSync(at("png", kind), { recursive: true })
  const some = bars(40, 7)
  for (let i = 0; i < 40; i++) {
    const data = some.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)
    writeFileSync(at("png", i % 2 ? "upright" : "flat", `${i}.png`), encode({ width: SIDE, height: SIDE, channels: 1, data }))
  }
  writeFileSync(at("t.csv"), ["a,b", ...Array.from({ length: 30 }, (_, i) => `${i},${i % 2 ? "x" : "y"}`)].join("\n"))
  await trained("whole", ...flags)
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe("a convolutional network, by flags", () => {
  test("learns, is remembered, and evaluates to the digit", async () => {
    const [entry] = JSON.parse(readFileSync(at("whole", "results.json"), "utf8")).entries
    const said = events(await runCommand(evaluate, at("whole"), at("bars"), "--json")).at(-1)
    expect(said.test.accuracy).toBeGreaterThan(0.9)
    expect(entry.score.accuracy).toBe(said.test.accuracy)
    expect(JSON.parse(readFileSync(at("whole", "config.json"), "utf8"))).toMatchObject({ convolutions: [4, 8], flip: true, shift: 2 })
    const report = readFileSync(at("whole", "report.html"), "utf8")
    expect(report).toContain("[12, 12, 4]")
    expect(report).toContain("maxPool")
  })
  test("goes on after Ctrl-C with the bits of an unbroken training", async () => {
    let text = ""
    const write = vi.spyOn(process.stdout, "write").mockImplementation(chunk => {
      text += chunk
      if (String(chunk).includes('"event":"epoch","epoch":2')) process.emit("SIGINT")
      return true
    })
    try {
      const command = new Command()
      train(command)
      await command.parseAsync([at("bars"), "--out", at("broken"), "--json", "--no-report", ...flags], { from: "user" })
    } finally {
      write.mockRestore()
      process.exitCode = 0
    }
    expect(events(text).at(-1)).toMatchObject({ stopped: true })
    expect(modelOf("broken")).not.toBe(modelOf("whole"))
    await runCommand(train, "--resume", at("broken"), "--json")
    expect(modelOf("broken")).toBe(modelOf("whole"))
  })
  test("a run of before there were convolutions goes on without them", async () => {
    const file = at("old", "config.json")
    await trained("old", "--epochs", "1", "--convolutions", "none", "--no-report")
    const before = modelOf("old")
    const { convolutions, flip, shift, ...old } = JSON.parse(readFileSync(file, "utf8"))
    writeFileSync(file, JSON.stringify(old))
    await runCommand(train, "--resume", at("old"), "--json")
    expect([convolutions, modelOf("old")]).toEqual([[], before])
  })
  test("answers the same as a module that needs nothing else, and as one that goes on learning", async () => {
    const wanted = events(await runCommand(predict, at("whole"), at("bars"), "--json")).slice(0, 40)
    const file = readFileSync(at("bars", "t10k-images-idx3-ubyte")).subarray(16)
    const images = Array.from({ length: 40 }, (_, i) => [...file.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)])
    writeFileSync(at("package.json"), '{ "type": "module" }')
    for (const more of [[], ["--trainable", "--batch-size", "1"]]) {
      const name = `bars${more.length}.js`
      await runCommand(exportModel, at("whole"), "--standalone", "--rows", "8", "--out", at(name), ...more)
      const module = await import(pathToFileURL(at(name)).href)
      for (const [i, { prediction, probabilities }] of module.predict(images).entries()) {
        expect(prediction).toBe(wanted[i].prediction)
        expect(probabilities[prediction]).toBeCloseTo(wanted[i].probabilities[prediction], 5)
      }
      if (more.length > 0) expect(Number.isFinite(module.step(images[0], "1"))).toBe(true)
    }
  })
  test("a PNG file is answered and attributed; gradients agree with differences", async () => {
    for (const [image, label] of [["flat/0.png", "0"], ["upright/1.png", "1"]] as const) // biome-ignore format: one line
      expect(events(await runCommand(predict, at("whole"), at("png", image), "--json"))[0].prediction).toBe(label)
    const said = events(await runCommand(explain, at("whole"), at("png"), "--attribution", "--row", "3", "--steps", "2", "--json")).at(-1)
    expect(said.image.attributions).toHaveLength(SIDE * SIDE)
    expect(await runCommand(check, at("whole"))).toContain("agree with differences")
  })
})

const wrong: [string, readonly string[], string][] = [
  ["more convolutions than halvings", ["bars", "--convolutions", "2,2,2,2"], "images of 12x12 are 1x1 after 3 of 4"],
  ["channels that are none", ["bars", "--convolutions", "4,x"], 'Wanted channels such as 16,32, or "none"'],
  ["convolutions of a table", ["t.csv", "-t", "b", "--convolutions", "4"], "--convolutions is for images"],
  ["mirrored rows", ["t.csv", "-t", "b", "--flip"], "--flip is for images"],
  ["moved rows", ["t.csv", "-t", "b", "--shift", "1"], "--shift is for images"],
  ["moved out of sight", ["bars", "--shift", "12"], "--shift 12 moves images of 12x12 out of sight; wanted at most 11"],
  ["a part of a pixel", ["bars", "--shift", "0.5"], "Wanted a whole number from 0"],
  ["a network beyond all memory", ["bars", "--convolutions", "100000,100000"], "parameters; wanted at most"],
  ["a rule for dense layers", ["bars", "--rule", "target-propagation", "--convolutions", "4"], "leave --convolutions out"],
  ["layers beside a model", ["bars", "--model", "m.js", "--convolutions", "4"], "leave --convolutions out"],
]
test.each(wrong)("%s: refused", async (_, [data, ...more], message) => {
  await expect(runCommand(train, at(data!), "--out", at("none"), ...more)).rejects.toThrow(message)
})

const chosen: [string, number[], number, Partial<Settings>, number[]][] = [
  ["many small grey images", [28, 28], 54_000, {}, []],
  ["fewer of them", [28, 28], 5_000, {}, [16, 32]],
  ["of one channel", [28, 28, 1], 19_999, {}, [16, 32]],
  ["many in colours", [28, 28, 3], 54_000, {}, [16, 32]],
  ["many larger ones", [32, 28], 54_000, {}, [16, 32]],
  ["sides of 32", [32, 48, 3], 500, {}, [16, 32, 64]],
  ["sides of 64 and more", [64, 200], 500, {}, [16, 32, 64, 128]],
  ["tiny ones", [7, 28, 3], 500, {}, []],
  ["channels first", [3, 32, 32], 500, {}, []],
  ["no images", [784], 500, {}, []],
  ["a linear model", [32, 32, 3], 500, { hidden: [] }, []],
  ["another rule", [32, 32, 3], 500, { rule: "target-propagation" }, []],
  ["hidden layers that were told", [32, 32, 3], 500, { hidden: [8] }, [16, 32, 64]],
  ["convolutions that were told", [28, 28], 54_000, { convolutions: [8], hidden: [] }, [8]],
]
test.each(chosen)("unless told, convolutions for %s", (_, image, rows, told, wanted) => {
  expect(settingsFor(rows, image, told).convolutions).toEqual(wanted)
})

const target = { name: "label", kind: "class", values: ["a", "b", "c"] } as const
const problemOf = (...shape: number[]) => ({
  features: shape.reduce((a, b) => a * b, 1),
  target,
  encoding: { kind: "images" as const, shape, scale: 1, target },
})
const settings = (told: Partial<Settings>, image = [12, 12]) => settingsFor(1_000, image, told)

test("each convolution halves the sides; dense layers follow", () => {
  const told = settings({ convolutions: [4, 6], hidden: [5], dropout: 0.5 })
  const model = network(problemOf(13, 12, 3), told)
  const kinds = (model.config as any).layers.map((layer: any) => layer.kind)
  const convolution = ["conv2d", "relu", "maxPool"]
  expect(kinds).toEqual(["reshape", ...convolution, ...convolution, "flatten", "dense", "relu", "dropout", "dense"])
  expect(model.outShape([13 * 12 * 3])).toEqual([3])
  expect(sizesOf(problemOf(13, 12, 3), told)).toBe("13x12x3-6x6x4-3x3x6-54-5-3")
  expect(sizesOf(problemOf(4, 4), settings({ convolutions: [], hidden: [5] }))).toBe("16-5-3")
})

test("images are moved and mirrored by seed, epoch and number alone, and all places occur", async () => {
  const one = Float32Array.from([1, 2, 3, 4, 5, 6])
  const rows = { x: rowsOf([...one, ...one, ...one], [6]), y: rowsOf([0, 1, 2], [], { dtype: "i32" }) }
  const data = augmented(rows, [2, 3, 1], settings({ flip: true, shift: 1, seed: 5 }))
  const seen = new Set<string>()
  for (let epoch = 1; epoch <= 60; epoch++) {
    const { x, y } = await data.load(Int32Array.of(2, 0), epoch)
    expect([...y]).toEqual([2, 0])
    expect([...(await data.load(Int32Array.of(0), epoch)).x]).toEqual([...x.subarray(6)])
    for (const from of [0, 6]) seen.add(x.subarray(from, from + 6).join(" "))
  }
  // nine places, each also mirrored
  expect(seen.size).toBe(18)
  expect([...seen]).toEqual(expect.arrayContaining(["1 2 3 4 5 6", "3 2 1 6 5 4", "0 0 0 0 1 2", "5 6 0 0 0 0", "0 6 5 0 0 0"]))
})
