// The command by its own file: what it prints for a JSON file and for saved models, and how it refuses.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { random } from "../index.ts"
import { conv2d, dense, dropout, flatten, type Model, relu, reshape, sequential, tanh } from "../nn.ts"
import { TrainedModel } from "../train.ts"
import { exitCodeOf } from "./errors.ts"
import { define } from "./explain.ts"
import { runCommand } from "./testing/run-command.ts"

const dir = mkdtempSync(join(tmpdir(), "adjoint-explain-"))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const at = (name: string): string => join(dir, name)

const run = (...args: readonly string[]): Promise<string> => runCommand(define, ...args)
const refused = (...args: readonly string[]): Promise<Error> =>
  run(...args).then(
    text => {
      throw new Error(`wanted an error, got ${text}`)
    },
    error => error,
  )

const encoding = {
  inputs: [
    { name: "length", kind: "number", mean: 1, std: 2 },
    { name: "colour", kind: "category", values: ["red", "blue"] },
  ],
  target: { name: "species", kind: "class", values: ["a", "b"] },
  notes: [],
}
const training = { data: { name: "flowers" }, settings: { learningRate: 0.05 }, constant: 0 }

async function save(name: string, model: Model, encoding: unknown) {
  const inShape = [model.in as number]
  const { params, state } = model.init(random.key(1), inShape)
  await new TrainedModel(model, params, state, inShape).save(at(name), { encoding, training })
}

beforeAll(async () => {
  await save("flowers", sequential(dense(3, 8), relu(), dropout(0.5), dense(8, 2)), encoding)
  await save("odd", sequential(dense(3, 8), relu(), tanh(), dense(8, 2)), encoding)
  await save("price", sequential(dense(3, 1)), { ...encoding, target: { name: "price", kind: "number", mean: 10, std: 2 } })
  const images = { kind: "images", shape: [28, 28], scale: 1 / 255, target: { name: "label", kind: "class", values: [..."0123456789"] } }
  await save("mnist", sequential(dense(784, 16), relu(), dense(16, 10)), images)
  const conv = sequential(reshape(28, 28, 1), conv2d(1, 2, 3, { stride: 3 }), relu(), flatten(), dense(162, 10)) as Model
  const { params, state } = conv.init(random.key(1), [784])
  await new TrainedModel(conv, params, state, [784]).save(at("cnn"), { encoding: images, training })
  writeFileSync(at("flowers.csv"), "colour,length,species,price\nred,3,b,12\nblue,1,a,9\n")
  writeFileSync(at("bad.json"), '{ "x": [1], "target": 0, "layers": [{ "w": [[1], [2]], "activation": "tanh" }], "loss": "squared error" }')
  writeFileSync(at("no.json"), "{")
})

describe("a JSON file", () => {
  test("is explained", async () => {
    const text = await run("examples/worked.json")
    expect(text).toContain("dE/dw1 = dE/dy · dy/ds · ds/dw1 = 0.8443521 · 0.1098605 · 0.1 = 0.009276093")
    expect(text).toContain("0.3563706")
  })
  test("as data", async () => {
    const { event, weights, factors, product, gradient, finiteDifference } = JSON.parse(
      await run("examples/worked.json", "--json", "--weight", "layers.0.w[0,0]", "--learning-rate", "0.5"),
    )
    expect(event).toBe("done")
    expect(weights).toHaveLength(1)
    expect(weights[0]).toMatchObject({ factors, product, gradient, finiteDifference })
    expect(factors.map((f: { symbol: string }) => f.symbol)).toEqual(["dE/dy", "dy/ds", "ds/dw1"])
    expect(gradient).toBeCloseTo(0.00927609255818386, 14)
    expect(weights[0].update.after).toBeCloseTo(0.5 - 0.5 * gradient, 14)
  })
})

describe("a saved model", () => {
  test("with a row of a table, encoded as in training", async () => {
    const text = await run(at("flowers"), at("flowers.csv"), "--row", "1", "--weight", "layers.3.w[2,1]", "--weight", "layers.3.b[0]")
    expect(text).toContain("species is a")
    expect(text).toContain("A 3-8-2 network (relu, linear), 50 parameters; E is the cross-entropy")
    expect(text).toContain("w3[2,1] is layers.3.w[2,1]")
    const { x, target, learningRate } = JSON.parse(await run(at("flowers"), at("flowers.csv"), "--json"))
    expect({ x, target, learningRate }).toEqual({ x: [1, 1, 0], target: [0, 1], learningRate: 0.05 })
  })
  test("for a number", async () => {
    const { x, target, agrees, weights } = JSON.parse(await run(at("price"), at("flowers.csv"), "--json"))
    expect({ x, target, agrees }).toEqual({ x: [1, 1, 0], target: [1], agrees: true })
    expect(weights).toHaveLength(4)
  })
  test("with one of the MNIST test digits", async () => {
    const { product, gradient, finiteDifference, target, network } = JSON.parse(
      await run(at("mnist"), "mnist", "--row", "3", "--json", "--weight", "layers.0.w[409,5]"),
    )
    expect(network.sizes).toEqual([784, 16, 10])
    expect(target).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(Math.abs(product - gradient)).toBeLessThan(1e-12)
    expect(Math.abs(product - finiteDifference)).toBeLessThan(1e-8)
    expect(await run(at("mnist"), "mnist")).toContain("% of the largest slope")
  })
})

describe("--weight of a saved model", () => {
  test("the paths of one weight, as data", async () => {
    const done = JSON.parse(await run(at("mnist"), "mnist", "--row", "3", "--json", "--weight", "layers.0.w[409,5]"))
    const { gradient, sumOfPaths, finiteDifference, paths, rest, numberOfPaths } = done
    expect(paths.length + rest.count).toBe(numberOfPaths)
    expect(Math.abs(sumOfPaths - gradient)).toBeLessThan(1e-12)
    expect(Math.abs(sumOfPaths - finiteDifference)).toBeLessThan(1e-8)
  })
  test("of any layers", async () => {
    const done = JSON.parse(await run(at("odd"), at("flowers.csv"), "--json", "--weight", "layers.0.w[0,0]"))
    expect(done).toMatchObject({ event: "done", agrees: true, of: { name: "layers.0.w[0,0]" } })
    expect(done.paths.length).toBe(2)
    expect(done.paths[0].factors.map((f: { operation: string }) => f.operation)).toEqual(["crossEntropy", "dense", "tanh", "relu", "dense"])
    const text = await run(at("odd"), at("flowers.csv"), "--weight", "layers.0.w[0,0]", "--weight", "layers.0.b[3]")
    expect(text).toContain("species is b")
    expect(text).toContain("E by layers.0.w[0,0] = ")
    expect(text).toContain("E by layers.0.b[3] = ")
  })
  test("a convolutional network", async () => {
    const done = JSON.parse(await run(at("cnn"), "mnist", "--row", "1", "--json", "--weight", "layers.1.w[1,2,0,1]"))
    expect(done.agrees).toBe(true)
    expect(done.numberOfPaths).toBeGreaterThan(100)
  })
})

describe("refuses with exit code 2", () => {
  test.each<[readonly string[], string]>([
    [["bad.json"], "bad.json: layers[0].w should have 1 row, because x has 1 number to give; got 2."],
    [["no.json"], "no.json is not JSON"],
    [["none.json"], "there is no such file"],
    [["flowers"], "is a folder; name the data too: adjoint explain"],
    [["flowers", "flowers.csv", "--row", "2"], "flowers.csv has 2 rows, 0 to 1."],
    [
      ["flowers", "flowers.csv", "--weight", "layers.1.w[0,0]"],
      'flowers: there is no weight "layers.1.w[0,0]"; there are layers.0.w[0,0] to',
    ],
    [["odd", "flowers.csv"], "odd: layers.2 is tanh; an activation can be explained where it directly follows a dense layer."],
    [["odd", "flowers.csv"], "Of any model one weight is explained: --weight PATH[i,j]."],
    [["odd", "flowers.csv", "--weight", "layers.0.w[0,8]"], "odd: layers.0.w is f32[3,8]; name one element of it"],
    [["mnist", "flowers.csv"], "The model was trained on images"],
    [["bad.json", "--row", "1"], "a JSON file holds one example"],
    [["flowers", "flowers.csv", "--row", "-1"], "Wanted a whole number from 0."],
  ])("%j", async ([first, ...rest], message) => {
    const error = await refused(at(first!), ...rest.map(arg => (arg.endsWith(".csv") ? at(arg) : arg)))
    expect(error.message).toContain(message)
    expect(exitCodeOf(error)).toBe(2)
  })
})
