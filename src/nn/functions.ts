// Activations as functions of tensors; `adjoint` itself has sigmoid, tanh, relu, swish, gelu, softplus, softmax and logSoftmax.
// Definitions, defaults and derivatives at kinks are PyTorch's.
import type { Tensor } from "../core/tensor.ts"
import { sigmoid, softplus, swish } from "../ops/activations.ts"
import { abs, add, div, expm1, greater, greaterEqual, less, lessEqual, mul, neg, where } from "../ops/arithmetic.ts"
import { mish } from "../ops/gates.ts"
import { lastParts } from "./parts.ts"

export { mish }

/**
 * x where x > 0, else slope x. Maas et al., Rectifier nonlinearities improve neural network acoustic models (2013).
 *
 * @example
 * activations.leakyRelu(tensor([-1, 2]), 0.1)  // [-0.1, 2]
 */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => where(greater(x, 0), x, mul(x, slope))

/** exp(x / width) - 1 where x <= 0, else 0; what is not chosen is kept from growing, so that its derivative stays finite. */
const below = (x: Tensor, width = 1): Tensor => expm1(where(greater(x, 0), 0, width === 1 ? x : div(x, width)))

/** x where x > 0, else alpha (exp(x) - 1). Clevert et al., arXiv:1511.07289. @example activations.elu(tensor([-1, 2]))  // [-0.6321, 2] */
export const elu = (x: Tensor, alpha = 1): Tensor => where(greater(x, 0), x, mul(below(x), alpha))

// the fixed point of mean 0 and variance 1, equation 14
const SELU_ALPHA = 1.6732632423543772
const SELU_SCALE = 1.0507009873554805
/**
 * 1.0507 elu(x, 1.6733): units keep mean 0 and variance 1. Klambauer et al., arXiv:1706.02515.
 *
 * @example
 * activations.selu(tensor([-1, 2]))  // [-1.111, 2.101]
 */
export const selu = (x: Tensor): Tensor => mul(elu(x, SELU_ALPHA), SELU_SCALE)

/**
 * x where x > 0, else alpha (exp(x / alpha) - 1), whose derivative is continuous. Barron, arXiv:1704.07483.
 *
 * @example
 * activations.celu(tensor([-1, 2]), 2)  // [-0.7869, 2]
 */
export const celu = (x: Tensor, alpha = 1): Tensor => where(greater(x, 0), x, mul(below(x, alpha), alpha))

/** x / (1 + |x|) @example activations.softsign(tensor([-1, 2]))  // [-0.5, 0.6667] */
export const softsign = (x: Tensor): Tensor => div(x, add(abs(x), 1))
/** log(1 / (1 + exp(-x))), without overflow. @example activations.logSigmoid(tensor([-1, 2]))  // [-1.313, -0.1269] */
export const logSigmoid = (x: Tensor): Tensor => neg(softplus(neg(x)))

/** x limited to [low, high], with derivative 0 at both ends. @example activations.hardTanh(tensor([-2, 0.5]))  // [-1, 0.5] */
export const hardTanh = (x: Tensor, low = -1, high = 1): Tensor => where(lessEqual(x, low), low, where(greaterEqual(x, high), high, x))
/**
 * x limited to [0, 6], with derivative 0 at both ends. Howard et al., arXiv:1704.04861.
 *
 * @example
 * activations.relu6(tensor([-1, 8]))  // [0, 6]
 */
export const relu6 = (x: Tensor): Tensor => hardTanh(x, 0, 6)
/** (x + 3) / 6 limited to [0, 1]. @example activations.hardSigmoid(tensor([-1, 2]))  // [0.3333, 0.8333] */
export const hardSigmoid = (x: Tensor): Tensor => div(hardTanh(add(x, 3), 0, 6), 6)
/**
 * x (x + 3) / 6 between -3 and 3, 0 below and x above. Howard et al., arXiv:1905.02244.
 *
 * @example
 * activations.hardSwish(tensor([-1, 2]))  // [-0.3333, 1.667]
 */
export const hardSwish = (x: Tensor): Tensor => where(less(x, -3), 0, where(greater(x, 3), x, div(mul(x, add(x, 3)), 6)))

/**
 * a sigmoid(b) with a and b the halves of the last axis. Dauphin et al., arXiv:1612.08083.
 *
 * @example
 * activations.glu(tensor([1, 2, 0, 0]))  // [0.5, 1]
 */
export function glu(x: Tensor): Tensor {
  const [a, b] = lastParts("glu", x, 2) as [Tensor, Tensor]
  return mul(a, sigmoid(b))
}
/**
 * swish(a) b with a and b the halves of the last axis. Shazeer, arXiv:2002.05202, equation 6.
 *
 * @example
 * activations.swiglu(tensor([1, 2, 1, 1]))  // [0.7311, 1.762]
 */
export function swiglu(x: Tensor): Tensor {
  const [a, b] = lastParts("swiglu", x, 2) as [Tensor, Tensor]
  return mul(swish(a), b)
}
