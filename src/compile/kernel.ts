// The one form that every engine turns into code.
import type { Axis, Index } from "../ir/affine.ts"
import type { Bound, Dtype, Expr } from "../ir/expr.ts"

/**
 * A loop nest that stores one element a turn. Buffers reach it as arguments, so that a kernel does not know where its
 * operands lie and equal kernels of all programs are compiled once.
 */
export interface Kernel {
  /** Outermost first. */
  readonly axes: readonly Axis[]
  readonly out: {
    readonly t: Dtype
    /** Where the element goes. */
    readonly at: Index
    /** "add": the element is added to what is there, turn by turn in loop order (scatter). */
    readonly mode: "store" | "add"
    /** Turns outside of these bounds store nothing. */
    readonly bounds: readonly Bound[]
  }
  readonly body: Expr
  /** Dtypes of the operands, by slot. */
  readonly loads: readonly Dtype[]
}

const turns = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * a.n, 1)
/** Scalar operations of one run. */
export function workOf(k: Kernel): number {
  const seen = new Set<Expr>()
  const cost = (e: Expr): number => {
    if (seen.has(e)) return 0
    seen.add(e)
    if (e.k === "op") return 1 + e.args.reduce((n, a) => n + cost(a), 0)
    if (e.k === "guard") return cost(e.body)
    return e.k === "reduce" ? turns(e.over) * (1 + cost(e.body)) : 0
  }
  return turns(k.axes) * Math.max(1, cost(k.body))
}
