// Hyperbolic functions and their inverses, in f64, from e^x - 1 and log(1 + x) of numbers in two parts.
import { type Pair, product, quotient, root, twoSum } from "./double-double.ts"
import type { Expr } from "./expr.ts"
import { expm1Parts, log, scale } from "./formulas.ts"
import { abs, add, div, eq, lt, min, mul, neg, num, pow2, select, sqrt, sub } from "./machine.ts"
import { odd, wide } from "./powers.ts"

/** m = e^|x| - 1 and m + 1, and e^|x| / 2 from where it is both functions. */
function exponentials(x: Expr): { m: Pair; e: Pair; half: Expr; large: Expr } {
  const a = abs(x)
  const { y, k } = expm1Parts("f64", min(a, num(x, 712)))
  const power = pow2(min(k, num(x, 64)))
  const m: Pair = [mul(y[0], power), mul(y[1], power)]
  const [e, lost] = twoSum(num(x, 1), m[0])
  return { m, e: [e, add(lost, m[1])], half: scale(y[0], sub(k, num(x, 1))), large: lt(num(x, 40), a) }
}
/** (a + b) / 2 */
const mean = (a: Pair, b: Pair): Expr => {
  const [sum, lost] = twoSum(a[0], b[0])
  return mul(add(sum, add(lost, add(a[1], b[1]))), num(sum, 0.5))
}
/** (m + m / (m + 1)) / 2 for m = e^x - 1. */
export const sinh = /*@__PURE__*/ wide(x => {
  const { m, e, half, large } = exponentials(x!)
  return odd(x!, select(large, half, mean(m, quotient(m, e))))
})
/** (e + 1/e) / 2 for e = e^x. */
export const cosh = /*@__PURE__*/ wide(x => {
  const { e, half, large } = exponentials(x!)
  return select(large, half, mean(e, quotient([num(x!, 1), num(x!, 0)], e)))
})

/** log(1 + w), or log x + log 2 where x is so large that 1 + w is 2x. */
function logOfSum(w: Pair, x: Expr): Expr {
  const large = lt(num(x, 2 ** 30), x)
  const [u, lost] = twoSum(num(x, 1), w[0])
  return log("f64", select(large, x, u), select(large, num(x, Math.LN2), div(add(lost, w[1]), u)))
}
/** log(1 + x + x^2 / (1 + sqrt(1 + x^2))) */
export const asinh = /*@__PURE__*/ wide(x => {
  const a = abs(x!)
  const square = mul(a, a)
  const one = num(a, 1)
  return odd(x!, logOfSum(twoSum(a, div(square, add(one, sqrt(add(one, square))))), a))
})
/** log(1 + t + sqrt(t (t + 2))) for t = x - 1 */
export const acosh = /*@__PURE__*/ wide(x => {
  const t = twoSum(x!, num(x!, -1))
  const [s, lost] = twoSum(t[0], num(x!, 2))
  const r = root(product(t, [s, add(lost, t[1])]))
  const [w, low] = twoSum(t[0], r[0])
  const y = logOfSum([w, add(low, add(t[1], r[1]))], x!)
  return select(lt(x!, num(x!, 1)), num(x!, Number.NaN), y)
})
/** log(1 + 2x / (1 - x)) / 2 */
export const atanh = /*@__PURE__*/ wide(x => {
  const a = abs(x!)
  const one = num(a, 1)
  const w = quotient([add(a, a), num(a, 0)], twoSum(one, neg(a)))
  const [u, lost] = twoSum(one, w[0])
  const size = mul(log("f64", u, div(add(lost, w[1]), u)), num(a, 0.5))
  return odd(x!, select(eq(a, one), num(a, Infinity), size))
})
