// Machine operations under their short names, for writing formulas.
import { compare, constant, type Expr, op } from "./expr.ts"

type Binary = (a: Expr, b: Expr) => Expr
export const add: Binary = (a, b) => op("add", a, b)
export const sub: Binary = (a, b) => op("sub", a, b)
export const mul: Binary = (a, b) => op("mul", a, b)
export const div: Binary = (a, b) => op("div", a, b)
export const min: Binary = (a, b) => op("min", a, b)
export const max: Binary = (a, b) => op("max", a, b)
export const and: Binary = (a, b) => op("and", a, b)
export const or: Binary = (a, b) => op("or", a, b)
export const lt: Binary = (a, b) => compare("lt", a, b)
export const le: Binary = (a, b) => compare("le", a, b)
export const eq: Binary = (a, b) => compare("eq", a, b)
export const ne: Binary = (a, b) => compare("ne", a, b)

type Unary = (x: Expr) => Expr
export const neg: Unary = x => op("neg", x)
export const abs: Unary = x => op("abs", x)
export const sqrt: Unary = x => op("sqrt", x)
export const floor: Unary = x => op("floor", x)
export const nearest: Unary = x => op("nearest", x)
export const pow2: Unary = k => op("pow2", k)
export const exponent: Unary = x => op("exponent", x)
export const mantissa: Unary = x => op("mantissa", x)

export const select = (condition: Expr, yes: Expr, no: Expr): Expr => op("select", condition, yes, no)
/** A number of the type of `x`. */
export const num = (x: Expr, value: number): Expr => constant(x.t, value)
export const clamp = (x: Expr, lo: number, hi: number): Expr => min(max(x, num(x, lo)), num(x, hi))

/** `c[0] + c[1] x + c[2] x^2 + ...` by Horner's rule. */
export function polynomial(x: Expr, c: readonly number[]): Expr {
  return c.slice(0, -1).reduceRight((p, v) => add(num(x, v), mul(x, p)), num(x, c.at(-1)!))
}
