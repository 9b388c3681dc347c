/**
 * The checker of derivatives.
 * @module adjoint/check
 */
import "./preset/wasm.ts"
import { type CheckOptions, type CheckReport, makeCheckGrads } from "./check/check-grads.ts"
import { jit } from "./runtime/jit.ts"

export { type CheckOptions, type CheckReport, type Disagreement, GradientError, type Mode } from "./check/check-grads.ts"

/**
 * Checks the derivatives of `f` at `args`: forward mode against central differences, reverse mode against forward mode, `vmap`
 * against a loop, `jit` against running the function, and all of it again for the derivative (second order). All in f64.
 *
 * `args` and results are any trees of tensors. Throws GradientError where something differs: it names the check, the argument and
 * element, what was wanted and what came. Choose arguments away from kinks (`relu` at 0), where differences mean nothing.
 *
 * @example
 * checkGrads((w: Tensor, x: Tensor) => tanh(matmul(x, w)).sum(), [w, x])  // { checks: 42, worst: { forward: 1e-11, ... } }
 */
export const checkGrads: (f: (...args: any[]) => any, args: readonly unknown[], options?: CheckOptions) => CheckReport =
  /*@__PURE__*/ makeCheckGrads(jit as (f: (...args: any[]) => any) => (...args: any[]) => any)
