import { gelu, relu, swiglu, swish } from "./activations.ts"
import { type MultiHeadAttentionOptions, multiHeadAttention } from "./attention.ts"
import { wantOneOf, wantWidth } from "./checks.ts"
import { residual } from "./combine.ts"
import { dense } from "./dense.ts"
import { dropout as dropoutLayer } from "./dropout.ts"
import type { Layer, LayerOf } from "./layer.ts"
import { layerNorm, rmsNorm } from "./norms.ts"
import { sequential } from "./sequential.ts"

const activations = { gelu, relu, swish, swiglu }
const norms = { layerNorm, rmsNorm }

export interface TransformerBlockOptions extends MultiHeadAttentionOptions {
  /** Units between the two dense layers. Default: 4 width. */
  readonly hidden?: number
  /** Default: "gelu". With "swiglu" the first dense layer is twice as wide, one half for the gate. */
  readonly activation?: keyof typeof activations
  /** What stands before attention and before the dense layers. Default: "layerNorm". */
  readonly norm?: keyof typeof norms
}

/**
 * A block of a transformer, with norms in front: x <- x + attention(norm(x)), then x <- x + dense(activation(dense(norm(x)))),
 * [batch, time, width] to the same. `dropout` is applied to attention weights and to what is added.
 *
 * Parameters are those of the two residuals, one after the other. Throws TypeError for wrong options, without a key where it drops in
 * training, and where the width does not fit. Vaswani et al., arXiv:1706.03762; norms in front: Xiong et al., arXiv:2002.04745.
 *
 * @example
 * const block = transformerBlock(64, 4, { causal: true, rotary: true })
 * sequential(embedding(1000, 64), block, layerNorm(64), dense(64, 1000)).outShape([20])  // [20, 1000]
 */
export function transformerBlock<const Width extends number>(
  width: Width,
  heads: number,
  { hidden = 4 * width, activation = "gelu", norm = "layerNorm", ...attention }: TransformerBlockOptions = {},
): LayerOf<"transformerBlock", Width, Width> & { readonly layers: readonly Layer[] } {
  const kind = "transformerBlock"
  wantWidth(kind, "hidden", hidden)
  wantOneOf(kind, "activation", activation, Object.keys(activations))
  wantOneOf(kind, "norm", norm, Object.keys(norms))
  const { dropout = 0, bias = true, init = "glorot", dtype = "f32" } = attention
  const drop = dropout ? [dropoutLayer(dropout)] : []
  const options = { bias, init, dtype }
  const mix = multiHeadAttention(width as number, heads, attention)
  const whole = sequential(
    residual(norms[norm](width as number, { dtype }), mix, ...drop),
    residual(
      norms[norm](width as number, { dtype }),
      dense(width as number, activation === "swiglu" ? 2 * hidden : hidden, options),
      activations[activation](),
      dense(hidden, width as number, options),
      ...drop,
    ),
  )
  const { kind: _, ...saved } = mix.config
  return { ...whole, kind, in: width, out: width, config: { ...saved, kind, width, heads, hidden, activation, norm } }
}
