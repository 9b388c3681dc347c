// Rows in any order, many times. Where all fit into little memory they are read once, because reading one row at a time costs more than
// a step of a small network.
import { type Aval, type Shape, size } from "../../core/aval.ts"
import { fromArray } from "../../core/concrete.ts"
import { allocate, bytesOf, type TypedArray } from "../../core/dtype.ts"
import type { Tensor } from "../../core/tensor.ts"
import { BatchReader, type Rows } from "../rows.ts"

/** Bytes of rows that are held. */
const HELD = 2 ** 26
/** Elements of a row that are copied one by one. */
const FEW = 32

/** Reads batches as tensors, whose memory is used again for the next batches of their size. */
export class Gather {
  private readonly rows: Rows
  private readonly reader: BatchReader
  private readonly held: TypedArray | undefined
  private readonly arrays = new Map<number, TypedArray>()
  constructor(rows: Rows) {
    this.rows = rows
    this.reader = new BatchReader(rows)
    if (rows.rows * size(rows.shape) * bytesOf(rows.dtype) > HELD) return
    this.held = allocate(rows.dtype, rows.rows * size(rows.shape))
    rows.read(
      Int32Array.from({ length: rows.rows }, (_, i) => i),
      this.held,
    )
  }
  /** Whether `readAcross` can be called. */
  get isHeld(): boolean {
    return this.held !== undefined
  }
  /** Rows [steps, batch, members] as [most, batch, ..., members]; what is behind the steps is not defined. */
  readAcross(rows: Int32Array, [most, members, batch]: readonly [number, number, number]): Tensor {
    const { shape, dtype } = this.rows
    const array = this.room(most * members * batch * size(shape))
    copyAcross(this.held!, array, rows, size(shape), members)
    return fromArray(array, { shape: [most, batch, ...shape, members], dtype })
  }
  /** The given rows, at most as many as the axes `lead` have room for; what is behind them is not defined. */
  read(rows: Int32Array, lead: Shape): Tensor {
    const { array, aval } = this.held ? this.copied(this.held, rows, lead) : this.reader.read(rows, lead)
    return fromArray(array, aval)
  }
  private copied(held: TypedArray, rows: Int32Array, lead: Shape): { array: TypedArray; aval: Aval } {
    const { shape, dtype } = this.rows
    const n = size(shape)
    const array = this.room(size(lead) * n)
    if (n <= FEW) copyFew(held, array, rows, n)
    else for (let i = 0; i < rows.length; i++) array.set(held.subarray(rows[i]! * n, (rows[i]! + 1) * n), i * n)
    return { array, aval: { shape: [...lead, ...shape], dtype } }
  }
  private room(n: number): TypedArray {
    let array = this.arrays.get(n)
    if (!array) this.arrays.set(n, (array = allocate(this.rows.dtype, n)))
    return array
  }
}

/** A function of its own, with nothing but numbers and arrays: several times as fast as the same loop inside of a method. */
function copyFew(from: TypedArray, to: TypedArray, rows: Int32Array, n: number): void {
  let next = 0
  for (let i = 0; i < rows.length; i++) {
    const at = rows[i]! * n
    for (let j = 0; j < n; j++) to[next++] = from[at + j]!
  }
}
/** Rows [steps and batch, members] of length n as [steps and batch, n, members]. */
function copyAcross(from: TypedArray, to: TypedArray, rows: Int32Array, n: number, members: number): void {
  let next = 0
  for (let start = 0; start < rows.length; start += members)
    for (let j = 0; j < n; j++) for (let m = start; m < start + members; m++) to[next++] = from[rows[m]! * n + j]!
}
