import { type Apply, type Graph, Node } from "../graph/graph.ts"

/** One path of names below another; the mark of a backward pass stays last. */
const below = (path: readonly string[], names: readonly string[]): readonly string[] =>
  path.at(-1) === "backward" ? [...path.slice(0, -1), ...names, "backward"] : [...path, ...names]

/** Puts sub-programs in the place of the nodes that stand for them; their names move into the scopes. */
export function inline(g: Graph): Graph {
  if (!g.nodes.some(n => n.prim.body)) return g
  const nodes: Apply[] = []
  const expand = (g: Graph, args: readonly Node[], scope: readonly string[]): Node[] => {
    const env = new Map(g.inputs.map((n, i) => [n, args[i]!]))
    for (const n of g.nodes) {
      const at = below(scope, n.scope)
      const body = n.prim.body?.(n.params)
      const operands = n.args.map(a => env.get(a)!)
      const outs = body ? expand(body.graph as Graph, operands, body.name ? below(at, [body.name]) : at) : n.outs.map(o => new Node(o.aval))
      if (!body) nodes.push({ ...n, args: operands, outs, scope: at })
      n.outs.forEach((o, i) => env.set(o, outs[i]!))
    }
    return g.outputs.map(o => env.get(o)!)
  }
  return { inputs: g.inputs, nodes, outputs: expand(g, g.inputs, []) }
}
