// From what was measured to what is wrong: each finding names a layer, the factor that causes it, the evidence and what to try.
import { type Finding, finding, KINDS } from "./finding.ts"
import type { Origin } from "./origin.ts"
import { activations } from "./rules/activations.ts"
import { divergence, largestRatio, rateTooHigh, rateTooLow, standing, whyDiverged } from "./rules/course.ts"
import { constantInput, inputScale, notFinite, targetScale } from "./rules/data.ts"
import { depth, time } from "./rules/gradients.ts"
import { wrongLoss } from "./rules/loss.ts"
import { movedWeights, startingWeights, symmetry } from "./rules/weights.ts"
import { type History, View } from "./view.ts"

const RULES: readonly ((v: View) => Finding[])[] = [
  ...[notFinite, inputScale, constantInput, targetScale],
  wrongLoss,
  ...[startingWeights, movedWeights, symmetry],
  ...[depth, time],
  activations,
  divergence,
]
/** Rules that say nothing where what has been found explains the training; each sees what those before it found. */
const OTHERWISE: readonly ((v: View, found: readonly Finding[]) => Finding[])[] = [rateTooHigh, rateTooLow, standing]

/** What the rules find in the last look and what went before, worst first. */
export function judge(h: History): Finding[] {
  const v = new View(h)
  const found = RULES.flatMap(rule => rule(v))
  for (const rule of OTHERWISE) found.push(...rule(v, found))
  return found.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
}

/** Numbers beyond these come from growth over many steps, not from one operation. */
const GROWN = 1e12

/** What is known of a loss that is no number at step `step`. */
export function divergedFinding(h: History, step: number, loss: number, origin: Origin | undefined): Finding {
  const v = new View(h)
  const bad = notFinite(v)[0] ?? wrongLoss(v).find(f => f.cause === "targets")
  if (bad) return bad
  const sick = v.fromNothing
  if (sick !== undefined) return finding("not finite", sick, "weight", { step, loss }, "weights not finite")
  if (!origin) return finding("divergence", undefined, whyDiverged(v), { step, loss, ratio: largestRatio(v) }, "no number")
  const { operation, operands } = origin
  const largest = Math.max(...operands.flat().map(Math.abs).filter(Number.isFinite))
  const layer = origin.layer || undefined
  const [low, high] = operands.at(-1) ?? [Number.NaN, Number.NaN]
  const evidence = { step, low, high, largest, ratio: largestRatio(v), first: h.losses.first }
  if (largest > GROWN) return finding("divergence", layer, whyDiverged(v), evidence, "overflow")
  return finding("not finite", layer, "operation", evidence, "origin", `${operation} ${origin.phase}`)
}
