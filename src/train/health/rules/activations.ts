// Outputs of activations: saturated elements of bounded ones, dead units of the others, and why.
import { type Cause, type Finding, finding } from "../finding.ts"
import type { Evidence } from "../messages.ts"
import { gain, type View } from "../view.ts"
import { BOUNDED, type SiteVitals } from "../vitals.ts"

const T = {
  /** Share of elements of a bounded activation with almost no derivative; a random start has less than 0.1. */
  saturatedAtStart: 0.5,
  /** Learned units saturate too, so later it takes more, and a loss that has not fallen. */
  saturated: 0.7,
  /** Share of units without derivative for any example. Trained rectified networks reach 0.4. */
  dead: 0.6,
  /** Dead whatever the loss does. */
  deadForSure: 0.9,
  /** Examples that a unit has to be silent for. */
  deadExamples: 128,
} as const

/** Why the pre-activations of a site are as large as they are. */
function causeOf(v: View, site: SiteVitals, moved: boolean): { cause: Cause; evidence: Evidence } {
  const layer = v.before(site)
  const w = v.matrixAt(layer?.place)
  const reads = layer ? v.readBy(layer) : v.readBy(site)
  const bias = v.last.leaves.find(l => l.place === layer?.place && l.shape.length === 1)?.rms ?? 0
  const evidence = { reads, gain: w ? gain(w) : 0, bias }
  if (w?.rms === 0) return { cause: "weight", evidence }
  if (w && bias > reads * gain(w)) return { cause: moved ? "learning rate" : "bias", evidence }
  if (moved) return { cause: "learning rate", evidence }
  const isFirst = layer === undefined || layer.from < 0
  return { cause: isFirst && reads > (w ? gain(w) : 0) ? "input scale" : "weight", evidence }
}

/** Reads how flat each activation is, and for unbounded ones which units were silent for enough examples. */
export function activations(v: View): Finding[] {
  const found: Finding[] = []
  for (const [i, site] of v.last.sites.entries()) {
    if (site.flat === undefined) continue
    const before = v.h.fromStart ? v.first.sites[i]!.flat! : 1
    if (BOUNDED.has(site.kind)) {
      const bad = v.atStart ? site.flat > T.saturatedAtStart : site.flat > T.saturated && !v.learned
      if (!bad) continue
      const { cause, evidence } = causeOf(v, site, !v.atStart && before < 0.3)
      found.push(finding("saturation", site.place, cause, { share: site.flat, ...evidence }))
      continue
    }
    const layer = v.before(site)
    if (layer && v.before(layer)?.rms === 0) continue // it hears nothing: the fault is before it
    const share = deadShare(v, i)
    if (share === undefined || !(share > T.deadForSure || (share > T.dead && !v.learned))) continue
    const start = v.h.fromStart ? shareOf(v.first.sites[i]!.stuck!) : 1
    const { cause, evidence } = causeOf(v, site, !v.atStart && start < 0.5)
    found.push(finding("dead units", site.place, cause, { share, units: site.stuck!.length, ...evidence }))
  }
  return found
}
const shareOf = (xs: readonly boolean[]): number => xs.filter(Boolean).length / xs.length

/** Share of the units that were silent in all the last looks, if those have seen enough examples. */
function deadShare(v: View, i: number): number | undefined {
  const { looks, batch, rows } = v.h
  const wanted = Math.min(T.deadExamples, rows)
  const later = looks.length > 1 && v.h.fromStart ? looks.slice(1) : looks
  const window = later.slice(-Math.ceil(wanted / batch))
  if (window.length * batch < wanted) return undefined
  return shareOf(window[0]!.sites[i]!.stuck!.map((_, u) => window.every(look => look.sites[i]!.stuck![u])))
}
