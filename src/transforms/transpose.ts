import type { Maybe } from "../core/primitive.ts"
import { bind, scope, type Tensor } from "../core/tensor.ts"
import { avals, type Graph, memo, type Node } from "../graph/graph.ts"
import { derive } from "../graph/record.ts"
import { addMaybe, zeros } from "../primitives/base.ts"
import { present, scatter } from "./jvp.ts"

/**
 * Reads a linear graph backwards: from the outputs' cotangents to those of the inputs that are `null` in `known`.
 * `mark` is added to the scope of each node; inside a sub-graph nothing is, since the node that holds it is marked already.
 */
export function transpose(g: Graph, known: readonly Maybe[], cts: readonly Maybe[], mark: readonly string[] = ["backward"]): Maybe[] {
  const env = new Map<Node, Tensor>()
  g.inputs.forEach((n, i) => known[i] && env.set(n, known[i]))
  const backward = new Map<Node, Tensor>()
  const give = (n: Node, ct: Maybe): void => {
    const total = addMaybe(backward.get(n) ?? null, ct)
    if (total) backward.set(n, total)
  }
  // nodes that depend on no linear input are constants of the derivative: run them forwards
  const linear = g.nodes.filter(n => {
    if (!n.args.every(a => env.has(a))) return true
    const args = n.args.map(a => env.get(a)!)
    const ys = scope([...n.scope, ...mark], () => bind(n.prim, args, n.params))
    n.outs.forEach((o, i) => env.set(o, ys[i]!))
    return false
  })
  scope(mark, () => g.outputs.forEach((o, i) => give(o, cts[i]!)))
  for (const n of linear.reverse()) {
    const outs = n.outs.map(o => backward.get(o) ?? null)
    if (outs.every(ct => ct === null)) continue
    scope([...n.scope, ...mark], () => {
      const operands = n.args.map(a => env.get(a) ?? a.aval)
      const back = n.prim.transpose(outs, operands, n.params)
      n.args.forEach((a, i) => env.has(a) || give(a, back[i]!))
    })
  }
  return g.inputs.map(n => backward.get(n) ?? null)
}

/** [known inputs, cotangents of the outputs where `given`] -> cotangents of the `linear` inputs, zeros written out. */
export const transposeGraph = memo((g: Graph, linear: boolean[], given: boolean[]): Graph => {
  const known = g.inputs.filter((_, i) => !linear[i])
  const ins = avals([...known, ...g.outputs.filter((_, i) => given[i])])
  return derive(xs => {
    const values = scatter(
      linear.map(l => !l),
      xs.slice(0, known.length),
    )
    const back = transpose(g, values, scatter(given, xs.slice(known.length)), [])
    return present(back.map((ct, i) => (linear[i] ? (ct ?? zeros(g.inputs[i]!.aval)) : null)))
  }, ins)
})
