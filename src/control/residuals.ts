// Which values of the forward pass a backward loop keeps, and which it makes again.
import { type Aval, size } from "../core/aval.ts"
import { bytesOf, heldAs } from "../core/dtype.ts"
import { type Apply, Node, prune } from "../graph/graph.ts"
import { axisIndex, newAxis, ravel } from "../ir/affine.ts"
import { children, type Expr, type Read } from "../ir/expr.ts"
import { formulas } from "../ir/formulas.ts"
import type { LinearizedGraph, Source } from "../transforms/linearize.ts"

/** More machine operations than this for an element, or any function with a formula, cost more than reading the result from memory. */
const CHEAP = 8

/** An element of an application's result, as an expression of those of its operands; `undefined` if it has several results. */
export function elementOf({ prim: { meaning }, args, outs, params }: Apply): Expr | undefined {
  if (!("at" in meaning) || meaning.kind === "scatter") return undefined
  const avals = args.map(a => a.aval)
  const reads = avals.map(
    (a, slot): Read =>
      idx => ({ k: "load", t: heldAs(a.dtype), slot, at: ravel(idx, a.shape) }),
  )
  const idx = outs[0]!.aval.shape.map(n => axisIndex(newAxis(n)))
  return meaning.at(reads, idx, params, avals)
}

/** Whether an application is as well computed where it is read: moves of elements, constants, a little arithmetic. */
export function isCheap(n: Apply): boolean {
  if (n.prim.meaning.kind !== "map") return false
  const seen = new Set<Expr>()
  const cost = (e: Expr): number => {
    if (seen.has(e)) return 0
    seen.add(e)
    const own = e.k !== "op" ? 0 : e.op in formulas ? Infinity : 1
    return children(e).reduce((n, c) => n + cost(c), own)
  }
  return cost(elementOf(n)!) <= CHEAP
}

const fresh = (n: Node): Node => new Node(n.aval)
export const bytes = (nodes: Iterable<{ readonly aval: Aval }>): number =>
  [...nodes].reduce((n, { aval }) => n + size(aval.shape) * bytesOf(aval.dtype), 0)

/**
 * As the linearized graph given, with less to save: what is cheap to compute from values that are at hand anyway, or from no more
 * bytes of others, is computed again by the linear half. `have` says what is at hand, as for `linearizeGraph`.
 */
export function lean(l: LinearizedGraph, nOutputs: number, have: { inputs: boolean[]; outputs: boolean[] }): LinearizedGraph {
  const { inputs, nodes, outputs } = l.primal
  const makers = new Map(nodes.flatMap(n => n.outs.map(o => [o, n] as const)))
  const cheap = new Set(nodes.filter(isCheap))
  const given = [...inputs.filter((_, i) => have.inputs[i]), ...outputs.filter((_, i) => i < nOutputs && have.outputs[i])]
  const atHand = new Set(given)
  /** What has to be at hand for a value to be made again. */
  const roots = (n: Node, seen = new Set<Node>()): Node[] => {
    if (seen.has(n) || atHand.has(n)) return []
    seen.add(n)
    const maker = makers.get(n)
    return maker && cheap.has(maker) ? maker.args.flatMap(a => roots(a, seen)) : [n]
  }
  const wanted = l.sources.map(s => (s.of === "input" ? inputs : outputs)[s.i]!)
  const saved = wanted.filter(n => !atHand.has(n))
  const made = saved.filter(n => makers.has(n) && cheap.has(makers.get(n)!))
  for (const n of saved) if (!made.includes(n)) atHand.add(n)
  for (const n of made) {
    const from = roots(n)
    for (const r of bytes(from) <= bytes([n]) ? from : [n]) atHand.add(r)
  }

  const kept = outputs.slice(0, nOutputs)
  const sources: Source[] = []
  const into: Node[] = []
  const again: Apply[] = []
  const linear = new Map<Node, Node>()
  /** A value of the primal graph in the linear one: handed to it, or made again there. */
  const bring = (n: Node): Node => {
    const known = linear.get(n)
    if (known) return known
    if (atHand.has(n)) {
      const i = inputs.indexOf(n)
      const o = kept.findIndex((k, i) => k === n && (i >= nOutputs || have.outputs[i]))
      sources.push(have.inputs[i] ? { of: "input", i } : { of: "output", i: o >= 0 ? o : kept.push(n) - 1 })
      into.push(fresh(n))
      linear.set(n, into.at(-1)!)
    } else {
      const maker = makers.get(n)!
      const args = maker.args.map(bring)
      const outs = maker.outs.map(fresh)
      again.push({ ...maker, args, outs })
      maker.outs.forEach((o, i) => linear.set(o, outs[i]!))
    }
    return linear.get(n)!
  }
  const nTangents = l.linear.inputs.length - l.sources.length
  const place = new Map(wanted.map((n, k) => [l.linear.inputs[nTangents + k]!, bring(n)]))
  const find = (n: Node): Node => place.get(n) ?? n
  return {
    primal: prune({ inputs, nodes, outputs: kept }),
    linear: {
      inputs: [...l.linear.inputs.slice(0, nTangents), ...into],
      nodes: [...again, ...l.linear.nodes.map(n => ({ ...n, args: n.args.map(find) }))],
      outputs: l.linear.outputs.map(find),
    },
    tangents: l.tangents,
    sources,
  }
}
