// Normalization of each example by itself; `batchNorm` has a file of its own. Defaults are PyTorch's.
import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import { add, div, mul, sqrt, sub } from "../ops/arithmetic.ts"
import { ones, zeros } from "../ops/create.ts"
import { mean } from "../ops/reduction.ts"
import { reshape } from "../ops/shape.ts"
import { wantFlag, wantFloat, wantPositive, wantWidth } from "./checks.ts"
import type { FloatDtype } from "./initializers.ts"
import { keepsWidth, type LayerOf, nameOf, type Params, pick } from "./layer.ts"

export interface NormOptions {
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number
  /** Learns a factor and a bias for each unit. Default: true. */
  readonly affine?: boolean
  /** Default: "f32". */
  readonly dtype?: FloatDtype
}

/** (x - mean) / sqrt(variance + eps) over some axes. */
export function standardize(x: Tensor, axis: number | readonly number[], eps: number): Tensor {
  const d = sub(x, mean(x, { axis, keepdims: true }))
  return mul(d, inverseRoot(mean(mul(d, d), { axis, keepdims: true }), eps))
}
/** 1 / sqrt(x + eps) */
export const inverseRoot = (x: Tensor, eps: number): Tensor => div(1, sqrt(add(x, eps)))

/** Names and first values of what `affine` learns. */
export const affineNames = (affine: boolean): readonly string[] => (affine ? ["scale", "b"] : [])
export const affineParams = (affine: boolean, width: number, dtype: FloatDtype): Params =>
  affine ? { scale: ones([width], { dtype }), b: zeros([width], { dtype }) } : {}
/** scale x + b, or x where neither is given. */
export const scaled = (x: Tensor, scale?: Tensor, b?: Tensor): Tensor => {
  const y = scale ? mul(x, scale) : x
  return b ? add(y, b) : y
}

export function checkNorm(kind: string, width: number, { eps, affine, dtype }: Required<NormOptions>): void {
  wantWidth(kind, "width", width)
  wantPositive(kind, "eps", eps)
  wantFlag(kind, "affine", affine)
  wantFloat(kind, dtype)
}

/** A normalization that has no state. */
function norm<const Kind extends string, Width extends number>(
  kind: Kind,
  width: Width,
  options: Required<NormOptions> & { readonly groups?: number },
  names: readonly string[],
  f: (x: Tensor) => Tensor,
): LayerOf<Kind, Width, Width> {
  checkNorm(kind, width, options)
  const { affine, dtype } = options
  const whole = composite(kind, options, (x: Tensor, ps: readonly Tensor[]) => scaled(f(x), ...ps))
  return keepsWidth(
    kind,
    width,
    { width, ...options },
    () => {
      const all = affineParams(affine, width, dtype)
      return { params: Object.fromEntries(names.map(n => [n, all[n]!])), state: {} }
    },
    (params, state, x) => [whole(x, pick(kind, "params", params, names)), state],
  )
}

/**
 * Each example's units with mean 0 and variance 1, then scale y + b:
 * y = (x - mean(x)) / sqrt(variance(x) + eps) over the last axis, [..., width] to [..., width].
 *
 * Parameters: `{ scale, b }`, [width]. Throws TypeError for wrong options and where the width does not fit.
 * Ba, Kiros and Hinton, arXiv:1607.06450.
 *
 * @example
 * layerNorm(2).apply({ scale: tensor([1, 1]), b: tensor([0, 0]) }, {}, tensor([[1, 3]]))[0]  // [[-1.00, 1.00]]
 */
export function layerNorm<const Width extends number>(
  width: Width,
  { eps = 1e-5, affine = true, dtype = "f32" }: NormOptions = {},
): LayerOf<"layerNorm", Width, Width> {
  return norm("layerNorm", width, { eps, affine, dtype }, affineNames(affine), x => standardize(x, -1, eps))
}

/**
 * scale x / sqrt(mean(x^2) + eps) over the last axis, [..., width] to [..., width]: `layerNorm` without centring and bias.
 *
 * Parameters: `{ scale }`, [width]. The default of `eps` is the dtype's own (2^-23 or 2^-52), as in PyTorch; many published models
 * use 1e-5 or 1e-6. Throws TypeError for wrong options and where the width does not fit. Zhang and Sennrich, arXiv:1910.07467.
 *
 * @example
 * rmsNorm(2).apply({ scale: tensor([1, 1]) }, {}, tensor([[3, 4]]))[0]  // [[0.8485, 1.131]]
 */
export function rmsNorm<const Width extends number>(
  width: Width,
  { dtype = "f32", eps = dtype === "f64" ? 2 ** -52 : 2 ** -23, affine = true }: NormOptions = {},
): LayerOf<"rmsNorm", Width, Width> {
  const f = (x: Tensor): Tensor => mul(x, inverseRoot(mean(mul(x, x), { axis: -1, keepdims: true }), eps))
  return norm("rmsNorm", width, { eps, affine, dtype }, affine ? ["scale"] : [], f)
}

/**
 * Groups of channels with mean 0 and variance 1, then scale y + b. The mean and the variance are those of all places of one example
 * in the width / groups channels of a group: [batch, ..., width] to the same. With `groups = width` it is instance normalization.
 *
 * Parameters: `{ scale, b }`, [width]. Throws TypeError unless the groups divide the width, for wrong options, for an input without
 * batch axis and where the width does not fit. Wu and He, arXiv:1803.08494.
 *
 * @example
 * sequential(conv2d(3, 32, 3), groupNorm(4, 32), relu()).outShape([30, 30, 3])  // [28, 28, 32]
 */
export function groupNorm<const Width extends number>(
  groups: number,
  width: Width,
  { eps = 1e-5, affine = true, dtype = "f32" }: NormOptions = {},
): LayerOf<"groupNorm", Width, Width> {
  wantWidth("groupNorm", "groups", groups)
  if (width % groups) throw new TypeError(`groupNorm: groups must divide the width ${width}; got ${groups}`)
  return norm("groupNorm", width, { groups, eps, affine, dtype }, affineNames(affine), x => {
    if (x.ndim < 2) throw new TypeError(`${nameOf("groupNorm")}: needs a batch axis; got shape [${x.shape}]`)
    const parts = reshape(x, [x.shape[0]!, x.shape.slice(1, -1).reduce((a, b) => a * b, 1), groups, width / groups])
    return reshape(standardize(parts, [1, 3], eps), x.shape)
  })
}
