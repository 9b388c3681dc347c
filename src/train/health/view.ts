// What the rules know of a training, and what several of them ask for.
import type { Facts, Feature } from "./facts.ts"
import type { FindingKind } from "./finding.ts"
import type { LossHistory, LossParts } from "./losses.ts"
import type { LeafVitals, SiteVitals, Vitals } from "./vitals.ts"

/** Healthy means, here and in the rules: of the healthy trainings in health.test.ts. */
const T = {
  /** Loss over that of the best constant answer, or of the start: nothing learned. */
  nothingLearned: 0.98,
  /** Loss over that in the middle of the training: less is still falling. */
  falling: 0.95,
  /** Below this it has learned something. */
  learned: 0.8,
} as const
/** Steps before nothing learned means anything: at the end of a training, and before. */
export const PATIENCE = 100
const PATIENCE_BEFORE = 2000

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

/** A history with what several rules ask for. */
export class View {
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
    return this.h.losses.steps >= (this.h.final ? PATIENCE : PATIENCE_BEFORE)
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

export const rmsOfFeatures = (features: readonly Feature[]): number =>
  Math.sqrt(features.reduce((s, f) => s + f.mean ** 2 + f.std ** 2, 0) / Math.max(1, features.length))
export const fanIn = ({ shape }: LeafVitals): number => shape.slice(0, -1).reduce((a, b) => a * b, 1)
/** How much a matrix enlarges what it is multiplied by. */
export const gain = (l: LeafVitals): number => l.rms * Math.sqrt(fanIn(l))
/** Its size over that which Glorot's initializer gives. */
export const ofGlorot = (l: LeafVitals): number => {
  const windows = l.shape.slice(0, -2).reduce((a, b) => a * b, 1)
  return l.rms * Math.sqrt((fanIn(l) + windows * l.shape.at(-1)!) / 2)
}
export const ratio = (l: LeafVitals): number => (l.rms > 0 ? l.update / l.rms : 0)
export function median(xs: readonly number[]): number {
  const sorted = [...xs].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}
