// Order along an axis: by a network of comparisons, as one loop over its layers.
import { scan } from "../control/scan.ts"
import { tensor } from "../core/concrete.ts"
import { isFloating } from "../core/dtype.ts"
import { ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { axesOf, axisOf, promote, wantFloating, wantNumbers, wantTensors } from "./align.ts"
import { takeAlongAxis } from "./indexing.ts"

export interface SortOptions {
  /** Default: the last. */
  readonly axis?: number
  /** The largest first; NaN still comes last, and equals keep their order. Default: false. */
  readonly descending?: boolean
}

type Two = readonly [Tensor, Tensor]
/**
 * Places along axis 0 in the order of what is there, by the bitonic network of K. E. Batcher, "Sorting networks and their
 * applications", AFIPS 1968: log2(n) (log2(n) + 1) / 2 layers, each of which compares places whose numbers differ in one bit.
 * A second key, the place, makes all elements different: the order is stable, and NaN and what fills up to a power of 2 come last.
 */
function order(x: Tensor): Tensor {
  const [n, ...rest] = x.shape as [number, ...number[]]
  const places = (count: number): Tensor => p.broadcast(p.iota(count), [count, ...rest], p.allAxes(x).slice(1))
  if (n < 2 || x.size === 0) return places(n)
  const bits = 32 - Math.clz32(n - 1)
  const m = 2 ** bits
  const nan = p.not(p.eq(x, x))
  const behind = (t: Tensor, value: number): Tensor => (m === n ? t : p.concat([t, p.full([m - n, ...rest], value, t.dtype)], 0))
  const greatest = isFloating(x.dtype) ? Infinity : 2 ** 31 - 1
  const keys = behind(p.select(nan, p.fullLike(x.aval, greatest), x), greatest)
  const own = places(n)
  const second = behind(p.select(nan, p.add(own, p.fullLike(own.aval, m)), own), 2 * m)

  const layers = Array.from({ length: bits }, (_, i) => Array.from({ length: i + 1 }, (_, j) => [2 << i, 1 << (i - j)] as const)).flat()
  const column = (i: 0 | 1): Tensor => tensor(Int32Array.from(layers, l => l[i]))
  const line = p.iota(m)
  const all = (t: Tensor): Tensor => p.broadcast(t, line.shape, [0])
  const layer = ([key, place]: Two, [block, bit]: Two): readonly [Two, null] => {
    const partner = p.xor(line, all(bit))
    const rising = p.eq(p.and(line, all(block)), p.zeros(line.aval))
    const wantsLess = p.broadcast(p.eq(p.lt(line, partner), rising), key.shape, p.allAxes(key).slice(1))
    const [key2, place2] = [p.gather(key, partner, 0), p.gather(place, partner, 0)]
    const less = p.or(p.lt(key2, key), p.and(p.eq(key2, key), p.lt(place2, place)))
    const swaps = p.eq(less, wantsLess)
    return [[p.select(swaps, key2, key), p.select(swaps, place2, place)], null]
  }
  const [[, sorted]] = scan<Two, Two, null>(layer, [keys, second], [column(0), column(1)])
  const first = p.slice(sorted, { start: sorted.shape.map(() => 0), shape: x.shape })
  return p.select(p.lt(first, p.fullLike(first.aval, m)), first, p.sub(first, p.fullLike(first.aval, m)))
}
function orderAlong(name: string, x: Tensor, { axis = -1, descending = false }: SortOptions): Tensor {
  wantTensors(name, [x])
  const d = axisOf(name, x, axis)
  const y = p.stopGradient(x.dtype === "bool" ? p.cast(x, "i32") : x)
  // not(i) = -1 - i has no overflow
  const keys = descending ? (isFloating(y.dtype) ? p.neg(y) : p.not(y)) : y
  return p.moveAxis(order(p.moveAxis(keys, d, 0)), 0, d)
}

/**
 * The places along `axis` (default: the last) in the order of their elements, as i32. Stable; NaN comes last.
 *
 * @example
 * argsort(tensor([3, 1, 2]))  // [1, 2, 0]
 */
export const argsort = (x: Tensor, options: SortOptions = {}): Tensor => orderAlong("argsort", x, options)
/**
 * The elements along `axis` (default: the last) in increasing order, NaN last. The derivative goes where the elements come from.
 *
 * @example
 * sort(tensor([3, 1, 2]), { descending: true })  // [3, 2, 1]
 */
export const sort = (x: Tensor, options: SortOptions = {}): Tensor =>
  takeAlongAxis(x, orderAlong("sort", x, options), { axis: options.axis ?? -1 })
/**
 * The `k` largest elements along `axis` (default: the last), the largest first, and their places. Of equals, the first ones; NaN only
 * where there are not enough others.
 *
 * @example
 * topk(tensor([3, 1, 2]), 2)  // [[3, 2], [0, 2]]
 */
export function topk(x: Tensor, k: number, { axis = -1 }: { readonly axis?: number } = {}): [values: Tensor, indices: Tensor] {
  wantTensors("topk", [x])
  const d = axisOf("topk", x, axis)
  if (!Number.isInteger(k) || k < 0 || k > x.shape[d]!)
    throw new ShapeError("topk", `k is a whole number up to the length of axis ${axis}; wanted ${k}`, [x.aval])
  const all = orderAlong("topk", x, { axis, descending: true })
  const indices = p.slice(all, { start: all.shape.map(() => 0), shape: all.shape.with(d, k) })
  return [takeAlongAxis(x, indices, { axis }), indices]
}

/**
 * Where each of `values` would have to be put into the sorted vector so that it stays sorted, as i32: before equals ("left", the
 * default) or behind them ("right"). NaN counts as the largest number.
 *
 * @example
 * searchsorted(tensor([1, 3, 5]), tensor([3, 4]))  // [1, 2]
 */
export function searchsorted(
  sorted: Tensor,
  values: Tensor | number,
  { side = "left" }: { readonly side?: "left" | "right" } = {},
): Tensor {
  wantTensors("searchsorted", [sorted])
  const [a, v] = promote("searchsorted", [sorted, values]).map(t => p.stopGradient(t)) as [Tensor, Tensor]
  if (side !== "left" && side !== "right") throw new TypeError(`searchsorted: side is "left" or "right"; got ${JSON.stringify(side)}`)
  if (a.ndim !== 1) throw new ShapeError("searchsorted", "wants a sorted vector", [a.aval])
  wantNumbers("searchsorted", a)
  const n = a.size
  const count = (c: number, like: Tensor): Tensor => p.fullLike(like.aval, c)
  /** Whether x comes before y: NaN does after all others. */
  const before = (x: Tensor, y: Tensor): Tensor => p.or(p.lt(x, y), p.and(p.eq(x, x), p.not(p.eq(y, y))))
  // the largest number of elements that come before, found bit by bit
  let found = p.zeros({ shape: v.shape, dtype: "i32" })
  for (let step = n ? 2 ** (31 - Math.clz32(n)) : 0; step >= 1; step /= 2) {
    const next = p.add(found, count(step, found))
    const x = p.gather(a, p.sub(next, count(1, next)), 0)
    const fits = p.and(p.le(next, count(n, next)), side === "left" ? before(x, v) : p.not(before(v, x)))
    found = p.select(fits, next, found)
  }
  return found
}

export interface QuantileOptions {
  /** Default: all. */
  readonly axis?: number | readonly number[]
  /** Default: false. */
  readonly keepdims?: boolean
}
/**
 * The value below which the fraction `q` of the elements over `axis` lies, interpolated between neighbours of place q (n - 1) in sorted
 * order. Several `q` make a new axis in front. NaN if an element is. Throws TypeError unless 0 <= q <= 1, ShapeError where there is no
 * element.
 *
 * @example
 * quantile(tensor([1, 2, 3, 4]), [0, 0.5])  // [1, 2.5]
 */
export const quantile = (x: Tensor, q: number | readonly number[], options: QuantileOptions = {}): Tensor =>
  quantileOf("quantile", x, q, options)
function quantileOf(name: string, x: Tensor, q: number | readonly number[], { axis, keepdims = false }: QuantileOptions): Tensor {
  wantTensors(name, [x])
  wantFloating(name, x)
  const qs = typeof q === "number" ? [q] : (q ?? [])
  const wrong = qs.find(v => !(v >= 0 && v <= 1))
  if (wrong !== undefined || qs.length === 0) throw new TypeError(`${name}: q is a number from 0 to 1, or several; got [${qs}]`)
  const axes = axesOf(name, x, axis)
  const rest = p.without(x.shape, axes)
  const front = p.permute(x, [...axes, ...p.allAxes(x).filter(d => !axes.includes(d))])
  const n = axes.reduce((n, d) => n * x.shape[d]!, 1)
  if (n === 0) throw new ShapeError(name, "a quantile of no elements does not exist", [x.aval])
  const sorted = sort(p.reshape(front, [n, ...rest]), { axis: 0 })
  const row = (i: number): Tensor => p.reshape(p.slice(sorted, { start: [i, ...rest.map(() => 0)], shape: [1, ...rest] }), rest)
  const at = (v: number): Tensor => {
    const place = v * (n - 1)
    const below = Math.floor(place)
    const part = place - below
    if (part === 0) return row(below)
    const share = (t: Tensor, c: number): Tensor => p.mul(t, p.fullLike(t.aval, c))
    return p.add(share(row(below), 1 - part), share(row(below + 1), part))
  }
  const greatest = row(n - 1) // NaN if any is
  const shape = keepdims ? x.shape.map((l, d) => (axes.includes(d) ? 1 : l)) : rest
  const ys = qs.map(v => p.reshape(p.select(p.eq(greatest, greatest), at(v), greatest), shape))
  return typeof q === "number"
    ? ys[0]!
    : p.concat(
        ys.map(y => p.reshape(y, [1, ...shape])),
        0,
      )
}
/**
 * The middle element over `axis` in sorted order, or the mean of the two in the middle. NaN if an element is.
 *
 * @example
 * median(tensor([3, 1, 2, 10]))  // 2.5
 */
export const median = (x: Tensor, options: QuantileOptions = {}): Tensor => quantileOf("median", x, 0.5, options)
