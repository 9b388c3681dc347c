// The adjoint graph of one scalar: a vertex for each number that depends on it, an edge for each local derivative that is not 0.
import type { LocalDerivatives } from "./local.ts"
import type { Cell, Step, Tape } from "./tape.ts"

/** An element of a value. */
export interface Place {
  readonly cell: Cell
  readonly element: number
}
/** Where a derivative is 0, and nothing gets through by this operand. */
export interface Stop {
  readonly step: Step
  readonly operand: number
  readonly vertex: number
}

/**
 * Vertices and edges in the order of the program; edge e leads from `from[e]` to `to[e]`, away from the scalar, with the factor
 * `derivative[e]`. The dynamic programs over it:
 *
 *     slope v  = dE/dv            = sum over edges v -> u of derivative slope u
 *     paths v  = paths to E       = sum over edges v -> u of paths u
 *     best v   = max |product|    = max over edges v -> u of |derivative| best u
 *     size v   = sum |product|    = sum over edges v -> u of |derivative| size u
 *     reach v  = dv/dscalar       = sum over edges u -> v of derivative reach u
 *     ways v   = paths from there = sum over edges u -> v of ways u
 */
export class AdjointGraph {
  readonly places: Place[] = []
  readonly from: number[] = []
  readonly to: number[] = []
  readonly derivative: number[] = []
  readonly step: number[] = []
  readonly operand: number[] = []
  readonly stops: Stop[] = []
  /** The vertex of the error; undefined where nothing reaches it. */
  readonly end: number | undefined
  readonly slope: Float64Array
  readonly best: Float64Array
  readonly size: Float64Array
  readonly reach: Float64Array
  readonly paths: bigint[]
  readonly ways: bigint[]
  /** The edges that leave vertex v are `order[starts[v]]` to `order[starts[v + 1] - 1]`. */
  private readonly starts: Int32Array
  private readonly order: Int32Array
  private readonly tape: Tape

  /** Of the scalar at `start`, vertex 0, to element 0 of `error`. */
  constructor(tape: Tape, local: LocalDerivatives, start: Place, error: Cell) {
    this.tape = tape
    const vertices = new Map<Cell, Map<number, number>>()
    const vertexAt = (cell: Cell, element: number): number => {
      let all = vertices.get(cell)
      if (!all) vertices.set(cell, (all = new Map()))
      let v = all.get(element)
      if (v === undefined) all.set(element, (v = this.places.push({ cell, element }) - 1))
      return v
    }
    vertexAt(start.cell, start.element)
    for (const step of tape.steps) this.cross(step, local, vertices, vertexAt)

    this.end = vertices.get(error)?.get(0)
    const n = this.places.length
    this.slope = new Float64Array(n)
    this.best = new Float64Array(n)
    this.size = new Float64Array(n)
    this.reach = new Float64Array(n)
    this.paths = new Array(n).fill(0n)
    this.ways = new Array(n).fill(0n)
    this.backwards()
    this.forwards()
    this.starts = new Int32Array(n + 1)
    for (const v of this.from) this.starts[v + 1]!++
    for (let v = 0; v < n; v++) this.starts[v + 1]! += this.starts[v]!
    const next = this.starts.slice()
    this.order = new Int32Array(this.from.length)
    this.from.forEach((v, e) => (this.order[next[v]!++] = e))
  }

  private cross(
    step: Step,
    local: LocalDerivatives,
    vertices: ReadonlyMap<Cell, ReadonlyMap<number, number>>,
    vertexAt: (c: Cell, i: number) => number,
  ): void {
    if (!local.flows(step)) return
    step.args.forEach((cell, operand) => {
      const reached = vertices.get(cell)
      if (!reached) return
      const from = [...reached.keys()].sort((a, b) => a - b)
      const read = new Set<number>()
      const passed = new Set<number>()
      local.by(step, operand, from, (j, out, o, derivative) => {
        read.add(j)
        if (derivative === 0) return
        passed.add(j)
        this.from.push(reached.get(j)!)
        this.to.push(vertexAt(step.outs[out]!, o))
        this.derivative.push(derivative)
        this.step.push(step.index)
        this.operand.push(operand)
      })
      // an element that is not read (a slice of others) is not stopped; a result without derivative stops all
      const isRead = local.reads(step)?.places[operand] ? (j: number): boolean => read.has(j) : (): boolean => true
      for (const j of from) if (!passed.has(j) && isRead(j)) this.stops.push({ step, operand, vertex: reached.get(j)! })
    })
  }

  // edges stand in the order of the program: read backwards, all that follows is known
  private backwards(): void {
    const { end, from, to, derivative, slope, best, size, paths } = this
    if (end === undefined) return
    slope[end] = best[end] = size[end] = 1
    paths[end] = 1n
    for (let e = from.length - 1; e >= 0; e--) {
      const [v, u, d] = [from[e]!, to[e]!, derivative[e]!]
      if (paths[u] === 0n) continue
      slope[v]! += d * slope[u]!
      best[v] = Math.max(best[v]!, Math.abs(d) * best[u]!)
      size[v]! += Math.abs(d) * size[u]!
      paths[v]! += paths[u]!
    }
  }
  private forwards(): void {
    const { from, to, derivative, reach, ways } = this
    reach[0] = 1
    ways[0] = 1n
    for (let e = 0; e < from.length; e++) {
      reach[to[e]!]! += derivative[e]! * reach[from[e]!]!
      ways[to[e]!]! += ways[from[e]!]!
    }
  }

  get edges(): number {
    return this.from.length
  }
  /** The edges that leave a vertex and lead on to the error. */
  *leaving(v: number): Generator<number> {
    for (let i = this.starts[v]!; i < this.starts[v + 1]!; i++) if (this.leads(this.order[i]!)) yield this.order[i]!
  }
  /** Whether an edge leads on to the error. */
  leads(e: number): boolean {
    return this.paths[this.to[e]!] !== 0n
  }
  stepOf(e: number): Step {
    return this.tape.steps[this.step[e]!]!
  }
}
