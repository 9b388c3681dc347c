// Which memory each value gets: arguments, results, or a place in the arena that others use before and after.
import { size } from "../core/aval.ts"
import { bytesOf, type Dtype } from "../core/dtype.ts"
import type { Node } from "../graph/graph.ts"
import { sameIndex } from "../ir/affine.ts"
import type { Expr } from "../ir/expr.ts"
import type { Launch } from "./fuse.ts"
import type { Kernel } from "./kernel.ts"
import type { Lowered } from "./passes.ts"

export interface Buffer {
  readonly dtype: Dtype
  /** Elements. */
  readonly n: number
  /** Number of the argument or result it is; `undefined` for temporaries. */
  readonly input?: number
  readonly output?: number
  /** Bytes from the start of the arena. Arguments and results have a place too, for engines that cannot reach theirs directly. */
  readonly offset: number
}
export interface Step {
  readonly kernel: Kernel
  /** Buffers by number. */
  readonly out: number
  readonly ins: readonly number[]
  /** Scratch memory of the kernel, in bytes from the start of the arena. */
  readonly scratch: number
  readonly name: string
  readonly scope: readonly string[]
}
export interface Plan {
  readonly buffers: readonly Buffer[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly steps: readonly Step[]
  /** For each result the argument whose memory it takes over, or -1. */
  readonly donated: readonly number[]
  /** Results that could not be computed in place: copied there at the end, from a buffer of their own. */
  readonly copies: readonly { readonly from: number; readonly to: number }[]
  /** Bytes. */
  readonly arena: number
}

export const ALIGN = 64
export const align = (n: number): number => Math.ceil(n / ALIGN) * ALIGN

/** Lays out the memory of a program. `donated[o]` is the argument whose memory result o takes over, or -1. */
export function plan(program: Lowered, donated: readonly number[], scratchBytes: (k: Kernel) => number): Plan {
  const { launches, outputs } = program
  const buffers: { -readonly [K in keyof Buffer]: Buffer[K] }[] = []
  const ids = new Map<Node, number>()
  const add = (n: Node, more: Partial<Buffer> = {}): number => {
    const { shape, dtype } = n.aval
    return buffers.push({ dtype, n: size(shape), offset: -1, ...more }) - 1
  }
  const inputs = program.inputs.map((n, input) => {
    const id = add(n, { input })
    ids.set(n, id)
    return id
  })
  const copies: { from: number; to: number }[] = []
  const results = outputs.map((o, output) => {
    const argument = donated[output]!
    if (argument < 0) {
      const id = add(o, { output })
      ids.set(o, id)
      return id
    }
    const to = inputs[argument]!
    if (inPlace(launches, o, program.inputs[argument]!)) ids.set(o, to)
    else {
      const from = add(o)
      ids.set(o, from)
      copies.push({ from, to })
    }
    return to
  })
  for (const l of launches) if (!ids.has(l.out)) ids.set(l.out, add(l.out))

  const uses = launches.map(l => [ids.get(l.out)!, ...l.reads.map(r => ids.get(r)!)])
  const first = buffers.map((b, id) => (b.input !== undefined ? 0 : uses.findIndex(u => u.includes(id))))
  const kept = new Set([...results, ...copies.map(c => c.from)])
  // arguments that nothing reads are written too, before the first step
  const last = buffers.map((_, id) =>
    kept.has(id)
      ? launches.length
      : Math.max(
          0,
          uses.findLastIndex(u => u.includes(id)),
        ),
  )
  const scratch = launches.map(l => scratchBytes(l.kernel))
  const spans: Span[] = [
    ...buffers.map((b, id) => ({
      from: first[id]!,
      to: last[id]!,
      bytes: align(b.n * bytesOf(b.dtype)),
      place: (at: number) => (b.offset = at),
    })),
    ...scratch.map((bytes, i) => ({ from: i, to: i, bytes: align(bytes), place: (at: number) => (scratch[i] = at) })),
  ]
  const arena = layOut(spans)
  const steps = launches.map((l, i): Step => {
    const [out, ...ins] = uses[i]! as [number, ...number[]]
    return { kernel: l.kernel, out, ins, scratch: scratch[i]!, name: l.name, scope: l.scope }
  })
  return { buffers, inputs, outputs: results, steps, donated, copies, arena }
}

/** Whether `out` may be written over `input`: everything that reads the input has run, or reads just the element that it replaces. */
function inPlace(launches: readonly Launch[], out: Node, input: Node): boolean {
  if (input.aval.dtype !== out.aval.dtype || size(input.aval.shape) !== size(out.aval.shape)) return false
  const at = launches.findIndex(l => l.out === out)
  return launches.every((l, i) => {
    const slot = l.reads.indexOf(input)
    if (slot < 0 || i < at) return true
    return i === at && l.kernel.out.mode === "store" && readsOnlyOwn(l.kernel, slot) && !launches.some((m, j) => j > i && m.out === out)
  })
}
function readsOnlyOwn(k: Kernel, slot: number): boolean {
  const visit = (e: Expr): boolean => {
    if (e.k === "load") return e.slot !== slot || sameIndex(e.at, k.out.at)
    if (e.k === "op") return e.args.every(visit)
    if (e.k === "guard") return e.bounds.every(b => b.i.terms.every(([a]) => a.k !== "value")) && visit(e.body)
    // a reduction reads other elements too
    return e.k === "reduce" ? !loads(e.body, slot) : true
  }
  return visit(k.body)
}
const loads = (e: Expr, slot: number): boolean =>
  e.k === "load"
    ? e.slot === slot || e.at.terms.some(([a]) => a.k === "value" && loads(a.expr, slot))
    : e.k === "op"
      ? e.args.some(a => loads(a, slot))
      : (e.k === "guard" || e.k === "reduce") && loads(e.body, slot)

interface Span {
  readonly from: number
  readonly to: number
  readonly bytes: number
  place(offset: number): void
}
/** Places spans of memory, the largest first, each at the lowest offset where nothing lies that is alive at the same time. */
function layOut(spans: readonly Span[]): number {
  const placed: { at: number; span: Span }[] = []
  let top = 0
  for (const span of [...spans].sort((a, b) => b.bytes - a.bytes)) {
    let at = 0
    const others = placed.filter(p => p.span.from <= span.to && span.from <= p.span.to).sort((a, b) => a.at - b.at)
    for (const o of others) if (o.at < at + span.bytes) at = Math.max(at, o.at + o.span.bytes)
    placed.push({ at, span })
    span.place(at)
    top = Math.max(top, at + span.bytes)
  }
  return top
}
