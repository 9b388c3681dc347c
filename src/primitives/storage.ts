// Conversions from and to the types that are only stored. A kernel holds their elements as i32: the number of a u8, the bits of an f16 or
// bf16, which are sign, exponent and fraction. What happens to these bits is written in scalar operations, so that engines agree on it.
import { type Concrete, installConversion } from "../core/concrete.ts"
import { type Dtype, fractionOf, heldAs, isFloating } from "../core/dtype.ts"
import { DtypeError } from "../core/errors.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1, bottom, type Tensor } from "../core/tensor.ts"
import { cast as castExpr, constant, type Expr, op } from "../ir/expr.ts"
import { abs, add, and, clamp, div, eq, exponent, lt, max, min, mul, ne, nearest, neg, num, or, pow2, select, sub } from "../ir/machine.ts"
import { definePrimitive } from "./define.ts"
import { cast } from "./elementwise.ts"

const shift = (x: Expr, name: "shl" | "shr", by: number): Expr => op(name, x, num(x, by))
/** What is added to exponents: 15 or 127. */
const biasOf = (m: number): number => 16383 >> m

/** The number whose sign, exponent and `m` bits of fraction are `bits`, as f32, which has them all. */
function decoded(bits: Expr, m: number): Expr {
  const bias = biasOf(m)
  const top = 2 * bias + 1
  const field = and(shift(bits, "shr", m), num(bits, top))
  const fraction = and(bits, num(bits, 2 ** m - 1))
  const isSmall = eq(field, num(field, 0))
  // of 1 + fraction, or of the fraction alone where the exponent is the least
  const digits = castExpr("f32", select(isSmall, fraction, or(fraction, num(bits, 2 ** m))))
  const e = castExpr("f32", sub(clamp(field, 1, top - 1), num(field, bias)))
  const finite = mul(mul(digits, num(digits, 2 ** -m)), pow2(e))
  const special = select(eq(fraction, num(fraction, 0)), num(finite, Infinity), num(finite, Number.NaN))
  const magnitude = select(eq(field, num(field, top)), special, finite)
  return select(ne(and(bits, num(bits, 0x8000)), num(bits, 0)), neg(magnitude), magnitude)
}

/**
 * The bits of a floating-point `x`, rounded to nearest, ties to even. Counted in units of the last place above 2^e, with e the exponent of
 * x or the least one, a number is its fraction and the bit in front of it: a carry runs into the exponent as it should, up to infinity.
 */
function encoded(x: Expr, m: number): Expr {
  const bias = biasOf(m)
  // rounds to infinity; 2^128 itself is no f32
  const a = min(abs(x), num(x, m === 7 ? (2 - 2 ** -23) * 2 ** 127 : 2 ** 16))
  const e = exponent(max(a, num(x, 2 ** (1 - bias))))
  // in two steps, because 2^(m - e) may be too large
  const units = nearest(mul(mul(a, pow2(sub(num(e, 1), e))), num(x, 2 ** (m - 1))))
  const magnitude = add(castExpr("i32", add(mul(e, num(e, 2 ** m)), units)), constant("i32", (bias - 1) * 2 ** m))
  const bits = select(eq(x, x), magnitude, constant("i32", (0xffff << (m - 1)) & 0x7fff))
  const isNegative = or(lt(x, num(x, 0)), lt(div(num(x, 1), x), num(x, 0)))
  return or(bits, select(isNegative, constant("i32", 0x8000), constant("i32", 0)))
}

/** u8 as i32; f16 and bf16 as f32. All exactly. */
export const decodeP: Primitive<null> = /*@__PURE__*/ definePrimitive<null>({
  name: "decode",
  shape([x]) {
    return { shape: x!.shape, dtype: x!.dtype === "u8" ? "i32" : "f32" }
  },
  at([x], idx, _p, [a]) {
    const bits = x!(idx)
    const m = fractionOf(a!.dtype)
    return m ? decoded(bits, m) : bits
  },
  push: [t => t],
})
export const decode = (x: Tensor): Tensor => bind1(decodeP, [x], null)

/**
 * i32 as u8, f32 and f64 as f16 and bf16. The derivative is that of a number that is not rounded; it is an f32, so that it is not
 * rounded either.
 */
export const encodeP: Primitive<{ dtype: Dtype }> = /*@__PURE__*/ definePrimitive<{ dtype: Dtype }>({
  name: "encode",
  shape([x], { dtype }) {
    if (dtype === "u8" ? x!.dtype !== "i32" : !isFloating(x!.dtype))
      throw new DtypeError("cast", `to ${dtype} wants ${dtype === "u8" ? "i32" : "floating point"}`, [x!])
    return { shape: x!.shape, dtype }
  },
  at([x], idx, { dtype }) {
    const value = x!(idx)
    const m = fractionOf(dtype)
    return m ? encoded(value, m) : clamp(value, 0, 255)
  },
  push: [t => cast(t, "f32")],
})

/** `x` as any dtype: what is only stored by way of what is computed with. */
export function convert(x: Tensor, dtype: Dtype): Tensor {
  installConversion(convertNow)
  if (x.dtype === dtype) return cast(x, dtype)
  if (heldAs(x.dtype) !== x.dtype) return convert(decode(x), dtype)
  if (heldAs(dtype) === dtype) return cast(x, dtype)
  // i32 has more digits than f32
  const from = dtype === "u8" ? "i32" : isFloating(x.dtype) ? x.dtype : "f64"
  return bind1(encodeP, [cast(x, from)], { dtype })
}

/** How numbers of 16 bits are read and written, also where everything else is being recorded: as an operation outside of all stages. */
export const convertNow = (x: Concrete, dtype: Dtype): Concrete =>
  (fractionOf(dtype) ? bottom().process(encodeP, [x], { dtype }) : bottom().process(decodeP, [x], null))[0] as Concrete
