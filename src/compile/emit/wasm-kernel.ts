// A kernel as the code of one function. Addresses are pointers that every loop moves on by constants; what a loop does not
// change is computed in front of it; values are kept in locals by the identity of their expressions.
import { type Atom, type Axis, type Index, offset, range } from "../../ir/affine.ts"
import type { Bound, Dtype, Expr } from "../../ir/expr.ts"
import type { Kernel } from "../kernel.ts"
import type { Code, Local } from "./wasm-bytes.ts"
import {
  Facts,
  type Guard,
  indicesOf,
  inOrder,
  isEmpty,
  type Lanes,
  type Machine,
  outputLanes,
  type Reduce,
  reduceLanes,
  single,
  valuesOf,
} from "./wasm-facts.ts"
import {
  byteSize,
  combining,
  extract,
  gather,
  identity,
  laneBytes,
  load,
  operation,
  pushConst,
  replace,
  splat,
  store,
  valueType,
} from "./wasm-ops.ts"

export function writeKernel(kernel: Kernel, code: Code): void {
  if (kernel.axes.every(a => a.n > 0)) new KernelCode(kernel, code).write()
}

/** Parameters: the output, then the operands. */
const outParam: Local = 0
const param = (slot: number): Local => 1 + slot

/** A place in memory that the code inside of a loop uses. */
interface Access {
  readonly base: Local
  readonly t: Dtype
  readonly at: Index
  /** Stands behind a guard, so that what its index reads must not be read earlier. */
  readonly guarded: boolean
}
/** A local that holds an address, and what is still missing from it. */
interface Pointer {
  readonly local: Local
  readonly rest: Index["terms"]
}
/** Turns of a loop that are written the same way. */
interface Phase {
  readonly turns: number
  /** How far the loop variable moves in a turn. */
  readonly step: number
  readonly body: () => void
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

class KernelCode {
  private readonly facts: Facts
  private readonly wide: Lanes | undefined
  private readonly counters = new Map<number, Local>()
  private readonly exprIds = new Map<Expr, number>()
  private pointers: ReadonlyMap<string, Pointer> = new Map()
  private scope = new Scope()

  constructor(
    private readonly kernel: Kernel,
    private readonly code: Code,
  ) {
    this.facts = new Facts(kernel)
    this.wide = outputLanes(kernel, this.facts)
  }

  // Loops over the elements of the output

  write(): void {
    this.output(this.kernel.axes, this.kernel.out.bounds, single)
  }

  private output(axes: readonly Axis[], bounds: readonly Bound[], lanes: Lanes): void {
    const now = bounds.filter(b => this.isBound(this.facts.freeOfIndex(b.i)))
    const later = bounds.filter(b => !now.includes(b))
    this.unless(now, () => {
      const [axis, ...inner] = axes
      if (axis) this.outputLoop(axis, inner, later)
      else this.element(lanes)
    })
  }

  private outputLoop(axis: Axis, inner: readonly Axis[], bounds: readonly Bound[]): void {
    const { wide } = this
    const { body, out } = this.kernel
    const guarded = bounds.length > 0
    for (const l of wide ? [single, wide] : [single]) this.hoist(body, l, guarded)
    const accesses = [...this.accesses(body, guarded), { base: outParam, t: out.t, at: out.at, guarded }]
    for (const e of [out.at, ...bounds.map(b => b.i)].flatMap(valuesOf)) accesses.push(...this.accesses(e, guarded))
    const phase = (l: Lanes, n: number): Phase => {
      const step = l.width * l.count
      return { step, turns: Math.floor(n / step), body: () => this.output(inner, bounds, l) }
    }
    if (inner.length > 0 || !wide) this.sweep(axis, accesses, [phase(single, axis.n)])
    else {
      const { width, count } = wide
      const rest = count > 1 ? [phase({ ...wide, count: 1 }, axis.n % (width * count))] : []
      this.sweep(axis, accesses, [phase(wide, axis.n), ...rest, phase(single, axis.n % width)])
    }
  }

  private element(lanes: Lanes): void {
    const { code } = this
    const { t, at, mode } = this.kernel.out
    for (let u = 0; u < lanes.count; u++) {
      const offset = this.address(outParam, t, at, u * lanes.width)
      if (mode === "add") {
        const address = code.local("i32")
        code.tee(address).get(address)
        load(code, t, lanes.width, offset)
      }
      this.push(this.kernel.body, lanes, u)
      if (mode === "add") operation(code, "add", t, t, lanes.width)
      store(code, t, lanes.width, offset)
    }
  }

  // Loops

  /** A loop over `axis`, phase after phase; pointers move along. */
  private sweep(axis: Axis, accesses: readonly Access[], phases: readonly Phase[]): void {
    const { code } = this
    const outer = this.pointers
    const moves = this.point(axis, accesses)
    const counter = code.local("i32")
    this.counters.set(axis.id, counter)
    code.i32(0).set(counter)
    let reached = 0
    for (const { turns, step, body } of phases) {
      if (turns === 0) continue
      reached += turns * step
      const turn = (): void => {
        this.nested(body)
        for (const [pointer, bytes] of moves) code.advance(pointer, bytes * step)
        code.advance(counter, step)
      }
      if (turns === 1) turn()
      else {
        code.loop(() => {
          turn()
          code.get(counter).i32(reached).op("i32.lt_s").brIf(0)
        })
      }
    }
    this.counters.delete(axis.id)
    this.pointers = outer
  }

  /** Loops over all `axes`, whose turns differ in `e`. */
  private loops(axes: readonly Axis[], e: Expr, lanes: readonly Lanes[], body: () => void): void {
    const [axis, ...inner] = axes
    if (!axis) {
      body()
      return
    }
    for (const l of lanes) this.hoist(e, l, false)
    this.sweep(axis, this.accesses(e, false), [{ turns: axis.n, step: 1, body: () => this.loops(inner, e, lanes, body) }])
  }

  private nested(body: () => void): void {
    const outer = this.scope
    this.scope = new Scope(outer)
    body()
    this.scope = outer
  }

  /** Skips `body` outside of the bounds. They are looked at in order: a later one may read data only inside of the earlier. */
  private unless(bounds: readonly Bound[], body: () => void): void {
    const open = bounds.filter(({ i, n }) => !(range(i)[0] >= 0 && range(i)[1] < n))
    const checked = (): void => {
      for (const { i, n } of open) {
        this.pushIndex(i)
        this.code.i32(n).op("i32.ge_u").brIf(0)
      }
      body()
    }
    if (open.length === 0) body()
    else this.code.block(() => this.nested(checked))
  }

  private isBound(axes: ReadonlySet<number>): boolean {
    for (const id of axes) if (!this.counters.has(id)) return false
    return true
  }

  // Invariants

  /** Evaluates ahead of a loop all parts of `root` that the loop does not change. */
  private hoist(root: Expr, lanes: Lanes, guarded: boolean): void {
    const seen = [new Set<Machine>(), new Set<Machine>()] as const
    const visit = (of: Expr, lanes: Lanes, guarded: boolean): void => {
      const e = this.facts.machine(of)
      const done = seen[guarded ? 1 : 0]
      if (done.has(e)) return
      done.add(e)
      if (this.isBound(this.facts.free(e)) && !(guarded && this.facts.reads(e))) {
        if (e.k === "index" || (e.k === "const" && !lanes.axis)) return
        for (let u = 0; u < (this.varies(e, lanes) ? lanes.count : 1); u++) this.hold(e, lanes, u)
        return
      }
      for (const i of indicesOf(e)) for (const x of valuesOf(i)) visit(x, single, guarded)
      if (e.k === "op") for (const a of e.args) visit(a, this.varies(a, lanes) ? lanes : this.splatted(a, lanes), guarded)
      else if (e.k === "guard") visit(e.body, lanes, true)
      else if (e.k === "reduce" && !isEmpty(e)) visit(e.body, lanes, guarded)
    }
    visit(root, lanes, guarded)
  }
  private varies(of: Expr, lanes: Lanes): boolean {
    return lanes.axis !== undefined && this.facts.free(this.facts.machine(of)).has(lanes.axis.id)
  }
  /** Operands that are the same in all lanes but not yet known are computed as single values. */
  private splatted(of: Expr, lanes: Lanes): Lanes {
    return this.isBound(this.facts.free(this.facts.machine(of))) ? lanes : single
  }

  // Values

  /** Leaves vector `u` of the value on the stack. */
  private push(of: Expr, lanes: Lanes, u: number): void {
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
  /** Sees to it that the value is in a local; reductions and guards run once for all vectors. */
  private hold(e: Machine, lanes: Lanes, u: number): void {
    if (this.find(e, lanes, u) !== undefined) return
    const keep = (locals: readonly Local[], from: number): void => {
      for (const [i, local] of locals.entries()) this.scope.hold(e, this.key(e, lanes, from + i), local)
    }
    const joint = !lanes.axis || this.varies(e, lanes)
    if (joint && e.k === "reduce") keep(this.reduce(e, lanes), 0)
    else if (joint && e.k === "guard") keep(this.guard(e, lanes), 0)
    else {
      const local = this.code.local(valueType(e.t, lanes.width))
      this.compute(e, lanes, u)
      this.code.set(local)
      keep([local], u)
    }
  }
  private locals(t: Dtype, lanes: Lanes, start: number): Local[] {
    return Array.from({ length: lanes.count }, () => {
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
      splat(code, e.t, width)
    } else if (e.k === "load") {
      const offset = this.address(param(e.slot), e.t, e.at, u * width)
      load(code, e.t, width, offset)
    } else if (e.k === "index") {
      this.pushIndex(e.at)
      const stride = axis && this.facts.stride(e.at, axis)!
      if (stride !== undefined) {
        const steps = [0, 1, 2, 3].map(l => (u * width + l) * stride)
        code.op("i32x4.splat").v128("i32", steps).op("i32x4.add")
      }
    } else if (e.k === "op") {
      const isShift = e.op === "shl" || e.op === "shr"
      const [first, ...others] = e.args
      const order = e.op === "select" ? [...others, first!] : e.args // the machine takes the condition last
      for (const [i, a] of order.entries()) this.push(a, isShift && i === 1 ? single : lanes, u)
      operation(code, e.op, e.t, e.args.at(-1)!.t, width)
    }
  }

  private guard(e: Guard, lanes: Lanes): Local[] {
    const results = this.locals(e.t, lanes, e.otherwise)
    this.unless(e.bounds, () => {
      results.forEach((local, u) => {
        this.push(e.body, lanes, u)
        this.code.set(local)
      })
    })
    return results
  }

  // Reductions

  private reduce(e: Reduce, lanes: Lanes): Local[] {
    if (isEmpty(e)) return this.locals(e.t, lanes, e.op === "argmax" || e.op === "argmin" ? 0 : identity(e.op, e.t))
    if (e.op === "argmax" || e.op === "argmin") return this.position(e, lanes)
    const across = lanes.axis ? undefined : reduceLanes(e, this.facts)
    return across ? [this.reduceAcross(e, across)] : this.reduceInTurn(e, lanes)
  }

  private combine(e: Reduce, lanes: Lanes, into: Local, other: () => void): void {
    this.code.get(into)
    other()
    operation(this.code, combining(e.op), e.t, e.t, lanes.width)
    this.code.set(into)
  }

  /** One element a turn. With several accumulators they change places, so that each turn adds to the first. */
  private reduceInTurn(e: Reduce, lanes: Lanes): Local[] {
    const { code } = this
    const count = inOrder(e) ? e.lanes : 1
    const last = e.over.at(-1)!
    const sums = Array.from({ length: count }, () => this.locals(e.t, lanes, identity(e.op, e.t)))
    const rotate = (by: number): void => {
      for (let u = 0; by > 0 && u < lanes.count; u++) {
        for (let l = 0; l < count; l++) code.get(sums[(l + by) % count]![u]!)
        for (let l = count - 1; l >= 0; l--) code.set(sums[l]![u]!)
      }
    }
    this.loops(e.over.slice(0, -1), e.body, [lanes], () => {
      this.loops([last], e.body, [lanes], () => {
        for (const [u, sum] of sums[0]!.entries()) this.combine(e, lanes, sum, () => this.push(e.body, lanes, u))
        rotate(1 % count)
      })
      rotate((count - (last.n % count)) % count)
    })
    for (let half = count / 2; half >= 1; half /= 2) {
      for (let l = 0; l < half; l++) {
        for (const [u, sum] of sums[l]!.entries()) this.combine(e, lanes, sum, () => code.get(sums[l + half]![u]!))
      }
    }
    return sums[0]!
  }

  /** Neighbours along the last axis in the lanes of vectors; the result is a single value. */
  private reduceAcross(e: Reduce, lanes: Lanes): Local {
    const { code } = this
    const { width, count } = lanes
    const last = e.over.at(-1)!
    const sums = this.locals(e.t, lanes, identity(e.op, e.t))
    const vectors = (n: number): void => {
      for (let u = 0; u < n; u++) this.combine(e, lanes, sums[u]!, () => this.push(e.body, lanes, u))
    }
    const step = width * count
    const rest = Math.floor((last.n % step) / width)
    /** The elements that fill no vector go to the lanes of the next accumulator. */
    const tail = (lane: number): void => {
      code.get(sums[rest]!, sums[rest]!)
      extract(code, e.t, width, lane)
      this.push(e.body, single, 0)
      operation(code, combining(e.op), e.t, e.t, 1)
      replace(code, e.t, width, lane)
      code.set(sums[rest]!)
    }
    this.loops(e.over.slice(0, -1), e.body, [lanes, single], () => {
      for (const l of [lanes, single]) this.hoist(e.body, l, false)
      this.sweep(last, this.accesses(e.body, false), [
        { step, turns: Math.floor(last.n / step), body: () => vectors(count) },
        { step: rest * width, turns: rest > 0 ? 1 : 0, body: () => vectors(rest) },
        ...Array.from({ length: last.n % width }, (_, lane): Phase => ({ step: 1, turns: 1, body: () => tail(lane) })),
      ])
    })
    for (let half = count / 2; half >= 1; half /= 2) {
      for (let u = 0; u < half; u++) this.combine(e, lanes, sums[u]!, () => code.get(sums[u + half]!))
    }
    for (let half = width / 2; half >= 1; half /= 2) {
      const shift = half * laneBytes(e.t, width)
      this.combine(e, lanes, sums[0]!, () => {
        code.get(sums[0]!)
        gather(
          code,
          Array.from({ length: 16 }, (_, b) => (b + shift) % 16),
        )
      })
    }
    const result = code.local(valueType(e.t, 1))
    code.get(sums[0]!)
    extract(code, e.t, width, 0)
    code.set(result)
    return result
  }

  /** The loop variable at the first extreme, or at the first NaN. */
  private position(e: Reduce, lanes: Lanes): Local[] {
    const { code } = this
    const { width } = lanes
    const [axis] = e.over
    const t = e.body.t
    const best = this.locals(t, lanes, identity(e.op, t))
    const positions = this.locals("i32", lanes, 0)
    const x = code.local(valueType(t, width))
    const better = code.local(valueType("bool", width))
    const compare = (name: "lt" | "eq" | "ne", a: Local, b: Local): void => {
      code.get(a, b)
      operation(code, name, "bool", t, width)
    }
    this.loops([axis!], e.body, [lanes], () => {
      best.forEach((b, u) => {
        this.push(e.body, lanes, u)
        code.set(x)
        if (e.op === "argmax") compare("lt", b, x)
        else compare("lt", x, b)
        compare("ne", x, x)
        compare("eq", b, b)
        operation(code, "and", "bool", "bool", width)
        operation(code, "or", "bool", "bool", width)
        code.set(better).get(x, b, better)
        operation(code, "select", t, t, width)
        code.set(b).get(this.counters.get(axis!.id)!)
        if (width > 1) splat(code, "i32", width)
        code.get(positions[u]!, better)
        operation(code, "select", "i32", "i32", width)
        code.set(positions[u]!)
      })
    })
    return positions
  }

  // Addresses

  /** The places that `root` reads. */
  private accesses(root: Expr, guarded: boolean): Access[] {
    const found = new Map<Machine, Access>()
    const seen = [new Set<Machine>(), new Set<Machine>()] as const
    const visit = (of: Expr, guarded: boolean): void => {
      const e = this.facts.machine(of)
      if (seen[guarded ? 1 : 0].has(e)) return
      seen[guarded ? 1 : 0].add(e)
      if (e.k === "load" && !(guarded && found.has(e))) found.set(e, { base: param(e.slot), t: e.t, at: e.at, guarded })
      for (const part of this.facts.parts(e)) visit(part, guarded || (e.k === "guard" && part === this.facts.machine(e.body)))
    }
    visit(root, guarded)
    return [...found.values()]
  }

  /** Pointers for a loop over `axis`; the result says by how many bytes they move when the loop variable grows by 1. */
  private point(axis: Axis, accesses: readonly Access[]): (readonly [Local, number])[] {
    const inner = new Map(this.pointers)
    const made = new Map<string, Local>()
    const moves: (readonly [Local, number])[] = []
    for (const { base, t, at, guarded } of accesses) {
      const { local, rest } = this.pointer(base, at)
      const known = rest.filter(([a]) => a.k !== "axis" && this.isBound(this.facts.freeOfAtom(a)) && !(guarded && readsData(a)))
      const moving = rest.filter(([a]) => a.k === "axis" && a.axis.id === axis.id)
      if (known.length === 0 && moving.length === 0) continue
      const id = `${local}:${this.termsKey(known)}:${this.termsKey(moving)}`
      let pointer = made.get(id)
      if (pointer === undefined) {
        pointer = this.code.local("i32")
        made.set(id, pointer)
        this.code.get(local)
        this.addTerms(known, byteSize(t))
        this.code.set(pointer)
        for (const [, c] of moving) moves.push([pointer, c * byteSize(t)])
      }
      inner.set(this.accessKey(base, at), { local: pointer, rest: rest.filter(x => !known.includes(x) && !moving.includes(x)) })
    }
    this.pointers = inner
    return moves
  }
  private pointer(base: Local, at: Index): Pointer {
    return this.pointers.get(this.accessKey(base, at)) ?? { local: base, rest: at.terms }
  }
  private accessKey(base: Local, at: Index): string {
    return `${base}:${this.termsKey(at.terms)}`
  }
  private termsKey(terms: Index["terms"]): string {
    return terms
      .map(([a, c]) => `${c}*${this.atomKey(a)}`)
      .sort()
      .join("+")
  }
  private atomKey(a: Atom): string {
    if (a.k === "axis") return `a${a.axis.id}`
    if (a.k !== "value") return `${a.k}(${this.termsKey(a.of.terms)}+${a.of.constant},${a.by})`
    const id = this.exprIds.get(a.expr) ?? this.exprIds.size
    this.exprIds.set(a.expr, id)
    return `e${id}`
  }

  /** Leaves an address on the stack; the result is to be added to it as the offset of the instruction. */
  private address(base: Local, t: Dtype, at: Index, ahead: number): number {
    const size = byteSize(t)
    const offset = (at.constant + ahead) * size
    const { local, rest } = this.pointer(base, at)
    this.code.get(local)
    this.addTerms(rest, size)
    // An instruction's offset does not wrap around: the address itself must not be negative.
    if (offset >= 0 && range({ constant: 0, terms: at.terms })[0] >= 0) return offset
    this.code.i32(offset).op("i32.add")
    return 0
  }

  private pushIndex(i: Index): void {
    this.code.i32(i.constant)
    this.addTerms(i.terms, 1)
  }
  private addTerms(terms: Index["terms"], scale: number): void {
    for (const [a, c] of terms) {
      this.pushAtom(a)
      if (c * scale !== 1) this.code.i32(c * scale).op("i32.mul")
      this.code.op("i32.add")
    }
  }
  private pushAtom(a: Atom): void {
    if (a.k === "axis") {
      const counter = this.counters.get(a.axis.id)
      if (counter === undefined) throw new Error(`A kernel uses axis ${a.axis.id} outside of the loop or reduction that runs over it.`)
      this.code.get(counter)
    } else if (a.k === "value") this.push(a.expr, single, 0)
    else this.divide(a.k, a.of, a.by)
  }
  /** Quotient or remainder, rounded down. The machine does that for numbers that are not negative, so a multiple is added. */
  private divide(k: "div" | "mod", of: Index, by: number): void {
    const least = Math.max(range(of)[0], -(2 ** 31))
    const multiples = Math.max(0, Math.ceil(-least / by))
    this.pushIndex(offset(of, multiples * by))
    this.code.i32(by).op(k === "div" ? "i32.div_u" : "i32.rem_u")
    if (k === "div" && multiples > 0) this.code.i32(-multiples).op("i32.add")
  }
}

const readsData = (a: Atom): boolean => a.k === "value" || (a.k !== "axis" && a.of.terms.some(([b]) => readsData(b)))
