// The adjoint graph as DOT, the language of Graphviz.
import { digits } from "./digits.ts"
import type { Explanation, Group } from "./explanation.ts"
import { spaced } from "./text.ts"

/**
 * The adjoint graph in the DOT language: a box for each application that the scalar reaches, layers and turns as clusters, and on each
 * edge what the paths along it contribute; thick edges carry much.
 *
 * @example
 * const loss = (w: Tensor, x: Tensor) => sum(tanh(matmul(x, w)))
 * const explanation = explain(loss, [tensor([[0.5], [0.2]]), tensor([[1, 3]])], { of: "0[1,0]" })
 * toDot(explanation).split("\n")[0]  // "digraph adjoint {"
 */
export function toDot(e: Explanation): string {
  const byId = new Map(e.applications.map(a => [a.id, a]))
  const node = (id: number): string => {
    const { operation, shape, contribution } = byId.get(id)!
    return `n${id} [label=${quoted(`${operation} [${shape.join(",")}]\n${digits(contribution)}`)}];`
  }
  let clusters = 0
  const group = (g: Group, indent: string): string[] => {
    const inner = [...g.applications.map(id => indent + node(id)), ...g.groups.flatMap(sub => cluster(sub, indent))]
    return inner
  }
  const cluster = (g: Group, indent: string): string[] => [
    `${indent}subgraph cluster_${clusters++} {`,
    `${indent}  label=${quoted(g.name)};`,
    ...group(g, `${indent}  `),
    `${indent}}`,
  ]
  const most = e.links.reduce((m, l) => Math.max(m, Math.abs(l.contribution)), 0)
  const links = e.links.map(({ from, to, contribution, count }) => {
    const width = most > 0 ? 0.5 + 4 * (Math.abs(contribution) / most) : 0.5
    const label = quoted(`${digits(contribution)}\n${spaced(count)}`)
    return `  ${from < 0 ? "scalar" : `n${from}`} -> n${to} [label=${label}, penwidth=${width.toFixed(2)}];`
  })
  return [
    "digraph adjoint {",
    "  rankdir=LR;",
    '  node [shape=box, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    `  scalar [shape=ellipse, label=${quoted(`${e.of.name}\n${digits(e.of.value)}`)}];`,
    ...group(e.groups, "  "),
    ...links,
    "}",
    "",
  ].join("\n")
}
const quoted = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`
