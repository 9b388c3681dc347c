import type { Dtype as Computed, MemoryType } from "../ir/expr.ts"

export type { Computed }
/** u8, f16 and bf16 are stored and moved only; `cast` converts them from and to what is computed with. */
export type Dtype = MemoryType
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array

const constructors = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  bool: Uint8Array,
  u8: Uint8Array,
  f16: Uint16Array,
  bf16: Uint16Array,
} as const
const text = '"f32", "f64", "i32" or "bool", or for storage "u8", "f16" or "bf16"'

export const isDtype = (t: unknown): t is Dtype => typeof t === "string" && Object.hasOwn(constructors, t)
export function wantDtype(name: string, t: unknown): asserts t is Dtype {
  if (!isDtype(t)) throw new TypeError(`${name}: dtype must be ${text}; got ${JSON.stringify(t)}`)
}
/** Bytes of one element in memory. */
export const bytesOf = (t: Dtype): number => constructors[t].BYTES_PER_ELEMENT
export const allocate = (t: Dtype, n: number): TypedArray => new constructors[t](n)
/** `n` elements of `buffer` from byte `offset`, not copied. */
export const viewOf = (t: Dtype, buffer: ArrayBuffer, offset: number, n: number): TypedArray => new constructors[t](buffer, offset, n)
/** What functions compute with and differentiate. */
export const isFloating = (t: Dtype): t is "f32" | "f64" => t === "f32" || t === "f64"
export const isNumeric = (t: Dtype): t is "f32" | "f64" | "i32" => isFloating(t) || t === "i32"
/** Bits of fraction of a number of 16 bits, 0 for all other types. f16 is IEEE binary16, bf16 the upper half of an f32. */
export const fractionOf = (t: Dtype): number => (t === "f16" ? 10 : t === "bf16" ? 7 : 0)
/** The type in which a kernel holds an element. */
export const heldAs = (t: Dtype): Computed => (isNumeric(t) || t === "bool" ? t : "i32")
