// Gradients on their way back through layers and time steps: vanishing and exploding, and by what.
import { type Finding, finding } from "../finding.ts"
import { gain, median, type View } from "../view.ts"
import { isActivation, type LeafVitals, type SiteVitals } from "../vitals.ts"

const T = {
  /** Norm of the gradient behind the first layer over that behind the last. Five layers of logistic units have 1e-3. */
  vanishing: 1e-4,
  /** Healthy networks stay below 50. */
  exploding: 1e3,
  /** Below this the loss says that all is well. */
  learnedWell: 0.3,
} as const

interface Link {
  readonly site: SiteVitals
  readonly group: "activation derivative" | "weight"
  /** The gradient before the layer over that behind it, or the other way round where it vanishes. */
  readonly factor: number
}

/** Reads the gradients behind each layer of the chain, unless the loss says that all is well: the share of each kind of layer, and the worst one. */
export function depth(v: View): Finding[] {
  const { chain } = v
  const [head, tail] = [chain[0], chain.at(-1)]
  if (!head) return depthOfMatrices(v)
  if (!tail || head === tail || !(tail.gradient > 0) || !Number.isFinite(head.gradient)) return []
  const total = head.gradient / tail.gradient
  if (!(total < T.vanishing || total > T.exploding) || v.progress < T.learnedWell) return []
  const way = total < 1 ? "vanishing" : "exploding"
  const size = Math.min(BLOCKED, way === "exploding" ? total : 1 / total)
  // a last layer may start at 0: nothing goes back through it before its first update
  if (v.atStart && v.matrices.some(l => l.rms === 0)) return []
  const links = linksOf(v, way)
  const share = (group: Link["group"]): number => links.reduce((p, l) => (l.group === group ? p * l.factor : p), 1)
  const [byActivations, byWeights] = [share("activation derivative"), share("weight")]
  const cause = byActivations > byWeights ? "activation derivative" : "weight"
  const group = links.filter(l => l.group === cause)
  const largest = group.reduce((a, l) => (l.factor > a.factor ? l : a))
  // behind a layer that lets nothing through there is nothing to compare: the first one that is flat has made the others so
  const silent = largest.factor === BLOCKED ? group.find(l => l.site.flat! > 0.99) : undefined
  const worst = silent ?? largest
  const alone = silent !== undefined || worst.factor ** 2 > size
  const told = (factor: number): number => (way === "exploding" ? factor : 1 / factor)
  const evidence = {
    ratio: total,
    layers: links.length + 1,
    byActivations: told(byActivations),
    byWeights: told(byWeights),
    worst: told(worst.factor),
  }
  const shared = way === "vanishing" ? head : group.find(l => l.factor > 1)!.site
  return [finding(way, (alone ? worst.site : shared).place, cause, evidence)]
}

function linksOf(v: View, way: "vanishing" | "exploding"): Link[] {
  return v.chain.slice(1).map(site => {
    const factor = v.before(site)!.gradient / site.gradient
    const group = isActivation(site.kind) || site.kind === "softmax" ? "activation derivative" : "weight"
    // a layer that lets nothing through is as bad as can be, but a number
    return { site, group, factor: Math.min(BLOCKED, way === "exploding" ? factor : 1 / factor) || 1 }
  })
}
const BLOCKED = 1e30

/** As `depth`, for models that show no layers: the gradient of the first matrix over that of the last. */
function depthOfMatrices(v: View): Finding[] {
  const norm = (l: LeafVitals | undefined): number => (l ? l.gradient * Math.sqrt(l.shape.reduce((a, b) => a * b, 1)) : 0)
  const [head, tail] = [v.matrices[0], v.matrices.at(-1)]
  const total = norm(head) / norm(tail)
  if (!head || !(norm(tail) > 0) || !(total < T.vanishing || total > T.exploding) || v.progress < T.learnedWell) return []
  const usual = median(v.matrices.map(gain))
  const way = total < 1 ? "vanishing" : "exploding"
  const cause = way === "exploding" || usual < 0.5 ? "weight" : "activation derivative"
  return [finding(way, head.path, cause, { ratio: total, gain: usual, layers: v.matrices.length }, `${way} in matrices`)]
}

/** Reads the gradient at the first time step of recurrent layers over that at the last. */
export function time(v: View): Finding[] {
  return v.last.sites
    .filter(s => s.growth !== undefined && s.growth > T.exploding)
    .map(s => finding("exploding", s.place, "weight", { ratio: s.growth! }, "exploding in time"))
}
