// What is said of the chain of a dense network.
import { count } from "../../data/names.ts"
import type { NetworkExplanation, Reading } from "../network-explanation.ts"

export const network = {
  title: ({ sizes, activations, parameters }: NetworkExplanation["network"]): string =>
    sizes.length === 2 && sizes[1] === 1
      ? `One ${activations[0]} neuron with ${count(sizes[0]!, "input")}`
      : `A ${sizes.join("-")} network (${activations.join(", ")}), ${count(parameters, "parameter")}`,
  error: ({ sizes, loss, reduction }: NetworkExplanation["network"]): string =>
    `E is the ${reduction === "mean" && sizes.at(-1)! > 1 ? "mean " : ""}${loss}`,
  indices: (symbol: string, path: string): string => `Indices count from 0: ${symbol} is ${path}`,

  forward: "Forward: from the input to the error",
  backward: "Backward: how each step of the way changes with the one before it",
  chain: "Chain: the slope of E is the product of the factors on the way",
  check: "Check: the same slopes from adjoint's reverse mode and from differences",
  reading: "Reading",
  update: (rate: string): string => `Step: w <- w - ${rate}·dE/dw`,
  plusOne: "If a weight grew by 1: a slope holds for small changes only",
  columns: {
    value: "by formula",
    measured: "measured",
    product: "chain",
    gradient: "adjoint's grad",
    differences: "differences",
    before: "before",
    after: "after",
    predicted: "the slope predicts",
    actual: "E really changes by",
  },

  /** One of the outputs of softmax. */
  softmax: (s: string): string => `exp(${s}) / sum of exp(${s.replace(/\[.*$/, "")})`,
  lossOver: (loss: string, outputs: number): string => `${loss} of ${outputs} outputs`,
  sum: (terms: number): string => `sum of ${count(terms, "term")}`,
  rest: (n: number): string => `${n} smaller ones`,
  product: "product of these",

  agreement: (largest: string): string => `No two ways differ by more than ${largest}.`,
  kink: "Differences disagree: E has a kink close by, as relu has at 0, and nothing can be measured across it.",
  mismatch: "The chain and adjoint's grad disagree, which must not be. Please report it.",

  /** What a slope says: first its sign, then its size. */
  sentence({ sign, share, rank, blockedBy }: Omit<Reading, "sentence">, symbol: string): string {
    if (sign === "zero")
      return blockedBy ? `${symbol} stays as it is, because ${blockedBy} = 0` : `${symbol} stays as it is: E does not change with it`
    const size = rank === 1 ? "the largest slope" : `${Number((share * 100).toPrecision(2))} % of the largest slope`
    return sign === "positive"
      ? `E grows with ${symbol}, so the step lowers it; ${size}`
      : `E shrinks as ${symbol} grows, so the step raises it; ${size}`
  },
  change: (actual: string, predicted: string): string => `E changes by ${actual}; the slopes predict ${predicted}.`,
  changeOfAll: (n: number, actual: string, predicted: string): string =>
    `With the step of all ${n} parameters E changes by ${actual}; the slopes predict ${predicted}.`,
}
