import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import { mul, where } from "../ops/arithmetic.ts"
import { bernoulli } from "../ops/random.ts"
import { elementwise, type Layer, nameOf } from "./layer.ts"

/**
 * Inverted dropout: in training, each unit is 0 with probability `rate` and else x / (1 - rate), so that its mean stays; the identity
 * otherwise.
 *
 * Needs `{ key, training: true }` in training and throws TypeError without a key. Throws TypeError unless 0 <= rate < 1.
 * Srivastava et al., Dropout (2014), section 10.
 *
 * @example
 * const model = sequential(dense(4, 8), dropout(0.5))
 * const { params, state } = model.init(random.key(1), [4])
 * const step = 17
 * const [y] = model.apply(params, state, ones([2, 4]), { key: random.fold(random.key(2), step), training: true })  // f32[2,8]
 */
export function dropout(rate: number): Layer<"any", "same"> {
  if (!(typeof rate === "number" && rate >= 0 && rate < 1))
    throw new TypeError(`dropout: rate must be a number >= 0 and < 1, the share of units to drop; got ${JSON.stringify(rate)}`)
  const drop = composite("dropout", { rate }, (key: Tensor, x: Tensor) =>
    where(bernoulli(key, 1 - rate, x.shape), mul(x, 1 / (1 - rate)), 0),
  )
  return elementwise({ kind: "dropout", rate }, (x, { key, training = false }) => {
    if (!training || rate === 0) return x
    wantKey("dropout", key)
    return drop(key, x)
  })
}

/** Throws TypeError where a layer with randomness has no key. */
export function wantKey(kind: string, key: Tensor | undefined): asserts key is Tensor {
  if (!key)
    throw new TypeError(
      `${nameOf(kind)}: needs a random key in training; call apply(params, state, x, { key: random.fold(key, step), training: true })`,
    )
}
