// Elementwise primitives need only their scalar operation and its derivative.
import type { Aval } from "../core/aval.ts"
import { type Dtype, heldAs, isFloating, isNumeric } from "../core/dtype.ts"
import { DtypeError } from "../core/errors.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1, type Tensor } from "../core/tensor.ts"
import { cast as castExpr, compare, constant, type Expr, op, type ScalarOp, typed } from "../ir/expr.ts"
import * as formulas from "../ir/formulas.ts"
import { add, agree, avalOf, full, fullLike, known, zeros } from "./base.ts"
import { definePrimitive, type Short } from "./define.ts"

/** What operands may be, and how that is said. */
type Kind = readonly [want: string, fits: (t: Dtype) => boolean]
const floats: Kind = ["wants floating point", isFloating]
export const numbers: Kind = ["wants numbers (f32, f64 or i32)", isNumeric]
const computed: Kind = [`${numbers[0]} or bool`, t => heldAs(t) === t]
const bits: Kind = ["wants bool or i32", t => t === "bool" || t === "i32"]
const all: Kind = ["", () => true]

interface Rules extends Pick<Short<null>, "push" | "pull"> {
  /** What operands may be. Default: floating point. */
  readonly of?: Kind
  /** Dtype of the output where it is not that of the operands. */
  readonly gives?: Dtype
  /** The output element. Default: the scalar operation called like the primitive. */
  readonly at?: (xs: readonly Expr[]) => Expr
}

export function elementwise(name: string, { of: [want, fits] = floats, gives, at, ...rules }: Rules): Primitive<null> {
  return definePrimitive<null>({
    name,
    shape(ins) {
      const a = agree(name, ins)
      if (!fits(a.dtype)) throw new DtypeError(name, want, ins)
      return gives ? { shape: a.shape, dtype: gives } : a
    },
    at(ins, idx) {
      const xs = ins.map(x => x(idx))
      return at ? at(xs) : op(name as ScalarOp, ...xs)
    },
    ...rules,
  })
}
export const unary =
  (p: Primitive<null>) =>
  (x: Tensor): Tensor =>
    bind1(p, [x], null)
export const binary =
  (p: Primitive<null>) =>
  (x: Tensor, y: Tensor): Tensor =>
    bind1(p, [x, y], null)
/** The constant 1, 2, ... of the type of `x`. */
const c = (x: Expr, value: number): Expr => constant(x.t, value)
export const like = (x: Tensor, value: number): Tensor => fullLike(x.aval, value)

export const negP: Primitive<null> = /*@__PURE__*/ elementwise("neg", { of: numbers, push: [t => neg(t)], pull: [ct => neg(ct)] })
export const neg = /*@__PURE__*/ unary(negP)
export const subP: Primitive<null> = /*@__PURE__*/ elementwise("sub", {
  of: numbers,
  push: [t => t, t => neg(t)],
  pull: [ct => ct, ct => neg(ct)],
})
export const sub = /*@__PURE__*/ binary(subP)
export const mulP: Primitive<null> = /*@__PURE__*/ elementwise("mul", {
  of: numbers,
  push: [(t, [, y]) => mul(t, y!), (t, [x]) => mul(x!, t)],
  pull: [(ct, [, y]) => mul(ct, known(y)), (ct, [x]) => mul(known(x), ct)],
})
export const mul = /*@__PURE__*/ binary(mulP)

/**
 * x * y, but 0 where x is 0, even if y is infinite or NaN. Primitives with unbounded derivative push their tangents through it,
 * so that a branch of `where` that was not taken sends back 0 and not NaN.
 */
export const mulNoNanP: Primitive<null> = /*@__PURE__*/ elementwise("mulNoNan", {
  at: ([x, y]) => typed(x!.t, "select", compare("eq", x!, c(x!, 0)), c(x!, 0), op("mul", x!, y!)),
  push: [(t, [, y]) => mulNoNan(t, y!), (t, [x]) => mulNoNan(x!, t)],
  pull: [(ct, [, y]) => mulNoNan(ct, known(y)), (ct, [x]) => mulNoNan(known(x), ct)],
})
export const mulNoNan = /*@__PURE__*/ binary(mulNoNanP)

// d(x / y) = dx / y - (x / y) dy / y
export const divP: Primitive<null> = /*@__PURE__*/ elementwise("div", {
  push: [(t, [, y]) => mulNoNan(t, recip(y!)), (t, [, y], q) => neg(mulNoNan(t, div(q, y!)))],
  pull: [(ct, [, y]) => mulNoNan(ct, recip(known(y))), null],
})
export const div = /*@__PURE__*/ binary(divP)
export const recip = (x: Tensor): Tensor => div(like(x, 1), x)

export const absP: Primitive<null> = /*@__PURE__*/ elementwise("abs", { of: numbers, push: [(t, [x]) => mul(t, sign(x!))] })
export const abs = /*@__PURE__*/ unary(absP)
/** -1, 0 or 1; NaN for NaN. */
export const signP: Primitive<null> = /*@__PURE__*/ elementwise("sign", {
  of: numbers,
  at: ([x]) => op("select", compare("lt", x!, c(x!, 0)), c(x!, -1), op("select", compare("lt", c(x!, 0), x!), c(x!, 1), x!)),
  push: [null],
})
export const sign = /*@__PURE__*/ unary(signP)
export const floorP: Primitive<null> = /*@__PURE__*/ elementwise("floor", { push: [null] })
export const floor = /*@__PURE__*/ unary(floorP)

export const expP: Primitive<null> = /*@__PURE__*/ elementwise("exp", { push: [(t, _xs, y) => mul(t, y)] })
export const exp = /*@__PURE__*/ unary(expP)
export const logP: Primitive<null> = /*@__PURE__*/ elementwise("log", { push: [(t, [x]) => mulNoNan(t, recip(x!))] })
export const log = /*@__PURE__*/ unary(logP)
/** exp(x) - 1 without cancellation. */
export const expm1P: Primitive<null> = /*@__PURE__*/ elementwise("expm1", {
  at: ([x]) => formulas.expm1(x!),
  push: [(t, _xs, y) => add(mul(t, y), t)],
})
export const expm1 = /*@__PURE__*/ unary(expm1P)
/** log(1 + x) without cancellation. */
export const log1pP: Primitive<null> = /*@__PURE__*/ elementwise("log1p", {
  at: ([x]) => formulas.log1p(x!),
  push: [(t, [x]) => mulNoNan(t, recip(add(x!, like(x!, 1))))],
})
export const log1p = /*@__PURE__*/ unary(log1pP)
export const sinP: Primitive<null> = /*@__PURE__*/ elementwise("sin", { push: [(t, [x]) => mul(t, cos(x!))] })
export const sin = /*@__PURE__*/ unary(sinP)
export const cosP: Primitive<null> = /*@__PURE__*/ elementwise("cos", { push: [(t, [x]) => neg(mul(t, sin(x!)))] })
export const cos = /*@__PURE__*/ unary(cosP)
export const tanhP: Primitive<null> = /*@__PURE__*/ elementwise("tanh", { push: [(t, _xs, y) => sub(t, mul(mul(t, y), y))] })
export const tanh = /*@__PURE__*/ unary(tanhP)
export const sqrtP: Primitive<null> = /*@__PURE__*/ elementwise("sqrt", { push: [(t, _xs, y) => mulNoNan(t, div(like(y, 0.5), y))] })
export const sqrt = /*@__PURE__*/ unary(sqrtP)
/** The logistic function 1 / (1 + exp(-x)). */
export const sigmoidP: Primitive<null> = /*@__PURE__*/ elementwise("sigmoid", { push: [(t, _xs, y) => mul(mul(t, y), sub(like(y, 1), y))] })
export const sigmoid = /*@__PURE__*/ unary(sigmoidP)
/** log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)); its derivative is the logistic function. */
export const softplusP: Primitive<null> = /*@__PURE__*/ elementwise("softplus", {
  at: ([x]) => formulas.softplus(x!),
  push: [(t, [x]) => mul(t, sigmoid(x!))],
})
export const softplus = /*@__PURE__*/ unary(softplusP)

// d x^y = y x^(y-1) dx + x^y log(x) dy; the first term is 0 where y is 0, the second one where x is 0
export const powP: Primitive<null> = /*@__PURE__*/ elementwise("pow", {
  push: [
    (t, [x, y]) => mulNoNan(t, mulNoNan(y!, pow(x!, sub(y!, like(y!, 1))))),
    (t, [x], z) => mulNoNan(t, mul(z, log(select(eq(x!, like(x!, 0)), like(x!, 1), x!)))),
  ],
})
export const pow = /*@__PURE__*/ binary(powP)

/** The share of each operand in the derivative of an extreme: 1, 0, or one half where they are equal. */
const share = (t: Tensor, x: Tensor, y: Tensor): Tensor => select(lt(y, x), t, select(eq(x, y), mul(t, like(t, 0.5)), zeros(t.aval)))
export const maximumP: Primitive<null> = /*@__PURE__*/ elementwise("maximum", {
  of: numbers,
  at: ([x, y]) => op("max", x!, y!),
  push: [(t, [x, y]) => share(t, x!, y!), (t, [x, y]) => share(t, y!, x!)],
})
export const maximum = /*@__PURE__*/ binary(maximumP)
export const minimumP: Primitive<null> = /*@__PURE__*/ elementwise("minimum", {
  of: numbers,
  at: ([x, y]) => op("min", x!, y!),
  push: [(t, [x, y]) => share(t, y!, x!), (t, [x, y]) => share(t, x!, y!)],
})
export const minimum = /*@__PURE__*/ binary(minimumP)

const comparison = (name: "lt" | "le" | "eq"): Primitive<null> =>
  elementwise(name, { of: computed, gives: "bool", at: ([x, y]) => compare(name, x!, y!), push: [null, null] })
export const ltP: Primitive<null> = /*@__PURE__*/ comparison("lt")
export const lt = /*@__PURE__*/ binary(ltP)
export const leP: Primitive<null> = /*@__PURE__*/ comparison("le")
export const le = /*@__PURE__*/ binary(leP)
export const eqP: Primitive<null> = /*@__PURE__*/ comparison("eq")
export const eq = /*@__PURE__*/ binary(eqP)
export const andP: Primitive<null> = /*@__PURE__*/ elementwise("and", { of: bits, push: [null, null] })
export const and = /*@__PURE__*/ binary(andP)
export const orP: Primitive<null> = /*@__PURE__*/ elementwise("or", { of: bits, push: [null, null] })
export const or = /*@__PURE__*/ binary(orP)
export const xorP: Primitive<null> = /*@__PURE__*/ elementwise("xor", { of: bits, push: [null, null] })
export const xor = /*@__PURE__*/ binary(xorP)
export const notP: Primitive<null> = /*@__PURE__*/ elementwise("not", { of: bits, push: [null] })
export const not = /*@__PURE__*/ unary(notP)
/** x >>> y: i32 bits moved right, zeros moved in. */
export const shiftRightP: Primitive<null> = /*@__PURE__*/ elementwise("shiftRight", {
  of: bits,
  at: ([x, y]) => op("shr", x!, y!),
  push: [null, null],
})
export const shiftRight = /*@__PURE__*/ binary(shiftRightP)

/** The value of `x` with no derivative. */
export const stopGradientP: Primitive<null> = /*@__PURE__*/ elementwise("stopGradient", { of: all, at: ([x]) => x!, push: [null] })
export const stopGradient = /*@__PURE__*/ unary(stopGradientP)

export const selectP: Primitive<null> = /*@__PURE__*/ definePrimitive<null>({
  name: "select",
  shape([cond, ...xs]) {
    if (cond!.dtype !== "bool") throw new DtypeError("where", "the condition must be bool", [cond!])
    const a = agree("where", xs)
    agree("where", [cond!, { ...a, dtype: "bool" }])
    return a
  },
  at: ([cond, x, y], idx) => op("select", cond!(idx), x!(idx), y!(idx)),
  push: [null, (t, [cond]) => select(cond!, t, zeros(t.aval)), (t, [cond]) => select(cond!, zeros(t.aval), t)],
  pull: [null, (ct, [cond]) => select(known(cond), ct, zeros(ct.aval)), (ct, [cond]) => select(known(cond), zeros(ct.aval), ct)],
})
export const select = (cond: Tensor, x: Tensor, y: Tensor): Tensor => bind1(selectP, [cond, x, y], null)

const castTo = (a: Aval): { dtype: Dtype; weak?: true } => ({ dtype: a.dtype, ...(a.weak && { weak: true as const }) })
/** Between floating-point types a linear map; integers and bool have no tangents. For what is only stored see `convert` in storage.ts. */
export const castP: Primitive<{ dtype: Dtype; weak?: true }> = /*@__PURE__*/ definePrimitive<{ dtype: Dtype; weak?: true }>({
  name: "cast",
  shape: ([x], p) => ({ shape: x!.shape, ...p }),
  at: ([x], idx, p) => castExpr(heldAs(p.dtype), x!(idx)),
  push: [(t, _xs, _y, p) => (isFloating(p.dtype) ? bind1(castP, [t], p) : full(t.shape, 0, p.dtype))],
  pull: [(ct, [x]) => bind1(castP, [ct], castTo(avalOf(x!)))],
})
export const cast = (x: Tensor, dtype: Dtype): Tensor => (x.dtype === dtype && !x.aval.weak ? x : bind1(castP, [x], { dtype }))
