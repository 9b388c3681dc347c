// Elementwise functions beyond arithmetic.ts, with the names and the meaning that NumPy and SciPy give them: floating point, shapes
// aligned, errors in units of the last place in docs/notes/03-array-language.md.
import { isFloating } from "../core/dtype.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { lift, type Operand, wantFloating } from "./align.ts"
import { type Binary, binary, type Unary, unary, where } from "./arithmetic.ts"

/** For what is put together from several functions: errors name it, not its parts. */
const floating = (name: string, f: (x: Tensor) => Tensor): Unary =>
  unary(name, x => {
    wantFloating(name, x)
    return f(x)
  })

/** 2^x @example exp2(tensor([3, -1]))  // [8, 0.5] */
export const exp2: Unary = /*@__PURE__*/ unary("exp2", p.exp2)
/** The logarithm to base 2, exact for powers of 2 @example log2(tensor([8, 0.5]))  // [3, -1] */
export const log2: Unary = /*@__PURE__*/ unary("log2", p.log2)
/** The logarithm to base 10, exact for powers of 10 @example log10(tensor([1000, 0.01]))  // [3, -2] */
export const log10: Unary = /*@__PURE__*/ unary("log10", p.log10)
/** The cube root, negative for negative x @example cbrt(tensor([27, -8]))  // [3, -2] */
export const cbrt: Unary = /*@__PURE__*/ unary("cbrt", p.cbrt)
/** 1 / x @example reciprocal(tensor([2, 4]))  // [0.5, 0.25] */
export const reciprocal: Unary = /*@__PURE__*/ floating("reciprocal", x => p.recip(x))
/** 1 / sqrt(x) @example rsqrt(tensor([4, 16]))  // [0.5, 0.25] */
export const rsqrt: Unary = /*@__PURE__*/ floating("rsqrt", x => p.recip(p.sqrt(x)))

/** The tangent of x radians @example tan(tensor([0, 1]))  // [0, 1.557] */
export const tan: Unary = /*@__PURE__*/ unary("tan", p.tan)
/** The angle in [-pi/2, pi/2] whose sine is x; NaN beyond 1 @example asin(tensor([0, 1]))  // [0, 1.571] */
export const asin: Unary = /*@__PURE__*/ unary("asin", p.asin)
/** The angle in [0, pi] whose cosine is x; NaN beyond 1 @example acos(tensor([1, 0]))  // [0, 1.571] */
export const acos: Unary = /*@__PURE__*/ unary("acos", p.acos)
/** The angle in [-pi/2, pi/2] whose tangent is x @example atan(tensor([0, 1]))  // [0, 0.7854] */
export const atan: Unary = /*@__PURE__*/ unary("atan", p.atan)
/**
 * atan2(y, x): the angle in [-pi, pi] of the point (x, y), signed zeros and infinities as in C. The derivative at the origin is 0.
 *
 * @example
 * atan2(tensor([1, -1]), -1)  // [2.356, -2.356]
 */
export const atan2: Binary = /*@__PURE__*/ binary("atan2", p.atan2)
/** sqrt(x^2 + y^2) without overflow. The derivative at the origin is 0. @example hypot(tensor([3, 5]), tensor([4, 12]))  // [5, 13] */
export const hypot: Binary = /*@__PURE__*/ binary("hypot", p.hypot)

/** (e^x - e^-x) / 2 @example sinh(tensor([0, 1]))  // [0, 1.175] */
export const sinh: Unary = /*@__PURE__*/ unary("sinh", p.sinh)
/** (e^x + e^-x) / 2 @example cosh(tensor([0, 1]))  // [1, 1.543] */
export const cosh: Unary = /*@__PURE__*/ unary("cosh", p.cosh)
/** The number whose sinh is x @example asinh(tensor([0, 1]))  // [0, 0.8814] */
export const asinh: Unary = /*@__PURE__*/ unary("asinh", p.asinh)
/** The number >= 0 whose cosh is x; NaN below 1 @example acosh(tensor([1, 2]))  // [0, 1.317] */
export const acosh: Unary = /*@__PURE__*/ unary("acosh", p.acosh)
/** The number whose tanh is x; NaN beyond 1 @example atanh(tensor([0, 0.5]))  // [0, 0.5493] */
export const atanh: Unary = /*@__PURE__*/ unary("atanh", p.atanh)

/** The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x @example erf(tensor([0, 1]))  // [0, 0.8427] */
export const erf: Unary = /*@__PURE__*/ unary("erf", p.erf)
/** 1 - erf(x), accurate where that is small @example erfc(tensor([0, 1]))  // [1, 0.1573] */
export const erfc: Unary = /*@__PURE__*/ unary("erfc", p.erfc)
/** The number whose erf is x; infinite at -1 and 1, NaN beyond @example erfinv(tensor([0, 0.5]))  // [0, 0.4769] */
export const erfinv: Unary = /*@__PURE__*/ unary("erfinv", p.erfinv)

/** The smallest whole number >= x, with derivative 0 @example ceil(tensor([1.5, -1.5]))  // [2, -1] */
export const ceil: Unary = /*@__PURE__*/ floating("ceil", x => p.neg(p.floor(p.neg(x))))
/** The nearest whole number, the even one of two equally near, with derivative 0 @example round(tensor([1.5, 2.5]))  // [2, 2] */
export const round: Unary = /*@__PURE__*/ unary("round", p.round)
/** x without its fraction, with derivative 0 @example trunc(tensor([1.5, -1.5]))  // [1, -1] */
export const trunc: Unary = /*@__PURE__*/ floating("trunc", x => p.select(p.lt(x, p.zeros(x.aval)), p.neg(p.floor(p.neg(x))), p.floor(x)))
/**
 * x - y floor(x / y), exactly: the remainder with the sign of y, as % of Python and `mod` of NumPy (% of JavaScript has that of x).
 * Floating point or i32; NaN (0 in i32) where y is 0.
 *
 * @example
 * remainder(tensor([-5, 5]), 3)  // [1, 2]
 */
export const remainder: Binary = /*@__PURE__*/ binary("remainder", p.remainder)

/** log(e^x + e^y) without overflow @example logaddexp(tensor([0, 1000]), tensor([0, 0]))  // [0.6931, 1000] */
export const logaddexp: Binary = /*@__PURE__*/ binary("logaddexp", p.logaddexp)
/** x log(y), and 0 where x is 0, unless y is NaN @example xlogy(tensor([0, 2]), tensor([0, 3]))  // [0, 2.197] */
export const xlogy: Binary = /*@__PURE__*/ binary("xlogy", (x, y) => {
  wantFloating("xlogy", x)
  return p.select(p.eq(y, y), p.mulNoNan(x, p.log(y)), p.add(x, y))
})

/** Whether x is NaN, as bool @example isNaN(tensor([NaN, 1]))  // [1, 0] */
const isNan: Unary = /*@__PURE__*/ unary("isNaN", x => p.not(p.eq(x, x)))
/** Whether x is neither infinite nor NaN, as bool @example isFinite(tensor([Infinity, 1]))  // [0, 1] */
const isFiniteNumber: Unary = /*@__PURE__*/ unary("isFinite", x =>
  isFloating(x.dtype) ? p.lt(p.abs(x), p.fullLike(x.aval, Infinity)) : p.eq(x, x),
)
/** Whether x is an infinity, as bool @example isInf(tensor([Infinity, NaN]))  // [1, 0] */
export const isInf: Unary = /*@__PURE__*/ unary("isInf", x =>
  isFloating(x.dtype) ? p.eq(p.abs(x), p.fullLike(x.aval, Infinity)) : p.not(p.eq(x, x)),
)
export { isFiniteNumber as isFinite, isNan as isNaN }

export interface NanToNumOptions {
  /** What NaN becomes. Default: 0. */
  readonly nan?: number
  /** What Infinity becomes. Default: the largest number of the dtype. */
  readonly posinf?: number
  /** What -Infinity becomes. Default: the smallest number of the dtype. */
  readonly neginf?: number
}
const LARGEST = { f32: 3.4028234663852886e38, f64: Number.MAX_VALUE } as const
/**
 * x with numbers in place of NaN and infinities, where the derivative is 0. Integers and bool stay as they are.
 *
 * @example
 * nanToNum(tensor([NaN, 1, -Infinity]), { neginf: -9 })  // [0, 1, -9]
 */
export function nanToNum(operand: Operand, { nan = 0, posinf, neginf }: NanToNumOptions = {}): Tensor {
  const x = lift("nanToNum", operand)
  if (x.dtype !== "f32" && x.dtype !== "f64") return x
  const largest = LARGEST[x.dtype]
  const infinite = where(p.lt(x, p.zeros(x.aval)), neginf ?? -largest, posinf ?? largest)
  return where(isFiniteNumber(x), x, where(isNan(x), nan, p.cast(infinite, x.dtype)))
}
