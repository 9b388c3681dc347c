// What a diagnosis says, as plain data.
import type { Line } from "../source-line.ts"

/** What can be wrong with a gradient written by hand, if it is one of the mistakes that people make. */
export type MistakeKind =
  // factors
  | "sign"
  | "missingTwo"
  | "extraTwo"
  | "missingMean"
  | "extraMean"
  | "scaled"
  // whole arrays
  | "zero"
  | "transposed"
  | "oneScalar"
  | "firstEverywhere"
  | "lastEverywhere"
  | "swapped"
  | "absolute"
  | "clipped"
  | "weightDecay"
  | "shape"
  // sums
  | "batchSumMissing"
  | "firstExampleOnly"
  | "lastExampleOnly"
  | "firstOutputOnly"
  | "lastOutputOnly"
  | "wrongSumIndex"
  // activations
  | "noDerivative"
  | "derivativeAtOutput"
  | "outputFormulaAtInput"
  | "otherDerivative"
  | "invertedMask"
  | "valueForDerivative"
  | "derivativeTwice"
  | "softmaxElementwise"
  | "softmaxWithoutSum"
  | "targetLeftOut"
  | "targetSign"
  | "extraDerivative"
  // products
  | "sumForProduct"
  | "elementwise"
  | "notTransposed"
  | "inputNotTransposed"
  | "weightsLeftOut"
  | "inputLeftOut"
  | "wrongInput"
  | "factorLeftOut"
  | "shifted"
  // ways through the program
  | "pathLeftOut"
  | "pathSign"
  | "pathTwice"
  | "pathScaled"
  // none of these
  | "imprecise"
  | "unknown"

/** Some numbers to look at. */
export interface Evidence {
  readonly leaf: string
  readonly index: readonly number[]
  readonly yours: number
  readonly true: number
  /** yours / true */
  readonly ratio: number
}

export interface Mistake {
  readonly kind: MistakeKind
  /** Such as the number that a gradient is multiplied by, or the name of an activation. */
  readonly factor?: number
  readonly name?: string
  readonly other?: string
  /** Where N comes from, if the factor is a size. */
  readonly size?: string
}

export interface Finding {
  /** One mistake, or two that are made together. */
  readonly mistakes: readonly Mistake[]
  /** The layer: a scope such as `layers.0`, or the parameters that it has, such as `W1, b1`; empty where the whole gradient is meant. */
  readonly layer: string
  /** The operation of the forward pass that it is about, and the line that asks for it. */
  readonly operation: string
  readonly line?: Line
  /** The gradients that are wrong by it at its place, and those that are wrong because they come after it on the way back. */
  readonly leaves: readonly string[]
  readonly follow: readonly string[]
  readonly evidence: readonly Evidence[]
  /** Mistakes that would give the same numbers, at other inputs too. */
  readonly alternatives: readonly (readonly Mistake[])[]
  readonly sentence: string
  readonly remedy: string
}

/** One gradient that was compared. */
export interface LeafReport {
  /** Such as `W1` or `params.layers.0.w`. */
  readonly path: string
  readonly shape: readonly number[]
  readonly agrees: boolean
  /** The largest difference, relative to the largest element. */
  readonly difference: number
}

/** What `diagnose` found. Plain data; `renderDiagnosis` makes text of it. */
export interface Diagnosis {
  /** `undecided`: the reference itself could not be confirmed by differences; `reason` says why. */
  readonly verdict: "right" | "wrong" | "undecided"
  readonly reason: string
  readonly leaves: readonly LeafReport[]
  /** From the loss backwards. */
  readonly findings: readonly Finding[]
  /** At how many inputs yours, the reference and the explanations were compared. */
  readonly points: number
  readonly dtype: "f32" | "f64"
}
