// Numbers as unevaluated sums of two floats, about 106 bits in f64, without fused multiply-add.
// T. J. Dekker, A floating-point technique for extending the available precision, Numerische Mathematik 18 (1971);
// D. E. Knuth, The Art of Computer Programming, volume 2, section 4.2.2.
import type { Expr } from "./expr.ts"
import { add, div, max, mul, num, sqrt, sub } from "./machine.ts"

/** [hi, lo] with hi = hi + lo rounded. */
export type Pair = readonly [Expr, Expr]

/** a + b exactly. */
export function twoSum(a: Expr, b: Expr): Pair {
  const s = add(a, b)
  const b1 = sub(s, a)
  return [s, add(sub(a, sub(s, b1)), sub(b, b1))]
}
/** a + b exactly, where |a| >= |b| or a is 0. */
export function fastTwoSum(a: Expr, b: Expr): Pair {
  const s = add(a, b)
  return [s, sub(b, sub(s, a))]
}
/** x in two parts of 26 bits (12 in f32), so that products of parts are exact; |x| < 2^996 (2^115). */
function split(x: Expr): Pair {
  const big = mul(x, num(x, x.t === "f32" ? 4097 : 134217729)) // 2^12 + 1, 2^27 + 1
  const hi = sub(big, sub(big, x))
  return [hi, sub(x, hi)]
}
/** a * b exactly, in f64, unless the lower part underflows. */
export function twoProduct(a: Expr, b: Expr): Pair {
  const p = mul(a, b)
  const [ah, al] = split(a)
  const [bh, bl] = a === b ? [ah, al] : split(b)
  const rest = sub(sub(sub(p, mul(ah, bh)), mul(al, bh)), mul(ah, bl))
  return [p, sub(mul(al, bl), rest)]
}
/** a * b with a relative error of about 2^-102. */
export function product(a: Pair, b: Pair): Pair {
  const [p, e] = twoProduct(a[0], b[0])
  return fastTwoSum(p, add(e, add(mul(a[0], b[1]), mul(a[1], b[0]))))
}
/** a + b where |a| >= |b| or a is 0, with an error of about 2^-104 |a|. */
export function sum(a: Pair, b: Pair): Pair {
  const [s, e] = twoSum(a[0], b[0])
  return fastTwoSum(s, add(e, add(a[1], b[1])))
}
/** a / b with a relative error of about 2^-100, where a and b are finite, b is not 0 and their lower parts have not underflowed. */
export function quotient(a: Pair, b: Pair): Pair {
  const q = div(a[0], b[0])
  const [p, lost] = twoProduct(q, b[0])
  const rest = add(sub(sub(a[0], p), lost), sub(a[1], mul(q, b[1])))
  return fastTwoSum(q, div(rest, b[0]))
}
/** The square root of a with a relative error of about 2^-100. */
export function root(a: Pair): Pair {
  const s = sqrt(a[0])
  const [p, lost] = twoProduct(s, s)
  const rest = add(sub(sub(a[0], p), lost), a[1])
  return [s, div(rest, max(add(s, s), num(s, 2 ** -600)))] // 0 for 0
}
