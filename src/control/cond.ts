// Two programs of which one runs.
import { type Aval, same, show } from "../core/aval.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import type { Maybe, Primitive } from "../core/primitive.ts"
import { bind, Tensor } from "../core/tensor.ts"
import { describe, leaves, rebuild, type Tree, wantFunction } from "../core/tree.ts"
import { avals, type Graph } from "../graph/graph.ts"
import { intern } from "../graph/key.ts"
import { derive, record, replay } from "../graph/record.ts"
import { broadcast, toFront, zeros } from "../primitives/base.ts"
import { cast, not, select } from "../primitives/elementwise.ts"
import { jvpGraph, present, scatter } from "../transforms/jvp.ts"
import { linearizeGraph, type Source } from "../transforms/linearize.ts"
import { transposeGraph } from "../transforms/transpose.ts"
import { batchGraph } from "../transforms/vmap.ts"
import { count } from "./loop.ts"
import { structure } from "./record-loop.ts"
import { countedScan } from "./scan.ts"

/** Operands are the condition, bool [], and the inputs that both graphs have in common. */
interface Cond {
  readonly onTrue: Graph
  readonly onFalse: Graph
}
const both = <T>({ onTrue, onFalse }: Cond, f: (g: Graph) => T): readonly [T, T] => [f(onTrue), f(onFalse)]
const either = (a: readonly boolean[], b: readonly boolean[]): boolean[] => a.map((x, i) => x || b[i]!)

export const condP: Primitive<Cond> = {
  name: "cond",
  shape: (_ins, p) => avals(p.onTrue.outputs),
  meaning: { kind: "call" },
  body: p => ({ graph: asLoops(p.onTrue, p.onFalse), name: "cond" }),
  jvp([condition, ...xs], [, ...ts], p) {
    const which = ts.map(t => t !== null)
    const [a, b] = both(p, g => jvpGraph(g, which, []).tangents)
    const [onTrue, onFalse] = both(p, g => jvpGraph(g, which, either(a, b)))
    const outs = bind(condP, [condition!, ...xs, ...present(ts)], { onTrue: onTrue.graph, onFalse: onFalse.graph })
    return [outs.slice(0, onTrue.tangents.length), scatter(onTrue.tangents, outs.slice(onTrue.tangents.length))]
  },
  linearize([condition, ...xs], [, ...which], p) {
    const { onTrue, onFalse, tangents, sources } = halves(p.onTrue, p.onFalse, [...which])
    const outs = bind(condP, [condition!, ...xs], { onTrue: onTrue.primal, onFalse: onFalse.primal })
    const residuals = sources.map(s => (s.of === "input" ? xs : outs)[s.i]!)
    const push = ([, ...ts]: readonly Maybe[]): Maybe[] => {
      const operands = [condition!, ...present(ts), ...residuals]
      return scatter(tangents, bind(condP, operands, { onTrue: onTrue.linear, onFalse: onFalse.linear }))
    }
    return [outs.slice(0, tangents.length), push]
  },
  transpose(cts, [condition, ...operands], p) {
    const linear = operands.map(x => !(x instanceof Tensor))
    const given = cts.map(ct => ct !== null)
    const [onTrue, onFalse] = both(p, g => transposeGraph(g, linear, given))
    const known = operands.filter(x => x instanceof Tensor)
    return [null, ...scatter(linear, bind(condP, [condition as Tensor, ...known, ...present(cts)], { onTrue, onFalse }))]
  },
  batch(all, [axis, ...axes], p, n) {
    const [condition, ...xs] = all.map((x, i) => toFront(x, i === 0 ? axis! : axes[i - 1]!)) as [Tensor, ...Tensor[]]
    const which = axes.map(a => a !== null)
    const [a, b] = both(p, g => batchGraph(g, which, n, []).mapped)
    const mapped = axis === null ? either(a, b) : a.map(() => true)
    const [onTrue, onFalse] = both(p, g => batchGraph(g, which, n, mapped).graph)
    const axesOut = mapped.map(m => (m ? 0 : null))
    if (axis === null) return [bind(condP, [condition, ...xs], { onTrue, onFalse }), axesOut]
    // each example takes its own branch: both are computed
    const [yes, no] = [replay(onTrue, xs), replay(onFalse, xs)]
    return [yes.map((y, i) => choose(condition, y, no[i]!)), axesOut]
  },
}
/** Where the condition of the example holds, along axis 0. */
const choose = (condition: Tensor, yes: Tensor, no: Tensor): Tensor =>
  select(
    broadcast(
      condition,
      yes.shape,
      yes.shape.flatMap((_, d) => (d > 0 ? [d] : [])),
    ),
    yes,
    no,
  )

/** Kept with both graphs, so that what is derived from them is derived and compiled once. */
function memoPair<K extends readonly unknown[], T>(make: (onTrue: Graph, onFalse: Graph, ...key: K) => T): typeof make {
  const cache = new WeakMap<Graph, WeakMap<Graph, Map<string, T>>>()
  return (onTrue, onFalse, ...key) => {
    const second = cache.get(onTrue) ?? new WeakMap<Graph, Map<string, T>>()
    cache.set(onTrue, second)
    const entries = second.get(onFalse) ?? new Map<string, T>()
    second.set(onFalse, entries)
    const k = JSON.stringify(key)
    const made = entries.has(k) ? entries.get(k)! : make(onTrue, onFalse, ...key)
    entries.set(k, made)
    return made
  }
}

/** The halves of both derivatives, which save the same things: zeros in the place of what the other branch saves. */
const halves = memoPair((onTrue, onFalse, which: boolean[]) => {
  const halvesOf = (g: Graph, force: boolean[]) =>
    linearizeGraph(g, which, force, { inputs: g.inputs.map(() => true), outputs: g.outputs.map(() => true) })
  const force = either(halvesOf(onTrue, []).tangents, halvesOf(onFalse, []).tangents)
  const [a, b] = [halvesOf(onTrue, force), halvesOf(onFalse, force)]
  const n = onTrue.outputs.length
  const savedBy = (h: typeof a): Aval[] => avals(h.primal.outputs.slice(n))
  /** outputs, what the first branch has saved, what the second has */
  const primal = (h: typeof a, before: readonly Aval[], after: readonly Aval[]): Graph =>
    derive(xs => {
      const outs = replay(h.primal, xs)
      return [...outs.slice(0, n), ...before.map(zeros), ...outs.slice(n), ...after.map(zeros)]
    }, avals(h.primal.inputs))
  const nTangents = count(which)
  const ins = [...avals(a.linear.inputs), ...avals(b.linear.inputs.slice(nTangents))]
  const linear = (h: typeof a, from: number): Graph =>
    derive(xs => replay(h.linear, [...xs.slice(0, nTangents), ...xs.slice(from, from + h.sources.length)]), ins)
  const shift = (s: Source): Source => (s.of === "output" && s.i >= n ? { ...s, i: s.i + savedBy(a).length } : s)
  return {
    onTrue: { primal: primal(a, [], savedBy(b)), linear: linear(a, nTangents) },
    onFalse: { primal: primal(b, savedBy(a), []), linear: linear(b, nTangents + a.sources.length) },
    tangents: a.tangents,
    sources: [...a.sources, ...b.sources.map(shift)],
  }
})

/** Each branch as a loop of one turn or none: engines need nothing else. */
const asLoops = memoPair((onTrue, onFalse) =>
  derive(
    ([condition, ...xs]) => {
      const branch = (g: Graph, before: readonly Tensor[], turns: Tensor): readonly Tensor[] =>
        countedScan(() => [replay(g, xs), null], before, null, cast(turns, "i32"), { length: 1 })[0]
      const nothing = onTrue.outputs.map(o => zeros(o.aval))
      return branch(onFalse, branch(onTrue, nothing, condition!), not(condition!))
    },
    [{ shape: [], dtype: "bool" }, ...avals(onTrue.inputs)],
  ),
)

/**
 * `onTrue(...operands)` where `condition` (bool []) holds, else `onFalse(...operands)`: only one of them is computed. Under `vmap`
 * over the condition both are, and each example takes its own.
 *
 * Both return trees of one structure, with the same shapes and dtypes. Throws TypeError, ShapeError or DtypeError where they differ.
 *
 * @example
 * const x = tensor(-3)
 * cond(greater(x, 0), (x: Tensor) => x.sqrt(), (x: Tensor) => x.neg(), x)  // 3
 */
export function cond<A extends readonly any[], R>(
  condition: Tensor,
  onTrue: (...operands: A) => R,
  onFalse: (...operands: A) => R,
  ...operands: A
): R {
  if (!(condition instanceof Tensor) || condition.dtype !== "bool" || condition.ndim > 0)
    throw new TypeError(
      `cond: the condition is a bool scalar, such as greater(x, 0); got ${condition instanceof Tensor ? show(condition.aval) : typeof condition}. ` +
        "Choose element by element with where(condition, x, y)",
    )
  for (const f of [onTrue, onFalse]) wantFunction("cond: each branch", f)
  const trees = operands as unknown as readonly Tree[]
  const xs = trees.flatMap(leaves)
  const results: Tree[] = []
  const branches = [onTrue, onFalse].map(f =>
    record(
      given => {
        const y = f(...(rebuild(trees, given) as unknown as A)) as Tree
        results.push(y)
        return leaves(y)
      },
      xs.map(x => x.aval),
    ),
  )
  const [yes, no] = branches as [(typeof branches)[0], (typeof branches)[0]]
  wantSame(results, avals(yes.graph.outputs), avals(no.graph.outputs))
  // each branch is given what the other one takes from outside, too
  const n = xs.length
  const [own, other] = [yes.graph.inputs.slice(n), no.graph.inputs.slice(n)]
  const graphs = branches.map(({ graph }) => intern({ ...graph, inputs: [...graph.inputs.slice(0, n), ...own, ...other] }))
  const outs = bind(condP, [condition, ...xs, ...yes.captured, ...no.captured], { onTrue: graphs[0]!, onFalse: graphs[1]! })
  return rebuild(results[0]!, outs) as R
}
function wantSame([yes, no]: readonly Tree[], a: readonly Aval[], b: readonly Aval[]): void {
  if (structure(yes!) !== structure(no!))
    throw new TypeError(`cond: both branches must return the same structure; onTrue returned ${describe(yes!)}, onFalse ${describe(no!)}`)
  const odd = a.findIndex((x, i) => !same(x, b[i]!))
  if (odd < 0) return
  const Kind = a[odd]!.dtype === b[odd]!.dtype ? ShapeError : DtypeError
  throw new Kind("cond", `both branches must return the same shapes and dtypes; result ${odd} differs`, [a[odd]!, b[odd]!])
}
