/**
 * Optimizers.
 * @module adjoint/optim
 */
import "./preset/js.ts"

export * from "./optim/index.ts"
