/**
 * Losses.
 * @module adjoint/losses
 */
import "./preset/js.ts"

export * from "./losses/index.ts"
