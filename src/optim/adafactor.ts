import type { Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../core/tree.ts"
import { add, cast, div, maximum, minimum, mul, pow, sqrt, square, sub } from "../ops/arithmetic.ts"
import { zeros, zerosLike } from "../ops/create.ts"
import { mean } from "../ops/reduction.ts"
import { type Optimizer, optimizer, settings } from "./optimizer.ts"
import {
  type LearningRate,
  map,
  noSteps,
  rateAt,
  scaleByLearningRate,
  type Transformation,
  wantNumber,
  wantPositive,
  withoutDenormals,
} from "./transformation.ts"

/** What is known of the squares of one gradient: means over its rows and columns, or all of them. */
type Squares = { readonly rows: Tensor; readonly columns: Tensor } | { readonly all: Tensor }
const EPSILON = { f32: 2 ** -23, f64: 2 ** -52 } as const

const without = (p: Tensor, axis: number): Tensor => zeros(p.shape.with(axis, 1), { dtype: p.dtype })
const noSquares = (p: Tensor): Squares => (p.ndim < 2 ? { all: zerosLike(p) } : { rows: without(p, -1), columns: without(p, -2) })

/**
 * Division by the root of a mean square of which only the means over rows and columns are kept: with the decay d = 1 - t^beta2Decay,
 * r <- d r + (1 - d) mean of g^2 over the last axis, c the same over the last but one, and the updates become
 * g / sqrt(r c / mean(r)). Gradients with fewer than two axes keep all squares.
 *
 * State: `{ step, squares }`; of a parameter [m, n] it holds m + n numbers. Shazeer and Stern, arXiv:1804.04235, algorithm 4.
 *
 * @example
 * const w = tensor([[1, -2], [3, 4]])
 * const part = scaleByFactoredRms()
 * const [updates] = part.update(tensor([[0.5, 0.1], [0.2, -0.3]]), part.init(w), w)  // [[1.137, 0.3873], [0.6433, -1.643]]
 */
export function scaleByFactoredRms({ beta2Decay = -0.8 }: { readonly beta2Decay?: number } = {}): Transformation {
  wantNumber("beta2Decay", beta2Decay, "a number < 0", x => x < 0)
  return {
    init: params => ({ step: noSteps(), squares: leaves(params as Tree).map(noSquares) as unknown as Tree }),
    update(updates, state) {
      const before = state as unknown as { step: Tensor; squares: readonly Squares[] }
      const step = add(before.step, 1)
      const share = pow(cast(step, "f64"), beta2Decay)
      const toward = (old: Tensor, now: Tensor): Tensor => withoutDenormals(add(old, mul(sub(now, old), cast(share, now.dtype))))
      const gs = leaves(updates as Tree)
      const squares = gs.map((g, i): Squares => {
        const [s, old] = [square(g), before.squares[i]!]
        if ("all" in old) return { all: toward(old.all, s) }
        return {
          rows: toward(old.rows, mean(s, { axis: -1, keepdims: true })),
          columns: toward(old.columns, mean(s, { axis: -2, keepdims: true })),
        }
      })
      const scaled = gs.map((g, i) => {
        const [s, eps] = [squares[i]!, EPSILON[g.dtype as "f32" | "f64"]]
        const v = "all" in s ? s.all : div(mul(s.rows, s.columns), maximum(mean(s.rows, { axis: -2, keepdims: true }), eps))
        return div(g, sqrt(maximum(v, eps * eps)))
      })
      return [rebuild(updates as Tree, scaled), { step, squares: squares as unknown as Tree }]
    },
  }
}

const rms = (x: Tensor): Tensor => sqrt(mean(square(x)))

export interface AdafactorOptions {
  /** At step t the average of squares keeps 1 - t^beta2Decay. Default: -0.8. */
  readonly beta2Decay?: number
  /** The smallest size of a parameter that steps are measured by. Default: 1e-3. */
  readonly eps?: number
  /** The largest root mean square of a direction. Default: 1. */
  readonly clip?: number
}

/**
 * Adafactor: adaptive steps in little memory (see `scaleByFactoredRms`), as large as a share of the parameters:
 * w <- w - max(eps, rms(w)) min(rate, 1 / sqrt(t)) u / max(1, rms(u) / clip), tensor by tensor, as in PyTorch.
 *
 * Throws TypeError for settings out of range. Shazeer and Stern, arXiv:1804.04235, algorithms 4 and 5.
 *
 * @example
 * const w = tensor([[1, -2], [3, 4]])
 * const rule = adafactor(0.1)
 * const [next] = rule.update(tensor([[0.5, 0.1], [0.2, -0.3]]), rule.init(w), w)  // [[0.7082, -2.099], [2.835, 4.422]]
 */
export function adafactor(
  learningRate: LearningRate = 1e-2,
  { beta2Decay = -0.8, eps = 1e-3, clip = 1 }: AdafactorOptions = {},
): Optimizer {
  wantPositive("adafactor: eps", eps)
  wantPositive("adafactor: clip", clip)
  const size: Transformation = {
    init: () => ({}),
    update(updates, state, params) {
      const scaled = (u: Tensor, w: Tensor): Tensor => mul(u, div(maximum(rms(w), eps), maximum(div(rms(u), clip), 1)))
      return [map(scaled, updates, params), state]
    },
  }
  const rate = rateAt(learningRate)
  const limited = (step: Tensor): Tensor => minimum(rate(step), div(1, sqrt(add(cast(step, "f64"), 1))))
  const config = settings("adafactor", learningRate, { beta2Decay, eps, clip })
  return optimizer(config, scaleByFactoredRms({ beta2Decay }), size, scaleByLearningRate(limited))
}
