// Losses and gradients against PyTorch's own.
import { describe, expect, it } from "vitest"
import type { Tensor } from "../js.ts"
import { type Args, checkGolden, goldenNames, worst } from "../nn/testing/golden.ts"
import * as losses from "./index.ts"

const { crossEntropy, huber, smoothL1, poissonNll, gaussianNll, klDivergence } = losses
const two =
  <O extends losses.LossOptions>(loss: losses.Loss<O>, options?: O) =>
  ({ y, t }: Args): Tensor =>
    loss(y!, t!, options)
const weighted =
  <O extends losses.LossOptions>(loss: losses.Loss<O>, options?: O) =>
  ({ y, t, w }: Args): Tensor =>
    loss(y!, t!, { ...options, classWeights: w } as unknown as O)

const table: Record<string, (a: Args) => Tensor> = {
  squaredError: two(losses.squaredError),
  absoluteError: two(losses.absoluteError),
  huber: two(huber),
  "huber 0.5": two(huber, { delta: 0.5 }),
  "huber, sum": two(huber, { reduction: "sum" }),
  "huber, none": two(huber, { reduction: "none" }),
  smoothL1: two(smoothL1),
  "smoothL1 0.5": two(smoothL1, { beta: 0.5 }),
  "smoothL1 0": two(smoothL1, { beta: 0 }),
  logCosh: two(losses.logCosh),
  poissonNll: two(poissonNll),
  "poissonNll, rates": two(poissonNll, { logInput: false }),
  "poissonNll, full": two(poissonNll, { full: true }),
  gaussianNll: ({ y, t, v }) => gaussianNll(y!, t!, v!),
  "gaussianNll, full, small": ({ y, t, v }) => gaussianNll(y!, t!, v!, { full: true, eps: 0.8 }),
  "gaussianNll, rows": ({ y, t, v }) => gaussianNll(y!, t!, v!),
  binaryCrossEntropy: two(losses.binaryCrossEntropy),
  "binaryCrossEntropy, weights": ({ y, t, w }) => losses.binaryCrossEntropy(y!, t!, { positiveWeight: w! }),
  binaryFocal: two(losses.binaryFocal),
  "binaryFocal, no alpha, gamma 1.5": two(losses.binaryFocal, { alpha: null, gamma: 1.5 }),
  hinge: two(losses.hinge),
  hingeEmbedding: two(losses.hingeEmbedding, { margin: 1.5 }),
  crossEntropy: two(crossEntropy),
  "crossEntropy, smoothing": two(crossEntropy, { labelSmoothing: 0.2 }),
  "crossEntropy, weights": weighted(crossEntropy),
  "crossEntropy, weights, none": weighted(crossEntropy, { reduction: "none" }),
  "crossEntropy, weights, smoothing": weighted(crossEntropy, { labelSmoothing: 0.2 }),
  "crossEntropy, ignored": two(crossEntropy, { ignoreIndex: 0 }),
  "crossEntropy, ignored outside": two(crossEntropy, { ignoreIndex: -100 }),
  "crossEntropy, ignored, weights": weighted(crossEntropy, { ignoreIndex: 0 }),
  "crossEntropy, ignored, smoothing": two(crossEntropy, { ignoreIndex: 0, labelSmoothing: 0.2 }),
  "crossEntropy, distributions": two(crossEntropy),
  "crossEntropy, distributions, smoothing": two(crossEntropy, { labelSmoothing: 0.2 }),
  "crossEntropy, distributions, weights": weighted(crossEntropy),
  focal: two(losses.focal),
  "focal, weights, gamma 0.5": weighted(losses.focal, { gamma: 0.5 }),
  multiClassHinge: two(losses.multiClassHinge),
  "multiClassHinge, squared, weights": weighted(losses.multiClassHinge, { power: 2, margin: 1.5 }),
  klDivergence: two(klDivergence),
  "klDivergence, zeros": two(klDivergence),
  "klDivergence, logarithms": two(klDivergence, { logTargets: true }),
  cosineSimilarity: ({ x1, x2 }) => losses.cosineSimilarity(x1!, x2!),
  cosineEmbedding: ({ x1, x2, t }) => losses.cosineEmbedding(x1!, x2!, t!),
  "cosineEmbedding, margin": ({ x1, x2, t }) => losses.cosineEmbedding(x1!, x2!, t!, { margin: -0.6 }),
  contrastive: ({ x1, x2, t }) => losses.contrastive(x1!, x2!, t!, { margin: 4 }),
  tripletMargin: ({ x1, x2, x3 }) => losses.tripletMargin(x1!, x2!, x3!),
  "tripletMargin, swap": ({ x1, x2, x3 }) => losses.tripletMargin(x1!, x2!, x3!, { margin: 2, swap: true }),
}

describe("PyTorch's values and gradients", () => {
  it.each(Object.keys(table))("%s", name => checkGolden(name, table[name]!))
  it("all of the file that are losses", () => {
    const names = Object.keys(table)
    expect(goldenNames.slice(-names.length)).toEqual(names)
    console.log(`largest error: ${worst.error} (${worst.at})`)
  })
})
