import { show } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { add, div, mul, sqrt, square } from "../ops/arithmetic.ts"
import { sum } from "../ops/reduction.ts"
import { matmul, transpose } from "../ops/shape.ts"
import { adamw } from "./adam.ts"
import { groups, type Mask } from "./mask.ts"
import { decayed, type Optimizer, optimizer, settings } from "./optimizer.ts"
import { trace } from "./sgd.ts"
import { type LearningRate, map, scaleByLearningRate, type Transformation, wantCount } from "./transformation.ts"

/**
 * The nearest matrix with orthonormal rows or columns, roughly: singular values go to about 0.7 to 1.2, singular vectors stay.
 * `steps` times X <- a X + (b X Xᵀ + c (X Xᵀ)²) X, starting from x / |x|; the coefficients grow small singular values fastest.
 */
function newtonSchulz(x: Tensor, steps: number): Tensor {
  const [rows, columns] = x.shape as [number, number]
  // the products X Xᵀ are the smaller ones
  if (rows > columns) return transpose(newtonSchulz(transpose(x), steps))
  const [a, b, c] = [3.4445, -4.775, 2.0315]
  let y = div(x, add(sqrt(sum(square(x))), 1e-7))
  for (let i = 0; i < steps; i++) {
    const gram = matmul(y, transpose(y))
    const factor = add(mul(gram, b), mul(matmul(gram, gram), c))
    y = add(mul(y, a), matmul(factor, y))
  }
  return y
}

/**
 * Updates with all singular values near 1, by Newton-Schulz iterations; those of a parameter [in, out] are multiplied by
 * sqrt(max(1, out / in)), so that outputs of all layers change alike.
 *
 * No state. Throws TypeError for parameters that are not matrices. Jordan et al., Muon: an optimizer for hidden layers (2024).
 *
 * @example
 * const w = zeros([2, 2])
 * const part = orthogonalize()
 * const [updates] = part.update(tensor([[3, 0], [0, 0.1]]), part.init(w), w)  // [[0.697, 0], [0, 1.129]]
 */
export function orthogonalize({ steps = 5 }: { readonly steps?: number } = {}): Transformation {
  wantCount("orthogonalize: steps", steps)
  const orthogonal = (x: Tensor): Tensor => {
    if (x.ndim !== 2) throw new TypeError(`orthogonalize: wants matrices; got ${show(x.aval)}. Leave others out with masked(...)`)
    const [inputs, outputs] = x.shape as [number, number]
    return mul(newtonSchulz(x, steps), Math.sqrt(Math.max(1, outputs / inputs)))
  }
  return { init: () => ({}), update: (updates, state) => [map(orthogonal, updates), state] }
}

export interface MuonOptions {
  /** How much of the velocity stays. Default: 0.95. */
  readonly momentum?: number
  /** Nesterov's momentum. Default: true. */
  readonly nesterov?: boolean
  /** Iterations of Newton and Schulz. Default: 5. */
  readonly steps?: number
  /** Each step takes rate * weightDecay * w from the matrices. Default: 0. */
  readonly weightDecay?: number
  /** The matrices [in, out] to orthogonalize. Embeddings and the last layer are better left out. Default: all parameters with two axes. */
  readonly match?: Mask
  /** For the other parameters. Default: `adamw(3e-4, { b1: 0.9, b2: 0.95, eps: 1e-10, weightDecay: 0 })`. */
  readonly others?: Optimizer
}

/**
 * Muon: momentum whose matrices are orthogonalized (see `orthogonalize`), w <- w - rate sqrt(max(1, out / in)) O; AdamW for the other
 * parameters. The learning rate is that of the matrices and means how far outputs of a layer move.
 *
 * State: that of `groups`. Throws TypeError for settings out of range. Jordan et al., Muon: an optimizer for hidden layers in neural
 * networks (2024). Weights of PyTorch are [out, in], so its out / in is rows / columns.
 *
 * @example
 * const optimizer = muon(0.02, { match: /^layers\.[2-9]\.w$/ })
 */
export function muon(
  learningRate: LearningRate = 0.02,
  { momentum = 0.95, nesterov = true, steps = 5, weightDecay = 0, match = (_, p) => p.ndim === 2, others = auxiliary() }: MuonOptions = {},
): Optimizer {
  const config = settings("muon", learningRate, { momentum, nesterov, steps, weightDecay })
  const direction = [trace(momentum, { nesterov }), orthogonalize({ steps }), ...decayed(weightDecay)]
  const matrices = optimizer(config, ...direction, scaleByLearningRate(learningRate))
  return { ...groups([{ match, optimizer: matrices }, { optimizer: others }]), config: { ...config, others: others.config } }
}
const auxiliary = (): Optimizer => adamw(3e-4, { b2: 0.95, eps: 1e-10, weightDecay: 0 })
