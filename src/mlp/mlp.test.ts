import { describe, expect, test, vi } from "vitest"
import { type Chain, MLP, type TrainOptions } from "../mlp.ts"

const example = { x: [0.1, 0.4, 4.1], y: [0.2], netArch: [7, 5, 4], maxIter: 500, learningRate: 0.7 }
const xor = { x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [0.1, 0.9, 0.9, 0.1], netArch: [4], maxIter: 5000, learningRate: 4 } // biome-ignore format: one line

describe("one example, three hidden layers", () => {
  test.each([0, 1, 2, 3, 4])("seed %i: it is learned, and another input gives nearly the same", seed => {
    const trained = MLP.train({ ...example, seed })
    expect(trained).toMatchObject({ sizes: [3, 7, 5, 4, 1], numberOfWeights: 80, elapsedIter: 500, maxIter: 500, learningRate: 0.7 })
    expect(trained.layers.reduce((n, { b }) => n + b!.length, trained.numberOfWeights)).toBe(97)
    expect(Math.abs(trained.predictions[0]![0]! - 0.2)).toBeLessThan(1e-6)
    expect(MLP.predict(trained, example.x)).toEqual(trained.predictions[0])
    expect(Math.abs(MLP.predict(trained, [0.2, 3.1, 1.7])[0]! - 0.2)).toBeLessThan(0.002)
    expect(trained.trainingTimeSec).toBeGreaterThan(0)
  })
  test("is plain data, and the same for the same seed", () => {
    const { trainingTimeSec: _, ...trained } = MLP.train(example)
    const { trainingTimeSec: __, ...again } = MLP.train(example)
    expect(again).toEqual(trained)
    const kept = JSON.parse(JSON.stringify({ ...trained, trainingTimeSec: 0 }))
    expect(MLP.predict(kept, [0.2, 3.1, 1.7])).toEqual(MLP.predict({ ...trained, trainingTimeSec: 0 }, [0.2, 3.1, 1.7]))
  })
})

/** The factors multiplied in JavaScript: from the error towards the weights, the outer one from the left. */
function productOf({ factors }: Chain): number[][] {
  const [start, ...rest] = factors
  let product = start!.value as number[][]
  for (const { by, value } of rest) {
    if (by === "elementwise") product = product.map((row, e) => row.map((d, i) => d * value[e]![i]!))
    else product = by === "matrix" ? times(product, value) : times(value, product)
  }
  return product
}
const times = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] =>
  a.map(row => b[0]!.map((_, j) => row.reduce((sum, v, k) => sum + v * b[k]![j]!, 0)))

describe("the chain of derivatives", () => {
  test.each([
    ["one example", { ...example, maxIter: 3 }],
    ["no hidden layer, no bias", { ...example, netArch: [], bias: false, maxIter: 1 }],
    ["four examples", { ...xor, maxIter: 20 }],
    ["three outputs", { x: [[1, -2], [0.5, 3]], y: [[0.2, 0.3, 0.9], [0.4, 0.1, 0.5]], netArch: [3, 2], maxIter: 5 }], // biome-ignore format: one line
  ] satisfies [string, TrainOptions][])("%s: the product of the factors is the gradient", (_, options) => {
    const { derivativeChain, sizes } = MLP.train(options)
    expect(derivativeChain.map(c => c.of)).toEqual(sizes.slice(1).map((_, l) => `w${sizes.length - 1 - l}`))
    for (const chain of derivativeChain) {
      const product = productOf(chain)
      expect(chain.grad.length).toBe(product.length)
      chain.grad.forEach((row, i) => {
        expect(row.length).toBe(product[i]!.length)
        row.forEach((g, j) => expect(Math.abs(g - product[i]![j]!)).toBeLessThan(1e-12 * Math.max(1, Math.abs(g))))
      })
    }
  })
  test("is that of the error: one more step moves the weights by it", () => {
    const [here, next] = [MLP.train({ ...xor, maxIter: 7 }), MLP.train({ ...xor, maxIter: 8 })]
    here.derivativeChain.toReversed().forEach(({ grad }, l) => {
      const [w, moved] = [here.layers[l]!.w, next.layers[l]!.w]
      grad.forEach((row, i) => row.forEach((g, j) => expect(moved[i]![j]).toBeCloseTo(w[i]![j]! - 4 * g, 14)))
    })
  })
  test("has every factor by name, the last layer first", () => {
    const { derivativeChain } = MLP.train({ ...xor, maxIter: 1 })
    expect(derivativeChain.map(c => c.factors.map(f => f.symbol))).toEqual([
      ["dE/dy", "dy/ds2", "ds2/dw2"],
      ["dE/dy", "dy/ds2", "ds2/dh1", "dh1/ds1", "ds1/dw1"],
    ])
  })
})

test("exclusive or; it ends early where the error is small enough", () => {
  const trained = MLP.train({ ...xor, tolerance: 1e-3 })
  expect(trained.stopped).toBe("tolerance")
  expect(trained.elapsedIter).toBeLessThan(5000)
  expect(trained.error).toBeLessThanOrEqual(1e-3)
  const before = MLP.train({ ...xor, maxIter: trained.elapsedIter - 1 })
  expect(before.error).toBeGreaterThan(1e-3)
  expect(MLP.predict(trained, xor.x).map(([y]) => Math.round(y!))).toEqual([0, 1, 1, 0])
})
test("`debug` prints the error", () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {})
  MLP.train({ ...example, maxIter: 250, debug: true })
  expect(log.mock.calls.map(([line]) => line.replace(/error .*/, ""))).toEqual([
    "iteration 100 of 250: ",
    "iteration 200 of 250: ",
    "iteration 250 of 250: ",
  ])
  log.mockRestore()
})

const wrong: readonly [string, object, string][] = [
  [
    "a target of 1",
    { y: [1] },
    "MLP.train: targets must lie between 0 and 1, which a logistic output only comes near to; got 1. Scale them",
  ],
  ["a text as target", { y: ["a"] }, 'got "a". Scale them'],
  ["targets of two widths", { x: [[1], [2]], y: [[0.1], [0.1, 0.2]] }, "y[1] must have 1 outputs; got 2"], // biome-ignore format: one line
  ["too few targets", { x: [[1], [2]], y: [0.5] }, "there are 2 examples, but y has 1 targets"],
  ["no inputs", { x: [] }, "x is one example, such as [0.1, 0.4], or a list of examples; got []"],
  ["ragged inputs", { x: [[1, 2], [3]], y: [0.1, 0.2] }, "x[1] must have 2 inputs, as x[0] has; got 1"], // biome-ignore format: one line
  ["not a number", { x: [1, Number.NaN, 2] }, "x[1] must be a finite number; got NaN"],
  [
    "widths that are none",
    { netArch: [3, 0] },
    "netArch lists the widths of the hidden layers, such as [7, 5, 4], and [] for none; got [3,0]",
  ],
  ["no steps", { maxIter: 0 }, "maxIter is a whole number of steps from 1; got 0"],
  ["a rate below 0", { learningRate: -1 }, "learningRate is a number > 0; got -1"],
  ["a tolerance below 0", { tolerance: -1 }, "tolerance is a number >= 0; got -1"],
  ["a seed in parts", { seed: 0.5 }, "seed is a whole number >= 0; got 0.5"],
  ["an option that is none", { epochs: 5 }, 'there is no option "epochs"; there are x, y, netArch, maxIter, learningRate'],
]
test.each(wrong)("%s", (_, options, message) => {
  expect(() => MLP.train({ ...example, ...options } as TrainOptions)).toThrow(message)
})
test("another number of inputs than in training", () => {
  const trained = MLP.train({ ...example, maxIter: 1 })
  expect(() => MLP.predict(trained, [1, 2])).toThrow("MLP.predict: x must have 3 inputs, as in training; got 2")
  expect(() => MLP.predict(trained, [[1, 2, 3], [1]])).toThrow("MLP.predict: x[1] must have 3 inputs") // biome-ignore format: one line
})
