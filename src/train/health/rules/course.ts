// The course of the loss, and the length of the steps: divergence, rates, plateaus.
import { type Cause, type Finding, finding } from "../finding.ts"
import { median, PATIENCE, ratio, type View } from "../view.ts"
import { inputScale, targetScale } from "./data.ts"
import { isUsual, startedLarge } from "./weights.ts"

const T = {
  /** Loss over that of the first steps: an increase that no batch explains. */
  diverged: 3,
  /** A block of steps above the first loss by this factor. */
  spike: 3,
  /** An update over its weights: 1e-3 is usual, Adam's first ones reach 0.3. */
  updateLarge: 1,
  /** No first step of a training that learns is as long. */
  updateHuge: 3,
  /** Large enough to explain a loss that does not fall. */
  updateSuspect: 0.03,
  /** Steps before the loss says anything about long updates. */
  settled: 10,
  /** Update over weights times steps: by how much the weights could have moved so far. */
  movedLittle: 0.1,
  /** Loss of the last quarter over that of the first: above this what was learned may be chance. */
  learnedLittle: 0.95,
} as const

/** Reads the loss now over that of the start, and whether it falls below what a loss can be. */
export function divergence(v: View): Finding[] {
  const { losses } = v.h
  const [start, now, best] = [losses.start(), losses.now(), losses.best()]
  const evidence = { start, now, best, ratio: largestRatio(v) }
  if (now < 0 && start - now > 10 * Math.abs(start) + 10) return [finding("divergence", undefined, "loss", evidence, "no lower bound")]
  if (v.h.looks.length < 2 || !(now > T.diverged * Math.max(start, best) && now > 0)) return []
  return [finding("divergence", undefined, whyDiverged(v), evidence)]
}

/** What makes steps too long: data or weights of another size than usual, else the rate itself. */
export function whyDiverged(v: View): Cause {
  if (inputScale(v).length) return "input scale"
  if (targetScale(v).length) return "targets"
  if (startedLarge(v)) return "weight"
  return "learning rate"
}

/** The largest update over weights of any matrix of usual size, in any look. */
export const largestRatio = (v: View): number => longest(v).ratio
function longest(v: View): { place: string; ratio: number } {
  const usual = v.matrices.filter(l => isUsual(v.leaf(l.path, v.first)))
  const ratios = v.h.looks.flatMap(look => usual.map(l => ({ place: l.place, ratio: ratio(v.leaf(l.path, look)) })))
  return ratios.reduce((a, b) => (b.ratio > a.ratio && b.ratio < Infinity ? b : a), { place: "", ratio: 0 })
}

/** Whether something has been found, now or before, that explains a loss that does not fall. */
const explained = (v: View, found: readonly Finding[]): boolean =>
  [...v.h.told, ...found.map(f => f.kind)].some(kind => kind !== "constant input")

/** Reads the longest update over its weights, and whether the loss says that it did harm. */
export function rateTooHigh(v: View, found: readonly Finding[]): Finding[] {
  const { losses } = v.h
  const { place, ratio } = longest(v)
  const spiked = losses.steps > T.settled && losses.worst() > T.spike * losses.first && losses.now() > 0.5 * losses.first
  // the first steps of tiny networks may be long, and do no harm
  const long = ratio > T.updateHuge || (ratio > T.updateLarge && losses.steps >= T.settled && !v.learned)
  const suspect = ratio > T.updateSuspect && (spiked || v.stands) && !explained(v, found)
  if (!long && !suspect) return []
  return [finding("rate too high", place, "learning rate", { ratio, start: losses.start(), now: losses.now(), worst: losses.worst() })]
}

/** Reads how far all steps together can have moved the weights, where nothing else explains a loss that stands. */
export function rateTooLow(v: View, found: readonly Finding[]): Finding[] {
  const { looks, losses } = v.h
  const most = median(v.matrices.map(l => Math.max(...looks.map(look => ratio(v.leaf(l.path, look))))))
  const moved = most * losses.steps
  if (losses.steps < PATIENCE || !(moved < T.movedLittle) || losses.late() < T.learnedLittle * losses.early() || explained(v, found))
    return []
  return [finding("rate too low", undefined, "learning rate", { ratio: most, moved, start: losses.early(), now: losses.late() })]
}

/** A loss that does not fall although there was time. */
export function standing(v: View, found: readonly Finding[]): Finding[] {
  const { losses, baseline } = v.h
  if (!v.stands) return []
  const evidence = { start: losses.start(), now: losses.now(), ...(baseline !== undefined && { baseline }), steps: losses.steps }
  const stiff = found.find(f => f.kind === "saturation")
  if (stiff) return [finding("paralysis", stiff.layer, stiff.cause, { ...evidence, share: stiff.evidence.share! })]
  return explained(v, found) ? [] : [finding("plateau", undefined, "unknown", evidence)]
}
