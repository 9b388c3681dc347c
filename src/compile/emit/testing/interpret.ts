// The meaning of a kernel, read aloud. Emitters are tested against it.
import type { Axis, Index } from "../../../ir/affine.ts"
import {
  type Bound,
  type Combiner,
  constant,
  type Dtype,
  type Expr,
  type FloatType,
  type FormulaOp,
  type MachineOp,
} from "../../../ir/expr.ts"
import { formulas } from "../../../ir/formulas.ts"
import { type Kernel, storesOf } from "../../kernel.ts"

/** Memory of an operand; element 0 is the operand's first element. Bools are bytes; typed arrays keep the low bits of what is stored. */
export type Operand = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array

/** One turn of all loops around an expression. */
interface Turn {
  readonly operands: readonly Operand[]
  /** Values of the loop variables, by axis id. */
  readonly at: ReadonlyMap<number, number>
  /** What has been evaluated in this turn. */
  readonly known: Map<Expr, number>
}

export function interpret(kernel: Kernel, operands: readonly Operand[], ...outs: readonly Operand[]): void {
  const stores = storesOf(kernel)
  for (const turn of turns(kernel.axes, { operands, at: new Map(), known: new Map() })) {
    if (!inside(kernel.out.bounds, turn)) continue
    const values = stores.map(s => evaluate(s.body, turn))
    stores.forEach(({ body: { t }, out: { at, mode } }, i) => {
      const [to, where] = [outs[i]!, position(at, turn)]
      if (!(where >= 0 && where < to.length)) throw new Error(`stores element ${where} of ${to.length}`)
      to[where] = mode === "add" ? machine("add", t, t, [to[where]!, values[i]!]) : values[i]!
    })
  }
}

/** All turns of a loop nest, the last axis fastest. */
function* turns(axes: readonly Axis[], outer: Turn): Generator<Turn> {
  const [axis, ...rest] = axes
  if (!axis) yield { ...outer, known: new Map() }
  else for (let i = 0; i < axis.n; i++) yield* turns(rest, { ...outer, at: new Map(outer.at).set(axis.id, i) })
}

function position(i: Index, turn: Turn): number {
  let sum = i.constant
  for (const [a, c] of i.terms) {
    if (a.k === "axis") sum += c * turn.at.get(a.axis.id)!
    else if (a.k === "value") sum += c * evaluate(a.expr, turn)
    else {
      const of = position(a.of, turn)
      const quotient = Math.floor(of / a.by)
      sum += c * (a.k === "div" ? quotient : of - quotient * a.by)
    }
  }
  return sum + 0 // never -0
}

const inside = (bounds: readonly Bound[], turn: Turn): boolean =>
  bounds.every(({ i, n }) => {
    const at = position(i, turn)
    return at >= 0 && at < n
  })

/** The value of one expression. A bool is 0 or 1. */
function evaluate(e: Expr, turn: Turn): number {
  const known = turn.known.get(e)
  if (known !== undefined) return known
  const value = compute(e, turn)
  turn.known.set(e, value)
  return value
}

function compute(e: Expr, turn: Turn): number {
  switch (e.k) {
    case "const":
      return rounded(e.t, e.value)
    case "index":
      return position(e.at, turn)
    case "load": {
      const at = position(e.at, turn)
      const operand = turn.operands[e.slot]!
      if (!(at >= 0 && at < operand.length)) throw new Error(`reads element ${at} of operand ${e.slot}, which has ${operand.length}`)
      return operand[at]!
    }
    case "guard":
      return inside(e.bounds, turn) ? evaluate(e.body, turn) : rounded(e.t, e.otherwise)
    case "reduce":
      return combined(e, turn)
    case "op": {
      const formula = formulas[e.op as FormulaOp]
      const args = e.args.map(a => evaluate(a, turn))
      if (!formula) return machine(e.op as MachineOp, e.t, e.args.at(-1)!.t, args)
      return evaluate(formula(e.t as FloatType, ...args.map(a => constant(e.t, a))), turn)
    }
  }
}

interface Candidate {
  readonly value: number
  /** Position along the last axis. */
  readonly at: number
}

function combined(e: Extract<Expr, { k: "reduce" }>, outer: Turn): number {
  const t = e.body.t
  const merge = (a: Candidate, b: Candidate): Candidate => {
    if (e.op === "sum") return { value: machine("add", t, t, [a.value, b.value]), at: 0 }
    if (e.op === "max" || e.op === "min") return { value: machine(e.op, t, t, [a.value, b.value]), at: 0 }
    const first = a.at < b.at ? a : b
    if (Number.isNaN(a.value) || Number.isNaN(b.value)) return Number.isNaN(first.value) ? first : first === a ? b : a
    if (a.value === b.value) return first
    return a.value > b.value === (e.op === "argmax") ? a : b
  }
  const lanes = Array.from({ length: e.lanes }, (_, l): Candidate => ({ value: identity(e.op, t), at: l }))
  for (const turn of turns(e.over, outer)) {
    const at = turn.at.get(e.over.at(-1)!.id)!
    lanes[at % e.lanes] = merge(lanes[at % e.lanes]!, { value: evaluate(e.body, turn), at })
  }
  for (let half = e.lanes / 2; half >= 1; half /= 2) {
    for (let l = 0; l < half; l++) lanes[l] = merge(lanes[l]!, lanes[l + half]!)
  }
  return e.op === "argmax" || e.op === "argmin" ? lanes[0]!.at : lanes[0]!.value
}

function identity(op: Combiner, t: Dtype): number {
  if (op === "sum") return 0
  const [least, greatest] = t === "bool" ? [0, 1] : t === "i32" ? [-(2 ** 31), 2 ** 31 - 1] : [-Infinity, Infinity]
  return op === "max" || op === "argmax" ? least : greatest
}

function rounded(t: Dtype, x: number): number {
  if (t === "f32") return Math.fround(x)
  if (t === "f64") return x
  if (t === "bool") return x !== 0 ? 1 : 0
  return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 1) + 0
}

/** One machine operation with result type `t` on values of type `from`. */
export function machine(op: MachineOp, t: Dtype, from: Dtype, args: readonly number[]): number {
  const [a, b, c] = args as [number, number, number]
  const wrap = (big: bigint): number => Number(BigInt.asIntN(32, big))
  if (t === "i32") {
    switch (op) {
      case "add":
        return wrap(BigInt(a) + BigInt(b))
      case "sub":
        return wrap(BigInt(a) - BigInt(b))
      case "mul":
        return wrap(BigInt(a) * BigInt(b))
      case "div":
        return b === 0 ? 0 : wrap(BigInt(a) / BigInt(b))
      case "neg":
        return wrap(-BigInt(a))
      case "abs":
        return wrap(a < 0 ? -BigInt(a) : BigInt(a))
    }
  }
  switch (op) {
    case "add":
      return rounded(t, a + b)
    case "sub":
      return rounded(t, a - b)
    case "mul":
      return rounded(t, a * b)
    case "div":
      return rounded(t, a / b)
    case "neg":
      return -a
    case "abs":
      return Math.abs(a)
    case "sqrt":
      return rounded(t, Math.sqrt(a))
    case "floor":
      return Math.floor(a)
    case "nearest":
      return nearest(a)
    case "min":
      return Math.min(a, b)
    case "max":
      return Math.max(a, b)
    case "lt":
      return a < b ? 1 : 0
    case "le":
      return a <= b ? 1 : 0
    case "eq":
      return a === b ? 1 : 0
    case "ne":
      return a !== b ? 1 : 0
    case "select":
      return a !== 0 ? b : c
    case "and":
      return a & b
    case "or":
      return a | b
    case "xor":
      return a ^ b
    case "not":
      return t === "bool" ? 1 - a : ~a
    case "shl":
      return a << (b & 31)
    case "shr":
      return (a >>> (b & 31)) | 0
    case "cast":
      return rounded(t, from === "bool" ? Number(a !== 0) : a)
    case "pow2":
      return 2 ** a
    case "exponent":
      return exponent(a, t)
    case "mantissa":
      return a / 2 ** exponent(a, t)
  }
}

function nearest(x: number): number {
  if (!Number.isFinite(x) || Number.isInteger(x)) return x
  const below = Math.floor(x)
  const up = x - below > 0.5 || (x - below === 0.5 && below % 2 !== 0)
  const r = up ? below + 1 : below
  return r === 0 && x < 0 ? -0 : r
}

/** Of a positive normal number. */
function exponent(x: number, t: Dtype): number {
  const bytes = new DataView(new ArrayBuffer(8))
  if (t === "f32") {
    bytes.setFloat32(0, x)
    return ((bytes.getUint32(0) >>> 23) & 255) - 127
  }
  bytes.setFloat64(0, x)
  return ((bytes.getUint32(0) >>> 20) & 2047) - 1023
}
