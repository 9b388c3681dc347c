// What `adjoint` and `adjoint/js` have in common: the language.
import { makeCheckGrads } from "./check/check-grads.ts"
import type { CheckOptions, CheckReport } from "./check/report.ts"
import { jit } from "./runtime/jit.ts"

export { type CheckOptions, type CheckReport, type Disagreement, GradientError, type Mode } from "./check/report.ts"
export { composite } from "./control/call.ts"
export { type CheckpointOptions, type CheckpointPolicy, checkpoint } from "./control/checkpoint.ts"
export { cond } from "./control/cond.ts"
export { customJvp, customVjp } from "./control/custom.ts"
export { fixedPoint, root, type SolverOptions } from "./control/implicit.ts"
export { type ScanOptions, scan, whileLoop } from "./control/scan.ts"
export { type Nested, type TensorOptions, tensor } from "./core/concrete.ts"
export type { Dtype, TypedArray } from "./core/dtype.ts"
export { DonatedTensorError, DtypeError, LeakedTracerError, ShapeError, TracedReadError } from "./core/errors.ts"
export { scope, Tensor } from "./core/tensor.ts"
export { type Tree, treeMap } from "./core/tree.ts"
export * from "./ops/index.ts"
export type { Methods } from "./ops/methods.ts"
export { type JitOptions, jit } from "./runtime/jit.ts"
export { type GradOptions, grad, jvp, linearize, valueAndGrad, vjp } from "./transforms/grad.ts"
export { hessian, hvp, jacfwd, jacrev } from "./transforms/jacobian.ts"
export { type VmapOptions, vmap } from "./transforms/vmap.ts"

/**
 * Checks the derivatives of `f` at `args`: forward mode against central differences, reverse mode against forward mode, `vmap`
 * against a loop, `jit` against running the function, and all of it again for the derivative (second order). All in f64.
 *
 * `args` and results are any trees of tensors. Throws GradientError where something differs: it names the check, the argument and
 * element, what was wanted and what came. Choose arguments away from kinks (`relu` at 0), where differences mean nothing.
 *
 * @example
 * const [w, x] = [tensor([[1], [2]]), tensor([[0.1, 0.2]])]
 * checkGrads((w: Tensor, x: Tensor) => tanh(matmul(x, w)).sum(), [w, x])  // { checks: 21, ... }
 */
export const checkGrads: (f: (...args: any[]) => any, args: readonly unknown[], options?: CheckOptions) => CheckReport =
  /*@__PURE__*/ makeCheckGrads(jit as (f: (...args: any[]) => any) => (...args: any[]) => any)
