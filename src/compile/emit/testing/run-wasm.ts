// Runs kernels as WebAssembly, each on memory of its own.
import { setFlagsFromString } from "node:v8"
import type { Kernel } from "../../kernel.ts"
import { emitLibrary, emitWasm, scratchBytes, type WasmOptions } from "../wasm.ts"
import type { Operand } from "./interpret.ts"

setFlagsFromString("--experimental-wasm-relaxed-simd") // Node 20 has it behind a flag

declare const WebAssembly: any
const page = 65536
const canary = 0xa5

/** Addresses of the outputs, the operands and the scratch memory, and a function that runs kernel number `i` on them. */
export interface Placed {
  readonly bytes: ArrayBuffer
  readonly addresses: readonly number[]
  run(i?: number): void
}

export function place(
  kernels: readonly Kernel[],
  out: Operand | readonly Operand[],
  operands: readonly Operand[],
  options: WasmOptions,
): Placed {
  const scratch = new Uint8Array(Math.max(...kernels.map(scratchBytes))).fill(canary)
  const areas = [out, operands, scratch].flat() as Operand[]
  let end = 16
  const addresses = areas.map(x => {
    const start = end
    end = Math.ceil((start + x.byteLength) / 16) * 16 + 16
    return start
  })
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / page), maximum: page })
  const bytes = new Uint8Array(memory.buffer)
  bytes.fill(canary)
  areas.forEach((x, i) => {
    bytes.set(new Uint8Array(x.buffer, x.byteOffset, x.byteLength), addresses[i]!)
  })
  const instance = (code: Uint8Array, lib: object) => new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory }, lib })
  const library = instance(emitLibrary(options), {}).exports
  const { exports } = instance(emitWasm(new Map(kernels.map((k, i) => [`k${i}`, k]))), library)
  return { bytes: memory.buffer, addresses, run: (i = 0) => exports[`k${i}`](...addresses) }
}

/** The outputs after one run. Throws where anything else but them and the scratch memory has changed. */
export function runWasmAll(
  kernel: Kernel,
  operands: readonly Operand[],
  outs: readonly Operand[],
  options: WasmOptions = { relaxed: false },
): Operand[] {
  const { bytes, addresses, run } = place([kernel], outs, operands, options)
  const scratch = addresses.at(-1)!
  const untouched = (): Uint8Array => {
    const rest = new Uint8Array(bytes.slice(0))
    outs.forEach((out, i) => {
      rest.fill(0, addresses[i], addresses[i]! + out.byteLength)
    })
    return rest.fill(0, scratch, scratch + scratchBytes(kernel))
  }
  const before = untouched()
  run()
  if (Buffer.compare(before, untouched()) !== 0) throw new Error("the kernel has written outside of its outputs")
  return outs.map((out, i) => new (out.constructor as any)(bytes.slice(addresses[i], addresses[i]! + out.byteLength)))
}
/** The same for a kernel of one output. */
export const runWasm = (kernel: Kernel, operands: readonly Operand[], out: Operand, options?: WasmOptions): Operand =>
  runWasmAll(kernel, operands, [out], options)[0]!
