// Inputs and targets: numbers that are not finite, sizes that no layer is made for, features that tell nothing.
import type { Feature } from "../facts.ts"
import { type Finding, finding } from "../finding.ts"
import { rmsOfFeatures, type View } from "../view.ts"

const T = {
  /** Largest rms of a feature. Standardised features have 1, pixels and one-hot vectors less, healthy raw measurements up to about 6. */
  inputScale: 12,
  /** |mean| / std of a feature that is not near 0: its offset is then most of what the first layer sees. Raw iris has 7. */
  inputOffset: 20,
  /** Largest |x|: inputs in the thousandths move no pre-activation. */
  inputTiny: 0.02,
  /** rms of numeric targets: outputs begin near 1. House prices in thousands have 25. */
  targetScale: 100,
} as const

/** NaN and infinities in the rows. */
export function notFinite({ h: { inputs, targets } }: View): Finding[] {
  const found: Finding[] = []
  if (inputs.notFinite) found.push(finding("not finite", "input", "inputs", { count: inputs.notFinite }, "input not finite"))
  if (targets.notFinite) found.push(finding("not finite", "targets", "targets", { count: targets.notFinite }, "target not finite"))
  return found
}

/** The layer that reads the inputs. */
const firstLayer = (v: View): string | undefined => v.chain[0]?.place ?? v.last.leaves[0]?.place

/** Layers that bring what they read to a size of their own. */
const NORMS = new Set(["batchNorm", "layerNorm", "rmsNorm", "groupNorm"])

/** Features that are large, far from 0 or all tiny. */
export function inputScale(v: View): Finding[] {
  const { inputs } = v.h
  const [site] = v.chain
  if (!inputs.floating || inputs.features.length === 0 || (site && NORMS.has(site.kind))) return []
  const told = (f: Feature, what: string): Finding[] => {
    const evidence = { feature: f.index, mean: f.mean, std: f.std, largest: inputs.high }
    return [finding("input scale", firstLayer(v), "input scale", evidence, what)]
  }
  const size = (f: Feature): number => Math.sqrt(f.mean ** 2 + f.std ** 2)
  const varying = inputs.features.filter(f => f.constant === undefined)
  const largest = varying.reduce((a, f) => (size(f) > size(a) ? f : a), varying[0] ?? { index: 0, mean: 0, std: 0 })
  // a layer without weights in front may scale the inputs: then its outputs are what counts
  const rescaled = site !== undefined && v.matrixAt(site.place) === undefined
  if (rescaled ? site.rms > T.inputScale : size(largest) > T.inputScale) return told(largest, "inputs large")
  if (rescaled || varying.length === 0) return []
  const offset = (f: Feature): number => (Math.abs(f.mean) > 3 ? Math.abs(f.mean) / f.std : 0)
  const shifted = varying.reduce((a, f) => (offset(f) > offset(a) ? f : a), largest)
  if (offset(shifted) > T.inputOffset) return told(shifted, "inputs shifted")
  if (Math.max(Math.abs(inputs.low), Math.abs(inputs.high)) < T.inputTiny) return told(largest, "inputs tiny")
  return []
}

/** Features that have one value in all rows. */
export function constantInput(v: View): Finding[] {
  const constants = v.h.inputs.features.filter(f => f.constant !== undefined)
  const [first] = constants
  if (!first) return []
  const evidence = { feature: first.index, value: first.constant!, count: constants.length }
  return [finding("constant input", firstLayer(v), "inputs", evidence)]
}

/** Numeric targets much larger than outputs are at the start; counts may be. */
export function targetScale(v: View): Finding[] {
  const { targets, loss } = v.h
  const scale = rmsOfFeatures(targets.features)
  if (!(scale > T.targetScale) || loss.names.has("poissonNll")) return []
  return [finding("target scale", v.chain.at(-1)?.place, "targets", { rms: scale, low: targets.low, high: targets.high })]
}
