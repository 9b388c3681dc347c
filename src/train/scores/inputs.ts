// What scores are computed from: answers, predictions and probabilities, as tensors or arrays.
import { Tensor } from "../../core/tensor.ts"

/** Numbers in a row: a tensor, a typed array or an array. */
export type Numbers = Tensor | ArrayLike<number>
/** [rows, classes] as a tensor or a list of rows. Of two classes [rows] is enough: that of the second one, number 1. */
export type ByClass = Numbers | readonly ArrayLike<number>[]

/** One finite number for each row. Throws TypeError for anything else, RangeError where numbers are missing. */
export function numbers(x: Numbers, name: string, rows?: number): ArrayLike<number> {
  const values = x instanceof Tensor ? x.values() : x
  if (typeof values?.length !== "number") throw new TypeError(`${name} must be a tensor or an array of numbers; got ${typeof x}`)
  if (values.length === 0 || (rows !== undefined && values.length !== rows))
    throw new RangeError(`${name} must have one number for each of ${rows ?? "at least 1"} rows; got ${values.length}`)
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) throw new TypeError(`${name}[${i}] must be a finite number; got ${values[i]}`)
  return values as ArrayLike<number>
}

/** Class numbers from 0, below `classes` where that is known. */
export function classNumbers(x: Numbers, name: string, { rows, classes = Infinity }: { rows?: number; classes?: number } = {}) {
  const values = numbers(x, name, rows)
  for (let i = 0; i < values.length; i++)
    if (!Number.isInteger(values[i]) || values[i]! < 0 || values[i]! >= classes)
      throw new RangeError(
        `${name}[${i}] must be a class number, from 0${classes < Infinity ? ` to ${classes - 1}` : ""}; got ${values[i]}`,
      )
  return values
}

export interface Columns {
  /** [rows * classes] */
  readonly values: Float64Array
  readonly classes: number
}

/** [rows, classes], whether they came by class or of two classes for the second one only, as `rest` says what the first has then. */
export function columns(x: ByClass, name: string, rows: number, rest: (second: number) => number): Columns {
  const lists = !(x instanceof Tensor) && typeof (x as ArrayLike<unknown>)?.[0] === "object"
  const flat = lists ? flattened(x as readonly ArrayLike<number>[], name) : numbers(x as Numbers, name)
  const isMatrix = lists || (x instanceof Tensor && x.ndim > 1)
  const classes = isMatrix ? flat.length / rows : 1
  if (!Number.isInteger(classes) || flat.length !== rows * classes || (isMatrix && classes < 2))
    throw new RangeError(`${name} must be [${rows}, classes], or [${rows}] for the second of two classes; got ${flat.length} numbers`)
  if (isMatrix) return { values: Float64Array.from(flat), classes }
  const values = new Float64Array(2 * rows)
  for (let i = 0; i < rows; i++) values.set([rest(flat[i]!), flat[i]!], 2 * i)
  return { values, classes: 2 }
}

function flattened(lists: readonly ArrayLike<number>[], name: string): ArrayLike<number> {
  const width = lists[0]!.length
  const odd = lists.findIndex(list => list.length !== width)
  if (odd >= 0) throw new RangeError(`${name}[${odd}] must have ${width} numbers, as ${name}[0]; got ${lists[odd]!.length}`)
  return numbers(
    lists.flatMap(list => Array.from(list)),
    name,
  )
}

/** Probabilities by class: from 0 to 1, of each row with the sum 1 but for rounding in f32. */
export function probabilities(x: ByClass, name: string, rows: number): Columns {
  const all = columns(x, name, rows, second => 1 - second)
  const { values, classes } = all
  for (let row = 0; row < rows; row++) {
    let sum = 0
    for (let k = 0; k < classes; k++) {
      const p = values[row * classes + k]!
      if (p < 0 || p > 1) throw new RangeError(`${name}: row ${row} has ${p}; wanted probabilities from 0 to 1, such as softmax gives`)
      sum += p
    }
    if (Math.abs(sum - 1) > 1e-4) throw new RangeError(`${name}: row ${row} sums up to ${sum}; wanted probabilities with the sum 1`)
  }
  return all
}

/** The place of the largest of `classes` values of a row, the first of equals. */
export function largestAt(values: ArrayLike<number>, row: number, classes: number): number {
  let best = 0
  for (let k = 1; k < classes; k++) if (values[row * classes + k]! > values[row * classes + best]!) best = k
  return best
}
