/**
 * Models out: a trained model as a JavaScript module that needs nothing else.
 * @module adjoint/standalone
 */
import "./preset/wasm.ts"

export type { StandaloneOptions, TrainableOptions } from "./standalone/options.ts"
export { exportStandalone } from "./standalone/standalone.ts"
