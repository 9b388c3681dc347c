// exp, log, sin, cos and their like over machine operations. There is one definition for all engines, so results are the same
// bits everywhere. Special cases are selects: all of a formula is computed for every number, but for the reduction of large angles.
//
// The polynomials are minimax (Remez exchange) for the stated error; everything else is textbook: J.-M. Muller, Elementary
// Functions, 3rd edition, chapters 9 and 11; the rearranged sums that keep the last bits are those of K. C. Ng's fdlibm.
import { valueIndex } from "./affine.ts"
import { fastTwoSum, type Pair, product, sum, twoProduct, twoSum } from "./double-double.ts"
import { type Bound, cast, constant, type Expr, type FloatType, type FormulaOp, guard, op } from "./expr.ts"
import {
  abs,
  add,
  and,
  clamp,
  div,
  eq,
  exponent,
  floor,
  le,
  lt,
  mantissa,
  max,
  min,
  mul,
  ne,
  nearest,
  neg,
  num,
  or,
  polynomial,
  pow2,
  select,
  sub,
} from "./machine.ts"

/** ln 2 in two parts; the first has few enough bits for exact products with every exponent. */
const LN2 = {
  f32: [0.693115234375, 3.1946184945309415e-5],
  f64: [0.6931471805598903, 5.497923018708371e-14],
} as const

// exp

/** (e^r - 1 - r) / r^2 for |r| <= ln(2)/2, within 2^-27.8 and 2^-56.7 where multiplied by r^2. */
export const EXP = {
  f32: [0.5, 0.16666518, 0.041666206, 0.008368953, 0.0013950601],
  f64: [
    0.5000000000000013, 0.166666666666667, 0.04166666666651432, 0.008333333333307016, 0.0013888888947331149, 0.00019841269917795243,
    2.4801489590591825e-5, 2.7557215930316384e-6, 2.7631413797127684e-7, 2.511797929440889e-8,
  ],
} as const
/** Beyond these the result is 0 or infinite. */
const EXP_RANGE: Record<FloatType, [number, number]> = { f32: [-104, 89], f64: [-746, 710] }

/** e^(x + low) = (1 + r + rest) * 2^k, k integral, |r| <= ln(2)/2; `low` is a correction below the last bit of x. */
function expParts(t: FloatType, x: Expr, low?: Expr): { r: Expr; rest: Expr; k: Expr } {
  const k = nearest(mul(x, num(x, Math.LOG2E)))
  const hi = sub(x, mul(k, num(x, LN2[t][0])))
  const tail = mul(k, num(x, LN2[t][1]))
  const lo = low ? sub(tail, low) : tail
  const r = sub(hi, lo)
  const lost = sub(sub(hi, r), lo)
  return { r, rest: add(mul(mul(r, r), polynomial(r, EXP[t])), lost), k }
}
/** y * 2^k in two steps, so that 2^k may lie outside of the normal numbers and a denormal result is rounded once. */
export function scale(y: Expr, k: Expr): Expr {
  const half = nearest(mul(k, num(k, 0.5)))
  return mul(mul(y, pow2(half)), pow2(sub(k, half)))
}
export function exp(t: FloatType, x: Expr, low?: Expr): Expr {
  const { r, rest, k } = expParts(t, clamp(x, ...EXP_RANGE[t]), low)
  return scale(add(num(x, 1), add(r, rest)), k)
}
/** e^x - 1 as 2^k times a number in two parts, (1 - 2^-k) + r + rest; x is no less than where the result is -1. */
export function expm1Parts(t: FloatType, x: Expr): { y: Pair; k: Expr } {
  const { r, rest, k } = expParts(t, x)
  const [y, lost] = fastTwoSum(sub(num(x, 1), pow2(max(neg(k), num(x, -64)))), r)
  return { y: fastTwoSum(y, add(lost, rest)), k }
}
/** e^x - 1. This, log1p and softplus are no formula operations but stand where they are used: a program carries what it calls. */
export function expm1(x: Expr): Expr {
  const t = x.t as FloatType
  const { y, k } = expm1Parts(t, clamp(x, -40, EXP_RANGE[t][1]))
  return keepZero(x, scale(y[0], k))
}
/** x where it is 0 or -0, else y. */
export const keepZero = (x: Expr, y: Expr): Expr => select(eq(x, num(x, 0)), x, y)
/** 1 / (1 + e^-x) as p / (p + p e^-x), where p, a power of 2, keeps both finite and the result is denormal at most once. */
function sigmoid(t: FloatType, x: Expr): Expr {
  const limit = -EXP_RANGE[t][0]
  const { r, rest, k } = expParts(t, clamp(neg(x), -limit, limit))
  const half = nearest(mul(k, num(k, 0.5)))
  const [p, h] = [pow2(sub(half, k)), pow2(half)]
  const [most, lost] = fastTwoSum(h, p) // matters where h > p only
  return div(p, add(most, add(lost, mul(h, add(r, rest)))))
}

// log

/** (atanh(s)/s - 1 - z/3) / z^2 for z = s^2, |s| <= 3 - sqrt(8), within 2^-65.9 where multiplied by z^2. */
const ATANH = [
  0.20000000000001128, 0.14285714285049625, 0.11111111259988651, 0.09090892181320935, 0.0769337876368899, 0.066284066853697,
  0.06598183944055376,
] as const
/** (2 atanh(s)/s - 2) / z, within 2^-29.1 in f32 where multiplied by z. */
const LOG = { f32: [0.66666776, 0.39977536, 0.29871863], f64: [2 / 3, ...ATANH.map(c => 2 * c)] }
const LIFT = 54

/** x = m * 2^e with sqrt(1/2) <= m < sqrt(2), for positive finite x. */
function centred(x: Expr): { m: Expr; e: Expr } {
  const small = lt(x, num(x, 2 ** -126)) // all denormals of both types
  const lifted = select(small, mul(x, num(x, 2 ** LIFT)), x)
  const m = mantissa(lifted)
  const e = sub(exponent(lifted), select(small, num(x, LIFT), num(x, 0)))
  const large = le(num(x, Math.SQRT2), m)
  return { m: select(large, mul(m, num(x, 0.5)), m), e: select(large, add(e, num(x, 1)), e) }
}
/** log x + low for positive finite x. With f = m - 1 and s = f / (2 + f): log m = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + z R(z))). */
function logFinite(t: FloatType, x: Expr, low?: Expr): Expr {
  const { m, e } = centred(x)
  const f = sub(m, num(x, 1))
  const s = div(f, add(f, num(x, 2)))
  const z = mul(s, s)
  const half = mul(num(x, 0.5), mul(f, f))
  const rest = mul(e, num(x, LN2[t][1]))
  const tail = add(mul(s, add(half, mul(z, polynomial(z, LOG[t])))), low ? add(rest, low) : rest)
  return sub(mul(e, num(x, LN2[t][0])), sub(sub(half, tail), f))
}
/** log x + low, by `finite` where x is positive and finite. */
export function log(t: FloatType, x: Expr, low?: Expr, finite = logFinite(t, x, low)): Expr {
  const [zero, infinity] = [num(x, 0), num(x, Infinity)]
  const improper = select(eq(x, zero), num(x, -Infinity), select(lt(x, zero), num(x, NaN), x))
  return select(and(lt(zero, x), lt(x, infinity)), finite, improper)
}
/** log u + low / u, where u + low = 1 + x exactly. */
export function log1p(x: Expr): Expr {
  const t = x.t as FloatType
  const [u, low] = twoSum(num(x, 1), x)
  return keepZero(x, log(t, u, div(low, u)))
}
/** (2 atanh(s)/s - 2) / z for z = s^2, |s| <= 1/5, within 2^-27.4 where multiplied by z. */
const LOG_TO_2 = [0.66666947, 0.39957833, 0.303604] as const
/** log(1 + f) for f32 numbers f in [0, 1]: as `logFinite` for 1 + f = (1 + g) 2^k, where g is exact and k is 0 or 1. */
function log1pTo1(f: Expr): Expr {
  const upper = le(num(f, 0.5), f)
  const g = select(upper, mul(sub(f, num(f, 1)), num(f, 0.5)), f)
  const s = div(g, add(g, num(f, 2)))
  const z = mul(s, s)
  const half = mul(num(f, 0.5), mul(g, g))
  const [hi, lo] = LN2.f32.map(part => select(upper, num(f, part), num(f, 0)))
  const tail = add(mul(s, add(half, mul(z, polynomial(z, LOG_TO_2)))), lo!)
  return sub(hi!, sub(sub(half, tail), g))
}
/** log(1 + e^x). */
export function softplus(x: Expr): Expr {
  const power = op("exp", neg(abs(x)))
  return add(max(x, num(x, 0)), x.t === "f32" ? log1pTo1(power) : log1p(power))
}

// tanh

/** m / (m + 2) for m = e^2x - 1, with what is lost in m and in the sum put back. No x beyond 20 makes it different from 1. */
function tanh(t: FloatType, x: Expr): Expr {
  const { y, k } = expm1Parts(t, min(mul(abs(x), num(x, 2)), num(x, 40)))
  const [m, low] = [mul(y[0], pow2(k)), mul(y[1], pow2(k))]
  const [d, lost] = twoSum(num(x, 2), m)
  const q = div(m, d)
  const slope = mul(sub(num(x, 1), q), num(x, 0.5)) // 1 / d
  const size = add(q, mul(slope, sub(low, mul(q, add(lost, low)))))
  return select(lt(num(x, 0), x), size, keepZero(x, neg(size)))
}

// sin and cos

/** (1 - sin(r)/r) / z for z = r^2, |r| <= pi/4, within 2^-27.9 and 2^-57.8 where multiplied by z. */
const SIN = {
  f32: [0.16666655, -0.008332188, 0.00019518095],
  f64: [
    0.1666666666666663, -0.00833333333332184, 0.0001984126982935851, -2.7557313538498483e-6, 2.505073438527639e-8, -1.5895432973633278e-10,
  ],
} as const
/** (cos(r) - 1 + z/2) / z^2, within 2^-32.9 and 2^-63.9 where multiplied by z^2. */
const COS = {
  f32: [0.041666646, -0.001388731, 2.4432327e-5],
  f64: [
    0.041666666666666595, -0.0013888888888873342, 2.4801587289002076e-5, -2.755731421703596e-7, 2.0875705395290315e-9,
    -1.1358749181412034e-11,
  ],
} as const

/** sin(x + quarters pi/2). */
const sine = (t: FloatType, x: Expr, quarters: 0 | 1): Expr => reduced(t, x, r => quadrant(t, r, quarters))
/** x = n pi/2 + r + low, |r| <= pi/4. */
interface Reduced {
  readonly n: Expr
  readonly r: Expr
  readonly low: Expr
}
/**
 * What `f` makes of x less whole quarters of a turn. Large angles take eight times as many operations as others and are rare, so they
 * stand behind a guard: a vector without one passes over them.
 */
export function reduced(t: FloatType, x: Expr, f: (r: Reduced) => Expr): Expr {
  const far = lt(num(x, t === "f32" ? 2 ** 10 : 2 ** 20), abs(x))
  return select(far, guard([where(far)], f(payneHanek(t, x))), f(codyWaite(t, x)))
}
/** The bound of a guard that holds where `condition` does. */
export const where = (condition: Expr): Bound => ({ i: valueIndex(select(condition, constant("i32", 0), constant("i32", 1))), n: 1 })
/** sin(r + low) = s - s1 and cos(r + low) = c + c1, where the second parts are small: [s, s1, c, c1]. */
export function sineAndCosine(t: FloatType, { r, low }: Reduced): readonly [Expr, Expr, Expr, Expr] {
  const one = num(r, 1)
  const z = mul(r, r)
  const half = mul(num(z, 0.5), z)
  const most = sub(one, half)
  const lost = sub(sub(one, most), half)
  const s1 = sub(mul(mul(r, z), polynomial(z, SIN[t])), mul(low, most))
  return [r, s1, most, add(lost, sub(mul(mul(z, z), polynomial(z, COS[t])), mul(r, low)))]
}
/** Whether a whole number is even. */
export const even = (n: Expr): Expr => {
  const half = mul(n, num(n, 0.5))
  return eq(floor(half), half)
}
function quadrant(t: FloatType, x: Reduced, quarters: number): Expr {
  const [s, s1, c, c1] = sineAndCosine(t, x)
  const n = add(x.n, num(x.n, quarters))
  const y = select(even(n), sub(s, s1), add(c, c1))
  return select(even(floor(mul(n, num(n, 0.5)))), y, neg(y))
}

/** pi/2 and 1/(2 pi) times 2^1280, by Machin's formula. */
function machin(): readonly [bigint, bigint] {
  const arccot = (n: bigint): bigint => {
    let [sum, power] = [0n, (1n << 1280n) / n]
    for (let k = 1n; power; k += 2n) {
      sum += power / k
      power /= -n * n
    }
    return sum
  }
  const quarter = 8n * arccot(5n) - 2n * arccot(239n)
  return [quarter, (1n << 2558n) / quarter]
}
let circle: readonly [bigint, bigint] | undefined
/** n bits of pi/2 or of 1/(2 pi) from bit `at` behind the point, over 2^places. */
const cut = (which: 0 | 1, at: number, n: number, places = at + n): number =>
  Number(BigInt.asUintN(n, (circle ??= machin())[which] >> BigInt(1280 - at - n))) * 2 ** -places
const DIGITS = { f32: 24, f64: 53 } as const

/** By subtracting parts of n pi/2, the first three exact (W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980). */
function codyWaite(t: FloatType, x: Expr): Reduced {
  const bits = DIGITS[t] >> 1
  const n = add(nearest(mul(x, num(x, 2 / Math.PI))), num(x, 0)) // + 0, or the sine of -0 would be 0
  const [a, b, c, d] = [bits, bits, bits, DIGITS[t]].map((m, i) => mul(n, num(n, cut(0, i * bits - 1, m)))) as [Expr, Expr, Expr, Expr]
  const [r, low] = fastTwoSum(sub(sub(x, a), b), neg(c))
  return { n, r, low: sub(low, d) }
}
/**
 * By multiplying with 1/(2 pi), less the words that only make whole turns, and exactly (M. H. Payne and R. N. Hanek, Radian
 * reduction for trigonometric functions, SIGNUM Newsletter 18, 1983).
 */
function payneHanek(t: FloatType, x: Expr): Reduced {
  const digits = DIGITS[t]
  const word = digits & -2
  let words = Array.from({ length: 23 }, (_, i) => num(x, cut(1, word * i, word, word)))
  for (let s = t === "f32" ? 4 : 16; s >= 1; s /= 2) {
    const beyond = le(num(x, 2 ** (digits - 1 + word * s)), abs(x))
    x = select(beyond, mul(x, num(x, 2 ** (-word * s))), x)
    words = words.slice(0, 4 + s).map((w, i) => (words[i + s] ? select(beyond, words[i + s]!, w) : w))
  }
  let n = num(x, 0)
  /** y less whole quarters, which count in n but for whole turns. */
  const rest = (y: Expr): Expr => {
    const k = nearest(y)
    n = add(n, sub(k, mul(nearest(mul(k, num(x, 0.25))), num(x, 4))))
    return sub(y, k)
  }
  let quarters: Pair = [n, n]
  words.forEach((w, i) => {
    for (const p of twoProduct(x, mul(w, num(x, 2 ** (2 - word * i))))) {
      const [hi, lo] = sum(quarters, [rest(p), num(x, 0)])
      quarters = [rest(hi), lo]
    }
  })
  const [r, low] = product(quarters, [num(x, cut(0, -1, digits)), num(x, cut(0, digits - 1, digits))])
  return { n, r, low }
}

// pow

const THIRD = [1 / 3, 1.850371707708594e-17] as const

/** log x as a double-double for positive finite x of type f64. */
export function longLog(x: Expr): Pair {
  const { m, e } = centred(x)
  const f = sub(m, num(x, 1))
  const d = fastTwoSum(num(x, 1), m) // 1 + m
  const quotient = div(f, d[0])
  const [p, lost] = twoProduct(quotient, d[0])
  const s: Pair = [quotient, div(sub(sub(sub(f, p), lost), mul(quotient, d[1])), d[0])]
  const z = product(s, s)
  const series = sum([num(x, THIRD[0]), num(x, THIRD[1])], [mul(z[0], polynomial(z[0], ATANH)), num(x, 0)])
  const twice: Pair = [add(s[0], s[0]), add(s[1], s[1])]
  const atanh2 = sum(twice, product(twice, product(z, series)))
  const whole = twoSum(mul(e, num(x, LN2.f64[0])), mul(e, num(x, LN2.f64[1])))
  return sum(whole, atanh2)
}
/** a^y for a >= 0. In f32 all is done in f64, which leaves some 20 bits to spare. */
function power(t: FloatType, a: Expr, y: Expr): Expr {
  if (t === "f32") return cast("f32", exp("f64", mul(cast("f64", y), logFinite("f64", cast("f64", a)))))
  const l = longLog(a)
  const p = twoProduct(y, l[0])
  const low = clamp(add(p[1], mul(y, l[1])), -(2 ** -40), 2 ** -40)
  return exp("f64", p[0], low)
}
/** x^y with the special cases of C's pow (C11, F.10.4.4). */
function pow(t: FloatType, x: Expr, y: Expr): Expr {
  const [zero, one, infinity] = [num(x, 0), num(x, 1), num(x, Infinity)]
  const a = abs(x)
  const negative = or(lt(x, zero), lt(div(one, x), zero))
  const whole = eq(floor(y), y)
  // No larger exponent is needed: beyond, a result other than 1 is 0 or infinite.
  const proper = power(t, a, clamp(y, -(2 ** 65), 2 ** 65))
  const grows = select(lt(y, zero), zero, infinity)
  const shrinks = select(lt(y, zero), infinity, zero)
  const size = select(eq(a, zero), shrinks, select(eq(a, infinity), grows, proper))
  const signed = select(and(negative, whole), select(even(y), size, neg(size)), size)
  const undefined_ = or(or(ne(x, x), ne(y, y)), and(and(lt(x, zero), lt(a, infinity)), ne(floor(y), y)))
  return select(or(eq(y, zero), eq(x, one)), one, select(undefined_, num(x, NaN), signed))
}

/**
 * What a formula operation stands for. Largest errors measured over all numbers, in units of the last place (docs/notes/02-transcendentals.md
 * says by what):
 *
 * | | f32 | f64 |
 * |---|---|---|
 * | exp | 0.90 | 0.87 |
 * | expm1 | 1.09 | 1.06 |
 * | log, log1p | 0.84 | 0.80 |
 * | sigmoid, softplus | 1.63 | 1.49 |
 * | sin, cos | 0.79 | 0.77 |
 * | tanh | 1.28 | 1.30 |
 * | pow | 0.51 | 0.88 |
 *
 * Special cases are those of C (C11, annex F.10).
 */
export const formulas: Readonly<Record<FormulaOp, (t: FloatType, ...args: Expr[]) => Expr>> = {
  exp,
  log,
  sigmoid,
  sin: (t, x) => sine(t, x!, 0),
  cos: (t, x) => sine(t, x!, 1),
  tanh,
  pow,
}
