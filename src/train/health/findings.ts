// Rules from what was measured to what is wrong: each names a layer, the factor that causes it, the evidence and what to try.
import type { Facts, Feature } from "./facts.ts"
import type { LossHistory, LossParts } from "./losses.ts"
import { type Evidence, sentences } from "./messages.ts"
import type { Origin } from "./origin.ts"
import { BOUNDED, isActivation, type LeafVitals, type SiteVitals, type Vitals } from "./vitals.ts"

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

/** All thresholds, each with its reason. Healthy means: of the healthy trainings in health.test.ts. */
export const THRESHOLDS = {
  /** Largest rms of a feature. Standardised features have 1, pixels and one-hot vectors less, healthy raw measurements up to about 6. */
  inputScale: 12,
  /** |mean| / std of a feature that is not near 0: its offset is then most of what the first layer sees. Raw iris has 7. */
  inputOffset: 20,
  /** Largest |x|: inputs in the thousandths move no pre-activation. */
  inputTiny: 0.02,
  /** rms of numeric targets: outputs begin near 1. House prices in thousands have 25. */
  targetScale: 100,
  /** rms(w) sqrt(inputs) before training: 1.41 for He, at most that for Glorot, 1 for LeCun; standard normal has sqrt(inputs). */
  gainLarge: 5,
  /** The same once trained: small networks grow to 15, so it has to do harm as well. */
  gainGrown: 25,
  /** rms(w) over Glorot's: 1 for Glorot, 0.5 for PyTorch's default, never below 0.4 for any initializer. */
  gainSmall: 0.05,
  /** For the last layer, which some start near 0 on purpose. */
  gainSmallLast: 0.005,
  /** Norm of the gradient behind the first layer over that behind the last. Five layers of logistic units have 1e-3. */
  vanishing: 1e-4,
  /** Healthy networks stay below 50. */
  exploding: 1e3,
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
  /** An update over its weights: 1e-3 is usual, Adam's first ones reach 0.3. */
  updateLarge: 1,
  /** No first step of a training that learns is as long. */
  updateHuge: 3,
  /** Steps before the loss says anything about long updates. */
  settled: 10,
  /** Large enough to explain a loss that does not fall. */
  updateSuspect: 0.03,
  /** Update over weights times steps: by how much the weights could have moved so far. */
  movedLittle: 0.1,
  /** Loss over that of the first steps: an increase that no batch explains. */
  diverged: 3,
  /** A block of steps above the first loss by this factor. */
  spike: 3,
  /** Loss over that of the best constant answer, or of the start: nothing learned. */
  nothingLearned: 0.98,
  /** Loss over that in the middle of the training: less is still falling. */
  falling: 0.95,
  /** Loss of the last quarter over that of the first: above this what was learned may be chance. */
  learnedLittle: 0.95,
  /** Below this it has learned something. */
  learned: 0.8,
  /** Below this the loss says that all is well. */
  learnedWell: 0.3,
  /** Steps before nothing learned means anything: at the end of a training, and before. */
  patience: 100,
  patienceBefore: 2000,
} as const
const T = THRESHOLDS

/** All that the rules know. */
export interface History {
  readonly inputs: Facts
  readonly targets: Facts
  readonly loss: LossParts
  /** Of the best constant answer. */
  readonly baseline: number | undefined
  readonly losses: LossHistory
  /** The first one is that of the start where `fromStart`; at least one. */
  readonly looks: readonly Vitals[]
  readonly fromStart: boolean
  readonly batch: number
  readonly rows: number
  readonly weightDecay: boolean
  /** The training has ended. */
  readonly final: boolean
  /** Kinds that have been found before. */
  readonly told: ReadonlySet<FindingKind>
}

/** A finding in words. */
const finding = (
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

/** What the rules find in the last look and what went before, worst first. */
export function judge(h: History): Finding[] {
  const found = [data, wrongLoss, weights, symmetry, depth, time, activations, divergence].flatMap(rule => rule(new View(h)))
  const all = [...found, ...rates(new View(h), found)]
  all.push(...standing(new View(h), all))
  return all.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
}

/** A history with what several rules ask for. */
class View {
  readonly h: History
  readonly first: Vitals
  readonly last: Vitals
  constructor(h: History) {
    this.h = h
    this.first = h.looks[0]!
    this.last = h.looks.at(-1)!
  }
  /** Whether this look is the one before any update. */
  get atStart(): boolean {
    return this.h.fromStart && this.h.looks.length === 1
  }
  /** The loss over what could be reached without learning anything. */
  get progress(): number {
    const { losses, baseline } = this.h
    const reference = Math.min(losses.start(), baseline !== undefined && baseline > 0 ? baseline : Infinity)
    return reference > 0 ? losses.now() / reference : losses.now() < reference ? 0 : 1
  }
  get learned(): boolean {
    return this.progress < T.learned
  }
  get longEnough(): boolean {
    return this.h.losses.steps >= (this.h.final ? T.patience : T.patienceBefore)
  }
  /** Nothing was learned, and it does not look as if anything would be: a loss that still falls is on its way. */
  get stands(): boolean {
    const { losses } = this.h
    return this.longEnough && this.progress > T.nothingLearned && losses.now() > T.falling * losses.halfway()
  }
  /** Sites of the chain that every gradient goes through. */
  get chain(): readonly SiteVitals[] {
    return this.last.sites.filter(s => !s.inner)
  }
  /** The site that site s reads. */
  before(s: SiteVitals): SiteVitals | undefined {
    return this.last.sites[s.from]
  }
  /** Size of what a site reads. */
  readBy(s: SiteVitals): number {
    return this.before(s)?.rms ?? rmsOfFeatures(this.h.inputs.features)
  }
  /** Matrices; tables of embeddings are no weights that inputs are multiplied by. */
  get matrices(): readonly LeafVitals[] {
    const tables = new Set(this.last.sites.filter(s => s.kind === "embedding" || s.kind === "positionalEmbedding").map(s => s.place))
    return this.last.leaves.filter(l => l.shape.length >= 2 && !tables.has(l.place))
  }
  /** The place of the first weights that were NaN or infinite before any update. */
  get fromNothing(): string | undefined {
    const bad = this.h.fromStart ? this.first.leaves.find(l => !Number.isFinite(l.rms)) : undefined
    return bad && (bad.place || bad.path)
  }
  leaf(path: string, look = this.last): LeafVitals {
    return look.leaves.find(l => l.path === path)!
  }
  matrixAt(place: string | undefined): LeafVitals | undefined {
    return this.matrices.find(m => m.place === place)
  }
}

const rmsOfFeatures = (features: readonly Feature[]): number =>
  Math.sqrt(features.reduce((s, f) => s + f.mean ** 2 + f.std ** 2, 0) / Math.max(1, features.length))
const fanIn = ({ shape }: LeafVitals): number => shape.slice(0, -1).reduce((a, b) => a * b, 1)
/** How much a matrix enlarges what it is multiplied by. */
const gain = (l: LeafVitals): number => l.rms * Math.sqrt(fanIn(l))
/** Its size over that which Glorot's initializer gives. */
const ofGlorot = (l: LeafVitals): number => {
  const windows = l.shape.slice(0, -2).reduce((a, b) => a * b, 1)
  return l.rms * Math.sqrt((fanIn(l) + windows * l.shape.at(-1)!) / 2)
}
const ratio = (l: LeafVitals): number => (l.rms > 0 ? l.update / l.rms : 0)
function median(xs: readonly number[]): number {
  const sorted = [...xs].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

// Data

/** Layers that bring what they read to a size of their own. */
const NORMS = new Set(["batchNorm", "layerNorm", "rmsNorm", "groupNorm"])

function data(v: View): Finding[] {
  const { inputs, targets, loss } = v.h
  const found: Finding[] = []
  if (inputs.notFinite) found.push(finding("not finite", "input", "inputs", { count: inputs.notFinite }, "input not finite"))
  if (targets.notFinite) found.push(finding("not finite", "targets", "targets", { count: targets.notFinite }, "target not finite"))
  const [site] = v.chain
  const layer = site?.place ?? v.last.leaves[0]?.place
  const reads = inputs.floating && inputs.features.length > 0 && (site === undefined || !NORMS.has(site.kind))
  // a layer without weights in front may scale the inputs: then its outputs are what counts
  const rescaled = site !== undefined && v.matrixAt(site.place) === undefined
  if (reads) {
    const size = (f: Feature): number => Math.sqrt(f.mean ** 2 + f.std ** 2)
    const varying = inputs.features.filter(f => f.constant === undefined)
    const largest = varying.reduce((a, f) => (size(f) > size(a) ? f : a), varying[0] ?? { index: 0, mean: 0, std: 0 })
    const offset = (f: Feature): number => (Math.abs(f.mean) > 3 ? Math.abs(f.mean) / f.std : 0)
    const shifted = varying.reduce((a, f) => (offset(f) > offset(a) ? f : a), largest)
    const evidence = (f: Feature): Evidence => ({ feature: f.index, mean: f.mean, std: f.std, largest: inputs.high })
    if (rescaled ? site.rms > T.inputScale : size(largest) > T.inputScale)
      found.push(finding("input scale", layer, "input scale", evidence(largest), "inputs large"))
    else if (!rescaled && varying.length && offset(shifted) > T.inputOffset)
      found.push(finding("input scale", layer, "input scale", evidence(shifted), "inputs shifted"))
    else if (!rescaled && varying.length && Math.max(Math.abs(inputs.low), Math.abs(inputs.high)) < T.inputTiny)
      found.push(finding("input scale", layer, "input scale", evidence(largest), "inputs tiny"))
  }
  const constants = inputs.features.filter(f => f.constant !== undefined)
  if (constants.length)
    found.push(
      finding("constant input", layer, "inputs", { feature: constants[0]!.index, value: constants[0]!.constant!, count: constants.length }),
    )
  const scale = rmsOfFeatures(targets.features)
  if (scale > T.targetScale && !loss.names.has("poissonNll"))
    found.push(finding("target scale", v.chain.at(-1)?.place, "targets", { rms: scale, low: targets.low, high: targets.high }))
  return found
}

// Loss and output

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

function wrongLoss(v: View): Finding[] {
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

// Weights

function weights(v: View): Finding[] {
  const { fromStart } = v.h
  const found: Finding[] = []
  const all = v.matrices.filter(l => l.shape.reduce((a, b) => a * b, 1) >= 4)
  const harm = !v.atStart && !v.learned
  for (const l of all) {
    const start = fromStart ? v.leaf(l.path, v.first) : undefined
    const evidence = { rms: l.rms, inputs: fanIn(l), gain: gain(l), first: start?.rms ?? l.rms }
    const [large, small] = [v.atStart ? gain(l) > T.gainLarge : false, l === all.at(-1) ? T.gainSmallLast : T.gainSmall]
    if (large) found.push(finding("weights too large", l.place, "weight", evidence))
    else if (harm && gain(l) > T.gainGrown && !(start && gain(start) > T.gainLarge))
      found.push(finding("weights too large", l.place, "learning rate", evidence, "weights grown"))
    if (v.atStart && l.rms > 0 && ofGlorot(l) < small) found.push(finding("weights too small", l.place, "weight", evidence))
    else if (harm && start && start.rms > 0 && l.rms < T.gainSmall * start.rms && ofGlorot(l) < T.gainSmall)
      found.push(finding("weights too small", l.place, v.h.weightDecay ? "weight decay" : "learning rate", evidence, "weights shrunk"))
  }
  return found
}

/** Units that have had an update and are still equal will stay so. */
function symmetry(v: View): Finding[] {
  if (v.atStart || (!v.h.fromStart && v.h.looks.length === 1)) return []
  return v.matrices
    .filter(l => l.equal && !l.path.endsWith("wh"))
    .map(l => finding("symmetry", l.place, "weight", { units: l.shape.at(-1)!, rms: l.rms }))
}

// Depth and time

interface Link {
  readonly site: SiteVitals
  readonly group: "activation derivative" | "weight"
  /** The gradient before the layer over that behind it, or the other way round where it vanishes. */
  readonly factor: number
}

function depth(v: View): Finding[] {
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

function time(v: View): Finding[] {
  return v.last.sites
    .filter(s => s.growth !== undefined && s.growth > T.exploding)
    .map(s => finding("exploding", s.place, "weight", { ratio: s.growth! }, "exploding in time"))
}

// Activations

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

function activations(v: View): Finding[] {
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

// Rates and the course of the loss

function divergence(v: View): Finding[] {
  const { losses } = v.h
  const [start, now, best] = [losses.start(), losses.now(), losses.best()]
  const evidence = { start, now, best, ratio: largestRatio(v) }
  if (now < 0 && start - now > 10 * Math.abs(start) + 10) return [finding("divergence", undefined, "loss", evidence, "no lower bound")]
  if (v.h.looks.length < 2 || !(now > T.diverged * Math.max(start, best) && now > 0)) return []
  return [finding("divergence", undefined, whyDiverged(v), evidence)]
}

/** What makes steps too long: data or weights of another size than usual, else the rate itself. */
export function whyDiverged(v: View): Cause {
  if (data(v).some(f => f.kind === "input scale")) return "input scale"
  if (data(v).some(f => f.kind === "target scale")) return "targets"
  if (v.h.fromStart && v.matrices.some(l => gain(v.leaf(l.path, v.first)) > T.gainLarge)) return "weight"
  return "learning rate"
}
/** As `whyDiverged`, for a history. */
export const causeOfDivergence = (h: History): Cause => whyDiverged(new View(h))

/** The largest update over weights of any matrix of usual size, in any look. */
const largestRatio = (v: View): number => longest(v).ratio
function longest(v: View): { place: string; ratio: number } {
  const usual = v.matrices.filter(l => ofGlorot(v.leaf(l.path, v.first)) > 2 * T.gainSmall)
  const ratios = v.h.looks.flatMap(look => usual.map(l => ({ place: l.place, ratio: ratio(v.leaf(l.path, look)) })))
  return ratios.reduce((a, b) => (b.ratio > a.ratio && b.ratio < Infinity ? b : a), { place: "", ratio: 0 })
}

/** Whether something has been found, now or before, that explains a loss that does not fall. */
const explained = (v: View, found: readonly Finding[]): boolean =>
  [...v.h.told, ...found.map(f => f.kind)].some(kind => kind !== "constant input")

function rates(v: View, found: readonly Finding[]): Finding[] {
  const { looks, losses } = v.h
  const top = longest(v)
  const evidence = { ratio: top.ratio, start: losses.start(), now: losses.now(), worst: losses.worst() }
  const spiked = losses.steps > T.settled && losses.worst() > T.spike * losses.first && losses.now() > 0.5 * losses.first
  // the first steps of tiny networks may be long, and do no harm
  const long = top.ratio > T.updateHuge || (top.ratio > T.updateLarge && losses.steps >= T.settled && !v.learned)
  const suspect = top.ratio > T.updateSuspect && (spiked || v.stands) && !explained(v, found)
  if (long || suspect) return [finding("rate too high", top.place, "learning rate", evidence)]
  const most = median(v.matrices.map(l => Math.max(...looks.map(look => ratio(v.leaf(l.path, look))))))
  const moved = most * losses.steps
  if (losses.steps < T.patience || !(moved < T.movedLittle) || losses.late() < T.learnedLittle * losses.early() || explained(v, found))
    return []
  return [finding("rate too low", undefined, "learning rate", { ratio: most, moved, start: losses.early(), now: losses.late() })]
}

/** A loss that does not fall although there was time. */
function standing(v: View, found: readonly Finding[]): Finding[] {
  const { losses, baseline } = v.h
  if (!v.stands) return []
  const evidence = { start: losses.start(), now: losses.now(), ...(baseline !== undefined && { baseline }), steps: losses.steps }
  const stiff = found.find(f => f.kind === "saturation")
  if (stiff) return [finding("paralysis", stiff.layer, stiff.cause, { ...evidence, share: stiff.evidence.share! })]
  return explained(v, found) ? [] : [finding("plateau", undefined, "unknown", evidence)]
}

/** Numbers beyond these come from growth over many steps, not from one operation. */
const GROWN = 1e12

/** What is known of a loss that is no number at step `step`. */
export function divergedFinding(h: History, step: number, loss: number, origin: Origin | undefined): Finding {
  const v = new View(h)
  const bad = data(v).find(f => f.kind === "not finite") ?? wrongLoss(v).find(f => f.cause === "targets")
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
