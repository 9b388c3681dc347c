// The k largest products along paths.
import type { AdjointGraph } from "./adjoint-graph.ts"

/** A path as its edges, from the scalar to the error, and the product of its derivatives. */
export interface BestPath {
  readonly edges: readonly number[]
  readonly contribution: number
}
/** The rank-th best way on from a vertex: an edge, and which of the ways on from its end. */
interface Way {
  readonly size: number
  readonly edge: number
  readonly rank: number
}
interface Ways {
  readonly found: Way[]
  readonly candidates: Heap
  /** Whether the way after the one found last is among the candidates already. */
  complete: boolean
}

/**
 * The `k` paths with the largest |contribution|, largest first.
 *
 * Each vertex ranks its ways on lazily: after the way (edge, r) comes (edge, r + 1), and the first ones are known from the maximum that
 * dynamic programming gives. The cost does not grow with the number of paths, whatever ties there are. Jiménez and Marzal, Computing the
 * K shortest paths: a new algorithm and an experimental comparison (1999).
 */
export function bestPaths(g: AdjointGraph, k: number): BestPath[] {
  if (g.end === undefined) return []
  const search = new Search(g)
  const paths: BestPath[] = []
  while (paths.length < k && search.find(0, paths.length)) paths.push(search.path(paths.length))
  return paths
}

class Search {
  private readonly g: AdjointGraph
  private readonly ways = new Map<number, Ways>()
  constructor(g: AdjointGraph) {
    this.g = g
  }

  /** Whether there is a way of this rank; it is known afterwards. A stack of its own, because paths through time are long. */
  find(vertex: number, rank: number): boolean {
    const stack: [vertex: number, rank: number][] = [[vertex, rank]]
    while (stack.length) {
      const [v, r] = stack.at(-1)!
      const next = this.advance(v, r)
      if (next) stack.push(next)
      else stack.pop()
    }
    return this.sizeOf(vertex, rank) !== undefined
  }

  /** Finds one more way of v, or says which way of another vertex has to be known before. */
  private advance(v: number, rank: number): [number, number] | undefined {
    if (v === this.g.end) return undefined
    const w = this.waysOf(v)
    while (w.found.length <= rank) {
      const last = w.found.at(-1)
      if (last && !w.complete) {
        const to = this.g.to[last.edge]!
        if (!this.isKnown(to, last.rank + 1)) return [to, last.rank + 1]
        const size = this.sizeOf(to, last.rank + 1)
        if (size !== undefined)
          w.candidates.push({ size: Math.abs(this.g.derivative[last.edge]!) * size, edge: last.edge, rank: last.rank + 1 })
        w.complete = true
      }
      const best = w.candidates.pop()
      if (!best) return undefined
      w.found.push(best)
      w.complete = false
    }
    return undefined
  }
  private waysOf(v: number): Ways {
    let w = this.ways.get(v)
    if (!w) {
      const { g } = this
      const first = Array.from(g.leaving(v), edge => ({ size: Math.abs(g.derivative[edge]!) * g.best[g.to[edge]!]!, edge, rank: 0 }))
      this.ways.set(v, (w = { found: [], candidates: new Heap(first), complete: true }))
    }
    return w
  }
  private isKnown(v: number, rank: number): boolean {
    if (v === this.g.end) return true
    const w = this.waysOf(v)
    return w.found.length > rank || (w.complete && w.candidates.isEmpty)
  }
  /** The product along the way of this rank; undefined where there are not so many. */
  private sizeOf(v: number, rank: number): number | undefined {
    if (v === this.g.end) return rank === 0 ? 1 : undefined
    return this.ways.get(v)?.found[rank]?.size
  }

  path(rank: number): BestPath {
    const edges: number[] = []
    let contribution = 1
    for (let [v, r] = [0, rank]; v !== this.g.end; ) {
      // the first way on is the best one, which needs no search
      this.find(v, r)
      const { edge, rank: next } = this.ways.get(v)!.found[r]!
      edges.push(edge)
      contribution *= this.g.derivative[edge]!
      v = this.g.to[edge]!
      r = next
    }
    return { edges, contribution }
  }
}

/** Ways, the largest first; equal ones in the order of the program. */
class Heap {
  private readonly all: Way[]
  constructor(all: Way[]) {
    this.all = all
    for (let i = (all.length >> 1) - 1; i >= 0; i--) this.sink(i)
  }
  get isEmpty(): boolean {
    return this.all.length === 0
  }
  private before(i: number, j: number): boolean {
    const [a, b] = [this.all[i]!, this.all[j]!]
    return a.size > b.size || (a.size === b.size && (a.edge < b.edge || (a.edge === b.edge && a.rank < b.rank)))
  }
  push(way: Way): void {
    this.all.push(way)
    for (let i = this.all.length - 1, up = (i - 1) >> 1; i > 0 && this.before(i, up); i = up, up = (i - 1) >> 1) this.swap(i, up)
  }
  pop(): Way | undefined {
    const [top] = this.all
    const last = this.all.pop()
    if (this.all.length) {
      this.all[0] = last!
      this.sink(0)
    }
    return top
  }
  private sink(i: number): void {
    for (;;) {
      const [left, right] = [2 * i + 1, 2 * i + 2]
      let first = i
      if (left < this.all.length && this.before(left, first)) first = left
      if (right < this.all.length && this.before(right, first)) first = right
      if (first === i) return
      this.swap(i, first)
      i = first
    }
  }
  private swap(i: number, j: number): void {
    ;[this.all[i], this.all[j]] = [this.all[j]!, this.all[i]!]
  }
}
