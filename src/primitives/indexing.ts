// Reads and additions at places that data decide; each is the other's transpose.
import { type Aval, type Shape, sameShape, shaped } from "../core/aval.ts"
import { isFloating } from "../core/dtype.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1, Tensor } from "../core/tensor.ts"
import { type Index, valueIndex } from "../ir/affine.ts"
import { type Bound, guard, type Read } from "../ir/expr.ts"
import { add, broadcast, fullLike, iota, known, moveAxis, permute, spread, toFront, zeros } from "./base.ts"
import { and, le, lt, mul, select } from "./elementwise.ts"
import { reshape } from "./structure.ts"

interface Along {
  readonly axis: number
}
interface Gather extends Along {
  /** What a place outside of the axis gives, if not 0. */
  readonly outside?: "NaN"
}

/** The shape of what is gathered. */
function gathered(name: string, x: Aval, idx: Aval, { axis }: Along): Shape {
  if (idx.dtype !== "i32") throw new DtypeError(name, "indices must be i32", [idx])
  if (axis < 0 || axis >= x.shape.length) throw new ShapeError(name, `there is no axis ${axis}`, [x])
  return x.shape.toSpliced(axis, 1, ...idx.shape)
}
/** Where the element `at` of what is gathered lies in the operand, and when it does. */
function place(idx: Read, at: readonly Index[], axis: number, [a, b]: readonly Aval[]): { to: readonly Index[]; bounds: readonly Bound[] } {
  const rank = b!.shape.length
  const i = valueIndex(idx(at.slice(axis, axis + rank)))
  return { to: at.toSpliced(axis, rank, i), bounds: [{ i, n: a!.shape[axis]! }] }
}

/**
 * Entries of `axis` at the places in `indices` [...]: axis `axis` of the result is replaced by the axes of `indices`.
 * A place outside of the axis gives 0, or NaN if so asked for and `x` is floating point; its derivative is 0.
 */
export const gatherP: Primitive<Gather> = {
  name: "gather",
  shape: ([x, idx], p) => [shaped(gathered("take", x!, idx!, p), x!)],
  meaning: {
    kind: "map",
    at([x, idx], at, { axis, outside }, avals) {
      const { to, bounds } = place(idx!, at, axis, avals)
      return guard(bounds, x!(to), outside && isFloating(avals[0]!.dtype) ? Number.NaN : 0)
    },
  },
  jvp: ([x, idx], [t], p) => [[bind1(gatherP, [x!, idx!], p)], [t ? gather(t, idx!, p.axis) : null]],
  transpose: ([ct], [x, idx], p) => [scatterAdd(zeros({ ...ct!.aval, shape: x!.shape }), known(idx), ct!, p.axis), null],
  batch([x, idx], [xAxis, idxAxis], p, n) {
    const take = (x: Tensor, idx: Tensor, axis: number): Tensor => bind1(gatherP, [x, idx], { ...p, axis })
    if (idxAxis === null) return [[take(toFront(x!, xAxis!), idx!, p.axis + 1)], [0]]
    const places = toFront(idx!, idxAxis!)
    if (xAxis === null) return [[take(x!, places, p.axis)], [p.axis]]
    // both: the examples' axes laid end to end, places shifted accordingly
    const { flat, at } = endToEnd(toFront(x!, xAxis!), places, p.axis, n)
    // [n, places, before, after] -> [n, before, places, after]
    return [[exchange(take(flat, at, 0), places.ndim, p.axis)], [0]]
  },
}
/** See gatherP; places outside give 0. */
export const gather = (x: Tensor, indices: Tensor, axis: number): Tensor => bind1(gatherP, [x, indices], { axis })
/** See gatherP; places outside give NaN. */
export const gatherOrNaN = (x: Tensor, indices: Tensor, axis: number): Tensor => bind1(gatherP, [x, indices], { axis, outside: "NaN" })

/** `x` [n, ...] as [n * m, rest] with the axis in front, and places [n, ...] counted in it; places outside stay outside. */
function endToEnd(x: Tensor, places: Tensor, axis: number, n: number): { flat: Tensor; at: Tensor } {
  const rows = moveAxis(x, axis + 1, 1)
  const m = rows.shape[1]!
  const start = mul(iota(n), fullLike(iota(n).aval, m))
  const shifted = add(places, broadcast(start, places.shape, places.shape.map((_, d) => d).slice(1)))
  const inside = and(le(fullLike(places.aval, 0), places), lt(places, fullLike(places.aval, m)))
  return { flat: reshape(rows, [n * m, ...rows.shape.slice(2)]), at: select(inside, shifted, fullLike(places.aval, -1)) }
}
/** Axes 1 to `end` and the `count` axes behind them change places. */
function exchange(x: Tensor, end: number, count: number): Tensor {
  const d = x.shape.map((_, i) => i)
  return permute(x, [0, ...d.slice(end, end + count), ...d.slice(1, end), ...d.slice(end + count)])
}

/** A copy of `x` to which `updates` are added at the places in `indices` of `axis`, in row-major order; places outside are dropped. */
export const scatterAddP: Primitive<Along> = {
  name: "scatterAdd",
  shape([x, idx, u], p) {
    const want = gathered("scatterAdd", x!, idx!, p)
    if (u!.dtype !== x!.dtype || x!.dtype === "bool")
      throw new DtypeError("scatterAdd", "operand and updates must be numbers of one dtype", [x!, u!])
    if (!sameShape(u!.shape, want)) throw new ShapeError("scatterAdd", `updates must have shape [${want}]`, [x!, idx!, u!])
    return [x!]
  },
  meaning: {
    kind: "scatter",
    target: 0,
    loop: ([, , u]) => u!.shape,
    at: ([, idx, u], at, { axis }, avals) => ({ ...place(idx!, at, axis, avals), value: u!(at) }),
  },
  jvp: ([x, idx, u], [tx, , tu], p) => [
    [scatterAdd(x!, idx!, u!, p.axis)],
    [scatterAdd(tx ?? zeros(x!.aval), idx!, tu ?? zeros(u!.aval), p.axis)],
  ],
  transpose: ([ct], [x, idx, u], p) => [
    x instanceof Tensor ? null : ct!,
    null,
    u instanceof Tensor ? null : gather(ct!, known(idx), p.axis),
  ],
  batch([x, idx, u], [xAxis, idxAxis, uAxis], p, n) {
    const target = spread(toFront(x!, xAxis!), xAxis !== null, n)
    const updates = spread(toFront(u!, uAxis!), uAxis !== null, n)
    if (idxAxis === null) return [[scatterAdd(target, idx!, updates, p.axis + 1)], [0]]
    const places = toFront(idx!, idxAxis!)
    const { flat, at } = endToEnd(target, places, p.axis, n)
    // [n, before, places, after] -> [n, places, before, after]
    const rows = exchange(updates, p.axis + 1, places.ndim - 1)
    const y = scatterAdd(flat, at, rows, 0)
    return [[moveAxis(reshape(y, [n, y.shape[0]! / n, ...y.shape.slice(1)]), 1, p.axis + 1)], [0]]
  },
}
/** See scatterAddP. */
export const scatterAdd = (x: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor =>
  bind1(scatterAddP, [x, indices, updates], { axis })
