// Solutions of equations, and derivatives that do not depend on how they were found (the implicit function theorem).
import { differentiable, same, show } from "../core/aval.ts"
import { ShapeError } from "../core/errors.ts"
import type { Axis, Maybe, Primitive } from "../core/primitive.ts"
import { bind, Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree, wantFunction } from "../core/tree.ts"
import { avals, type Graph, memo } from "../graph/graph.ts"
import { intern } from "../graph/key.ts"
import { derive, record, replay } from "../graph/record.ts"
import { add, addMaybe, allAxes, fullLike, spread, sum, toFront, zeros } from "../primitives/base.ts"
import { abs, and, cast, div, le, lt, maximum, mul, neg, sub } from "../primitives/elementwise.ts"
import { max } from "../primitives/reduce.ts"
import { jvpGraph, present, scatter } from "../transforms/jvp.ts"
import { linearizeGraph } from "../transforms/linearize.ts"
import { transposeGraph } from "../transforms/transpose.ts"
import { batchGraph } from "../transforms/vmap.ts"
import { whileLoop } from "./scan.ts"

/** A linear system of a linear function A, which is given as a graph [v, residuals] -> A v. Operands are [b, residuals]. */
interface System {
  readonly linear: Graph
  /** Leaves of v and b. */
  readonly n: number
  /** "relax": v = b + A v, by going there. "solve": A v = b, by conjugate gradients of |A v - b|^2. */
  readonly method: "relax" | "solve"
  readonly tolerance: number
  readonly maxTurns: number
}
type Vector = readonly Tensor[]

const like = (x: Tensor, value: number): Tensor => fullLike({ shape: x.shape, dtype: x.dtype }, value)
const plus = (x: Vector, y: Vector, scale?: Tensor): Tensor[] => x.map((a, i) => add(a, scale ? times(y[i]!, scale) : y[i]!))
const minus = (x: Vector, y: Vector): Tensor[] => x.map((a, i) => sub(a, y[i]!))
const times = (x: Tensor, scalar: Tensor): Tensor => mul(x, spreadTo(cast(scalar, x.dtype), x))
const spreadTo = (scalar: Tensor, x: Tensor): Tensor => x.shape.reduceRight((y, n) => spread(y, false, n), scalar)
const dot = (x: Vector, y: Vector): Tensor => total(x.map((a, i) => sum(mul(a, y[i]!), allAxes(a))))
const total = (xs: Vector): Tensor => xs.reduce((a, b) => add(a, cast(b, a.dtype)))
const largest = (xs: Vector): Tensor =>
  xs.map(x => (x.size ? max(abs(x), allAxes(x)) : zeros({ shape: [], dtype: x.dtype }))).reduce((a, b) => maximum(a, cast(b, a.dtype)))

/** Whether `change` is more than `tolerance` (1 + |x|), in the largest norm; a NaN ends the search. */
const isFar = (change: Vector, x: Vector, tolerance: number): Tensor => {
  const size = largest(x)
  return lt(mul(like(size, tolerance), add(like(size, 1), size)), largest(change))
}
/** Repeats `step` from `start` while it says so, at most `maxTurns` times. */
function search(start: Vector, maxTurns: number, step: (x: Vector) => readonly [next: Vector, goOn: Tensor]): Vector {
  const one = fullLike({ shape: [], dtype: "i32" }, 1)
  const first = { x: start, goOn: le(one, one), left: fullLike({ shape: [], dtype: "i32" }, maxTurns) }
  const end = whileLoop(
    ({ goOn, left }) => and(goOn, lt(zeros(left.aval), left)),
    ({ x, left }) => {
      const [next, goOn] = step(x)
      return { x: next, goOn, left: sub(left, fullLike(left.aval, 1)) }
    },
    first,
  )
  return end.x
}

/** [b, residuals] -> v */
const solved = memo((linear: Graph, n: number, method: System["method"], tolerance: number, maxTurns: number): Graph => {
  const residuals = avals(linear.inputs.slice(n))
  return derive(
    xs => {
      const [b, known] = [xs.slice(0, n), xs.slice(n)]
      const apply = (v: Vector): Tensor[] => replay(linear, [...v, ...known])
      if (method === "relax")
        return search(b, maxTurns, v => {
          const next = plus(b, apply(v))
          return [next, isFar(minus(next, v), v, tolerance)]
        })
      const back = (v: Vector): Tensor[] => replay(transposed(linear, n), [...v, ...known])
      const nothing = b.map(x => zeros(x.aval))
      const s = back(b)
      const start = [...nothing, ...b, ...s, dot(s, s)]
      const enough = mul(dot(s, s), like(start.at(-1)!, tolerance ** 2))
      const vectors = search(start, maxTurns, all => {
        const [v, r, p, norm] = [all.slice(0, n), all.slice(n, 2 * n), all.slice(2 * n, 3 * n), all.at(-1)!]
        const q = apply(p)
        const along = guarded(norm, dot(q, q))
        const rest = plus(r, q, neg(along))
        const s = back(rest)
        const left = dot(s, s)
        return [[...plus(v, p, along), ...rest, ...plus(s, p, guarded(left, norm)), left], lt(enough, left)]
      })
      return vectors.slice(0, n)
    },
    [...avals(linear.outputs), ...residuals],
  )
})
/** x / y, and 0 where y is 0: there the search has arrived. */
const guarded = (x: Tensor, y: Tensor): Tensor => {
  const isZero = cast(le(y, zeros(y.aval)), y.dtype)
  return mul(div(x, add(y, isZero)), sub(like(y, 1), isZero))
}
/** [ct, residuals] -> transposed A times ct */
const transposed = memo((linear: Graph, n: number): Graph => {
  const which = linear.inputs.map((_, i) => i < n)
  const nKnown = linear.inputs.length - n
  const { inputs, ...rest } = transposeGraph(
    linear,
    which,
    linear.outputs.map(() => true),
  )
  return { ...rest, inputs: [...inputs.slice(nKnown), ...inputs.slice(0, nKnown)] }
})

/** Batch axes in front; the first `all` operands have one in any case. */
const allFront = (xs: Vector, axes: readonly Axis[], all: number, n: number): Tensor[] =>
  xs.map((x, i) => spread(toFront(x, axes[i]!), i >= all || axes[i] !== null, n))

const systemP: Primitive<System> = {
  name: "linear system",
  shape: (_ins, p) => avals(p.linear.outputs),
  meaning: { kind: "call" },
  body: p => ({ graph: solved(p.linear, p.n, p.method, p.tolerance, p.maxTurns), name: p.method }),
  jvp(xs, ts, p) {
    const v = bind(systemP, xs, p)
    const residuals = xs.slice(p.n)
    const which = ts.map((t, i) => i >= p.n && t !== null)
    let db: Maybe[] = ts.slice(0, p.n)
    if (which.includes(true)) {
      // dv = db + dA v + A dv, or A dv = db - dA v
      const { graph, tangents } = jvpGraph(p.linear, which, [])
      const outs = replay(graph, [...v, ...residuals, ...present(ts.slice(p.n))])
      const dA = scatter(tangents, outs.slice(p.linear.outputs.length))
      db = db.map((t, i) => addMaybe(t, p.method === "relax" ? dA[i]! : dA[i]! && neg(dA[i]!)))
    }
    if (db.every(t => t === null)) return [v, v.map(() => null)]
    const b = db.map((t, i) => t ?? zeros(v[i]!.aval))
    return [v, bind(systemP, [...b, ...residuals], p)]
  },
  transpose(cts, operands, p) {
    const known = operands.slice(p.n)
    if (!known.every(x => x instanceof Tensor)) throw new Error("a linear system is linear in its right side alone")
    const b = operands.slice(0, p.n)
    const ct = b.map((x, i) => cts[i] ?? zeros(x instanceof Tensor ? x.aval : x))
    const back = bind(systemP, [...ct, ...known], { ...p, linear: transposed(p.linear, p.n) })
    return operands.map((x, i) => (x instanceof Tensor ? null : back[i]!))
  },
  batch(xs, axes, p, n) {
    const which = axes.map((a, i) => i < p.n || a !== null)
    const all = p.linear.outputs.map(() => true)
    const { graph: linear } = batchGraph(p.linear, which, n, all)
    return [bind(systemP, allFront(xs, axes, p.n, n), { ...p, linear }), p.linear.outputs.map(() => 0)]
  },
}

/** An equation for x: operands [x to start from, what else `f` reads], `f` maps both to something like x. */
interface Equation {
  readonly f: Graph
  /** Leaves of x. */
  readonly n: number
  /** "fixedPoint": x = f(x). "root": f(x) = 0. */
  readonly kind: "fixedPoint" | "root"
  readonly tolerance: number
  readonly maxTurns: number
}

/** v for the right side b, where A is the derivative of f by x: v = b + A v for a fixed point, A v = b for a root. */
function solve({ f, n, kind, tolerance, maxTurns }: Equation, x: Vector, others: Vector, b: Vector): Tensor[] {
  const which = f.inputs.map((_, i) => i < n)
  const force = f.outputs.map(() => true)
  const have = { inputs: which.map(() => true), outputs: force.map(() => false) }
  const { primal, linear, sources } = linearizeGraph(f, which, force, have)
  const outs = replay(primal, [...x, ...others])
  const residuals = sources.map(s => (s.of === "input" ? [...x, ...others] : outs)[s.i]!)
  // conjugate gradients arrive after as many turns as there are unknowns, but for rounding
  const how = kind === "root" ? { method: "solve", maxTurns: 10 * x.reduce((n, v) => n + v.size, 10) } : { method: "relax", maxTurns }
  return [...bind(systemP, [...b, ...residuals], { linear: intern(linear), n, tolerance, ...how } as System)]
}

/** [start, others] -> x */
const found = memo(
  (f: Graph, n: number, kind: Equation["kind"], tolerance: number, maxTurns: number): Graph =>
    derive(xs => {
      const others = xs.slice(n)
      return search(xs.slice(0, n), maxTurns, x => {
        const y = replay(f, [...x, ...others])
        const step = kind === "fixedPoint" ? minus(y, x) : solve({ f, n, kind, tolerance, maxTurns }, x, others, y)
        return [kind === "fixedPoint" ? y : minus(x, step), isFar(step, x, tolerance)]
      })
    }, avals(f.inputs)),
)

const equationP: Primitive<Equation> = {
  name: "equation",
  shape: (_ins, p) => avals(p.f.outputs),
  meaning: { kind: "call" },
  body: p => ({ graph: found(p.f, p.n, p.kind, p.tolerance, p.maxTurns), name: p.kind }),
  jvp(xs, ts, p) {
    const x = bind(equationP, xs, p)
    const others = xs.slice(p.n)
    const which = ts.map((t, i) => i >= p.n && t !== null)
    const { graph, tangents } = jvpGraph(p.f, which, [])
    if (!tangents.includes(true)) return [x, x.map(() => null)]
    const outs = replay(graph, [...x, ...others, ...present(ts.slice(p.n))])
    const forced = scatter(tangents, outs.slice(p.n)).map((t, i) => t ?? zeros(x[i]!.aval))
    return [x, solve(p, x, others, p.kind === "root" ? forced.map(neg) : forced)]
  },
  transpose() {
    throw new Error("the solution of an equation is not linear in anything")
  },
  batch(xs, axes, p, n) {
    const which = axes.map((a, i) => i < p.n || a !== null)
    const all = p.f.outputs.map(() => true)
    const f = batchGraph(p.f, which, n, all).graph
    return [bind(equationP, allFront(xs, axes, p.n, n), { ...p, f }), all.map(() => 0)]
  },
}

export interface SolverOptions {
  /** How far from the solution to stop, relative to 1 + |x| in the largest norm. Default: 1e-6 for f32, 1e-12 for f64. */
  readonly tolerance?: number
  /** Most turns of the search. Default: 1000 for `fixedPoint`, 100 for `root`. */
  readonly maxTurns?: number
}

function solution<X>(kind: Equation["kind"], f: (x: X) => X, start: X, { tolerance, maxTurns }: SolverOptions): X {
  wantFunction(kind, f)
  const first = leaves(start as Tree)
  const odd = first.find(x => !differentiable(x.aval))
  if (odd || first.length === 0)
    throw new TypeError(`${kind}: the start must hold floating-point tensors; got ${odd ? show(odd.aval) : "nothing"}`)
  const enough = tolerance ?? (first.some(x => x.dtype === "f32") ? 1e-6 : 1e-12)
  const most = maxTurns ?? (kind === "root" ? 100 : 1000)
  if (!(enough >= 0) || !(Number.isInteger(most) && most > 0))
    throw new TypeError(`${kind}: wants a tolerance >= 0 and maxTurns from 1; got ${enough} and ${most}`)
  const { graph, captured } = record(
    xs => {
      const ys = leaves(f(rebuild(start as Tree, xs)) as Tree)
      if (ys.length !== first.length || ys.some((y, i) => !same(y.aval, first[i]!.aval)))
        throw new ShapeError(
          kind,
          `f(x) must be like x, which is ${first.map(x => show(x.aval)).join(", ")}`,
          ys.map(y => y.aval),
        )
      return ys
    },
    first.map(x => x.aval),
  )
  const p: Equation = { f: intern(graph), n: first.length, kind, tolerance: enough, maxTurns: most }
  return rebuild(start as Tree, bind(equationP, [...first, ...captured], p)) as X
}

/**
 * The x with `x = f(x)`, found by putting it in again and again from `start`, as a recurrent network relaxes.
 *
 * The derivative is that of the equation (implicit function theorem): dx = df + (df/dx) dx, where df is what else moves f. Its backward pass is
 * another relaxation, of the adjoint: u = ct + (df/dx)^T u. It remembers nothing of the way, so its memory does not depend on the number of
 * turns, and both modes and any order of derivatives work. What f takes from outside is differentiated, the start is not.
 *
 * x is any tree. The search ends where x changes by less than `tolerance`, and after `maxTurns` in any case: it must contract. Throws
 * TypeError if the start holds anything but floating-point tensors, ShapeError if f(x) is not like x.
 *
 * Almeida, A learning rule for asynchronous perceptrons with feedback (1987); Pineda, Generalization of back-propagation to recurrent neural
 * networks (1987).
 *
 * @example
 * const w = tensor([[0.5, 0.1], [0, 0.3]])
 * fixedPoint((h: Tensor) => tanh(matmul(h, w).add(1)), zeros([2]))  // [0.8952, 0.8745]
 */
export const fixedPoint = <X>(f: (x: X) => X, start: X, options: SolverOptions = {}): X => solution("fixedPoint", f, start, options)

/**
 * The x with `f(x) = 0`, by Newton's method from `start`: x <- x - J^-1 f(x), where J = df/dx is never formed: each system is solved by
 * conjugate gradients on its normal equations.
 *
 * The derivative is that of the equation: J dx = -df, where df is what else moves f. f(x) is like x. The search ends where a step is shorter
 * than `tolerance`, and after `maxTurns`. What `fixedPoint` says of trees, memory and errors holds here too.
 *
 * @example
 * const cubeRoot = (a: Tensor) => root((x: Tensor) => x.mul(x).mul(x).sub(a), tensor(1))
 * grad(cubeRoot)(tensor(8))  // 0.08333: 1/12
 */
export const root = <X>(f: (x: X) => X, start: X, options: SolverOptions = {}): X => solution("root", f, start, options)
