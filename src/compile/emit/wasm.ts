// The default engine's emitter: kernels as WebAssembly with 128-bit vectors, and a program as a function that calls them.
import type { FloatType } from "../../ir/expr.ts"
import { type Kernel, storesOf } from "../kernel.ts"
import type { Plan, Step } from "../plan.ts"
import { addGemm, importLibrary, type Library } from "./gemm.ts"
import { matchProduct, writeProduct } from "./gemm-kernel.ts"
import type { Gemm } from "./gemm-match.ts"
import { type ValueType, WasmModule } from "./wasm-bytes.ts"
import { Facts, outputLanes, reduceLanes } from "./wasm-facts.ts"
import { writeKernel } from "./wasm-kernel.ts"
import { loopBytes, writeProgram } from "./wasm-program.ts"

export interface WasmOptions {
  /** Whether matrix products use relaxed_madd: faster, but rounded as the machine likes. */
  readonly relaxed: boolean
}

/** A program and the name under which the environment has each of its kernels, or will have it. */
export interface Program {
  readonly plan: Plan
  nameOf(kernel: Kernel): string
}

export interface ModuleOptions {
  /** Whether a BLAS is asked for a product; without it none is. */
  blas?(gemm: Gemm): boolean
}

const params = (kernel: Kernel): ValueType[] => Array(storesOf(kernel).length + kernel.loads.length + 2).fill("i32")

/**
 * A module with a function for each of `kernels`, exported by its name: `(out, out1, ..., r0, r1, ..., scratch, packed) => void`, all
 * addresses in bytes, `packed` that of a product's packed operand or 0; and, for a program, the function `run(arena, table) => void`, where the table in memory has the addresses of
 * arguments and results. It imports the memory "env.memory" and, from "lib", exports of the library and kernels made before.
 */
export function emitWasm(
  kernels: ReadonlyMap<string, Kernel>,
  program?: Program,
  { blas = () => false }: ModuleOptions = {},
): Uint8Array<ArrayBuffer> {
  const module = new WasmModule()
  const products = new Map([...kernels].map(([name, k]) => [name, matchProduct(k)]))
  const known = program ? kernelsOf(program.plan).map(k => [program.nameOf(k), k] as const) : []
  const gemms = [...kernels.values(), ...known.map(([, k]) => k)].flatMap(k => matchProduct(k)?.gemm ?? [])
  const library = new Map<FloatType, Library>()
  for (const t of new Set(gemms.map(g => g.t))) {
    const ofType = gemms.filter(g => g.t === t)
    library.set(t, importLibrary(module, t, ofType, blas))
  }
  const functions = new Map<string, number>()
  for (const [name, k] of known) if (!kernels.has(name)) functions.set(name, module.import(name, params(k)))
  for (const [name, kernel] of kernels) {
    const all = params(kernel).map((_, i) => i)
    const places = { outs: all.slice(0, storesOf(kernel).length), operands: all.slice(storesOf(kernel).length, -2) }
    const product = products.get(name)
    const index = module.function(name, params(kernel), code => {
      if (product) writeProduct(product, places, all.at(-2)!, all.at(-1)!, library.get(product.gemm.t)!, code)
      else writeKernel(kernel, places, code)
    })
    functions.set(name, index)
  }
  if (program)
    module.function("run", ["i32", "i32"], code =>
      writeProgram(program.plan, { kernel: k => functions.get(program.nameOf(k))!, library: t => library.get(t)! }, code),
    )
  return module.bytes()
}

/** All kernels of a program, those of its loops included. */
export const kernelsOf = (plan: Plan): Kernel[] => plan.steps.flatMap(s => (s.k === "kernel" ? [s.kernel] : kernelsOf(s.body)))

/** The functions that kernels call, for one instance per process. */
export function emitLibrary(options: WasmOptions): Uint8Array<ArrayBuffer> {
  const module = new WasmModule()
  for (const t of ["f32", "f64"] as const) addGemm(module, t, options.relaxed)
  return module.bytes()
}

/** Bytes of memory, aligned to 16, that the kernel wants as scratch memory. */
export const scratchBytes = (kernel: Kernel): number => matchProduct(kernel)?.scratch ?? 0
/** The same for a step of a program. */
export const stepBytes = (s: Step): number => (s.k === "kernel" ? scratchBytes(s.kernel) : loopBytes(s))

/** "vector": neighbours of the output side by side; "reduce": neighbours along a reduction; "gemm": calls the library. */
export type KernelKind = "gemm" | "vector" | "reduce" | "scalar"
export function kernelKind(kernel: Kernel): KernelKind {
  if (matchProduct(kernel)) return "gemm"
  const facts = new Facts(kernel)
  if (outputLanes(kernel, facts)) return "vector"
  return storesOf(kernel).some(s => facts.reductions(facts.of(s.body)).some(r => reduceLanes(r, facts))) ? "reduce" : "scalar"
}

declare const WebAssembly: { validate(bytes: Uint8Array<ArrayBuffer>): boolean }
/** Whether this runtime accepts the instructions that the option `relaxed` uses. */
export function relaxedSupported(): boolean {
  const module = new WasmModule()
  module.function(undefined, ["v128"], code => code.get(0, 0, 0).op("f32x4.relaxed_madd").set(0))
  return WebAssembly.validate(module.bytes())
}
