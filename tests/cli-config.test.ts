// Configuration files, models of the user's own, and what a run leaves in its folder; models of earlier formats.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { resolve } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { bytesOf, events, flowers, last, type Workplace, workplace } from "./cli-process.ts"
import { enough } from "./long.ts"

const { at, write, writeImages, run, remove }: Workplace = workplace()
afterAll(remove)
afterEach(() => {
  for (const name of readdirSync(at())) if (name.startsWith("adjoint.config.")) rmSync(at(name))
})

beforeAll(() => {
  write("flowers.csv", flowers())
  writeImages("shapes", { train: 60, t10k: 20 })
  mkdirSync(at("node_modules"))
  symlinkSync(resolve("."), at("node_modules/adjoint"))
  symlinkSync(resolve("node_modules/typescript"), at("node_modules/typescript"))
})

const json = (value: object): void => write("adjoint.config.json", JSON.stringify(value))
const flags = ["flowers.csv", "-t", "kind", "--hidden", "6,5", "--learning-rate", "0.01", "--epochs", "3", "--ignore", "id,color"]
const keys = { data: "flowers.csv", target: "kind", hidden: [6, 5], learningRate: 0.01, epochs: 3, ignore: ["id", "color"] }

describe("a configuration file", () => {
  test("says what flags say, and flags say it last", async () => {
    expect((await run(["train", ...flags, "--seed", "3", "--out", "runs/flags"])).code).toBe(0)
    json({ ...keys, seed: 1, out: "runs/keys" })
    const { code, out } = await run(["train", "--seed", "3"])
    expect([code, out]).toEqual([0, expect.stringContaining("Settings from adjoint.config.json.")])
    expect(bytesOf(at("runs/keys"))).toBe(bytesOf(at("runs/flags")))
    const { code: quiet, out: line } = await run(["train", "--quiet", "--out", "runs/other"])
    expect([quiet, line]).toEqual([0, expect.stringMatching(/^test accuracy .* %\n$/)])
    expect(bytesOf(at("runs/other"))).not.toBe(bytesOf(at("runs/flags")))
  })
  test("may be a program in TypeScript", async () => {
    write(
      "adjoint.config.ts",
      `const epochs: number = 3\nexport default { ...${JSON.stringify(keys)}, epochs, seed: 3, out: "runs/typed" }`,
    )
    expect(await run(["train", "--json"])).toMatchObject({ code: 0, err: "" })
    expect(bytesOf(at("runs/typed"))).toBe(bytesOf(at("runs/flags")))
  })
  test("may be that of a run", async () => {
    expect((await run(["train", "--config", "runs/flags/config.json", "--out", "runs/again"])).code).toBe(0)
    expect(bytesOf(at("runs/again"))).toBe(bytesOf(at("runs/flags")))
  })

  const wrong: [string, object, string][] = [
    ["a key like another", { learning_rate: 1 }, 'there is no key "learning_rate". Did you mean "learningRate"?'],
    ["a key like none", { zzz: 1 }, 'there is no key "zzz". Keys are "data", "target", "task", "hidden"'],
    ["a flag that is no key", { resume: "runs/a" }, 'there is no key "resume"'],
    ["text for a number", { epochs: "3" }, '"epochs" is "3"; wanted a whole number from 1.'],
    ["a number out of range", { learningRate: -1 }, '"learningRate" is -1; wanted a number above 0.'],
    ["an unknown choice", { optimizer: "adan" }, '"optimizer" is "adan"; wanted one of "adam", "sgd", "momentum", "rmsprop".'],
    ["a number for a choice", { schedule: 1 }, '"schedule" is 1; wanted one of "linear", "constant".'],
    ["text for widths", { hidden: "64" }, '"hidden" is "64"; wanted widths such as 64,32, or "none".'],
    ["text for a list", { ignore: "id" }, '"ignore" is "id"; wanted a list of names, such as ["id", "date"].'],
    ["text for a switch", { deterministic: "yes" }, '"deterministic" is "yes"; wanted true or false.'],
    ["a number for text", { target: 4 }, '"target" is 4; wanted text.'],
    ["a number for the data", { data: 4 }, '"data" is 4; wanted the name of a file as text.'],
    ["a list", [], "adjoint.config.json must hold an object of settings"],
  ]
  test.each(enough(wrong, 6))("%s: exit code 2", async (_, value, message) => {
    json(value)
    const { code, err } = await run(["train", "flowers.csv", "-t", "kind"])
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
    expect(err).toContain("adjoint.config.json")
  })
  test("that is not there, no JSON, or throws: exit code 2", async () => {
    write("broken.json", "{")
    write("throws.mjs", "throw new Error('not today')")
    for (const [file, message] of [
      ["absent.json", "Cannot read absent.json"],
      ["broken.json", "broken.json is not JSON"],
      ["throws.mjs", "throws.mjs: not today"],
    ] as const)
      expect(await run(["train", "flowers.csv", "--config", file])).toMatchObject({ code: 2, err: expect.stringContaining(message) })
  })
})

describe("--model", () => {
  const network = `export default sequential(dense(5, 6), tanh(), dense(6, 3))`
  const head = ["train", "flowers.csv", "-t", "kind", "--epochs", "40", "--weight-decay", "0", "--learning-rate", "0.02"]
  test("a model in TypeScript is trained, saved, evaluated without its file, and gone on with", async () => {
    write("layers.ts", `export const width: number = 6`)
    const source = `import { dense, type Layer, sequential, tanh } from "adjoint/nn"\nimport { width } from "./layers.ts"
export default ({ inShape, outputs, classes }: { inShape: number[]; outputs: number; classes: string[] }): Layer =>
  sequential(dense(inShape[0]!, width), tanh(), dense(width, classes.length === outputs ? outputs : 1))`
    write("own.ts", source)
    const { code, err, out } = await run([...head, "--model", "own.ts", "--out", "runs/own"])
    expect([code, err.includes("error")]).toEqual([0, false])
    expect(out).toContain("model of own.ts")
    expect(Number(/test accuracy ([\d.]+) %/.exec(out)![1])).toBeGreaterThan(80)
    const before = bytesOf(at("runs/own"))
    expect((await run(["train", "--resume", "runs/own", "--json"])).code).toBe(0)
    expect(bytesOf(at("runs/own"))).toBe(before)
    write("own.ts", source.replaceAll("width,", "7,").replaceAll("dense(width", "dense(7").replace("width)", "7)"))
    const changed = await run(["train", "--resume", "runs/own"])
    expect([changed.code, changed.err]).toEqual([2, expect.stringContaining("is of a training with another model")])
    rmSync(at("own.ts"))
    expect((await run(["evaluate", "runs/own", "flowers.csv"])).code).toBe(0)
  })
  test("images come as rows of pixels, their shape is told", async () => {
    write(
      "image.mjs",
      `import { dense, sequential } from "adjoint/nn"
export const model = ({ inShape, imageShape, outputs }) => sequential(dense(imageShape[0] * imageShape[1] === inShape[0] ? inShape[0] : 1, outputs))`,
    )
    expect(await run(["train", "shapes", "--model", "image.mjs", "--epochs", "2", "--out", "runs/image", "--json"])).toMatchObject({
      code: 0,
    })
  })
  const wrong: [string, string, string][] = [
    ["no model", "export default 3", "wanted a model as its default export"],
    ["other outputs", network.replaceAll("6, 3", "6, 4"), "the model makes [4] of a row [5]; wanted [3] for this target"],
    ["other inputs", network.replace("5, 6", "4, 6"), "expects 4 inputs, gets 5"],
    ["what cannot be saved", network.replace("tanh()", "lambda(x => x.mul(2))"), "the model has a lambda"],
    ["a function that throws", "export default () => { throw new Error('not today') }", "not today"],
  ]
  test.each(wrong)("%s: exit code 2", async (_, code, message) => {
    write("wrong.mjs", `import { dense, lambda, sequential, tanh } from "adjoint/nn"\n${code}`)
    expect(await run([...head, "--model", "wrong.mjs"])).toMatchObject({ code: 2, err: expect.stringContaining(message) })
  })
  test("brings its own layers", async () => {
    expect(await run([...head, "--model", "wrong.mjs", "--hidden", "3"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("leave --hidden out"),
    })
  })
  test("TypeScript that nothing can read: it is said what to install", async () => {
    const elsewhere = workplace()
    elsewhere.write("flowers.csv", flowers())
    elsewhere.write("own.ts", "export default 3 as number")
    const { code, err } = await elsewhere.run(["train", "flowers.csv", "-t", "kind", "--model", "own.ts"])
    elsewhere.remove()
    const [major, minor] = process.versions.node.split(".").map(Number) as [number, number]
    const reads = major > 22 || (major === 22 && minor >= 18)
    expect(code).toBe(2)
    expect(err).toContain(reads ? "wanted a model" : "npm install --save-dev typescript@6")
  })
})

describe("--resume", () => {
  test.each([
    ["a folder that is no run", ["--resume", "shapes"], "shapes is not the folder of a run"],
    ["a folder that is not there", ["--resume", "runs/nowhere"], "runs/nowhere is not the folder of a run"],
    ["other settings", ["--resume", "runs/flags", "--epochs", "5"], "leave --epochs out"],
    ["other data", ["shapes", "--resume", "runs/flags"], "--test is for tables"],
    ["data that are gone", ["gone.csv", "--resume", "runs/flags"], "adjoint train DATA --resume runs/flags"],
    ["a changed table", ["more.csv", "--resume", "runs/flags"], "was trained on other data than more.csv holds now"],
  ])("%s: exit code 2", async (_, args, message) => {
    write("more.csv", `${flowers()}\n151,1,1,red,aster`)
    expect(await run(["train", ...args])).toMatchObject({ code: 2, err: expect.stringContaining(message) })
  })
})

test("a run's folder says what, where and how", async () => {
  const { out } = await run(["train", ...flags, "--json", "--out", "runs/files"])
  const read = (name: string) => readFileSync(at("runs/files", name), "utf8")
  expect(JSON.parse(read("config.json"))).toMatchObject({ ...keys, adjoint: { version: "0.1.0" }, activation: "relu", test: 0.2 })
  expect(JSON.parse(read("environment.json"))).toMatchObject({ node: process.versions.node, started: [expect.stringMatching(/^\d{4}-/)] })
  const lines = events(read("metrics.ndjson")).filter(line => line.event === "epoch")
  const told = events(out).filter(e => e.event === "epoch")
  expect(lines.map(({ step: _, learningRate: __, ...line }) => line)).toEqual(told)
  expect(lines.map(({ step }) => step)).toEqual([14, 28, 42])
  expect(lines[1].learningRate).toBeCloseTo(0.01 * (1 - 27 / 42), 12)
})

describe("models of earlier formats", () => {
  const fixtures = resolve("tests/fixtures")
  test.each(readdirSync(fixtures).filter(name => name.startsWith("format-")))("%s: predicts as it did, and is evaluated", async format => {
    cpSync(resolve(fixtures, format), at(format), { recursive: true })
    cpSync(resolve("tests/data/iris.csv"), at("iris.csv"))
    for (const kind of ["class", "number"]) {
      const { out, err } = await run(["predict", `${format}/${kind}`, "iris.csv", "--only"])
      expect(err).toBe("")
      const wanted = readFileSync(resolve(fixtures, format, `${kind}.csv`), "utf8")
      const numbers = (text: string) =>
        text.split(/[,\n]/).map(cell => (Number.isNaN(Number(cell)) ? cell : Number(Number(cell).toPrecision(4))))
      expect(numbers(out)).toEqual(numbers(wanted))
      expect(last((await run(["evaluate", `${format}/${kind}`, "iris.csv", "--json"])).out).test.rows).toBe(30)
    }
  })
})
