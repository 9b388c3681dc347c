// Residuals as functions of one vector, with their derivatives.
import { differentiable, show } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import { Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../core/tree.ts"
import { cast, mul } from "../ops/arithmetic.ts"
import { sum } from "../ops/reduction.ts"
import { reshape, slice } from "../ops/shape.ts"
import { jit } from "../runtime/jit.ts"
import { jvp } from "../transforms/grad.ts"
import { hessian, jacfwd, jacrev } from "../transforms/jacobian.ts"

export interface Place {
  readonly x: Float64Array
  readonly r: Float64Array
  /** r^T r / 2 */
  readonly cost: number
}

/** Residuals of a tree like `form` as a function of a vector. `call` is who asks. */
export class Residuals {
  evaluations = 0
  private readonly form: Tree
  private readonly residuals: (x: Tensor) => Tensor
  private readonly slopes: (x: Tensor) => Tensor
  private readonly second: (x: Tensor, v: Tensor) => Tensor
  private weighted: (x: Tensor, r: Tensor) => Tensor
  private readonly weightedForwards: (x: Tensor, r: Tensor) => Tensor
  constructor(call: string, residuals: (params: any) => Tensor, form: Tree) {
    this.form = form
    const f = (x: Tensor): Tensor => {
      const r: unknown = residuals(this.parts(x, as))
      if (!(r instanceof Tensor) || !differentiable(r.aval))
        throw new TypeError(`${call}: the residuals must be a floating-point tensor; got ${r instanceof Tensor ? show(r.aval) : typeof r}`)
      return cast(reshape(r, [r.size]), "f64")
    }
    this.residuals = jit(f)
    // a row or a column of the Jacobian at a time, whichever are fewer
    this.slopes = jit((x: Tensor) => (f(x).size < x.size ? jacrev(f)(x) : jacfwd(f)(x)) as Tensor)
    this.second = jit((x: Tensor, v: Tensor) => jvp(x => jvp(f, [x], [v])[1], [x], [v])[1])
    const total = (r: Tensor) => (x: Tensor) => sum(mul(f(x), r))
    this.weighted = jit((x: Tensor, r: Tensor) => hessian(total(r))(x) as Tensor)
    this.weightedForwards = jit((x: Tensor, r: Tensor) => jacfwd(jacfwd(total(r)) as (x: Tensor) => Tensor)(x) as Tensor)
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
  /** What J^T J lacks of the Hessian of the cost: sum_i r_i r_i'', [n, n]. */
  curvature(x: Float64Array, r: Float64Array): Float64Array {
    try {
      return this.weighted(vector(x), vector(r)).values() as Float64Array
    } catch (error) {
      // loops with a condition have no derivative in reverse mode
      if (!(error instanceof TypeError) || this.weighted === this.weightedForwards) throw error
      this.weighted = this.weightedForwards
      return this.curvature(x, r)
    }
  }
}

/** `x` of the dtype of `like`; numbers become f32, as everywhere. */
const as = (x: Tensor, { dtype, aval: { weak } }: Tensor): Tensor => cast(x, weak ? "f32" : dtype)
const vector = (x: Float64Array): Tensor => fromArray(x, { shape: [x.length], dtype: "f64" })
