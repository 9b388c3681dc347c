// Negative logarithms of likelihoods, and the distance of distributions.
import { type Aval, sameShape, show } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { logSoftmax } from "../ops/activations.ts"
import { add, div, equal, exp, greater, less, log, mul, stopGradient, sub, where } from "../ops/arithmetic.ts"
import { sum } from "../ops/reduction.ts"
import { expandDims } from "../ops/shape.ts"
import { alike, defineLoss, defineTripleLoss, type Loss, type LossOptions, type TripleLoss, wantPositive } from "./loss.ts"

export interface KlDivergenceOptions extends LossOptions {
  /** Targets are logarithms of probabilities. Default: false. */
  readonly logTargets?: boolean
}
/**
 * sum_k t_k (log(t_k) - log(p_k)) with p = softmax(x) over the last axis, from the logits x: how far the distribution p is from t.
 *
 * The mean is over all examples (PyTorch's "batchmean"). Terms with t_k = 0 are 0.
 * Shapes: logits x and distributions t alike, [..., classes]. Throws TypeError where they differ. Kullback and Leibler (1951).
 *
 * @example
 * klDivergence(tensor([[0, 0]]), tensor([[1, 0]]))  // 0.6931: log(2)
 */
export const klDivergence: Loss<KlDivergenceOptions> = /*@__PURE__*/ defineLoss<KlDivergenceOptions>(
  "klDivergence",
  operands => {
    alike("klDivergence")(operands)
    if (operands[0].shape.length === 0) throw new TypeError(`klDivergence: logits need an axis of classes; got ${show(operands[0])}`)
  },
  (x, targets, { logTargets = false }) => {
    const [t, logT] = logTargets ? [exp(targets), targets] : [targets, log(where(equal(targets, 0), 1, targets))]
    return sum(mul(t, sub(logT, logSoftmax(x))), { axis: -1 })
  },
)

export interface PoissonOptions extends LossOptions {
  /** Outputs are logarithms of rates. Default: true. */
  readonly logInput?: boolean
  /** Adds Stirling's approximation of log(t!) where t > 1, which does not depend on the outputs. Default: false. */
  readonly full?: boolean
  /** Added to rates before the logarithm is taken. Default: 1e-8. */
  readonly eps?: number
}
/**
 * exp(x) - t x for counts t that have rate exp(x); with `logInput: false`, x - t log(x + eps) for the rate x itself.
 *
 * Shapes: outputs x and counts t alike, of any shape. Throws TypeError where they differ. As PyTorch's `poisson_nll_loss`.
 *
 * @example
 * poissonNll(tensor([0]), tensor([3]))  // 1
 */
export const poissonNll: Loss<PoissonOptions> = /*@__PURE__*/ defineLoss<PoissonOptions>(
  "poissonNll",
  (operands, { eps }) => {
    alike("poissonNll")(operands)
    wantPositive("poissonNll", "eps", eps)
  },
  (x, t, { logInput = true, full = false, eps = 1e-8 }) => {
    const loss = logInput ? sub(exp(x), mul(t, x)) : sub(x, mul(t, log(add(x, eps))))
    return full ? add(loss, stirling(t)) : loss
  },
)
/** t log(t) - t + log(2 pi t) / 2 where t > 1, else 0. */
function stirling(t: Tensor): Tensor {
  const counts = where(greater(t, 1), t, 1)
  const value = add(sub(mul(counts, log(counts)), counts), mul(log(mul(counts, 2 * Math.PI)), 0.5))
  return where(greater(t, 1), value, 0)
}

export interface GaussianOptions extends LossOptions {
  /** Adds log(2 pi) / 2. Default: false. */
  readonly full?: boolean
  /** Smallest variance. Default: 1e-6. */
  readonly eps?: number
}
/** log(2 pi) / 2 */
const HALF_LOG_TAU = 0.9189385332046727
/**
 * (log(v) + (y - t)^2 / v) / 2 for a normal distribution with mean y and variance v, which is at least `eps`; the limit leaves the
 * derivative as it is, so that a variance below it can grow. As PyTorch's `gaussian_nll_loss`.
 *
 * Shapes: means y and targets t alike; variances v like them, or with a last axis of 1 or none. Throws TypeError where they differ.
 * Nix and Weigend, Estimating the mean and variance of the target probability distribution (1994).
 *
 * @example
 * gaussianNll(tensor([1]), tensor([3]), tensor([4]))  // 1.193: (log(4) + 1) / 2
 */
export const gaussianNll: TripleLoss<GaussianOptions> = /*@__PURE__*/ defineTripleLoss<GaussianOptions>(
  "gaussianNll",
  "three tensors: means, targets and variances",
  (operands, { eps }) => {
    alike("gaussianNll")(operands)
    wantVariances(operands)
    wantPositive("gaussianNll", "eps", eps)
  },
  (y, t, variances, { full = false, eps = 1e-6 }) => {
    const whole = variances.ndim < y.ndim ? expandDims(variances, -1) : variances
    const v = add(whole, stopGradient(where(less(whole, eps), sub(eps, whole), 0)))
    const d = sub(y, t)
    const loss = mul(add(log(v), div(mul(d, d), v)), 0.5)
    return full ? add(loss, HALF_LOG_TAU) : loss
  },
)
function wantVariances([y, , v]: readonly [Aval, Aval, Aval]): void {
  const before = y.shape.slice(0, -1)
  const fits = y.dtype === v.dtype && [y.shape, [...before, 1], before].some(s => sameShape(s, v.shape))
  if (!fits) throw new TypeError(`gaussianNll: variances must be like the outputs, ${show(y)}, or one for each row; got ${show(v)}`)
}
