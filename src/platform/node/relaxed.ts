import { createRequire } from "node:module"

/**
 * Lets Node 20 accept relaxed SIMD (fused multiply-add), which newer versions accept by themselves.
 * The flag may be set while the program runs, as long as no module that needs it was compiled before. Node then loads its module v8
 * and all streams with it, which takes longer than compiling a small program.
 */
export function allowRelaxedSimd(): void {
  try {
    const v8: typeof import("node:v8") = createRequire(import.meta.url)("node:v8")
    v8.setFlagsFromString("--experimental-wasm-relaxed-simd")
  } catch {
    // a runtime without this flag either has relaxed SIMD or goes on without it
  }
}
