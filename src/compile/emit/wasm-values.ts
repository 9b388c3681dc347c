// Expressions as code: what a loop does not change is computed in front of it, and values are kept in locals by the identity
// of their expressions.
import { type Axis, offset, range } from "../../ir/affine.ts"
import { type Bound, type Dtype, type Expr, isFloat } from "../../ir/expr.ts"
import { type Access, Addresses, operandParam } from "./wasm-address.ts"
import type { Code, Local } from "./wasm-bytes.ts"
import {
  type Facts,
  type Guard,
  indicesOf,
  isEmpty,
  type Lanes,
  type Load,
  type Machine,
  type Operation,
  single,
  valuesOf,
} from "./wasm-facts.ts"
import { clampVector, load, loadLane, operation, pushConst, replace, splat, valueType } from "./wasm-ops.ts"
import { writeReduce } from "./wasm-reduce.ts"

/** Turns of a loop that are written the same way. */
export interface Phase {
  readonly turns: number
  /** How far the loop variable moves in a turn. */
  readonly step: number
  readonly body: (counter: Local) => void
}

/** Values in locals; an inner scope is code that runs not always, or more than once. */
class Scope {
  private readonly held = new Map<Machine, Map<number, Local>>()
  constructor(readonly outer?: Scope) {}
  find(e: Machine, key: number): Local | undefined {
    return this.held.get(e)?.get(key) ?? this.outer?.find(e, key)
  }
  hold(e: Machine, key: number, local: Local): void {
    const locals = this.held.get(e) ?? new Map<number, Local>()
    this.held.set(e, locals.set(key, local))
  }
}

export class Values {
  readonly addresses: Addresses
  private scope = new Scope()

  constructor(
    readonly code: Code,
    readonly facts: Facts,
  ) {
    this.addresses = new Addresses(code, facts, e => this.push(e, single, 0))
  }

  // Loops and conditions

  /** A loop over `axis`, phase after phase. */
  sweep(axis: Axis, accesses: readonly Access[], phases: readonly Phase[]): void {
    const { code } = this
    this.addresses.inLoop(axis, accesses, (counter, advance) => {
      let reached = 0
      for (const { turns, step, body } of phases) {
        if (turns === 0) continue
        reached += turns * step
        const turn = (): void => {
          this.nested(() => body(counter))
          advance(step)
        }
        if (turns === 1) turn()
        else {
          code.loop(() => {
            turn()
            code.get(counter).i32(reached).op("i32.lt_s").brIf(0)
          })
        }
      }
    })
  }

  /** Loops over all `axes`, whose turns differ in `e`; `lanes` are the ways in which it will be computed. */
  loops(axes: readonly Axis[], e: Expr, lanes: readonly Lanes[], body: (counter: Local) => void, counter: Local = 0): void {
    const [axis, ...inner] = axes
    if (!axis) {
      body(counter)
      return
    }
    for (const l of lanes) this.hoist(e, l, false)
    const turn = (i: Local): void => this.loops(inner, e, lanes, body, i)
    this.sweep(axis, this.addresses.accesses(e, false), [{ turns: axis.n, step: 1, body: turn }])
  }

  private nested(body: () => void): void {
    const outer = this.scope
    this.scope = new Scope(outer)
    body()
    this.scope = outer
  }

  /** Runs `body` inside of the bounds only. They are looked at in order: a later one may read data only inside of the earlier. */
  within(bounds: readonly Bound[], body: () => void): void {
    const open = bounds.filter(({ i, n }) => !(range(i)[0] >= 0 && range(i)[1] < n))
    const checked = (): void => {
      for (const { i, n } of open) {
        this.addresses.pushIndex(i)
        this.code.i32(n).op("i32.ge_u").brIf(0)
      }
      body()
    }
    if (open.length === 0) body()
    else this.code.block(() => this.nested(checked))
  }

  // Invariants

  /** Evaluates ahead of a loop all parts of `root` that the loop does not change. */
  hoist(root: Expr, lanes: Lanes, guarded: boolean): void {
    const seen = [new Set<Machine>(), new Set<Machine>()] as const
    const visit = (of: Expr, lanes: Lanes, guarded: boolean): void => {
      const e = this.facts.machine(of)
      const done = seen[guarded ? 1 : 0]
      if (done.has(e)) return
      done.add(e)
      const bound = this.addresses.isBound(this.facts.free(e))
      if (bound && !(guarded && this.facts.reads(e))) {
        if (e.k === "index" || (e.k === "const" && lanes.width === 1)) return
        for (let u = 0; u < (this.varies(e, lanes) ? lanes.count : 1); u++) this.hold(e, lanes, u)
        return
      }
      // What is the same in all lanes will be computed as a single value.
      const inner = bound || this.varies(e, lanes) ? lanes : single
      for (const i of indicesOf(e)) for (const x of valuesOf(i)) visit(x, single, guarded)
      if (e.k === "op") for (const a of e.args) visit(a, inner, guarded)
      else if (e.k === "guard") visit(e.body, inner, true)
      else if (e.k === "reduce" && !isEmpty(e)) visit(e.body, inner, guarded)
    }
    visit(root, lanes, guarded)
  }
  private varies(of: Expr, lanes: Lanes): boolean {
    return lanes.axis !== undefined && this.facts.free(this.facts.machine(of)).has(lanes.axis.id)
  }

  // Values

  /** Leaves vector `u` of the value on the stack. */
  push(of: Expr, lanes: Lanes, u: number): void {
    const e = this.facts.machine(of)
    const held = this.find(e, lanes, u)
    if (held !== undefined) this.code.get(held)
    else if (e.k === "reduce" || e.k === "guard" || (e.k !== "const" && this.facts.isShared(e))) {
      this.hold(e, lanes, u)
      this.code.get(this.find(e, lanes, u)!)
    } else this.compute(e, lanes, u)
  }
  private key(e: Machine, lanes: Lanes, u: number): number {
    return lanes.width + 8 * (this.varies(e, lanes) ? u : 0)
  }
  private find(e: Machine, lanes: Lanes, u: number): Local | undefined {
    return this.scope.find(e, this.key(e, lanes, u))
  }
  /** Sees to it that the value is in a local; reductions run once for all vectors. */
  private hold(e: Machine, lanes: Lanes, u: number): void {
    if (this.find(e, lanes, u) !== undefined) return
    const keep = (locals: readonly Local[], from: number): void => {
      for (const [i, local] of locals.entries()) this.scope.hold(e, this.key(e, lanes, from + i), local)
    }
    const uniform = lanes.axis !== undefined && !this.varies(e, lanes)
    if (e.k === "reduce" && !uniform) keep(writeReduce(this, e, lanes), 0)
    else if (e.k === "guard" && !uniform) {
      if (lanes.axis && this.facts.variesIn(e.bounds, lanes.axis)) keep([this.partlyGuarded(e, lanes, lanes.axis, u)], u)
      else if (this.facts.reductions(e.body).length > 0) keep(this.guarded(e, lanes, [...Array(lanes.count).keys()]), 0)
      else keep(this.guarded(e, lanes, [u]), u)
    } else {
      const local = this.code.local(valueType(e.t, lanes.width))
      this.compute(e, lanes, u)
      this.code.set(local)
      keep([local], u)
    }
  }
  /** A local for each vector, set to `start`. */
  locals(t: Dtype, lanes: Lanes, start: number, count = lanes.count): Local[] {
    return Array.from({ length: count }, () => {
      const local = this.code.local(valueType(t, lanes.width))
      pushConst(this.code, t, lanes.width, start)
      this.code.set(local)
      return local
    })
  }

  private compute(e: Machine, lanes: Lanes, u: number): void {
    const { code } = this
    const { axis, width } = lanes
    if (e.k === "const") pushConst(code, e.t, width, e.value)
    else if (axis && !this.varies(e, lanes)) {
      this.push(e, single, 0)
      if (width > 1) splat(code, e.t, width)
    } else if (e.k === "load") this.load(e, lanes, u)
    else if (e.k === "index") {
      this.addresses.pushIndex(e.at)
      if (!axis) return
      const stride = this.facts.stride(e.at, axis)!
      if (width === 1) code.i32(u * stride).op("i32.add")
      else {
        const steps = [0, 1, 2, 3].map(l => (u * width + l) * stride)
        code.op("i32x4.splat").v128("i32", steps).op("i32x4.add")
      }
    } else if (e.k === "op") this.operation(e, lanes, u)
  }

  private operation(e: Operation, lanes: Lanes, u: number): void {
    const { code } = this
    const { width } = lanes
    const [a, b, c] = e.args as [Expr, Expr, Expr]
    const push = (...args: Expr[]): void => {
      for (const x of args) this.push(x, lanes, u)
    }
    if ((e.op === "min" || e.op === "max") && width > 1 && isFloat(e.t) && (isOrdinary(a) || isOrdinary(b))) {
      push(...(isOrdinary(b) ? [a, b] : [b, a]))
      clampVector(code, e.op, e.t)
      return
    }
    if (e.op === "select")
      push(b, c, a) // the machine takes the condition last
    else if ((e.op === "shl" || e.op === "shr") && width > 1) {
      push(a)
      this.push(b, single, 0)
    } else push(...e.args)
    operation(code, e.op, e.t, e.args.at(-1)!.t, width)
  }

  private load(e: Load, { axis, width }: Lanes, u: number): void {
    const { code } = this
    const base = operandParam(e.slot)
    const stride = axis ? this.facts.stride(e.at, axis)! : 0
    const ahead = u * width * stride
    if (width === 1 || stride === 1) {
      const offset = this.addresses.push(base, e.t, e.at, ahead)
      load(code, e.t, width, offset)
    } else {
      const x = code.local("v128")
      for (let l = 0; l < width; l++) {
        const offset = this.addresses.push(base, e.t, e.at, ahead + l * stride)
        loadLane(code, e.t, x, l, offset)
      }
      code.get(x)
    }
  }

  // Guards

  /** The vectors with these numbers. */
  private guarded(e: Guard, lanes: Lanes, vectors: readonly number[]): Local[] {
    const results = this.locals(e.t, lanes, e.otherwise, vectors.length)
    this.within(e.bounds, () => {
      for (const [i, u] of vectors.entries()) {
        this.push(e.body, lanes, u)
        this.code.set(results[i]!)
      }
    })
    return results
  }

  /** Bounds that differ between lanes: a vector if all are inside, which is so if the first and the last are; else lane by lane. */
  private partlyGuarded(e: Guard, lanes: Lanes, axis: Axis, u: number): Local {
    const { code } = this
    const { width } = lanes
    const at = (l: number): Bound[] => e.bounds.map(({ i, n }) => ({ i: offset(i, (u * width + l) * this.facts.stride(i, axis)!), n }))
    const [result] = this.locals(e.t, lanes, e.otherwise, 1) as [Local]
    const ones: Lanes = { axis, width: 1, count: lanes.count * width }
    const one = (l: number): void => {
      if (width > 1) code.get(result)
      this.push(e.body, ones, u * width + l)
      if (width > 1) replace(code, e.t, width, l)
      code.set(result)
    }
    const each = (): void => {
      for (let l = 0; l < width; l++) this.within(at(l), () => one(l))
    }
    const all = (): void => {
      this.push(e.body, lanes, u)
      code.set(result)
    }
    if (width === 1) each()
    else {
      const ends = [...at(0), ...at(width - 1)]
      code.i32(1)
      for (const { i, n } of ends) {
        this.addresses.pushIndex(i)
        code.i32(n).op("i32.lt_u", "i32.and")
      }
      code.if(
        () => this.nested(all),
        () => this.nested(each),
      )
    }
    return result
  }
}

const isOrdinary = (e: Expr): boolean => e.k === "const" && Math.fround(e.value) !== 0 && !Number.isNaN(e.value)
