import { fromArray } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../core/tree.ts"
import { jit } from "../runtime/jit.ts"
import { valueAndGrad } from "../transforms/grad.ts"
import { lineSearch, type Point } from "./line-search.ts"
import type { Optimizer } from "./optimizer.ts"
import { wantCount, wantNonNegative } from "./transformation.ts"

export interface MinimizeOptions {
  /** "lbfgs", or an optimizer, whose steps are then made one after the other. Default: "lbfgs". */
  readonly method?: "lbfgs" | Optimizer
  /** Most steps. Default: 1000. */
  readonly iterations?: number
  /** Done when no element of the gradient is larger. Default: 1e-7. */
  readonly gradientTolerance?: number
  /** Done when neither the loss nor any parameter changes by more. Default: 1e-9; for an optimizer 0, since its steps may be small. */
  readonly changeTolerance?: number
  /** Steps that L-BFGS remembers. Default: 10. */
  readonly history?: number
}

export interface Minimum<P> {
  readonly params: P
  /** The function there. */
  readonly loss: number
  /** The largest element of the gradient there. */
  readonly gradient: number
  /** Steps made. */
  readonly iterations: number
  /** Values and gradients computed. */
  readonly evaluations: number
  /** Why there were no more: the two tolerances, the most steps, or no lower value along the last direction, which rounding may cause. */
  readonly stopped: "gradient" | "change" | "iterations" | "line search"
}

/**
 * Parameters with a small loss, from `start` on: L-BFGS with a line search (strong Wolfe conditions), for functions without noise, such
 * as the loss of a whole data set. It runs until it is done, synchronously; value and gradient are one compiled program.
 *
 * `f` takes a tree of floating-point tensors like `start` and returns a scalar. Throws TypeError for settings out of range, and
 * RangeError where the loss at `start` is not finite. Directions are computed in f64; parameters in f64 get closer than those in f32.
 * Liu and Nocedal, On the limited memory BFGS method for large scale optimization (1989); steps begin as in PyTorch's LBFGS.
 *
 * @example
 * const f = (p: { x: Tensor; y: Tensor }) => p.x.sub(1).square().add(p.y.sub(p.x.square()).square().mul(100))
 * const { params, stopped } = minimize(f, { x: tensor(-1.2, { dtype: "f64" }), y: tensor(1, { dtype: "f64" }) })
 * params  // { x: 1, y: 1 }
 */
export function minimize<P>(f: (params: P) => Tensor, start: P, options: MinimizeOptions = {}): Minimum<P> {
  const { method = "lbfgs", iterations = 1000, gradientTolerance = 1e-7, history = 10 } = options
  const { changeTolerance = method === "lbfgs" ? 1e-9 : 0 } = options
  if (method !== "lbfgs" && typeof method?.update !== "function")
    throw new TypeError(`minimize: method must be "lbfgs" or an optimizer; got ${JSON.stringify(method)}`)
  wantCount("minimize: iterations", iterations)
  wantCount("minimize: history", history)
  wantNonNegative("minimize: gradientTolerance", gradientTolerance)
  wantNonNegative("minimize: changeTolerance", changeTolerance)
  const objective = new Objective(f as (params: Tree) => Tensor, start as Tree)
  const advance = method === "lbfgs" ? lbfgs(objective, history) : steps(method, objective)

  let now = objective.at(flat(start as Tree))
  if (!Number.isFinite(now.loss)) throw new RangeError(`minimize: the loss at the start is ${now.loss}; start where it is finite`)
  const end = (iterations: number, stopped: Minimum<P>["stopped"]): Minimum<P> => ({
    params: objective.tree(now.x) as P,
    ...{ loss: now.loss, gradient: largest(now.gradient), iterations, evaluations: objective.evaluations, stopped },
  })
  if (largest(now.gradient) <= gradientTolerance) return end(0, "gradient")
  for (let i = 1; i <= iterations; i++) {
    const next = advance(now)
    if (!next) return end(i - 1, "line search")
    const change = Math.max(Math.abs(next.loss - now.loss), largest(next.x.map((x, k) => x - now.x[k]!)))
    now = next
    if (largest(now.gradient) <= gradientTolerance) return end(i, "gradient")
    if (change <= changeTolerance) return end(i, "change")
  }
  return end(iterations, "iterations")
}

interface Place {
  readonly x: Float64Array
  readonly loss: number
  readonly gradient: Float64Array
}
/** From one place to the next; null where there is no better one. */
type Advance = (now: Place) => Place | null

const flat = (tree: Tree): Float64Array => Float64Array.from(leaves(tree).flatMap(x => [...x.values()]))
const largest = (x: Float64Array): number => x.reduce((m, v) => (Math.abs(v) > m || Number.isNaN(v) ? Math.abs(v) : m), 0)
const dot = (x: Float64Array, y: Float64Array): number => x.reduce((s, v, i) => s + v * y[i]!, 0)
/** x + factor y */
const plus = (x: Float64Array, factor: number, y: Float64Array): Float64Array => x.map((v, i) => v + factor * y[i]!)

/** The function on vectors. */
class Objective {
  /** What of a loss may be rounding, as a share of it. */
  readonly noise: number
  evaluations = 0
  private readonly form: Tree
  private readonly run: (params: Tree) => [Tensor, Tree]
  constructor(f: (params: Tree) => Tensor, start: Tree) {
    this.form = start
    this.noise = leaves(start).every(p => p.dtype === "f64") ? 2 ** -51 : 2 ** -22
    this.run = jit((params: Tree) => valueAndGrad(f)(params) as [Tensor, Tree])
  }
  tree(x: Float64Array): Tree {
    let next = 0
    const part = (p: Tensor): Tensor => {
      const values = x.subarray(next, (next += p.size))
      return fromArray(p.dtype === "f64" ? values.slice() : Float32Array.from(values), { shape: p.shape, dtype: p.dtype })
    }
    return rebuild(this.form, leaves(this.form).map(part))
  }
  at(x: Float64Array): Place {
    const params = this.tree(x)
    const [loss, gradient] = this.run(params)
    this.evaluations++
    // x as the parameters' dtype rounds it
    return { x: flat(params), loss: loss.item(), gradient: flat(gradient) }
  }
}

/** A step, the change of the gradient along it, and their product. */
interface Pair {
  readonly s: Float64Array
  readonly y: Float64Array
  readonly sy: number
}
/** -H g, where H stands for the inverse of the Hessian. Nocedal and Wright, Numerical optimization (2006), algorithm 7.4. */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  let q: Float64Array = gradient.map(g => -g)
  const shares = pairs.map(() => 0)
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y, sy } = pairs[i]!
    shares[i] = dot(s, q) / sy
    q = plus(q, -shares[i]!, y)
  }
  const newest = pairs.at(-1)
  if (newest) q = plus(new Float64Array(q.length), newest.sy / dot(newest.y, newest.y), q)
  pairs.forEach(({ s, y, sy }, i) => (q = plus(q, shares[i]! - dot(y, q) / sy, s)))
  return q
}

function lbfgs(objective: Objective, history: number): Advance {
  let pairs: Pair[] = []
  return function advance(now) {
    const d = direction(now.gradient, pairs)
    const along = (t: number): Point & { readonly place: Place } => {
      const place = t === 0 ? now : objective.at(plus(now.x, t, d))
      return { t, value: place.loss, slope: dot(place.gradient, d), place }
    }
    // the first step has about length 1 at most; later directions know how far they go
    const first = pairs.length ? 1 : Math.min(1, 1 / now.gradient.reduce((s, g) => s + Math.abs(g), 0))
    const start = along(0)
    const found = start.slope < 0 ? lineSearch(along, start, first, objective.noise * Math.abs(now.loss)) : null
    if (!found) {
      if (!pairs.length) return null
      // remembered steps may mislead: once more along the gradient
      pairs = []
      return advance(now)
    }
    const s = plus(found.place.x, -1, now.x)
    const y = plus(found.place.gradient, -1, now.gradient)
    const sy = dot(s, y)
    // a pair without curvature would spoil H
    if (sy > 1e-10 * dot(y, y)) pairs = [...pairs, { s, y, sy }].slice(-history)
    return found.place
  }
}

function steps(optimizer: Optimizer, objective: Objective): Advance {
  const update = jit((grads: Tree, state: Tree, params: Tree) => optimizer.update(grads, state, params))
  let state: Tree | undefined
  return ({ x, gradient }) => {
    const params = objective.tree(x)
    const [next, after] = update(objective.tree(gradient), state ?? optimizer.init(params), params)
    state = after
    return objective.at(flat(next))
  }
}
