// Every sentence of an explanation. Another language is another file like this one.
import { count } from "../data/names.ts"
import type { NetworkExplanation, Reading } from "./network-explanation.ts"

export const say = {
  network: ({ sizes, activations, parameters }: NetworkExplanation["network"]): string =>
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

  /** What `explain` says of functions of any kind. */
  chains: {
    title: (name: string, value: string): string => `E by ${name} = ${value}`,
    summary: (paths: string, error: string): string => `E = ${error}; ${paths} from there to E`,
    paths: (n: string): string => (n === "1" ? "1 path leads" : `${n} paths lead`),
    path: (i: number, of: string): string => `Path ${i} of ${of}`,
    pathsTitle: (shown: number): string => (shown === 1 ? "The path" : `The ${shown} largest paths, from the error back`),
    rest: (count: string): string => `${count} more`,
    restTitle: "The other paths, by where they leave those shown",
    usesTitle: "By use: what enters where the number is read",
    groupsTitle: "By part of the program: what enters it from outside",
    unitsTitle: "By unit: what goes through each",
    blockedTitle: "Where nothing gets through",
    checkTitle: "Check",
    updateTitle: (optimizer: string): string => `From gradient to new value: ${optimizer}`,
    columns: { derivative: "derivative", formula: "formula", value: "by rule", measured: "measured", contribution: "sum", count: "paths" },
    sum: "sum of all paths",
    gradient: "adjoint's grad",
    differences: "differences",
    unreached: "Nothing that is computed from it reaches E, so the slope is 0.",
    copies: (n: number): string => `and ${count(n, "move")} of the number as it is, each with factor 1`,
    others: (n: number): string => `${n} others`,
    more: (n: number): string => `and ${n} more such places`,
    /** Why nothing gets through. */
    blocked: (at: string, value: string, operation: string, formula: string): string =>
      `${at} = ${value}, and there the derivative of ${operation} is 0 (${formula})`,
    before: "before",
    after: "after",
    alone: (predicted: string, actual: string): string =>
      `With the change of this number alone E changes by ${actual}; the slope predicts ${predicted}.`,
    all: (predicted: string, actual: string): string =>
      `With the step of all parameters E changes by ${actual}; the slopes predict ${predicted}.`,
    /** Which of the comparisons hold. */
    verdict({ sums, whole, factor }: { readonly sums: boolean; readonly whole: boolean; readonly factor: string | undefined }): string {
      if (factor)
        return `The derivative of ${factor} is not what differences measure: its rule is wrong, or there is a kink or jump close by.`
      if (!sums) return "The sum of the paths and adjoint's grad disagree: a rule forwards and its transpose contradict each other."
      if (!whole)
        return "Differences of the whole function disagree with the sum of the paths: a rule is wrong, or E has a kink or jump close by."
      return "The sum of the paths, adjoint's grad and differences agree, and so does each factor shown."
    },
  },
}
