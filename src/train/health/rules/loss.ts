// The loss against the last layer and the targets: what it takes, what it gets.
import { type Finding, finding } from "../finding.ts"
import type { Evidence } from "../messages.ts"
import type { View } from "../view.ts"

/** Where the outputs of a layer can be. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  logistic: [0, 1],
  hardSigmoid: [0, 1],
  softmax: [0, 1],
  tanh: [-1, 1],
  softsign: [-1, 1],
  hardTanh: [-1, 1],
  relu: [0, Infinity],
  relu6: [0, 6],
  softplus: [0, Infinity],
  logSigmoid: [-Infinity, 0],
  logSoftmax: [-Infinity, 0],
}
/** Losses that take logits, any numbers. */
const FROM_LOGITS = ["crossEntropy", "binaryCrossEntropy", "klDivergence", "focal", "binaryFocal"]
/** Losses of outputs that should come near the targets themselves. */
const OF_NUMBERS = ["squaredError", "halfSquaredError", "absoluteError", "huber", "smoothL1", "logCosh"]

/** Reads the names of the losses, the last layer, the range of its outputs and that of the targets; the first that does not fit is told. */
export function wrongLoss(v: View): Finding[] {
  const { loss, targets } = v.h
  const { output } = v.last
  const site = v.chain.at(-1)
  const layer = site?.place
  const wrong = (what: string, evidence: Evidence): Finding[] => [
    finding("wrong loss", layer, what.startsWith("targets") ? "targets" : "loss", evidence, what),
  ]
  const [low, high] = RANGES[site?.kind ?? ""] ?? [-Infinity, Infinity]
  const logits = FROM_LOGITS.find(name => loss.names.has(name))
  const seen = { low: output.low, high: output.high }
  if (logits) {
    const classes = output.units
    if ((logits === "crossEntropy" || logits === "focal") && !targets.floating && (targets.low < 0 || targets.high >= classes))
      return wrong("targets no classes", { low: targets.low, high: targets.high, classes })
    if ((logits === "crossEntropy" || logits === "klDivergence") && classes === 1) return wrong("one class", { classes })
    if (output.distributions && site?.kind !== "logSoftmax") return wrong("softmax twice", seen)
    if (site?.kind !== "logSoftmax" && (Number.isFinite(low) || Number.isFinite(high))) return wrong("logits limited", { low, high })
    if (!v.first.sites.length && low === -Infinity && output.low >= 0 && output.high <= 1 && output.rms > 0.3)
      return wrong("logits limited", seen)
    if (logits.startsWith("binary") && (targets.low < 0 || targets.high > 1))
      return wrong("targets no probabilities", { low: targets.low, high: targets.high })
    if (logits === "crossEntropy" && targets.floating && (targets.sums[0] < 0.99 || targets.sums[1] > 1.01))
      return wrong("targets no distributions", { least: targets.sums[0], most: targets.sums[1] })
  }
  if (OF_NUMBERS.some(name => loss.names.has(name)) && (targets.low < low - 1e-6 || targets.high > high + 1e-6))
    return wrong("targets out of reach", { low, high, least: targets.low, most: targets.high })
  if (loss.names.has("hinge") && targets.low >= 0) return wrong("targets not signed", { low: targets.low, high: targets.high })
  if (loss.names.has("poissonNll") && targets.low < 0) return wrong("targets no counts", { low: targets.low, high: targets.high })
  return []
}
