// Powers and logarithms of other bases, roots, lengths and remainders. Unlike formulas.ts there is no table: a program that does not
// call a function does not carry it.
import { product, twoProduct } from "./double-double.ts"
import { cast, constant, type Expr, type FloatType, guard } from "./expr.ts"
import { EXP, keepZero, log, longLog, scale, softplus, where } from "./formulas.ts"
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
  mul,
  nearest,
  neg,
  num,
  or,
  polynomial,
  pow2,
  select,
  sqrt,
  sub,
} from "./machine.ts"

/** A formula in f64 for both types: f32 numbers are rounded once, at the end. */
export const wide =
  (f: (...xs: Expr[]) => Expr) =>
  (...xs: Expr[]): Expr =>
    cast(xs[0]!.t, f(...xs.map(x => cast("f64", x))))

/** f(x) for an odd function, from `size` = f(|x|); zeros keep their sign. */
export const odd = (x: Expr, size: Expr): Expr => keepZero(x, select(lt(x, num(x, 0)), neg(size), size))

/** 2^x: 2^k e^((x - k) ln 2) for the nearest k. */
export function exp2(x: Expr): Expr {
  const limited = x.t === "f32" ? clamp(x, -151, 129) : clamp(x, -1076, 1025)
  const k = nearest(limited)
  const r = mul(sub(limited, k), num(x, Math.LN2))
  return scale(add(num(x, 1), add(r, mul(mul(r, r), polynomial(r, EXP[x.t as FloatType])))), k)
}

/** log x / log b, where `factor` is 1 / log b: exact for whole powers of b. */
const logOfBase =
  (factor: readonly [number, number]) =>
  (x: Expr): Expr => {
    if (x.t === "f32") return cast("f32", mul(log("f64", cast("f64", x)), constant("f64", factor[0])))
    return log("f64", x, undefined, product(longLog(x), [num(x, factor[0]), num(x, factor[1])])[0])
  }
export const log2 = /*@__PURE__*/ logOfBase([Math.LOG2E, 2.0355273740931033e-17])
export const log10 = /*@__PURE__*/ logOfBase([Math.LOG10E, 1.098319650216765e-17])

/** log(e^x + e^y) = max(x, y) + log(1 + e^-|x - y|), whose terms may nearly cancel. */
export const logaddexp = /*@__PURE__*/ wide((x, y) => {
  const tie = and(eq(x!, y!), eq(abs(x!), num(x!, Infinity))) // an infinity less itself would be NaN
  const apart = select(tie, num(x!, 0), sub(x!, y!))
  return add(max(x!, y!), softplus(neg(abs(apart))))
})

/** z^(1/3) for 1 <= z < 8, within 2^-9.1; by scripts/minimax.py. */
const CBRT = [0.6273305461684827, 0.4491472435985382, -0.08375680768817785, 0.009581061185281113, -0.0004319596912728325] as const
/** y^3 = x by two of E. Halley's steps; the second one starts from y of 24 bits, whose square is exact. */
export const cbrt = /*@__PURE__*/ wide(x => {
  const a = abs(x)
  const small = lt(a, num(x, 2 ** -1022))
  const lifted = select(small, mul(a, num(x, 2 ** 54)), a)
  const e = exponent(lifted)
  const third = floor(mul(add(e, num(x, 0.5)), num(x, 1 / 3)))
  const z = mul(mantissa(lifted), pow2(sub(e, mul(third, num(x, 3)))))
  const first = polynomial(z, CBRT)
  const cube = mul(mul(first, first), first)
  const second = div(mul(first, add(cube, add(z, z))), add(add(cube, cube), z))
  const y = cast("f64", cast("f32", second))
  const quotient = div(z, mul(y, y))
  const root = add(y, mul(y, div(sub(quotient, y), add(add(y, y), quotient))))
  const size = mul(root, pow2(select(small, sub(third, num(x, 18)), third)))
  const signed = select(lt(x, num(x, 0)), neg(size), size)
  return select(and(lt(num(x, 0), a), lt(a, num(x, Infinity))), signed, x)
})

/** sqrt(x^2 + y^2), scaled by a power of 2 where squares would leave the range. Infinite if x or y is, even beside NaN (C11, F.10.4.3). */
export const hypot = /*@__PURE__*/ wide((x, y) => {
  const [a, b] = [abs(x!), abs(y!)]
  const most = max(a, b)
  const pick = (large: number, small: number): Expr =>
    select(lt(num(a, 2 ** 450), most), num(a, large), select(lt(most, num(a, 2 ** -450)), num(a, small), num(a, 1)))
  const factor = pick(2 ** -700, 2 ** 800)
  const [u, v] = [mul(a, factor), mul(b, factor)]
  const length = mul(sqrt(add(mul(u, u), mul(v, v))), pick(2 ** 700, 2 ** -800))
  const infinity = num(a, Infinity)
  return select(or(eq(a, infinity), eq(b, infinity)), infinity, length)
})

/** Bits of a quotient that one step of `modulo` takes. */
const STEP = 50
/** a mod b for finite a >= 0 and b > 0, exactly. Quotients beyond 2^50 are rare and stand behind a guard. */
function modulo(a: Expr, b: Expr, bits: number): Expr {
  /** r mod m for r < 2^50 m. Parts of exact products must not overflow. */
  const step = (r: Expr, m: Expr): Expr => {
    const large = lt(num(r, 2 ** 900), r)
    const factor = select(large, num(r, 2 ** -100), num(r, 1))
    const [x, y] = [mul(r, factor), mul(m, factor)]
    const [p, lost] = twoProduct(floor(div(x, y)), y)
    const rest = sub(sub(x, p), lost)
    const proper = select(lt(rest, num(r, 0)), add(rest, y), select(le(y, rest), sub(rest, y), rest))
    return select(le(m, r), mul(proper, select(large, num(r, 2 ** 100), num(r, 1))), r)
  }
  const multiples = [b]
  for (let n = STEP; n < bits; n += STEP) multiples.push(mul(multiples.at(-1)!, num(b, 2 ** STEP)))
  const [near, beyond] = [step(a, b), multiples[1]]
  if (!beyond) return near
  const far = le(beyond, a)
  return select(far, guard([where(far)], multiples.reduceRight(step, a)), near)
}
/** Bits of the largest quotient. */
const QUOTIENT = { f32: 277, f64: 2099, i32: 32, bool: 1 } as const
/** x - y floor(x / y): the remainder with the sign of y, as Python's %. */
export const remainder = (x: Expr, y: Expr): Expr =>
  wide((u, v) => {
    const [zero, infinity] = [num(u!, 0), num(u!, Infinity)]
    const [a, b] = [abs(u!), abs(v!)]
    const size = select(eq(b, infinity), a, modulo(a, b, QUOTIENT[x.t]))
    const differ = select(lt(u!, zero), lt(zero, v!), lt(v!, zero))
    const rest = select(and(differ, lt(zero, size)), sub(b, size), size)
    const negative = or(lt(v!, zero), lt(div(num(u!, 1), v!), zero))
    const defined = and(lt(a, infinity), lt(zero, b))
    return select(defined, select(negative, neg(rest), rest), num(u!, Number.NaN))
  })(x, y)
