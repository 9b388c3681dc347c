// Less memory for the backward pass: what is not saved is computed again.
import { tangentOf } from "../core/aval.ts"
import type { Axis, Maybe, Primitive } from "../core/primitive.ts"
import { bind, bind1, scope, Tensor } from "../core/tensor.ts"
import { leaves, type Tree, wantFunction } from "../core/tree.ts"
import { avals, type Graph, memo, type Node } from "../graph/graph.ts"
import { intern } from "../graph/key.ts"
import { derive } from "../graph/record.ts"
import { spread, toFront } from "../primitives/base.ts"
import { jvpFlat, present, scatter } from "../transforms/jvp.ts"
import { batchGraph } from "../transforms/vmap.ts"
import { type Call, callP, recordCall } from "./call.ts"
import { open } from "./loop.ts"

/** Which values the backward pass finds again: none but the arguments, or the results of matrix products, which are dear to make again. */
export type CheckpointPolicy = "nothing" | "products"

interface Checkpoint {
  readonly graph: Graph
  readonly save: CheckpointPolicy
  readonly name: string
}

/** The operand as it is, but another value to the compiler, which would find that what is computed again is there already. */
const againP: Primitive<null> = {
  name: "again",
  shape: ins => ins,
  meaning: { kind: "map", at: ([x], idx) => x!(idx) },
  jvp: (xs, ts) => [bind(againP, xs, null), bind(againP, ts as readonly Tensor[], null)],
  transpose: cts => cts,
  batch: (xs, axes) => [bind(againP, xs, null), axes],
}
/** The linear half of a derivative. Backwards it computes again what it needs of the values. */
const linearP: Primitive<Call> = {
  ...callP,
  transpose: (cts, operands, p) =>
    callP.transpose(
      cts,
      operands.map(x => (x instanceof Tensor ? bind1(againP, [x], null) : x)),
      p,
    ),
}

/** The value `saved` with the tangent of x: x itself need not be computed. */
const insteadP: Primitive<null> = {
  name: "instead",
  shape: ([x]) => [x!],
  meaning: { kind: "map", at: ([, saved], idx) => saved!(idx) },
  jvp: ([, saved], [t]) => [[saved!], [t!]],
  transpose: () => {
    throw new Error("what is saved is not linear")
  },
  batch: ([x, saved], [axis, other], _p, n) => {
    const all = (y: Tensor, axis: Axis): Tensor => spread(toFront(y, axis), axis !== null, n)
    return [bind(insteadP, [all(x!, axis!), all(saved!, other!)], null), [0]]
  },
}

const savedBy = memo((g: Graph, save: CheckpointPolicy): readonly Node[] =>
  save === "nothing" ? [] : g.nodes.flatMap(n => (n.prim.meaning.kind === "contraction" ? n.outs : [])),
)
/** inputs -> [outputs, what is saved] */
const primal = memo((g: Graph, save: CheckpointPolicy): Graph => ({ ...g, outputs: [...g.outputs, ...savedBy(g, save)] }))
/** [tangents of `which`, inputs, what is saved] -> tangents of the outputs where `tangents` */
const linear = memo((g: Graph, which: boolean[], save: CheckpointPolicy) => {
  let tangents!: boolean[]
  const saved = savedBy(g, save)
  const given = g.inputs.filter((_, i) => which[i])
  const graph = derive(
    ins => {
      const [xs, values] = [ins.slice(given.length, given.length + g.inputs.length), ins.slice(given.length + g.inputs.length)]
      const [, dys] = jvpFlat(xs => replayFrom(g, xs, new Map(saved.map((n, i) => [n, values[i]!]))), xs, scatter(which, ins))
      tangents = dys.map(t => t !== null)
      return present(dys)
    },
    [...avals(given).map(tangentOf), ...avals([...g.inputs, ...saved])],
  )
  return { graph, tangents }
})
function replayFrom(g: Graph, xs: readonly Tensor[], saved: ReadonlyMap<Node, Tensor>): Tensor[] {
  const env = new Map(g.inputs.map((n, i) => [n, xs[i]!]))
  for (const n of g.nodes) {
    const args = n.args.map(a => env.get(a)!)
    const ys = scope(n.scope, () => bind(n.prim, args, n.params))
    n.outs.forEach((o, i) => {
      const value = saved.get(o)
      // without a tangent the value is all there is
      env.set(o, !value ? ys[i]! : ys[i]!.trace === value.trace ? value : bind1(insteadP, [ys[i]!, value], null))
    })
  }
  return g.outputs.map(o => env.get(o)!)
}

const checkpointP: Primitive<Checkpoint> = {
  name: "checkpoint",
  shape: (_ins, p) => avals(p.graph.outputs),
  meaning: { kind: "call" },
  body: p => p,
  jvp: (xs, ts, { graph, name }) => callP.jvp(xs, ts, { graph, name, form: "original" }),
  linearize(xs, which, { graph, save, name }) {
    const g = open(graph)
    const n = g.outputs.length
    const outs = bind(callP, xs, { name, form: "primal", graph: primal(g, save) })
    const half = linear(g, [...which], save)
    const push = (ts: readonly Maybe[]): Maybe[] => {
      if (!half.tangents.includes(true)) return half.tangents.map(() => null)
      const operands = [...present(ts), ...xs, ...outs.slice(n)]
      return scatter(half.tangents, bind(linearP, operands, { name, form: "linear", graph: half.graph }))
    }
    return [outs.slice(0, n), push]
  },
  transpose: (cts, operands, { graph, name }) => callP.transpose(cts, operands, { graph, name, form: "original" }),
  batch(xs, axes, p, n) {
    const { graph, mapped } = batchGraph(
      p.graph,
      axes.map(a => a !== null),
      n,
      [],
    )
    const front = xs.map((x, i) => toFront(x, axes[i]!))
    return [bind(checkpointP, front, { ...p, graph }), mapped.map(m => (m ? 0 : null))]
  },
}

export interface CheckpointOptions {
  /** What the backward pass finds saved. Default: "nothing", so that all of `f` is computed once more. */
  readonly save?: CheckpointPolicy
}

/**
 * `f`, but what its backward pass needs is not saved: it is computed again from the arguments when the backward pass gets there
 * (rematerialization). The result and the gradients have the same bits. A network of n equal layers, each of them checkpointed, keeps n
 * inputs and the insides of one layer instead of the insides of all.
 *
 * Griewank and Walther, Algorithm 799: revolve (2000); Chen et al., arXiv:1604.06174.
 *
 * @example
 * const layer = checkpoint((w: Tensor, x: Tensor) => tanh(matmul(x, w)))
 * grad((w: Tensor) => layer(w, tensor([[1, 2]])).sum())(zeros([2, 1]))  // [[1], [2]]
 */
export function checkpoint<A extends readonly any[], R>(
  f: (...args: A) => R,
  { save = "nothing" }: CheckpointOptions = {},
): (...args: A) => R {
  wantFunction("checkpoint", f)
  if (save !== "nothing" && save !== "products")
    throw new TypeError(`checkpoint: \`save\` must be "nothing" or "products"; got ${JSON.stringify(save)}`)
  return (...args) => {
    const trees = args as unknown as readonly Tree[]
    const { graph, captured, result } = recordCall(f as (...args: any[]) => Tree, trees)
    const operands = [...trees.flatMap(leaves), ...captured]
    return result(bind(checkpointP, operands, { graph: intern(graph), save, name: f.name || "checkpoint" }))
  }
}
