import { range } from "./affine.ts"
import { type Bound, constant, type Expr, literalOf, once, rebuild } from "./expr.ts"

/**
 * Scalar algebra that changes no bit of any result: products and quotients by 1, differences with 0, double negation, casts to
 * the type a number has already, choices and guards that are decided, and sums of nothing. Shared parts stay shared.
 */
export const simplifier = (): ((e: Expr) => Expr) => {
  const part: (e: Expr) => Expr = once(e => settle(rebuild(e, { part })))
  return part
}

/** One expression whose parts are as simple as they get. */
function settle(e: Expr): Expr {
  if (e.k === "guard") {
    if (e.bounds.some(b => holds(b) === false)) return constant(e.t, e.otherwise)
    const bounds = e.bounds.filter(b => holds(b) === undefined)
    return bounds.length ? { ...e, bounds } : e.body
  }
  // the indices in a sum of nothing may divide by 0
  if (e.k === "reduce" && e.op === "sum" && e.over.some(a => a.n === 0)) return constant(e.t, 0)
  if (e.k !== "op") return e
  const [x, y, z] = e.args as readonly [Expr, Expr, Expr]
  switch (e.op) {
    case "mul":
      return literalOf(y) === 1 ? x : literalOf(x) === 1 ? y : e
    case "div":
      return literalOf(y) === 1 ? x : e
    case "sub":
      return Object.is(literalOf(y), 0) ? x : e
    case "neg":
      return x.k === "op" && x.op === "neg" ? x.args[0]! : e
    case "cast":
      return x.t === e.t ? x : e
    case "select":
      if (x.k === "const") return x.value ? y : z
      return y === z ? y : e
    case "eq":
    case "lt":
    case "le": {
      const decided = compareConstants(e.op, x, y)
      return decided === undefined ? e : constant("bool", Number(decided))
    }
    default:
      return e
  }
}

/** Whether a bound holds at every turn or at none, as far as that is known. */
function holds({ i, n }: Bound): boolean | undefined {
  const [lo, hi] = range(i)
  if (n <= 0 || lo >= n || hi < 0) return false
  return lo >= 0 && hi < n ? true : undefined
}

function compareConstants(op: "eq" | "lt" | "le", x: Expr, y: Expr): boolean | undefined {
  const [a, b] = [literalOf(x), literalOf(y)]
  if (a === undefined || b === undefined) return undefined
  return op === "eq" ? a === b : op === "lt" ? a < b : a <= b
}
