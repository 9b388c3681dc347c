// Layers that learn alone, by how far what they give depends on inputs and targets.
import type { Tensor } from "../core/tensor.ts"
import type { Params } from "../nn/index.ts"
import { div, exp, mul, neg, sqrt, sub } from "../ops/arithmetic.ts"
import { mean, sum } from "../ops/reduction.ts"
import { matmul, transpose } from "../ops/shape.ts"
import type { SlopeRule } from "../train/rule.ts"
import { grad } from "../transforms/grad.ts"
import { assembled, flat, forward, numbersOf } from "./blocks.ts"
import { wantPositive } from "./wants.ts"

export interface HsicBottleneckOptions {
  /** How much more dependence on the targets counts than dependence on the inputs. Default: 100. */
  readonly beta?: number
  /** Width of the Gaussian kernels, in units of the root of the number of dimensions. Default: 5. */
  readonly sigma?: number
}

/**
 * Gaussian kernel between the rows of x [m, d]: [m, m], k_ij = exp(-|x_i - x_j|^2 / (2 sigma^2 d)).
 *
 * @example
 * gaussianKernel(tensor([[0], [1]]), 1)  // [[1, 0.6065], [0.6065, 1]]
 */
export function gaussianKernel(x: Tensor, sigma: number): Tensor {
  const squares = sum(x.square(), { axis: 1, keepdims: true })
  const distances = sub(squares.add(transpose(squares)), mul(matmul(x, transpose(x)), 2))
  return exp(neg(div(distances, 2 * sigma * sigma * x.shape[1]!)))
}
/**
 * Hilbert-Schmidt independence criterion of two kernels [m, m] of the same m examples: tr(K H L H) / (m - 1)^2 with H = I - 1/m. It is 0
 * for independent variables and for a single example, and grows with any kind of dependence. Gretton et al., Measuring statistical
 * dependence with Hilbert-Schmidt norms (2005).
 *
 * @example
 * const k = gaussianKernel(tensor([[0], [1]]), 1)
 * hsic(k, k)  // 0.1548
 */
export function hsic(k: Tensor, l: Tensor): Tensor {
  const m = k.shape[0]!
  // tr(K H L H) = tr(H K H H L H), a sum over elements; of the two it is the one that rounding cannot make negative where k is l
  return div(sum(mul(centered(k), centered(l))), Math.max(1, m - 1) ** 2)
}
const centered = (k: Tensor): Tensor =>
  sub(sub(k, mean(k, { axis: 0, keepdims: true })), sub(mean(k, { axis: 1, keepdims: true }), mean(k)))

/**
 * The HSIC bottleneck: each hidden layer descends on an objective of its own, to say little of the inputs and much of the targets; the last
 * layer descends on the loss. Nothing comes back from any layer. Ma, Lewis and Kleijn, The HSIC bottleneck: deep learning without
 * back-propagation (2019), arXiv:1908.01580.
 *
 *     layer l descends on nHSIC(Z_l, X) - beta nHSIC(Z_l, Y),  Z_l = f_l(Z_(l-1)), with Z_(l-1) fixed
 *     nHSIC(A, B) = HSIC(A, B) / sqrt(HSIC(A, A) HSIC(B, B))
 *
 * over the batch, with Gaussian kernels (`gaussianKernel`, `hsic`); classes are one-hot. This normalization is that of a correlation, where the
 * paper's takes the inverses of kernels. Time and memory grow with the square of the batch.
 * Signals: none. Throws TypeError for models that cannot be taken apart (see `feedbackAlignment`) and for options out of range.
 *
 * @example
 * const model = sequential(dense(2, 8), logistic(), dense(8, 1))
 * const data = { x: random.normal(random.key(1), [64, 2]), y: ones([64, 1]) }
 * const run = fit(model, data, { loss: squaredError, optimizer: adam(0.01), epochs: 20, rule: hsicBottleneck() })
 * const trained = await run.result
 * trained.evaluate(data, { loss: squaredError }).loss < 0.1  // true
 */
export function hsicBottleneck({ beta = 100, sigma = 5 }: HsicBottleneckOptions = {}): SlopeRule {
  wantPositive("hsicBottleneck", "beta", beta)
  wantPositive("hsicBottleneck", "sigma", sigma)
  return {
    config: { kind: "hsicBottleneck", beta, sigma },
    signals: [],
    slopes(step) {
      const { turns, top, loss, slope } = forward("hsicBottleneck", step)
      const kernelOf = (x: Tensor): Tensor => gaussianKernel(flat(x), sigma)
      const [kx, ky] = [kernelOf(turns[0]!.h), kernelOf(numbersOf(step.y, top.out))]
      const [xx, yy] = [hsic(kx, kx), hsic(ky, ky)]
      const slopes = turns.map((t): Params => {
        if (t === top) return t.toParams(t.toSum(slope))
        const objective = (z: Tensor): Tensor => {
          const k = kernelOf(z)
          const own = hsic(k, k)
          // the smallest number keeps equal outputs, whose kernel is constant, from giving 0 / 0
          const normalized = (l: Tensor, ll: Tensor): Tensor => div(hsic(k, l), sqrt(own.mul(ll).add(TINY)))
          return sub(normalized(kx, xx), mul(normalized(ky, yy), beta))
        }
        return t.toParams(t.toSum(grad(objective)(t.out)))
      })
      return { loss, state: step.state, params: assembled(step.model, turns, slopes) }
    },
  }
}
const TINY = 1e-20
