// A program in double precision: differences need more digits than f32 has.
import { type Aval, shaped } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { type Graph, Node } from "../graph/graph.ts"

const wide = (a: Aval): Aval => (a.dtype === "f32" ? shaped(a.shape, { ...a, dtype: "f64" }) : a)
const isGraph = (x: object): x is Graph => "inputs" in x && "nodes" in x
/** Searches for solutions stop where f64 has no more digits to win. */
const TOLERANCE = 1e-12

const widened = new WeakMap<Graph, Graph>()
/** The same program with f64 in the place of f32, in all programs within it too. Kept with the graph, as all derived graphs are. */
export function widen(g: Graph): Graph {
  const known = widened.get(g)
  if (known) return known
  const copies = new Map<Node, Node>()
  const copy = (n: Node): Node => {
    let made = copies.get(n)
    if (!made) copies.set(n, (made = new Node(wide(n.aval))))
    return made
  }
  const made: Graph = {
    inputs: g.inputs.map(copy),
    nodes: g.nodes.map(n => ({ ...n, args: n.args.map(copy), params: parameters(n.params), outs: n.outs.map(copy) })),
    outputs: g.outputs.map(copy),
  }
  widened.set(g, made)
  return made
}

function parameters(p: unknown): any {
  if (p === "f32") return "f64"
  if (typeof p !== "object" || p === null) return p
  if (Array.isArray(p)) return p.map(parameters)
  if (isGraph(p)) return widen(p)
  const entries = Object.entries(p).map(([key, value]) => [
    key,
    key === "tolerance" && typeof value === "number" ? Math.min(value, TOLERANCE) : parameters(value),
  ])
  return Object.fromEntries(entries)
}

/** A tensor as f64, if it is f32. */
export function inDouble(x: Tensor): Tensor {
  if (x.dtype !== "f32") return x
  return fromArray(Float64Array.from(x.values()), wide(x.aval))
}
