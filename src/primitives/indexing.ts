// Reads and additions at places that data decide; each is the other's transpose.
import { type Aval, type Shape, sameShape, shaped } from "../core/aval.ts"
import { type Dtype, fractionOf, isFloating } from "../core/dtype.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import type { Axis, Primitive } from "../core/primitive.ts"
import { bind1, Tensor } from "../core/tensor.ts"
import { type Index, valueIndex } from "../ir/affine.ts"
import { type Bound, guard, type Read } from "../ir/expr.ts"
import { known, moveAxis, spread, toFront, wantAlike, zeros } from "./base.ts"

interface Along {
  readonly axis: number
  /** So many axes in front are the same for operand and indices: each of their places has indices of its own. Default: 0. */
  readonly shared?: number
}
interface Gather extends Along {
  /** What a place outside of the axis gives, if not 0. */
  readonly outside?: "NaN" | undefined
}

/** NaN as a kernel holds it; 0 for what has none. */
const nanOf = (t: Dtype): number => (isFloating(t) ? Number.NaN : fractionOf(t) && 0x7fff)
/** The shape of what is gathered. */
function gathered(name: string, x: Aval, idx: Aval, { axis, shared = 0 }: Along): Shape {
  if (idx.dtype !== "i32") throw new DtypeError(name, "indices must be i32", [idx])
  if (axis < shared || axis >= x.shape.length) throw new ShapeError(name, `there is no axis ${axis}`, [x])
  return x.shape.toSpliced(axis, 1, ...idx.shape.slice(shared))
}
/** Where the element `at` of what is gathered lies in the operand, and when it does. */
function place(
  idx: Read,
  at: readonly Index[],
  { axis, shared = 0 }: Along,
  [a, b]: readonly Aval[],
): { to: readonly Index[]; bounds: readonly Bound[] } {
  const rank = b!.shape.length - shared
  const i = valueIndex(idx([...at.slice(0, shared), ...at.slice(axis, axis + rank)]))
  return { to: at.toSpliced(axis, rank, i), bounds: [{ i, n: a!.shape[axis]! }] }
}
/** With one more axis ahead of `axis`; all operands have it if `shared`. */
const deeper = <P extends Along>(p: P, shared: boolean): P => ({ ...p, axis: p.axis + 1, shared: (p.shared ?? 0) + Number(shared) })

/**
 * Entries of `axis` at the places in `indices` [...]: axis `axis` of the result is replaced by the axes of `indices`.
 * A place outside of the axis gives 0, or NaN if so asked for and `x` is floating point; its derivative is 0.
 */
export const gatherP: Primitive<Gather> = {
  name: "gather",
  shape: ([x, idx], p) => [shaped(gathered("take", x!, idx!, p), x!)],
  meaning: {
    kind: "map",
    at([x, idx], at, p, avals) {
      const { to, bounds } = place(idx!, at, p, avals)
      return guard(bounds, x!(to), p.outside ? nanOf(avals[0]!.dtype) : 0)
    },
  },
  jvp: ([x, idx], [t], p) => [[bind1(gatherP, [x!, idx!], p)], [t ? bind1(gatherP, [t, idx!], { ...p, outside: undefined }) : null]],
  transpose: ([ct], [x, idx], p) => [bind1(scatterAddP, [zeros(shaped(x!.shape, ct!.aval)), known(idx), ct!], p), null],
  batch([x, idx], [xAxis, idxAxis], p) {
    const { shared = 0 } = p
    if (idxAxis === null) return [[bind1(gatherP, [moveAxis(x!, xAxis!, shared), idx!], deeper(p, false))], [shared]]
    if (xAxis === null) return [[bind1(gatherP, [x!, moveAxis(idx!, idxAxis!, shared)], p)], [p.axis]]
    return [[bind1(gatherP, [toFront(x!, xAxis!), toFront(idx!, idxAxis!)], deeper(p, true))], [0]]
  },
}
/** See gatherP; places outside give 0. */
export const gather = (x: Tensor, indices: Tensor, axis: number): Tensor => bind1(gatherP, [x, indices], { axis })
/** See gatherP; places outside give NaN. */
export const gatherOrNaN = (x: Tensor, indices: Tensor, axis: number): Tensor => bind1(gatherP, [x, indices], { axis, outside: "NaN" })

/** A copy of `x` to which `updates` are added at the places in `indices` of `axis`, in row-major order; places outside are dropped. */
export const scatterAddP: Primitive<Along> = {
  name: "scatterAdd",
  shape([x, idx, u], p) {
    const want = gathered("scatterAdd", x!, idx!, p)
    wantAlike("scatterAdd", x!, u!)
    if (!sameShape(u!.shape, want)) throw new ShapeError("scatterAdd", `updates must have shape [${want}]`, [x!, idx!, u!])
    return [x!]
  },
  meaning: {
    kind: "scatter",
    target: 0,
    loop: ([, , u]) => u!.shape,
    at: ([, idx, u], at, p, avals) => ({ ...place(idx!, at, p, avals), value: u!(at) }),
  },
  jvp: ([x, idx, u], [tx, , tu], p) => [
    [bind1(scatterAddP, [x!, idx!, u!], p)],
    [bind1(scatterAddP, [tx ?? zeros(x!.aval), idx!, tu ?? zeros(u!.aval)], p)],
  ],
  transpose: ([ct], [x, idx, u], p) => [
    x instanceof Tensor ? null : ct!,
    null,
    u instanceof Tensor ? null : bind1(gatherP, [ct!, known(idx)], p),
  ],
  batch([x, idx, u], [xAxis, idxAxis, uAxis], p, n) {
    const front = (x: Tensor, axis: Axis): Tensor => spread(toFront(x, axis), axis !== null, n)
    return [[bind1(scatterAddP, [front(x!, xAxis!), front(idx!, idxAxis!), front(u!, uAxis!)], deeper(p, true))], [0]]
  },
}
/** See scatterAddP. */
export const scatterAdd = (x: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor =>
  bind1(scatterAddP, [x, indices, updates], { axis })
