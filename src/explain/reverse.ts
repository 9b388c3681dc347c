// The backward pass of a run, operation by operation, so that it can be done with a mistake in it.
import { filled } from "../check/arrays.ts"
import { allocate, isFloating } from "../core/dtype.ts"
import type { Maybe } from "../core/primitive.ts"
import type { Tensor } from "../core/tensor.ts"
import { add } from "../primitives/base.ts"
import { pull } from "./pull.ts"
import type { Cell, Step, Tape } from "./tape.ts"

export type Numbers = Float32Array | Float64Array
export const numbers = (x: Tensor): Numbers => x.values() as Numbers
/** A tensor like `x` with other numbers. */
export const like = (x: Tensor, at: (i: number) => number): Tensor => filled(x.shape, x.dtype, at)

/** What one operation sends back, instead of what it should. */
export type Sent = readonly (readonly [to: Cell, ct: Tensor])[]
/** An operation that the backward pass has come to. */
export interface Going {
  readonly run: Backward
  readonly step: Step
  /** The cotangent of its result. */
  readonly ct: Tensor
  /** What its rule sends to its operands. */
  usual(): readonly Maybe[]
}
/** Changes to a backward pass. Operations and values go by number, so that they are found again in a run with other numbers. */
export interface Edits {
  /** `usual` is what the rule of the operation sends to its operands. */
  readonly steps?: ReadonlyMap<number, (going: Going) => Sent>
  /** The cotangent of a value, once it is complete. */
  readonly cells?: ReadonlyMap<number, (ct: Tensor, value: Tensor) => Tensor>
}
export const both = (a: Edits, b: Edits): Edits => ({
  steps: new Map([...(a.steps ?? []), ...(b.steps ?? [])]),
  cells: new Map(
    [...(a.cells ?? []), ...(b.cells ?? [])].map(([id, change]) => {
      const [first, second] = [a.cells?.get(id), b.cells?.get(id)]
      return [id, first && second ? (ct, x) => second(first(ct, x), x) : change]
    }),
  ),
})

export class Backward {
  readonly tape: Tape
  readonly output: Cell
  /** The arguments whose gradients are compared. */
  readonly leaves: readonly Cell[]
  /** Values on the way from these arguments to the output. */
  readonly active: ReadonlySet<Cell>
  readonly cells: readonly Cell[]
  private readonly ids: ReadonlyMap<Cell, number>
  private readonly order: readonly Step[]
  private readonly usual = new Map<Step, { readonly ct: Tensor; readonly back: readonly Maybe[] }>()
  private readonly totals = new Map<Cell, { readonly parts: readonly Tensor[]; readonly total: Tensor }>()

  constructor(tape: Tape, checked: readonly boolean[]) {
    this.tape = tape
    this.output = tape.outputs[0]!
    this.leaves = tape.inputs.filter((_, i) => checked[i])
    this.cells = [...tape.inputs, ...tape.steps.flatMap(s => s.outs)]
    this.ids = new Map(this.cells.map((c, i) => [c, i]))
    this.active = between(tape, this.leaves, this.output)
    this.order = tape.steps.filter(s => s.outs.some(o => this.active.has(o))).reverse()
  }
  id(c: Cell): number {
    return this.ids.get(c)!
  }
  cell(id: number): Cell {
    return this.cells[id]!
  }
  step(index: number): Step {
    return this.tape.steps[index]!
  }
  /** Operations that something goes back through, from the output on. */
  get steps(): readonly Step[] {
    return this.order
  }
  /** Whether another run did the same operations. */
  matches(other: Backward): boolean {
    const { steps } = this.tape
    return steps.length === other.tape.steps.length && steps.every((s, i) => s.prim === other.step(i).prim)
  }

  /** The cotangents of all values; `sent` is filled with what each operation has sent to its operands. */
  cotangents(edits: Edits = {}, sent?: Map<Step, readonly Maybe[]>): Map<Cell, Tensor> {
    const parts = new Map<Cell, Tensor[]>()
    const done = new Map<Cell, Tensor>()
    const send = (to: Cell, ct: Tensor): void => {
      const list = parts.get(to)
      if (list) list.push(ct)
      else parts.set(to, [ct])
    }
    const total = (c: Cell): Tensor | undefined => {
      const list = parts.get(c)
      if (!list) return undefined
      const change = edits.cells?.get(this.id(c))
      const sum = this.sum(c, list)
      const ct = change ? change(sum, c.value) : sum
      done.set(c, ct)
      return ct
    }
    send(this.output, (this.one ??= like(this.output.value, () => 1)))
    for (const step of this.order) {
      const cts = step.outs.map(o => total(o) ?? null)
      const [ct] = cts
      if (!ct && cts.every(x => !x)) continue
      const usual = (): readonly Maybe[] => this.pulled(step, cts)
      const change = edits.steps?.get(step.index)
      if (change && ct) for (const [to, x] of change({ run: this, step, ct, usual })) send(to, x)
      else {
        const back = usual()
        sent?.set(step, back)
        back.forEach((x, i) => {
          if (x) send(step.args[i]!, x)
        })
      }
    }
    for (const c of this.leaves) total(c)
    return done
  }
  private one: Tensor | undefined

  /** The gradients by the leaves. */
  gradients(edits: Edits = {}): Numbers[] {
    const cts = this.cotangents(edits)
    return this.leaves.map(c => {
      const ct = cts.get(c)
      return ct ? numbers(ct) : (allocate(c.aval.dtype, c.value.size) as Numbers)
    })
  }

  // what nothing has changed ahead of is not computed again
  private pulled(step: Step, cts: readonly Maybe[]): readonly Maybe[] {
    const known = this.usual.get(step)
    if (known && cts.length === 1 && known.ct === cts[0]) return known.back
    const wanted = step.args.map(a => this.active.has(a))
    const back = pull(step, cts, wanted)
    for (const x of back) x?.values()
    if (!known && cts.length === 1) this.usual.set(step, { ct: cts[0]!, back })
    return back
  }
  private sum(c: Cell, parts: readonly Tensor[]): Tensor {
    if (parts.length === 1) return parts[0]!
    const known = this.totals.get(c)
    if (known && known.parts.length === parts.length && known.parts.every((x, i) => x === parts[i])) return known.total
    const total = parts.reduce((a, b) => add(a, b))
    total.values()
    if (!known) this.totals.set(c, { parts, total })
    return total
  }
}

function between({ steps }: Tape, from: readonly Cell[], to: Cell): Set<Cell> {
  const depends = new Set(from)
  for (const s of steps) {
    if (s.prim.name === "stopGradient" || !s.args.some(a => depends.has(a))) continue
    for (const o of s.outs) if (isFloating(o.aval.dtype)) depends.add(o)
  }
  const out = new Set<Cell>(from)
  const walk = depends.has(to) ? [to] : []
  for (let c = walk.pop(); c; c = walk.pop()) {
    out.add(c)
    for (const a of c.maker?.args ?? []) if (depends.has(a) && !out.has(a)) walk.push(a)
  }
  return out
}
