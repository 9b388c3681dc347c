import type { Maybe, Primitive } from "../core/primitive.ts"
import { bind, bottom, Tensor } from "../core/tensor.ts"
import { describe, flatten, leaves, type Tree, wantFunction } from "../core/tree.ts"
import { avals, type Graph } from "../graph/graph.ts"
import { record } from "../graph/record.ts"
import { toFront } from "../primitives/base.ts"
import { jvpGraph, present, scatter } from "../transforms/jvp.ts"
import { linearizeGraph } from "../transforms/linearize.ts"
import { transposeGraph } from "../transforms/transpose.ts"
import { batchGraph } from "../transforms/vmap.ts"

export interface Call {
  readonly name: string
  /** What was derived from the original is no longer the operation that `attributes` describe; `form` says what it is. */
  readonly form: "original" | "jvp" | "primal" | "linear" | "backward" | "batched"
  readonly attributes?: object
  readonly graph: Graph
}

/** A sub-program as one node, with a name that profiles, exporters and explanations group by. */
export const callP: Primitive<Call> = {
  name: "call",
  shape: (_ins, p) => avals(p.graph.outputs),
  meaning: { kind: "call" },
  body: p => p,
  jvp(xs, ts, p) {
    const { graph, tangents } = jvpGraph(
      p.graph,
      ts.map(t => t !== null),
      [],
    )
    const outs = bind(callP, [...xs, ...present(ts)], { name: p.name, form: "jvp", graph })
    const n = tangents.length
    return [outs.slice(0, n), scatter(tangents, outs.slice(n))]
  },
  linearize(xs, which, p) {
    const n = p.graph.outputs.length
    const have = { inputs: which.map(() => true), outputs: p.graph.outputs.map(() => true) }
    const { primal, linear, tangents, sources } = linearizeGraph(p.graph, [...which], [], have)
    const outs = bind(callP, xs, { name: p.name, form: "primal", graph: primal })
    const residuals = sources.map(s => (s.of === "input" ? xs : outs)[s.i]!)
    const push = (ts: readonly Maybe[]): Maybe[] => {
      if (linear.outputs.length === 0) return tangents.map(() => null)
      return scatter(tangents, bind(callP, [...present(ts), ...residuals], { name: p.name, form: "linear", graph: linear }))
    }
    return [outs.slice(0, n), push]
  },
  transpose(cts, operands, p) {
    const isLinear = operands.map(x => !(x instanceof Tensor))
    const graph = transposeGraph(
      p.graph,
      isLinear,
      cts.map(ct => ct !== null),
    )
    const known = operands.filter(x => x instanceof Tensor)
    return scatter(isLinear, bind(callP, [...known, ...present(cts)], { name: p.name, form: "backward", graph }))
  },
  batch(xs, axes, p, n) {
    const { graph, mapped } = batchGraph(
      p.graph,
      axes.map(a => a !== null),
      n,
      [],
    )
    const front = xs.map((x, i) => toFront(x, axes[i]!))
    return [bind(callP, front, { name: p.name, form: "batched", graph }), mapped.map(m => (m ? 0 : null))]
  },
}

/** A recorded function: its graph, the outer values it uses, and how to put its results together. */
export interface Recording {
  readonly graph: Graph
  readonly captured: readonly Tensor[]
  readonly result: (ys: readonly unknown[]) => any
}
export function recordCall(f: (...args: any[]) => Tree, args: readonly Tree[]): Recording {
  const { flat, result } = flatten(f, args)
  return {
    ...record(
      flat,
      args.flatMap(leaves).map(x => x.aval),
    ),
    result,
  }
}
/** Captured tracers belong to one call only: another call of the same function may see others, so it must not reuse the recording. */
export const reusable = (r: Recording): boolean => r.captured.every(v => v.trace === bottom())

const recordings = new WeakMap<Function, Map<string, Recording>>()

/**
 * `f` as one node that keeps its name and attributes until it is compiled.
 *
 * @example
 * const double = composite("double", { factor: 2 }, (x: Tensor) => x.mul(2))
 * double(tensor([1, 2]))  // [2, 4]
 */
export function composite<A extends readonly any[], R>(name: string, attributes: object, f: (...args: A) => R): (...args: A) => R {
  wantFunction("composite", f)
  return (...args) => {
    let entries = recordings.get(f)
    if (!entries) recordings.set(f, (entries = new Map()))
    const key = describe(args as readonly Tree[])
    let made = entries.get(key)
    if (!made) {
      made = recordCall(f as (...args: any[]) => Tree, args as readonly Tree[])
      if (reusable(made)) entries.set(key, made)
    }
    const operands = [...(args as readonly Tree[]).flatMap(leaves), ...made.captured]
    return made.result(bind(callP, operands, { name, form: "original", attributes, graph: made.graph }))
  }
}
