// What adjoint/nn offers and adjoint itself does not.
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { lift, type Operand } from "./align.ts"

/** x tanh(log(1 + exp(x))). Misra, arXiv:1908.08681. @example activations.mish(tensor([-1, 2]))  // [-0.3034, 1.944] */
export const mish = (x: Operand): Tensor => p.mish(lift("mish", x))
