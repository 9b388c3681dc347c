// Loop nests in their final form: divisions dissolved by splitting loops, loops over contiguous memory merged, and
// reductions along memory dealt to lanes. What is decided here depends on shapes alone, so every engine gets the same bits.
import {
  type Atom,
  type Axis,
  axisIndex,
  dependsOn,
  type Index,
  mapAtoms,
  newAxis,
  plus,
  sameAtom,
  stride,
  times,
  valueIndex,
} from "../ir/affine.ts"
import { type Expr, once, rebuild } from "../ir/expr.ts"
import type { Kernel } from "./kernel.ts"

export function loops(kernel: Kernel): Kernel {
  const simple = merge(drop(splitAll(kernel)))
  return { ...simple, body: deal(simple) }
}

/** A kernel with other indices and other loops; shared expressions stay shared. */
function rewrite(k: Kernel, f: (a: Axis) => Index, axes: (over: readonly Axis[]) => readonly Axis[]): Kernel {
  const index = (i: Index): Index => mapAtoms(i, a => (a.k === "axis" ? f(a.axis) : a.k === "value" ? valueIndex(part(a.expr)) : fail(a)))
  const part: (e: Expr) => Expr = once(e => rebuild(e, { part, index, axes }))
  const out = { ...k.out, at: index(k.out.at), bounds: k.out.bounds.map(b => ({ ...b, i: index(b.i) })) }
  return { ...k, axes: axes(k.axes), out, body: part(k.body) }
}
const fail = (a: Atom): never => {
  throw new Error(`loops: a quotient is no leaf (${a.k})`)
}

interface Parts {
  /** Of every load, store, position and bound, and of every quotient within. */
  readonly indices: Index[]
  readonly reduces: Extract<Expr, { k: "reduce" }>[]
}
function partsOf(k: Kernel): Parts {
  const parts: Parts = { indices: [], reduces: [] }
  const seen = new Set<Expr>()
  const index = (i: Index): void => {
    parts.indices.push(i)
    for (const [a] of i.terms) {
      if (a.k === "value") visit(a.expr)
      else if (a.k !== "axis") index(a.of)
    }
  }
  const visit = (e: Expr): void => {
    if (seen.has(e)) return
    seen.add(e)
    if (e.k === "load" || e.k === "index") index(e.at)
    else if (e.k === "op") e.args.forEach(visit)
    else if (e.k === "guard") {
      for (const b of e.bounds) index(b.i)
      visit(e.body)
    } else if (e.k === "reduce") {
      parts.reduces.push(e)
      visit(e.body)
    }
  }
  index(k.out.at)
  for (const b of k.out.bounds) index(b.i)
  visit(k.body)
  return parts
}

/** Splits loops until no quotient is left that a split dissolves. */
function splitAll(kernel: Kernel): Kernel {
  let k = kernel
  for (let found = splitPoint(k); found; found = splitPoint(k)) {
    const { axis, by } = found
    const [outer, inner] = [newAxis(axis.n / by), newAxis(by)]
    const whole = plus(times(axisIndex(outer), by), axisIndex(inner))
    k = rewrite(
      k,
      a => (a.id === axis.id ? whole : axisIndex(a)),
      over => over.flatMap(a => (a.id === axis.id ? [outer, inner] : [a])),
    )
  }
  return k
}
/** A loop inside a quotient by `n` whose steps of c = n / by divide n evenly. */
function splitPoint(k: Kernel): { axis: Axis; by: number } | null {
  const { indices, reduces } = partsOf(k)
  // a position counts along one axis, which must stay one
  const whole = reduces.filter(r => r.op === "argmax" || r.op === "argmin").flatMap(r => r.over)
  for (const i of indices) {
    for (const [a] of i.terms) {
      if (a.k !== "div" && a.k !== "mod") continue
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
const drop = (k: Kernel): Kernel => (k.axes.every(a => a.n !== 1) ? k : { ...k, axes: k.axes.filter(a => a.n !== 1) })

/** Merges neighbouring loops that walk all memory as one loop would. */
function merge(kernel: Kernel): Kernel {
  let k = kernel
  for (let pair = mergeable(k); pair; pair = mergeable(k)) {
    const [outer, inner] = pair
    const both = newAxis(outer.n * inner.n)
    k = rewrite(
      k,
      a => (a.id === inner.id ? axisIndex(both) : a.id === outer.id ? { constant: 0, terms: [] } : axisIndex(a)),
      over => over.flatMap(a => (a.id === outer.id ? [] : a.id === inner.id ? [both] : [a])),
    )
  }
  return k
}
function mergeable(k: Kernel): readonly [Axis, Axis] | null {
  const { indices, reduces } = partsOf(k)
  for (const over of [k.axes, ...reduces.map(r => r.over)]) {
    for (let d = over.length - 2; d >= 0; d--) {
      const [outer, inner] = [over[d]!, over[d + 1]!]
      if (inner.n > 1 && indices.every(i => walksAsOne(i, outer, inner))) return [outer, inner]
    }
  }
  return null
}
function walksAsOne(i: Index, outer: Axis, inner: Axis): boolean {
  if (i.terms.some(([a]) => a.k !== "axis" && a.k !== "value" && (dependsOn(a, outer) || dependsOn(a, inner)))) return false
  const coefficient = (axis: Axis): number => i.terms.find(([a]) => sameAtom(a, { k: "axis", axis }))?.[1] ?? 0
  return coefficient(outer) === coefficient(inner) * inner.n
}

const LANES = { f32: 8, i32: 8, f64: 4, bool: 1 } as const

/** Deals reductions along contiguous memory to lanes, unless neighbouring outputs can be computed side by side instead. */
function deal(k: Kernel): Expr {
  const { reduces } = partsOf(k)
  if (!reduces.length || isMatrixProduct(k)) return k.body
  const last = k.axes.at(-1)
  const contiguous = (e: Expr, axis: Axis): boolean => {
    if (e.k === "load") return [0, 1].includes(stride(e.at, axis) ?? -1)
    if (e.k === "index") return !e.at.terms.some(([a]) => dependsOn(a, axis))
    if (e.k === "guard") return e.bounds.every(b => !b.i.terms.some(([a]) => dependsOn(a, axis))) && contiguous(e.body, axis)
    if (e.k === "reduce") return contiguous(e.body, axis)
    return e.k === "const" || e.args.every(a => contiguous(a, axis))
  }
  if (last && last.n >= 4 && contiguous(k.body, last)) return k.body
  const part: (e: Expr) => Expr = once(e => {
    const made = rebuild(e, { part })
    if (made.k !== "reduce" || made.op === "argmax" || made.op === "argmin") return made
    const axis = made.over.at(-1)
    const lanes = LANES[made.t]
    return axis && lanes > 1 && axis.n >= 2 * lanes && contiguous(made.body, axis) ? { ...made, lanes } : made
  })
  return part(k.body)
}

/** A sum of products in which some loop walks the left operand alone and some the right one: its sums run in order, on every engine. */
function isMatrixProduct({ axes, body: e }: Kernel): boolean {
  if (e.k !== "reduce" || e.op !== "sum" || e.body.k !== "op" || e.body.op !== "mul") return false
  const [a, b] = e.body.args as readonly [Expr, Expr]
  if (a.k !== "load" || b.k !== "load") return false
  const walks = (i: Index, axis: Axis): boolean => stride(i, axis) !== 0
  return axes.some(axis => walks(a.at, axis) && !walks(b.at, axis)) && axes.some(axis => walks(b.at, axis) && !walks(a.at, axis))
}
