import { type Aval, differentiable, tangentOf } from "../core/aval.ts"
import type { TypedArray } from "../core/dtype.ts"
import type { Maybe, Primitive } from "../core/primitive.ts"
import { alive, Tensor, Trace, withTrace } from "../core/tensor.ts"
import type { Flat } from "../core/tree.ts"
import { avals, type Graph, memo } from "../graph/graph.ts"
import { derive, replay } from "../graph/record.ts"
import { zeros } from "../primitives/base.ts"

/** A value with a tangent; values whose tangent is zero stay as they are. */
class Dual extends Tensor {
  readonly trace: JvpTrace
  readonly primal: Tensor
  readonly tangent: Tensor
  constructor(trace: JvpTrace, primal: Tensor, tangent: Tensor) {
    super()
    this.trace = trace
    this.primal = primal
    this.tangent = tangent
  }
  get aval(): Aval {
    return this.primal.aval
  }
  override values(read?: string): TypedArray {
    return alive(this).primal.values(read)
  }
  override toString(): string {
    return String(this.primal)
  }
}

class JvpTrace extends Trace {
  private readonly rule: "jvp" | "linearize"
  constructor(level: number, rule: "jvp" | "linearize") {
    super(level)
    this.rule = rule
  }
  split(x: Tensor): [Tensor, Maybe] {
    return x instanceof Dual && x.trace === this ? [x.primal, x.tangent] : [alive(x), null]
  }
  join(y: Tensor, dy: Maybe | undefined): Tensor {
    return dy && differentiable(y.aval) ? new Dual(this, y, dy) : y
  }
  process<P>(prim: Primitive<P>, args: readonly Tensor[], p: P): Tensor[] {
    const pairs = args.map(a => this.split(a))
    const xs = pairs.map(([x]) => x)
    const ts = pairs.map(([, t]) => t)
    const which = ts.map(t => t !== null)
    const halves = this.rule === "linearize" && prim.linearize?.(xs, which, p)
    const [ys, dys] = halves ? [halves[0], halves[1](ts)] : prim.jvp(xs, ts, p)
    return ys.map((y, i) => this.join(y, dys[i]))
  }
}

/** Outputs of `f` at `xs` and their tangents along `ts`. */
export function jvpFlat(f: Flat, xs: readonly Tensor[], ts: readonly Maybe[], rule: "jvp" | "linearize" = "jvp"): [Tensor[], Maybe[]] {
  return withTrace(
    "operands",
    level => new JvpTrace(level, rule),
    trace => {
      const pairs = f(xs.map((x, i) => trace.join(x, ts[i]))).map(y => trace.split(y))
      return [pairs.map(([y]) => y), pairs.map(([, t]) => t)]
    },
  )
}

/** Puts values where `which` is true, null elsewhere. */
export function scatter(which: readonly boolean[], values: readonly Tensor[]): Maybe[] {
  let next = 0
  return which.map(w => (w ? values[next++]! : null))
}
export const present = (ts: readonly Maybe[]): Tensor[] => ts.filter(t => t !== null)
/** Zeros written out where a fixed structure asks for a tangent. */
export const instantiate = (ts: readonly Maybe[], like: readonly { aval: Aval }[], force: readonly boolean[]): Maybe[] =>
  ts.map((t, i) => t ?? (force[i] && differentiable(like[i]!.aval) ? zeros(tangentOf(like[i]!.aval)) : null))

/** [inputs, tangents of `which`] -> [outputs, tangents], the latter where `tangents`. */
export const jvpGraph = /*@__PURE__*/ memo((g: Graph, which: boolean[], force: boolean[]): { graph: Graph; tangents: boolean[] } => {
  let tangents!: boolean[]
  const n = g.inputs.length
  const graph = derive(
    ins => {
      const [ys, raw] = jvpFlat(xs => replay(g, xs), ins.slice(0, n), scatter(which, ins.slice(n)))
      const dys = instantiate(raw, ys, force)
      tangents = dys.map(t => t !== null)
      return [...ys, ...present(dys)]
    },
    [...avals(g.inputs), ...avals(g.inputs.filter((_, i) => which[i])).map(tangentOf)],
  )
  return { graph, tangents }
})
