// Which memory each value gets: arguments, results, or a place in the arena that others use before and after.
import { size } from "../core/aval.ts"
import { bytesOf, type Dtype } from "../core/dtype.ts"
import type { Loop } from "../core/primitive.ts"
import type { Node } from "../graph/graph.ts"
import { sameIndex } from "../ir/affine.ts"
import { type Expr, reach } from "../ir/expr.ts"
import { type Kernel, storesOf } from "./kernel.ts"
import type { Lowered, Task } from "./passes.ts"

export interface Buffer {
  readonly dtype: Dtype
  /** Elements. */
  readonly n: number
  /** Number of the argument or result it is; `undefined` for temporaries. */
  readonly input?: number
  readonly output?: number
  /** Bytes from the start of the arena; -1 for arguments and results, which lie elsewhere. */
  readonly offset: number
}
interface Common {
  /** Buffers by number. */
  readonly outs: readonly number[]
  readonly ins: readonly number[]
  /** Memory for the step alone, in bytes from the start of the arena. */
  readonly scratch: number
  readonly name: string
  readonly scope: readonly string[]
}
/**
 * `outs` of a loop are the carry, which is there already, and the stacked ys; `ins` the constants, the stacked xs and the number of
 * turns if that is counted. The arguments of `body` are [constants, carry, x], its results [carry, y]; the carry is worked on in place.
 */
export type Step = Common &
  ({ readonly k: "kernel"; readonly kernel: Kernel } | { readonly k: "loop"; readonly loop: Loop; readonly body: Plan })
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

export const bytesIn = (b: Buffer): number => b.n * bytesOf(b.dtype)
export const ALIGN = 64
export const align = (n: number): number => Math.ceil(n / ALIGN) * ALIGN

/**
 * Lays out the memory of a program. `donated[o]` is the argument whose memory result o takes over, or -1; `bytesOfStep` says how much
 * memory a step wants for itself, a loop at least the arena of its body.
 */
export function plan(program: Lowered, donated: readonly number[], bytesOfStep: (s: Step) => number): Plan {
  const { tasks, outputs } = program
  const buffers: { -readonly [K in keyof Buffer]: Buffer[K] }[] = []
  const ids = new Map<Node, number>()
  const add = (n: Node, more: Partial<Buffer> = {}): number => {
    const { shape, dtype } = n.aval
    const id = buffers.push({ dtype, n: size(shape), offset: -1, ...more }) - 1
    ids.set(n, id)
    return id
  }
  const inputs = program.inputs.map((n, input) => add(n, { input }))
  const copies: { from: number; to: number }[] = []
  const results = outputs.map((o, output) => {
    const argument = donated[output]!
    if (argument < 0) return add(o, { output })
    const to = inputs[argument]!
    if (inPlace(tasks, o, program.inputs[argument]!)) ids.set(o, to)
    else copies.push({ from: add(o), to })
    return to
  })
  for (const t of tasks) for (const o of t.outs) if (!ids.has(o)) add(o)

  const steps = tasks.map((t): Step => {
    const common = { outs: t.outs.map(o => ids.get(o)!), ins: t.reads.map(r => ids.get(r)!), scratch: 0, name: t.name, scope: t.scope }
    return t.k === "kernel" ? { ...common, k: t.k, kernel: t.kernel } : { ...common, k: t.k, loop: t.loop, body: planBody(t, bytesOfStep) }
  })
  const scratch = steps.map(bytesOfStep)
  const kept = new Set([...results, ...copies.map(c => c.from)])
  const span = (b: Buffer, id: number): Omit<Span, "place"> => {
    const uses = steps.flatMap((s, i) => (s.outs.includes(id) || s.ins.includes(id) ? [i] : []))
    return { from: uses[0] ?? 0, to: kept.has(id) ? tasks.length : (uses.at(-1) ?? 0), bytes: align(bytesIn(b)) }
  }
  const spans: Span[] = [
    ...buffers.flatMap((b, id) =>
      b.input !== undefined || b.output !== undefined ? [] : [{ ...span(b, id), place: (at: number) => (b.offset = at) }],
    ),
    ...scratch.map((bytes, i) => ({ from: i, to: i, bytes: align(bytes), place: (at: number) => (scratch[i] = at) })),
  ]
  const arena = layOut(spans)
  const needed = steps.map((s, i) => ({ ...s, scratch: scratch[i]! })).filter(s => !isCopyOntoItself(s))
  return { buffers, inputs, outputs: results, steps: needed, donated, copies, arena }
}
/** The program of a loop finds arguments and results where the loop's are, and works on its carry in place. */
function planBody({ body, loop }: Extract<Task, { k: "loop" }>, bytesOfStep: (s: Step) => number): Plan {
  const carry = body.outputs.map((_, o) => (o < loop.carry ? loop.constants + o : -1))
  return plan(body, carry, bytesOfStep)
}
/** An initial carry that lies where the loop wants it is not moved. */
const isCopyOntoItself = (s: Step): boolean =>
  s.k === "kernel" && s.kernel.body.k === "load" && s.outs.length === 1 && s.ins[0] === s.outs[0] && readsOnlyOwn(s.kernel, 0)

/** Whether `out` may be written over `input`: everything that reads the input has run, or reads just the element that it replaces. */
function inPlace(tasks: readonly Task[], out: Node, input: Node): boolean {
  if (input.aval.dtype !== out.aval.dtype || size(input.aval.shape) !== size(out.aval.shape)) return false
  const at = tasks.findIndex(t => t.outs.includes(out))
  return tasks.every((t, i) => {
    const slot = t.reads.indexOf(input)
    if (slot < 0 || i < at) return true
    return i === at && t.k === "kernel" && t.kernel.out.mode === "store" && readsOnlyOwn(t.kernel, slot)
  })
}
/** Whether each turn reads no element of the operand but that at the place where it stores; a reduction reads others too. */
function readsOnlyOwn(k: Kernel, slot: number): boolean {
  const loadsOf = (roots: readonly Expr[]) => reach(roots).filter(e => e.k === "load")
  const bodies = storesOf(k).map(s => s.body)
  const reduced = reach(bodies).flatMap(e => (e.k === "reduce" ? [e.body] : []))
  return loadsOf(bodies).every(l => l.slot !== slot || sameIndex(l.at, k.out.at)) && loadsOf(reduced).every(l => l.slot !== slot)
}

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
