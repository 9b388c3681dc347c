// x times a share of it: activations in one formula, whose results are rounded once also where the share is denormal.
import { type Expr, op } from "./expr.ts"
import { abs, add, div, lt, mul, neg, num, select } from "./machine.ts"

/** e^(-|z + low| / 2) */
const root = (z: Expr, low?: Expr): Expr => {
  const e = op("exp", mul(abs(z), num(z, -0.5)))
  if (!low) return e
  const half = mul(low, num(z, 0.5))
  return add(e, mul(e, select(lt(z, num(z, 0)), half, neg(half))))
}
/** x e^-|z| where z < 0, else x, from r = e^(-|z| / 2): half of the exponent at a time, so that x has made up for it meanwhile. */
const damped = (x: Expr, z: Expr, r: Expr): Expr => select(lt(z, num(z, 0)), mul(mul(x, r), r), x)

/** x / (1 + e^-(z + low)) */
export function gated(x: Expr, z: Expr, low?: Expr): Expr {
  const r = root(z, low)
  return div(damped(x, z, r), add(num(x, 1), mul(r, r)))
}
/** x / (1 + e^-x) */
export const swish = (x: Expr): Expr => gated(x, x)
/** x tanh(log(1 + e^x)): with m = e^-|x| it is x (1 + 2m) / (1 + 2m + 2m^2), or x m (2 + m) / (2 + 2m + m^2) where x < 0. */
export function mish(x: Expr): Expr {
  const r = root(x)
  const m = mul(r, r)
  const [one, two, twice] = [num(x, 1), num(x, 2), add(m, m)]
  const negative = lt(x, num(x, 0))
  const over = select(negative, add(two, m), add(one, twice))
  const under = select(negative, add(two, mul(m, add(two, m))), add(add(one, twice), mul(m, twice)))
  return select(negative, div(mul(mul(x, r), mul(r, over)), under), mul(x, div(over, under)))
}
