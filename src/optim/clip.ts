import type { Tensor } from "../core/tensor.ts"
import { leaves, type Tree } from "../core/tree.ts"
import { add, cast, clip, div, minimum, mul, sqrt, square } from "../ops/arithmetic.ts"
import { zeros } from "../ops/create.ts"
import { sum } from "../ops/reduction.ts"
import { map, type Transformation, wantPositive } from "./transformation.ts"

/** The length of all tensors of a tree as one vector, f64 []. @example globalNorm({ w: tensor([3]), b: tensor([4]) })  // 5 */
export const globalNorm = (tree: unknown): Tensor =>
  // squares of f32 that are about to overflow still have room in f64
  sqrt(leaves(tree as Tree).reduce((s, x) => add(s, sum(square(cast(x, "f64")))), zeros([], { dtype: "f64" })))

/**
 * Limits the length of all gradients together: g <- g min(1, limit / (norm + 1e-6)), as PyTorch's clip_grad_norm_.
 *
 * No state. Throws TypeError for a limit that is not positive. A NaN in one gradient makes all of them NaN, as in PyTorch. Pascanu,
 * Mikolov and Bengio, arXiv:1211.5063, algorithm 1.
 *
 * @example
 * const optimizer = chain(clipByGlobalNorm(1), adam(1e-3))
 */
export function clipByGlobalNorm(limit: number): Transformation {
  wantPositive("clipByGlobalNorm: limit", limit)
  return {
    init: () => ({}),
    update(updates, state) {
      const factor = minimum(div(limit, add(globalNorm(updates), 1e-6)), 1)
      return [map(g => mul(g, cast(factor, g.dtype)), updates), state]
    },
  }
}

/**
 * Limits each element to [-limit, limit].
 *
 * No state. Throws TypeError for a limit that is not positive.
 *
 * @example
 * const optimizer = chain(clipByValue(0.5), sgd(0.1))
 */
export function clipByValue(limit: number): Transformation {
  wantPositive("clipByValue: limit", limit)
  return { init: () => ({}), update: (updates, state) => [map(g => clip(g, -limit, limit), updates), state] }
}
