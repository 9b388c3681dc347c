/**
 * adjoint: error backpropagation for TypeScript.
 * @module adjoint
 */
export * from "./language.ts"
export { configure, type EngineOptions } from "./preset/wasm.ts"
export { WorkerLostError } from "./runtime/threads.ts"
