import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import { reshape } from "../ops/shape.ts"
import { type Layer, nameOf, wantTensor } from "./layer.ts"

const flat = /*@__PURE__*/ composite("flatten", {}, (x: Tensor) => reshape(x, [x.shape[0]!, product(x.shape.slice(1))]))
const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/**
 * All axes but the first as one: [batch, ...] to [batch, n]. Its width is checked when the model is initialized and applied.
 *
 * Throws TypeError for a scalar, which has no batch axis.
 *
 * @example
 * sequential(flatten(), dense(784, 10)).outShape([28, 28])  // [10]
 */
export const flatten = (): Layer<"any", "any"> => ({
  kind: "flatten",
  in: "any",
  out: "any",
  config: { kind: "flatten" },
  init: () => ({ params: {}, state: {} }),
  apply: (_params, state, x) => {
    wantTensor(nameOf("flatten"), "the input", x)
    if (x.ndim === 0) throw new TypeError(`${nameOf("flatten")}: needs a batch axis; got a scalar`)
    return [flat(x), state]
  },
  outShape: shape => [product(shape)],
})
