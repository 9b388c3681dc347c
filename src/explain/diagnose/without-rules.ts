// A function as it is without the derivatives that the user gave for parts of it.
import { recordCall } from "../../control/call.ts"
import { condP } from "../../control/cond.ts"
import { scanP } from "../../control/scan.ts"
import { bind, scope, type Tensor } from "../../core/tensor.ts"
import { leaves, type Tree } from "../../core/tree.ts"
import { avals, type Graph } from "../../graph/graph.ts"
import { derive } from "../../graph/record.ts"
import { isRule } from "../tape.ts"

/** The function with the rules of `customVjp` and `customJvp` left out. */
export function withoutRules(f: (...args: any[]) => any): (...args: any[]) => any {
  return (...args) => {
    const { graph, captured, result } = recordCall(f, args as readonly Tree[])
    return result(replayPlain(graph, [...(args as readonly Tree[]).flatMap(leaves), ...captured]))
  }
}
function replayPlain(g: Graph, xs: readonly Tensor[]): Tensor[] {
  const env = new Map(g.inputs.map((n, i) => [n, xs[i]!]))
  const plain = (body: Graph): Graph => derive(ins => replayPlain(body, ins), avals(body.inputs))
  for (const n of g.nodes) {
    const args = n.args.map(a => env.get(a)!)
    const isOpened = isRule(n.prim) || n.prim.name === "call"
    const run = (): readonly Tensor[] => {
      if (isOpened) {
        const { graph, name } = n.prim.body!(n.params)
        return scope(name ? [name] : [], () => replayPlain(graph as Graph, args.slice(0, graph.inputs.length)))
      }
      if (n.prim === scanP) return bind(scanP, args, { ...n.params, graph: plain(n.params.graph) })
      if (n.prim === condP) return bind(condP, args, { onTrue: plain(n.params.onTrue), onFalse: plain(n.params.onFalse) })
      return bind(n.prim, args, n.params)
    }
    const ys = scope(n.scope, run)
    n.outs.forEach((o, i) => env.set(o, ys[i]!))
  }
  return g.outputs.map(o => env.get(o)!)
}
