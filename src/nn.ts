/**
 * Layers and models.
 * @module adjoint/nn
 */
import "./preset/js.ts"

export * from "./nn/index.ts"
