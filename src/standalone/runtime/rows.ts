// What a user gives as rows, as numbers for the program.
import { encodeAnswer, encodeRecords } from "../../data/records.ts"
import type { Description, Place, Stored } from "../description.ts"

/** Rows one after another, and whether their sender gave a list of rows. */
export interface Rows {
  readonly values: ArrayLike<number>
  readonly rows: number
  readonly list: boolean
}

const isNumbers = (x: unknown): x is ArrayLike<number> =>
  ArrayBuffer.isView(x) ? "length" in x : Array.isArray(x) && x.length > 0 && x.every(v => typeof v === "number")

/** Numbers of one row or several, flat or as a list of rows. Throws TypeError for anything else, RangeError for what does not fit. */
export function numbersOf(x: unknown, { size, dtype }: Pick<Place, "size" | "dtype">, name: string): Rows {
  if (isNumbers(x)) {
    const rows = x.length / size
    if (!Number.isInteger(rows) || rows === 0)
      throw new RangeError(`${name}: wanted ${size} numbers a row; got ${x.length}, which are no whole rows`)
    return { values: fitting(x, size, dtype, name), rows, list: rows > 1 }
  }
  if (!Array.isArray(x) || x.length === 0) {
    const got = x === null ? "null" : Array.isArray(x) ? "an empty list" : typeof x
    throw new TypeError(`${name}: wanted numbers, ${size} a row, or a list of such rows; got ${got}`)
  }
  const values = new Float64Array(x.length * size)
  x.forEach((row, i) => {
    if (!isNumbers(row)) throw new TypeError(`${name}: wanted ${size} numbers in row ${i + 1}; got something else than a list of numbers`)
    if (row.length !== size) throw new RangeError(`${name}: wanted ${size} numbers in row ${i + 1}; got ${row.length}`)
    values.set(row, i * size)
  })
  return { values: fitting(values, size, dtype, name), rows: x.length, list: true }
}

/** For each dtype the numbers that it holds, in words and as a test. */
const FITS: Readonly<Record<Stored, readonly [wanted: string, fits: (v: number) => boolean]>> = {
  f32: ["finite numbers of 32 bits", v => Number.isFinite(Math.fround(v))],
  f64: ["finite numbers", Number.isFinite],
  i32: ["whole numbers of 32 bits", v => v === (v | 0)],
  u8: ["whole numbers from 0 to 255", v => v === (v & 255)],
}
function fitting(values: ArrayLike<number>, size: number, dtype: Stored, name: string): ArrayLike<number> {
  const [wanted, fits] = FITS[dtype]
  for (let i = 0; i < values.length; i++)
    if (!fits(values[i]!))
      throw new RangeError(`${name}: row ${Math.floor(i / size) + 1}, number ${(i % size) + 1} is ${values[i]}; wanted ${wanted}`)
  return values
}

/** Inputs as the model wants them: columns encoded, pixels scaled, plain numbers as they are. */
export function inputsOf({ encoding, x: place }: Pick<Description, "encoding" | "x">, x: unknown): Rows {
  if (encoding === null) return numbersOf(x, place, "x")
  if ("kind" in encoding) {
    const { values, rows, list } = numbersOf(x, place, "x")
    return { values: Float32Array.from(values, v => Math.fround(v) * encoding.scale), rows, list }
  }
  const records = Array.isArray(x) ? x : [x]
  if (records.length === 0) throw new TypeError("x: wanted a row or a list of rows; got an empty list")
  return { values: encodeRecords(encoding, records).x, rows: records.length, list: Array.isArray(x) }
}

/** Answers as the loss wants them: names of classes and numbers in their own unit, or plain numbers. */
export function targetsOf({ encoding }: Pick<Description, "encoding">, y: unknown, place: Place): Rows {
  if (encoding === null) return numbersOf(typeof y === "number" ? [y] : y, place, "y")
  const list = Array.isArray(y) || ArrayBuffer.isView(y) ? Array.from(y as ArrayLike<unknown>) : [y]
  return { values: list.map((value, i) => encodeAnswer(encoding.target, value, i)), rows: list.length, list: true }
}
