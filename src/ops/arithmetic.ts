// Elementwise functions. Shapes are aligned as in NumPy; dtypes must agree; numbers take the dtype of the tensor.
import { type Dtype, isFloating } from "../core/dtype.ts"
import { DtypeError } from "../core/errors.ts"
import { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { align, alignShapes, lift, type Operand, promote } from "./align.ts"
import { wantDtype } from "./create.ts"

export type Unary = (x: Operand) => Tensor
export type Binary = (x: Operand, y: Operand) => Tensor
export const unary =
  (name: string, f: (x: Tensor) => Tensor): Unary =>
  x =>
    f(lift(name, x))
export const binary =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) => {
    const [a, b] = align(name, [x, y]) as [Tensor, Tensor]
    return f(a, b)
  }

/** x + y */
export const add: Binary = /*@__PURE__*/ binary("add", p.add)
/** x - y */
export const sub: Binary = /*@__PURE__*/ binary("sub", p.sub)
/** x * y */
export const mul: Binary = /*@__PURE__*/ binary("mul", p.mul)
/** x / y (floating point) */
export const div: Binary = /*@__PURE__*/ binary("div", p.div)
/** The larger of x and y, NaN if one is. The derivative is shared equally where they are equal. */
export const maximum: Binary = /*@__PURE__*/ binary("maximum", p.maximum)
/** The smaller of x and y, NaN if one is. The derivative is shared equally where they are equal. */
export const minimum: Binary = /*@__PURE__*/ binary("minimum", p.minimum)
/** x < y, as bool */
export const less: Binary = /*@__PURE__*/ binary("less", p.lt)
/** x <= y, as bool */
export const lessEqual: Binary = /*@__PURE__*/ binary("lessEqual", p.le)
/** x > y, as bool */
export const greater: Binary = /*@__PURE__*/ binary("greater", (x, y) => p.lt(y, x))
/** x >= y, as bool */
export const greaterEqual: Binary = /*@__PURE__*/ binary("greaterEqual", (x, y) => p.le(y, x))
/** x = y, as bool */
export const equal: Binary = /*@__PURE__*/ binary("equal", p.eq)
/** x != y, as bool */
export const notEqual: Binary = /*@__PURE__*/ binary("notEqual", (x, y) => p.not(p.eq(x, y)))
/** Both, on bool; bit by bit on i32 */
export const logicalAnd: Binary = /*@__PURE__*/ binary("logicalAnd", p.and)
/** Either, on bool; bit by bit on i32 */
export const logicalOr: Binary = /*@__PURE__*/ binary("logicalOr", p.or)
/** One but not both, on bool; bit by bit on i32 */
export const logicalXor: Binary = /*@__PURE__*/ binary("logicalXor", p.xor)
/** Not, on bool; bit by bit on i32 */
export const logicalNot: Unary = /*@__PURE__*/ unary("logicalNot", p.not)

/** -x */
export const neg: Unary = /*@__PURE__*/ unary("neg", p.neg)
/** |x|, with derivative 0 at 0 */
export const abs: Unary = /*@__PURE__*/ unary("abs", p.abs)
/** -1, 0 or 1, with derivative 0 */
export const sign: Unary = /*@__PURE__*/ unary("sign", p.sign)
/** The largest whole number <= x, with derivative 0 */
export const floor: Unary = /*@__PURE__*/ unary("floor", p.floor)
/** e^x */
export const exp: Unary = /*@__PURE__*/ unary("exp", p.exp)
/** e^x - 1, accurate near 0 */
export const expm1: Unary = /*@__PURE__*/ unary("expm1", p.expm1)
/** The natural logarithm */
export const log: Unary = /*@__PURE__*/ unary("log", p.log)
/** log(1 + x), accurate near 0 */
export const log1p: Unary = /*@__PURE__*/ unary("log1p", p.log1p)
/** The sine of x radians */
export const sin: Unary = /*@__PURE__*/ unary("sin", p.sin)
/** The cosine of x radians */
export const cos: Unary = /*@__PURE__*/ unary("cos", p.cos)
/** The hyperbolic tangent */
export const tanh: Unary = /*@__PURE__*/ unary("tanh", p.tanh)
/** The square root */
export const sqrt: Unary = /*@__PURE__*/ unary("sqrt", p.sqrt)
/** x * x */
export const square: Unary = x => mul(x, x)
/** The value of x, with no derivative. */
export const stopGradient: Unary = /*@__PURE__*/ unary("stopGradient", p.stopGradient)

/**
 * x^y; whole exponents are right for negative x too. Those that take few products (-2 to 5) are products, and 0.5 is the square root;
 * with more of them the roundings would add up.
 */
export function pow(x: Operand, y: Operand): Tensor {
  if (typeof y !== "number" || typeof x === "number") return binary("pow", p.pow)(x, y)
  const floating = isFloating(x.dtype)
  if (!Number.isInteger(y) && !floating) throw new DtypeError("pow", `wants floating point for the exponent ${y}`, [x.aval])
  if (y === 0.5) return p.sqrt(x)
  const [least, most] = floating ? [-2, 5] : [-16, 16]
  if (!Number.isInteger(y) || y < least || y > most) return binary("pow", p.pow)(x, y)
  return y < 0 ? product(div(1, x), -y) : product(x, y)
}
/** x^n by squaring. */
function product(x: Tensor, n: number): Tensor {
  if (n === 0) return p.fullLike(x.aval, 1)
  if (n === 1) return x
  const half = product(x, n >> 1)
  return n % 2 === 0 ? p.mul(half, half) : p.mul(p.mul(half, half), x)
}

/** `x` where `condition`, else `y`; the branch not taken gets derivative 0, even where its own is infinite. */
export function where(condition: Tensor, x: Operand, y: Operand): Tensor {
  if (!(condition instanceof Tensor))
    throw new TypeError(
      `where: the condition must be a bool tensor, such as less(x, y); got ${typeof condition}. Choose by known values with ? :`,
    )
  const [a, b] = promote("where", [x, y]) as [Tensor, Tensor]
  const [c, u, v] = alignShapes("where", [condition, a, b]) as [Tensor, Tensor, Tensor]
  return p.select(c, u, v)
}
/**
 * x limited to [low, high], NaN if one of them is; `high` where low > high. The derivative is that of x inside, both bounds included,
 * as in PyTorch (equal shares there would be halves), and that of the bound outside.
 *
 * @example
 * grad((x: Tensor) => clip(x, -1, 1).sum())(tensor([-2, -1, 0, 1, 2]))  // [0, 1, 1, 1, 0]
 */
export function clip(x: Operand, low: Operand, high: Operand): Tensor {
  const [a, l, h] = align("clip", [x, low, high]) as [Tensor, Tensor, Tensor]
  return p.select(p.and(p.le(l, a), p.le(a, h)), a, p.minimum(p.maximum(a, l), h))
}

/** `x` with another dtype: to i32 truncates and saturates, to bool is `!= 0`. Throws TypeError for an unknown dtype. */
export function cast(x: Operand, dtype: Dtype): Tensor {
  wantDtype("cast", dtype)
  return p.cast(lift("cast", x), dtype)
}
