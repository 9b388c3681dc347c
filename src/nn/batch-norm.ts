import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import { add, mul, stopGradient, sub } from "../ops/arithmetic.ts"
import { ones, zeros } from "../ops/create.ts"
import { mean } from "../ops/reduction.ts"
import { wantNumber } from "./checks.ts"
import { keepsWidth, type LayerOf, nameOf, pick } from "./layer.ts"
import { affineNames, affineParams, checkNorm, inverseRoot, type NormOptions, scaled } from "./norms.ts"

export interface BatchNormOptions extends NormOptions {
  /** The weight of a new batch in the running averages. Default: 0.1. */
  readonly momentum?: number
}

/**
 * Units with mean 0 and variance 1 over the batch, then scale y + b: y = (x - mean) / sqrt(variance + eps), [batch, ..., width] to the
 * same, with mean and variance over all axes but the last.
 *
 * In training they are those of the batch, and the next state holds running averages: r <- (1 - momentum) r + momentum s, with s the
 * batch's mean and its unbiased variance (divided by n - 1). Otherwise they are the running averages.
 *
 * Parameters: `{ scale, b }`, state: `{ mean, variance }`, all [width]. Throws TypeError for wrong options, where the width does not
 * fit, and in training for one value per unit, whose variance is not defined. Ioffe and Szegedy, arXiv:1502.03167, algorithm 1.
 *
 * @example
 * const model = sequential(dense(4, 8), batchNorm(8), relu())
 * const { params, state } = model.init(random.key(1), [4])
 * const [y, next] = model.apply(params, state, random.normal(random.key(2), [16, 4]), { training: true })
 * y.shape  // 16, 8
 */
export function batchNorm<const Width extends number>(
  width: Width,
  { momentum = 0.1, eps = 1e-5, affine = true, dtype = "f32" }: BatchNormOptions = {},
): LayerOf<"batchNorm", Width, Width> {
  const options = { momentum, eps, affine, dtype }
  checkNorm("batchNorm", width, options)
  wantNumber("batchNorm", "momentum", momentum, "a number in [0, 1]", m => m >= 0 && m <= 1)

  const running = composite("batchNorm", options, (x: Tensor, [average, variance]: readonly Tensor[], ps: readonly Tensor[]) =>
    scaled(mul(sub(x, average!), inverseRoot(variance!, eps)), ...ps),
  )
  const batch = composite("batchNorm", options, (x: Tensor, state: readonly Tensor[], ps: readonly Tensor[]) => {
    const axis = x.shape.slice(1).map((_, d) => d)
    const n = x.size / width
    const average = mean(x, { axis })
    const d = sub(x, average)
    const variance = mean(mul(d, d), { axis })
    const [oldMean, oldVariance] = state.map(s => mul(s, 1 - momentum)) as [Tensor, Tensor]
    return {
      y: scaled(mul(d, inverseRoot(variance, eps)), ...ps),
      mean: add(oldMean, mul(stopGradient(average), momentum)),
      variance: add(oldVariance, mul(stopGradient(variance), (momentum * n) / (n - 1))),
    }
  })
  return keepsWidth(
    "batchNorm",
    width,
    { width, ...options },
    () => ({ params: affineParams(affine, width, dtype), state: { mean: zeros([width], { dtype }), variance: ones([width], { dtype }) } }),
    (params, state, x, { training = false }) => {
      const ps = pick("batchNorm", "params", params, affineNames(affine))
      const averages = pick("batchNorm", "state", state, ["mean", "variance"])
      if (!training) return [running(x, averages, ps), state]
      if (x.size <= width)
        throw new TypeError(
          `${nameOf("batchNorm")}: needs more than one value per unit in training; got shape [${x.shape}]. Use a larger batch`,
        )
      const { y, ...next } = batch(x, averages, ps)
      return [y, next]
    },
  )
}
