// Sums over paths by dynamic programming: by use, by application, by unit, by group, and of what is not shown.
import type { AdjointGraph, Stop } from "./adjoint-graph.ts"
import type { BestPath } from "./best-paths.ts"
import { digits } from "./digits.ts"
import type { Application, Blocked, Count, Explanation, Group, Link, Rest, Share, Shares, Use } from "./explanation.ts"
import type { FactorWriter } from "./factors.ts"
import type { LocalDerivatives } from "./local.ts"
import { say } from "./messages/index.ts"
import { GIVEN, ruleOf } from "./rules.ts"
import type { Step } from "./tape.ts"

/** As many parts of a sum as are listed one by one. */
const LISTED = 8
/** As many places where nothing gets through. */
const PLACES = 5

export const counted = (n: bigint): Count => (n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : n.toString())

/** A sum over paths and their number. */
class Sum {
  contribution = 0
  count = 0n
  add(contribution: number, count: bigint): void {
    this.contribution += contribution
    this.count += count
  }
  get rest(): Rest {
    return { contribution: this.contribution, count: counted(this.count) }
  }
}
/** Sums by a key, made when they are needed. */
class SumsBy<K> extends Map<K, Sum> {
  at(key: K): Sum {
    let sum = this.get(key)
    if (!sum) this.set(key, (sum = new Sum()))
    return sum
  }
}

/** The largest first, and the others as one. */
function listed<T>(all: readonly (readonly [T, Sum])[]): { first: (readonly [T, Sum])[]; others: (Rest & { shares: number }) | undefined } {
  const sorted = [...all].sort(([, a], [, b]) => Math.abs(b.contribution) - Math.abs(a.contribution))
  const left = sorted.slice(LISTED)
  const sum = new Sum()
  for (const [, s] of left) sum.add(s.contribution, s.count)
  return { first: sorted.slice(0, LISTED), others: left.length ? { ...sum.rest, shares: left.length } : undefined }
}
function shares<K>(by: SumsBy<K>, name: (key: K) => string): Shares {
  const { first, others } = listed([...by])
  return { largest: first.map(([key, sum]): Share => ({ name: name(key), ...sum.rest })), ...(others && { others }) }
}

/** The paths shown that begin alike, up to vertex v: the product so far. */
interface Part {
  readonly v: number
  readonly paths: readonly BestPath[]
  readonly depth: number
  readonly prefix: number
}

export class Sums {
  private readonly graph: AdjointGraph
  private readonly local: LocalDerivatives
  private readonly labels: readonly string[]
  constructor(graph: AdjointGraph, local: LocalDerivatives, labels: readonly string[]) {
    this.labels = labels
    this.graph = graph
    this.local = local
  }

  /** What the paths shown leave out: at each of their vertices, the edges that none of them takes. */
  rest(shown: readonly BestPath[]): Explanation["rest"] {
    const g = this.graph
    const total = new Sum()
    const branches = new SumsBy<number>()
    const waiting: Part[] = [{ v: 0, paths: shown, depth: 0, prefix: 1 }]
    for (let part = waiting.pop(); part; part = waiting.pop()) {
      const { v, paths, depth, prefix } = part
      if (v === g.end) continue
      for (const e of g.leaving(v)) {
        const along = paths.filter(p => p.edges[depth] === e)
        const product = prefix * g.derivative[e]!
        const u = g.to[e]!
        if (along.length) waiting.push({ v: u, paths: along, depth: depth + 1, prefix: product })
        else {
          total.add(product * g.slope[u]!, g.paths[u]!)
          branches.at(g.step[e]!).add(product * g.slope[u]!, g.paths[u]!)
        }
      }
    }
    return { ...total.rest, branches: shares(branches, at => this.labels[at]!) }
  }

  all(writer: FactorWriter): Pick<Explanation, "uses" | "applications" | "links" | "groups" | "blocked"> {
    return {
      uses: this.uses(writer),
      ...this.applications(writer),
      groups: this.groups(),
      blocked: this.blocked(writer),
    }
  }

  /** Edges out of the scalar, or out of copies of it. */
  private uses(writer: FactorWriter): Explanation["uses"] {
    const g = this.graph
    const by: [number, Sum][] = []
    const waiting: number[] = [0]
    for (let v = waiting.pop(); v !== undefined; v = waiting.pop()) {
      for (const e of g.leaving(v)) {
        const isCopy = g.derivative[e] === 1 && this.local.reads(g.stepOf(e))?.copy === true && g.to[e] !== g.end
        if (isCopy) {
          waiting.push(g.to[e]!)
          continue
        }
        const sum = new Sum()
        sum.add(g.derivative[e]! * g.slope[g.to[e]!]!, g.paths[g.to[e]!]!)
        by.push([e, sum])
      }
    }
    by.sort(([a], [b]) => a - b)
    const { first, others } = listed(by)
    const largest = first.map(([e, sum]): Use => {
      const { index, scope } = g.stepOf(e)
      return { name: writer.nameOf(g.to[e]!), application: index, scope, ...sum.rest }
    })
    return { largest, ...(others && { others }) }
  }

  private applications(writer: FactorWriter): Pick<Explanation, "applications" | "links"> {
    const g = this.graph
    const units = new Map<Step, SumsBy<number>>()
    g.places.forEach(({ cell: { maker } }, v) => {
      if (!maker || g.paths[v] === 0n || g.ways[v] === 0n || v === 0) return
      let by = units.get(maker)
      if (!by) units.set(maker, (by = new SumsBy()))
      by.at(v).add(g.reach[v]! * g.slope[v]!, g.ways[v]! * g.paths[v]!)
    })
    const applications = [...units]
      .sort(([a], [b]) => a.index - b.index)
      .map(([step, by]): Application => {
        const sum = new Sum()
        for (const s of by.values()) sum.add(s.contribution, s.count)
        const { index, name, scope, outs } = step
        const { shape } = outs[0]!.aval
        return { id: index, operation: name, scope, shape, ...sum.rest, units: shares(by, v => writer.nameOf(v)) }
      })
    return { applications, links: this.links() }
  }

  private links(): Link[] {
    const g = this.graph
    const by = new SumsBy<string>()
    for (let e = 0; e < g.edges; e++) {
      if (!g.leads(e)) continue
      const [contribution, count] = this.through(e)
      by.at(`${this.madeBy(g.from[e]!)?.index ?? -1} ${g.step[e]!} ${g.operand[e]!}`).add(contribution, count)
    }
    return [...by].map(([key, sum]) => {
      const [from, to, operand] = key.split(" ").map(Number) as [number, number, number]
      return { from, to, operand, ...sum.rest }
    })
  }
  /** What the paths through an edge contribute, and how many they are. */
  private through(e: number): readonly [number, bigint] {
    const g = this.graph
    const [v, u] = [g.from[e]!, g.to[e]!]
    return [g.reach[v]! * g.derivative[e]! * g.slope[u]!, g.ways[v]! * g.paths[u]!]
  }
  private madeBy(v: number): Step | undefined {
    return v === 0 ? undefined : this.graph.places[v]!.cell.maker
  }

  private groups(): Group {
    const g = this.graph
    const top = new Branch([])
    for (let e = 0; e < g.edges; e++) {
      if (!g.leads(e)) continue
      const [contribution, count] = this.through(e)
      top.enter(g.stepOf(e), this.madeBy(g.from[e]!)?.scope, contribution, count)
    }
    return top.group
  }

  private blocked(writer: FactorWriter): Explanation["blocked"] {
    const g = this.graph
    // what a rule makes of nothing that arrives does not stop it
    const isStop = ({ step, operand }: Stop): boolean =>
      this.local.flows(step) && !(this.local.followsCotangent(step, operand) && !this.local.hears(step))
    const all = g.stops.filter(isStop).sort((a, b) => Math.abs(g.reach[b.vertex]!) - Math.abs(g.reach[a.vertex]!))
    const places = all.slice(0, PLACES).map(({ step, operand, vertex }): Blocked => {
      const at = writer.scalar(vertex)
      const given = this.local.followsCotangent(step, operand)
      const { formula } = given ? GIVEN : ruleOf(step.name, operand, step.args.length, step.params?.attributes)
      return {
        application: step.index,
        operation: step.name,
        scope: step.scope,
        at,
        arriving: g.reach[vertex]!,
        sentence: say.chains.blocked(at.name, digits(at.value), this.labels[step.index]!, formula),
      }
    })
    return { places, others: all.length - places.length }
  }
}

/** A group that is being put together. */
class Branch {
  private readonly path: readonly string[]
  private readonly sum = new Sum()
  private readonly steps = new Set<number>()
  private readonly inner = new Map<string, Branch>()
  constructor(path: readonly string[]) {
    this.path = path
  }
  /** An edge into a step, from one with the scope `from`. */
  enter(step: Step, from: readonly string[] | undefined, contribution: number, count: bigint): void {
    const depth = this.path.length
    const isInside = from !== undefined && this.path.every((name, i) => from[i] === name)
    if (!isInside) this.sum.add(contribution, count)
    const next = step.scope[depth]
    if (next === undefined) {
      this.steps.add(step.index)
      return
    }
    let branch = this.inner.get(next)
    if (!branch) this.inner.set(next, (branch = new Branch([...this.path, next])))
    branch.enter(step, from, contribution, count)
  }
  get group(): Group {
    return {
      name: this.path.at(-1) ?? "",
      path: this.path,
      ...this.sum.rest,
      applications: [...this.steps],
      groups: [...this.inner.values()].map(b => b.group),
    }
  }
}
