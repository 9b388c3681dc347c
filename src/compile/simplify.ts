import { type Apply, type Graph, type Node, prune } from "../graph/graph.ts"
import { idOf, paramsKey } from "../graph/key.ts"

/** Computes equal applications once and drops those that no output needs. */
export function simplify(g: Graph): Graph {
  const same = new Map<Node, Node>()
  const link = (n: Node): Node => same.get(n) ?? n
  const ids = new Map<Node, number>()
  const id = (n: Node): number => {
    let i = ids.get(n)
    if (i === undefined) ids.set(n, (i = ids.size))
    return i
  }
  const seen = new Map<string, Apply>()
  const nodes: Apply[] = []
  for (const n of prune(g).nodes) {
    const args = n.args.map(link)
    const key = `${idOf(n.prim)} ${paramsKey(n.params)} ${args.map(id)}`
    const twin = seen.get(key)
    if (twin) {
      n.outs.forEach((o, i) => same.set(o, twin.outs[i]!))
      continue
    }
    const made = { ...n, args }
    seen.set(key, made)
    nodes.push(made)
  }
  return prune({ inputs: g.inputs, nodes, outputs: g.outputs.map(link) })
}
