import { constant, type Expr, literalOf } from "./expr.ts"

/**
 * Scalar algebra that changes no bit of any result: products and quotients by 1, differences with 0, double negation, casts to
 * the type a number has already, and choices that are decided. Shared parts stay shared.
 */
export function simplifyExpr(e: Expr): Expr {
  const seen = new Map<Expr, Expr>()
  const go = (e: Expr): Expr => {
    let made = seen.get(e)
    if (!made) seen.set(e, (made = step(e)))
    return made
  }
  const step = (e: Expr): Expr => {
    if (e.k === "guard" || e.k === "reduce") {
      const body = go(e.body)
      return body === e.body ? e : { ...e, body }
    }
    if (e.k !== "op") return e
    const args = e.args.map(go)
    const [x, y, z] = args as [Expr, Expr, Expr]
    if (e.op === "mul" && literalOf(y) === 1) return x
    if (e.op === "mul" && literalOf(x) === 1) return y
    if (e.op === "div" && literalOf(y) === 1) return x
    if (e.op === "sub" && Object.is(literalOf(y), 0)) return x
    if (e.op === "neg" && x.k === "op" && x.op === "neg") return x.args[0]!
    if (e.op === "cast" && x.t === e.t) return x
    if (e.op === "select" && x.k === "const") return x.value ? y : z
    if (e.op === "select" && y === z) return y
    const decided = e.op === "eq" || e.op === "lt" || e.op === "le" ? compareConstants(e.op, x, y) : undefined
    if (decided !== undefined) return constant("bool", Number(decided))
    return args.every((a, i) => a === e.args[i]) ? e : { ...e, args }
  }
  return go(e)
}

function compareConstants(op: "eq" | "lt" | "le", x: Expr, y: Expr): boolean | undefined {
  const [a, b] = [literalOf(x), literalOf(y)]
  if (a === undefined || b === undefined) return undefined
  return op === "eq" ? a === b : op === "lt" ? a < b : a <= b
}
