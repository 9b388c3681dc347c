// Elementwise functions whose formulas stand beside the table of src/ir/formulas.ts: a program carries only those that it calls.
import type { Primitive } from "../core/primitive.ts"
import type { Tensor } from "../core/tensor.ts"
import * as erfs from "../ir/erf.ts"
import { type Expr, op } from "../ir/expr.ts"
import * as gates from "../ir/gates.ts"
import * as hyperbolic from "../ir/hyperbolic.ts"
import * as powers from "../ir/powers.ts"
import * as trigonometry from "../ir/trigonometry.ts"
import { add } from "./base.ts"
import {
  abs,
  and,
  binary,
  div,
  elementwise,
  eq,
  exp,
  like,
  mul,
  mulNoNan,
  neg,
  numbers,
  recip,
  select,
  sigmoid,
  softplus,
  sqrt,
  sub,
  tanh,
  unary,
} from "./elementwise.ts"

const of1 =
  (f: (x: Expr) => Expr) =>
  ([x]: readonly Expr[]): Expr =>
    f(x!)
const of2 =
  (f: (x: Expr, y: Expr) => Expr) =>
  ([x, y]: readonly Expr[]): Expr =>
    f(x!, y!)
const square = (x: Tensor): Tensor => mul(x, x)
/** x * c */
const times = (x: Tensor, c: number): Tensor => mul(x, like(x, c))
const plus = (x: Tensor, c: number): Tensor => add(x, like(x, c))

export const exp2P: Primitive<null> = /*@__PURE__*/ elementwise("exp2", {
  at: /*@__PURE__*/ of1(powers.exp2),
  push: [(t, _xs, y) => mul(t, times(y, Math.LN2))],
})
/** 2^x */
export const exp2 = /*@__PURE__*/ unary(exp2P)
export const log2P: Primitive<null> = /*@__PURE__*/ elementwise("log2", {
  at: /*@__PURE__*/ of1(powers.log2),
  push: [(t, [x]) => mulNoNan(t, div(like(x!, Math.LOG2E), x!))],
})
export const log2 = /*@__PURE__*/ unary(log2P)
export const log10P: Primitive<null> = /*@__PURE__*/ elementwise("log10", {
  at: /*@__PURE__*/ of1(powers.log10),
  push: [(t, [x]) => mulNoNan(t, div(like(x!, Math.LOG10E), x!))],
})
export const log10 = /*@__PURE__*/ unary(log10P)
export const cbrtP: Primitive<null> = /*@__PURE__*/ elementwise("cbrt", {
  at: /*@__PURE__*/ of1(powers.cbrt),
  push: [(t, _xs, y) => mulNoNan(t, recip(times(square(y), 3)))],
})
/** The cube root. */
export const cbrt = /*@__PURE__*/ unary(cbrtP)

export const tanP: Primitive<null> = /*@__PURE__*/ elementwise("tan", {
  at: /*@__PURE__*/ of1(trigonometry.tan),
  push: [(t, _xs, y) => mul(t, plus(square(y), 1))],
})
export const tan = /*@__PURE__*/ unary(tanP)
/** 1 / sqrt(1 - x^2) */
const arcSlope = (x: Tensor): Tensor => recip(sqrt(mul(sub(like(x, 1), x), plus(x, 1))))
export const asinP: Primitive<null> = /*@__PURE__*/ elementwise("asin", {
  at: /*@__PURE__*/ of1(trigonometry.asin),
  push: [(t, [x]) => mulNoNan(t, arcSlope(x!))],
})
export const asin = /*@__PURE__*/ unary(asinP)
export const acosP: Primitive<null> = /*@__PURE__*/ elementwise("acos", {
  at: /*@__PURE__*/ of1(trigonometry.acos),
  push: [(t, [x]) => neg(mulNoNan(t, arcSlope(x!)))],
})
export const acos = /*@__PURE__*/ unary(acosP)
export const atanP: Primitive<null> = /*@__PURE__*/ elementwise("atan", {
  at: /*@__PURE__*/ of1(trigonometry.atan),
  push: [(t, [x]) => mul(t, recip(plus(square(x!), 1)))],
})
export const atan = /*@__PURE__*/ unary(atanP)

/** The length of (x, y), or 1 where it is 0. */
const distance = (x: Tensor, y: Tensor, length = hypot(x, y)): Tensor => select(eq(length, like(length, 0)), like(length, 1), length)
export const atan2P: Primitive<null> = /*@__PURE__*/ elementwise("atan2", {
  at: /*@__PURE__*/ of2(trigonometry.atan2),
  push: [
    (t, [y, x]) => mul(t, div(div(x!, distance(x!, y!)), distance(x!, y!))),
    (t, [y, x]) => neg(mul(t, div(div(y!, distance(x!, y!)), distance(x!, y!)))),
  ],
})
/** The angle of the point (x, y); its derivative at the origin is 0. */
export const atan2 = /*@__PURE__*/ binary(atan2P)
export const hypotP: Primitive<null> = /*@__PURE__*/ elementwise("hypot", {
  at: /*@__PURE__*/ of2(powers.hypot),
  push: [(t, [x, y], h) => mul(t, div(x!, distance(x!, y!, h))), (t, [x, y], h) => mul(t, div(y!, distance(x!, y!, h)))],
})
/** sqrt(x^2 + y^2); its derivative at the origin is 0. */
export const hypot = /*@__PURE__*/ binary(hypotP)

export const sinhP: Primitive<null> = /*@__PURE__*/ elementwise("sinh", {
  at: /*@__PURE__*/ of1(hyperbolic.sinh),
  push: [(t, [x]) => mul(t, cosh(x!))],
})
export const sinh = /*@__PURE__*/ unary(sinhP)
export const coshP: Primitive<null> = /*@__PURE__*/ elementwise("cosh", {
  at: /*@__PURE__*/ of1(hyperbolic.cosh),
  push: [(t, [x]) => mul(t, sinh(x!))],
})
export const cosh = /*@__PURE__*/ unary(coshP)
export const asinhP: Primitive<null> = /*@__PURE__*/ elementwise("asinh", {
  at: /*@__PURE__*/ of1(hyperbolic.asinh),
  push: [(t, [x]) => mul(t, recip(hypot(x!, like(x!, 1))))],
})
export const asinh = /*@__PURE__*/ unary(asinhP)
export const acoshP: Primitive<null> = /*@__PURE__*/ elementwise("acosh", {
  at: /*@__PURE__*/ of1(hyperbolic.acosh),
  push: [(t, [x]) => mulNoNan(t, recip(mul(sqrt(plus(x!, -1)), sqrt(plus(x!, 1)))))],
})
export const acosh = /*@__PURE__*/ unary(acoshP)
export const atanhP: Primitive<null> = /*@__PURE__*/ elementwise("atanh", {
  at: /*@__PURE__*/ of1(hyperbolic.atanh),
  push: [(t, [x]) => mulNoNan(t, recip(mul(sub(like(x!, 1), x!), plus(x!, 1))))],
})
export const atanh = /*@__PURE__*/ unary(atanhP)

/** 2 / sqrt(pi) e^(-x^2) */
const bell = (x: Tensor): Tensor => times(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))
export const erfP: Primitive<null> = /*@__PURE__*/ elementwise("erf", {
  at: /*@__PURE__*/ of1(erfs.erf),
  push: [(t, [x]) => mul(t, bell(x!))],
})
export const erf = /*@__PURE__*/ unary(erfP)
export const erfcP: Primitive<null> = /*@__PURE__*/ elementwise("erfc", {
  at: /*@__PURE__*/ of1(erfs.erfc),
  push: [(t, [x]) => neg(mul(t, bell(x!)))],
})
export const erfc = /*@__PURE__*/ unary(erfcP)
export const erfinvP: Primitive<null> = /*@__PURE__*/ elementwise("erfinv", {
  at: /*@__PURE__*/ of1(erfs.erfinv),
  push: [(t, _xs, y) => mulNoNan(t, times(exp(square(y)), Math.sqrt(Math.PI) / 2))],
})
export const erfinv = /*@__PURE__*/ unary(erfinvP)

/** e^(-x^2 / 2) / sqrt(2 pi) */
const normalDensity = (x: Tensor): Tensor => times(exp(times(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
export const normalCdfP: Primitive<null> = /*@__PURE__*/ elementwise("normalCdf", {
  at: /*@__PURE__*/ of1(erfs.normalCdf),
  push: [(t, [x]) => mul(t, normalDensity(x!))],
})
/** The share of the normal distribution below x. */
export const normalCdf = /*@__PURE__*/ unary(normalCdfP)
/** The slope of the exponent; it is infinite only where that of the logistic function is 0. */
const byTanhRate = (x: Tensor): Tensor => plus(times(square(x), 3 * erfs.BY_TANH[1][0]), erfs.BY_TANH[0][0])
export const normalCdfByTanhP: Primitive<null> = /*@__PURE__*/ elementwise("normalCdfByTanh", {
  at: /*@__PURE__*/ of1(erfs.normalCdfByTanh),
  push: [(t, [x], y) => mulNoNan(mul(mul(t, y), sub(like(y, 1), y)), byTanhRate(x!))],
})
/** (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2 */
export const normalCdfByTanh = /*@__PURE__*/ unary(normalCdfByTanhP)

/** s + y (1 - s) rate: the derivative of x s(x) where s' = s (1 - s) rate */
const gateSlope = (y: Tensor, s: Tensor, rate?: Tensor): Tensor => {
  const rest = mul(y, sub(like(s, 1), s))
  return add(s, rate ? mulNoNan(rest, rate) : rest)
}
export const geluP: Primitive<null> = /*@__PURE__*/ elementwise("gelu", {
  at: /*@__PURE__*/ of1(erfs.gelu),
  push: [(t, [x]) => mul(t, add(normalCdf(x!), mulNoNan(normalDensity(x!), x!)))],
})
/** x times the share of the normal distribution below x. */
export const gelu = /*@__PURE__*/ unary(geluP)
export const geluByTanhP: Primitive<null> = /*@__PURE__*/ elementwise("geluByTanh", {
  at: /*@__PURE__*/ of1(erfs.geluByTanh),
  push: [(t, [x], y) => mul(t, gateSlope(y, normalCdfByTanh(x!), byTanhRate(x!)))],
})
/** x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2 */
export const geluByTanh = /*@__PURE__*/ unary(geluByTanhP)
export const swishP: Primitive<null> = /*@__PURE__*/ elementwise("swish", {
  at: /*@__PURE__*/ of1(gates.swish),
  push: [(t, [x], y) => mul(t, gateSlope(y, sigmoid(x!)))],
})
/** x / (1 + e^-x) */
export const swish = /*@__PURE__*/ unary(swishP)
export const mishP: Primitive<null> = /*@__PURE__*/ elementwise("mish", {
  at: /*@__PURE__*/ of1(gates.mish),
  push: [
    (t, [x]) => {
      const s = tanh(softplus(x!))
      return mul(t, add(s, mulNoNan(mul(sub(like(s, 1), square(s)), sigmoid(x!)), x!)))
    },
  ],
})
/** x tanh(log(1 + e^x)) */
export const mish = /*@__PURE__*/ unary(mishP)

/** The nearest whole number, the even one of two. */
export const roundP: Primitive<null> = /*@__PURE__*/ elementwise("round", { at: ([x]) => op("nearest", x!), push: [null] })
export const round = /*@__PURE__*/ unary(roundP)
/** x - y floor(x / y), exactly. */
export const remainderP: Primitive<null> = /*@__PURE__*/ elementwise("remainder", {
  of: numbers,
  at: /*@__PURE__*/ of2(powers.remainder),
  push: [t => t, (t, [x, y], r) => mul(t, round(div(sub(r, x!), y!)))],
})
export const remainder = /*@__PURE__*/ binary(remainderP)

/** x - y, but 0 for an infinity less itself. */
const gap = (x: Tensor, y: Tensor): Tensor => select(and(eq(x, y), eq(abs(x), like(x, Infinity))), like(x, 0), sub(x, y))
export const logaddexpP: Primitive<null> = /*@__PURE__*/ elementwise("logaddexp", {
  at: /*@__PURE__*/ of2(powers.logaddexp),
  push: [(t, [x, y]) => mul(t, sigmoid(gap(x!, y!))), (t, [x, y]) => mul(t, sigmoid(gap(y!, x!)))],
})
/** log(e^x + e^y) */
export const logaddexp = /*@__PURE__*/ binary(logaddexpP)
