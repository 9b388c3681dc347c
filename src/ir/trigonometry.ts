// The tangent and the inverse functions of sine, cosine and tangent, in f64 with a second part that makes the last rounding the only
// one that matters. The reductions are those of K. C. Ng's fdlibm; coefficients by scripts/minimax.py.
import { fastTwoSum, type Pair, quotient, root, twoSum } from "./double-double.ts"
import type { Expr } from "./expr.ts"
import { even, keepZero, reduced, sineAndCosine } from "./formulas.ts"
import { abs, add, div, eq, lt, max, min, mul, neg, num, or, polynomial, select, sub } from "./machine.ts"
import { odd, wide } from "./powers.ts"

/** pi/2 in two parts. */
const QUARTER = [1.5707963267948966, 6.123233995736766e-17] as const
const times = (x: Expr, c: number): Expr => mul(x, num(x, c))

/** sin/cos, or -cos/sin after an odd number of quarters. */
export const tan = /*@__PURE__*/ wide(x =>
  keepZero(
    x!,
    reduced("f64", x!, r => {
      const [sine, s1, cosine, c1] = sineAndCosine("f64", r)
      const s = fastTwoSum(sine, neg(s1))
      const c = fastTwoSum(cosine, c1)
      const whole = even(r.n)
      const pick = (a: Pair, b: Pair): Pair => [select(whole, a[0], b[0]), select(whole, a[1], b[1])]
      return quotient(pick(s, [neg(c[0]), neg(c[1])]), pick(c, s))[0]
    }),
  ),
)

/** (asin(v)/v - 1) / z for z = v^2, |v| <= 1/2, within 2^-55.6 where multiplied by z. */
const ASIN = [
  0.16666666666665383, 0.0750000000034291, 0.044642856823573, 0.03038195932840535, 0.022371753572669656, 0.017359770624498512,
  0.013884600424496695, 0.012173290599936217, 0.006510655233099373, 0.019575031858944648, -0.016297092796274382, 0.031962150867477744,
] as const
/** asin(|x|) = v + rest up to 1/2; beyond, the angle that is left to pi/2 is 2 (v + rest). */
function halved(x: Expr): { far: Expr; v: Expr; rest: Expr } {
  const a = abs(x)
  const far = lt(num(x, 0.5), a)
  const z = select(far, times(sub(num(x, 1), a), 0.5), mul(a, a))
  const [s, low] = root([z, num(x, 0)])
  const v = select(far, s, a)
  return { far, v, rest: add(mul(mul(v, z), polynomial(z, ASIN)), select(far, low, num(x, 0))) }
}
/** n quarter turns, less v + rest. */
function lessThanQuarters(n: number, v: Expr, rest: Expr): Expr {
  const [angle, lost] = fastTwoSum(num(v, n * QUARTER[0]), neg(v))
  return add(angle, add(lost, sub(num(v, n * QUARTER[1]), rest)))
}
export const asin = /*@__PURE__*/ wide(x => {
  const { far, v, rest } = halved(x!)
  return odd(x!, select(far, lessThanQuarters(1, add(v, v), add(rest, rest)), add(v, rest)))
})
export const acos = /*@__PURE__*/ wide(x => {
  const { far, v, rest } = halved(x!)
  const [angle, low] = [add(v, v), add(rest, rest)]
  const beyond = select(lt(x!, num(v, 0)), lessThanQuarters(2, angle, low), add(angle, low))
  return select(far, beyond, lessThanQuarters(1, x!, odd(x!, rest)))
})

/** (1 - atan(u)/u) / z for z = u^2, |u| <= tan(pi/8), within 2^-56.1 where multiplied by z. */
const ATAN = [
  0.333333333333332, -0.19999999999953819, 0.142857142802203, -0.11111110784656328, 0.09090897792248252, -0.07692059871886141,
  0.06663072885280605, -0.05847344282338078, 0.05034961804254851, -0.03789769170203031, 0.017656274668505764,
] as const
/**
 * The angle of (x, y): that of (hi, lo) = (max, min)(|x|, |y|), by turning it back by pi/4 where it is beyond pi/8, then mirrored into
 * its octant. Special cases are those of C (C11, F.10.1.4).
 */
export const atan2 = /*@__PURE__*/ wide((y, x) => {
  const [zero, one] = [num(x!, 0), num(x!, 1)]
  const [a, b] = [abs(x!), abs(y!)]
  const most = max(a, b)
  const least = min(a, b)
  // infinities and zeros count as 1 or 0; other extremes are brought to where exact products neither overflow nor underflow
  const infinite = eq(most, num(x!, Infinity))
  const extreme = or(infinite, eq(most, zero))
  const factor = select(lt(num(x!, 2 ** 900), most), num(x!, 2 ** -100), select(lt(most, num(x!, 2 ** -100)), num(x!, 2 ** 800), one))
  const hi = select(extreme, one, mul(most, factor))
  const lo = select(extreme, select(eq(least, most), select(infinite, one, zero), zero), mul(least, factor))
  const turned = lt(mul(hi, num(x!, Math.SQRT2 - 1)), lo)
  const pick = (p: Pair, q: Pair): Pair => [select(turned, p[0], q[0]), select(turned, p[1], q[1])]
  const [u, rest] = quotient(pick(twoSum(lo, neg(hi)), [lo, zero]), pick(twoSum(lo, hi), [hi, zero]))
  const z = mul(u, u)
  // below, the second part has underflowed
  const low = select(lt(abs(u), num(x!, 2 ** -900)), zero, rest)
  const small = sub(low, mul(mul(u, z), polynomial(z, ATAN)))
  // multiples of pi/4 from which, or to which, u is counted
  const swapped = lt(a, b)
  const negative = or(lt(x!, zero), lt(div(one, x!), zero))
  const octant = select(turned, one, zero)
  const upper = select(swapped, sub(num(x!, 2), octant), octant)
  const flip = select(swapped, num(x!, -1), one)
  const base = select(negative, sub(num(x!, 4), upper), upper)
  const sign = select(negative, neg(flip), flip)
  const [sum, lost] = fastTwoSum(times(base, QUARTER[0] / 2), mul(sign, u))
  const size = add(sum, add(lost, add(times(base, QUARTER[1] / 2), mul(sign, small))))
  return select(or(lt(y!, zero), lt(div(one, y!), zero)), neg(size), size)
})
export const atan = (x: Expr): Expr => atan2(x, num(x, 1))
