// The default engine's emitter: kernels as WebAssembly with 128-bit vectors.
import type { FloatType } from "../../ir/expr.ts"
import type { Kernel } from "../kernel.ts"
import { addGemm, gemmScratch, importGemm } from "./gemm.ts"
import { writeGemmKernel } from "./gemm-kernel.ts"
import { matchGemm } from "./gemm-match.ts"
import { type ValueType, WasmModule } from "./wasm-bytes.ts"
import { Facts, outputLanes, reduceLanes } from "./wasm-facts.ts"
import { writeKernel } from "./wasm-kernel.ts"

export interface WasmOptions {
  /** Whether matrix products use relaxed_madd: faster, but rounded as the machine likes. */
  readonly relaxed: boolean
}

/**
 * A module with a function per kernel, exported as k0, k1, ...: `(out, r0, r1, ..., scratch) => void`, all addresses in bytes.
 * It imports the memory "env.memory" and, from "lib", exports of the library that its kernels call. Only the library differs
 * between plain and relaxed so far.
 */
export function emitWasm(kernels: readonly Kernel[], _options: WasmOptions): Uint8Array<ArrayBuffer> {
  const module = new WasmModule()
  const products = kernels.map(matchGemm)
  const library = new Map<FloatType, number>()
  for (const p of products) if (p) library.set(p.t, importGemm(module, p.t))
  kernels.forEach((kernel, i) => {
    const params: ValueType[] = Array(kernel.loads.length + 2).fill("i32")
    const product = products[i]
    module.function(`k${i}`, params, code => {
      if (product) writeGemmKernel(product, params.length, library.get(product.t)!, code)
      else writeKernel(kernel, code)
    })
  })
  return module.bytes()
}

/** The functions that kernels call, for one instance per process. */
export function emitLibrary(options: WasmOptions): Uint8Array<ArrayBuffer> {
  const module = new WasmModule()
  for (const t of ["f32", "f64"] as const) addGemm(module, t, options.relaxed)
  return module.bytes()
}

/** Bytes of memory, aligned to 16, that the kernel wants at its last argument. */
export function scratchBytes(kernel: Kernel): number {
  const product = matchGemm(kernel)
  return product ? gemmScratch(product) : 0
}

/** "vector": neighbours of the output side by side; "reduce": neighbours along a reduction; "gemm": calls the library. */
export type KernelKind = "gemm" | "vector" | "reduce" | "scalar"
export function kernelKind(kernel: Kernel): KernelKind {
  if (matchGemm(kernel)) return "gemm"
  const facts = new Facts(kernel)
  if (outputLanes(kernel, facts)) return "vector"
  return facts.reductions(kernel.body).some(r => reduceLanes(r, facts)) ? "reduce" : "scalar"
}

declare const WebAssembly: { validate(bytes: Uint8Array<ArrayBuffer>): boolean }
/** Whether this runtime accepts the instructions that the option `relaxed` uses. */
export function relaxedSupported(): boolean {
  return WebAssembly.validate(emitLibrary({ relaxed: true }))
}
