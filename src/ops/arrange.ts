// Cutting, turning and repeating along axes.
import { tensor } from "../core/concrete.ts"
import { ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { axesOf, axisOf, wantTensors } from "./align.ts"

interface AxisOption {
  readonly axis?: number
}
interface AxesOption {
  /** Default: all. */
  readonly axis?: number | readonly number[]
}
const isCount = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 0
const cut = (x: Tensor, d: number, from: number, to: number): Tensor =>
  p.slice(x, { start: x.shape.map((_, i) => (i === d ? from : 0)), shape: x.shape.with(d, to - from) })

/**
 * The parts of `x` along `axis` (default 0): so many equal ones, or cut at places, which need not lie inside.
 * Throws ShapeError if the length is not a multiple.
 *
 * @example
 * split(arange(5), [2, 3])  // [[0, 1], [2], [3, 4]]
 */
export function split(x: Tensor, parts: number | readonly number[], { axis = 0 }: AxisOption = {}): Tensor[] {
  wantTensors("split", [x])
  const d = axisOf("split", x, axis)
  const n = x.shape[d]!
  if (typeof parts === "number" && !(isCount(parts) && parts > 0 && n % parts === 0))
    throw new ShapeError("split", `axis ${axis} of length ${n} has no ${parts} equal parts; name the places to cut at, as in [2, 5]`, [
      x.aval,
    ])
  if (typeof parts !== "number" && !(Array.isArray(parts) && parts.every(Number.isInteger)))
    throw new TypeError(`split: parts is how many, or the places to cut at, as in [2, 5]; got ${JSON.stringify(parts)}`)
  const places =
    typeof parts === "number"
      ? Array.from({ length: parts - 1 }, (_, i) => ((i + 1) * n) / parts)
      : parts.map(i => Math.min(n, Math.max(0, i < 0 ? i + n : i)))
  return [...places, n].map((to, i) => {
    const from = places[i - 1] ?? 0
    return cut(x, d, from, Math.max(from, to))
  })
}

/** The elements along `axis` (default: all axes) from the last to the first. @example flip(tensor([1, 2, 3]))  // [3, 2, 1] */
export function flip(x: Tensor, { axis }: AxesOption = {}): Tensor {
  wantTensors("flip", [x])
  return p.flip(x, axesOf("flip", x, axis))
}

/**
 * Elements moved on by `shift` places along `axis`; those that leave come in again on the other side. Several axes want a shift for
 * each; without an axis the flattened tensor is rolled.
 *
 * @example
 * roll(arange(5), 2)  // [3, 4, 0, 1, 2]
 */
export function roll(x: Tensor, shift: number | readonly number[], { axis }: AxesOption = {}): Tensor {
  wantTensors("roll", [x])
  if (axis === undefined) return p.reshape(roll(p.reshape(x, [x.size]), shift, { axis: 0 }), x.shape)
  const axes = typeof axis === "number" ? [axis] : axis
  const shifts = typeof shift === "number" ? axes.map(() => shift) : (shift ?? [])
  if (shifts.length !== axes.length || !shifts.every(Number.isInteger))
    throw new TypeError(`roll: wants a whole number for each axis of [${axes}]; got [${shifts}]`)
  return axes.reduce((y, a, i) => {
    const d = axisOf("roll", y, a)
    const n = y.shape[d]!
    const by = n ? ((shifts[i]! % n) + n) % n : 0
    return by ? p.concat([cut(y, d, n - by, n), cut(y, d, 0, n - by)], d) : y
  }, x)
}

/** The shape with axes 2 i of length `outer[i]` beside its own, filled and joined again. */
function copies(x: Tensor, outer: readonly number[]): Tensor {
  const both = x.shape.flatMap((n, d) => [outer[d]!, n])
  const joined = x.shape.map((n, d) => n * outer[d]!)
  return p.reshape(
    p.broadcast(
      x,
      both,
      outer.map((_, d) => 2 * d),
    ),
    joined,
  )
}
/**
 * Copies of the whole tensor side by side: `reps` for each axis, counted from the last one; missing ones are 1, on both sides.
 *
 * @example
 * tile(tensor([1, 2]), [2, 2])  // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function tile(x: Tensor, reps: number | readonly number[]): Tensor {
  wantTensors("tile", [x])
  const given = typeof reps === "number" ? [reps] : reps
  if (!(Array.isArray(given) && given.every(isCount)))
    throw new TypeError(`tile: reps are whole numbers >= 0; got ${JSON.stringify(given)}`)
  const rank = Math.max(given.length, x.ndim)
  const front = <T>(list: readonly T[], one: T): T[] => [...Array<T>(rank - list.length).fill(one), ...list]
  return copies(p.reshape(x, front(x.shape, 1)), front(given, 1))
}
/**
 * Each element along `axis` (of the flattened tensor by default) several times in a row: `repeats` for all, or one for each.
 *
 * @example
 * repeat(tensor([1, 2]), 2)       // [1, 1, 2, 2]
 * repeat(tensor([1, 2]), [0, 3])  // [2, 2, 2]
 */
export function repeat(x: Tensor, repeats: number | readonly number[], { axis }: AxisOption = {}): Tensor {
  wantTensors("repeat", [x])
  if (axis === undefined) return repeat(p.reshape(x, [x.size]), repeats, { axis: 0 })
  const d = axisOf("repeat", x, axis)
  const n = x.shape[d]!
  if (![repeats].flat().every(isCount)) throw new TypeError(`repeat: repeats are whole numbers >= 0; got ${JSON.stringify(repeats)}`)
  if (typeof repeats === "number") {
    const shape = x.shape.toSpliced(d + 1, 0, repeats)
    return p.reshape(p.broadcast(x, shape, [d + 1]), x.shape.with(d, n * repeats))
  }
  if (repeats.length !== n) throw new ShapeError("repeat", `wants ${n} numbers for axis ${axis}, got ${repeats.length}`, [x.aval])
  return p.gather(x, tensor(Int32Array.from(repeats.flatMap((r, i) => Array<number>(r).fill(i)))), d)
}
