// Curvature of a loss as products with it: the matrices, as large as the square of the number of parameters, are never built.
import { whileLoop } from "../control/scan.ts"
import { tensor } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves, type Tree, treeMap } from "../core/tree.ts"
import { softmax } from "../ops/activations.ts"
import { div, greater, less, logicalAnd, mul, sub } from "../ops/arithmetic.ts"
import { add, zerosLike } from "../ops/index.ts"
import { sum } from "../ops/reduction.ts"
import { jvp, vjp } from "../transforms/grad.ts"
import { hvp } from "../transforms/jacobian.ts"

/**
 * The Gauss-Newton matrix of loss(outputs(params)) times `v`, a tree like the parameters: J^T H J v, with J the Jacobian of the outputs and
 * H the Hessian of the loss by the outputs. Unlike the Hessian it is never negative where the loss is convex in the outputs.
 *
 * Schraudolph, Fast curvature matrix-vector products for second-order gradient descent (2002).
 *
 * @example
 * const outputs = (w: Tensor) => w.mul(tensor([1, 2]))
 * gaussNewtonProduct(outputs, y => y.mul(y).sum(), tensor([3, 4]), tensor([1, 1]))  // [2, 8]
 */
export function gaussNewtonProduct<P>(outputs: (params: P) => Tensor, loss: (outputs: Tensor) => Tensor, params: P, v: P): P {
  const [y, along] = jvp(outputs, [params], [v])
  const [, pull] = vjp(outputs, params)
  return pull(hvp(loss, [y], along))[0]
}

/** What a model says of its targets: classes from logits on the last axis, or numbers with unit variance. */
export type Distribution = "categorical" | "gaussian"

/**
 * The Fisher information of the parameters times `v`, a tree like them: the mean over the batch of
 *
 *     E[dlog p(t)/dw dlog p(t)/dw^T],   t as the model itself would draw them,
 *
 * summed up exactly and not drawn. `outputs` gives [batch, ...]: logits (`"categorical"`, the default), or means (`"gaussian"`). For both it
 * is the Gauss-Newton matrix of the mean of -log p. Amari, Natural gradient works efficiently in learning (1998).
 *
 * @example
 * const outputs = (w: Tensor) => w.reshape(1, 2)
 * fisherProduct(outputs, tensor([0, 0]), tensor([1, 0]))  // [0.25, -0.25]
 */
export function fisherProduct<P>(outputs: (params: P) => Tensor, params: P, v: P, distribution: Distribution = "categorical"): P {
  const [y, along] = jvp(outputs, [params], [v])
  const [, pull] = vjp(outputs, params)
  return pull(div(information(y, along, distribution), y.shape[0]!))[0]
}
/** The Fisher information of the outputs of each example times `v`. */
function information(y: Tensor, v: Tensor, distribution: Distribution): Tensor {
  if (distribution === "gaussian") return v
  const p = softmax(y)
  const pv = mul(p, v)
  return sub(pv, mul(p, sum(pv, { axis: -1, keepdims: true })))
}

export interface ConjugateGradientOptions {
  /** Products at most. Default: 50. */
  readonly iterations?: number
  /** Done when what is left of `b` is so much shorter than b. Default: 1e-4. */
  readonly tolerance?: number
}
/**
 * The solution x of A x = b for a symmetric positive definite A that is known by its products alone; x and b are any trees. Differentiable
 * forwards only.
 *
 * Hestenes and Stiefel, Methods of conjugate gradients for solving linear systems (1952).
 *
 * @example
 * conjugateGradient((x: Tensor) => x.mul(tensor([2, 4])), tensor([2, 2]))  // [1, 0.5]
 */
export function conjugateGradient<T>(product: (x: T) => T, b: T, { iterations = 50, tolerance = 1e-4 }: ConjugateGradientOptions = {}): T {
  interface Carry {
    readonly x: T
    readonly r: T
    readonly d: T
    readonly rr: Tensor
    readonly i: Tensor
  }
  const rr = dot(b, b)
  const enough = mul(rr, tolerance ** 2)
  const start: Carry = { x: map(zerosLike, b), r: b, d: b, rr, i: tensor(0, { dtype: "i32" }) }
  const goes = ({ rr, i }: Carry): Tensor => logicalAnd(greater(rr, enough), less(i, iterations))
  const step = ({ x, r, d, rr, i }: Carry): Carry => {
    const ad = product(d)
    const alpha = div(rr, dot(d, ad))
    const left = map((r, ad) => sub(r, mul(alpha, ad)), r, ad)
    const next = dot(left, left)
    return {
      x: map((x, d) => add(x, mul(alpha, d)), x, d),
      r: left,
      d: map((r, d) => add(r, mul(div(next, rr), d)), left, d),
      rr: next,
      i: add(i, 1),
    }
  }
  return whileLoop(goes, step, start).x
}
const map = <T>(f: (...xs: Tensor[]) => Tensor, tree: T, ...rest: T[]): T => treeMap(f, tree as Tree, ...(rest as Tree[])) as T
const dot = (a: unknown, b: unknown): Tensor =>
  leaves(a as Tree)
    .map((x, k) => sum(mul(x, leaves(b as Tree)[k]!)))
    .reduce((s, x) => add(s, x))
