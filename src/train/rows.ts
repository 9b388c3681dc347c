import { type Aval, type Shape, size } from "../core/aval.ts"
import { type Concrete, storedOf } from "../core/concrete.ts"
import { allocate, type Dtype, fractionOf, heldAs, type TypedArray } from "../core/dtype.ts"
import { Tensor } from "../core/tensor.ts"

/** Examples that stay in an array of their own, outside of the engine's memory; batches are copied out of it. */
export interface Rows {
  readonly rows: number
  /** Of one row, as the model sees it. */
  readonly shape: Shape
  readonly dtype: Dtype
  /** Writes the given rows one after another into `into`. */
  read(rows: Int32Array, into: TypedArray): void
}

export interface RowsOptions {
  /** What the model sees, one of those with numbers in a typed array: not "f16" or "bf16". Default: "f32". */
  readonly dtype?: Dtype
  /** Each element is multiplied by it. Default: 1. */
  readonly scale?: number
}

/**
 * Rows of a flat array, such as the bytes of images. `shape` is that of one row. With the dtype "u8" bytes stay bytes on their way into
 * the compiled step, a quarter of what f32 takes; the model's first layer converts them.
 *
 * @throws RangeError if the array does not hold whole rows.
 * @throws TypeError for f16 and bf16, of which a tensor can be made, and for a scale where fractions are lost.
 *
 * @example
 * const pixels = new Uint8Array(10 * 784)
 * rowsOf(pixels, [784], { scale: 1 / 255 }).rows     // 10
 * rowsOf(pixels, [784], { dtype: "u8" }).dtype       // "u8"
 */
export function rowsOf(array: ArrayLike<number>, shape: Shape, { dtype = "f32", scale = 1 }: RowsOptions = {}): Rows {
  if (!Array.isArray(shape)) throw new TypeError(`rowsOf: wants the shape of one row, such as [784]; got ${JSON.stringify(shape)}`)
  if (typeof array?.length !== "number")
    throw new TypeError("rowsOf: wants a flat array; a tensor can be given to fit and evaluate as it is")
  const stored = heldAs(dtype) !== dtype
  if (fractionOf(dtype) || (stored && scale !== 1))
    throw new TypeError(
      `rowsOf: ${dtype === "u8" ? "u8 cannot be scaled; scale in the model, after cast" : `make ${dtype} with tensor(array, { shape, dtype })`}`,
    )
  return copied(array, shape, dtype, scale)
}
function copied(array: ArrayLike<number>, shape: Shape, dtype: Dtype, scale = 1): Rows {
  const n = size(shape)
  const from = ArrayBuffer.isView(array) ? (array as TypedArray) : Float64Array.from(array)
  if (n === 0 || array.length % n) throw new RangeError(`rowsOf: ${array.length} elements are no whole rows of shape [${shape}]`)
  return {
    rows: array.length / n,
    shape,
    dtype,
    read(rows, into) {
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!
        if (n === 1) into[i] = from[row]! * scale
        else into.set(from.subarray(row * n, (row + 1) * n), i * n)
        if (n > 1 && scale !== 1) multiply(into, i * n, (i + 1) * n, scale)
      }
    },
  }
}
/** A function of its own, with nothing but numbers and one array: several times as fast as the same loop inside of `read`. */
function multiply(x: TypedArray, from: number, to: number, by: number): void {
  for (let i = from; i < to; i++) x[i]! *= by
}

/** What `fit` and `evaluate` take as inputs and targets: axis 0 of a tensor runs over the examples. */
export type Examples = Tensor | Rows

/** Throws TypeError for anything else. */
export function toRows(x: Examples, name: string): Rows {
  if (!(x instanceof Tensor)) {
    if (typeof x?.read !== "function")
      throw new TypeError(
        `${name}: wants a tensor, or rows made with rowsOf(array, shape); got ${x === null ? "null" : Array.isArray(x) ? "an array: make it a tensor with tensor(...)" : typeof x}`,
      )
    return x
  }
  if (x.ndim === 0) throw new TypeError(`${name}: wants at least one axis, that of the examples; got a scalar`)
  return copied(storedOf(x as Concrete), x.shape.slice(1), x.dtype)
}

/** Some rows of others. */
export const subset = (all: Rows, chosen: Int32Array): Rows => ({
  ...all,
  rows: chosen.length,
  read: (rows, into) =>
    all.read(
      rows.map(r => chosen[r]!),
      into,
    ),
})

/** Inputs and what the model should answer to them. */
export interface Dataset {
  readonly x: Examples
  readonly y: Examples
}
/** Inputs and targets of the same examples. Throws TypeError where their numbers differ or are 0. */
export function pair(data: Dataset, name: string): { x: Rows; y: Rows } {
  if (typeof data !== "object" || data === null)
    throw new TypeError(`${name}: the data must be { x, y }, inputs and targets; got ${data === null ? "null" : typeof data}`)
  const x = toRows(data.x, `${name}: x`)
  const y = toRows(data.y, `${name}: y`)
  if (x.rows !== y.rows || x.rows === 0)
    throw new TypeError(`${name}: x and y must have the same number of rows, at least 1; got ${x.rows} and ${y.rows}`)
  return { x, y }
}

/** Batches as an array and the aval of the tensor it is. The array is used again for the next batches of its size. */
export class BatchReader {
  private readonly source: Rows
  private readonly arrays = new Map<number, TypedArray>()
  constructor(source: Rows) {
    this.source = source
  }
  /** The given rows, at most as many as the axes `lead` have room for; what is behind them is not defined. */
  read(rows: Int32Array, lead: Shape = [rows.length]): { array: TypedArray; aval: Aval } {
    const { shape, dtype } = this.source
    const n = size(lead) * size(shape)
    let array = this.arrays.get(n)
    if (!array) this.arrays.set(n, (array = allocate(dtype, n)))
    this.source.read(rows, array)
    return { array, aval: { shape: [...lead, ...shape], dtype } }
  }
}
