// Expressions as code: what a loop does not change is computed in front of it, and values are kept in locals by the identity
// of their expressions.
import { type Axis, offset, range } from "../../ir/affine.ts"
import { type Bound, compare, constant, type Dtype, type Expr, isFloat, op } from "../../ir/expr.ts"
import { type Access, Addresses } from "./wasm-address.ts"
import type { Code, Local } from "./wasm-bytes.ts"
import { type Facts, type Guard, is, type Lanes, type Load, type Operation, readByIndices, single, type Value } from "./wasm-facts.ts"
import { clampVector, load, loadLane, operation, pushConst, replace, splat, valueType } from "./wasm-ops.ts"
import { writeReduce } from "./wasm-reduce.ts"

/** Turns of a loop that are written the same way. */
export interface Phase {
  readonly turns: number
  /** How far the loop variable moves in a turn. */
  readonly step: number
  readonly body: (counter: Local) => void
}

/** Turns of a loop, from the first up to the last but not including it: locals. */
export interface Range {
  readonly from: Local
  readonly to: Local
}

/** Values in locals; an inner scope is code that runs not always, or more than once. */
class Scope {
  private readonly held = new Map<Value, Map<number, Local>>()
  constructor(readonly outer?: Scope) {}
  find(v: Value, key: number): Local | undefined {
    return this.held.get(v)?.get(key) ?? this.outer?.find(v, key)
  }
  hold(v: Value, key: number, local: Local): void {
    const locals = this.held.get(v) ?? new Map<number, Local>()
    this.held.set(v, locals.set(key, local))
  }
}

export class Values {
  readonly addresses: Addresses
  private scope = new Scope()

  constructor(
    readonly code: Code,
    readonly facts: Facts,
    private readonly operands: readonly Local[],
  ) {
    this.addresses = new Addresses(code, facts, operands, v => this.push(v, single, 0))
  }

  // Loops and conditions

  /** A loop over `axis`, phase after phase; over some turns of a single phase, if there is a range, which must not be empty. */
  sweep(axis: Axis, accesses: readonly Access[], phases: readonly Phase[], range?: Range): void {
    const { code } = this
    const sweepAll = (counter: Local, advance: (turns: number) => void): void => {
      let reached = 0
      for (const { turns, step, body } of phases) {
        if (turns === 0) continue
        reached += turns * step
        const turn = (): void => {
          this.nested(() => body(counter))
          advance(step)
        }
        if (turns === 1 && !range) turn()
        else {
          code.loop(() => {
            turn()
            code.get(counter)
            if (range) code.get(range.to)
            else code.i32(reached)
            code.op("i32.lt_s").brIf(0)
          })
        }
      }
    }
    this.addresses.inLoop(axis, accesses, sweepAll, range?.from)
  }

  /** Loops over all `axes`, whose turns differ in `v`; `lanes` are the ways in which it will be computed. */
  loops(axes: readonly Axis[], v: Value, lanes: readonly Lanes[], body: (counter: Local) => void, counter: Local = 0): void {
    const [axis, ...inner] = axes
    if (!axis) {
      body(counter)
      return
    }
    for (const l of lanes) this.hoist(v, l, false)
    const turn = (i: Local): void => this.loops(inner, v, lanes, body, i)
    this.sweep(axis, this.addresses.accesses(v, false), [{ turns: axis.n, step: 1, body: turn }])
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
  hoist(root: Value, lanes: Lanes, guarded: boolean): void {
    const seen = [new Set<Value>(), new Set<Value>()] as const
    const visit = (v: Value, lanes: Lanes, guarded: boolean): void => {
      const done = seen[guarded ? 1 : 0]
      if (done.has(v)) return
      done.add(v)
      const bound = this.addresses.isBound(v.free)
      if (bound && !(guarded && v.reads)) {
        if (v.expr.k === "index" || (v.expr.k === "const" && lanes.width === 1)) return
        for (let u = 0; u < (this.varies(v, lanes) ? lanes.count : 1); u++) this.hold(v, lanes, u)
        return
      }
      // What is the same in all lanes will be computed as a single value.
      const inner = bound || this.varies(v, lanes) ? lanes : single
      const indices = readByIndices(v)
      for (const x of indices) visit(x, single, guarded)
      if (is(v, "guard") && this.facts.isSeldom(v)) return
      for (const x of v.parts.slice(0, v.parts.length - indices.length)) visit(x, inner, guarded || v.expr.k === "guard")
    }
    visit(root, lanes, guarded)
  }
  private varies(v: Value, lanes: Lanes): boolean {
    return lanes.axis !== undefined && v.free.has(lanes.axis.id)
  }

  // Values

  /** Leaves vector `u` of the value on the stack. */
  push(v: Value, lanes: Lanes, u: number): void {
    const { k } = v.expr
    const held = this.find(v, lanes, u)
    if (held !== undefined) this.code.get(held)
    else if (k === "reduce" || k === "guard" || (k !== "const" && v.uses > 1)) {
      this.hold(v, lanes, u)
      this.code.get(this.find(v, lanes, u)!)
    } else this.compute(v, lanes, u)
  }
  private key(v: Value, lanes: Lanes, u: number): number {
    return lanes.width + 8 * (this.varies(v, lanes) ? u : 0)
  }
  private find(v: Value, lanes: Lanes, u: number): Local | undefined {
    return this.scope.find(v, this.key(v, lanes, u))
  }
  /** Sees to it that the value is in a local; reductions run once for all vectors. */
  private hold(v: Value, lanes: Lanes, u: number): void {
    if (this.find(v, lanes, u) !== undefined) return
    const keep = (locals: readonly Local[], from: number): void => {
      for (const [i, local] of locals.entries()) this.scope.hold(v, this.key(v, lanes, from + i), local)
    }
    const uniform = lanes.axis !== undefined && !this.varies(v, lanes)
    if (is(v, "reduce") && !uniform) keep(writeReduce(this, v, lanes), 0)
    else if (is(v, "guard") && !uniform) {
      if (this.facts.isSeldom(v)) keep([this.seldom(v, lanes, u)], u)
      else if (lanes.axis && this.facts.variesIn(v.expr.bounds, lanes.axis)) keep([this.partlyGuarded(v, lanes, lanes.axis, u)], u)
      else if (this.facts.reductions(v.parts[0]!).length > 0) keep(this.guarded(v, lanes, [...Array(lanes.count).keys()]), 0)
      else keep(this.guarded(v, lanes, [u]), u)
    } else {
      const local = this.code.local(valueType(v.expr.t, lanes.width))
      this.compute(v, lanes, u)
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

  private compute(v: Value, lanes: Lanes, u: number): void {
    const { code } = this
    const { axis, width } = lanes
    const e = v.expr
    if (e.k === "const") pushConst(code, e.t, width, e.value)
    else if (axis && !this.varies(v, lanes)) {
      this.push(v, single, 0)
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
    } else if (is(v, "op")) this.operation(v, lanes, u)
  }

  private operation({ expr: e, parts }: Value<Operation>, lanes: Lanes, u: number): void {
    const { code } = this
    const { width } = lanes
    const [a, b, c] = parts as [Value, Value, Value]
    const push = (...args: readonly Value[]): void => {
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
    } else push(...parts)
    operation(code, e.op, e.t, parts.at(-1)!.expr.t, width)
  }

  private load(e: Load, { axis, width }: Lanes, u: number): void {
    const { code } = this
    const base = this.operands[e.slot]!
    const t = this.facts.loads[e.slot]!
    const stride = axis ? this.facts.stride(e.at, axis)! : 0
    const ahead = u * width * stride
    if (width === 1 || stride === 1) {
      const offset = this.addresses.push(base, t, e.at, ahead)
      load(code, t, width, offset)
    } else {
      const x = code.local("v128")
      for (let l = 0; l < width; l++) {
        const offset = this.addresses.push(base, t, e.at, ahead + l * stride)
        loadLane(code, t, x, l, offset)
      }
      code.get(x)
    }
  }

  // Guards

  /** The vectors with these numbers. */
  private guarded({ expr: e, parts }: Value<Guard>, lanes: Lanes, vectors: readonly number[]): Local[] {
    const results = this.locals(e.t, lanes, e.otherwise, vectors.length)
    this.within(e.bounds, () => {
      for (const [i, u] of vectors.entries()) {
        this.push(parts[0]!, lanes, u)
        this.code.set(results[i]!)
      }
    })
    return results
  }

  /** Bounds on data: the body is computed for all lanes if it is wanted for one. */
  private seldom(v: Value<Guard>, lanes: Lanes, u: number): Local {
    const { code } = this
    const { t, bounds, body, otherwise } = v.expr
    const [result] = this.locals(t, lanes, otherwise, 1) as [Local]
    const looks = readByIndices(v)
    const inside = bounds.map(({ n }, i) => isWithin(looks[i]!.expr, n)).reduce((a, b) => op("and", a, b))
    const chosen = this.facts.of(op("select", inside, body, constant(t, otherwise)))
    const condition = this.facts.of(inside)
    this.hold(condition, lanes, u)
    this.push(condition, lanes, u)
    if (lanes.width > 1) code.op("v128.any_true")
    code.if(() =>
      this.nested(() => {
        this.push(chosen, lanes, u)
        code.set(result)
      }),
    )
    return result
  }

  /** Bounds that differ between lanes: a vector if all are inside, which is so if the first and the last are; else lane by lane. */
  private partlyGuarded({ expr: e, parts }: Value<Guard>, lanes: Lanes, axis: Axis, u: number): Local {
    const { code } = this
    const body = parts[0]!
    const { width } = lanes
    const at = (l: number): Bound[] => e.bounds.map(({ i, n }) => ({ i: offset(i, (u * width + l) * this.facts.stride(i, axis)!), n }))
    const [result] = this.locals(e.t, lanes, e.otherwise, 1) as [Local]
    const ones: Lanes = { axis, width: 1, count: lanes.count * width }
    const one = (l: number): void => {
      if (width > 1) code.get(result)
      this.push(body, ones, u * width + l)
      if (width > 1) replace(code, e.t, width, l)
      code.set(result)
    }
    const each = (): void => {
      for (let l = 0; l < width; l++) this.within(at(l), () => one(l))
    }
    const all = (): void => {
      this.push(body, lanes, u)
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

const isOrdinary = (v: Value): boolean => is(v, "const") && Math.fround(v.expr.value) !== 0 && !Number.isNaN(v.expr.value)

/** 0 <= x < n as an expression; a choice between a number inside and one outside is its condition. */
function isWithin(x: Expr, n: number): Expr {
  const [condition, yes, no] = x.k === "op" && x.op === "select" ? x.args : []
  const inside = (e?: Expr): boolean | undefined => (e?.k === "const" ? e.value >= 0 && e.value < n : undefined)
  if (inside(yes) && inside(no) === false) return condition!
  return op("and", compare("le", constant("i32", 0), x), compare("lt", x, constant("i32", n)))
}
