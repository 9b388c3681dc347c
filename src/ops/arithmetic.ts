// Elementwise functions. Shapes are aligned as in NumPy; dtypes must agree; numbers take the dtype of the tensor.
import { type Dtype, heldAs, isFloating, wantDtype } from "../core/dtype.ts"
import { DtypeError } from "../core/errors.ts"
import { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { align, alignShapes, lift, type Operand, promote } from "./align.ts"

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

/** x^y. Whole exponents up to 16 given as numbers are products, so that negative x is fine; 0.5 is the square root. */
export function pow(x: Operand, y: Operand): Tensor {
  if (typeof y !== "number" || typeof x === "number") return binary("pow", p.pow)(x, y)
  if (!Number.isInteger(y) && !isFloating(x.dtype)) throw new DtypeError("pow", `wants floating point for the exponent ${y}`, [x.aval])
  if (y === 0.5) return p.sqrt(x)
  if (!Number.isInteger(y) || Math.abs(y) > 16) return binary("pow", p.pow)(x, y)
  if (y < 0) return div(1, pow(x, -y))
  if (y === 0) {
    p.wantNumbers("pow", [x.aval])
    return p.fullLike(x.aval, 1)
  }
  const half = pow(x, y >> 1)
  if (y === 1) return x
  return y % 2 === 0 ? p.mul(half, half) : p.mul(p.mul(half, half), x)
}

/** A number beside a tensor that is only stored becomes one like it. */
const bothStored = (x: Operand, y: Operand): Operand[] => {
  const like = [x, y].find(z => z instanceof Tensor && heldAs(z.dtype) !== z.dtype) as Tensor | undefined
  return [x, y].map(z => (like && typeof z === "number" ? p.convert(p.full([], z, "f64"), like.dtype) : z))
}
/** `x` where `condition`, else `y`; the branch not taken gets derivative 0, even where its own is infinite. */
export function where(condition: Tensor, x: Operand, y: Operand): Tensor {
  if (!(condition instanceof Tensor))
    throw new TypeError(
      `where: the condition must be a bool tensor, such as less(x, y); got ${typeof condition}. Choose by known values with ? :`,
    )
  const [a, b] = promote("where", bothStored(x, y)) as [Tensor, Tensor]
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

/**
 * `x` with another dtype. Throws TypeError for an unknown one.
 *
 * - to i32 and u8 truncates and saturates, NaN gives 0; to bool is `!= 0`
 * - to f32, f16 (IEEE binary16) and bf16 (the upper half of an f32) rounds to nearest, ties to even; what is too large becomes Infinity
 *
 * Between floating-point types the derivative is that of the number as it is, not rounded: gradients pass through f16 and bf16 as f32.
 *
 * @example
 * cast(tensor([0.1, 65520]), "f16")                     // f16[2] [0.09998, Infinity]
 * mul(cast(tensor(pixels, { shape }), "f32"), 1 / 255)  // u8 -> f32
 */
export function cast(x: Operand, dtype: Dtype): Tensor {
  wantDtype("cast", dtype)
  return p.convert(lift("cast", x), dtype)
}
