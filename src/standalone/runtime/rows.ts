// What a user gives as rows, as numbers for the program.
import { encodeAnswer, encodeRecords } from "../../data/records.ts"
import type { Description, Place } from "../description.ts"

/** Rows one after another, and whether their sender gave a list of rows. */
export interface Rows {
  readonly values: ArrayLike<number>
  readonly rows: number
  readonly list: boolean
}

const isNumbers = (x: unknown): x is ArrayLike<number> =>
  ArrayBuffer.isView(x) ? "length" in x : Array.isArray(x) && x.length > 0 && x.every(v => typeof v === "number")

/** Numbers of one row or several, flat or as a list of rows. Throws TypeError for anything else, RangeError for other lengths. */
export function numbersOf(x: unknown, size: number, name: string): Rows {
  if (isNumbers(x)) {
    const rows = x.length / size
    if (!Number.isInteger(rows) || rows === 0)
      throw new RangeError(`${name}: wanted ${size} numbers a row; got ${x.length}, which are no whole rows`)
    return { values: finite(x, size, name), rows, list: rows > 1 }
  }
  if (!Array.isArray(x) || x.length === 0)
    throw new TypeError(
      `${name}: wanted numbers, ${size} a row, or a list of such rows; got ${x === null ? "null" : Array.isArray(x) ? "an empty list" : typeof x}`,
    )
  const values = new Float64Array(x.length * size)
  x.forEach((row, i) => {
    if (!isNumbers(row)) throw new TypeError(`${name}: wanted ${size} numbers in row ${i + 1}; got something else than a list of numbers`)
    if (row.length !== size) throw new RangeError(`${name}: wanted ${size} numbers in row ${i + 1}; got ${row.length}`)
    values.set(row, i * size)
  })
  return { values: finite(values, size, name), rows: x.length, list: true }
}
function finite(values: ArrayLike<number>, size: number, name: string): ArrayLike<number> {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]))
      throw new RangeError(`${name}: row ${Math.floor(i / size) + 1}, number ${(i % size) + 1} is ${values[i]}; wanted finite numbers`)
  return values
}

/** Inputs as the model wants them: columns encoded, pixels scaled, plain numbers as they are. */
export function inputsOf({ encoding, x: { size } }: Pick<Description, "encoding" | "x">, x: unknown): Rows {
  if (encoding === null) return numbersOf(x, size, "x")
  if ("kind" in encoding) {
    const { values, rows, list } = numbersOf(x, size, "x")
    return { values: Float32Array.from(values, v => Math.fround(v) * encoding.scale), rows, list }
  }
  const records = Array.isArray(x) ? x : [x]
  if (records.length === 0) throw new TypeError("x: wanted a row or a list of rows; got an empty list")
  return { values: encodeRecords(encoding, records).x, rows: records.length, list: Array.isArray(x) }
}

/** Answers as the loss wants them: names of classes and numbers in their own unit, or plain numbers. */
export function targetsOf({ encoding }: Pick<Description, "encoding">, y: unknown, { dtype, size }: Place): Rows {
  if (encoding !== null) {
    const list = Array.isArray(y) || ArrayBuffer.isView(y) ? Array.from(y as ArrayLike<unknown>) : [y]
    return { values: list.map((value, i) => encodeAnswer(encoding.target, value, i)), rows: list.length, list: true }
  }
  const rows = numbersOf(typeof y === "number" ? [y] : y, size, "y")
  if (dtype === "i32" || dtype === "u8")
    for (let i = 0; i < rows.values.length; i++)
      if (!Number.isInteger(rows.values[i]))
        throw new RangeError(`y: wanted whole numbers, such as the number of a class; got ${rows.values[i]}`)
  return rows
}
