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
  /** [n] what each row belongs to, such as a patient or a device: all rows of a group come into one part. Shares are then approximate. */
  readonly groups?: ArrayLike<string | number>
  /** [n] when each row was made: the latest rows are the test, those before them validation. Rows of one time may come into two parts. */
  readonly times?: ArrayLike<number>
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
 * A part asked for gets at least one row. At most one of `stratify`, `groups` and `times` can be asked for.
 *
 * @throws DataError if no row is left for training; RangeError for shares that are not from 0 up to 1 in all.
 * @example
 * const { train, validation, test } = splitRows(150, { test: 0.2, validation: 0.1, seed: 1 })
 * console.log(train.length, validation.length, test.length)  // 105 15 30
 */
export function splitRows(n: number, options: SplitOptions = {} as SplitOptions): Split {
  const { test = 0, validation = 0, seed, groups } = options
  if (!Number.isInteger(n) || n < 0) throw new TypeError(`splitRows: wants the number of rows; got ${JSON.stringify(n)}`)
  if (!Number.isSafeInteger(seed))
    throw new TypeError(`splitRows: \`seed\` must be a whole number, as in { test: 0.2, seed: 1 }; got ${seed}`)
  if (!(test >= 0 && validation >= 0 && test + validation < 1)) {
    throw new RangeError(`splitRows: wanted shares from 0 up to 1 in all, got test ${test} and validation ${validation}.`)
  }
  const order = orderOf(n, options)
  const wholeGroups = (rows: number): number => (groups === undefined ? rows : endOfGroup(order, groups, rows))
  const tests = test > 0 ? wholeGroups(Math.max(1, Math.round(n * test))) : 0
  const validations = validation > 0 ? wholeGroups(tests + Math.max(1, Math.round(n * validation))) - tests : 0
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

/** One fold of a cross-validation: row numbers in ascending order. */
export interface Fold {
  readonly train: Int32Array
  readonly validation: Int32Array
}

/**
 * Divides n rows at random into k parts for cross-validation: each row is validated in one fold and trained on in the others.
 *
 * @throws DataError if there are fewer rows (or groups) than folds; TypeError for less than 2 folds.
 * @example
 * kFold(6, 3, { seed: 1 }).map(({ validation }) => validation.length)  // [2, 2, 2]
 */
export function kFold(n: number, folds: number, options: Pick<SplitOptions, "seed" | "stratify" | "groups">): Fold[] {
  if (!Number.isInteger(folds) || folds < 2) throw new TypeError(`kFold: wants at least 2 folds; got ${folds}`)
  if (!Number.isSafeInteger(options?.seed))
    throw new TypeError(`kFold: \`seed\` must be a whole number, as in { seed: 1 }; got ${options?.seed}`)
  const { groups } = options
  const order = orderOf(n, options)
  // neighbours in this order go to one fold, which then has its share of every class; and so do rows of one group
  const ranks = new Map<unknown, number>()
  for (const row of order) {
    const group = groups === undefined ? row : groups[row]
    if (!ranks.has(group)) ranks.set(group, ranks.size)
  }
  if (ranks.size < folds)
    throw new DataError(`${ranks.size} ${groups ? "groups" : "rows"} are too few for ${folds} folds. Ask for fewer folds.`)
  const foldOf = (row: number): number => Math.floor((ranks.get(groups === undefined ? row : groups[row])! * folds) / ranks.size)
  const rows = Int32Array.from({ length: n }, (_, i) => i)
  return Array.from({ length: folds }, (_, fold) => ({
    train: rows.filter(row => foldOf(row) !== fold),
    validation: rows.filter(row => foldOf(row) === fold),
  }))
}

/** The rows in the order in which they are dealt: test first, then validation. */
function orderOf(n: number, { seed, stratify, groups, times }: SplitOptions): Int32Array {
  const told = Object.entries({ stratify, groups, times }).filter(([, list]) => list !== undefined)
  if (told.length > 1)
    throw new TypeError(`wants at most one of stratify, groups and times; got ${told.map(([name]) => name).join(" and ")}`)
  for (const [name, list] of told)
    if (list!.length !== n) throw new TypeError(`\`${name}\` has ${list!.length} entries; wanted one for each of the ${n} rows`)
  const order = shuffle(n, seed, SPLIT)
  if (stratify !== undefined) return spread(order, stratify)
  if (groups !== undefined) return byGroup(order, groups)
  if (times === undefined) return order
  const odd = order.find(row => !Number.isFinite(times[row]))
  if (odd !== undefined) throw new DataError(`Row ${odd} (counted from 0) has the time ${times[odd]}; wanted a number for each row.`)
  return order.sort((a, b) => times[b]! - times[a]!)
}

/** Groups in the order of their first rows, each one together. */
function byGroup(order: Int32Array, groups: ArrayLike<string | number>): Int32Array {
  const rows = new Map<string | number, number[]>()
  for (const row of order) {
    const group = rows.get(groups[row]!)
    if (group === undefined) rows.set(groups[row]!, [row])
    else group.push(row)
  }
  return Int32Array.from([...rows.values()].flat())
}

/** The end of the group that place `at` cuts, or `at` itself between two groups. */
function endOfGroup(order: Int32Array, groups: ArrayLike<string | number>, at: number): number {
  let end = Math.min(at, order.length)
  while (end > 0 && end < order.length && groups[order[end]!] === groups[order[end - 1]!]) end++
  return end
}

/** Orders rows so that any first part of them holds every class in proportion; within a class the order stays. */
function spread(rows: Int32Array, classes: Int32Array): Int32Array {
  const sizes = new Map<number, number>()
  for (const row of rows) sizes.set(classes[row]!, (sizes.get(classes[row]!) ?? 0) + 1)
  const seen = new Map<number, number>()
  const at = Float64Array.from(rows, row => {
    const rank = seen.get(classes[row]!) ?? 0
    seen.set(classes[row]!, rank + 1)
    return (rank + 0.5) / sizes.get(classes[row]!)!
  })
  // numbers and no objects: there may be millions of rows
  const places = rows.map((_, i) => i).sort((a, b) => at[a]! - at[b]! || a - b)
  return places.map(i => rows[i]!)
}

/**
 * A random order of the numbers 0 to n - 1 (Fisher-Yates), the same on every machine for the same seed and epoch.
 *
 * @example
 * shuffle(5, 1, 0)  // [3, 1, 4, 0, 2]
 */
export function shuffle(n: number, seed: number, epoch: number): Int32Array {
  const below = randomBelow(hash(hash(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0), epoch))
  const order = new Int32Array(n)
  for (let i = 0; i < n; i++) order[i] = i
  for (let i = n - 1; i > 0; i--) {
    const j = below((i + 1) | 0)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}

/** Random whole numbers below n for one of many things in an epoch, the same on every machine for the same seed. */
export const draws = (seed: number, epoch: number, thing: number): ((n: number) => number) =>
  randomBelow(hash(hash(hash(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0), epoch), thing))

/** A function that gives random integers from 0 to n - 1, each equally likely, for n up to 2^31. */
function randomBelow(key: number): (n: number) => number {
  const mixed = mix(key)
  let counter = 0
  return n => {
    let word: number
    // Words from the last, incomplete multiple of n are drawn again: they would favour the small numbers. Most are too small to be among them.
    do {
      word = after(mixed, counter)
      counter = (counter + 1) | 0
    } while (word >= 2 ** 32 - n && word >= 2 ** 32 - (2 ** 32 % n))
    // the machine divides integers several times as fast as other numbers, if it knows that they are
    return ((word >>> 0) % (n >>> 0)) | 0
  }
}

/** A 32-bit word from two, by mixing each in with Prospector's `lowbias32` (https://nullprogram.com/blog/2018/07/31/). */
const hash = (key: number, counter: number): number => after(mix(key), counter)
/** The same where the first is mixed already. */
const after = (mixed: number, counter: number): number => mix((mixed + Math.imul(counter, 0x9e3779b9)) | 0)

function mix(word: number): number {
  let x = word ^ (word >>> 16)
  x = Math.imul(x, 0x7feb352d)
  x ^= x >>> 15
  x = Math.imul(x, 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}
