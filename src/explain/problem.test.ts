import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { ProblemError } from "./errors.ts"
import { readProblem } from "./problem.ts"

const layer = { w: [[0.5], [0.2]], b: [1.83], activation: "logistic" }
const wide = {
  w: [
    [0.5, 1],
    [0.2, 2],
  ],
  b: [0, 0],
  activation: "softmax",
}
const good = { x: [0.1, 0.3], target: 0.03, layers: [layer], loss: "half squared error" }
const classes = { ...good, layers: [wide], target: 1, loss: "cross-entropy" }

describe("readProblem", () => {
  it("reads the worked example", () => {
    const { network, x, target, learningRate } = readProblem(JSON.parse(readFileSync("examples/worked.json", "utf8")))
    expect(network).toEqual({ layers: [layer], loss: "half squared error", reduction: "sum" })
    expect({ x, target, learningRate }).toEqual({ x: [0.1, 0.3], target: [0.03], learningRate: 0.01 })
  })
  it("knows other names, class numbers, comments and layers without bias", () => {
    expect(readProblem(classes).target).toEqual([0, 1])
    const other = { ...good, $why: "a test", layers: [{ w: layer.w, activation: "sigmoid" }], loss: "mean squared error" }
    expect(readProblem(other).network).toEqual({
      layers: [{ w: layer.w, activation: "logistic" }],
      loss: "squared error",
      reduction: "mean",
    })
  })
  it.each<[unknown, string]>([
    [[], "the problem should be an object; got []"],
    [{ ...good, x: undefined }, "x should be a list of numbers; got nothing"],
    [{ ...good, x: [] }, "x should be a list of at least one number; got []"],
    [{ ...good, x: [0.1, "0.3"] }, 'x[1] should be a finite number; got "0.3"'],
    [{ ...good, x: [0.1, 0.3, 0.5] }, "layers[0].w should have 3 rows, because x has 3 numbers to give; got 2"],
    [{ ...good, layers: {} }, "layers should be a list of at least one layer; got {}"],
    [{ ...good, layers: [layer, layer] }, "layers[1].w should have 1 row, because layers[0] has 1 number to give; got 2"],
    [{ ...good, layers: [{ ...layer, w: [0.5, 0.2] }] }, "layers[0].w[0] should be a list of numbers; got 0.5"],
    [{ ...good, layers: [{ ...layer, w: [[0.5], [0.2, 1]] }] }, "layers[0].w[1] should have 1 weight like layers[0].w[0]; got 2"],
    [{ ...good, layers: [{ ...layer, w: [[null], [0.2]] }] }, "layers[0].w[0][0] should be a finite number; got null"],
    [{ ...good, layers: [{ ...layer, b: [1, 2] }] }, "layers[0].b should have 1 number, one for each unit of layers[0].w; got 2"],
    [{ ...good, layers: [{ ...layer, activation: "logistics" }] }, 'got "logistics"; did you mean "logistic"?'],
    [{ ...good, layers: [{ ...layer, bias: [1] }] }, 'layers[0] has the unknown field "bias"; known are w, b, activation, path'],
    [{ ...good, learning_rate: 1 }, 'the problem has the unknown field "learning_rate"; did you mean "learningRate"?'],
    [{ ...good, learningRate: 0 }, "learningRate should be a positive number; got 0"],
    [{ ...good, loss: undefined }, 'loss should be one of "half squared error", "squared error"'],
    [{ ...good, loss: "cross-entropy" }, 'layers[0].activation should be "softmax", or "linear" for outputs that are logits'],
    [{ ...good, target: undefined }, "target should be a number; got nothing"],
    [{ ...good, target: [1, 2] }, "target should have 1 number, one for each output; got 2"],
    [{ ...good, target: -1, loss: "binary cross-entropy" }, "target[0] should be a number from 0 to 1"],
    [{ ...classes, target: 2 }, "target should be a class from 0 to 1, or a list; got 2"],
    [{ ...classes, target: [0.5, 0.6] }, "target should add up to 1"],
    [{ ...classes, reduction: "average" }, 'reduction should be one of "sum", "mean"; got "average"'],
  ])("%j", (value, message) => {
    expect(() => readProblem(value)).toThrow(ProblemError)
    expect(() => readProblem(value)).toThrow(message)
  })
})
