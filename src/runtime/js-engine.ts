import { emitJs } from "../compile/emit/js.ts"
import type { Kernel } from "../compile/kernel.ts"
import type { Lowered } from "../compile/passes.ts"
import { align, type Plan, plan } from "../compile/plan.ts"
import { Host, type Storage } from "../core/concrete.ts"
import { allocate, type TypedArray, viewOf } from "../core/dtype.ts"
import type { Engine, Run } from "./engine.ts"

type Code = (out: TypedArray, ...ins: TypedArray[]) => void

/** Kernels as JavaScript functions on typed arrays: no memory of its own, nothing to warm up, runs wherever `new Function` may. */
export class JsEngine implements Engine {
  readonly name = "js"
  // kernels are cached by code, for all programs
  private readonly kernels = new Map<string, Code>()
  // temporaries of all programs lie in one arena: programs never run at the same time
  private arena = new ArrayBuffer(0)

  compile(program: Lowered, donated: readonly number[]): Run {
    const p = plan(program, donated, () => 0)
    const code = p.steps.map(s => this.load(s.kernel))
    const taken = new Set(donated.filter(i => i >= 0))
    let temporaries: (TypedArray | null)[] = []
    let bound: ArrayBuffer | null = null
    return inputs => {
      if (this.arena.byteLength < p.arena) this.arena = new ArrayBuffer(align(p.arena * 2))
      if (bound !== this.arena) {
        bound = this.arena
        temporaries = p.buffers.map(b =>
          b.input === undefined && b.output === undefined ? viewOf(b.dtype, this.arena, b.offset, b.n) : null,
        )
      }
      return run(p, code, taken.size ? inputs.map((x, i) => (taken.has(i) ? x.own() : x)) : inputs, temporaries)
    }
  }

  private load(k: Kernel): Code {
    const source = emitJs(k)
    let code = this.kernels.get(source)
    if (!code) this.kernels.set(source, (code = new Function(source)() as Code))
    return code
  }
}

function run(p: Plan, code: readonly Code[], inputs: readonly Storage[], temporaries: readonly (TypedArray | null)[]): Storage[] {
  const arrays = p.buffers.map((b, i): TypedArray => {
    if (b.input !== undefined) return inputs[b.input]!.view()
    return temporaries[i] ?? allocate(b.dtype, b.n)
  })
  for (let i = 0; i < code.length; i++) {
    const s = p.steps[i]!
    code[i]!(arrays[s.out]!, ...s.ins.map(b => arrays[b]!))
  }
  for (const c of p.copies) arrays[c.to]!.set(arrays[c.from]!)
  return p.outputs.map((b, o) => (p.donated[o]! < 0 ? new Host(arrays[b]!) : inputs[p.donated[o]!]!))
}
