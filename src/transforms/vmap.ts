import type { Aval } from "../core/aval.ts"
import type { Axis, Primitive } from "../core/primitive.ts"
import { alive, Tensor, Trace, withTrace } from "../core/tensor.ts"
import { type Flat, flatten, leaves, type Tree, wantFunction } from "../core/tree.ts"
import { type Graph, memo } from "../graph/graph.ts"
import { derive, replay } from "../graph/record.ts"
import { moveAxis, spread, toFront } from "../primitives/base.ts"

class Batched extends Tensor {
  readonly trace: BatchTrace
  readonly inner: Tensor
  readonly axis: number
  readonly aval: Aval
  constructor(trace: BatchTrace, inner: Tensor, axis: number) {
    super()
    this.trace = trace
    this.inner = inner
    this.axis = axis
    this.aval = { ...inner.aval, shape: inner.shape.toSpliced(axis, 1) }
  }
  override toString(): string {
    return `Batched ${this.axis} of ${this.inner}`
  }
}

class BatchTrace extends Trace {
  private readonly n: number
  constructor(level: number, n: number) {
    super(level)
    this.n = n
  }
  split(x: Tensor): [Tensor, Axis] {
    return x instanceof Batched && x.trace === this ? [x.inner, x.axis] : [alive(x), null]
  }
  join(y: Tensor, axis: Axis | undefined): Tensor {
    return axis === null || axis === undefined ? y : new Batched(this, y, axis)
  }
  process<P>(prim: Primitive<P>, args: readonly Tensor[], p: P): Tensor[] {
    const pairs = args.map(a => this.split(a))
    const [ys, axes] = prim.batch(
      pairs.map(([x]) => x),
      pairs.map(([, axis]) => axis),
      p,
      this.n,
    )
    return ys.map((y, i) => this.join(y, axes[i]))
  }
}

/** Runs `f` on `n` examples at once; results that differ between examples have the batch axis in front. */
export function batchFlat(f: Flat, xs: readonly Tensor[], axes: readonly Axis[], n: number): { ys: Tensor[]; mapped: boolean[] } {
  return withTrace(
    "operands",
    level => new BatchTrace(level, n),
    trace => {
      const pairs = f(xs.map((x, i) => trace.join(x, axes[i]))).map(y => trace.split(y))
      return { ys: pairs.map(([y, axis]) => toFront(y, axis)), mapped: pairs.map(([, axis]) => axis !== null) }
    },
  )
}

/** A graph over `n` examples, batch axes in front. */
export const batchGraph = memo((g: Graph, which: boolean[], n: number, force: boolean[]): { graph: Graph; mapped: boolean[] } => {
  let mapped!: boolean[]
  const ins = g.inputs.map((x, i) => (which[i] ? { ...x.aval, shape: [n, ...x.aval.shape] } : x.aval))
  const graph = derive(xs => {
    const out = batchFlat(
      ins => replay(g, ins),
      xs,
      which.map(w => (w ? 0 : null)),
      n,
    )
    mapped = out.mapped.map((m, i) => m || force[i] === true)
    return out.ys.map((y, i) => spread(y, out.mapped[i]! || !mapped[i], n))
  }, ins)
  return { graph, mapped }
})

export interface VmapOptions {
  /** The batch axis of each argument (of all its leaves), `null` for an argument that is the same for all examples. Default: 0. */
  readonly inAxes?: number | null | readonly (number | null)[]
  /** Where the batch axis goes in the results. Default: 0. */
  readonly outAxis?: number
}

/**
 * Maps `f` over an axis of its arguments: f is written for one example and runs on all at once.
 *
 * Throws TypeError if no argument is mapped or if the axes have different lengths.
 *
 * @example
 * const norms = vmap((x: Tensor) => x.mul(x).sum().sqrt())
 * norms(tensor([[3, 4], [6, 8]]))  // [5, 10]
 * // a gradient for each example
 * const loss = (w: Tensor, x: Tensor) => w.mul(x).sum().square()
 * vmap(grad(loss), { inAxes: [null, 0] })(tensor([1, 1]), tensor([[1, 2], [0, 1]]))  // [[6, 12], [0, 2]]
 */
export function vmap<A extends readonly any[], R>(f: (...args: A) => R, options: VmapOptions = {}): (...args: A) => R {
  wantFunction("vmap", f)
  if (typeof options !== "object") throw new TypeError(`vmap: options come by name, as in { inAxes: 1 }; got ${options}`)
  const { inAxes = 0, outAxis = 0 } = options
  return (...args) => {
    const axisOf = (i: number): Axis => (typeof inAxes === "object" && inAxes !== null ? (inAxes[i] ?? null) : inAxes)
    if (typeof inAxes === "object" && inAxes !== null && inAxes.length !== args.length)
      throw new TypeError(
        `vmap: inAxes must name an axis or null for each argument; it has ${inAxes.length} entries for ${args.length} arguments`,
      )
    const xs = args.flatMap(leaves)
    const axes = args.flatMap((a, i) => leaves(a).map((x): Axis => normalize(axisOf(i), x)))
    const lengths = xs.flatMap((x, i) => (axes[i] === null ? [] : [x.shape[axes[i]!]!]))
    const [n] = lengths
    if (n === undefined) throw new TypeError("vmap: no argument has an axis to map over; give tensors, or name the axis in inAxes")
    if (lengths.some(m => m !== n))
      throw new TypeError(`vmap: the mapped axes must have one length; they have ${[...new Set(lengths)].join(", ")}`)
    const { flat, result } = flatten(f as (...args: any[]) => Tree, args as readonly Tree[])
    const out = batchFlat(flat, xs, axes, n)
    const batches = out.ys.map((y, i) => spread(y, out.mapped[i]!, n))
    return result(batches.map(y => moveAxis(y, 0, place(outAxis, y))))
  }
}

function place(outAxis: number, y: Tensor): number {
  const d = outAxis < 0 ? outAxis + y.ndim : outAxis
  if (!Number.isInteger(outAxis) || d < 0 || d >= y.ndim)
    throw new TypeError(`vmap: outAxis ${outAxis} is no place in a batch of results, which has ${y.ndim} axes`)
  return d
}
function normalize(axis: Axis, x: Tensor): Axis {
  if (axis === null) return null
  const d = axis < 0 ? axis + x.ndim : axis
  if (!Number.isInteger(axis) || d < 0 || d >= x.ndim)
    throw new TypeError(
      `vmap: there is no axis ${JSON.stringify(axis)} in an argument of shape [${x.shape}]; map it with null or wrap it in tensor`,
    )
  return d
}
