import { emitJs } from "../compile/emit/js.ts"
import type { Kernel } from "../compile/kernel.ts"
import type { Lowered } from "../compile/passes.ts"
import { align, type Plan, plan, type Step } from "../compile/plan.ts"
import { Host } from "../core/concrete.ts"
import { allocate, type TypedArray, viewOf } from "../core/dtype.ts"
import type { Engine, Run } from "./engine.ts"

type Arrays = readonly TypedArray[]
/** Works on arrays by buffer number; its own memory begins at byte `at` of the arena, always the same. */
type Code = (arrays: Arrays, arena: ArrayBuffer, at: number) => void

/** Kernels as JavaScript functions on typed arrays: no memory of its own, nothing to warm up, runs wherever `new Function` may. */
export class JsEngine implements Engine {
  readonly name = "js"
  // kernels are cached by code, for all programs
  private readonly kernels = new Map<string, (...arrays: TypedArray[]) => void>()
  // temporaries of all programs lie in one arena: programs never run at the same time
  private arena = new ArrayBuffer(0)

  compile(program: Lowered, donated: readonly number[]): Run {
    const p = plan(program, donated, s => (s.k === "loop" ? s.body.arena : 0))
    const run = this.program(p)
    const taken = p.inputs.map((_, i) => donated.includes(i))
    const results = p.outputs.map((b, o) => ({ from: donated[o]!, ...p.buffers[b]! }))
    return inputs => {
      if (this.arena.byteLength < p.arena) this.arena = new ArrayBuffer(align(p.arena * 2))
      const given = inputs.map((x, i) => (taken[i] ? x.own() : x))
      const made = results.map(({ from, dtype, n }) => (from >= 0 ? given[from]! : new Host(allocate(dtype, n))))
      const views: TypedArray[] = []
      for (const x of given) views.push(x.view())
      for (const x of made) views.push(x.view())
      run(views, this.arena, 0)
      return made
    }
  }

  /** The code of a program on the arrays of its arguments and results. */
  private program({ buffers, inputs, outputs, steps, copies }: Plan): Code {
    const code = steps.map(s => (s.k === "kernel" ? this.kernel(s) : this.loop(s)))
    const places = [...inputs, ...outputs]
    let temporaries: Arrays = []
    let bound: ArrayBuffer | null = null
    return (given, arena, at) => {
      if (bound !== arena) {
        bound = arena
        temporaries = buffers.map(b => (b.offset < 0 ? viewOf(b.dtype, arena, 0, 0) : viewOf(b.dtype, arena, at + b.offset, b.n)))
      }
      const arrays = [...temporaries]
      places.forEach((b, i) => (arrays[b] = given[i]!))
      for (const run of code) run(arrays, arena, at)
      for (const c of copies) arrays[c.to]!.set(arrays[c.from]!)
    }
  }

  private kernel({ kernel, outs, ins }: Step & { readonly kernel: Kernel }): Code {
    const source = emitJs(kernel)
    let code = this.kernels.get(source)
    if (!code) this.kernels.set(source, (code = new Function(source)()))
    const places = [...outs, ...ins]
    return arrays => code!(...places.map(b => arrays[b]!))
  }

  private loop({ loop, body, outs, ins, scratch }: Step & { readonly k: "loop" }): Code {
    const run = this.program(body)
    const { constants, carry, length, reverse, counted, conditional } = loop
    return (arrays, arena, at) => {
      const turns = counted ? arrays[ins.at(-1)!]![0]! : length
      for (let i = 0; i < turns && (!conditional || arrays[outs[0]!]![0]); i++) {
        const slice = (inside: number, outside: number): TypedArray => {
          const { n } = body.buffers[inside]!
          const start = n * (reverse ? turns - 1 - i : i)
          return arrays[outside]!.subarray(start, start + n)
        }
        const given = body.inputs.map((b, k) => {
          if (k < constants) return arrays[ins[k]!]!
          return k < constants + carry ? arrays[outs[k - constants]!]! : slice(b, ins[k - carry]!)
        })
        const results = body.outputs.map((b, o) => (o < carry ? arrays[outs[o]!]! : slice(b, outs[o]!)))
        run([...given, ...results], arena, at + scratch)
      }
    }
  }
}
