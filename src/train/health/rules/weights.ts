// Matrices of weights: too large or too small at the start, grown or shrunk by training, equal units.
import { type Finding, finding } from "../finding.ts"
import type { Evidence } from "../messages.ts"
import { fanIn, gain, ofGlorot, type View } from "../view.ts"
import type { LeafVitals } from "../vitals.ts"

const T = {
  /** rms(w) sqrt(inputs) before training: 1.41 for He, at most that for Glorot, 1 for LeCun; standard normal has sqrt(inputs). */
  gainLarge: 5,
  /** The same once trained: small networks grow to 15, so it has to do harm as well. */
  gainGrown: 25,
  /** rms(w) over Glorot's: 1 for Glorot, 0.5 for PyTorch's default, never below 0.4 for any initializer. */
  gainSmall: 0.05,
  /** For the last layer, which some start near 0 on purpose. */
  gainSmallLast: 0.005,
} as const

/** Whether there were weights too large before any update. */
export const startedLarge = (v: View): boolean => v.h.fromStart && v.matrices.some(l => gain(v.leaf(l.path, v.first)) > T.gainLarge)
/** Whether a matrix is large enough for an update to be compared with it. */
export const isUsual = (l: LeafVitals): boolean => ofGlorot(l) > 2 * T.gainSmall

/** Matrices that say something by their size. */
const sizable = (v: View): LeafVitals[] => v.matrices.filter(l => l.shape.reduce((a, b) => a * b, 1) >= 4)
const evidenceOf = (l: LeafVitals, start = l): Evidence => ({ rms: l.rms, inputs: fanIn(l), gain: gain(l), first: start.rms })

/** Weights too large or too small before any update: the initializer. */
export function startingWeights(v: View): Finding[] {
  if (!v.atStart) return []
  const all = sizable(v)
  const small = (l: LeafVitals): boolean => l.rms > 0 && ofGlorot(l) < (l === all.at(-1) ? T.gainSmallLast : T.gainSmall)
  return [
    ...all.filter(l => gain(l) > T.gainLarge).map(l => finding("weights too large", l.place, "weight", evidenceOf(l))),
    ...all.filter(small).map(l => finding("weights too small", l.place, "weight", evidenceOf(l))),
  ]
}

/** Weights that have grown or shrunk while nothing was learned. */
export function movedWeights(v: View): Finding[] {
  if (v.atStart || v.learned) return []
  const found: Finding[] = []
  for (const l of sizable(v)) {
    const start = v.h.fromStart ? v.leaf(l.path, v.first) : undefined
    if (gain(l) > T.gainGrown && !(start && gain(start) > T.gainLarge))
      found.push(finding("weights too large", l.place, "learning rate", evidenceOf(l, start), "weights grown"))
    if (start && start.rms > 0 && l.rms < T.gainSmall * start.rms && ofGlorot(l) < T.gainSmall)
      found.push(
        finding("weights too small", l.place, v.h.weightDecay ? "weight decay" : "learning rate", evidenceOf(l, start), "weights shrunk"),
      )
  }
  return found
}

/** Units that have had an update and are still equal will stay so. */
export function symmetry(v: View): Finding[] {
  if (v.atStart || (!v.h.fromStart && v.h.looks.length === 1)) return []
  return v.matrices
    .filter(l => l.equal && !l.path.endsWith("wh"))
    .map(l => finding("symmetry", l.place, "weight", { units: l.shape.at(-1)!, rms: l.rms }))
}
