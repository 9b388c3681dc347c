// Nonlinear functions of networks; those over an axis are composites, so that graphs show them by name.

import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { align, axisOf, lift, type Operand, wantApproximate, wantFloating, wantOptions } from "./align.ts"
import { div, sub } from "./arithmetic.ts"
import { logsumexp, max, sum } from "./reduction.ts"

/** The logistic function 1 / (1 + exp(-x)). @example sigmoid(tensor([0, 2]))  // [0.5, 0.8808] */
export const sigmoid = (x: Operand): Tensor => p.sigmoid(lift("sigmoid", x))
/** log(1 + exp(x)), without overflow. @example softplus(tensor([0, 100]))  // [0.6931, 100] */
export const softplus = (x: Operand): Tensor => p.softplus(lift("softplus", x))
/** log(sigmoid(x)) = -softplus(-x), without overflow. @example logSigmoid(tensor([0, -100]))  // [-0.6931, -100] */
export const logSigmoid = (x: Operand): Tensor => p.neg(p.softplus(p.neg(lift("logSigmoid", x))))
/** max(x, 0), with derivative 0 at 0; NaN stays NaN. @example relu(tensor([-1, 2]))  // [0, 2] */
export const relu = (x: Operand): Tensor => {
  const [a, zero] = align("relu", [x, 0]) as [Tensor, Tensor]
  return p.select(p.le(a, zero), zero, a)
}
/** x * sigmoid(x), also called SiLU. @example swish(tensor([-1, 2]))  // [-0.2689, 1.762] */
export const swish = (x: Operand): Tensor => p.swish(lift("swish", x))

/** How `gelu` is computed, named as in PyTorch and ONNX. */
export interface GeluOptions {
  /** "none" (default): with the normal distribution; "tanh": with an approximation by tanh, within 5e-4. */
  readonly approximate?: "none" | "tanh"
}
const exactGelu = /*@__PURE__*/ composite("gelu", { approximate: "none" }, (x: Tensor) => p.gelu(x))
const geluByTanh = /*@__PURE__*/ composite("gelu", { approximate: "tanh" }, (x: Tensor) => p.geluByTanh(x))
/**
 * x times the share of the normal distribution below x, x (1 + erf(x / sqrt(2))) / 2; with `approximate: "tanh"`
 * x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2. Throws TypeError for another approximation.
 *
 * Hendrycks and Gimpel, arXiv:1606.08415.
 *
 * @example
 * gelu(tensor([-1, 0, 1]))  // [-0.1587, 0, 0.8413]
 */
export function gelu(x: Operand, { approximate = "none" }: GeluOptions = {}): Tensor {
  wantApproximate("gelu", approximate)
  return (approximate === "tanh" ? geluByTanh : exactGelu)(lift("gelu", x))
}

/** One composite for each axis, counted from the back so that it means the same for an example and a batch. */
const overAxis = (name: string, f: (x: Tensor, axis: number) => Tensor): ((x: Tensor, options?: { readonly axis?: number }) => Tensor) => {
  const made = new Map<number, (x: Tensor) => Tensor>()
  return (operand, options = {}) => {
    wantOptions(name, options)
    const { axis = -1 } = options
    const x = lift(name, operand)
    wantFloating(name, x)
    const back = axisOf(name, x, axis) - x.ndim
    if (x.shape.at(back) === 0) return x
    let g = made.get(back)
    if (!g) made.set(back, (g = composite(name, { axis: back }, (x: Tensor) => f(x, back))))
    return g(x)
  }
}
/**
 * exp(x) / sum(exp(x)) over `axis` (default: the last), without overflow.
 *
 * @example
 * softmax(tensor([1, 2, 3]))  // [0.09003, 0.2447, 0.6652]
 */
export const softmax = /*@__PURE__*/ overAxis("softmax", (x, axis) => {
  const e = p.exp(sub(x, p.stopGradient(max(x, { axis, keepdims: true }))))
  return div(e, sum(e, { axis, keepdims: true }))
})
/**
 * log(softmax(x)) over `axis` (default: the last), without overflow.
 *
 * @example
 * logSoftmax(tensor([1, 2, 3]))  // [-2.408, -1.408, -0.4076]
 */
export const logSoftmax = /*@__PURE__*/ overAxis("logSoftmax", (x, axis) => sub(x, logsumexp(x, { axis, keepdims: true })))
