// The compiled programs of networks that are trained together: one step, and the measures, of all of them at once.

import { inline } from "../../compile/inline.ts"
import { countedScan } from "../../control/scan.ts"
import type { Aval, Shape } from "../../core/aval.ts"
import type { Dtype } from "../../core/dtype.ts"
import type { Tensor } from "../../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../../core/tree.ts"
import type { Graph } from "../../graph/graph.ts"
import { record, replay } from "../../graph/record.ts"
import { add } from "../../ops/arithmetic.ts"
import { arange } from "../../ops/create.ts"
import { fold } from "../../ops/random.ts"
import { jit } from "../../runtime/jit.ts"
import { batchGraph } from "../../transforms/vmap.ts"
import type { Metric } from "../metrics.ts"
import type { Rows } from "../rows.ts"
import { advance, type LearningRule } from "../rule.ts"
import type { Batches, Carry } from "../step.ts"
import type { Loss, Optimizer, Trainable } from "../trainable.ts"
import { graphAcross, suitsAcross } from "./across.ts"
import { formOf, type Lifted, lift, type Variant } from "./lift.ts"

/** A network with its optimizer, as one choice of settings makes it. */
export interface Maker {
  readonly model: Trainable
  readonly optimizer: Optimizer
  /** The carry of one member, for its structure and kinds. */
  readonly carry: Carry & Tree
}
/** What all members have in common. */
export interface Common {
  readonly loss: Loss
  readonly metrics: Readonly<Record<string, Metric>>
  readonly rule: LearningRule
  readonly rows: { readonly x: Rows; readonly y: Rows }
}

type Kind = { readonly shape: Shape; readonly dtype: Dtype }
const batchOf = ({ x, y }: Common["rows"], batch: number): Aval[] =>
  [x, y].map(({ shape, dtype }: Kind) => ({ shape: [batch, ...shape], dtype }))
const KEY: Aval = { shape: [2], dtype: "i32" }
const STEP: Aval = { shape: [], dtype: "i32" }

/** One step of one network: carry, x, y, the key of all steps, number of the step -> next carry, loss. */
function recordStep({ model, optimizer, carry }: Maker, { loss, rule, rows }: Common, batch: number): Variant {
  const n = leaves(carry).length
  const step = (xs: readonly Tensor[]): Tensor[] => {
    const [x, y, key, step] = xs.slice(n) as [Tensor, Tensor, Tensor, Tensor]
    const { loss: value, ...next } = advance(rule, optimizer, rebuild(carry, xs), { model, loss, x, y, key: fold(key, step) })
    return [...leaves({ params: next.params, state: next.state, optimizer: next.optimizer }), value]
  }
  return variant(step, [...avalsOf(carry), ...batchOf(rows, batch), KEY, STEP])
}

/** Loss and metrics of one network: carry, x, y -> numbers. */
function recordMeasure({ model, carry }: Maker, { loss, metrics, rows }: Common, batch: number): Variant {
  const n = leaves(carry).length
  const measure = (xs: readonly Tensor[]): Tensor[] => {
    const { params, state } = rebuild(carry, xs) as Carry
    const [x, y] = xs.slice(n) as [Tensor, Tensor]
    const [output] = model.apply(params, state, x, { training: false })
    return [loss(output, y), ...Object.values(metrics).map(metric => metric(output, y))]
  }
  return variant(measure, [...avalsOf(carry), ...batchOf(rows, batch)])
}

const avalsOf = (carry: Tree): Aval[] => leaves(carry).map(({ aval }) => ({ shape: aval.shape, dtype: aval.dtype }))
function variant(f: (xs: readonly Tensor[]) => Tensor[], ins: readonly Aval[]): Variant {
  const { graph, captured } = record(f, ins)
  return { graph: inline(graph), captured }
}

/** Makers of one form can be trained in one program. */
export function formOfMaker(maker: Maker, common: Common, batch: number): string {
  return [recordStep, recordMeasure].map(of => formOf(of(maker, common, batch).graph)).join("\n")
}

/** Batches of several steps: [steps, members, batch, ...] (see `last`), or [steps, batch, ...] where all members see the same rows. */
export type RunAll = (carry: Tensor[], batches: Batches, keys: Tensor, first: Tensor, steps: Tensor) => [Tensor[], Tensor]

export interface Programs {
  /** Whether the axis of members is the last one of all tensors, not the first: [steps, batch, ..., members]. */
  readonly last: boolean
  /** Which leaves of the carry have an axis of members; the others, such as counters of steps, are the same for all. */
  readonly mapped: readonly boolean[]
  /** Several steps in place; losses [steps, members]. */
  readonly run: RunAll
  /** Loss and metrics of rows [batch, ...] that are the same for all members, each [members]. */
  readonly measure: (carry: readonly Tensor[], x: Tensor, y: Tensor) => Tensor[]
}

/** What the programs of a group are made for. */
export interface Wanted {
  readonly makers: readonly Maker[]
  /** For each member which maker is its own. */
  readonly of: readonly number[]
  readonly batch: number
  /** Which leaves of the carry are the same in all members at the start. */
  readonly alike: readonly boolean[]
  /** Whether all members see the same rows in the same order. */
  readonly shared: boolean
  /** Whether rows can be had with the axis of members last. */
  readonly canBeLast: boolean
}

/** Fewest members that are worth being computed side by side: those of one instruction. */
const LANES = 4

/** Programs for members whose makers have one form. */
export function compileAll({ makers, of, batch, alike, shared, canBeLast }: Wanted, common: Common): Programs {
  const n = of.length
  const samples = [recordStep, recordMeasure].map(f => f(makers[0]!, common, batch).graph)
  const last = canBeLast && n >= LANES && samples.every(suitsAcross)
  const over = (graph: Graph, which: boolean[], force: boolean[]) => (last ? graphAcross : batchGraph)(graph, which, n, force)
  const stepOf = (batch: number): Lifted => lift(checked(makers.map(m => recordStep(m, common, batch))), of, last)
  const whichStep = ({ extra }: Lifted, mapped: readonly boolean[]): boolean[] => {
    const own = !shared
    return [...mapped, own, own, own, false, ...extra.map(e => e.mapped)]
  }
  const first = stepOf(batch)
  const mapped = fixedPoint(alike, now => over(first.graph, whichStep(first, now), []).mapped)
  const run = jit(
    (carry: Tensor[], batches: Batches, keys: Tensor, first: Tensor, steps: Tensor): [Tensor[], Tensor] => {
      const { shape } = batches.x
      const lifted = stepOf(shape[shared || last ? 1 : 2]!)
      const { graph } = over(lifted.graph, whichStep(lifted, mapped), [...mapped, true])
      const one = (now: Tensor[], { x, y, step }: Batches & { step: Tensor }): readonly [Tensor[], Tensor] => {
        const outs = replay(graph, [...now, x, y, keys, step, ...lifted.extra.map(e => e.value)])
        return [outs.slice(0, -1), outs.at(-1)!]
      }
      return countedScan(one, carry, { ...batches, step: add(first, arange(shape[0]!)) }, steps)
    },
    { donate: [0] },
  )
  const measure = jit((carry: readonly Tensor[], x: Tensor, y: Tensor): Tensor[] => {
    const { graph, extra } = lift(checked(makers.map(m => recordMeasure(m, common, x.shape[0]!))), of, last)
    const which = [...mapped, false, false, ...extra.map(e => e.mapped)]
    const all = over(
      graph,
      which,
      graph.outputs.map(() => true),
    )
    return replay(all.graph, [...carry, x, y, ...extra.map(e => e.value)])
  })
  return { last, mapped, run, measure }
}

/** Which leaves of the carry differ between members, if those that are not `alike` do at the start. */
function fixedPoint(alike: readonly boolean[], after: (mapped: boolean[]) => readonly boolean[]): boolean[] {
  let mapped = alike.map(a => !a)
  for (;;) {
    const next = after(mapped)
    const both = mapped.map((m, i) => m || next[i]!)
    if (both.every((m, i) => m === mapped[i])) return mapped
    mapped = both
  }
}

/** Throws where members that had one form with whole batches have another one with the last, short batch. */
function checked(variants: readonly Variant[]): readonly Variant[] {
  const [form] = variants.map(v => formOf(v.graph))
  if (variants.some(v => formOf(v.graph) !== form))
    throw new Error("sweep: settings change the program of the last, short batch only; choose a batch size that divides the rows")
  return variants
}
