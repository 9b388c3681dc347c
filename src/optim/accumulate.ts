import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"
import { add, div, equal, where } from "../ops/arithmetic.ts"
import { zerosLike } from "../ops/create.ts"
import { type Optimizer, wantGradients } from "./optimizer.ts"
import { map, noSteps, type OptimizerState, wantCount, withoutDenormals } from "./transformation.ts"

/**
 * One update for every n gradients, with their mean: small batches that act as a batch n times as large. Until the n-th gradient
 * parameters and the inner state stay as they are, and schedules count updates, not gradients.
 *
 * State: `{ count, sum, inner }`: i32 [], a tree like the parameters, and the optimizer's. Throws TypeError unless n is a whole number
 * from 1. The inner update is computed at every call and chosen at the n-th, so what is saved is memory for activations, not time.
 *
 * @example
 * const optimizer = accumulate(4, chain(clipByGlobalNorm(1), adam(1e-3)))
 */
export function accumulate(n: number, optimizer: Optimizer): Optimizer {
  wantCount("accumulate: n", n)
  return {
    config: { kind: "accumulate", n, optimizer: optimizer.config },
    init: params => ({ count: noSteps(), sum: map(zerosLike, params), inner: optimizer.init(params) }),
    update(grads, state, params) {
      wantGradients("accumulate", grads as Tree, params as Tree)
      const before = state as { count: Tensor; sum: OptimizerState; inner: OptimizerState }
      const count = add(before.count, 1)
      const sum = map((s, g) => withoutDenormals(add(s, g)), before.sum, grads)
      const [nextParams, nextInner] = optimizer.update(
        map(s => div(s, n), sum),
        before.inner,
        params,
      )
      const ready = equal(count, n)
      const choose = (next: Tensor, now: Tensor): Tensor => where(ready, next, now)
      const inner = map(choose, nextInner, before.inner)
      return [map(choose, nextParams, params), { count: where(ready, 0, count), sum: map(s => where(ready, 0, s), sum), inner }]
    },
  }
}
