// What is known about the expressions of a kernel before code is written: which loops they depend on, and whether they can be
// computed for several turns of a loop at once.
import type { Atom, Axis, Index } from "../../ir/affine.ts"
import { type Bound, type Expr, type FloatType, type FormulaOp, indicesOf, isFloat, type MachineOp, valuesOf } from "../../ir/expr.ts"
import { formulas } from "../../ir/formulas.ts"
import { type Kernel, storesOf } from "../kernel.ts"
import { hasVector, type Width } from "./wasm-ops.ts"

export type Reduce = Extract<Expr, { k: "reduce" }>
export type Guard = Extract<Expr, { k: "guard" }>
export type Load = Extract<Expr, { k: "load" }>

export type Operation = Extract<Expr, { k: "op" }> & { readonly op: MachineOp }
/** An expression in which no function with a formula is left at the root. */
export type Machine = Exclude<Expr, { k: "op" }> | Operation

/** Sums of floats have a declared order; all other reductions give the same bits in any. */
export const inOrder = (e: Reduce): boolean => e.op === "sum" && isFloat(e.t)
export const isEmpty = (e: Reduce): boolean => e.over.some(a => a.n === 0)

/** Ids of loop variables. */
type Axes = ReadonlySet<number>
const none: ReadonlySet<never> = new Set()
/** Mostly one of the two itself: most operands depend on the same loops and read the same places. */
function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  const [few, many] = a.size < b.size ? [a, b] : [b, a]
  for (const x of few) if (!many.has(x)) return new Set([...a, ...b])
  return many
}

/** An expression over machine operations, and what is known about it. */
export interface Value<E extends Machine = Machine> {
  readonly expr: E
  /** What evaluating it evaluates: its operands or its body, then what its indices read. */
  readonly parts: readonly Value[]
  /** The loop variables that it takes from outside. */
  readonly free: Axes
  /** What evaluating it loads. */
  readonly loads: ReadonlySet<Load>
  /** Whether evaluating it reads memory, which must not happen where a guard forbids it. */
  readonly reads: boolean
  /** In how many places of the kernel it stands. */
  uses: number
}
export const is = <K extends Machine["k"]>(v: Value, k: K): v is Value<Extract<Machine, { k: K }>> => v.expr.k === k
/** What the indices of a value read. */
export const readByIndices = ({ expr, parts }: Value): readonly Value[] =>
  expr.k === "op" ? [] : expr.k === "guard" || (expr.k === "reduce" && !isEmpty(expr)) ? parts.slice(1) : parts

export class Facts {
  private readonly values = new Map<Expr, Value>()
  private readonly inside = new Map<Value, readonly Value[]>()

  /** What the operands are in memory. */
  readonly loads: Kernel["loads"]

  constructor(kernel: Kernel) {
    this.loads = kernel.loads
    for (const { out, body } of storesOf(kernel)) {
      this.of(body).uses++
      for (const i of [out.at, ...out.bounds.map(b => b.i)]) for (const v of this.readBy(i)) v.uses++
    }
  }

  /** The value that an expression stands for; the same one for the same expression. */
  of(e: Expr): Value {
    let v = this.values.get(e)
    if (!v) {
      v = e.k === "op" && e.op in formulas ? this.of(formulas[e.op as FormulaOp](e.t as FloatType, ...e.args)) : this.make(e as Machine)
      this.values.set(e, v)
    }
    return v
  }
  private make(e: Machine): Value {
    const own = e.k === "op" ? e.args : e.k === "guard" || (e.k === "reduce" && !isEmpty(e)) ? [e.body] : []
    const parts = own.map(x => this.of(x))
    let free: Axes = none
    let loads: ReadonlySet<Load> = e.k === "load" ? new Set([e]) : none
    for (const i of indicesOf(e)) {
      parts.push(...this.readBy(i))
      free = union(free, this.freeOfIndex(i))
    }
    for (const part of parts) {
      part.uses++
      loads = union(loads, part.loads)
      free = union(free, part.free)
    }
    if (e.k === "reduce") free = new Set([...free].filter(id => e.over.every(a => a.id !== id)))
    return { expr: e, parts, free, loads, reads: loads.size > 0, uses: 0 }
  }
  /** What an index reads. */
  readBy(i: Index): Value[] {
    return valuesOf(i).map(e => this.of(e))
  }

  freeOfIndex(i: Index): Axes {
    return i.terms.map(([a]) => this.freeOfAtom(a)).reduce<Axes>(union, none)
  }
  freeOfAtom(a: Atom): Axes {
    if (a.k === "axis") return new Set([a.axis.id])
    return a.k === "value" ? this.of(a.expr).free : this.freeOfIndex(a.of)
  }

  /** By how much `i` grows from one turn to the next, `undefined` where it is not affine in the loop variable. */
  stride(i: Index, axis: Axis): number | undefined {
    let own = 0
    for (const [a, c] of i.terms) {
      if (a.k !== "axis") {
        if (this.freeOfAtom(a).has(axis.id)) return undefined
      } else if (a.axis.id === axis.id) own = c
    }
    return own
  }

  /** Whether the bounds may hold at one turn of `axis` and not at another. */
  variesIn(bounds: readonly Bound[], axis: Axis): boolean {
    return bounds.some(b => this.freeOfIndex(b.i).has(axis.id))
  }

  /**
   * How many neighbouring turns of `axis` a vector computes; `undefined` where that cannot be. Outside of reductions a vector may
   * be put together from elements that are no neighbours, if `gathers` is set.
   */
  width(root: Value, axis: Axis, gathers: boolean): Width | undefined {
    const seen = new Set<Value>()
    let width: Width = 4
    const varies = (v: Value): boolean => v.free.has(axis.id)
    const visit = (v: Value, gathers: boolean): boolean => {
      if (seen.has(v)) return true
      seen.add(v)
      const e = v.expr
      if (e.t === "f64") width = 2
      if (!varies(v)) return true
      switch (e.k) {
        case "const":
          return true
        case "load": {
          const stride = this.stride(e.at, axis)
          return stride === 1 || (gathers && stride !== undefined && e.t !== "bool")
        }
        case "index":
          return this.stride(e.at, axis) !== undefined
        case "guard":
          if (this.isSeldom(v as Value<Guard>)) return v.parts.every(x => visit(x, gathers))
          return (!this.variesIn(e.bounds, axis) || this.isEasy(v, e, axis)) && visit(v.parts[0]!, gathers)
        case "reduce":
          return visit(v.parts[0]!, false)
        case "op": {
          const [value, count] = v.parts
          if (e.op === "shl" || e.op === "shr") return !varies(count!) && visit(value!, gathers)
          return hasVector(e.op, e.t) && v.parts.every(a => visit(a, gathers))
        }
      }
    }
    return visit(root, gathers) ? width : undefined
  }
  /**
   * Whether the bounds look at data and the body reads nothing that they do not: then a vector may be computed where one of its lanes
   * needs it, as the formulas of sine and cosine want for large numbers.
   */
  isSeldom(v: Value<Guard>): boolean {
    const looks = v.expr.bounds.every(
      ({ i: { constant, terms } }) => constant === 0 && terms.length === 1 && terms[0]![0].k === "value" && terms[0]![1] === 1,
    )
    if (!looks) return false
    const looked = readByIndices(v).map(x => x.loads)
    return [...v.parts[0]!.loads].every(load => looked.some(loads => loads.has(load)))
  }
  /** Whether lanes may be guarded one by one: little code, and bounds that hold between two lanes if they hold at both. */
  private isEasy(v: Value, { bounds }: Guard, axis: Axis): boolean {
    const affine = bounds.every(b => this.stride(b.i, axis) !== undefined && valuesOf(b.i).length === 0)
    return affine && this.size(v.parts[0]!) <= 4 && this.reductions(v.parts[0]!).length === 0
  }

  /** All that evaluating `root` evaluates. */
  private nodes(root: Value): readonly Value[] {
    const known = this.inside.get(root)
    if (known) return known
    const seen = new Set<Value>()
    const visit = (v: Value): void => {
      if (seen.has(v)) return
      seen.add(v)
      for (const part of v.parts) visit(part)
    }
    visit(root)
    const nodes = [...seen]
    this.inside.set(root, nodes)
    return nodes
  }
  /** Distinct operations, a measure of the code of one turn. */
  size(root: Value): number {
    return this.nodes(root).filter(v => is(v, "op")).length
  }
  reductions(root: Value): Value<Reduce>[] {
    return this.nodes(root).filter(v => is(v, "reduce"))
  }
  /** Whether there are guards whose bounds differ between the turns of `axis`. */
  isPartlyGuarded(root: Value, axis: Axis): boolean {
    return this.nodes(root).some(v => is(v, "guard") && this.variesIn(v.expr.bounds, axis))
  }
}

/** Turns of a loop that are computed at once: `count` vectors of `width` neighbours each. Without axis: one turn, single values. */
export interface Lanes {
  readonly axis?: Axis
  readonly width: Width
  readonly count: number
}
export const single: Lanes = { width: 1, count: 1 }

/** Lanes along the last loop of the kernel, if its body and its store allow it. */
export function outputLanes(kernel: Kernel, facts: Facts): Lanes | undefined {
  const axis = kernel.axes.at(-1)
  if (!axis) return undefined
  const stores = storesOf(kernel)
  if (stores.some(s => facts.stride(s.out.at, axis) !== 1 || facts.variesIn(s.out.bounds, axis))) return undefined
  const bodies = stores.map(s => facts.of(s.body))
  const widths = bodies.map(b => facts.width(b, axis, true))
  if (widths.some(w => w === undefined)) return undefined
  const width = Math.min(...(widths as Width[])) as Width
  if (axis.n < width) return undefined
  const plain = bodies.every(b => facts.reductions(b).every(r => r.expr.lanes === 1) && !facts.isPartlyGuarded(b, axis))
  // where there are reductions, theirs are the loops that count
  const sums = bodies.flatMap(b => facts.reductions(b)).map(r => r.parts[0]!)
  const size = (sums.length > 0 ? sums : bodies).reduce((n, b) => n + facts.size(b), 0)
  return { axis, width, count: largestFit(!plain ? 1 : size <= 6 ? 4 : size <= 20 ? 2 : 1, axis.n / width) }
}

/** Lanes along the last axis of a reduction whose result is a single value. */
export function reduceLanes({ expr: e, parts: [body] }: Value<Reduce>, facts: Facts): Lanes | undefined {
  const axis = e.over.at(-1)
  if (!axis || !body || e.op === "argmax" || e.op === "argmin") return undefined
  const width = facts.width(body, axis, false)
  if (!width || axis.n < width || !body.free.has(axis.id)) return undefined
  if (!inOrder(e)) return { axis, width, count: largestFit(4, axis.n / width) }
  return e.lanes % width === 0 ? { axis, width, count: e.lanes / width } : undefined
}

const largestFit = (wanted: number, available: number): number => {
  let n = wanted
  while (n > available) n /= 2
  return n
}
