// What `explainNetwork` gives: plain data, which `renderText` prints and JSON keeps.

/** Something computed, with the formula as one would write it on the board. */
export interface Quantity {
  /** Such as `dE/dy`. */
  readonly symbol: string
  /** Such as `y - t`. */
  readonly formula: string
  /** The formula with numbers in the place of symbols, rounded to 7 digits; left out where that shows nothing. */
  readonly numbers?: string
  /** In full precision. */
  readonly value: number
  /** What a sum consists of, at most 6 terms; of long sums the largest ones, and of backward sums those first. */
  readonly terms?: readonly Term[]
  /** How many terms were left out, and their sum. */
  readonly rest?: { readonly count: number; readonly value: number }
}

export interface Term {
  /** Such as `w1[0,2]·dE/ds1[2]`. */
  readonly formula: string
  readonly numbers: string
  readonly value: number
}

/** A derivative computed by its formula, and measured. */
export interface Factor extends Quantity {
  /** The same derivative by central differences. */
  readonly check: number
  /** |value - check| */
  readonly difference: number
}

/** The forward values of one layer, of the units that the explanation is about. */
export interface LayerExplanation {
  /** Such as `layers.0`. */
  readonly path: string
  readonly activation: string
  /** How many units it has. */
  readonly units: number
  readonly quantities: readonly Quantity[]
}

/** dE/ds of one unit: the product of its factors. */
export interface DeltaExplanation extends Factor {
  readonly path: string
  readonly unit: number
  readonly factors: readonly Factor[]
  /** Whether a weight that is explained leads to this unit. */
  readonly own: boolean
}

/** A change of one weight, and what it does to the error. */
export interface Change {
  readonly change: number
  /** Slope times change: true to first order. */
  readonly predicted: number
  /** The error after the change minus the error before. */
  readonly actual: number
}

/** What a slope says. */
export interface Reading {
  readonly sign: "positive" | "negative" | "zero"
  /** What a step downhill does to the weight. */
  readonly step: "lower" | "raise" | "keep"
  /** |gradient| relative to the largest |gradient| of the network, from 0 to 1. */
  readonly share: number
  /** 1 for the steepest parameter of the network. */
  readonly rank: number
  /** The first factor that is 0, if there is one: why the slope is 0. */
  readonly blockedBy?: string
  readonly sentence: string
}

export interface WeightExplanation {
  /** Such as `layers.0.w[3,1]`. */
  readonly path: string
  /** Such as `w0[3,1]`. */
  readonly symbol: string
  readonly value: number
  /** The symbol of the delta that reaches the weight: that of the unit it leads to. */
  readonly delta: string
  /** The chain from the error to the weight. */
  readonly factors: readonly Factor[]
  /** The product of the factors: dE/dw. */
  readonly product: number
  /** dE/dw by adjoint's `grad`, that is, reverse mode through the whole network. */
  readonly gradient: number
  /** dE/dw by central differences of the whole network's error. */
  readonly finiteDifference: number
  /** The larger of |product - gradient| and |product - finiteDifference|. */
  readonly difference: number
  readonly reading: Reading
  /** w - learningRate * gradient */
  readonly update: { readonly before: number; readonly after: number }
  /** This weight's update alone. */
  readonly step: Change
  /** What would happen if the weight grew by 1: slopes are about small changes. */
  readonly plusOne: Change
}

/** A gradient taken apart: forward values, factors, products, checks, readings, updates. All numbers are f64. */
export interface NetworkExplanation {
  readonly network: {
    /** [in, units of each layer ...] */
    readonly sizes: readonly number[]
    readonly activations: readonly string[]
    readonly loss: string
    readonly reduction: "sum" | "mean"
    readonly parameters: number
  }
  readonly x: readonly number[]
  /** [out]; a class number has become one-hot. */
  readonly target: readonly number[]
  readonly learningRate: number
  readonly forward: readonly LayerExplanation[]
  readonly error: Quantity
  /** From the output backwards to the layer of the first explained weight. */
  readonly deltas: readonly DeltaExplanation[]
  readonly weights: readonly WeightExplanation[]
  /** The step w - learningRate * gradient of all parameters of the network at once. */
  readonly update: { readonly before: number; readonly after: number; readonly predicted: number; readonly actual: number }
  /** Whether all checks agree: to 1e-6, and to 1e-12 with `grad`. Differences across a kink, as of relu at 0, do not. */
  readonly agrees: boolean
}
