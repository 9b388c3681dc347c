import type { Dtype } from "../ir/expr.ts"

export type { Dtype }
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array

const constructors = { f32: Float32Array, f64: Float64Array, i32: Int32Array, bool: Uint8Array } as const

export const isDtype = (t: unknown): t is Dtype => typeof t === "string" && Object.hasOwn(constructors, t)
/** Bytes of one element in memory. */
export const bytesOf = (t: Dtype): number => constructors[t].BYTES_PER_ELEMENT
export const allocate = (t: Dtype, n: number): TypedArray => new constructors[t](n)
/** `n` elements of `buffer` from byte `offset`, not copied. */
export const viewOf = (t: Dtype, buffer: ArrayBuffer, offset: number, n: number): TypedArray => new constructors[t](buffer, offset, n)
/** Only floating point has tangents. */
export const isFloating = (t: Dtype): boolean => t === "f32" || t === "f64"
