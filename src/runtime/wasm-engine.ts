import { emitLibrary, emitWasm, kernelsOf, scratchBytes } from "../compile/emit/wasm.ts"
import { tableOf } from "../compile/emit/wasm-program.ts"
import { type Kernel, keyOf } from "../compile/kernel.ts"
import type { Lowered } from "../compile/passes.ts"
import { type Plan, plan } from "../compile/plan.ts"
import { Host, type Storage } from "../core/concrete.ts"
import { allocate } from "../core/dtype.ts"
import type { Engine, Run } from "./engine.ts"
import { type Heap, Resident } from "./heap.ts"

/** Kernels as WebAssembly SIMD on one memory, and each program as a function that calls them. */
export class WasmEngine implements Engine {
  private readonly heap: Heap
  private readonly relaxed: () => boolean
  // kernels are cached by code, for all programs
  private readonly names = new Map<string, string>()
  /** All kernels by name, and the library's functions once a program calls one. */
  private readonly functions: WebAssembly.Exports = {}
  private arena = { at: 0, bytes: 0 }

  /** `relaxed`: fused multiply-add where the processor has it; faster, but the last bit differs between processors. */
  constructor(heap: Heap, { relaxed }: { readonly relaxed: () => boolean }) {
    this.heap = heap
    this.relaxed = relaxed
  }
  get name(): string {
    return this.relaxed() ? "wasm-relaxed" : "wasm"
  }

  compile(program: Lowered, donated: readonly number[]): Run {
    const p = plan(program, donated, scratchBytes)
    return new WasmProgram(this.heap, p, this.load(p), bytes => this.reserve(bytes)).run
  }

  /** The program's function; kernels not met before are compiled with it. */
  private load(plan: Plan): Code {
    const named = new Map<Kernel, string>()
    const fresh = new Map<string, Kernel>()
    for (const kernel of kernelsOf(plan)) {
      const key = keyOf(kernel)
      let name = this.names.get(key)
      if (name === undefined) {
        this.names.set(key, (name = `k${this.names.size}`))
        fresh.set(name, kernel)
      }
      named.set(kernel, name)
    }
    const env = { memory: this.heap.memory }
    const module = new WebAssembly.Module(emitWasm(fresh, { plan, nameOf: k => named.get(k)! }))
    if (WebAssembly.Module.imports(module).some(i => i.module === "lib" && !(i.name in this.functions))) {
      const library = new WebAssembly.Module(emitLibrary({ relaxed: this.relaxed() }))
      Object.assign(this.functions, new WebAssembly.Instance(library, { env }).exports)
    }
    const { run, ...kernels } = new WebAssembly.Instance(module, { env, lib: this.functions }).exports
    Object.assign(this.functions, kernels)
    return run as Code
  }

  /** Temporaries of all programs lie in one arena: programs never run at the same time. */
  private reserve(bytes: number): number {
    if (bytes > this.arena.bytes) {
      if (this.arena.bytes) this.heap.release(this.arena.at, this.arena.bytes)
      this.arena = { at: this.heap.allocate(bytes), bytes }
    }
    return this.arena.at
  }
}

type Code = (arena: number, table: number) => void

/** A compiled program: finds memory for arguments and results, and calls the code. */
class WasmProgram {
  private readonly heap: Heap
  private readonly plan: Plan
  private readonly code: Code
  private readonly reserve: (bytes: number) => number
  private readonly taken: ReadonlySet<number>
  private readonly table: readonly number[]

  constructor(heap: Heap, plan: Plan, code: Code, reserve: (bytes: number) => number) {
    this.heap = heap
    this.plan = plan
    this.code = code
    this.reserve = reserve
    this.taken = new Set(plan.donated)
    this.table = tableOf(plan)
  }

  readonly run = (inputs: readonly Storage[]): Storage[] => {
    const { heap, plan, taken, table } = this
    const { buffers } = plan
    // the table of addresses lies behind the arena
    const base = this.reserve(plan.arena + 4 * table.length)
    const state = inputs.map((x, i) =>
      taken.has(i) && !(x instanceof Resident) ? heap.resident(x.view(), buffers[plan.inputs[i]!]!.dtype) : x,
    )
    const addresses = new Int32Array(heap.memory.buffer, base + plan.arena, table.length)
    table.forEach((id, i) => {
      const b = buffers[id]!
      const x = state[i]
      if (x instanceof Resident) addresses[i] = x.at
      else {
        addresses[i] = base + b.offset
        if (x) heap.view(b.dtype, base + b.offset, b.n).set(x.view())
      }
    })
    this.code(base, base + plan.arena)
    return plan.outputs.map((id, o) => {
      if (plan.donated[o]! >= 0) return state[plan.donated[o]!]!
      const b = buffers[id]!
      const out = allocate(b.dtype, b.n)
      out.set(heap.view(b.dtype, base + b.offset, b.n))
      return new Host(out)
    })
  }
}
