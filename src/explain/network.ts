// What can be explained: dense layers, and the derivative of each activation and loss as a teacher would write it down.
import type { Tensor } from "../core/tensor.ts"
import { absoluteError, binaryCrossEntropy, crossEntropy, halfSquaredError, type Loss, squaredError } from "../losses/index.ts"
import { gelu, relu, sigmoid, softmax, swish } from "../ops/activations.ts"
import { exp, tanh } from "../ops/arithmetic.ts"
import { erfc } from "../ops/special.ts"
import { number } from "./digits.ts"

/** A dense layer: s = x w + b, y = activation(s). */
export interface DenseLayer {
  /** [in, out]: `w[i][j]` leads from input i to unit j. */
  readonly w: readonly (readonly number[])[]
  /** [out]; left out for a layer without bias. */
  readonly b?: readonly number[]
  readonly activation: ActivationName
  /** What its parameters are called: `layers.2` for `layers.2.w[0,1]`. Default: `layers.` and its place in the list. */
  readonly path?: string
}

/** Dense layers one after the other, and the error of what comes out. */
export interface Network {
  readonly layers: readonly DenseLayer[]
  readonly loss: LossName
  /** Whether the errors of several outputs are added or averaged. Cross-entropy is one error for all classes. Default: "sum". */
  readonly reduction?: "sum" | "mean"
}

/** One input and what the network should answer to it. */
export interface Example {
  /** [in] */
  readonly x: readonly number[]
  /** [out]; or a number for one output; or the number of the right class for several. */
  readonly target: number | readonly number[]
}

/** An elementwise function y = f(s) and f'(s); formulas are written with the symbols or numbers given. */
interface Elementwise {
  readonly apply: (s: Tensor) => Tensor
  readonly slope: (s: number, y: number) => number
  readonly formula: (s: string) => string
  readonly slopeFormula: (s: string, y: string) => string
}

const GELU = 0.7978845608028654 // sqrt(2 / pi)
/** The share of the normal distribution below s. */
const below = (s: number): number => number(erfc, -s * Math.SQRT1_2) / 2

export const elementwise = {
  logistic: {
    apply: sigmoid,
    slope: (_, y) => y * (1 - y),
    formula: s => `1 / (1 + exp(-${s}))`,
    slopeFormula: (_, y) => `${y} (1 - ${y})`,
  },
  tanh: {
    apply: tanh,
    slope: (_, y) => 1 - y * y,
    formula: s => `tanh(${s})`,
    slopeFormula: (_, y) => `1 - ${y}²`,
  },
  relu: {
    apply: relu,
    slope: s => (s > 0 ? 1 : 0),
    formula: s => `max(${s}, 0)`,
    slopeFormula: s => `1 if ${s} > 0 else 0`,
  },
  linear: {
    apply: s => s,
    slope: () => 1,
    formula: s => s,
    slopeFormula: () => "1",
  },
  swish: {
    apply: swish,
    slope: (s, y) => y + number(sigmoid, s) * (1 - y),
    formula: s => `${s} / (1 + exp(-${s}))`,
    slopeFormula: s => `swish'(${s})`,
  },
  gelu: {
    apply: s => gelu(s),
    slope: s => below(s) + (s * number(exp, -0.5 * s * s)) / Math.sqrt(2 * Math.PI),
    formula: s => `gelu(${s})`,
    slopeFormula: s => `gelu'(${s})`,
  },
  "gelu by tanh": {
    apply: s => gelu(s, { approximate: "tanh" }),
    slope: s => {
      const h = number(tanh, GELU * (s + 0.044715 * s * s * s))
      return 0.5 * (1 + h) + 0.5 * s * (1 - h * h) * GELU * (1 + 3 * 0.044715 * s * s)
    },
    formula: s => `gelu(${s})`,
    slopeFormula: s => `gelu'(${s})`,
  },
} satisfies Record<string, Elementwise>

/** How a unit answers to its pre-activation s. */
export type ActivationName = keyof typeof elementwise | "softmax"
export const activationNames = [...Object.keys(elementwise), "softmax"] as readonly ActivationName[]

/** The rule of an elementwise activation; undefined for softmax, each output of which depends on all s. */
export const elementwiseOf = (name: ActivationName): Elementwise | undefined => (name === "softmax" ? undefined : elementwise[name])
export const activate = (name: ActivationName, s: Tensor): Tensor => (name === "softmax" ? softmax(s) : elementwise[name].apply(s))

/** The error of outputs y, or, where a loss is `joined` to an activation, of the pre-activations that go into that. */
interface LossRule {
  readonly loss: Loss
  /** dE/dy; for a joined loss dE/ds, with y the joined activation of s. */
  readonly slope: (y: number, t: number) => number
  /** What one output adds to E; "" if nothing. `target` is the number behind the symbol t. */
  readonly formula: (y: string, t: string, target: number) => string
  readonly slopeFormula: (y: string, t: string) => string
  /** The activation that belongs to the loss; together they have the derivative y - t, exact where y is near 0 or 1. */
  readonly joined?: "logistic" | "softmax"
}

const difference = (y: string, t: string): string => `${y} - ${t}`

export const losses = {
  "half squared error": {
    loss: halfSquaredError,
    slope: (y, t) => y - t,
    formula: (y, t) => `½ (${y} - ${t})²`,
    slopeFormula: difference,
  },
  "squared error": {
    loss: squaredError,
    slope: (y, t) => 2 * (y - t),
    formula: (y, t) => `(${y} - ${t})²`,
    slopeFormula: (y, t) => `2 (${y} - ${t})`,
  },
  "absolute error": {
    loss: absoluteError,
    slope: (y, t) => Math.sign(y - t),
    formula: (y, t) => `|${y} - ${t}|`,
    slopeFormula: (y, t) => `sign(${y} - ${t})`,
  },
  "binary cross-entropy": {
    loss: binaryCrossEntropy,
    slope: (y, t) => y - t,
    formula: (y, t, target) =>
      target === 1 ? `-log(${y})` : target === 0 ? `-log(1 - ${y})` : `-${t} log(${y}) - (1 - ${t}) log(1 - ${y})`,
    slopeFormula: difference,
    joined: "logistic",
  },
  "cross-entropy": {
    loss: crossEntropy,
    slope: (y, t) => y - t,
    formula: (y, t, target) => (target === 1 ? `-log(${y})` : target === 0 ? "" : `-${t} log(${y})`),
    slopeFormula: difference,
    joined: "softmax",
  },
} satisfies Record<string, LossRule>

/** How the error is computed; see `losses` of this file for the formulas. */
export type LossName = keyof typeof losses
export const lossNames = Object.keys(losses) as readonly LossName[]
export const lossOf = (name: LossName): LossRule => losses[name]
