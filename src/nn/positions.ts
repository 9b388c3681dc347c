// Where an element stands in its sequence [..., time, width].
import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import { add, cast, cos, mul, pow, sin, sub } from "../ops/arithmetic.ts"
import { arange } from "../ops/create.ts"
import { normal } from "../ops/random.ts"
import { concat, expandDims, reshape, slice, stack } from "../ops/shape.ts"
import { wantFloat, wantPositive, wantWidth } from "./checks.ts"
import type { FloatDtype } from "./initializers.ts"
import { elementwise, keepsWidth, type Layer, type LayerOf, nameOf, pick, wantSequence } from "./layer.ts"
import { lastParts } from "./parts.ts"

export interface PositionalEmbeddingOptions {
  /** Standard deviation of the normal distribution that vectors start from. Default: 0.02, as in BERT and GPT-2. */
  readonly std?: number
  /** Default: "f32". */
  readonly dtype?: FloatDtype
}

/**
 * x + w: a learned vector for each of the first `length` places, added to inputs [..., time, width] with time <= length.
 *
 * Parameters: `{ w }`, [length, width]. Throws TypeError for wrong options, longer sequences and where the width does not fit.
 * Gehring et al., arXiv:1705.03122, section 3.1.
 *
 * @example
 * sequential(embedding(1000, 64), positionalEmbedding(128, 64), transformerBlock(64, 4)).outShape([100])  // [100, 64]
 */
export function positionalEmbedding<const Width extends number>(
  length: number,
  width: Width,
  { std = 0.02, dtype = "f32" }: PositionalEmbeddingOptions = {},
): LayerOf<"positionalEmbedding", Width, Width> {
  const kind = "positionalEmbedding"
  wantWidth(kind, "length", length)
  wantWidth(kind, "width", width)
  wantPositive(kind, "std", std)
  wantFloat(kind, dtype)
  const added = composite(kind, {}, (w: Tensor, x: Tensor) => add(x, slice(w, [0, x.shape.at(-2)!])))
  return keepsWidth(
    kind,
    width,
    { length, width, std, dtype },
    key => ({ params: { w: mul(normal(key, [length, width], { dtype }), std) }, state: {} }),
    (params, state, x) => {
      wantSequence(kind, x.shape)
      if (x.shape.at(-2)! > length)
        throw new TypeError(`${nameOf(kind)}: has vectors for ${length} places; got sequences of ${x.shape.at(-2)}`)
      const [w] = pick(kind, "params", params, ["w"]) as [Tensor]
      return [added(w, x), state]
    },
  )
}

/**
 * x + p, with p = sin(t / base^(2i / width)) at place t in unit 2i and the cosine of the same in unit 2i + 1: [..., time, width] to the
 * same, for any length. Throws TypeError for an odd width and unless base > 0. Vaswani et al., arXiv:1706.03762, section 3.5.
 *
 * @example
 * const [y] = sinusoidalPositions().apply({}, {}, zeros([1, 2, 2]))  // [[[0, 1], [0.8415, 0.5403]]]
 */
export function sinusoidalPositions({ base = 10_000 }: { readonly base?: number } = {}): Layer<"any", "same"> {
  const kind = "sinusoidalPositions"
  wantPositive(kind, "base", base)
  const added = composite(kind, { base }, (x: Tensor) => {
    const a = angles(x, base)
    return add(x, cast(reshape(stack([sin(a), cos(a)], { axis: -1 }), x.shape.slice(-2)), x.dtype))
  })
  return elementwise({ kind, base }, x => {
    wantPairs(kind, x)
    return added(x)
  })
}

/**
 * Unit i and unit i + width / 2 of place t turned by the angle t / base^(2i / width), so that the product of two vectors depends on how
 * far they are apart: [..., time, width] to the same. Pairs are halves of the width apart, as in GPT-NeoX, Llama and ONNX.
 *
 * Throws TypeError for an odd width and unless base > 0. Su et al., arXiv:2104.09864, equation 34.
 *
 * @example
 * rotate(tensor([[1, 0], [1, 0]]))  // [[1, 0], [0.5403, 0.8415]]
 */
export function rotate(x: Tensor, base = 10_000): Tensor {
  const a = angles(x, base)
  const [c, s] = [cast(cos(a), x.dtype), cast(sin(a), x.dtype)]
  const [u, v] = lastParts("rotate", x, 2) as [Tensor, Tensor]
  return concat([sub(mul(u, c), mul(v, s)), add(mul(v, c), mul(u, s))], { axis: -1 })
}

/**
 * Rotary positions as a layer: see `rotate`. `multiHeadAttention` has an option that turns queries and keys of each head.
 *
 * @example
 * const [y] = rotaryPositions().apply({}, {}, ones([8, 20, 64]))  // f32[8,20,64]
 */
export function rotaryPositions({ base = 10_000 }: { readonly base?: number } = {}): Layer<"any", "same"> {
  const kind = "rotaryPositions"
  wantPositive(kind, "base", base)
  const turned = composite(kind, { base }, (x: Tensor) => rotate(x, base))
  return elementwise({ kind, base }, x => {
    wantPairs(kind, x)
    return turned(x)
  })
}

/** t / base^(2i / width), [time, width / 2], in f64 because angles are large and only their remainder counts. */
function angles(x: Tensor, base: number): Tensor {
  const [time, width] = x.shape.slice(-2) as [number, number]
  const frequency = pow(base, mul(arange(width / 2, { dtype: "f64" }), -2 / width))
  return mul(expandDims(arange(time, { dtype: "f64" }), 1), frequency)
}
function wantPairs(kind: string, x: Tensor): void {
  wantSequence(kind, x.shape)
  if (x.shape.at(-1)! % 2) throw new TypeError(`${nameOf(kind)}: wants an even width; got shape [${x.shape}]`)
}
