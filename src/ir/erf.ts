// The error function, its complement and its inverse, and the normal distribution, in f64; coefficients by scripts/minimax.py.
import { type Pair, product, sum, twoProduct } from "./double-double.ts"
import * as f32 from "./erf-f32.ts"
import { type Expr, op } from "./expr.ts"
import { exp, log } from "./formulas.ts"
import { gated } from "./gates.ts"
import { abs, add, clamp, div, le, lt, min, mul, neg, num, polynomial, select, sqrt, sub } from "./machine.ts"
import { odd, wide } from "./powers.ts"

/** erf(x)/x - 1 for z = x^2 <= 1, within 2^-56.6. */
const ERF = [
  0.1283791670955126, -0.3761263890318411, 0.11283791670972063, -0.026866170648280455, 0.005223977655677211, -0.0008548328734740063,
  0.00012055394306941992, -1.4927094208198774e-5, 1.6484718567959795e-6, -1.6598204298229898e-7, 1.6302871857798957e-8,
  -1.7629641809901618e-9, 1.638173088402567e-10,
] as const
/**
 * (1 + 2x) e^(x^2) erfc(x) for t = (x - 4) / (x + 4), 1/2 <= x <= 28, within 2^-58.6 of itself. The form is that of M. M. Shepherd and
 * J. G. Laframboise, Chebyshev approximation of (1 + 2x) exp(x^2) erfc(x), Mathematics of Computation 36 (1981).
 */
const ERFC = [
  1.2329951186255526, -0.1396211168405625, 0.015379652102618914, 0.0680970542546897, -0.10103906603624627, 0.09373283499847558,
  -0.06633036581379577, 0.03716751553500102, -0.01619773403589211, 0.005031970005345643, -0.0007577734656101092, -0.00019925688032265825,
  0.0001506225679002475, -2.4398396081173023e-5, -1.1224924200839203e-5, 5.707334159311502e-6, 2.998617294852077e-7, -8.207708509767562e-7,
  6.675983935075871e-8, 1.0431020999650221e-7, -1.2126527211954713e-8, -1.0026428388549492e-8,
] as const

/** erf(a) for 0 <= a <= 1 */
const nearErf = (a: Expr): Expr => add(a, mul(a, polynomial(mul(a, a), ERF)))
/** erfc(a + low) for a >= 1/2 and a `low` beyond the last bit of it */
function farErfc(a: Expr, low?: Expr): Expr {
  const x = min(a, num(a, 28)) // beyond, it is 0
  const [square, rest] = twoProduct(x, x)
  const lost = low ? add(rest, mul(add(x, x), low)) : rest
  const t = div(sub(x, num(x, 4)), add(x, num(x, 4)))
  return div(mul(exp("f64", neg(square), neg(lost)), polynomial(t, ERFC)), add(num(x, 1), add(x, x)))
}

/** By one formula for results in f64 and a shorter one for those in f32; both compute in f64. */
const either =
  (long: (x: Expr) => Expr, short: (x: Expr) => Expr) =>
  (x: Expr): Expr =>
    wide(y => (x.t === "f32" ? short : long)(y!))(x)

export const erf = /*@__PURE__*/ either(x => {
  const a = abs(x)
  const one = num(a, 1)
  return odd(x, select(lt(a, one), nearErf(a), sub(one, farErfc(a))))
}, f32.erf)
/** erfc(x), or erfc(x + low) */
function complement(x: Expr, low?: Expr): Expr {
  const a = abs(x)
  const [zero, one, two] = [num(a, 0), num(a, 1), num(a, 2)]
  const negative = lt(x, zero)
  const far = farErfc(a, low && select(negative, neg(low), low))
  const near = nearErf(a)
  return select(lt(a, num(a, 0.5)), select(negative, add(one, near), sub(one, near)), select(negative, sub(two, far), far))
}
export const erfc = /*@__PURE__*/ either(x => complement(x), f32.erfc)

/** sqrt(1/2), and what that lacks */
const ROOT_HALF = [Math.SQRT1_2, -4.833646656726457e-17] as const
/** A constant as a number of the type of `x` and what that lacks. */
const inParts = (x: Expr, [c, lost]: readonly [number, number]): Pair => {
  const most = x.t === "f32" ? Math.fround(c) : c
  return [num(x, most), num(x, c - most + lost)]
}
/** The share of the normal distribution below x, erfc(-x / sqrt(2)) / 2, in f64. */
function below(x: Expr): Expr {
  const a = clamp(x, -40, 40) // beyond, it is 0 or 1
  const [z, low] = product([neg(a), num(a, 0)], inParts(a, ROOT_HALF))
  return mul(complement(z, low), num(a, 0.5))
}
export const normalCdf = /*@__PURE__*/ either(below, f32.below)
/** x times the share of the normal distribution below x */
export const gelu = /*@__PURE__*/ either(
  x => mul(x, below(x)),
  x => mul(x, f32.below(x)),
)
/** c0 and c1 of c0 x + c1 x^3 = 2 sqrt(2/pi) (x + 0.044715 x^3), and what they lack */
export const BY_TANH = [
  [1.5957691216057308, -9.96930880911092e-17],
  [0.07135481627260025, -6.175149918155315e-19],
] as const
/** c0 x + c1 x^3 in two parts: what the sum lacks is multiplied by the sum itself in an exponential. */
function byTanh(x: Expr): Pair {
  const a = clamp(x, -40, 40) // beyond, half of it is enough to make its exponential 0
  const [c0, c1] = BY_TANH.map(c => inParts(a, c)) as [Pair, Pair]
  const square = product([a, num(a, 0)], [a, num(a, 0)])
  return product([a, num(a, 0)], sum(c0, product(c1, square)))
}
/** (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2 as the logistic function of twice that, which is accurate where the sum cancels. */
export function normalCdfByTanh(x: Expr): Expr {
  const [z, low] = byTanh(x)
  const y = op("sigmoid", z)
  return add(y, mul(mul(y, sub(num(y, 1), y)), low))
}
/** x times that */
export function geluByTanh(x: Expr): Expr {
  const [z, low] = byTanh(x)
  return gated(x, z, low)
}

/** erfinv(x)/x for w = -log(1 - x^2) <= 6, within 2^-23. */
const CENTRE = [
  0.8862268471369487, 0.23201609819920907, 0.011536962622408891, -0.0023112154873896323, -0.00015029235209029862, 5.721880595736522e-5,
  -1.3705806443340212e-7, -1.1949241505722888e-6, 1.411119700720005e-7, -5.38603370768098e-9,
] as const
/** erfinv(x)/x for s = sqrt(w) <= 6.2, within 2^-23. */
const TAIL = [
  3.940912782976433, -7.050718733638105, 7.077634766009395, -3.6646675457711604, 1.231695354866963, -0.2792405315339203,
  0.042988904334971705, -0.004402836042838522, 0.0002836549280125034, -1.015992315622458e-5, 1.4674478075149573e-7,
] as const
/** A polynomial in log(1 - x^2), as M. Giles has it (GPU Computing Gems, 2011), and one of Halley's steps: f'' = -2y f' for f = erf - x. */
export const erfinv = /*@__PURE__*/ wide(x => {
  const a = abs(x!)
  const one = num(a, 1)
  const w = neg(log("f64", mul(sub(one, a), add(one, a))))
  const y = mul(a, select(le(w, num(a, 6)), polynomial(w, CENTRE), polynomial(sqrt(w), TAIL)))
  const off = select(lt(y, num(a, 0.5)), sub(nearErf(y), a), sub(sub(one, a), farErfc(y)))
  const d = div(mul(off, num(a, Math.sqrt(Math.PI) / 2)), exp("f64", neg(mul(y, y))))
  const size = sub(y, div(d, add(one, mul(y, d))))
  return odd(x!, select(lt(a, one), size, select(le(a, one), num(a, Infinity), num(a, Number.NaN))))
})
