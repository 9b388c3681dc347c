// One machine operation as instructions on operands that already lie on the stack, for single values and for vectors.
import { type Combiner, type Dtype, type FloatType, isFloat, type MachineOp, type MemoryType } from "../../ir/expr.ts"
import type { Code, Local, ValueType } from "./wasm-bytes.ts"
import type { LaneOp, MemoryOp, Op } from "./wasm-opcodes.ts"

/**
 * Lanes of a vector; 1 is a single value. With two lanes numbers of 4 bytes lie in the low half of the vector. Bools are 0 or 1
 * as single values, and all-zeros or all-ones as lanes that share the vector evenly.
 */
export type Width = 1 | 2 | 4

export const byteSize = (t: MemoryType): number => (t === "bool" || t === "u8" ? 1 : t === "f16" || t === "bf16" ? 2 : t === "f64" ? 8 : 4)
export const valueType = (t: Dtype, width: Width): ValueType => (width > 1 ? "v128" : t === "bool" ? "i32" : t)
/** The type of the machine that holds a value. */
const machineType = (t: Dtype): "i32" | FloatType => (t === "bool" ? "i32" : t)
/** Whether a vector of this type fills only its low half. */
const isHalf = (t: Dtype, width: Width): boolean => width === 2 && (t === "f32" || t === "i32")
/** How far apart the lanes of a vector are. */
export const laneBytes = (t: Dtype, width: Width): number => (isHalf(t, width) ? 4 : 16 / width)
/** The interpretation of a vector. Masks of 8-byte lanes are pairs of equal 4-byte lanes, so that "i32x4" serves for them too. */
const shape = (t: Dtype): "f32x4" | "f64x2" | "i32x4" => (t === "f32" ? "f32x4" : t === "f64" ? "f64x2" : "i32x4")

export function pushConst(code: Code, t: Dtype, width: Width, value: number): void {
  if (width > 1) {
    const lane = t === "bool" ? (value ? -1 : 0) : t === "i32" ? value | 0 : value
    code.v128(machineType(t), Array(t === "f64" ? 2 : 4).fill(lane))
  } else if (isFloat(t)) code[t](value)
  else code.i32(t === "bool" ? (value ? 1 : 0) : value)
}

/** The value on the stack in every lane. */
export function splat(code: Code, t: Dtype, width: Width): void {
  if (t === "bool") code.i32(-1).op("i32.mul", "i32x4.splat")
  else if (width > 1) code.op(`${shape(t)}.splat`)
}

/** The operation that a reduction, or a store of mode "add", combines with. */
export const combining = (op: Combiner): MachineOp => (op === "sum" ? "add" : op === "max" || op === "argmax" ? "max" : "min")
/** What a reduction starts from. */
export function identity(op: Combiner, t: Dtype): number {
  if (op === "sum") return 0
  const least = op === "max" || op === "argmax"
  if (t === "bool") return least ? 0 : 1
  if (t === "i32") return least ? -(2 ** 31) : 2 ** 31 - 1
  return least ? -Infinity : Infinity
}

// Memory

const bytes = { load: "i32.load8_u", store: "i32.store8" } as const
const halves = { load: "i32.load16_u", store: "i32.store16" } as const
const accesses: Record<MemoryType, { readonly load: MemoryOp; readonly store: MemoryOp }> = {
  f32: { load: "f32.load", store: "f32.store" },
  f64: { load: "f64.load", store: "f64.store" },
  i32: { load: "i32.load", store: "i32.store" },
  bool: bytes,
  u8: bytes,
  f16: halves,
  bf16: halves,
}
/** Whether an element takes fewer bytes in memory than the i32 that it becomes. */
const isNarrow = (t: MemoryType): t is Exclude<MemoryType, Dtype> => t === "u8" || t === "f16" || t === "bf16"

/** Loads neighbours from the address on the stack. */
export function load(code: Code, t: MemoryType, width: Width, offset: number): void {
  if (width === 1) code.memory(accesses[t].load, offset)
  else if (isNarrow(t)) {
    code.memory(`v128.load${(8 * byteSize(t) * width) as 16 | 32 | 64}_splat`, offset)
    if (t === "u8") code.op("i16x8.extend_low_i8x16_u")
    code.op("i32x4.extend_low_i16x8_u")
  } else if (isHalf(t, width)) code.memory("v128.load64_splat", offset)
  else if (t !== "bool") code.memory("v128.load", offset)
  else if (width === 4) {
    code.memory("v128.load32_splat", offset).op("i16x8.extend_low_i8x16_u", "i32x4.extend_low_i16x8_u", "i32x4.neg")
  } else {
    code.memory("v128.load16_splat", offset)
    code.op("i16x8.extend_low_i8x16_u", "i32x4.extend_low_i16x8_u", "i64x2.extend_low_i32x4_u", "i64x2.neg")
  }
}
/** Loads lane `lane` of the vector `into` from the address on the stack; lane 0 comes first. */
export function loadLane(code: Code, t: MemoryType, into: Local, lane: number, offset: number): void {
  if (isNarrow(t)) {
    const x = code.local("i32")
    code.memory(accesses[t].load, offset)
    if (lane === 0) code.op("i32x4.splat").set(into)
    else code.set(x).get(into, x).lane("i32x4.replace_lane", lane).set(into)
    return
  }
  const bits = byteSize(t) === 8 ? 64 : 32
  if (lane === 0) code.memory(`v128.load${bits}_splat`, offset)
  else code.get(into).memoryLane(`v128.load${bits}_lane`, offset, lane)
  code.set(into)
}
/** Stores neighbours; on the stack lie the address and the value. */
export function store(code: Code, t: MemoryType, width: Width, offset: number): void {
  if (width === 1) code.memory(accesses[t].store, offset)
  else if (isNarrow(t)) {
    const size = byteSize(t)
    const picks = Array.from({ length: 16 }, (_, b) => (Math.floor(b / size) * 4 + (b % size)) % 16)
    gather(code, picks)
    code.memoryLane(`v128.store${(8 * size * width) as 16 | 32 | 64}_lane`, offset, 0)
  } else if (isHalf(t, width)) code.memoryLane("v128.store64_lane", offset, 0)
  else if (t !== "bool") code.memory("v128.store", offset)
  else {
    // The low byte of every lane, where the constant leaves one bit of it.
    const picks = Array.from({ length: 16 }, (_, b) => (b * (16 / width)) % 16)
    code.v128("i32", [0x01010101, 0x01010101, 0x01010101, 0x01010101]).op("v128.and")
    gather(code, picks)
    code.memoryLane(width === 4 ? "v128.store32_lane" : "v128.store16_lane", offset, 0)
  }
}

/** The vector on the stack with its bytes rearranged. */
export function gather(code: Code, picks: readonly number[]): void {
  const x = code.local("v128")
  code.tee(x).get(x).shuffle(picks)
}

const laneOp = (t: Dtype, what: "extract" | "replace"): LaneOp => `${shape(t)}.${what}_lane`
/** A single lane of a vector; as a bool it is any number with the lowest bit set or not. */
export function extract(code: Code, t: Dtype, width: Width, lane: number): void {
  if (t === "bool")
    code
      .lane("i32x4.extract_lane", lane * (4 / width))
      .i32(1)
      .op("i32.and")
  else code.lane(laneOp(t, "extract"), lane)
}
/** On the stack lie the vector and the new lane. */
export function replace(code: Code, t: Dtype, width: Width, lane: number): void {
  if (t !== "bool") code.lane(laneOp(t, "replace"), lane)
  else if (width === 4) code.i32(-1).op("i32.mul").lane("i32x4.replace_lane", lane)
  else {
    const mask = code.local("i32")
    code
      .i32(-1)
      .op("i32.mul")
      .tee(mask)
      .lane("i32x4.replace_lane", 2 * lane)
    code.get(mask).lane("i32x4.replace_lane", 2 * lane + 1)
  }
}

// Operations

/** `from` is the type of the last operand, `t` that of the result. */
export function operation(code: Code, op: MachineOp, t: Dtype, from: Dtype, width: Width): void {
  if (width === 1) single(code, op, t, from)
  else vector(code, op, t, from, width)
}

const undefinedFor = (op: MachineOp, t: Dtype): Error => new Error(`A kernel applies ${op} to ${t}, for which it is not defined.`)
const magic = { f32: 1.5 * 2 ** 23, f64: 1.5 * 2 ** 52 }

function single(code: Code, op: MachineOp, t: Dtype, from: Dtype): void {
  if (op === "select") code.op("select")
  else if (op === "cast") cast(code, t, from)
  else if (op === "pow2" || op === "exponent" || op === "mantissa") bitsOfFloat(code, op, t, from)
  else if (isFloat(from)) {
    if (op === "and" || op === "or" || op === "xor" || op === "not" || op === "shl" || op === "shr") throw undefinedFor(op, from)
    code.op(`${from}.${op}`)
  } else if (from === "bool") {
    const name = boolOps[op]
    if (!name) throw undefinedFor(op, from)
    code.op(name)
  } else integer(code, op)
}

const boolOps: Partial<Record<MachineOp, Op>> = {
  add: "i32.or",
  mul: "i32.and",
  min: "i32.and",
  max: "i32.or",
  and: "i32.and",
  or: "i32.or",
  xor: "i32.xor",
  not: "i32.eqz",
  eq: "i32.eq",
  ne: "i32.ne",
  lt: "i32.lt_s",
  le: "i32.le_s",
}
const integerOps: Partial<Record<MachineOp, Op>> = {
  add: "i32.add",
  sub: "i32.sub",
  mul: "i32.mul",
  and: "i32.and",
  or: "i32.or",
  xor: "i32.xor",
  shl: "i32.shl",
  shr: "i32.shr_u",
  eq: "i32.eq",
  ne: "i32.ne",
  lt: "i32.lt_s",
  le: "i32.le_s",
}

function integer(code: Code, op: MachineOp): void {
  const name = integerOps[op]
  if (name) code.op(name)
  else if (op === "neg") code.i32(-1).op("i32.mul")
  else if (op === "not") code.i32(-1).op("i32.xor")
  else if (op === "abs") {
    const [x, sign] = [code.local("i32"), code.local("i32")]
    code.tee(x).i32(31).op("i32.shr_s").tee(sign).get(x).op("i32.xor").get(sign).op("i32.sub")
  } else if (op === "min" || op === "max") {
    const [a, b] = [code.local("i32"), code.local("i32")]
    code
      .set(b)
      .tee(a)
      .get(b, a, b)
      .op(op === "min" ? "i32.lt_s" : "i32.gt_s", "select")
  } else if (op === "div") divide(code)
  else if (op !== "floor" && op !== "nearest") throw undefinedFor(op, "i32")
}

/** The machine traps on x / 0 (here 0) and on -2^31 / -1 (here wrapped around). */
function divide(code: Code): void {
  const [a, b] = [code.local("i32"), code.local("i32")]
  code.set(b).set(a)
  code.i32(0).get(a).op("i32.sub")
  code.get(a).i32(1).get(b).get(b).i32(1).op("i32.add").i32(2).op("i32.lt_u", "select", "i32.div_s")
  code.get(b).i32(-1).op("i32.eq", "select")
  code.i32(0).get(b).op("select")
}

function cast(code: Code, t: Dtype, from: Dtype): void {
  if (t === from) return
  if (t === "bool") {
    pushConst(code, from, 1, 0)
    code.op(`${machineType(from)}.ne`)
  } else if (isFloat(t) && isFloat(from)) code.op(t === "f64" ? "f64.promote_f32" : "f32.demote_f64")
  else if (isFloat(t)) code.op(`${t}.convert_i32_s`)
  else if (isFloat(from)) code.op(`i32.trunc_sat_${from}_s`)
}

/** `pow2` adds a number so large that k, with the exponent's bias, becomes the last bits of the sum. */
function bitsOfFloat(code: Code, op: "pow2" | "exponent" | "mantissa", t: Dtype, from: Dtype): void {
  const float = op === "pow2" ? t : from
  if (!isFloat(float)) throw undefinedFor(op, from)
  if (float === "f32") {
    if (op === "pow2" && from === "f32") code.f32(magic.f32 + 127).op("f32.add", "i32.reinterpret_f32")
    else if (op === "pow2") code.i32(127).op("i32.add")
    else code.op("i32.reinterpret_f32")
    if (op === "pow2") code.i32(23).op("i32.shl", "f32.reinterpret_i32")
    else if (op === "mantissa") code.i32(0x7fffff).op("i32.and").i32(0x3f800000).op("i32.or", "f32.reinterpret_i32")
    else code.i32(23).op("i32.shr_u").i32(127).op("i32.sub")
  } else {
    if (op === "pow2" && from === "f64") code.f64(magic.f64 + 1023).op("f64.add", "i64.reinterpret_f64")
    else if (op === "pow2") code.op("i64.extend_i32_s").i64(1023n).op("i64.add")
    else code.op("i64.reinterpret_f64")
    if (op === "pow2") code.i64(52n).op("i64.shl", "f64.reinterpret_i64")
    else if (op === "mantissa") code.i64(0xfffffffffffffn).op("i64.and").i64(0x3ff0000000000000n).op("i64.or", "f64.reinterpret_i64")
    else code.i64(52n).op("i64.shr_u", "i32.wrap_i64").i32(1023).op("i32.sub")
  }
  if (op === "exponent") cast(code, t, "i32")
}

// Vectors

const maskOps: Partial<Record<MachineOp, Op>> = {
  add: "v128.or",
  mul: "v128.and",
  min: "v128.and",
  max: "v128.or",
  and: "v128.and",
  or: "v128.or",
  xor: "v128.xor",
  not: "v128.not",
  eq: "i32x4.eq",
  ne: "v128.xor",
  lt: "i32x4.gt_s", // as numbers the masks are 0 and -1
  le: "i32x4.ge_s",
}
const integerVectorOps: Partial<Record<MachineOp, Op>> = {
  add: "i32x4.add",
  sub: "i32x4.sub",
  mul: "i32x4.mul",
  neg: "i32x4.neg",
  abs: "i32x4.abs",
  min: "i32x4.min_s",
  max: "i32x4.max_s",
  and: "v128.and",
  or: "v128.or",
  xor: "v128.xor",
  not: "v128.not",
  shl: "i32x4.shl",
  shr: "i32x4.shr_u",
  eq: "i32x4.eq",
  ne: "i32x4.ne",
  lt: "i32x4.lt_s",
  le: "i32x4.le_s",
}

/** Whether the operation can be computed side by side. (A shift also wants the same count for all lanes.) */
export const hasVector = (op: MachineOp, t: Dtype): boolean => !(op === "div" && t === "i32")

/**
 * min and max of a vector of floats, below on the stack, with a constant that is neither 0 nor NaN: there the pseudo-minimum and
 * -maximum agree with the real ones, which take x64 some eight instructions.
 */
export const clampVector = (code: Code, op: "min" | "max", t: FloatType): Code => code.op(t === "f32" ? `f32x4.p${op}` : `f64x2.p${op}`)

/** Makes masks of numbers that fill half of a vector fill all of it, and the other way round. */
const widenMask = (code: Code): Code => code.op("i64x2.extend_low_i32x4_s")
const narrowMask = (code: Code): void => gather(code, [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11])

function vector(code: Code, op: MachineOp, t: Dtype, from: Dtype, width: Width): void {
  if (op === "select") {
    if (isHalf(t, width)) narrowMask(code)
    code.op("v128.bitselect")
  } else if (op === "cast") vectorCast(code, t, from, width)
  else if (op === "pow2" || op === "exponent" || op === "mantissa") {
    // Where types differ, the operation is done in the type of the float.
    const float = op === "pow2" ? t : from
    if (op === "pow2") vectorCast(code, float, from, width)
    if (float === "f32") vectorBits(code, op)
    else if (float === "f64") vectorLongBits(code, op)
    else throw undefinedFor(op, from)
    if (op === "exponent") vectorCast(code, t, float, width)
  } else {
    if (isFloat(from)) {
      if (op === "and" || op === "or" || op === "xor" || op === "not" || op === "shl" || op === "shr") throw undefinedFor(op, from)
      code.op(from === "f32" ? `f32x4.${op}` : `f64x2.${op}`)
    } else {
      const name = (from === "bool" ? maskOps : integerVectorOps)[op]
      if (name) code.op(name)
      else if (op !== "floor" && op !== "nearest") throw undefinedFor(op, from)
    }
    if (t === "bool" && isHalf(from, width)) widenMask(code)
  }
}

function vectorCast(code: Code, t: Dtype, from: Dtype, width: Width): void {
  if (t === from) return
  if (t === "bool") {
    pushConst(code, from, width, 0)
    code.op(`${shape(from)}.ne`)
    if (isHalf(from, width)) widenMask(code)
  } else if (from === "bool") {
    if (isHalf(t, width)) narrowMask(code)
    pushConst(code, t, width, 1)
    code.op("v128.and")
  } else code.op(vectorCasts[`${from} ${t}`]!)
}
const vectorCasts: Readonly<Record<string, Op>> = {
  "f32 i32": "i32x4.trunc_sat_f32x4_s",
  "f64 i32": "i32x4.trunc_sat_f64x2_s_zero",
  "i32 f32": "f32x4.convert_i32x4_s",
  "i32 f64": "f64x2.convert_low_i32x4_s",
  "f32 f64": "f64x2.promote_low_f32x4",
  "f64 f32": "f32x4.demote_f64x2_zero",
}

/** On f32, and with a result of that type. */
function vectorBits(code: Code, op: "pow2" | "exponent" | "mantissa"): void {
  const ints = (n: number): Code => code.v128("i32", [n, n, n, n])
  if (op === "pow2") {
    pushConst(code, "f32", 4, magic.f32 + 127)
    code.op("f32x4.add").i32(23).op("i32x4.shl")
  } else if (op === "mantissa") {
    ints(0x7fffff).op("v128.and")
    ints(0x3f800000).op("v128.or")
  } else {
    code.i32(23).op("i32x4.shr_u")
    ints(127).op("i32x4.sub", "f32x4.convert_i32x4_s")
  }
}

/** On f64, and with a result of that type. */
function vectorLongBits(code: Code, op: "pow2" | "exponent" | "mantissa"): void {
  const longs = (low: number, high: number): Code => code.v128("i32", [low, high, low, high])
  if (op === "pow2") {
    pushConst(code, "f64", 2, magic.f64 + 1023)
    code.op("f64x2.add").i32(52).op("i64x2.shl")
  } else if (op === "mantissa") {
    longs(-1, 0xfffff).op("v128.and")
    longs(0, 0x3ff00000).op("v128.or")
  } else {
    // The field as the last bits of 2^52 + field.
    code.i32(52).op("i64x2.shr_u")
    longs(0, 0x43300000).op("v128.or")
    pushConst(code, "f64", 2, 2 ** 52 + 1023)
    code.op("f64x2.sub")
  }
}
