// The error function, its complement and the normal distribution for results in f32: in f64 too, but no more precise than that takes, by less
// than half of the operations. Coefficients by scripts/minimax.py.
import type { Expr } from "./expr.ts"
import { scale } from "./formulas.ts"
import { abs, add, div, lt, min, mul, nearest, num, polynomial, select, sub } from "./machine.ts"
import { odd } from "./powers.ts"

/** erf(x)/x - 1 for z = x^2 <= 1, within 2^-34.8. */
const ERF = [
  0.12837916706311173, -0.3761263848357195, 0.11283782744679263, -0.026865445716364268, 0.005221074672287968, -0.00084847095052004,
  0.00011270536746703988, -9.680129739863893e-6,
] as const
/** (e^r - 1 - r) / r^2 for |r| <= ln(2)/2, within 2^-34.3 where multiplied by r^2. */
const EXP = [
  0.5000000077848662, 0.16666666860121382, 0.04166627012844192, 0.008333264493079105, 0.0013946059458798967, 0.00019918309441483353,
] as const
/** e^(a^2 / 2) / q times the share of the normal distribution below -a, for q = 1 / (a + 5), 0 <= a <= 15, within 2^-33.6 of itself. */
const TAIL = [
  0.3989362474591656, 1.9956435369207248, 9.511630750799728, 46.35972790902818, 127.39476323147888, 1888.2484347537127, -10756.985441333494,
  129174.2487027661, -689109.5084723106, 2921678.965954626, -6518899.428972702, 5531912.561031244,
] as const

/** The share of the normal distribution below -|x|. */
function tail(x: Expr): Expr {
  const a = min(abs(x), num(x, 40)) // beyond, it is 0
  const exponent = mul(mul(a, a), num(a, -0.5))
  const k = nearest(mul(exponent, num(a, Math.LOG2E)))
  const r = sub(exponent, mul(k, num(a, Math.LN2)))
  const power = scale(add(num(a, 1), add(r, mul(mul(r, r), polynomial(r, EXP)))), k)
  const q = div(num(a, 1), add(a, num(a, 5)))
  return mul(power, mul(q, polynomial(q, TAIL)))
}
/** The share of the normal distribution below x. */
export function below(x: Expr): Expr {
  const share = tail(x)
  return select(lt(x, num(x, 0)), share, sub(num(x, 1), share))
}
/** Twice the share below -|x| sqrt(2). */
const twoTails = (x: Expr): Expr => mul(tail(mul(x, num(x, Math.SQRT2))), num(x, 2))
export function erf(x: Expr): Expr {
  const a = abs(x)
  const near = add(a, mul(a, polynomial(mul(a, a), ERF)))
  return odd(x, select(lt(a, num(a, 1)), near, sub(num(a, 1), twoTails(a))))
}
export function erfc(x: Expr): Expr {
  const tails = twoTails(x)
  return select(lt(x, num(x, 0)), sub(num(x, 2), tails), tails)
}
