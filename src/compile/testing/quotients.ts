import type { Index } from "../../ir/affine.ts"
import { children, type Expr } from "../../ir/expr.ts"
import { type Kernel, storesOf } from "../kernel.ts"

/** How many divisions and remainders the loops of a kernel are left with: where sizes do not divide each other. */
export function quotients(k: Kernel): number {
  const seen = new Set<Expr>()
  const inIndex = (i: Index): number =>
    i.terms.reduce((n, [a]) => n + (a.k === "axis" ? 0 : a.k === "value" ? inExpr(a.expr) : 1 + inIndex(a.of)), 0)
  const inExpr = (e: Expr): number => {
    if (seen.has(e)) return 0
    seen.add(e)
    const own = e.k === "load" || e.k === "index" ? [e.at] : e.k === "guard" ? e.bounds.map(b => b.i) : []
    return own.reduce((n, i) => n + inIndex(i), 0) + children(e).reduce((n, c) => n + inExpr(c), 0)
  }
  return storesOf(k).reduce((n, s) => n + inExpr(s.body) + inIndex(s.out.at) + s.out.bounds.reduce((m, b) => m + inIndex(b.i), 0), 0)
}
