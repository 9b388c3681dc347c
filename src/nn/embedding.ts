import { composite } from "../control/call.ts"
import { show } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { mul } from "../ops/arithmetic.ts"
import { normal } from "../ops/random.ts"
import { take } from "../ops/shape.ts"
import { wantFloat, wantPositive, wantWidth } from "./checks.ts"
import type { FloatDtype } from "./initializers.ts"
import { type LayerOf, nameOf, pick, wantTensor } from "./layer.ts"

export interface EmbeddingOptions {
  /** Standard deviation of the normal distribution that vectors start from. Default: 1, as in PyTorch. */
  readonly std?: number
  /** Default: "f32". */
  readonly dtype?: FloatDtype
}

const lookUp = /*@__PURE__*/ composite("embedding", {}, (w: Tensor, x: Tensor) => take(w, x))

/**
 * A vector for each of `count` symbols: y = w[x], x i32 [...] and y [..., width]. A number of no symbol gives NaN, since compiled code
 * cannot throw; negative ones count from the end.
 *
 * Parameters: `{ w }`, [count, width]. Throws TypeError for numbers that are not whole and for inputs that are not i32.
 *
 * @example
 * const model = sequential(embedding(1000, 32), lstm(32, 64), dense(64, 2))
 * const { params, state } = model.init(random.key(1), [20])
 * const [y] = model.apply(params, state, zeros([8, 20], { dtype: "i32" }))  // f32[8,2]
 */
export function embedding<const Width extends number>(
  count: number,
  width: Width,
  { std = 1, dtype = "f32" }: EmbeddingOptions = {},
): LayerOf<"embedding", "any", Width> {
  wantWidth("embedding", "count", count)
  wantWidth("embedding", "width", width)
  wantPositive("embedding", "std", std)
  wantFloat("embedding", dtype)
  return {
    kind: "embedding",
    in: "any",
    out: width,
    config: { kind: "embedding", count, width, std, dtype },
    init: key => ({ params: { w: mul(normal(key, [count, width], { dtype }), std) }, state: {} }),
    apply: (params, state, x) => {
      const name = nameOf("embedding")
      wantTensor(name, "the input", x)
      if (x.dtype !== "i32")
        throw new TypeError(`${name}: wants the numbers of symbols, i32; got ${show(x.aval)}. Convert them with cast(x, "i32")`)
      const [w] = pick("embedding", "params", params, ["w"]) as [Tensor]
      return [lookUp(w, x), state]
    },
    outShape: inShape => [...inShape, width],
  }
}
