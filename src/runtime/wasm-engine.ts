import { emitJs } from "../compile/emit/js.ts"
import { emitLibrary, emitWasm, scratchBytes } from "../compile/emit/wasm.ts"
import type { Lowered } from "../compile/passes.ts"
import { type Plan, plan } from "../compile/plan.ts"
import { Host, type Storage } from "../core/concrete.ts"
import { allocate } from "../core/dtype.ts"
import type { Engine, Run } from "./engine.ts"
import { type Heap, Resident } from "./heap.ts"

type Code = (...addresses: number[]) => void

/** Kernels as WebAssembly SIMD on one memory. */
export class WasmEngine implements Engine {
  readonly name: string
  private readonly heap: Heap
  private readonly relaxed: boolean
  // kernels are cached by code, for all programs; the JavaScript of a kernel names it, with what that leaves open: dtypes, scratch memory
  private readonly kernels = new Map<string, Code>()
  private library: WebAssembly.Exports | undefined
  private arena = { at: 0, bytes: 0 }

  /** `relaxed`: fused multiply-add where the processor has it; faster, but the last bit differs between processors. */
  constructor(heap: Heap, { relaxed }: { readonly relaxed: boolean }) {
    this.heap = heap
    this.relaxed = relaxed
    this.name = relaxed ? "wasm-relaxed" : "wasm"
  }

  compile(program: Lowered, donated: readonly number[]): Run {
    const p = plan(program, donated, scratchBytes)
    const code = this.load(p)
    return inputs => this.run(p, code, inputs)
  }

  /** Code for all kernels of a program; those not met before are compiled as one module. */
  private load(p: Plan): Code[] {
    const keys = p.steps.map(({ kernel: k }) => `${k.out.t} ${k.loads} ${scratchBytes(k)} ${emitJs(k)}`)
    const fresh = new Map(keys.flatMap((key, i) => (this.kernels.has(key) ? [] : [[key, p.steps[i]!.kernel] as const])))
    if (fresh.size) {
      const options = { relaxed: this.relaxed }
      const env = { memory: this.heap.memory }
      this.library ??= new WebAssembly.Instance(new WebAssembly.Module(emitLibrary(options)), { env }).exports
      const module = new WebAssembly.Module(emitWasm([...fresh.values()], options))
      const { exports } = new WebAssembly.Instance(module, { env, lib: this.library })
      ;[...fresh.keys()].forEach((key, i) => this.kernels.set(key, exports[`k${i}`] as Code))
    }
    return keys.map(key => this.kernels.get(key)!)
  }

  private reserve(bytes: number): number {
    if (bytes > this.arena.bytes) {
      if (this.arena.bytes) this.heap.release(this.arena.at, this.arena.bytes)
      this.arena = { at: this.heap.allocate(bytes), bytes }
    }
    return this.arena.at
  }

  private run(p: Plan, code: readonly Code[], inputs: readonly Storage[]): Storage[] {
    const base = this.reserve(p.arena)
    const donated = new Set(p.donated)
    const state = inputs.map((x, i) =>
      donated.has(i) && !(x instanceof Resident) ? this.heap.resident(x.view(), p.buffers[p.inputs[i]!]!.dtype) : x,
    )
    const address = p.buffers.map(b => {
      const x = b.input === undefined ? undefined : state[b.input]
      return x instanceof Resident ? x.at : base + b.offset
    })
    p.inputs.forEach((id, i) => {
      if (state[i] instanceof Resident) return
      const b = p.buffers[id]!
      this.heap.view(b.dtype, address[id]!, b.n).set(state[i]!.view())
    })
    for (let i = 0; i < code.length; i++) {
      const s = p.steps[i]!
      code[i]!(address[s.out]!, ...s.ins.map(b => address[b]!), base + s.scratch)
    }
    const view = (id: number) => this.heap.view(p.buffers[id]!.dtype, address[id]!, p.buffers[id]!.n)
    for (const c of p.copies) view(c.to).set(view(c.from))
    return p.outputs.map((id, o) => {
      if (p.donated[o]! >= 0) return state[p.donated[o]!]!
      const b = p.buffers[id]!
      const out = allocate(b.dtype, b.n)
      out.set(view(id))
      return new Host(out)
    })
  }
}
