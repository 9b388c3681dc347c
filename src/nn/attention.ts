import { composite } from "../control/call.ts"
import { ShapeError } from "../core/errors.ts"
import { scope, type Tensor } from "../core/tensor.ts"
import { softmax } from "../ops/activations.ts"
import { greaterEqual, mul, where } from "../ops/arithmetic.ts"
import { arange } from "../ops/create.ts"
import { fold } from "../ops/random.ts"
import { expandDims, matmul, reshape, slice, transpose } from "../ops/shape.ts"
import { wantFlag, wantNumber, wantWidth } from "./checks.ts"
import { dense } from "./dense.ts"
import { dropout as dropoutLayer, wantKey } from "./dropout.ts"
import type { FloatDtype, InitializerName } from "./initializers.ts"
import { keepsWidth, type LayerOf, type Params, wantSequence, wantTensor } from "./layer.ts"
import { rotate } from "./positions.ts"

export interface AttentionMask {
  /** Whether place t sees only places up to t. Default: false. */
  readonly causal?: boolean
  /** Where a query sees a key: bool, aligned with [..., queries, keys]. A query that sees no key gets NaN. Default: everywhere. */
  readonly mask?: Tensor
}

const swap = (x: Tensor): Tensor => transpose(x, [...x.shape.slice(0, -2).map((_, d) => d), -1, -2]) // [..., m, n] -> [..., n, m]

/**
 * softmax(q k^T / sqrt(width)) v over the keys: q [..., queries, width], k [..., keys, width], v [..., keys, out] to
 * [..., queries, out]. Leading axes are aligned. `drop` is applied to the weights.
 *
 * Throws ShapeError where shapes do not fit. Vaswani et al., arXiv:1706.03762, equation 1.
 *
 * @example
 * const x = tensor([[1, 0], [0, 1]])
 * dotProductAttention(x, x, x, { causal: true })  // [[1, 0], [0.3302, 0.6698]]
 */
export function dotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { causal = false, mask, drop = w => w }: AttentionMask & { readonly drop?: (weights: Tensor) => Tensor } = {},
): Tensor {
  wantAttention(q, k, v)
  let scores = matmul(mul(q, 1 / Math.sqrt(q.shape.at(-1)!)), swap(k))
  if (mask) scores = where(mask, scores, -Infinity)
  if (causal) scores = where(seen(q.shape.at(-2)!, k.shape.at(-2)!), scores, -Infinity)
  return matmul(drop(softmax(scores)), v)
}
function wantAttention(...all: readonly [Tensor, Tensor, Tensor]): void {
  const name = "dotProductAttention"
  all.forEach((x, i) => wantTensor(name, ["queries", "keys", "values"][i]!, x))
  const [q, k, v] = all
  const fits = all.every(x => x.ndim >= 2) && q.shape.at(-1) === k.shape.at(-1) && k.shape.at(-2) === v.shape.at(-2)
  if (!fits)
    throw new ShapeError(
      name,
      "wants q [..., queries, width], k [..., keys, width] and v [..., keys, out]",
      all.map(x => x.aval),
    )
}
/** Whether a query stands at or behind a key. */
const seen = (queries: number, keys: number): Tensor => greaterEqual(expandDims(arange(queries), 1), arange(keys))

export interface MultiHeadAttentionOptions {
  /** Whether place t sees only places up to t. Default: false. */
  readonly causal?: boolean
  /** Turns queries and keys by their places (see `rotaryPositions`): true, or the base of the angles. Default: false. */
  readonly rotary?: boolean | number
  /** Heads of keys and values, each shared by heads / keyValueHeads heads of queries (arXiv:2305.13245). Default: `heads`. */
  readonly keyValueHeads?: number
  /** The share of attention weights to drop in training. Default: 0. */
  readonly dropout?: number
  /** Adds biases to queries, keys, values and outputs. Default: true. */
  readonly bias?: boolean
  /** How weights start. Default: "glorot". */
  readonly init?: InitializerName
  /** Default: "f32". */
  readonly dtype?: FloatDtype
}

/**
 * Self-attention in several heads: each place of a sequence takes from all others what its query finds by their keys,
 * [batch, time, width] to the same. Heads are width / heads wide.
 *
 * Parameters: `{ qkv: { w, b }, out: { w, b } }`; qkv brings the input to queries, keys and values, in this order, one head after the
 * other, as PyTorch's `in_proj_weight` (which is the transpose). Needs a key in training if it drops weights. Throws TypeError for
 * wrong options, without a key, and where the width does not fit. Vaswani et al., arXiv:1706.03762, section 3.2.
 *
 * @example
 * const layer = multiHeadAttention(64, 4, { causal: true, rotary: true })
 * const { params, state } = layer.init(random.key(1), [20, 64])
 * const [y] = layer.apply(params, state, zeros([8, 20, 64]))  // f32[8,20,64]
 */
export function multiHeadAttention<const Width extends number>(
  width: Width,
  heads: number,
  {
    causal = false,
    rotary = false,
    keyValueHeads = heads,
    dropout = 0,
    bias = true,
    init = "glorot",
    dtype = "f32",
  }: MultiHeadAttentionOptions = {},
): LayerOf<"multiHeadAttention", Width, Width> {
  const kind = "multiHeadAttention"
  wantWidth(kind, "width", width)
  wantWidth(kind, "heads", heads)
  wantWidth(kind, "keyValueHeads", keyValueHeads)
  wantFlag(kind, "causal", causal)
  if (width % heads) throw new TypeError(`${kind}: heads must divide the width ${width}; got ${heads}`)
  if (heads % keyValueHeads) throw new TypeError(`${kind}: keyValueHeads must divide the ${heads} heads; got ${keyValueHeads}`)
  if (typeof rotary !== "boolean") wantNumber(kind, "rotary", rotary, "true, false or a base > 0", b => b > 0)
  const size = width / heads
  if (rotary && size % 2) throw new TypeError(`${kind}: rotary turns pairs of units, so that heads must have an even width; got ${size}`)

  const options = { causal, rotary, keyValueHeads, dropout, bias, init, dtype }
  const shared = { bias, init, dtype }
  const parts = { qkv: dense(width, width + 2 * keyValueHeads * size, shared), out: dense(width, width, shared) }
  wantNumber(kind, "dropout", dropout, "a number >= 0 and < 1", d => d >= 0 && d < 1)
  const dropped = dropoutLayer(dropout)
  const base = rotary === true ? 10_000 : rotary
  const attend = composite(kind, { heads, ...options }, (key: Tensor | null, packed: Tensor) => {
    const before = packed.shape.slice(0, -1)
    const cut = (from: number, n: number): Tensor => {
      const part = slice(packed, ...before.map(() => ":" as const), [from * size, (from + n) * size])
      return switchHeads(reshape(part, [...before, n, size]))
    }
    const turned = (x: Tensor): Tensor => (base ? rotate(x, base) : x)
    const [q, k, v] = [turned(cut(0, heads)), turned(cut(heads, keyValueHeads)), cut(heads + keyValueHeads, keyValueHeads)]
    const drop = (w: Tensor): Tensor => (key ? dropped.apply({}, {}, w, { key, training: true })[0] : w)
    if (keyValueHeads === heads) return join(dotProductAttention(q, k, v, { causal, drop }))
    // [..., heads of keys, queries of each, time, size]
    const groups = reshape(q, [...before.slice(0, -1), keyValueHeads, heads / keyValueHeads, ...q.shape.slice(-2)])
    const y = dotProductAttention(groups, expandDims(k, -3), expandDims(v, -3), { causal, drop })
    return join(reshape(y, q.shape))
  })
  return keepsWidth(
    kind,
    width,
    { width, heads, ...options },
    (key, inShape) => {
      wantSequence(kind, inShape)
      const start = (name: "qkv" | "out", i: number): Params => parts[name].init(fold(key, i), [...inShape.slice(0, -1), width]).params
      return { params: { qkv: start("qkv", 0), out: start("out", 1) }, state: {} }
    },
    (params, state, x, { key, training = false }) => {
      wantSequence(kind, x.shape)
      const through = (name: "qkv" | "out", x: Tensor): Tensor =>
        scope(name, () => parts[name].apply((params?.[name] ?? {}) as Params, {}, x)[0])
      const drops = training && dropout > 0
      if (drops) wantKey(kind, key)
      return [through("out", attend(drops ? key! : null, through("qkv", x))), state]
    },
  )
}
/** [..., time, heads, size] to [..., heads, time, size], and back. */
const switchHeads = (x: Tensor): Tensor => transpose(x, [...x.shape.slice(0, -3).map((_, d) => d), -2, -3, -1])
const join = (x: Tensor): Tensor => {
  const y = switchHeads(x)
  return reshape(y, [...y.shape.slice(0, -2), y.shape.at(-2)! * y.shape.at(-1)!])
}
