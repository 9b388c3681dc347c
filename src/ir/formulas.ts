// exp, log, sin, cos, tanh and pow over machine operations. There is one definition for all engines, so results are the same
// bits everywhere. Special cases are selects: all of a formula is computed for every number.
//
// The polynomials are minimax (Remez exchange) for the stated error; everything else is textbook: J.-M. Muller, Elementary
// Functions, 3rd edition, chapters 9 and 11; the rearranged sums that keep the last bits are those of K. C. Ng's fdlibm.
import { fastTwoSum, type Pair, product, sum, twoProduct, twoSum } from "./double-double.ts"
import { cast, type Expr, type FloatType, type FormulaOp } from "./expr.ts"
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
const EXP = {
  f32: [0.5, 0.16666518, 0.041666206, 0.008368953, 0.0013950601],
  f64: [
    0.5000000000000013, 0.166666666666667, 0.04166666666651432, 0.008333333333307016, 0.0013888888947331149, 0.00019841269917795243,
    2.4801489590591825e-5, 2.7557215930316384e-6, 2.7631413797127684e-7, 2.511797929440889e-8,
  ],
} as const
/** Beyond these the result is 0 or infinite. */
const EXP_RANGE: Record<FloatType, [number, number]> = { f32: [-104, 89], f64: [-746, 710] }

/** e^(x + low) = y * 2^k, y near 1, k integral; `low` is a correction below the last bit of x. */
function expParts(t: FloatType, x: Expr, low?: Expr): { y: Expr; k: Expr } {
  const k = nearest(mul(x, num(x, Math.LOG2E)))
  const hi = sub(x, mul(k, num(x, LN2[t][0])))
  const tail = mul(k, num(x, LN2[t][1]))
  const lo = low ? sub(tail, low) : tail
  const r = sub(hi, lo)
  const lost = sub(sub(hi, r), lo)
  return { y: add(num(x, 1), add(r, add(mul(mul(r, r), polynomial(r, EXP[t])), lost))), k }
}
/** y * 2^k in two steps, so that 2^k may lie outside of the normal numbers and a denormal result is rounded once. */
function scale({ y, k }: { y: Expr; k: Expr }): Expr {
  const half = nearest(mul(k, num(k, 0.5)))
  return mul(mul(y, pow2(half)), pow2(sub(k, half)))
}
const exp = (t: FloatType, x: Expr): Expr => scale(expParts(t, clamp(x, ...EXP_RANGE[t])))

// log

/** (2 atanh(s) / s - 2) / z for z = s^2, |s| <= 3 - sqrt(8), within 2^-29.1 and 2^-57.9 where multiplied by z. */
const LOG = {
  f32: [0.66666776, 0.39977536, 0.29871863],
  f64: [
    0.6666666666666734, 0.3999999999941432, 0.28571428742474875, 0.2222219856348619, 0.18183564866615698, 0.15314035837080187,
    0.14796105420297972,
  ],
} as const
const SMALLEST_NORMAL = { f32: 2 ** -126, f64: 2 ** -1022 } as const
const LIFT = 54

/** x = m * 2^e with sqrt(1/2) <= m < sqrt(2), for positive finite x. */
function centred(t: FloatType, x: Expr): { m: Expr; e: Expr } {
  const denormal = lt(x, num(x, SMALLEST_NORMAL[t]))
  const lifted = select(denormal, mul(x, num(x, 2 ** LIFT)), x)
  const m = mantissa(lifted)
  const e = sub(exponent(lifted), select(denormal, num(x, LIFT), num(x, 0)))
  const large = le(num(x, Math.SQRT2), m)
  return { m: select(large, mul(m, num(x, 0.5)), m), e: select(large, add(e, num(x, 1)), e) }
}
/** With f = m - 1 and s = f / (2 + f): log m = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + z R(z))). */
function log(t: FloatType, x: Expr): Expr {
  const { m, e } = centred(t, x)
  const f = sub(m, num(x, 1))
  const s = div(f, add(f, num(x, 2)))
  const z = mul(s, s)
  const half = mul(num(x, 0.5), mul(f, f))
  const tail = add(mul(s, add(half, mul(z, polynomial(z, LOG[t])))), mul(e, num(x, LN2[t][1])))
  const y = sub(mul(e, num(x, LN2[t][0])), sub(sub(half, tail), f))
  const proper = and(lt(num(x, 0), x), lt(x, num(x, Infinity)))
  const improper = select(eq(x, num(x, 0)), num(x, -Infinity), select(lt(x, num(x, 0)), num(x, NaN), x))
  return select(proper, y, improper)
}

// tanh

/** Lambert's fraction tanh x = x - x z / (z + 3 + z/(5 + z/(7 + ...))), z = x^2, cut where it is exact to the type for |x| < 0.625. */
const LAMBERT = { f32: 4, f64: 7 } as const

/** x - x z B/(A + z B) near 0, else 1 - 2/(e^2x + 1); one division serves both. */
function tanh(t: FloatType, x: Expr): Expr {
  const a = abs(x)
  const z = mul(x, x)
  const [top, bottom] = lambert(z, LAMBERT[t])
  const small = lt(a, num(x, 0.625))
  const e = exp(t, add(a, a))
  const q = div(select(small, mul(mul(x, z), bottom), num(x, 2)), select(small, add(top, mul(z, bottom)), add(e, num(x, 1))))
  const far = sub(num(x, 1), q)
  const near = select(eq(x, num(x, 0)), x, sub(x, q)) // keeps -0
  return select(small, near, select(lt(x, num(x, 0)), neg(far), far))
}
/** A/B = 3 + z/(5 + z/(7 + ... z/(2n + 1))). */
function lambert(z: Expr, n: number): Pair {
  let [a, b] = [[2 * n + 1], [1]] // coefficients of A and B
  for (let k = n - 1; k >= 1; k--) {
    const next = a.map((c, i) => (2 * k + 1) * c + (i > 0 ? (b[i - 1] ?? 0) : 0))
    if (b.length === a.length) next.push(b.at(-1)!)
    ;[a, b] = [next, a]
  }
  return [polynomial(z, a), polynomial(z, b)]
}

// sin and cos

/** pi/2 in parts that end at bits 26, 53, 80 and 107, exact when multiplied by numbers up to 2^26, and what remains. */
const HALF_PI = [1.570796325802803, 9.92093629470503e-10, -4.97899623147991e-17, -1.9034889470454776e-25, -1.4973849048591698e-33] as const
/** pi/2 without its first part, rounded. */
const HALF_PI_REST = 9.920935796805404e-10
/** (sin(r)/r - 1) / z for z = r^2, |r| <= pi/4, within 2^-37.6 and 2^-57.2 where multiplied by z. */
const SIN = {
  f32: [-0.1666666664160689, 0.008333329383563397, -0.0001983933407722982, 2.718304178828945e-6],
  f64: [
    -0.16666666666666632, 0.008333333333322413, -0.00019841269829807805, 2.755731369191683e-6, -2.5050758115074574e-8,
    1.5896795641903494e-10,
  ],
} as const
/** (cos(r) - 1 + z/2) / z^2, within 2^-33.3 and 2^-59.9 where multiplied by z^2. */
const COS = {
  f32: [0.04166664685460284, -0.0013887366909997867, 2.4438379475165916e-5],
  f64: [
    0.0416666666666666, -0.0013888888888874125, 2.4801587289482205e-5, -2.755731435233683e-7, 2.0875723273616337e-9, -1.135964781634277e-11,
  ],
} as const

/**
 * sin(x + quarters pi/2). The reduction is made in f64 for both types and keeps all bits for |x| up to 2^26 pi/2, about 1.05e8.
 * Beyond, results stay within [-1, 1] but have an absolute error of about 2^-53 |x|.
 */
function sine(t: FloatType, x: Expr, quarters: 0 | 1): Expr {
  const wide = cast("f64", x)
  const [zero, one] = [num(wide, 0), num(wide, 1)]
  const k = nearest(mul(wide, num(wide, 2 / Math.PI)))
  const [reduced, rest] = t === "f32" ? [sub(less(wide, k, 0), mul(k, num(k, HALF_PI_REST))), zero] : remainder(wide, k)
  const [r, low] = [clamp(reduced, -1, 1), t === "f32" ? rest : clamp(rest, -(2 ** -50), 2 ** -50)]
  const z = mul(r, r)
  const half = mul(num(z, 0.5), z)
  const most = sub(one, half)
  const s = add(r, add(mul(mul(z, r), polynomial(z, SIN[t])), mul(low, most)))
  const lost = sub(sub(one, most), half)
  const c = add(most, add(lost, sub(mul(mul(z, z), polynomial(z, COS[t])), mul(r, low))))
  const turn = add(k, num(k, quarters))
  const q = sub(turn, mul(num(k, 4), floor(mul(turn, num(k, 0.25))))) // turn mod 4
  const y = select(or(eq(q, zero), eq(q, num(q, 2))), s, c)
  const signed = select(le(num(q, 2), q), neg(y), y)
  return cast(t, quarters === 0 ? select(eq(wide, zero), wide, signed) : signed) // keeps -0
}
const less = (x: Expr, k: Expr, part: number): Expr => sub(x, mul(k, num(k, HALF_PI[part]!)))
/** x - k pi/2 with an error of about 2^-135. */
function remainder(x: Expr, k: Expr): Pair {
  const exact = less(less(x, k, 0), k, 1)
  const [r1, e1] = twoSum(exact, neg(mul(k, num(k, HALF_PI[2]))))
  const [r2, e2] = twoSum(r1, neg(mul(k, num(k, HALF_PI[3]))))
  return fastTwoSum(r2, less(add(e1, e2), k, 4))
}

// pow

/** (atanh(s)/s - 1 - z/3) / z^2 for z = s^2, |s| <= 3 - sqrt(8), within 2^-65.9 where multiplied by z^2. */
const ATANH = [
  0.20000000000001128, 0.14285714285049625, 0.11111111259988651, 0.09090892181320935, 0.0769337876368899, 0.066284066853697,
  0.06598183944055376,
] as const
const THIRD = [1 / 3, 1.850371707708594e-17] as const

/** log x as a double-double for positive finite x of type f64. */
function longLog(x: Expr): Pair {
  const { m, e } = centred("f64", x)
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
  if (t === "f32") return cast("f32", exp("f64", mul(cast("f64", y), log("f64", cast("f64", a)))))
  const l = longLog(a)
  const p = twoProduct(y, l[0])
  const low = clamp(add(p[1], mul(y, l[1])), -(2 ** -40), 2 ** -40)
  return scale(expParts("f64", clamp(p[0], ...EXP_RANGE.f64), low))
}
/** x^y with the special cases of C's pow (C11, F.10.4.4). */
function pow(t: FloatType, x: Expr, y: Expr): Expr {
  const [zero, one, infinity] = [num(x, 0), num(x, 1), num(x, Infinity)]
  const a = abs(x)
  const negative = or(lt(x, zero), lt(div(one, x), zero))
  const whole = eq(floor(y), y)
  const half = mul(y, num(y, 0.5))
  const odd = and(whole, ne(floor(half), half))
  // No larger exponent is needed: beyond, a result other than 1 is 0 or infinite.
  const proper = power(t, a, clamp(y, -(2 ** 65), 2 ** 65))
  const grows = select(lt(y, zero), zero, infinity)
  const shrinks = select(lt(y, zero), infinity, zero)
  const size = select(eq(a, zero), shrinks, select(eq(a, infinity), grows, proper))
  const signed = select(and(negative, odd), neg(size), size)
  const undefined_ = or(or(ne(x, x), ne(y, y)), and(and(lt(x, zero), lt(a, infinity)), ne(floor(y), y)))
  return select(or(eq(y, zero), eq(x, one)), one, select(undefined_, num(x, NaN), signed))
}

/**
 * What a formula operation stands for. Largest errors measured (formulas.test.ts), in units of the last place:
 *
 * | | f32 | f64 | where |
 * |---|---|---|---|
 * | exp | 0.91 | 0.88 | everywhere, denormal results included |
 * | log | 0.84 | 0.81 | everywhere, denormal arguments included |
 * | sin, cos | 0.51 | 0.78 | absolute values up to 1e8 |
 * | tanh | 1.30 | 1.30 | everywhere |
 * | pow | 0.51 | 0.89 | everywhere |
 *
 * Special cases are those of C (C11, annex F.10).
 */
export const formulas: Readonly<Record<FormulaOp, (t: FloatType, ...args: Expr[]) => Expr>> = {
  exp: (t, x) => exp(t, x!),
  log: (t, x) => log(t, x!),
  sin: (t, x) => sine(t, x!, 0),
  cos: (t, x) => sine(t, x!, 1),
  tanh: (t, x) => tanh(t, x!),
  pow: (t, x, y) => pow(t, x!, y!),
}
