/**
 * The small preset: the same language on the JavaScript emitter alone, for pages that need a gradient and few bytes.
 * @module adjoint/js
 */
import "./preset/js.ts"

export * from "./language.ts"
