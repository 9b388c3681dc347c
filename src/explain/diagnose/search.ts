// Which mistakes make of the true gradient the one that was given: simplest first, from the loss backwards.
import { type Backward, both, type Edits, type Numbers } from "../reverse.ts"
import type { Cell } from "../tape.ts"
import { ARRAYS } from "./arrays.ts"
import { differenceOf, floorOf, ratio } from "./compare.ts"
import type { Mistake } from "./diagnosis.ts"
import type { Given } from "./given.ts"
import { type Hypothesis, hypothesesOf, type Scaling, scalingsOf, sizesOf } from "./mistakes.ts"

/** The true backward pass and the given gradients at one place. */
export interface Point {
  readonly inputs: readonly unknown[]
  readonly run: Backward
  /** For each leaf of the run. */
  readonly given: readonly Given[]
}

/** An explanation of one or more gradients. */
export interface Explained {
  readonly mistakes: readonly Mistake[]
  readonly cell?: number
  readonly step?: number
  /** Numbers of the leaves that it explains. */
  readonly leaves: readonly number[]
  readonly alternatives: readonly (readonly Mistake[])[]
}

interface Candidate {
  readonly mistakes: readonly Mistake[]
  readonly rank: number
  readonly cell?: number
  readonly step?: number
  readonly leaves: readonly number[]
  /** What becomes of the backward pass; none where the mistake is in one array alone. */
  readonly edits?: Edits
  /** The gradient by a leaf at a point. */
  readonly predict: (point: Point, leaf: number) => ArrayLike<number> | undefined
}

/** At most so many pairs of mistakes are tried. */
const PAIRS = 3000

export class Search {
  private readonly points: readonly Point[]
  private readonly tolerance: number
  private readonly run: Backward
  private readonly names: readonly string[]
  private readonly sizes: ReadonlyMap<number, string>
  private readonly hypotheses: readonly Hypothesis[]
  private readonly scalings: readonly Scaling[]
  /** Gradients that are the same but for rounding are smaller than this, relative to the largest one. */
  private readonly floors: readonly number[]
  private base: Edits = {}

  constructor(points: readonly Point[], tolerance: number, names: readonly string[], inputNames: readonly string[]) {
    this.points = points
    this.tolerance = tolerance
    this.run = points[0]!.run
    this.names = names
    this.floors = points.map(({ run }) => floorOf(run.gradients()))
    this.sizes = sizesOf(this.run, inputNames)
    this.hypotheses = hypothesesOf(this.run)
    this.scalings = scalingsOf(this.run)
  }

  /** Explanations from the loss backwards, and the leaves that have none. */
  explain(): { readonly found: readonly Explained[]; readonly unknown: readonly number[] } {
    const found: Explained[] = []
    const settled = new Set<number>()
    const unknown: number[] = []
    for (const leaf of this.backwards()) {
      if (settled.has(leaf)) continue
      const now = this.run.gradients(this.base)
      if (this.equal(0, leaf, now[leaf]!)) continue
      const best = this.best(leaf, now, settled)
      if (!best) {
        unknown.push(leaf)
        continue
      }
      const { chosen, alternatives } = best
      if (chosen.edits) this.base = both(this.base, chosen.edits)
      else for (const l of chosen.leaves) settled.add(l)
      const { mistakes, cell, step } = chosen
      const leaves = chosen.leaves.filter(l => !found.some(f => f.leaves.includes(l)))
      found.push({ mistakes, leaves, alternatives, ...(cell !== undefined && { cell }), ...(step !== undefined && { step }) })
    }
    return { found, unknown: unknown.filter(l => !found.some(f => f.leaves.includes(l))) }
  }

  /** Leaves in the order in which their gradients are complete. */
  private backwards(): number[] {
    const last = (c: Cell): number => Math.min(...c.uses.filter(u => this.run.active.has(u.step.outs[0]!)).map(u => u.step.index))
    const at = this.run.leaves.map(last)
    return at.map((_, i) => i).sort((a, b) => at[b]! - at[a]!)
  }

  private best(leaf: number, now: readonly Numbers[], settled: ReadonlySet<number>) {
    for (const candidates of this.tiers(leaf, now, settled)) {
      const sorted = [...candidates].sort((a, b) => b.leaves.length - a.leaves.length || a.rank - b.rank)
      const confirmed: Candidate[] = []
      for (const c of sorted) {
        // what explains less, or takes much more to believe, is no alternative
        if (confirmed.length && (c.leaves.length < confirmed[0]!.leaves.length || c.rank > confirmed[0]!.rank + 10)) break
        if (!confirmed.some(k => sameKinds(k.mistakes, c.mistakes)) && this.holds(c)) confirmed.push(c)
        if (confirmed.length === 3) break
      }
      const [chosen, ...others] = confirmed
      if (chosen) return { chosen, alternatives: [...others.map(c => c.mistakes), ...ratesLike(chosen.mistakes)] }
    }
    return undefined
  }

  /** Candidates that give the numbers at the first point, from simple to less simple. */
  private *tiers(leaf: number, now: readonly Numbers[], settled: ReadonlySet<number>): Generator<Candidate[]> {
    const scalings = this.scalings.flatMap(s => this.scaling(s, leaf, now, settled))
    const runs = this.hypotheses.map(h => ({ h, edits: both(this.base, h.edits) })).map(x => ({ ...x, gs: this.gradientsOf(x.edits) }))
    const singles = runs.flatMap(({ h, gs }) => this.fits(h.edits, gs, leaf, now, settled, [h.mistake], h.rank, h))
    yield [
      ...scalings.filter(c => c.mistakes[0]!.kind !== "scaled" && c.mistakes[0]!.kind !== "pathScaled"),
      ...singles,
      ...this.arrays(leaf, now),
    ]
    // with a factor
    yield runs.flatMap(({ h, gs }) => this.withFactor(h, gs, leaf, now, settled))
    yield [
      ...runs.flatMap(({ h, gs }) =>
        gs ? this.arrays(leaf, gs, h).map(c => ({ ...c, rank: c.rank + h.rank, mistakes: [h.mistake, ...c.mistakes] })) : [],
      ),
      ...this.arrays(leaf, now, undefined, true),
    ]
    yield this.pairs(leaf, now, settled)
    yield scalings.filter(c => c.mistakes[0]!.kind === "scaled" || c.mistakes[0]!.kind === "pathScaled")
  }

  private gradientsOf(edits: Edits, run = this.run): Numbers[] | undefined {
    try {
      return run.gradients(edits)
    } catch {
      return undefined // a change whose shapes do not go together
    }
  }

  /** A hypothesis as a change to the whole backward pass, or to this one gradient. */
  private fits(
    edits: Edits,
    gs: readonly Numbers[] | undefined,
    leaf: number,
    now: readonly Numbers[],
    settled: ReadonlySet<number>,
    mistakes: readonly Mistake[],
    rank: number,
    place: { readonly cell: number; readonly step?: number },
  ): Candidate[] {
    if (!gs || !this.equal(0, leaf, gs[leaf]!)) return []
    const where = { cell: place.cell, ...(place.step !== undefined && { step: place.step }) }
    const base = this.base
    const predict = (point: Point, l: number) => this.gradientsOf(both(base, edits), point.run)?.[l]
    const explained = gs.flatMap((g, l) => (!settled.has(l) && this.equal(0, l, g) && !this.equal(0, l, now[l]!) ? [l] : []))
    const spoiled = gs.some((g, l) => !settled.has(l) && !this.equal(0, l, g) && this.equal(0, l, now[l]!))
    // a mistake on the way to one gradient alone, such as that of a bias
    if (spoiled) return [{ mistakes, rank: rank + 20, ...where, leaves: [leaf], predict }]
    return [{ mistakes, rank, ...where, leaves: explained, edits, predict }]
  }

  private scaling(s: Scaling, leaf: number, now: readonly Numbers[], settled: ReadonlySet<number>): Candidate[] {
    const rest = this.gradientsOf(both(this.base, s.without))
    if (!rest) return []
    const given = this.points[0]!.given[leaf]!.values
    if (given.length !== now[leaf]!.length) return []
    const moved = now[leaf]!.map((x, i) => x - rest[leaf]![i]!)
    const c = ratio(
      moved,
      given.map((x, i) => x - rest[leaf]![i]!),
    )
    if (!Number.isFinite(c)) return []
    const exact = this.exact(c)
    const mistakes = this.factor(s, exact)
    const rank = RANKS[s.kind] + rankOf(mistakes) + (s.kind === "cell" ? s.cell / 1e6 : 0)
    const edits = s.times(exact)
    const gs = this.gradientsOf(both(this.base, edits))
    return this.fits(edits, gs, leaf, now, settled, mistakes, rank, s)
  }

  /** A hypothesis together with a factor at the loss or of one gradient. */
  private withFactor(
    h: Hypothesis,
    gs: readonly Numbers[] | undefined,
    leaf: number,
    now: readonly Numbers[],
    settled: ReadonlySet<number>,
  ): Candidate[] {
    const given = this.points[0]!.given[leaf]!.values
    if (!gs || given.length !== gs[leaf]!.length) return []
    // two factors multiply to any number: one that is not known by itself is not taken apart
    if (isMultiple(gs[leaf]!, now[leaf]!)) return []
    const c = this.exact(ratio(gs[leaf]!, given))
    const [all] = this.scalings as [Scaling]
    const factor = this.factor(all, c)
    if (!Number.isFinite(c) || c === 0 || factor.some(m => m.kind === "scaled")) return []
    const mistakes = [h.mistake, ...factor]
    const rank = h.rank + rankOf(factor)
    const here = this.scalings.find(s => s.cell === h.cell && s.kind !== "path")
    const whole = [all, ...(here ? [here] : [])].flatMap(s => {
      const edits = both(h.edits, s.times(c))
      return this.fits(edits, this.gradientsOf(both(this.base, edits)), leaf, now, settled, mistakes, rank, h).filter(k => k.edits)
    })
    if (whole.length) return whole
    const times = (g: ArrayLike<number>): Float64Array => Float64Array.from(g, x => x * c)
    if (!this.equal(0, leaf, times(gs[leaf]!))) return []
    const base = this.base
    const predict = (point: Point, l: number) => {
      const g = this.gradientsOf(both(base, h.edits), point.run)?.[l]
      return g && times(g)
    }
    return [{ mistakes, rank: rank + 20, cell: h.cell, ...(h.step !== undefined && { step: h.step }), leaves: [leaf], predict }]
  }

  /** Mistakes in one array, after a right (or, with `h`, a wrong) backward pass. */
  private arrays(leaf: number, gs: readonly Numbers[], h?: Hypothesis, factors = false): Candidate[] {
    const cell = this.run.id(this.run.leaves[leaf]!)
    const base = this.base
    return ARRAYS.flatMap(({ mistake, rank, of }): Candidate[] => {
      const at = (point: Point, l: number): ArrayLike<number> | undefined => {
        const edits = h ? both(base, h.edits) : base
        const all = point === this.points[0] ? gs : this.gradientsOf(edits, point.run)
        return all && of({ all, leaf: l, run: point.run, given: point.given[l]! })
      }
      const wanted = at(this.points[0]!, leaf)
      const given = this.points[0]!.given[leaf]!.values
      if (!wanted || wanted.length !== given.length) return []
      if (this.equal(0, leaf, wanted)) {
        const twin = mistake.kind === "swapped" ? this.twin(leaf, gs) : undefined
        if (twin === undefined) return mistake.kind === "swapped" ? [] : [{ mistakes: [mistake], rank, cell, leaves: [leaf], predict: at }]
        return [{ mistakes: [{ ...mistake, other: this.names[twin]! }], rank, cell, leaves: [leaf, twin], predict: at }]
      }
      if (!factors) return []
      const c = this.exact(ratio(wanted, given))
      const factor = this.factor({ kind: "leaf" }, c)
      if (!Number.isFinite(c) || c === 0 || factor.some(m => m.kind === "scaled")) return []
      const predict = (point: Point, l: number) => {
        const g = at(point, l)
        return g && Float64Array.from(g, x => x * c)
      }
      if (!this.equal(0, leaf, predict(this.points[0]!, leaf)!)) return []
      return [{ mistakes: [mistake, ...factor], rank: rank + rankOf(factor), cell, leaves: [leaf], predict }]
    })
  }
  /** The leaf whose gradient was given for this one, and the other way round. */
  private twin(leaf: number, gs: readonly Numbers[]): number | undefined {
    const at = gs.findIndex((g, l) => l !== leaf && this.equal(0, leaf, g) && this.equal(0, l, gs[leaf]!))
    return at < 0 ? undefined : at
  }

  /** Two mistakes at once. */
  private pairs(leaf: number, now: readonly Numbers[], settled: ReadonlySet<number>): Candidate[] {
    const left = this.scalings.filter(s => s.kind === "path" || s.kind === "cell")
    const dropped = left.map(({ cell, step, without }): Hypothesis => {
      const mistake: Mistake = { kind: "pathLeftOut", factor: 0 }
      return { mistake, rank: 8, cell, edits: without, ...(step !== undefined && { step }) }
    })
    const pairsOf = (all: readonly Hypothesis[]): Candidate[] => {
      if ((all.length * all.length) / 2 > PAIRS) return []
      return all.flatMap((a, i) =>
        all.slice(i + 1).flatMap(b => {
          if (a.step === b.step && a.cell === b.cell) return []
          const edits = both(a.edits, b.edits)
          const gs = this.gradientsOf(both(this.base, edits))
          return this.fits(edits, gs, leaf, now, settled, [a.mistake, b.mistake], a.rank + b.rank, a)
        }),
      )
    }
    const ways = pairsOf(dropped)
    return ways.length ? ways : pairsOf(this.hypotheses)
  }

  /** Whether a candidate says what was given at the other points too. */
  private holds(c: Candidate): boolean {
    return this.points.slice(1).every((point, i) =>
      c.leaves.every(l => {
        const g = c.predict(point, l)
        return g !== undefined && this.equal(i + 1, l, g)
      }),
    )
  }

  private equal(point: number, leaf: number, g: ArrayLike<number>): boolean {
    return differenceOf(this.points[point]!.given[leaf]!.values, g, this.floors[point]!) <= this.tolerance
  }

  /** A number that is meant, if one is close by: 1/4 for 0.25000001. */
  private exact(c: number): number {
    const sizes = [2, ...this.sizes.keys()]
    const meant = [0, ...sizes.flatMap(n => [1, n, 1 / n, 2 * n, n / 2, 2 / n, 1 / (2 * n)])].flatMap(x => [x, -x])
    return meant.find(x => Math.abs(c - x) <= 10 * this.tolerance * Math.max(Math.abs(x), 1e-3)) ?? c
  }
  private factor({ kind }: Pick<Scaling, "kind">, c: number): Mistake[] {
    if (kind === "path") return [PATHS.find(m => m.factor === c) ?? { kind: "pathScaled", factor: c }]
    if (c === 0) return [{ kind: kind === "cell" ? "pathLeftOut" : "zero", factor: 0 }]
    const sign: Mistake[] = c < 0 ? [{ kind: "sign", factor: -1 }] : []
    const factor = Math.abs(c)
    if (factor === 1) return sign
    if (factor === 2) return [{ kind: "extraTwo", factor, ...this.sizeNamed(2) }, ...sign]
    if (factor === 0.5) return [{ kind: "missingTwo", factor, ...this.sizeNamed(2) }, ...sign]
    // N alone, then with the 2 of a square
    for (const two of [1, 2, 0.5]) {
      const square: Mistake[] = two === 1 ? [] : [{ kind: two === 2 ? "extraTwo" : "missingTwo", factor: two, name: "square" }]
      for (const n of this.sizes.keys()) {
        if (factor === two * n) return [{ kind: "missingMean", factor: n, ...this.sizeNamed(n) }, ...square, ...sign]
        if (factor === two / n) return [{ kind: "extraMean", factor: 1 / n, ...this.sizeNamed(n) }, ...square, ...sign]
      }
    }
    return [{ kind: "scaled", factor: c }]
  }
  private sizeNamed(n: number): { size?: string } {
    const size = this.sizes.get(n)
    return size === undefined ? {} : { size }
  }
}

/** 1/N, with or without the 2 of a square, may be a learning rate too, where it is such a number: 0.05, 0.1. */
const ratesLike = ([first, ...more]: readonly Mistake[]): (readonly Mistake[])[] => {
  if (first?.kind !== "extraMean" || more.some(m => m.name !== "square")) return []
  const factor = more.reduce((product, m) => product * m.factor!, first.factor!)
  const digit = Number(factor.toExponential(9).split("e")[0])
  return factor <= 0.1 && [1, 2, 5].includes(digit) ? [[{ kind: "scaled", factor }]] : []
}

/** The mistakes as text, whatever their numbers. */
const sameKinds = (a: readonly Mistake[], b: readonly Mistake[]): boolean => a.map(m => m.kind).join() === b.map(m => m.kind).join()

const RANKS: Readonly<Record<Scaling["kind"], number>> = { all: 1, leaf: 2, cell: 3, path: 6 }
const rankOf = (mistakes: readonly Mistake[]): number =>
  mistakes.reduce(
    (rank, { kind }) => rank + (kind === "scaled" || kind === "pathScaled" ? 50 : kind === "zero" ? 0 : kind === "pathLeftOut" ? 3 : 0.3),
    0,
  )
const PATHS: readonly Mistake[] = [
  { kind: "pathLeftOut", factor: 0 },
  { kind: "pathSign", factor: -1 },
  { kind: "pathTwice", factor: 2 },
]

const isMultiple = (x: ArrayLike<number>, y: ArrayLike<number>): boolean => {
  const c = ratio(x, y)
  return (
    differenceOf(
      Float64Array.from(x, v => v * c),
      y,
      0,
    ) < 1e-9
  )
}
