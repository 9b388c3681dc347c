import { show } from "../core/aval.ts"
import type { Graph, Node } from "./graph.ts"

/** A graph as text: one line for each application, with the scope it belongs to. */
export function print(g: Graph, indent = ""): string {
  const ids = new Map<Node, number>()
  const id = (n: Node): string => {
    if (!ids.has(n)) ids.set(n, ids.size)
    return `%${ids.get(n)}`
  }
  const typed = (n: Node): string => `${id(n)}: ${show(n.aval)}`
  const lines = [`(${g.inputs.map(typed).join(", ")}) =>`]
  for (const n of g.nodes) {
    const { graph, ...rest } = n.params ?? {}
    const params = Object.keys(rest).length ? ` ${JSON.stringify(rest)}` : ""
    const where = n.scope.length ? `  // ${n.scope.join("/")}` : ""
    lines.push(`  ${n.outs.map(typed).join(", ")} = ${[n.prim.name + params, ...n.args.map(id)].join(" ")}${where}`)
    if (graph) lines.push(`    ${print(graph, `${indent}    `)}`)
  }
  return [...lines, `  return ${g.outputs.map(id).join(", ")}`].join(`\n${indent}`)
}
