// Gradients measured by how much they change what the model says, not by how far they move the parameters.
import type { Tensor } from "../core/tensor.ts"
import { type Tree, treeMap } from "../core/tree.ts"
import { add, mul } from "../ops/arithmetic.ts"
import type { RuleStep, SlopeRule, Slopes } from "../train/rule.ts"
import { backprop } from "../train/rule.ts"
import { type ConjugateGradientOptions, conjugateGradient, type Distribution, fisherProduct, gaussNewtonProduct } from "./curvature.ts"
import { wantCount, wantPositive } from "./wants.ts"

export interface GaussNewtonOptions extends ConjugateGradientOptions {
  /** Added to the diagonal: smaller steps, more like the gradient. Default: 0.01. */
  readonly damping?: number
}
export interface NaturalGradientOptions extends GaussNewtonOptions {
  /** What the outputs are: logits of classes, or means with unit variance. Default: "categorical". */
  readonly distribution?: Distribution
}
type Product = (step: RuleStep, outputs: (params: Tree) => Tensor, v: Tree) => Tree

/**
 * Natural gradient: the gradient of the batch, solved by the Fisher information of the parameters, which is summed up exactly and used by
 * products alone, in conjugate gradients. Amari, Natural gradient works efficiently in learning (1998); Martens, arXiv:1412.1193.
 *
 *     (F + damping I) d = dE/dw,   F = E[dlog p/dw dlog p/dw^T]
 *
 * For any model; a step costs some `iterations` (default 50) backward passes. With `sgd(1)` a step is the whole of d. Signals: `weights`, as it
 * begins with the gradient. Throws TypeError for options out of range.
 *
 * @example
 * const x = random.normal(random.key(1), [64, 2])
 * const y = cast(x.matmul(tensor([1, -1])).greater(0), "i32")
 * const run = fit(dense(2, 2), { x, y }, { loss: crossEntropy, optimizer: sgd(1), epochs: 5, rule: naturalGradient() })
 * const trained = await run.result
 * trained.evaluate({ x, y }, { loss: crossEntropy }).loss < 0.1  // true
 */
export function naturalGradient({ distribution = "categorical", ...options }: NaturalGradientOptions = {}): SlopeRule {
  if (distribution !== "categorical" && distribution !== "gaussian")
    throw new TypeError(`naturalGradient: \`distribution\` must be "categorical" or "gaussian"; got ${JSON.stringify(distribution)}`)
  const product: Product = ({ params }, outputs, v) => fisherProduct(outputs, params, v, distribution)
  return solvedBy("naturalGradient", product, options, { distribution })
}

/**
 * Gauss-Newton: the gradient of the batch, solved by the Gauss-Newton matrix of its loss; see `naturalGradient`, which for cross-entropy is
 * the same. Schraudolph, Fast curvature matrix-vector products for second-order gradient descent (2002).
 *
 *     (J^T H J + damping I) d = dE/dw,   J: Jacobian of the outputs, H: Hessian of the loss by them
 *
 * For any model, at the price of `naturalGradient`. Signals: `weights`, as it begins with the gradient. Throws TypeError for options out of range.
 *
 * @example
 * const x = random.normal(random.key(1), [64, 3])
 * const y = x.matmul(tensor([[1], [-2], [3]]))
 * const run = fit(dense(3, 1), { x, y }, { loss: squaredError, optimizer: sgd(1), epochs: 10, rule: gaussNewton() })
 * const trained = await run.result
 * trained.evaluate({ x, y }, { loss: squaredError }).loss < 1e-6  // true
 */
export const gaussNewton = (options: GaussNewtonOptions = {}): SlopeRule =>
  solvedBy("gaussNewton", ({ params, loss, y }, outputs, v) => gaussNewtonProduct(outputs, z => loss(z, y), params, v), options, {})

function solvedBy(
  kind: string,
  product: Product,
  { damping = 0.01, iterations = 50, tolerance = 1e-4 }: GaussNewtonOptions,
  more: Readonly<Record<string, string>>,
): SlopeRule {
  wantPositive(kind, "damping", damping)
  wantCount(kind, "iterations", iterations)
  wantPositive(kind, "tolerance", tolerance)
  return {
    config: { kind, damping, iterations, tolerance, ...more },
    signals: ["weights"],
    slopes(step): Slopes {
      const { params, ...found } = backprop().slopes(step)
      const outputs = (p: Tree): Tensor => step.model.apply(p, step.state, step.x, { key: step.key, training: true })[0]
      const damped = (v: Tree): Tree => treeMap((a: Tensor, b: Tensor) => add(a, mul(b, damping)), product(step, outputs, v), v)
      return { ...found, params: conjugateGradient(damped, params, { iterations, tolerance }) }
    },
  }
}
