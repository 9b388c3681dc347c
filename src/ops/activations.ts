// Nonlinear functions of networks; those over an axis are composites, so that graphs show them by name.

import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { align, axisOf, lift, type Operand } from "./align.ts"
import { div, sub } from "./arithmetic.ts"
import { logsumexp, max, sum } from "./reduction.ts"

/** The logistic function 1 / (1 + exp(-x)). */
export const sigmoid = (x: Operand): Tensor => p.sigmoid(lift("sigmoid", x))
/** log(1 + exp(x)), without overflow. */
export const softplus = (x: Operand): Tensor => p.softplus(lift("softplus", x))
/** log(sigmoid(x)) = -softplus(-x), without overflow. */
export const logSigmoid = (x: Operand): Tensor => p.neg(p.softplus(p.neg(lift("logSigmoid", x))))
/** max(x, 0), with derivative 0 at 0; NaN stays NaN. */
export const relu = (x: Operand): Tensor => {
  const [a, zero] = align("relu", [x, 0]) as [Tensor, Tensor]
  return p.select(p.le(a, zero), zero, a)
}
/** x * sigmoid(x), also called SiLU. */
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
/** Throws TypeError unless `x` says how to compute gelu. */
export function wantApproximate(name: string, x: unknown): void {
  if (x !== "none" && x !== "tanh") throw new TypeError(`${name}: approximate must be "none" or "tanh"; got ${JSON.stringify(x)}`)
}

/** One composite for each axis, counted from the back so that it means the same for an example and a batch. */
const overAxis = (name: string, f: (x: Tensor, axis: number) => Tensor): ((x: Tensor, options?: { readonly axis?: number }) => Tensor) => {
  const made = new Map<number, (x: Tensor) => Tensor>()
  return (x, { axis = -1 } = {}) => {
    const back = axisOf(name, x, axis) - x.ndim
    if (x.shape.at(back) === 0) return x
    let g = made.get(back)
    if (!g) made.set(back, (g = composite(name, { axis: back }, (x: Tensor) => f(x, back))))
    return g(x)
  }
}
/** exp(x) / sum(exp(x)) over `axis` (default: the last), without overflow. */
export const softmax = /*@__PURE__*/ overAxis("softmax", (x, axis) => {
  const e = p.exp(sub(x, p.stopGradient(max(x, { axis, keepdims: true }))))
  return div(e, sum(e, { axis, keepdims: true }))
})
/** log(softmax(x)) over `axis` (default: the last), without overflow. */
export const logSoftmax = /*@__PURE__*/ overAxis("logSoftmax", (x, axis) => sub(x, logsumexp(x, { axis, keepdims: true })))
