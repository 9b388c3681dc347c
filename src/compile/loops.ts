// Loop nests in their final form: divisions dissolved by splitting loops, loops over contiguous memory merged, and
// reductions along memory dealt to lanes. What is decided here depends on shapes alone, so every engine gets the same bits.
import {
  type Axis,
  atomsOf,
  axisIndex,
  coefficient,
  dependsOn,
  type Index,
  newAxis,
  plus,
  stride,
  substitute,
  times,
  valueIndex,
} from "../ir/affine.ts"
import { type Expr, indicesOf, once, reach, rebuild } from "../ir/expr.ts"
import { type Kernel, placesOf, rootsOf, storesOf, withStores } from "./kernel.ts"

/** The first `kept` loops are not merged with others: turns of the outermost one may be dealt out. */
export const loops = (kernel: Kernel, kept = 0): Kernel => deal(merge(drop(splitAll(kernel)), kept))

/** A kernel with other indices and other loops; shared expressions stay shared. */
export function rewrite(k: Kernel, f: (a: Axis) => Index, axes: (over: readonly Axis[]) => readonly Axis[]): Kernel {
  const index = (i: Index): Index => substitute(i, a => (a.k === "axis" ? f(a.axis) : valueIndex(part(a.expr))))
  const part: (e: Expr) => Expr = once(e => rebuild(e, { part, index, axes }))
  const stores = storesOf(k).map(({ out, body }) => ({
    out: { ...out, at: index(out.at), bounds: out.bounds.map(b => ({ ...b, i: index(b.i) })) },
    body: part(body),
  }))
  return withStores({ ...k, axes: axes(k.axes) }, stores)
}

interface Parts {
  /** Of every load, store, position and bound. */
  readonly indices: readonly Index[]
  readonly reduces: readonly Reduce[]
}
function partsOf(k: Kernel): Parts {
  const indices = placesOf(k)
  const exprs = reach(rootsOf(k))
  for (const e of exprs) indices.push(...indicesOf(e))
  return { indices, reduces: exprs.filter(e => e.k === "reduce") }
}

/** Splits loops until no quotient is left that a split dissolves. */
function splitAll(k: Kernel): Kernel {
  const found = splitPoint(k)
  return found ? splitAll(cut(k, found.axis, found.by)) : k
}
/** The loop over `axis` as one over parts of `by` turns and one over the turns of a part. */
export function cut(k: Kernel, axis: Axis, by: number): Kernel {
  const [outer, inner] = [newAxis(axis.n / by), newAxis(by)]
  const whole = plus(times(axisIndex(outer), by), axisIndex(inner))
  return rewrite(
    k,
    a => (a.id === axis.id ? whole : axisIndex(a)),
    over => over.flatMap(a => (a.id === axis.id ? [outer, inner] : [a])),
  )
}
/** A loop inside a quotient by `n` whose steps of c = n / by divide n evenly. */
function splitPoint(k: Kernel): { axis: Axis; by: number } | null {
  const { indices, reduces } = partsOf(k)
  // a position counts along one axis, which must stay one
  const whole = reduces.filter(r => r.op === "argmax" || r.op === "argmin").flatMap(r => r.over)
  for (const i of indices) {
    for (const a of atomsOf(i)) {
      if (!("of" in a)) continue
      for (const [b, c] of a.of.terms) {
        const by = a.by / c
        if (b.k !== "axis" || whole.some(w => w.id === b.axis.id)) continue
        if (c > 0 && Number.isInteger(by) && by > 1 && by < b.axis.n && b.axis.n % by === 0) return { axis: b.axis, by }
      }
    }
  }
  return null
}

/** Without loops of one turn. */
const drop = (k: Kernel): Kernel => ({ ...k, axes: k.axes.filter(a => a.n !== 1) })

/** Merges neighbouring loops that walk all memory as one loop would; the first `kept` loops stay as they are. */
function merge(k: Kernel, kept: number): Kernel {
  const pair = mergeable(k, kept)
  if (!pair) return k
  const [outer, inner] = pair
  const both = newAxis(outer.n * inner.n)
  const merged = rewrite(
    k,
    a => (a.id === inner.id ? axisIndex(both) : a.id === outer.id ? { constant: 0, terms: [] } : axisIndex(a)),
    over => over.flatMap(a => (a.id === outer.id ? [] : a.id === inner.id ? [both] : [a])),
  )
  return merge(merged, kept)
}
function mergeable(k: Kernel, kept: number): readonly [Axis, Axis] | null {
  const { indices, reduces } = partsOf(k)
  for (const over of [k.axes.slice(kept), ...reduces.map(r => r.over)]) {
    for (let d = over.length - 2; d >= 0; d--) {
      const [outer, inner] = [over[d]!, over[d + 1]!]
      if (inner.n > 1 && indices.every(i => walksAsOne(i, outer, inner))) return [outer, inner]
    }
  }
  return null
}
function walksAsOne(i: Index, outer: Axis, inner: Axis): boolean {
  const quotients = i.terms.filter(([a]) => "of" in a)
  if ([outer, inner].some(axis => dependsOn({ terms: quotients }, axis))) return false
  return coefficient(i, outer) === coefficient(i, inner) * inner.n
}

const LANES = { f32: 8, i32: 8, f64: 4, bool: 1 } as const

type Reduce = Extract<Expr, { k: "reduce" }>

/** Deals reductions along contiguous memory to lanes, unless neighbouring outputs can be computed side by side instead. */
function deal(k: Kernel): Kernel {
  if (!partsOf(k).reduces.length) return k
  const dealt = (e: Reduce): number => {
    const axis = e.over.at(-1)
    const lanes = LANES[e.t]
    if (!axis || lanes === 1 || axis.n < 2 * lanes || e.op === "argmax" || e.op === "argmin" || !contiguous(e.body, axis)) return 1
    // the innermost loop over different results of this reduction
    const own = k.axes.findLast(a => !isSame(e, a))
    return (own && own.n >= 4 && contiguous(e, own)) || isMatrixProduct(e, k.axes) ? 1 : lanes
  }
  const part: (e: Expr) => Expr = once(e => {
    const made = rebuild(e, { part })
    return made.k === "reduce" ? { ...made, lanes: dealt(made) } : made
  })
  return withStores(
    k,
    storesOf(k).map(s => ({ ...s, body: part(s.body) })),
  )
}

/** Whether neighbouring turns of the loop read neighbours, or the same. */
const contiguous = (root: Expr, axis: Axis): boolean =>
  reach([root]).every(e => (e.k === "load" ? [0, 1].includes(stride(e.at, axis) ?? -1) : !indicesOf(e).some(i => dependsOn(i, axis))))
/** Whether `root` is the same at all turns of the loop. */
const isSame = (root: Expr, axis: Axis): boolean => reach([root]).every(e => !indicesOf(e).some(i => dependsOn(i, axis)))

/** A sum of products in which some loop walks the left operand alone and some the right one: its sums run in order, on every engine. */
function isMatrixProduct(e: Reduce, axes: readonly Axis[]): boolean {
  if (e.op !== "sum" || e.body.k !== "op" || e.body.op !== "mul") return false
  const [a, b] = e.body.args as readonly [Expr, Expr]
  if (a.k !== "load" || b.k !== "load") return false
  const walks = (i: Index, axis: Axis): boolean => stride(i, axis) !== 0
  return axes.some(axis => walks(a.at, axis) && !walks(b.at, axis)) && axes.some(axis => walks(b.at, axis) && !walks(a.at, axis))
}
