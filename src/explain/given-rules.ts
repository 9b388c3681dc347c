// Rules that the user gave (`customVjp`) may be any function of the cotangent that arrives, such as a clip. Then an application has no
// derivative that is the same for all that comes back, and its factors are those of the very cotangent that does.
import { filled } from "../check/arrays.ts"
import { inline } from "../compile/inline.ts"
import { bind, type Tensor } from "../core/tensor.ts"
import { derive } from "../graph/record.ts"
import { vjp } from "../transforms/grad.ts"
import { batchFlat } from "../transforms/vmap.ts"
import type { Take } from "./local.ts"
import type { Cell, Step } from "./tape.ts"

/** The cotangents of the values of a tape, as reverse mode has them. */
export type Cotangents = ReadonlyMap<Cell, Tensor>

/** Whether the rule can be transposed: which is tried on a program that is not run, since one that fails takes others with it. */
export function hasForwardMode({ prim, params, args }: Step, k: number): boolean {
  const push = ([t, ...xs]: readonly Tensor[]): Tensor[] =>
    prim
      .jvp(
        xs,
        xs.map((_, i) => (i === k ? t! : null)),
        params,
      )[1]
      .filter(dy => dy !== null)
  try {
    inline(derive(push, [args[k]!.aval, ...args.map(a => a.aval)]))
    return true
  } catch {
    return false // rules without forward mode say so in many ways
  }
}

/** So many numbers are sent at once, at most. */
const CHUNK = 1 << 20

/**
 * The shares of the elements o of the results in what the rule r sends to the elements j of operand k: cotangents are let in one after
 * the other,
 *
 *     d_jo = (r_j(ct_0 ... ct_o, 0 ...) - r_j(ct_0 ... ct_(o-1), 0 ...)) / ct_o
 *
 * so that the sum of d_jo ct_o is r_j(ct) - r_j(0), and d is r(ct) / ct where the rule takes each element by itself.
 */
export function sharesOf(step: Step, k: number, from: readonly number[], cts: Cotangents, take: Take): void {
  const n = step.args[k]!.value.size
  step.outs.forEach((cell, out) => {
    const ct = cts.get(cell)?.values()
    if (!ct) return
    const rows = Math.max(1, Math.floor(CHUNK / Math.max(n, ct.length)))
    for (let first = 0; first < ct.length; first += rows) {
      const some = Math.min(rows, ct.length - first)
      const sent = sentBack(step, k, out, cts, some + 1, (r, i) => (i < first + r ? ct[i]! : 0))
      // a rule without answer to nothing, as one that divides by a norm, answers with nothing
      if (first === 0) for (let j = 0; j < n; j++) if (!Number.isFinite(sent[j]!)) sent[j] = 0
      for (let o = 0; o < some; o++) {
        const by = ct[first + o]!
        for (const j of from) take(j, out, first + o, by === 0 ? 0 : (sent[(o + 1) * n + j]! - sent[o * n + j]!) / by)
      }
    }
  })
}

/** What the rule sends to operand k for the cotangent that arrives [size of the operand]. */
export const answerOf = (step: Step, k: number, cts: Cotangents): Float64Array => {
  const last = step.outs.length - 1
  const ct = cts.get(step.outs[last]!)?.values()
  return sentBack(step, k, last, cts, 1, (_, i) => ct?.[i] ?? 0)
}

/** Whether the rule sends something to operand k where nothing arrives. */
export const sendsUnasked = (step: Step, k: number, cts: Cotangents): boolean =>
  sentBack(step, k, 0, cts, 1, () => 0).some(x => Number.isFinite(x) && x !== 0)

/** The same [rows, size of the operand] for `rows` cotangents of result `out`, all that come before it and none of those after it. */
function sentBack(step: Step, k: number, out: number, cts: Cotangents, rows: number, at: (row: number, i: number) => number): Float64Array {
  const { prim, params, args, outs } = step
  const all = outs.map(({ aval: { shape }, value: { size } }, o) => {
    if (o === out) return filled([rows, ...shape], "f64", i => at(Math.floor(i / size), i % size))
    return (o < out && cts.get(outs[o]!)) || filled(shape, outs[o]!.aval.dtype, () => 0)
  })
  const xs = args.map(c => c.value)
  const pull = (cts: readonly Tensor[]): Tensor[] => vjp((x: Tensor) => bind(prim, xs.with(k, x), params), xs[k]!)[1](cts as Tensor[])
  const { ys, mapped } = batchFlat(
    pull,
    all,
    all.map((_, o) => (o === out ? 0 : null)),
    rows,
  )
  const numbers = Float64Array.from(ys[0]!.values())
  const { size } = xs[k]!
  return mapped[0] ? numbers : Float64Array.from({ length: rows * size }, (_, i) => numbers[i % size]!)
}
