// Layers that apply a function to each unit.
import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import * as ops from "../ops/activations.ts"
import { tanh as tanhOf } from "../ops/arithmetic.ts"
import { elementwise, type Layer } from "./layer.ts"

/** A composite is made once for each function, because recordings are kept with the function. */
const named = (kind: string, f: (x: Tensor) => Tensor): (() => Layer<"any", "same">) => {
  const call = composite(kind, {}, f)
  return () => elementwise({ kind }, x => call(x))
}

/** The logistic function (sigmoid) 1 / (1 + exp(-x)). */
export const logistic = /*@__PURE__*/ named("logistic", ops.sigmoid)
/** The hyperbolic tangent. */
export const tanh = /*@__PURE__*/ named("tanh", tanhOf)
/** max(x, 0), with derivative 0 at 0. */
export const relu = /*@__PURE__*/ named("relu", ops.relu)
/** x / (1 + exp(-x)), also called SiLU. Elfwing et al., arXiv:1702.03118. */
export const swish = /*@__PURE__*/ named("swish", ops.swish)
// these two are composites already
/** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). Hendrycks and Gimpel, arXiv:1606.08415. */
export const gelu = (): Layer<"any", "same"> => elementwise({ kind: "gelu" }, x => ops.gelu(x))
/** exp(x) / sum(exp(x)) over the last axis. Do not put it before `crossEntropy`, which takes logits. */
export const softmax = (): Layer<"any", "same"> => elementwise({ kind: "softmax" }, x => ops.softmax(x))
