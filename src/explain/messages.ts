// Every sentence of an explanation. Another language is another file like this one.
import type { Explanation, Reading, WeightExplanation } from "./explanation.ts"

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

export const say = {
  title: ({ network: { sizes, activations, loss, reduction, parameters } }: Explanation): string => {
    const error = reduction === "mean" && sizes.at(-1)! > 1 ? `mean ${loss}` : loss
    return sizes.length === 2 && sizes[1] === 1
      ? `One ${activations[0]} neuron with ${count(sizes[0]!, "input")}; ${error}`
      : `A ${sizes.join("-")} network (${activations.join(", ")}), ${count(parameters, "parameter")}; ${error}`
  },
  forward: "Forward: from the input to the error",
  backward: "Backward: how the error changes with each step of the way",
  chain: "Chain: the product of these factors leads from the error to the weight",
  checks: "Check: the same slopes from reverse mode and from differences",
  reading: "Reading",
  update: (rate: string): string => `Step: w <- w - ${rate}·dE/dw`,
  plusOne: "If a weight grew by 1: a slope is true for small changes only",
  columns: {
    value: "value",
    measured: "measured",
    product: "product",
    gradient: "adjoint's grad",
    differences: "differences",
    before: "before",
    after: "after",
    predicted: "slope predicts",
    actual: "E really changes",
  },
  /** One of the outputs of softmax. */
  softmax: (s: string): string => `exp(${s}) / sum of exp(${s.replace(/\[.*$/, "")})`,
  lossOver: (loss: string, outputs: number): string => `${loss} of ${outputs} outputs`,
  sum: (ways: number): string => `sum over ${count(ways, "way")}`,
  rest: (n: number): string => `${n} smaller ones together`,
  product: "product of these",
  agreement: (largest: string): string => `Largest difference anywhere: ${largest}.`,
  disagreement:
    "Some differences do not agree: a kink, as of relu at 0, is near, and differences across it\nmean nothing. The product and adjoint's grad are exact.",
  gradMismatch: "The product and adjoint's grad disagree: please report this, it is an error of adjoint.",
  errors: (before: string, after: string, actual: string, predicted: string): string =>
    `E: ${before} -> ${after}, a change of ${actual}; the slopes predict ${predicted}.`,
  allParameters: (n: number): string => `The step of all ${n} parameters:`,

  /** What the slope of a weight says: its sign, then its size. */
  sentence({ sign, share, rank, blockedBy }: Omit<Reading, "sentence">, symbol: string): string {
    if (sign === "zero")
      return blockedBy ? `${symbol} stays: ${blockedBy} = 0 blocks the way` : `${symbol} stays: E does not change with it`
    const direction = sign === "positive" ? `more ${symbol}, more E: the step lowers it` : `more ${symbol}, less E: the step raises it`
    const percent = `${Number((share * 100).toPrecision(2))} %`
    return `${direction}; ${rank === 1 ? "the largest slope" : `${percent} of the largest slope`}`
  },
  weight: ({ path, symbol }: WeightExplanation): string => `${symbol} is ${path}`,
}
