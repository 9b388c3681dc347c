// Graph -> kernels. A map is melted into its reader where that computes nothing twice; moves of elements always are.
import { type Aval, size } from "../core/aval.ts"
import { type Apply, type Graph, Node } from "../graph/graph.ts"
import { axisIndex, type Index, newAxis, ravel } from "../ir/affine.ts"
import { simplifyExpr } from "../ir/algebra.ts"
import type { Dtype, Expr, Read } from "../ir/expr.ts"
import type { Kernel } from "./kernel.ts"

/** One kernel of a program and the values it works on. */
export interface Launch {
  readonly kernel: Kernel
  readonly out: Node
  readonly reads: readonly Node[]
  /** The operation whose result it stores, and where in the user's program that stands. */
  readonly name: string
  readonly scope: readonly string[]
}

/** More operations than this in one kernel only make it slow to compile. */
const MAX_MELTED = 96

/** How an application reads its operands, found by running its meaning on stand-ins. */
interface Probe {
  /** The index vectors at which each operand is read. */
  readonly reads: readonly (readonly (readonly Index[])[])[]
  readonly idx: readonly Index[]
  /** It computes nothing: each element is an element of an operand, a constant or a position. */
  readonly moves: boolean
}

function probe(n: Apply): Probe {
  const { meaning } = n.prim
  const reads: (readonly Index[])[][] = n.args.map(() => [])
  const idx = n.outs[0]!.aval.shape.map(d => axisIndex(newAxis(d)))
  if (meaning.kind === "call" || meaning.kind === "loop" || meaning.kind === "scatter") return { reads, idx, moves: false }
  const ins = n.args.map(
    (a, i): Read =>
      at => {
        reads[i]!.push(at)
        return { k: "load", t: a.aval.dtype, slot: i, at: { constant: 0, terms: [] } }
      },
  )
  const body = meaning.at(
    ins,
    idx,
    n.params,
    n.args.map(a => a.aval),
  )
  return { reads, idx, moves: isMove(body) }
}
const isMove = (e: Expr): boolean => e.k === "load" || e.k === "const" || e.k === "index" || (e.k === "guard" && isMove(e.body))

/** How often a node reads its operands in total. */
function reading(n: Apply): number {
  switch (n.prim.meaning.kind) {
    case "contraction":
      return Infinity
    case "reduce":
      return Math.max(...n.args.map(a => size(a.aval.shape)))
    case "scatter":
      return size(n.prim.meaning.loop(avalsOf(n), n.params))
    default:
      return size(n.outs[0]!.aval.shape)
  }
}
const avalsOf = (n: Apply): Aval[] => n.args.map(a => a.aval)

/** Where a value is evaluated: in which kernel, and at which index vector there. */
interface Place {
  readonly root: Apply
  readonly at: object
}

/** The applications whose results are written to memory; the others are melted into their readers. */
function chooseStored(g: Graph): Set<Node> {
  const stored = new Set<Node>([...g.inputs, ...g.outputs])
  const places = new Map<Node, Place | "several">()
  const melted = new Map<Apply, number>()
  const again = new Set<Node>()
  for (const n of g.nodes.toReversed()) {
    const p = probe(n)
    const [out] = n.outs as readonly [Node]
    const place = places.get(out)
    const { kind } = n.prim.meaning
    const mayMelt = kind === "map" || kind === "reduce"
    const once = place !== undefined && place !== "several" && !again.has(out) && (melted.get(place.root) ?? 0) < MAX_MELTED
    // a reduction ends in the map that finishes it (a mean, a logarithm), never inside of another one
    const ends = kind !== "reduce" || (once && place.at === place.root && place.root.prim.meaning.kind === "map")
    const isStored = n.outs.some(o => stored.has(o)) || !mayMelt || !(p.moves || once) || !ends
    if (isStored) for (const o of n.outs) stored.add(o)
    const here: Place | "several" = isStored ? { root: n, at: n } : place!
    if (here !== "several") melted.set(here.root, (melted.get(here.root) ?? 0) + 1)
    n.args.forEach((a, i) => {
      if ((!isStored && p.moves && again.has(out)) || reading(n) > size(a.aval.shape)) again.add(a)
      const direct = p.reads[i]!.every(at => at === p.idx)
      const at =
        here === "several" || (!direct && p.reads[i]!.length > 1) ? "several" : { root: here.root, at: direct ? here.at : p.reads[i]! }
      const before = places.get(a)
      if (before === undefined) places.set(a, at)
      else if (before === "several" || at === "several" || before.root !== at.root || before.at !== at.at) places.set(a, "several")
    })
  }
  return stored
}

/** The kernels of a graph in execution order, and its outputs: each a value of its own, none of them an input. */
export function fuse(g: Graph): { launches: Launch[]; outputs: Node[] } {
  const stored = chooseStored(g)
  const producer = new Map(g.nodes.flatMap(n => n.outs.map(o => [o, n] as const)))
  const launches: Launch[] = []

  const launch = (
    { name, scope }: Pick<Launch, "name" | "scope">,
    out: Node,
    make: (read: (a: Node) => Read) => Omit<Kernel, "loads">,
  ): void => {
    const reads: Node[] = []
    // one expression for each value and index vector, so that what is shared stays shared
    const made = new Map<Node, Map<readonly Index[], Expr>>()
    const slot = (a: Node): number => {
      const i = reads.indexOf(a)
      return i >= 0 ? i : reads.push(a) - 1
    }
    const read =
      (a: Node): Read =>
      idx => {
        let known = made.get(a)
        if (!known) made.set(a, (known = new Map()))
        let e = known.get(idx)
        if (!e)
          known.set(
            idx,
            (e = stored.has(a) ? { k: "load", t: a.aval.dtype, slot: slot(a), at: ravel(idx, a.aval.shape) } : element(a, idx)),
          )
        return e
      }
    const element = (a: Node, idx: readonly Index[]): Expr => {
      const n = producer.get(a)!
      const { meaning } = n.prim
      if (meaning.kind === "call" || meaning.kind === "loop" || meaning.kind === "scatter")
        throw new Error(`fuse: ${n.prim.name} has no elements`)
      return meaning.at(n.args.map(read), idx, n.params, avalsOf(n))
    }
    const kernel = make(a => (a === out ? idx => element(a, idx) : read(a)))
    launches.push({ kernel: { ...kernel, body: simplifyExpr(kernel.body), loads: reads.map(r => r.aval.dtype) }, out, reads, name, scope })
  }
  const store = (t: Dtype, at: Index): Kernel["out"] => ({ t, at, mode: "store", bounds: [] })
  const copy = (of: Pick<Launch, "name" | "scope">, out: Node, from: Node): void =>
    launch(of, out, read => {
      const axes = out.aval.shape.map(newAxis)
      const idx = axes.map(axisIndex)
      return { axes, out: store(out.aval.dtype, ravel(idx, out.aval.shape)), body: read(from)(idx) }
    })

  for (const node of g.nodes) {
    const { meaning } = node.prim
    if (meaning.kind === "call" || meaning.kind === "loop") throw new Error(`fuse: ${node.prim.name} should have been inlined`)
    const [out] = node.outs as readonly [Node]
    if (!stored.has(out)) continue
    const of = { name: node.prim.name, scope: node.scope }
    if (meaning.kind !== "scatter") {
      copy(of, out, out)
      continue
    }
    copy(of, out, node.args[meaning.target]!)
    launch(of, out, read => {
      const axes = meaning.loop(avalsOf(node), node.params).map(newAxis)
      const { to, bounds, value } = meaning.at(node.args.map(read), axes.map(axisIndex), node.params, avalsOf(node))
      return { axes, out: { t: out.aval.dtype, at: ravel(to, out.aval.shape), mode: "add", bounds }, body: value }
    })
  }
  const outputs: Node[] = []
  for (const o of g.outputs) {
    if (g.inputs.includes(o) || outputs.includes(o)) {
      const fresh = new Node(o.aval)
      copy({ name: "copy", scope: [] }, fresh, o)
      outputs.push(fresh)
    } else outputs.push(o)
  }
  return { launches, outputs }
}
