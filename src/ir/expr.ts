// The closed language that every kernel is written in: what one output element is.
import { type Axis, atomsOf, type Index } from "./affine.ts"

/** What kernels compute with. */
export type Dtype = "f32" | "f64" | "i32" | "bool"
/** What lies in memory. The types that are only stored are loaded and stored as i32: the number of a u8, the bits of an f16 or bf16. */
export type MemoryType = Dtype | "u8" | "f16" | "bf16"
export type FloatType = "f32" | "f64"
export const isFloat = (t: Dtype): t is FloatType => t === "f32" || t === "f64"

/**
 * Operations that every engine computes with the same bits: exact, or rounded once to the type of the node.
 * - `min max` give NaN if an operand is NaN, and -0 < 0. `nearest` rounds ties to even.
 * - i32 wraps around; `shl shr` take the low 5 bits of the count, `shr` fills with zeros.
 * - `and or xor not` work on bool and, bit by bit, on i32. Comparisons and `not` on bool give bool.
 * - `cast` converts to the node's type: to i32 truncates and saturates (NaN gives 0), to bool is `!= 0`.
 * - `pow2(k)` is 2^k for integral k within the normal exponents; `exponent(x)` and `mantissa(x)` of a positive normal x
 *   satisfy x = mantissa * 2^exponent with 1 <= mantissa < 2.
 */
export type MachineOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "neg"
  | "abs"
  | "sqrt"
  | "floor"
  | "nearest"
  | "min"
  | "max"
  | "lt"
  | "le"
  | "eq"
  | "ne"
  | "select"
  | "and"
  | "or"
  | "xor"
  | "not"
  | "shl"
  | "shr"
  | "cast"
  | "pow2"
  | "exponent"
  | "mantissa"
/** Functions with a formula of our own over machine operations (formulas.ts), the same on every engine. */
export type FormulaOp = "exp" | "log" | "sigmoid" | "sin" | "cos" | "tanh" | "pow"
export type ScalarOp = MachineOp | FormulaOp

/** `argmax` and `argmin` give the position along their only axis as i32: the first extreme, or the first NaN. */
export type Combiner = "sum" | "max" | "min" | "argmax" | "argmin"

export type Expr =
  | { readonly k: "const"; readonly t: Dtype; readonly value: number }
  /** Element `at` of operand `slot`. */
  | { readonly k: "load"; readonly t: Dtype; readonly slot: number; readonly at: Index }
  /** An index as an i32 number. */
  | { readonly k: "index"; readonly t: "i32"; readonly at: Index }
  | { readonly k: "op"; readonly t: Dtype; readonly op: ScalarOp; readonly args: readonly Expr[] }
  /** `body` where 0 <= i < n for all bounds, else `otherwise`; `body` is not read outside. */
  | { readonly k: "guard"; readonly t: Dtype; readonly bounds: readonly Bound[]; readonly body: Expr; readonly otherwise: number }
  /**
   * Combines `body` over all of `over`, the last axis fastest. With `lanes` L > 1 the last axis is dealt to L accumulators
   * in turn (element i to accumulator i mod L), which are combined pairwise at the end (l with l + L/2, and so on):
   * part of the meaning, so that every engine gets the same bits.
   */
  | {
      readonly k: "reduce"
      readonly t: Dtype
      readonly op: Combiner
      readonly over: readonly Axis[]
      readonly lanes: number
      readonly body: Expr
    }

export interface Bound {
  readonly i: Index
  readonly n: number
}

/** Reads an operand at an index: a load, or the operand's own expression (that is fusion). */
export type Read = (idx: readonly Index[]) => Expr

export const constant = (t: Dtype, value: number): Expr => ({ k: "const", t, value })
/** The number that a constant is; undefined for everything else. */
export const literalOf = (e: Expr): number | undefined => (e.k === "const" ? e.value : undefined)
/** An operation whose type is that of its last operand. */
export const op = (name: ScalarOp, ...args: Expr[]): Expr => ({ k: "op", t: args.at(-1)!.t, op: name, args })
export const typed = (t: Dtype, name: ScalarOp, ...args: Expr[]): Expr => ({ k: "op", t, op: name, args })
export const compare = (name: "lt" | "le" | "eq" | "ne", a: Expr, b: Expr): Expr => typed("bool", name, a, b)
export const cast = (t: Dtype, x: Expr): Expr => (x.t === t ? x : typed(t, "cast", x))
export const index = (at: Index): Expr => ({ k: "index", t: "i32", at })
export const guard = (bounds: readonly Bound[], body: Expr, otherwise = 0): Expr => ({ k: "guard", t: body.t, bounds, body, otherwise })
export const reduce = (name: Combiner, over: readonly Axis[], body: Expr): Expr => ({
  k: "reduce",
  t: name === "argmax" || name === "argmin" ? "i32" : body.t,
  op: name,
  over,
  lanes: 1,
  body,
})

/** The parts of an expression that are themselves evaluated once for the same loop variables. */
export function children(e: Expr): readonly Expr[] {
  switch (e.k) {
    case "op":
      return e.args
    case "guard":
    case "reduce":
      return [e.body]
    default:
      return []
  }
}

/** The indices that stand in an expression itself. */
export const indicesOf = (e: Expr): readonly Index[] =>
  e.k === "load" || e.k === "index" ? [e.at] : e.k === "guard" ? e.bounds.map(b => b.i) : []
/** The expressions that an index reads. */
export const valuesOf = (i: Index): readonly Expr[] =>
  atomsOf(i)
    .filter(a => a.k === "value")
    .map(a => a.expr)
/** The parts of an expression, with those that its indices read. */
export const partsOf = (e: Expr): readonly Expr[] => (e.k === "op" ? e.args : [...children(e), ...indicesOf(e).flatMap(valuesOf)])

/** Expressions and what they are made of, each once. */
export function reach(roots: readonly Expr[], parts = partsOf): readonly Expr[] {
  const seen = new Set<Expr>()
  const visit = (e: Expr): void => {
    if (seen.has(e)) return
    seen.add(e)
    parts(e).forEach(visit)
  }
  roots.forEach(visit)
  return [...seen]
}

/** Calls `make` once for each expression, so that shared parts stay shared. */
export function once(make: (e: Expr) => Expr): (e: Expr) => Expr {
  const made = new Map<Expr, Expr>()
  return e => {
    let copy = made.get(e)
    if (!copy) made.set(e, (copy = make(e)))
    return copy
  }
}

/** What an expression is made of, rewritten. */
export interface Rewrite {
  readonly part: (e: Expr) => Expr
  readonly index?: (i: Index) => Index
  readonly axes?: (over: readonly Axis[]) => readonly Axis[]
}
/** `e` with rewritten parts; `e` itself where nothing has changed. */
export function rebuild(e: Expr, { part, index = i => i, axes = a => a }: Rewrite): Expr {
  switch (e.k) {
    case "const":
      return e
    case "load":
    case "index":
      return { ...e, at: index(e.at) }
    case "op": {
      const args = e.args.map(part)
      return args.every((a, i) => a === e.args[i]) ? e : { ...e, args }
    }
    case "guard":
      return { ...e, bounds: e.bounds.map(b => ({ ...b, i: index(b.i) })), body: part(e.body) }
    case "reduce":
      return { ...e, over: axes(e.over), body: part(e.body) }
  }
}
