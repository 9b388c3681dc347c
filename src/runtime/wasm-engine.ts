import { type Deal, type Dealt, dealOf } from "../compile/emit/deal.ts"
import { blasForm } from "../compile/emit/gemm-blas.ts"
import type { Gemm } from "../compile/emit/gemm-match.ts"
import { emitLibrary, emitWasm, kernelsOf, scratchBytes, stepBytes } from "../compile/emit/wasm.ts"
import { tableOf } from "../compile/emit/wasm-program.ts"
import { type Kernel, keyOf } from "../compile/kernel.ts"
import type { Lowered } from "../compile/passes.ts"
import { align, bytesIn, type Plan, plan, type Step } from "../compile/plan.ts"
import { Host, type Settled } from "../core/concrete.ts"
import { allocate } from "../core/dtype.ts"
import { type Blas, LEAST } from "./blas.ts"
import type { Engine, Run } from "./engine.ts"
import { type Heap, Resident } from "./heap.ts"
import type { Threads } from "./threads.ts"

export interface WasmEngineOptions {
  /** Fused multiply-add where the processor has it; faster, but the last bit differs between processors. */
  relaxed(): boolean
  /** A BLAS for large matrix products, asked for when the first one is compiled. */
  blas?(): Blas | undefined
  /** Multiplications in a product from which on a BLAS is looked for at all. */
  readonly blasFrom?: number
  /** Threads on the same heap, whose memory is shared then. */
  readonly threads?: Threads
}

/** Kernels as WebAssembly SIMD on one memory, and each program as a function that calls them. */
export class WasmEngine implements Engine {
  private readonly heap: Heap
  private readonly relaxed: () => boolean
  // kernels are cached by code, for all programs
  private readonly names = new Map<string, string>()
  /** All kernels by name, and the library's functions once a program calls one. */
  private readonly functions: Record<string, WebAssembly.ImportValue> = {}
  private arena = { at: 0, bytes: 0 }

  private readonly blas: () => Blas | undefined
  private readonly blasFrom: number
  private readonly threads: Threads | undefined
  private readonly space: number
  /** Places of kernels in the table of pieces, by name. */
  private readonly slots = new Map<string, number>()

  constructor(heap: Heap, { relaxed, blas = () => undefined, blasFrom = LEAST, threads }: WasmEngineOptions) {
    this.heap = heap
    this.relaxed = relaxed
    this.blas = once(blas)
    this.blasFrom = blasFrom
    this.threads = threads
    this.space = threads?.space() ?? 0
  }
  get name(): string {
    return this.relaxed() ? "wasm-relaxed" : "wasm"
  }

  get sharesWork(): boolean {
    return (this.threads?.count ?? 1) > 1
  }
  hasWorkers(): boolean {
    return this.threads?.isStarted() ?? false
  }
  async settled(): Promise<void> {
    await this.threads?.settled()
  }

  compile(program: Lowered, donated: readonly number[]): Run {
    const p = plan(program, donated, stepBytes)
    return this.program(p, program.work, this.load(p))
  }
  private program(plan: Plan, work: number, code: Code): Run {
    const ready = this.threadsFor(plan, work)
    const reserve = (bytes: number): number => {
      ready?.()
      return this.reserve(bytes)
    }
    return new WasmProgram(this.heap, plan, code, reserve).run
  }

  /** As `compile`, step by step: `watch` hears when each begins and ends, in milliseconds. A loop is one step. */
  timed(program: Lowered, watch: (step: Step, from: number, to: number) => void): Run {
    const p = plan(
      program,
      program.outputs.map(() => -1),
      stepBytes,
    )
    const codes = p.steps.map(s => this.load({ ...p, steps: [s] }))
    const code: Code = (arena, table) =>
      codes.forEach((run, i) => {
        const from = performance.now()
        run(arena, table)
        watch(p.steps[i]!, from, performance.now())
      })
    return this.program(p, program.work, code)
  }

  /** What lets threads take part in a program, before each run; undefined if nothing in it is dealt out. */
  private threadsFor(plan: Plan, work: number): (() => void) | undefined {
    const { threads } = this
    const kernels = kernelsOf(plan).filter(k => this.dealOf(k))
    if (!threads || kernels.length === 0) return undefined
    const piece = Math.max(...kernels.map(k => this.dealOf(k)!.work))
    const scratch = Math.max(...kernels.map(scratchBytes), 1)
    return () => threads.ready(work, piece, scratch)
  }
  /** Products of a BLAS are computed in the same pieces by any number of threads, even one: they decide about its bits. */
  private dealOf(kernel: Kernel): Deal | undefined {
    if (!this.threads) return undefined
    const asks = (gemm: Gemm): boolean => this.asksBlas(gemm)
    const deal = dealOf(kernel, asks)
    return this.threads.count > 1 || (deal?.product && asks(deal.product.gemm)) ? deal : undefined
  }

  /** The program's function; kernels not met before are compiled with it. */
  private load(plan: Plan): Code {
    const named = new Map<Kernel, string>()
    const fresh = new Map<string, Kernel>()
    for (const kernel of kernelsOf(plan)) {
      const key = keyOf(kernel)
      let name = this.names.get(key)
      if (name === undefined) {
        name = this.newName(kernel)
        this.names.set(key, name)
        fresh.set(name, kernel)
      }
      named.set(kernel, name)
    }
    const dealt = (k: Kernel): Dealt | undefined => {
      const slot = this.slots.get(named.get(k)!)
      return slot === undefined ? undefined : { slot, deal: this.dealOf(k)! }
    }
    const bytes = emitWasm(
      fresh,
      { plan, nameOf: k => named.get(k)! },
      { shared: this.heap.shared, blas: gemm => this.asksBlas(gemm), dealt },
    )
    const module = new WebAssembly.Module(bytes)
    if (WebAssembly.Module.imports(module).some(i => i.module === "lib" && !(i.name in this.functions)))
      this.instantiate(emitLibrary({ relaxed: this.relaxed(), shared: this.heap.shared }))
    const { run, ...kernels } = this.instantiate(bytes, module)
    for (const [name, slot] of this.slots) if (name in kernels) this.threads!.set(slot, kernels[name]!)
    return run as Code
  }
  private newName(kernel: Kernel): string {
    if (!this.dealOf(kernel)) return `k${this.names.size}`
    const slot = this.threads!.slot()
    this.functions.fork ??= this.threads!.fork()
    this.slots.set(`p${slot}`, slot)
    return `p${slot}`
  }
  private instantiate(bytes: Uint8Array<ArrayBuffer>, module = new WebAssembly.Module(bytes)): WebAssembly.Exports {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.heap.memory }, lib: this.functions })
    Object.assign(this.functions, exports)
    this.threads?.publish(this.space, bytes)
    return exports
  }

  private asksBlas(gemm: Gemm): boolean {
    // what is made of many products, as a convolution, gains by the library's own packing
    const products = (gemm.m.n * gemm.n.n * gemm.k.n) / (gemm.sums.length > 0 ? 8 : 1)
    if (products < this.blasFrom || !blasForm(gemm)) return false
    const blas = this.blas()
    if (!blas || products < blas.least) return false
    const { blas_f32, blas_f64 } = blas
    Object.assign(this.functions, { blas_f32, blas_f64 })
    return true
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

function once<T>(f: () => T): () => T {
  let found: { readonly value: T } | undefined
  return () => (found ??= { value: f() }).value
}

/** An argument that has been copied so often moves into the engine's memory. Earlier, and what loops make afresh would gather there. */
const OFTEN = 4
/** Bytes in the engine's memory beyond which arguments are copied however often: inside of a synchronous loop nothing is freed. */
const MOST_KEPT = 1 << 30

/** A compiled program: finds memory for arguments and results, and calls the code. */
class WasmProgram {
  private readonly heap: Heap
  private readonly plan: Plan
  private readonly code: Code
  private readonly reserve: (bytes: number) => number
  private readonly taken: ReadonlySet<number>
  /** For each result where it lies from the start of the arena, or -1 where it takes over an argument's memory. */
  private readonly results: readonly number[]
  /** Bytes of arena and results; the table of addresses lies behind them. */
  private readonly bytes: number
  private readonly entries: number

  constructor(heap: Heap, plan: Plan, code: Code, reserve: (bytes: number) => number) {
    this.heap = heap
    this.plan = plan
    this.code = code
    this.reserve = reserve
    this.taken = new Set(plan.donated)
    this.entries = tableOf(plan).length
    let bytes = plan.arena
    this.results = plan.outputs.map((id, o) => {
      if (plan.donated[o]! >= 0) return -1
      const at = bytes
      bytes += align(bytesIn(plan.buffers[id]!))
      return at
    })
    this.bytes = bytes
  }

  readonly run = (inputs: readonly Settled[]): Settled[] => {
    const { heap, plan, taken, results, bytes } = this
    const { buffers } = plan
    const base = this.reserve(bytes + 4 * this.entries)
    const borrowed: Resident[] = []
    const state = inputs.map((x, i): Resident => {
      if (x instanceof Resident) return x
      const r = heap.lend(x.view(), buffers[plan.inputs[i]!]!.dtype)
      if (taken.has(i)) return heap.keep(r)
      if (x instanceof Host && ++x.copies >= OFTEN && heap.kept < MOST_KEPT) x.move(heap.keep(r))
      else borrowed.push(r)
      return r
    })
    // memory may have grown by now
    const table = new Int32Array(heap.memory.buffer, base + bytes, this.entries)
    let entry = 0
    for (const x of state) table[entry++] = x.at
    for (const at of results) if (at >= 0) table[entry++] = base + at
    try {
      this.code(base, base + bytes)
    } catch (e) {
      // what was to be overwritten may be half of each
      for (const i of taken) state[i]?.lose()
      throw e
    } finally {
      for (const x of borrowed) heap.release(x.at, x.bytes)
    }
    return plan.outputs.map((id, o) => {
      if (results[o]! < 0) return state[plan.donated[o]!]!
      const b = buffers[id]!
      const out = allocate(b.dtype, b.n)
      out.set(heap.view(b.dtype, base + results[o]!, b.n))
      return new Host(out)
    })
  }
}
