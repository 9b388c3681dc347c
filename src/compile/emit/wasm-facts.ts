// What is known about the expressions of a kernel before code is written: which loops they depend on, and whether they can be
// computed for several turns of a loop at once.
import type { Atom, Axis, Index } from "../../ir/affine.ts"
import { type Bound, type Expr, type FloatType, type FormulaOp, isFloat, type MachineOp } from "../../ir/expr.ts"
import { formulas } from "../../ir/formulas.ts"
import type { Kernel } from "../kernel.ts"
import { hasVector, type Width } from "./wasm-ops.ts"

export type Reduce = Extract<Expr, { k: "reduce" }>
export type Guard = Extract<Expr, { k: "guard" }>
export type Load = Extract<Expr, { k: "load" }>

export type Operation = Extract<Expr, { k: "op" }> & { readonly op: MachineOp }
/** An expression in which no function with a formula is left at the root. */
export type Machine = Exclude<Expr, { k: "op" }> | Operation

/** The expressions that an index reads. */
export const valuesOf = (i: Index): Expr[] => i.terms.flatMap(([a]) => (a.k === "value" ? [a.expr] : a.k === "axis" ? [] : valuesOf(a.of)))
export const indicesOf = (e: Expr): readonly Index[] =>
  e.k === "load" || e.k === "index" ? [e.at] : e.k === "guard" ? e.bounds.map(b => b.i) : []

/** Sums of floats have a declared order; all other reductions give the same bits in any. */
export const inOrder = (e: Reduce): boolean => e.op === "sum" && isFloat(e.t)
export const isEmpty = (e: Reduce): boolean => e.over.some(a => a.n === 0)

export class Facts {
  private readonly expansions = new Map<Expr, Machine>()
  private readonly frees = new Map<Expr, ReadonlySet<number>>()
  private readonly reading = new Map<Expr, boolean>()
  private readonly uses = new Map<Expr, number>()

  constructor(kernel: Kernel) {
    this.count(kernel.body)
    for (const i of [kernel.out.at, ...kernel.out.bounds.map(b => b.i)]) for (const e of valuesOf(i)) this.count(e)
  }

  /** The expression over machine operations; the same one for the same expression. */
  machine(e: Expr): Machine {
    if (e.k !== "op" || !(e.op in formulas)) return e as Machine
    const known = this.expansions.get(e)
    if (known) return known
    const made = this.machine(formulas[e.op as FormulaOp](e.t as FloatType, ...e.args))
    this.expansions.set(e, made)
    return made
  }
  /** What evaluating `e` evaluates: its operands, and what its indices read. */
  parts(e: Machine): readonly Machine[] {
    const own = e.k === "op" ? e.args : e.k === "guard" || (e.k === "reduce" && !isEmpty(e)) ? [e.body] : []
    return [...own, ...indicesOf(e).flatMap(valuesOf)].map(x => this.machine(x))
  }
  private count(of: Expr): void {
    const e = this.machine(of)
    const n = this.uses.get(e) ?? 0
    this.uses.set(e, n + 1)
    if (n === 0) for (const part of this.parts(e)) this.count(part)
  }
  isShared(e: Machine): boolean {
    return (this.uses.get(e) ?? 0) > 1
  }

  /** Ids of the loop variables that `e` takes from outside. */
  free(e: Machine): ReadonlySet<number> {
    const known = this.frees.get(e)
    if (known) return known
    const axes = new Set<number>()
    for (const i of indicesOf(e)) for (const id of this.freeOfIndex(i)) axes.add(id)
    for (const part of this.parts(e)) for (const id of this.free(part)) axes.add(id)
    if (e.k === "reduce") for (const a of e.over) axes.delete(a.id)
    this.frees.set(e, axes)
    return axes
  }
  freeOfIndex(i: Index): ReadonlySet<number> {
    return new Set(i.terms.flatMap(([a]) => [...this.freeOfAtom(a)]))
  }
  freeOfAtom(a: Atom): ReadonlySet<number> {
    if (a.k === "axis") return new Set([a.axis.id])
    return a.k === "value" ? this.free(this.machine(a.expr)) : this.freeOfIndex(a.of)
  }
  /** Whether evaluating `e` reads memory, which must not happen where a guard forbids it. */
  reads(e: Machine): boolean {
    const known = this.reading.get(e)
    if (known !== undefined) return known
    const reads = e.k === "load" || this.parts(e).some(p => this.reads(p))
    this.reading.set(e, reads)
    return reads
  }

  /** By how much `i` grows from one turn to the next, `undefined` where it is not affine in the loop variable. */
  stride(i: Index, axis: Axis): number | undefined {
    let own = 0
    for (const [a, c] of i.terms) {
      if (a.k === "axis" && a.axis.id === axis.id) own = c
      else if (this.freeOfAtom(a).has(axis.id)) return undefined
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
  width(root: Expr, axis: Axis, gathers: boolean): Width | undefined {
    const seen = new Set<Machine>()
    let width: Width = 4
    const varies = (e: Machine): boolean => this.free(e).has(axis.id)
    const visit = (of: Expr, gathers: boolean): boolean => {
      const e = this.machine(of)
      if (seen.has(e)) return true
      seen.add(e)
      if (e.t === "f64") width = 2
      if (!varies(e)) return true
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
          return (!this.variesIn(e.bounds, axis) || this.isEasy(e, axis)) && visit(e.body, gathers)
        case "reduce":
          return visit(e.body, false)
        case "op": {
          const [value, count] = e.args.map(a => this.machine(a))
          if (e.op === "shl" || e.op === "shr") return !varies(count!) && visit(value!, gathers)
          return hasVector(e.op, e.t) && e.args.every(a => visit(a, gathers))
        }
      }
    }
    return visit(root, gathers) ? width : undefined
  }
  /** Whether lanes may be guarded one by one: little code, and bounds that hold between two lanes if they hold at both. */
  private isEasy({ bounds, body }: Guard, axis: Axis): boolean {
    const affine = bounds.every(b => this.stride(b.i, axis) !== undefined && valuesOf(b.i).length === 0)
    return affine && this.size(body) <= 4 && this.reductions(body).length === 0
  }

  private nodes(root: Expr): Machine[] {
    const seen = new Set<Machine>()
    const visit = (e: Machine): void => {
      if (seen.has(e)) return
      seen.add(e)
      for (const part of this.parts(e)) visit(part)
    }
    visit(this.machine(root))
    return [...seen]
  }
  /** Distinct operations, a measure of the code of one turn. */
  size(root: Expr): number {
    return this.nodes(root).filter(e => e.k === "op").length
  }
  reductions(root: Expr): Reduce[] {
    return this.nodes(root).filter(e => e.k === "reduce")
  }
  /** Whether there are guards whose bounds differ between the turns of `axis`. */
  isPartlyGuarded(root: Expr, axis: Axis): boolean {
    return this.nodes(root).some(e => e.k === "guard" && this.variesIn(e.bounds, axis))
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
  const { at, bounds } = kernel.out
  if (facts.stride(at, axis) !== 1 || facts.variesIn(bounds, axis)) return undefined
  const width = facts.width(kernel.body, axis, true)
  if (!width || axis.n < width) return undefined
  const plain = facts.reductions(kernel.body).every(r => r.lanes === 1) && !facts.isPartlyGuarded(kernel.body, axis)
  const size = facts.size(kernel.body)
  return { axis, width, count: largestFit(!plain ? 1 : size <= 6 ? 4 : size <= 20 ? 2 : 1, axis.n / width) }
}

/** Lanes along the last axis of a reduction whose result is a single value. */
export function reduceLanes(e: Reduce, facts: Facts): Lanes | undefined {
  const axis = e.over.at(-1)
  if (!axis || e.op === "argmax" || e.op === "argmin") return undefined
  const width = facts.width(e.body, axis, false)
  if (!width || axis.n < width || !facts.free(facts.machine(e.body)).has(axis.id)) return undefined
  if (!inOrder(e)) return { axis, width, count: largestFit(4, axis.n / width) }
  return e.lanes % width === 0 ? { axis, width, count: e.lanes / width } : undefined
}

const largestFit = (wanted: number, available: number): number => {
  let n = wanted
  while (n > available) n /= 2
  return n
}
