// Writes at places that data decide. Places are i32 and count from the end if negative; what would be written outside is dropped.
import { sameShape } from "../core/aval.ts"
import { ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { axisOf, type Operand, promote, repeatTo, wantNumbers, wantOneDtype, wantTensors } from "./align.ts"
import { placesIn } from "./shape.ts"
import { argsort } from "./sort.ts"

interface Update {
  readonly x: Tensor
  readonly places: Tensor
  readonly updates: Tensor
  readonly d: number
}
function update(name: string, target: Tensor, indices: Tensor, values: Operand, axis: number): Update {
  wantTensors(name, [target])
  const d = axisOf(name, target, axis)
  const [x, given] = promote(name, [target, values]) as [Tensor, Tensor]
  const places = placesIn(name, indices, x.shape[d]!)
  wantOneDtype(name, [x, given])
  wantNumbers(name, x)
  const shape = x.shape.toSpliced(d, 1, ...indices.shape)
  const fits = given.ndim <= shape.length && given.shape.every((n, i) => n === 1 || n === shape.at(i - given.ndim))
  if (!fits) throw new ShapeError(name, `updates must have the shape of take(x, indices), [${shape}], or be repeated to it`, [given.aval])
  return { x, places, updates: repeatTo(given, shape), d }
}
/**
 * `x` with `updates` added at the places in `indices` (i32, any shape) of `axis` (default 0), all of them where a place comes several
 * times. Updates have the shape of `take(x, indices)` or are repeated to it.
 *
 * @example
 * scatterAdd(zeros([3]), tensor([0, 2, 0], { dtype: "i32" }), 1)  // [2, 0, 1]
 */
export function scatterAdd(x: Tensor, indices: Tensor, updates: Operand, { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  const u = update("scatterAdd", x, indices, updates, axis)
  return p.scatterAdd(u.x, u.places, u.updates, u.d)
}
/**
 * `x` with `updates` in place of what is at the places in `indices` of `axis` (default 0); the last one where a place comes several
 * times. Otherwise as `scatterAdd`.
 *
 * @example
 * scatterSet(zeros([3]), tensor([0, 2], { dtype: "i32" }), tensor([5, 6]))  // [5, 0, 6]
 */
export function scatterSet(x: Tensor, indices: Tensor, updates: Operand, { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  const u = update("scatterSet", x, indices, updates, axis)
  const once = p.reshape(lastOfEach(p.reshape(u.places, [indices.size])), indices.shape)
  const blank = { shape: [u.x.shape[u.d]!], dtype: "i32" } as const
  const count = p.scatterAdd(p.zeros(blank), once, p.fullLike(once.aval, 1), 0)
  const hit = p.broadcast(p.cast(count, "bool"), u.x.shape, p.allAxes(u.x).toSpliced(u.d, 1))
  return p.select(hit, p.scatterAdd(p.zeros(u.x.aval), once, u.updates, u.d), u.x)
}
/** The places, but -1 for those that come again. */
function lastOfEach(places: Tensor): Tensor {
  const m = places.size
  if (m < 2) return places
  const order = argsort(places)
  const sorted = p.gather(places, order, 0)
  const same = p.eq(p.slice(sorted, { start: [0], shape: [m - 1] }), p.slice(sorted, { start: [1], shape: [m - 1] }))
  const again = p.scatterAdd(p.zeros(places.aval), order, p.pad(p.cast(same, "i32"), { start: [0], shape: [m] }), 0)
  return p.select(p.cast(again, "bool"), p.fullLike(places.aval, -1), places)
}

/**
 * Sums of the entries of `x` that belong to one segment: result[s] is the sum of all x[i] with ids[i] = s, for 0 <= s < n. `ids` (i32)
 * have the shape of the leading axes of `x`; entries with other ids are dropped.
 *
 * @example
 * segmentSum(tensor([1, 2, 3]), tensor([0, 0, 1], { dtype: "i32" }), 2)  // [3, 3]
 */
export function segmentSum(x: Tensor, ids: Tensor, n: number): Tensor {
  wantTensors("segmentSum", [x])
  placesIn("segmentSum", ids, 0)
  if (!Number.isInteger(n) || n < 0) throw new TypeError(`segmentSum: the number of segments is a whole number >= 0; got ${n}`)
  if (!sameShape(x.shape.slice(0, ids.ndim), ids.shape))
    throw new ShapeError("segmentSum", "ids must have the shape of the leading axes of x", [x.aval, ids.aval])
  return p.scatterAdd(p.zeros({ ...x.aval, shape: [n, ...x.shape.slice(ids.ndim)] }), ids, x, 0)
}
