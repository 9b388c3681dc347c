import type { Tensor } from "../core/tensor.ts"
import { leaves, type Tree } from "../core/tree.ts"
import { solveSymmetric, solveTransposed, solveUpper, type Triangle, triangle } from "./qr.ts"
import { type Place, Residuals } from "./residuals.ts"
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
/** With less than this share of what was predicted, it is asked whether the other model would have predicted better. */
const POOR = 0.5
/** Less than this share of what is predicted comes from the curvature of the residuals: Gauss-Newton will do again. */
const STRAIGHT = 0.1

/**
 * Parameters with the least sum of squares of `residuals`, from `start` on, for curve fitting and small networks: Levenberg-Marquardt with
 * exact Jacobians and second directional derivatives. With residuals r [m] and their Jacobian J [m, n], a step is v + a / 2,
 *
 *     (J^T J + lambda D^2) v = -J^T r,   (J^T J + lambda D^2) a = -J^T r''(v, v),   D: lengths of the columns of J
 *
 * and is made if it lowers the cost r^T r / 2 and a is no longer than 0.375 of v; lambda follows how well the cost was predicted. Where residuals
 * stay large and are bent, J^T J is not the cost's Hessian, and Gauss-Newton steps overshoot. So if a step was worth less than half of what it
 * promised and the Hessian would have promised better, steps are Newton's, until the curvature of the residuals hardly matters:
 *
 *     (J^T J + sum_i r_i r_i'' + lambda D^2) v = -J^T r,   a = 0
 *
 * The Jacobian comes by reverse mode where there are fewer residuals than parameters, else by forward mode.
 *
 * `residuals` takes a tree like `start` and returns a floating-point tensor of any shape. All is computed in f64; leaves are rounded to
 * their own dtype for `residuals`, numbers to f32. Throws TypeError for settings out of range, and RangeError
 * where residuals or Jacobian are not finite.
 *
 * Marquardt, An algorithm for least-squares estimation of nonlinear parameters (1963); Nielsen, Damping parameter in Marquardt's method
 * (1999), for lambda; Transtrum and Sethna, arXiv:1201.5885, for the second order; Dennis, Gay and Welsch, An adaptive nonlinear least-squares
 * algorithm (1981), for the choice between both models.
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
  const problem = new Residuals("leastSquares", residuals as (params: any) => Tensor, start as Tree)
  let now = problem.at(Float64Array.from(leaves(start as Tree).flatMap(x => [...x.values()])))
  if (!Number.isFinite(now.cost)) throw new RangeError(`leastSquares: the cost at the start is ${now.cost}; start where it is finite`)
  let scale = new Float64Array(now.x.length)
  let lambda = FIRST_DAMPING
  let worse = 2
  let newton = false

  let stopped: LeastSquares<P>["stopped"] = now.cost === 0 ? "zero" : "iterations"
  let made = 0
  while (stopped === "iterations" && made < iterations) {
    const slopes = new Slopes(problem, now)
    scale = scale.map((s, k) => Math.max(FORGET * s, slopes.lengths[k]!))
    const d = floored(scale, now)
    let mayChange = true
    for (;;) {
      const step: Step = (newton && slopes.newton(d, lambda)) || slopes.gaussNewton(d, lambda)
      const { v, a, predicted, other } = step
      lambda = step.lambda
      const next = problem.at(now.x.map((x, k) => x + v[k]! + a[k]! / 2))
      const length = norm(v, d)
      const fall = now.cost - next.cost
      const ratio = fall / predicted
      // NaN is not better either
      const isBetter = ratio > 0 && 2 * norm(a, d) <= MOST_BENT * length
      const isShort = length <= tolerance * norm(now.x, d)
      // damping makes any step short
      const isEnd = isShort && lambda < 1
      const changes = mayChange && ratio < POOR && Math.abs(fall - other) < Math.abs(fall - predicted)
      if (changes) newton = !step.newton
      else if (step.newton && isBetter && Math.abs(other - predicted) < STRAIGHT * predicted) newton = false
      if (isBetter) {
        now = next
        made++
        lambda *= Math.max(1 / 3, 1 - (2 * ratio - 1) ** 3)
        worse = 2
        if (now.cost === 0) stopped = "zero"
        else if (isEnd) stopped = "change"
        break
      }
      if (isShort || !(predicted > 0)) {
        stopped = isEnd ? "change" : "no better place"
        break
      }
      if (changes) mayChange = false
      else {
        lambda *= worse
        worse *= 2
      }
    }
  }
  return { params: problem.tree(now.x) as P, cost: now.cost, iterations: made, evaluations: problem.evaluations, stopped }
}

interface Step {
  readonly newton: boolean
  readonly lambda: number
  /** First and second order of the step. */
  readonly v: Float64Array
  readonly a: Float64Array
  /** How far the cost would fall by the model that has made the step, and by the other one. */
  readonly predicted: number
  readonly other: number
}

/** Derivatives at a place, and the steps that they ask for. */
class Slopes {
  /** Of the columns of the Jacobian. */
  readonly lengths: Float64Array
  private readonly problem: Residuals
  private readonly now: Place
  private readonly j: Float64Array
  private readonly plain: Triangle
  private curvature: Float64Array | undefined
  constructor(problem: Residuals, now: Place) {
    const n = now.x.length
    this.problem = problem
    this.now = now
    this.j = problem.jacobian(now.x)
    this.lengths = columns(this.j, n)
    if (!this.lengths.every(Number.isFinite)) throw new RangeError(`leastSquares: the Jacobian is not finite at [${now.x}]`)
    const minus = now.r.map(v => -v)
    this.plain = triangle(atLeast(n * n, this.j), atLeast(n, minus), n)
  }
  gaussNewton(d: Float64Array, lambda: number): Step {
    const damped = below(this.plain.r, this.plain.c, d, lambda)
    const v = solveUpper(damped.r, damped.c)
    const bend = this.problem.bend(this.now.x, v)
    const a = solveUpper(damped.r, solveTransposed(damped.r, back(this.j, bend)))
    const predicted = this.straight(v, d, lambda)
    return { newton: false, lambda, v, a, predicted, other: predicted - dot(bend, this.now.r) / 2 }
  }
  /** With so much damping that the Hessian is positive definite; none where it is not finite. */
  newton(d: Float64Array, least: number): Step | undefined {
    const n = d.length
    this.curvature ??= this.problem.curvature(this.now.x, this.now.r)
    const hessian = gram(this.plain.r, n).map((s, i) => s + this.curvature![i]!)
    for (let lambda = least; Number.isFinite(lambda); lambda *= 4) {
      const damped = hessian.slice()
      d.forEach((s, k) => (damped[k * n + k]! += lambda * s * s))
      const v = solveSymmetric(damped, back(this.j, this.now.r))
      if (!v) continue
      const other = this.straight(v, d, lambda)
      return { newton: true, lambda, v, a: new Float64Array(n), predicted: other + dot(v, product(this.curvature, v)) / 2, other }
    }
    return undefined
  }
  /** |J v|^2 / 2 + lambda |D v|^2 */
  private straight(v: Float64Array, d: Float64Array, lambda: number): number {
    return norm(times(this.plain.r, v)) ** 2 / 2 + lambda * norm(v, d) ** 2
  }
}

const norm = (x: Float64Array, scale?: Float64Array): number =>
  Math.sqrt(x.reduce((s, v, k) => s + (scale ? (v * scale[k]!) ** 2 : v * v), 0))
const dot = (x: Float64Array, y: Float64Array): number => x.reduce((s, v, k) => s + v * y[k]!, 0)
/**
 * Scales to damp by. A parameter that could change by all of its size with no effect on any digit of the residuals would otherwise be moved by any
 * distance: its scale is what would have such an effect.
 */
function floored(scale: Float64Array, { x, r }: Place): Float64Array {
  const least = Number.EPSILON * norm(r)
  return scale.map((s, k) => Math.max(s, least / Math.abs(x[k]! || 1)) || 1)
}
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
/** A v for square A */
const product = (a: Float64Array, v: Float64Array): Float64Array => v.map((_, i) => v.reduce((s, x, k) => s + a[i * v.length + k]! * x, 0))
/** R^T R */
function gram(r: Float64Array, n: number): Float64Array {
  const g = new Float64Array(n * n)
  for (let q = 0; q < n; q++) for (let i = q; i < n; i++) for (let k = q; k < n; k++) g[i * n + k]! += r[q * n + i]! * r[q * n + k]!
  return g
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
