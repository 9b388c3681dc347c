// Layers that apply a function to each unit.
import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import * as ops from "../ops/activations.ts"
import { wantApproximate } from "../ops/align.ts"
import { div, mul, tanh as tanhOf } from "../ops/arithmetic.ts"
import { wantNumber, wantPositive } from "./checks.ts"
import * as functions from "./functions.ts"
import { elementwise, type Layer, nameOf, wantTensor } from "./layer.ts"

/** A composite is made once for each function, because recordings are kept with the function. */
const named = (kind: string, f: (x: Tensor) => Tensor): (() => Layer<"any", "same">) => {
  const call = composite(kind, {}, f)
  return () => elementwise({ kind }, x => call(x))
}
/** As `named`, for a function with settings, which are saved. */
function set(kind: string, settings: Readonly<Record<string, number>>, f: (x: Tensor) => Tensor): Layer<"any", "same"> {
  const call = composite(kind, settings, f)
  return elementwise({ kind, ...settings }, x => call(x))
}
const wantReal = (kind: string, what: string, x: unknown): void => wantNumber(kind, what, x, "a number", Number.isFinite)

/** The logistic function (sigmoid) 1 / (1 + exp(-x)). @example sequential(dense(4, 8), logistic(), dense(8, 1)).outShape([4])  // [1] */
export const logistic = /*@__PURE__*/ named("logistic", ops.sigmoid)
/** The hyperbolic tangent. @example sequential(dense(4, 8), tanh(), dense(8, 1)).outShape([4])  // [1] */
export const tanh = /*@__PURE__*/ named("tanh", tanhOf)
/** max(x, 0), with derivative 0 at 0. @example relu().apply({}, {}, tensor([[-1, 2]]))[0]  // [[0, 2]] */
export const relu = /*@__PURE__*/ named("relu", ops.relu)
/**
 * x / (1 + exp(-x)), also called SiLU. Elfwing et al., arXiv:1702.03118.
 *
 * @example
 * swish().apply({}, {}, tensor([[-1, 2]]))[0]  // [[-0.2689, 1.762]]
 */
export const swish = /*@__PURE__*/ named("swish", ops.swish)
// these three are composites already
/**
 * x times the share of the normal distribution below x; with `approximate: "tanh"` an approximation of it. Throws TypeError for
 * another one. Hendrycks and Gimpel, arXiv:1606.08415.
 *
 * @example
 * gelu().apply({}, {}, tensor([[-1, 2]]))[0]  // [[-0.1587, 1.954]]
 */
export function gelu({ approximate = "none" }: ops.GeluOptions = {}): Layer<"any", "same"> {
  wantApproximate("gelu", approximate)
  return elementwise({ kind: "gelu", ...(approximate !== "none" && { approximate }) }, x => ops.gelu(x, { approximate }))
}
/**
 * exp(x) / sum(exp(x)) over the last axis. Do not put it before `crossEntropy`, which takes logits.
 *
 * @example
 * softmax().apply({}, {}, tensor([[1, 2, 3]]))[0]  // [[0.09003, 0.2447, 0.6652]]
 */
export const softmax = (): Layer<"any", "same"> => elementwise({ kind: "softmax" }, x => ops.softmax(x))
/**
 * log(softmax(x)) over the last axis. Do not put it before `crossEntropy`, which takes logits.
 *
 * @example
 * logSoftmax().apply({}, {}, tensor([[1, 2, 3]]))[0]  // [[-2.408, -1.408, -0.4076]]
 */
export const logSoftmax = (): Layer<"any", "same"> => elementwise({ kind: "logSoftmax" }, x => ops.logSoftmax(x))

/**
 * 1.0507 elu(x, 1.6733): units keep mean 0 and variance 1. Klambauer et al., arXiv:1706.02515.
 *
 * @example
 * selu().apply({}, {}, tensor([[-1, 2]]))[0]  // [[-1.111, 2.101]]
 */
export const selu = /*@__PURE__*/ named("selu", functions.selu)
/** x tanh(log(1 + exp(x))). Misra, arXiv:1908.08681. @example mish().apply({}, {}, tensor([[-1, 2]]))[0]  // [[-0.3034, 1.944]] */
export const mish = /*@__PURE__*/ named("mish", functions.mish)
/** x / (1 + |x|) @example softsign().apply({}, {}, tensor([[-1, 2]]))[0]  // [[-0.5, 0.6667]] */
export const softsign = /*@__PURE__*/ named("softsign", functions.softsign)
/** log(1 / (1 + exp(-x))), without overflow. @example logSigmoid().apply({}, {}, tensor([[-1, 2]]))[0]  // [[-1.313, -0.1269]] */
export const logSigmoid = /*@__PURE__*/ named("logSigmoid", functions.logSigmoid)
/** x limited to [0, 6]. Howard et al., arXiv:1704.04861. @example relu6().apply({}, {}, tensor([[-1, 8]]))[0]  // [[0, 6]] */
export const relu6 = /*@__PURE__*/ named("relu6", functions.relu6)
/** (x + 3) / 6 limited to [0, 1]. @example hardSigmoid().apply({}, {}, tensor([[-1, 2]]))[0]  // [[0.3333, 0.8333]] */
export const hardSigmoid = /*@__PURE__*/ named("hardSigmoid", functions.hardSigmoid)
/**
 * x (x + 3) / 6 between -3 and 3, 0 below and x above. Howard et al., arXiv:1905.02244.
 *
 * @example
 * hardSwish().apply({}, {}, tensor([[-1, 2]]))[0]  // [[-0.3333, 1.667]]
 */
export const hardSwish = /*@__PURE__*/ named("hardSwish", functions.hardSwish)

/**
 * x where x > 0, else slope x (default 0.01). Throws TypeError unless the slope is a number. Maas et al. (2013).
 *
 * @example
 * leakyRelu(0.1).apply({}, {}, tensor([[-1, 2]]))[0]  // [[-0.1, 2]]
 */
export function leakyRelu(slope = 0.01): Layer<"any", "same"> {
  wantReal("leakyRelu", "slope", slope)
  return set("leakyRelu", { slope }, x => functions.leakyRelu(x, slope))
}
/**
 * x where x > 0, else alpha (exp(x) - 1) (default 1). Throws TypeError unless alpha is a number. Clevert et al., arXiv:1511.07289.
 *
 * @example
 * elu().apply({}, {}, tensor([[-1, 2]]))[0]  // [[-0.6321, 2]]
 */
export function elu(alpha = 1): Layer<"any", "same"> {
  wantReal("elu", "alpha", alpha)
  return set("elu", { alpha }, x => functions.elu(x, alpha))
}
/**
 * x where x > 0, else alpha (exp(x / alpha) - 1) (default 1). Throws TypeError unless alpha > 0. Barron, arXiv:1704.07483.
 *
 * @example
 * celu(2).apply({}, {}, tensor([[-1, 2]]))[0]  // [[-0.7869, 2]]
 */
export function celu(alpha = 1): Layer<"any", "same"> {
  wantPositive("celu", "alpha", alpha)
  return set("celu", { alpha }, x => functions.celu(x, alpha))
}
/**
 * log(1 + exp(beta x)) / beta (default 1), without overflow: a smooth relu. Throws TypeError unless beta > 0.
 *
 * @example
 * softplus(2).apply({}, {}, tensor([[-1, 2]]))[0]  // [[0.06346, 2.009]]
 */
export function softplus(beta = 1): Layer<"any", "same"> {
  wantPositive("softplus", "beta", beta)
  return set("softplus", { beta }, x => (beta === 1 ? ops.softplus(x) : div(ops.softplus(mul(x, beta)), beta)))
}
/**
 * x limited to [low, high] (default [-1, 1]). Throws TypeError unless low < high.
 *
 * @example
 * hardTanh().apply({}, {}, tensor([[-2, 0.5]]))[0]  // [[-1, 0.5]]
 */
export function hardTanh(low = -1, high = 1): Layer<"any", "same"> {
  wantReal("hardTanh", "low", low)
  wantNumber("hardTanh", "high", high, `a number > low, which is ${low}`, high => high > low)
  return set("hardTanh", { low, high }, x => functions.hardTanh(x, low, high))
}

/** A gate: one half of the last axis decides how much of the other one passes. */
const gate = (kind: string, f: (x: Tensor) => Tensor): (() => Layer<"any", "any">) => {
  const call = composite(kind, {}, f)
  const wantEven = (width: number | undefined): void => {
    if (width === undefined || width % 2)
      throw new TypeError(`${nameOf(kind)}: halves the width, which must be even; gets ${width ?? "a scalar"}`)
  }
  return () => ({
    kind,
    in: "any",
    out: "any",
    config: { kind },
    init: (_key, inShape) => {
      wantEven(inShape.at(-1))
      return { params: {}, state: {} }
    },
    apply: (_params, state, x) => {
      wantTensor(nameOf(kind), "the input", x)
      wantEven(x.shape.at(-1))
      return [call(x), state]
    },
    outShape: shape => {
      wantEven(shape.at(-1))
      return [...shape.slice(0, -1), shape.at(-1)! / 2]
    },
  })
}
/**
 * a sigmoid(b) with a and b the halves of the last axis: [..., 2 n] to [..., n]. Dauphin et al., arXiv:1612.08083.
 *
 * @example
 * sequential(dense(4, 16), glu(), dense(8, 1)).outShape([4])  // [1]
 */
export const glu = /*@__PURE__*/ gate("glu", functions.glu)
/**
 * swish(a) b with a and b the halves of the last axis: [..., 2 n] to [..., n]. Shazeer, arXiv:2002.05202, equation 6.
 *
 * @example
 * sequential(dense(4, 16), swiglu(), dense(8, 1)).outShape([4])  // [1]
 */
export const swiglu = /*@__PURE__*/ gate("swiglu", functions.swiglu)
