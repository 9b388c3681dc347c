// The default engine's emitter: kernels as WebAssembly with 128-bit vectors, and a program as a function that calls them.
import type { FloatType } from "../../ir/expr.ts"
import { type Kernel, storesOf } from "../kernel.ts"
import { align, type Plan, type Step } from "../plan.ts"
import { type Deal, type Dealt, dealOf } from "./deal.ts"
import { addGemm, importLibrary, type Library } from "./gemm.ts"
import { matchProduct, writeProduct } from "./gemm-kernel.ts"
import type { Gemm } from "./gemm-match.ts"
import { control, forkParams, pieceParams } from "./threads.ts"
import { type Code, type ModuleImports, type ValueType, WasmModule } from "./wasm-bytes.ts"
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
  /** Whether the memory is shared between threads. */
  readonly shared?: boolean
  /** How a kernel's turns are dealt out, and the place of its pieces in the table of functions; without it none are. */
  dealt?(kernel: Kernel): Dealt | undefined
}

const params = (kernel: Kernel): ValueType[] => Array(storesOf(kernel).length + kernel.loads.length + 2).fill("i32")

/**
 * A module with a function for each of `kernels`, exported by its name: `(out, out1, ..., r0, r1, ..., scratch, packed) => void`, all
 * addresses in bytes, `packed` that of a product's packed operand or 0; of a kernel that is dealt out `(from, to, scratch) => void`, and
 * the other addresses are in the frame (`threads.ts`); and, for a program, the function `run(arena, table) => void`, where the table in memory has the addresses of
 * arguments and results. It imports the memory "env.memory" and, from "lib", exports of the library and kernels made before.
 */
export function emitWasm(
  kernels: ReadonlyMap<string, Kernel>,
  program?: Program,
  { blas = () => false, shared = false, dealt = () => undefined }: ModuleOptions = {},
): Uint8Array<ArrayBuffer> {
  const module = new WasmModule({ shared })
  const products = new Map([...kernels].map(([name, k]) => [name, matchProduct(k)]))
  const known = program ? kernelsOf(program.plan).map(k => [program.nameOf(k), k] as const) : []
  const gemms = [...kernels.values(), ...known.map(([, k]) => k)].flatMap(k => matchProduct(k)?.gemm ?? [])
  const library = new Map<FloatType, Library>()
  for (const t of new Set(gemms.map(g => g.t))) {
    const ofType = gemms.filter(g => g.t === t)
    library.set(t, importLibrary(module, t, ofType, blas))
  }
  const functions = new Map<string, number>()
  for (const [name, k] of known) if (!kernels.has(name) && !dealt(k)) functions.set(name, module.import(name, params(k)))
  const fork = known.some(([, k]) => dealt(k)) ? module.import("fork", forkParams) : -1
  for (const [name, kernel] of kernels) {
    const { deal } = dealt(kernel) ?? {}
    if (deal) {
      module.function(name, pieceParams, code => writePieces(deal, t => library.get(t)!, code))
      continue
    }
    const all = params(kernel).map((_, i) => i)
    const places = { outs: all.slice(0, storesOf(kernel).length), operands: all.slice(storesOf(kernel).length, -2) }
    const product = products.get(name)
    const index = module.function(name, params(kernel), code => {
      if (product) writeProduct(product, places, { scratch: all.at(-2)!, packed: all.at(-1)!, library: library.get(product.gemm.t)!, code })
      else writeKernel(kernel, places, code)
    })
    functions.set(name, index)
  }
  if (program)
    module.function("run", ["i32", "i32"], code =>
      writeProgram(program.plan, { kernel: k => functions.get(program.nameOf(k))!, library: t => library.get(t)!, dealt, fork }, code),
    )
  return module.bytes()
}

/** Some turns of a kernel whose arguments are in the frame. */
function writePieces({ kernel, product }: Deal, library: (t: FloatType) => Library, code: Code): void {
  const [range, scratch] = [{ from: 0, to: 1 }, 2]
  const all = params(kernel)
    .slice(1)
    .map((_, i) => {
      const local = code.local("i32")
      code
        .i32(0)
        .memory("i32.load", control.frame + 4 * i)
        .set(local)
      return local
    })
  const stores = storesOf(kernel).length
  const places = { outs: all.slice(0, stores), operands: all.slice(stores, -1) }
  if (product) writeProduct(product, places, { scratch, packed: all.at(-1)!, library: library(product.gemm.t), code, range })
  else writeKernel(kernel, places, code, range)
}

/** All kernels of a program, those of its loops included. */
export const kernelsOf = (plan: Plan): Kernel[] => plan.steps.flatMap(s => (s.k === "kernel" ? [s.kernel] : kernelsOf(s.body)))

/** The functions that kernels call, for one instance per thread. */
export function emitLibrary(options: WasmOptions & ModuleImports): Uint8Array<ArrayBuffer> {
  const module = new WasmModule(options)
  for (const t of ["f32", "f64"] as const) addGemm(module, t, options.relaxed)
  return module.bytes()
}

/** Bytes of memory, aligned to 16, that the kernel wants as scratch memory. */
export const scratchBytes = (kernel: Kernel): number => {
  const product = matchProduct(kernel)
  return product ? align(product.scratch) + (dealOf(kernel, () => false)?.packed ?? 0) : 0
}
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
