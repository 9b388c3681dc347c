// Explanations as they are told: in which layer, with which numbers, in words.
import { say } from "../messages/index.ts"
import type { Backward } from "../reverse.ts"
import { lineOf } from "../source-line.ts"
import type { Cell } from "../tape.ts"
import { evidenceOf, fitsShape, shapeMistake } from "./compare.ts"
import type { Finding, LeafReport, Mistake } from "./diagnosis.ts"
import type { Given } from "./given.ts"
import { ownersOf, regionsOf, softmaxesOf } from "./regions.ts"
import { type Explained, type Point, Search } from "./search.ts"

/** What is wrong with the gradients at `points`, of which at the first is told. */
export function findingsOf(
  points: readonly Point[],
  reports: readonly LeafReport[],
  names: readonly string[],
  tolerance: number,
  how: "grad" | "hand",
): Finding[] {
  const [{ run, given }] = points as [Point]
  const truth = run.gradients()
  const misshapen = reports.flatMap((_, l) => (fitsShape(given[l]!, run.leaves[l]!) ? [] : [l]))
  const wrongShapes = misshapen.map((l): Explained => {
    const mistake = shapeMistake(given[l]!, truth[l]!, run.leaves[l]!, tolerance)
    return { mistakes: [mistake], cell: run.id(run.leaves[l]!), leaves: [l], alternatives: [] }
  })
  // an array of another shape explains itself only; the search goes on as if it were right
  const patched = points.map(p => {
    const right = p.run.gradients()
    return { ...p, given: p.given.map((g, l) => (misshapen.includes(l) ? { ...g, values: Float64Array.from(right[l]!) } : g)) }
  })
  const paths = reports.map(r => r.path)
  const { found, unknown } = new Search(patched, tolerance, paths, names).explain()
  const writer = new Writer(run, given, truth, paths, how)
  const told = [...wrongShapes, ...found].map(e => writer.finding(e))
  return unknown.length ? [...told, writer.unknown(unknown, Math.max(...unknown.map(l => reports[l]!.difference)))] : told
}

class Writer {
  private readonly run: Backward
  private readonly given: readonly Given[]
  private readonly truth: readonly ArrayLike<number>[]
  private readonly paths: readonly string[]
  private readonly how: "grad" | "hand"
  constructor(run: Backward, given: readonly Given[], truth: readonly ArrayLike<number>[], paths: readonly string[], how: "grad" | "hand") {
    this.run = run
    this.given = given
    this.truth = truth
    this.paths = paths
    this.how = how
  }

  finding(e: Explained): Finding {
    const { run } = this
    const owners = this.owners(e)
    const own = e.leaves.filter(l => owners.length === 0 || owners.includes(run.leaves[l]!))
    const step = e.step === undefined ? undefined : run.step(e.step)
    const line = step && lineOf(step)
    return {
      ...this.told(e.mistakes, this.layer(e, owners), step?.prim.name ?? "", own.length ? own : e.leaves.slice(0, 1), e.leaves),
      ...(line && { line }),
      alternatives: e.alternatives,
    }
  }
  unknown(leaves: readonly number[], difference: number): Finding {
    const [first] = leaves as [number]
    const mistake: Mistake = { kind: difference < 1e-3 ? "imprecise" : "unknown", factor: difference }
    const cell = this.run.leaves[first]!
    const layer = this.layer({ mistakes: [], cell: this.run.id(cell), leaves, alternatives: [] }, [cell])
    return { ...this.told([mistake], layer, "", [first], leaves), alternatives: [] }
  }

  /** Of all wrong `leaves` some are wrong at the place itself, the others because they come after it. */
  private told(mistakes: readonly Mistake[], layer: string, operation: string, own: readonly number[], leaves: readonly number[]) {
    const path = (l: number): string => this.paths[l]!
    const follow = leaves.filter(l => !own.includes(l)).map(path)
    const facts = { mistakes, layer, operation, leaves: own.map(path), follow }
    const first = leaves[0]!
    const evidence = evidenceOf(this.given[first]!, this.truth[first]!, path(first), this.run.leaves[first]!.aval.shape)
    return { ...facts, evidence, ...say.diagnosis.finding(facts, this.how) }
  }

  private owners(e: Explained): readonly Cell[] {
    const { run } = this
    if (e.cell === undefined || run.cell(e.cell) === run.output) return []
    const cell = run.cell(e.cell)
    if (run.leaves.includes(cell)) return [cell]
    const borders = new Set([...regionsOf(run).filter(r => !r.linear), ...softmaxesOf(run)].map(r => r.to))
    return ownersOf(run, cell, borders)
  }

  /** The scope of the place where there is one, else the parameters of the layer. */
  private layer(e: Explained, owners: readonly Cell[]): string {
    const { run } = this
    if (e.cell !== undefined && run.cell(e.cell) === run.output) return ""
    // where a parameter comes in is the layer; without parameters it is where the operation stands
    const steps = [...owners.flatMap(c => c.uses.map(u => u.step)), ...(owners.length || e.step === undefined ? [] : [run.step(e.step)])]
    return steps[0]?.scope.find(s => !s.startsWith("turn ")) ?? owners.map(c => this.paths[run.leaves.indexOf(c)]!).join(", ")
  }
}
