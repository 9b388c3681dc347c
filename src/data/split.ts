import { DataError } from "./errors.ts"

/** What `splitRows` is told. */
export interface SplitOptions {
  /** Share of all rows to set aside for the final test, 0 by default. */
  readonly test?: number
  /** Share of all rows to set aside for validation during training, 0 by default. */
  readonly validation?: number
  readonly seed: number
  /** [n] class indices: every part then gets its share of every class. */
  readonly stratify?: Int32Array
}

/** Row numbers of three parts without a common row, each in ascending order. */
export interface Split {
  readonly train: Int32Array
  readonly validation: Int32Array
  readonly test: Int32Array
}

/**
 * Splits n rows at random into training, validation and test rows; the same seed gives the same parts on every machine.
 *
 * A part asked for gets at least one row.
 *
 * @throws DataError if no row is left for training; RangeError for shares that are not from 0 up to 1 in all.
 * @example
 * const { train, validation, test } = splitRows(150, { test: 0.2, validation: 0.1, seed: 1 })
 * console.log(train.length, validation.length, test.length)  // 105 15 30
 */
export function splitRows(n: number, { test = 0, validation = 0, seed, stratify }: SplitOptions = {} as SplitOptions): Split {
  if (!Number.isInteger(n) || n < 0) throw new TypeError(`splitRows: wants the number of rows; got ${JSON.stringify(n)}`)
  if (!Number.isSafeInteger(seed))
    throw new TypeError(`splitRows: \`seed\` must be a whole number, as in { test: 0.2, seed: 1 }; got ${seed}`)
  if (!(test >= 0 && validation >= 0 && test + validation < 1)) {
    throw new RangeError(`splitRows: wanted shares from 0 up to 1 in all, got test ${test} and validation ${validation}.`)
  }
  const order = stratify === undefined ? shuffle(n, seed, SPLIT) : spread(shuffle(n, seed, SPLIT), stratify)
  const tests = test > 0 ? Math.max(1, Math.round(n * test)) : 0
  const validations = validation > 0 ? Math.max(1, Math.round(n * validation)) : 0
  if (tests + validations >= n) {
    throw new DataError(`${n} rows are too few: ${validations} for validation and ${tests} for the test leave none for training. Add rows.`)
  }
  return {
    test: order.slice(0, tests).sort(),
    validation: order.slice(tests, tests + validations).sort(),
    train: order.slice(tests + validations).sort(),
  }
}

// Splitting takes an epoch of its own, so that it shares no randomness with the order of the rows in training.
const SPLIT = 0xffffffff

/** Orders rows so that any first part of them holds every class in proportion; within a class the order stays. */
function spread(rows: Int32Array, classes: Int32Array): Int32Array {
  const sizes = new Map<number, number>()
  for (const row of rows) sizes.set(classes[row]!, (sizes.get(classes[row]!) ?? 0) + 1)
  const seen = new Map<number, number>()
  const places = Array.from(rows, row => {
    const rank = seen.get(classes[row]!) ?? 0
    seen.set(classes[row]!, rank + 1)
    return { row, at: (rank + 0.5) / sizes.get(classes[row]!)! }
  })
  return Int32Array.from(
    places.sort((a, b) => a.at - b.at),
    place => place.row,
  )
}

/**
 * A random order of the numbers 0 to n - 1 (Fisher-Yates), the same on every machine for the same seed and epoch.
 *
 * @example
 * shuffle(5, 1, 0)  // [3, 1, 4, 0, 2]
 */
export function shuffle(n: number, seed: number, epoch: number): Int32Array {
  const below = randomBelow(hash(hash(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0), epoch))
  const order = Int32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}

/** A function that gives random integers from 0 to n - 1, each equally likely. */
function randomBelow(key: number): (n: number) => number {
  let counter = 0
  return n => {
    // Words from the last, incomplete multiple of n are drawn again: they would favour the small numbers.
    const limit = 2 ** 32 - (2 ** 32 % n)
    let word: number
    do word = hash(key, counter++)
    while (word >= limit)
    return word % n
  }
}

/** A 32-bit word from two, by mixing each in with Prospector's `lowbias32` (https://nullprogram.com/blog/2018/07/31/). */
function hash(key: number, counter: number): number {
  return mix((mix(key) + Math.imul(counter, 0x9e3779b9)) | 0)
}

function mix(word: number): number {
  let x = word ^ (word >>> 16)
  x = Math.imul(x, 0x7feb352d)
  x ^= x >>> 15
  x = Math.imul(x, 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}
