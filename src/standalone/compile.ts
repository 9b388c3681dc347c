// All that this room knows of the compiler: a function of tensors is recorded, lowered, planned and emitted as one WebAssembly module.
import { emitLibrary, emitWasm, kernelsOf, stepBytes } from "../compile/emit/wasm.ts"
import { tableOf } from "../compile/emit/wasm-program.ts"
import { type Kernel, keyOf } from "../compile/kernel.ts"
import { lower } from "../compile/passes.ts"
import { type Plan, plan } from "../compile/plan.ts"
import { recordCall } from "../control/call.ts"
import type { Aval } from "../core/aval.ts"
import type { Concrete } from "../core/concrete.ts"
import type { Tree } from "../core/tree.ts"
import { donations } from "../runtime/jit.ts"

/** Where a program wants the address of something: leaf `argument` of what it is given, or `result` number so and so. */
export type Entry = { readonly argument: number } | { readonly result: number }

/** A function as code: `run(arena, table)`, where the table holds the addresses of its `entries`, four bytes each. */
export interface Compiled {
  /** Imports "env.memory" and, if `callsLibrary`, functions of the library from "lib". */
  readonly code: Uint8Array<ArrayBuffer>
  readonly callsLibrary: boolean
  readonly entries: readonly Entry[]
  /** Bytes of memory for the time of a run. */
  readonly arena: number
  /** Values from outside that the function uses: arguments after those that it is given. */
  readonly captured: readonly Concrete[]
  readonly results: readonly Aval[]
  /** For each result the argument whose memory it takes over, or -1. */
  readonly donated: readonly number[]
}

/** Compiles `f` for arguments like `args`, whose numbers are not looked at; results take over the memory of those in `donate`. */
export function compile(f: (...args: any[]) => Tree, args: readonly Tree[], donate: readonly number[] = []): Compiled {
  const recording = recordCall(f, args)
  const donated = donations(recording, args, donate)
  const p = plan(lower(recording.graph), donated, stepBytes)
  const code = emit(p)
  return {
    ...{ code, donated, arena: p.arena, entries: entriesOf(p) },
    callsLibrary: WebAssembly.Module.imports(new WebAssembly.Module(code)).some(i => i.module === "lib"),
    captured: recording.captured as Concrete[],
    results: recording.graph.outputs.map(o => o.aval),
  }
}

/** The functions that products call. They round as every machine does: no fused multiply-add. */
export const library = (): Uint8Array<ArrayBuffer> => emitLibrary({ relaxed: false })

function emit(p: Plan): Uint8Array<ArrayBuffer> {
  const names = new Map<string, string>()
  const kernels = new Map<string, Kernel>()
  for (const kernel of kernelsOf(p)) {
    const key = keyOf(kernel)
    if (names.has(key)) continue
    names.set(key, `k${names.size}`)
    kernels.set(names.get(key)!, kernel)
  }
  return emitWasm(kernels, { plan: p, nameOf: kernel => names.get(keyOf(kernel))! })
}

const entriesOf = (p: Plan): Entry[] =>
  tableOf(p).map((id): Entry => {
    const argument = p.inputs.indexOf(id)
    return argument >= 0 ? { argument } : { result: p.outputs.indexOf(id) }
  })
