import { tangentOf } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Flat } from "../core/tree.ts"
import { type Apply, avals, type Graph, memo, type Node, prune } from "../graph/graph.ts"
import { derive, record, replay } from "../graph/record.ts"
import { instantiate, jvpFlat, present, scatter } from "./jvp.ts"

export interface Linearized {
  readonly ys: Tensor[]
  /** [tangents of `which`, residuals] -> tangents of the outputs where `tangents`. */
  readonly linear: Graph
  readonly residuals: Tensor[]
  readonly tangents: boolean[]
}

/** Outputs at `xs`, and the derivative there as a linear graph: primal work goes outward, tangent work is recorded. */
export function linearizeFlat(f: Flat, xs: readonly Tensor[], which: readonly boolean[], force: readonly boolean[] = []): Linearized {
  let ys!: Tensor[]
  let tangents!: boolean[]
  const { graph, captured } = record(
    ts => {
      const [outs, raw] = jvpFlat(f, xs, scatter(which, ts), "linearize")
      const dys = instantiate(raw, outs, force)
      ys = outs
      tangents = dys.map(t => t !== null)
      return present(dys)
    },
    xs.filter((_, i) => which[i]).map(x => tangentOf(x.aval)),
    "operands",
  )
  return { ys, linear: graph, residuals: captured, tangents }
}

/** Where a residual is found: among the inputs or the outputs of the primal graph. */
export type Source = { readonly of: "input" | "output"; readonly i: number }

export interface LinearizedGraph {
  /** inputs -> [outputs, residuals that are neither inputs nor outputs] */
  readonly primal: Graph
  /** [tangents of `which`, residuals] -> tangents of the outputs where `tangents` */
  readonly linear: Graph
  readonly tangents: boolean[]
  readonly sources: Source[]
}

/**
 * The two halves of a graph's derivative. `have` says which inputs and outputs the caller can hand to the linear half as they
 * are; residuals without operands (zeros, iota) are made again there; only the rest is saved.
 */
export const linearizeGraph = /*@__PURE__*/ memo(
  (g: Graph, which: boolean[], force: boolean[], have: { inputs: boolean[]; outputs: boolean[] }): LinearizedGraph => {
    let half!: Linearized
    const graph = derive(xs => {
      half = linearizeFlat(ins => replay(g, ins), xs, which, force)
      return [...half.ys, ...half.residuals]
    }, avals(g.inputs))

    const outputs = graph.outputs.slice(0, g.outputs.length)
    const saved = graph.outputs.slice(g.outputs.length)
    const nTangents = half.linear.inputs.length - saved.length
    const tangents = half.linear.inputs.slice(0, nTangents)
    const into = half.linear.inputs.slice(nTangents)
    const inputs: Node[] = []
    const sources: Source[] = []
    const again: Apply[] = []
    saved.forEach((from, r) => {
      const maker = graph.nodes.find(n => n.args.length === 0 && n.outs[0] === from)
      if (maker) {
        again.push({ ...maker, outs: [into[r]!] })
        return
      }
      inputs.push(into[r]!)
      const input = graph.inputs.indexOf(from)
      const output = outputs.findIndex((o, i) => o === from && (i >= g.outputs.length || have.outputs[i]))
      if (have.inputs[input]) sources.push({ of: "input", i: input })
      else if (output >= 0) sources.push({ of: "output", i: output })
      else sources.push({ of: "output", i: outputs.push(from) - 1 })
    })
    return {
      primal: prune({ ...graph, outputs }),
      linear: { inputs: [...tangents, ...inputs], nodes: [...again, ...half.linear.nodes], outputs: half.linear.outputs },
      tangents: half.tangents,
      sources,
    }
  },
)
