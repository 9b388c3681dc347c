// What can be found to be wrong with a training, and how it is told.
import { type Evidence, sentences } from "./messages.ts"

/** Worst first. */
export const KINDS = [
  "not finite",
  "divergence",
  "wrong loss",
  "symmetry",
  "weights too large",
  "weights too small",
  "input scale",
  "target scale",
  "exploding",
  "vanishing",
  "paralysis",
  "dead units",
  "saturation",
  "rate too high",
  "rate too low",
  "constant input",
  "plateau",
] as const
export type FindingKind = (typeof KINDS)[number]
export type Cause =
  | "activation derivative"
  | "weight"
  | "bias"
  | "input scale"
  | "learning rate"
  | "weight decay"
  | "loss"
  | "inputs"
  | "targets"
  | "operation"
  | "unknown"

/** Something that is wrong with a training. */
export interface Finding {
  readonly kind: FindingKind
  /** Where, such as `layers.2`; absent where it is the training as a whole, its data or its loss. */
  readonly layer?: string
  readonly cause: Cause
  /** The numbers that say so. */
  readonly evidence: Evidence
  readonly message: string
  /** What to try. */
  readonly advice: string
}

/** A finding in words; `what` names its sentences. */
export const finding = (
  kind: FindingKind,
  layer: string | undefined,
  cause: Cause,
  evidence: Evidence,
  what: string = kind,
  detail = "",
): Finding => {
  const [message, advice] = sentences(what, layer, detail || cause, evidence)
  return { kind, ...(layer !== undefined && { layer }), cause, evidence, message, advice }
}
