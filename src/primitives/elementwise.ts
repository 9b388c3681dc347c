// Elementwise primitives need only their scalar operation and its derivative.
import type { Aval } from "../core/aval.ts"
import { type Dtype, isFloating } from "../core/dtype.ts"
import { DtypeError } from "../core/errors.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1, type Tensor } from "../core/tensor.ts"
import { cast as castExpr, compare, constant, type Expr, op, type ScalarOp, typed } from "../ir/expr.ts"
import { add, agree, avalOf, full, fullLike, known, spread, zeros } from "./base.ts"
import { definePrimitive, type Short } from "./define.ts"

type Kind = "float" | "number" | "any" | "bits"
const wanted: Record<Kind, [string, (t: Dtype) => boolean]> = {
  float: ["wants floating point", isFloating],
  number: ["wants numbers", t => t !== "bool"],
  any: ["", () => true],
  bits: ["wants bool or i32", t => !isFloating(t)],
}

interface Rules extends Pick<Short<null>, "push" | "pull"> {
  /** What operands may be. Default: floating point. */
  readonly of?: Kind
  /** Dtype of the output where it is not that of the operands. */
  readonly gives?: Dtype
  /** The output element. Default: the scalar operation called like the primitive. */
  readonly at?: (xs: readonly Expr[]) => Expr
}

function elementwise(name: string, { of = "float", gives, at, ...rules }: Rules): Primitive<null> {
  const [want, fits] = wanted[of]
  const self: Primitive<null> = definePrimitive<null>({
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
    batch: (xs, mapped, _p, n) =>
      bind1(
        self,
        xs.map((x, i) => spread(x, mapped[i]!, n)),
        null,
      ),
    ...rules,
  })
  return self
}
const unary =
  (p: Primitive<null>) =>
  (x: Tensor): Tensor =>
    bind1(p, [x], null)
const binary =
  (p: Primitive<null>) =>
  (x: Tensor, y: Tensor): Tensor =>
    bind1(p, [x, y], null)
/** The constant 1, 2, ... of the type of `x`. */
const c = (x: Expr, value: number): Expr => constant(x.t, value)
const like = (x: Tensor, value: number): Tensor => fullLike(x.aval, value)

export const negP: Primitive<null> = elementwise("neg", { of: "number", push: [t => neg(t)], pull: [ct => neg(ct)] })
export const neg = unary(negP)
export const subP: Primitive<null> = elementwise("sub", {
  of: "number",
  push: [t => t, t => neg(t)],
  pull: [ct => ct, ct => neg(ct)],
})
export const sub = binary(subP)
export const mulP: Primitive<null> = elementwise("mul", {
  of: "number",
  push: [(t, [, y]) => mul(t, y!), (t, [x]) => mul(x!, t)],
  pull: [(ct, [, y]) => mul(ct, known(y)), (ct, [x]) => mul(known(x), ct)],
})
export const mul = binary(mulP)

/**
 * x * y, but 0 where x is 0, even if y is infinite or NaN. Primitives with unbounded derivative push their tangents through it,
 * so that a branch of `where` that was not taken sends back 0 and not NaN.
 */
export const mulNoNanP: Primitive<null> = elementwise("mulNoNan", {
  at: ([x, y]) => typed(x!.t, "select", compare("eq", x!, c(x!, 0)), c(x!, 0), op("mul", x!, y!)),
  push: [(t, [, y]) => mulNoNan(t, y!), (t, [x]) => mulNoNan(x!, t)],
  pull: [(ct, [, y]) => mulNoNan(ct, known(y)), (ct, [x]) => mulNoNan(known(x), ct)],
})
export const mulNoNan = binary(mulNoNanP)

// d(x / y) = dx / y - (x / y) dy / y
export const divP: Primitive<null> = elementwise("div", {
  push: [(t, [, y]) => mulNoNan(t, recip(y!)), (t, [, y], q) => neg(mulNoNan(t, div(q, y!)))],
  pull: [(ct, [, y]) => mulNoNan(ct, recip(known(y))), null],
})
export const div = binary(divP)
const recip = (x: Tensor): Tensor => div(like(x, 1), x)

export const absP: Primitive<null> = elementwise("abs", { of: "number", push: [(t, [x]) => mul(t, sign(x!))] })
export const abs = unary(absP)
/** -1, 0 or 1; NaN for NaN. */
export const signP: Primitive<null> = elementwise("sign", {
  of: "number",
  at: ([x]) => op("select", compare("lt", x!, c(x!, 0)), c(x!, -1), op("select", compare("lt", c(x!, 0), x!), c(x!, 1), x!)),
  push: [null],
})
export const sign = unary(signP)
export const floorP: Primitive<null> = elementwise("floor", { push: [null] })
export const floor = unary(floorP)

export const expP: Primitive<null> = elementwise("exp", { push: [(t, _xs, y) => mul(t, y)] })
export const exp = unary(expP)
export const logP: Primitive<null> = elementwise("log", { push: [(t, [x]) => mulNoNan(t, recip(x!))] })
export const log = unary(logP)
/** exp(x) - 1 without cancellation: with u = exp(x), (u - 1) x / log(u) (W. Kahan). */
export const expm1P: Primitive<null> = elementwise("expm1", {
  at([x]) {
    const u = op("exp", x!)
    const d = op("sub", u, c(x!, 1))
    const small = op("div", op("mul", d, x!), op("log", u))
    const exact = op("select", compare("lt", op("abs", x!), c(x!, 1)), small, d)
    return op("select", compare("eq", u, c(x!, 1)), x!, exact)
  },
  push: [(t, _xs, y) => add(mul(t, y), t)],
})
export const expm1 = unary(expm1P)
/** log(1 + x) without cancellation: with u = 1 + x, log(u) x / (u - 1) (W. Kahan). */
const log1pExpr = (x: Expr): Expr => {
  const u = op("add", c(x, 1), x)
  const d = op("sub", u, c(x, 1))
  const small = op("div", op("mul", op("log", u), x), d)
  const exact = op("select", compare("lt", op("abs", x), c(x, 0.5)), small, op("log", u))
  return op("select", compare("eq", u, c(x, 1)), x, exact)
}
export const log1pP: Primitive<null> = elementwise("log1p", {
  at: ([x]) => log1pExpr(x!),
  push: [(t, [x]) => mulNoNan(t, recip(add(x!, like(x!, 1))))],
})
export const log1p = unary(log1pP)
export const sinP: Primitive<null> = elementwise("sin", { push: [(t, [x]) => mul(t, cos(x!))] })
export const sin = unary(sinP)
export const cosP: Primitive<null> = elementwise("cos", { push: [(t, [x]) => neg(mul(t, sin(x!)))] })
export const cos = unary(cosP)
export const tanhP: Primitive<null> = elementwise("tanh", { push: [(t, _xs, y) => sub(t, mul(mul(t, y), y))] })
export const tanh = unary(tanhP)
export const sqrtP: Primitive<null> = elementwise("sqrt", { push: [(t, _xs, y) => mulNoNan(t, div(like(y, 0.5), y))] })
export const sqrt = unary(sqrtP)
/** The logistic function 1 / (1 + exp(-x)). */
export const sigmoidP: Primitive<null> = elementwise("sigmoid", {
  at: ([x]) => op("div", c(x!, 1), op("add", c(x!, 1), op("exp", op("neg", x!)))),
  push: [(t, _xs, y) => mul(mul(t, y), sub(like(y, 1), y))],
})
export const sigmoid = unary(sigmoidP)
/** log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)); its derivative is the logistic function. */
export const softplusP: Primitive<null> = elementwise("softplus", {
  at: ([x]) => op("add", op("max", x!, c(x!, 0)), log1pExpr(op("exp", op("neg", op("abs", x!))))),
  push: [(t, [x]) => mul(t, sigmoid(x!))],
})
export const softplus = unary(softplusP)

// d x^y = y x^(y-1) dx + x^y log(x) dy; the first term is 0 where y is 0, the second one where x is 0
export const powP: Primitive<null> = elementwise("pow", {
  push: [
    (t, [x, y]) => mulNoNan(t, mulNoNan(y!, pow(x!, sub(y!, like(y!, 1))))),
    (t, [x], z) => mulNoNan(t, mul(z, log(select(eq(x!, like(x!, 0)), like(x!, 1), x!)))),
  ],
})
export const pow = binary(powP)

/** The share of each operand in the derivative of an extreme: 1, 0, or one half where they are equal. */
const share = (t: Tensor, x: Tensor, y: Tensor): Tensor => select(lt(y, x), t, select(eq(x, y), mul(t, like(t, 0.5)), zeros(t.aval)))
export const maximumP: Primitive<null> = elementwise("maximum", {
  of: "number",
  at: ([x, y]) => op("max", x!, y!),
  push: [(t, [x, y]) => share(t, x!, y!), (t, [x, y]) => share(t, y!, x!)],
})
export const maximum = binary(maximumP)
export const minimumP: Primitive<null> = elementwise("minimum", {
  of: "number",
  at: ([x, y]) => op("min", x!, y!),
  push: [(t, [x, y]) => share(t, y!, x!), (t, [x, y]) => share(t, x!, y!)],
})
export const minimum = binary(minimumP)

export const ltP: Primitive<null> = elementwise("lt", {
  of: "any",
  gives: "bool",
  at: ([x, y]) => compare("lt", x!, y!),
  push: [null, null],
})
export const lt = binary(ltP)
export const leP: Primitive<null> = elementwise("le", {
  of: "any",
  gives: "bool",
  at: ([x, y]) => compare("le", x!, y!),
  push: [null, null],
})
export const le = binary(leP)
export const eqP: Primitive<null> = elementwise("eq", {
  of: "any",
  gives: "bool",
  at: ([x, y]) => compare("eq", x!, y!),
  push: [null, null],
})
export const eq = binary(eqP)
export const andP: Primitive<null> = elementwise("and", { of: "bits", push: [null, null] })
export const and = binary(andP)
export const orP: Primitive<null> = elementwise("or", { of: "bits", push: [null, null] })
export const or = binary(orP)
export const xorP: Primitive<null> = elementwise("xor", { of: "bits", push: [null, null] })
export const xor = binary(xorP)
export const notP: Primitive<null> = elementwise("not", { of: "bits", push: [null] })
export const not = unary(notP)
/** x >>> y: i32 bits moved right, zeros moved in. */
export const shiftRightP: Primitive<null> = elementwise("shiftRight", {
  of: "bits",
  at: ([x, y]) => op("shr", x!, y!),
  push: [null, null],
})
export const shiftRight = binary(shiftRightP)

/** The value of `x` with no derivative. */
export const stopGradientP: Primitive<null> = elementwise("stopGradient", { of: "any", at: ([x]) => x!, push: [null] })
export const stopGradient = unary(stopGradientP)

export const selectP: Primitive<null> = definePrimitive<null>({
  name: "select",
  shape([cond, ...xs]) {
    if (cond!.dtype !== "bool") throw new DtypeError("where", "the condition must be bool", [cond!])
    agree(
      "where",
      [cond!, ...xs].map(a => ({ ...a, dtype: "bool" })),
    )
    return agree("where", xs)
  },
  at: ([cond, x, y], idx) => op("select", cond!(idx), x!(idx), y!(idx)),
  push: [null, (t, [cond]) => select(cond!, t, zeros(t.aval)), (t, [cond]) => select(cond!, zeros(t.aval), t)],
  pull: [null, (ct, [cond]) => select(known(cond), ct, zeros(ct.aval)), (ct, [cond]) => select(known(cond), zeros(ct.aval), ct)],
  batch: (xs, mapped, _p, n) =>
    bind1(
      selectP,
      xs.map((x, i) => spread(x, mapped[i]!, n)),
      null,
    ),
})
export const select = (cond: Tensor, x: Tensor, y: Tensor): Tensor => bind1(selectP, [cond, x, y], null)

const castTo = (a: Aval): { dtype: Dtype; weak?: true } => ({ dtype: a.dtype, ...(a.weak && { weak: true as const }) })
/** Between floating-point types a linear map; integers and bool have no tangents. */
export const castP: Primitive<{ dtype: Dtype; weak?: true }> = definePrimitive<{ dtype: Dtype; weak?: true }>({
  name: "cast",
  shape: ([x], p) => ({ shape: x!.shape, ...p }),
  at: ([x], idx, p) => castExpr(p.dtype, x!(idx)),
  push: [(t, _xs, _y, p) => (isFloating(p.dtype) ? bind1(castP, [t], p) : full(t.shape, 0, p.dtype))],
  pull: [(ct, [x]) => bind1(castP, [ct], castTo(avalOf(x!)))],
  batch: ([x], _mapped, p) => bind1(castP, [x!], p),
})
export const cast = (x: Tensor, dtype: Dtype): Tensor => (x.dtype === dtype && !x.aval.weak ? x : bind1(castP, [x], { dtype }))
