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
const bitwise =
  <T extends readonly Tensor[]>(name: string, f: (...xs: T) => Tensor) =>
  (...xs: T): Tensor => {
    if (isFloating(xs[0]!.dtype)) throw new DtypeError(name, "wants bool or i32, such as less(x, y)", xs.map(x => x.aval)) // biome-ignore format: short
    return f(...xs)
  }

/** x + y @example add(tensor([1, 2]), 10)  // [11, 12] */
export const add: Binary = /*@__PURE__*/ binary("add", p.add)
/** x - y @example sub(1, tensor([1, 2]))  // [0, -1] */
export const sub: Binary = /*@__PURE__*/ binary("sub", p.sub)
/** x * y @example mul(tensor([1, 2]), tensor([[3], [4]]))  // [[3, 6], [4, 8]] */
export const mul: Binary = /*@__PURE__*/ binary("mul", p.mul)
/** x / y (floating point) @example div(tensor([1, 2]), 4)  // [0.25, 0.5] */
export const div: Binary = /*@__PURE__*/ binary("div", p.div)
/**
 * The larger of x and y, NaN if one is. The derivative is shared equally where they are equal.
 *
 * @example
 * maximum(tensor([1, 5]), 3)  // [3, 5]
 */
export const maximum: Binary = /*@__PURE__*/ binary("maximum", p.maximum)
/**
 * The smaller of x and y, NaN if one is. The derivative is shared equally where they are equal.
 *
 * @example
 * minimum(tensor([1, 5]), 3)  // [1, 3]
 */
export const minimum: Binary = /*@__PURE__*/ binary("minimum", p.minimum)
/** x < y, as bool @example less(tensor([1, 2]), 2)  // [1, 0] */
export const less: Binary = /*@__PURE__*/ binary("less", p.lt)
/** x <= y, as bool @example lessEqual(tensor([1, 2]), 2)  // [1, 1] */
export const lessEqual: Binary = /*@__PURE__*/ binary("lessEqual", p.le)
/** x > y, as bool @example greater(tensor([1, 2]), 1)  // [0, 1] */
export const greater: Binary = /*@__PURE__*/ binary("greater", (x, y) => p.lt(y, x))
/** x >= y, as bool @example greaterEqual(tensor([1, 2]), 2)  // [0, 1] */
export const greaterEqual: Binary = /*@__PURE__*/ binary("greaterEqual", (x, y) => p.le(y, x))
/** x = y, as bool @example equal(tensor([1, 2]), 2)  // [0, 1] */
export const equal: Binary = /*@__PURE__*/ binary("equal", p.eq)
/** x != y, as bool @example notEqual(tensor([1, 2]), 2)  // [1, 0] */
export const notEqual: Binary = /*@__PURE__*/ binary("notEqual", (x, y) => p.not(p.eq(x, y)))
/** Both, on bool; bit by bit on i32 @example logicalAnd(tensor([true, false]), tensor([true, true]))  // [1, 0] */
export const logicalAnd: Binary = /*@__PURE__*/ binary("logicalAnd", bitwise("logicalAnd", p.and))
/** Either, on bool; bit by bit on i32 @example logicalOr(tensor([true, false]), tensor([false, false]))  // [1, 0] */
export const logicalOr: Binary = /*@__PURE__*/ binary("logicalOr", bitwise("logicalOr", p.or))
/** One but not both, on bool; bit by bit on i32 @example logicalXor(tensor([true, false]), tensor([true, true]))  // [0, 1] */
export const logicalXor: Binary = /*@__PURE__*/ binary("logicalXor", bitwise("logicalXor", p.xor))
/** Not, on bool; bit by bit on i32 @example logicalNot(tensor([true, false]))  // [0, 1] */
export const logicalNot: Unary = /*@__PURE__*/ unary("logicalNot", bitwise("logicalNot", p.not))

/** -x @example neg(tensor([1, -2]))  // [-1, 2] */
export const neg: Unary = /*@__PURE__*/ unary("neg", p.neg)
/** |x|, with derivative 0 at 0 @example abs(tensor([1, -2]))  // [1, 2] */
export const abs: Unary = /*@__PURE__*/ unary("abs", p.abs)
/** -1, 0 or 1, with derivative 0 @example sign(tensor([3, 0, -2]))  // [1, 0, -1] */
export const sign: Unary = /*@__PURE__*/ unary("sign", p.sign)
/** The largest whole number <= x, with derivative 0 @example floor(tensor([1.5, -1.5]))  // [1, -2] */
export const floor: Unary = /*@__PURE__*/ unary("floor", p.floor)
/** e^x @example exp(tensor([0, 1]))  // [1, 2.718] */
export const exp: Unary = /*@__PURE__*/ unary("exp", p.exp)
/** e^x - 1, accurate near 0 @example expm1(tensor([0, 1e-6]))  // [0, 0.000001] */
export const expm1: Unary = /*@__PURE__*/ unary("expm1", p.expm1)
/** The natural logarithm @example log(tensor([1, 10]))  // [0, 2.303] */
export const log: Unary = /*@__PURE__*/ unary("log", p.log)
/** log(1 + x), accurate near 0 @example log1p(tensor([0, 1e-6]))  // [0, 0.000001] */
export const log1p: Unary = /*@__PURE__*/ unary("log1p", p.log1p)
/** The sine of x radians @example sin(tensor([0, 1]))  // [0, 0.8415] */
export const sin: Unary = /*@__PURE__*/ unary("sin", p.sin)
/** The cosine of x radians @example cos(tensor([0, 1]))  // [1, 0.5403] */
export const cos: Unary = /*@__PURE__*/ unary("cos", p.cos)
/** The hyperbolic tangent @example tanh(tensor([0, 1]))  // [0, 0.7616] */
export const tanh: Unary = /*@__PURE__*/ unary("tanh", p.tanh)
/** The square root @example sqrt(tensor([4, 9]))  // [2, 3] */
export const sqrt: Unary = /*@__PURE__*/ unary("sqrt", p.sqrt)
/** x * x @example square(tensor([3, -2]))  // [9, 4] */
export const square: Unary = x => mul(x, x)
/** The value of x, with no derivative. @example grad((x: Tensor) => x.mul(stopGradient(x)))(tensor(3))  // 3 */
export const stopGradient: Unary = /*@__PURE__*/ unary("stopGradient", p.stopGradient)

/**
 * x^y; whole exponents are right for negative x too. Those that take few products (-2 to 5) are products, and 0.5 is the square root;
 * with more of them the roundings would add up. i32 takes exponents from 0 to 16; others throw DtypeError.
 *
 * @example
 * pow(tensor([2, -3]), 3)  // [8, -27]
 */
export function pow(x: Operand, y: Operand): Tensor {
  if (typeof y !== "number" || typeof x === "number") return binary("pow", p.pow)(x, y)
  const floating = isFloating(x.dtype)
  if (!Number.isInteger(y) || y < -2 || y > (floating ? 5 : 16)) {
    if (!floating) throw new DtypeError("pow", `wants floating point for the exponent ${y}`, [x.aval])
    return y === 0.5 ? p.sqrt(x) : p.pow(x, p.fullLike(x.aval, y))
  }
  if (y < 0) return pow(div(1, x), -y)
  if (y === 0) {
    p.wantNumbers("pow", [x.aval])
    return p.fullLike(x.aval, 1)
  }
  const half = pow(x, y >> 1)
  if (y === 1) return x
  const even = p.mul(half, half)
  return y % 2 === 0 ? even : p.mul(even, x)
}

/** A number beside a tensor that is only stored becomes one like it. */
const bothStored = (x: Operand, y: Operand): Operand[] => {
  const like = [x, y].find(z => z instanceof Tensor && heldAs(z.dtype) !== z.dtype) as Tensor | undefined
  return [x, y].map(z => (like && typeof z === "number" ? p.convert(p.full([], z, "f64"), like.dtype) : z))
}
/**
 * `x` where `condition`, else `y`; the branch not taken gets derivative 0, even where its own is infinite.
 *
 * @example
 * where(less(tensor([1, -2]), 0), 0, tensor([1, -2]))  // [1, 0]
 */
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
  for (const bound of [low, high])
    if (typeof bound !== "number" && !(bound instanceof Tensor))
      throw new TypeError(`clip: wants clip(x, low, high); got ${typeof bound} as a limit. One limit alone: maximum or minimum`)
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
 * cast(tensor([1.7, -1.7]), "i32")                           // [1, -1]
 * cast(tensor([0.1, 65520]), "f16")                          // [0.09998, Infinity]
 * mul(cast(tensor(new Uint8Array([0, 51])), "f32"), 1 / 255)  // [0, 0.2]
 */
export function cast(x: Operand, dtype: Dtype): Tensor {
  wantDtype("cast", dtype)
  return p.convert(lift("cast", x), dtype)
}
