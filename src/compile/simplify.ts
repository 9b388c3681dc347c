import { type Apply, type Graph, type Node, prune } from "../graph/graph.ts"
import { idOf, sameData } from "../graph/key.ts"

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
  const seen = new Map<string, Apply[]>()
  const nodes: Apply[] = []
  for (const n of prune(g).nodes) {
    const args = n.args.map(link)
    const key = `${idOf(n.prim)} ${args.map(id)}`
    const alike = seen.get(key) ?? []
    const twin = alike.find(a => sameData(a.params, n.params))
    if (twin) {
      n.outs.forEach((o, i) => same.set(o, twin.outs[i]!))
      continue
    }
    const made = { ...n, args }
    seen.set(key, [...alike, made])
    nodes.push(made)
  }
  return prune({ inputs: g.inputs, nodes, outputs: g.outputs.map(link) })
}
