// Which elements of its operands an element of a map reads: from its meaning, so that a derivative of many elements is one computation.
import { type Aval, size } from "../core/aval.ts"
import { heldAs } from "../core/dtype.ts"
import type { Primitive } from "../core/primitive.ts"
import { axisIndex, type Index, newAxis, ravel, sameIndex } from "../ir/affine.ts"
import { type Bound, children, type Expr, type Read } from "../ir/expr.ts"

/** The element that is read of one operand, for each element of the output; -1 for none. */
export type Places = Int32Array
export interface Reads {
  /** For each operand; undefined where an output element may read several. */
  readonly places: readonly (Places | undefined)[]
  /** An output element is an element of an operand as it is. */
  readonly copy: boolean
}

/** Undefined for all but maps of one output. */
export function readsOf(prim: Primitive, params: unknown, ins: readonly Aval[], outs: readonly Aval[]): Reads | undefined {
  const { meaning } = prim
  if (meaning.kind !== "map" || outs.length !== 1) return undefined
  const { shape } = outs[0]!
  const axes = shape.map(newAxis)
  const found: Found[][] = ins.map(() => [])
  const reads = ins.map(
    (a, slot): Read =>
      idx => ({ k: "load", t: heldAs(a.dtype), slot, at: ravel(idx, a.shape) }),
  )
  const e = meaning.at(reads, axes.map(axisIndex), params, ins)
  collect(e, [], found, new Set())
  const numbers = new Map(axes.map((axis, d) => [axis.id, d]))
  const places = found.map(all => (isOne(all) ? placesOf(all[0]!, shape, numbers) : undefined))
  return { places, copy: isCopy(e) }
}

interface Found {
  readonly at: Index
  readonly bounds: readonly Bound[]
}
/** Whether all loads of an operand are of one place. */
const isOne = (all: readonly Found[]): boolean =>
  all.length > 0 &&
  all.every(
    f =>
      sameIndex(f.at, all[0]!.at) &&
      f.bounds.length === all[0]!.bounds.length &&
      f.bounds.every((b, i) => b.n === all[0]!.bounds[i]!.n && sameIndex(b.i, all[0]!.bounds[i]!.i)),
  )
/** All loads, with the bounds around them. */
function collect(e: Expr, bounds: readonly Bound[], into: Found[][], seen: Set<Expr>): void {
  if (e.k === "load") {
    into[e.slot]!.push({ at: e.at, bounds })
    return
  }
  if (seen.has(e)) return
  seen.add(e)
  const inside = e.k === "guard" ? [...bounds, ...e.bounds] : bounds
  for (const part of children(e)) collect(part, inside, into, seen)
}
/** Moves of elements; where several operands take turns (concat), each of them moves. */
function isCopy(e: Expr): boolean {
  if (e.k === "guard") return isCopy(e.body)
  return e.k === "load" || (e.k === "op" && e.op === "select" && e.args.slice(1).every(isCopy) && isPlace(e.args[0]!))
}
const isPlace = (e: Expr): boolean => e.k === "const" || e.k === "index" || (e.k === "op" && e.args.every(isPlace))

function placesOf({ at, bounds }: Found, shape: readonly number[], axes: ReadonlyMap<number, number>): Places | undefined {
  const n = size(shape)
  const out = new Int32Array(n)
  const idx = shape.map(() => 0)
  for (let o = 0; o < n; o++) {
    const place = evaluate(at, idx, axes)
    if (place === undefined) return undefined
    out[o] = place
    for (const b of bounds) {
      const i = evaluate(b.i, idx, axes)
      if (i === undefined) return undefined
      if (i < 0 || i >= b.n) out[o] = -1
    }
    for (let d = shape.length - 1; d >= 0; d--) {
      if (++idx[d]! < shape[d]!) break
      idx[d] = 0
    }
  }
  return out
}
/** Undefined where data or another loop decide. */
function evaluate(i: Index, idx: readonly number[], axes: ReadonlyMap<number, number>): number | undefined {
  let sum = i.constant
  for (const [a, c] of i.terms) {
    let x: number | undefined
    if (a.k === "axis") {
      const d = axes.get(a.axis.id)
      x = d === undefined ? undefined : idx[d]
    } else if (a.k !== "value") {
      const of = evaluate(a.of, idx, axes)
      x = of === undefined ? undefined : a.k === "div" ? Math.floor(of / a.by) : ((of % a.by) + a.by) % a.by
    }
    if (x === undefined) return undefined
    sum += c * x
  }
  return sum
}
