import { differentiable, show } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import { Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../core/tree.ts"
import { cast } from "../ops/arithmetic.ts"
import { reshape, slice } from "../ops/shape.ts"
import { jit } from "../runtime/jit.ts"
import { jvp } from "../transforms/grad.ts"
import { jacfwd, jacrev } from "../transforms/jacobian.ts"
import { solveTransposed, solveUpper, triangle } from "./qr.ts"
import { wantCount, wantNonNegative } from "./transformation.ts"

export interface LeastSquaresOptions {
  /** Most steps. Default: 1000. */
  readonly iterations?: number
  /** Done when a step is no longer than so much of the parameters, both scaled. Default: 1e-12. */
  readonly tolerance?: number
}

export interface LeastSquares<P> {
  readonly params: P
  /** Half the sum of the squared residuals there. */
  readonly cost: number
  /** Steps made. */
  readonly iterations: number
  /** How often the residuals were computed. */
  readonly evaluations: number
  /** Why there were no more: residuals of 0, steps too short to matter, no better place however short the step, or the most steps. */
  readonly stopped: "zero" | "change" | "no better place" | "iterations"
}

/** The second-order part of a step may be so long, as a share of half the first-order part. */
const MOST_BENT = 0.75
/** Scales follow the columns of the Jacobian up at once, and down by half a step. */
const FORGET = 0.5
const FIRST_DAMPING = 1e-3

/**
 * Parameters with the least sum of squares of `residuals`, from `start` on, for curve fitting and small networks: Levenberg-Marquardt with
 * exact Jacobians and second directional derivatives. With residuals r [m] and their Jacobian J [m, n], a step is v + a / 2,
 *
 *     (J^T J + lambda D^2) v = -J^T r,   (J^T J + lambda D^2) a = -J^T r''(v, v),   D: lengths of the columns of J
 *
 * and is made if it lowers the cost r^T r / 2 and a is no longer than 0.375 of v; lambda follows how well the cost was predicted.
 *
 * `residuals` takes a tree like `start` and returns a floating-point tensor of any shape. All is computed in f64; leaves are rounded to
 * their own dtype for `residuals`, numbers to f32. Throws TypeError for settings out of range, and RangeError
 * where residuals or Jacobian are not finite.
 *
 * Marquardt, An algorithm for least-squares estimation of nonlinear parameters (1963); Nielsen, Damping parameter in Marquardt's method
 * (1999), for lambda; Transtrum and Sethna, arXiv:1201.5885, for the second order.
 *
 * @example
 * const x = tensor([0, 1, 2, 3], { dtype: "f64" })
 * const y = tensor([5, 3.03, 1.84, 1.12], { dtype: "f64" })
 * leastSquares(({ a, k }) => y.sub(a.mul(exp(x.mul(k)))), { a: tensor(1, { dtype: "f64" }), k: tensor(0, { dtype: "f64" }) })
 * // params: a 5, k -0.4997
 */
export function leastSquares<P>(residuals: (params: P) => Tensor, start: P, options: LeastSquaresOptions = {}): LeastSquares<P> {
  const { iterations = 1000, tolerance = 1e-12 } = options
  wantCount("leastSquares: iterations", iterations)
  wantNonNegative("leastSquares: tolerance", tolerance)
  const problem = new Problem(residuals as (params: any) => Tensor, start as Tree)
  let now = problem.at(Float64Array.from(leaves(start as Tree).flatMap(x => [...x.values()])))
  if (!Number.isFinite(now.cost)) throw new RangeError(`leastSquares: the cost at the start is ${now.cost}; start where it is finite`)
  const n = now.x.length
  let scale = new Float64Array(n)
  let lambda = FIRST_DAMPING
  let worse = 2

  let stopped: LeastSquares<P>["stopped"] = now.cost === 0 ? "zero" : "iterations"
  let made = 0
  while (stopped === "iterations" && made < iterations) {
    const j = problem.jacobian(now.x)
    const lengths = columns(j, n)
    if (!lengths.every(Number.isFinite)) throw new RangeError(`leastSquares: the Jacobian is not finite at [${now.x}]`)
    scale = scale.map((s, k) => Math.max(FORGET * s, lengths[k]!))
    const d = scale.map(s => s || 1)
    const minus = now.r.map(v => -v)
    const plain = triangle(atLeast(n * n, j), atLeast(n, minus), n)
    for (;;) {
      const damped = below(plain.r, plain.c, d, lambda)
      const v = solveUpper(damped.r, damped.c)
      const a = solveUpper(damped.r, solveTransposed(damped.r, back(j, problem.bend(now.x, v))))
      const next = problem.at(now.x.map((x, k) => x + v[k]! + a[k]! / 2))
      const length = norm(v, d)
      const predicted = norm(times(plain.r, v)) ** 2 / 2 + lambda * length ** 2
      const ratio = (now.cost - next.cost) / predicted
      const isShort = length <= tolerance * norm(now.x, d)
      // NaN is not better either
      if (ratio > 0 && 2 * norm(a, d) <= MOST_BENT * length) {
        now = next
        made++
        lambda *= Math.max(1 / 3, 1 - (2 * ratio - 1) ** 3)
        worse = 2
        if (now.cost === 0) stopped = "zero"
        else if (isShort) stopped = "change"
        break
      }
      if (isShort || !(predicted > 0)) {
        stopped = isShort ? "change" : "no better place"
        break
      }
      lambda *= worse
      worse *= 2
    }
  }
  return { params: problem.tree(now.x) as P, cost: now.cost, iterations: made, evaluations: problem.evaluations, stopped }
}

interface Place {
  readonly x: Float64Array
  readonly r: Float64Array
  readonly cost: number
}

/** The residuals as a function of a vector. */
class Problem {
  evaluations = 0
  private readonly form: Tree
  private readonly residuals: (x: Tensor) => Tensor
  private readonly slopes: (x: Tensor) => Tensor
  private readonly second: (x: Tensor, v: Tensor) => Tensor
  constructor(residuals: (params: any) => Tensor, form: Tree) {
    this.form = form
    const f = (x: Tensor): Tensor => {
      const r: unknown = residuals(this.parts(x, as))
      if (!(r instanceof Tensor) || !differentiable(r.aval))
        throw new TypeError(
          `leastSquares: the residuals must be a floating-point tensor; got ${r instanceof Tensor ? show(r.aval) : typeof r}`,
        )
      return cast(reshape(r, [r.size]), "f64")
    }
    this.residuals = jit(f)
    // a row or a column of the Jacobian at a time, whichever are fewer
    this.slopes = jit((x: Tensor) => (f(x).size < x.size ? jacrev(f)(x) : jacfwd(f)(x)) as Tensor)
    this.second = jit((x: Tensor, v: Tensor) => jvp(x => jvp(f, [x], [v])[1], [x], [v])[1])
  }
  /** A tree like the parameters, of the parts of a vector. */
  private parts(x: Tensor, make: (part: Tensor, like: Tensor) => Tensor): Tree {
    let start = 0
    const part = (like: Tensor): Tensor => {
      const piece = slice(x, [start, start + like.size])
      start += like.size
      return make(reshape(piece, like.shape), like)
    }
    return rebuild(this.form, leaves(this.form).map(part))
  }
  tree(x: Float64Array): Tree {
    return this.parts(vector(x), as)
  }
  at(x: Float64Array): Place {
    this.evaluations++
    const r = this.residuals(vector(x)).values() as Float64Array
    return { x, r, cost: r.reduce((s, v) => s + v * v, 0) / 2 }
  }
  /** [m, n], row by row */
  jacobian(x: Float64Array): Float64Array {
    return this.slopes(vector(x)).values() as Float64Array
  }
  /** The second derivative of the residuals along v: r''(v, v). */
  bend(x: Float64Array, v: Float64Array): Float64Array {
    return this.second(vector(x), vector(v)).values() as Float64Array
  }
}

/** `x` of the dtype of `like`; numbers become f32, as everywhere. */
const as = (x: Tensor, { dtype, aval: { weak } }: Tensor): Tensor => cast(x, weak ? "f32" : dtype)
const vector = (x: Float64Array): Tensor => fromArray(x, { shape: [x.length], dtype: "f64" })
const norm = (x: Float64Array, scale?: Float64Array): number =>
  Math.sqrt(x.reduce((s, v, k) => s + (scale ? (v * scale[k]!) ** 2 : v * v), 0))
/** A copy with zeros behind it where it is shorter: rows of a problem with fewer residuals than parameters. */
function atLeast(length: number, x: Float64Array): Float64Array {
  const copy = new Float64Array(Math.max(length, x.length))
  copy.set(x)
  return copy
}
/** Lengths of the columns. */
function columns(j: Float64Array, n: number): Float64Array {
  const squares = new Float64Array(n)
  j.forEach((v, i) => (squares[i % n]! += v * v))
  return squares.map(Math.sqrt)
}
/** -J^T r */
function back(j: Float64Array, r: Float64Array): Float64Array {
  const n = j.length / r.length
  const g = new Float64Array(n)
  j.forEach((v, i) => (g[i % n]! -= v * r[Math.floor(i / n)]!))
  return g
}
/** R v */
function times(r: Float64Array, v: Float64Array): Float64Array {
  const n = v.length
  return v.map((_, i) => v.reduce((s, x, k) => s + (k >= i ? r[i * n + k]! * x : 0), 0))
}
/** The triangle of R with sqrt(lambda) D below it. */
function below(r: Float64Array, c: Float64Array, d: Float64Array, lambda: number): { r: Float64Array; c: Float64Array } {
  const n = c.length
  const a = new Float64Array(2 * n * n)
  a.set(r)
  d.forEach((s, k) => (a[(n + k) * n + k] = Math.sqrt(lambda) * s))
  const b = new Float64Array(2 * n)
  b.set(c)
  return triangle(a, b, n)
}
