// Where elements lie. Every loop moves pointers on by constants, so that no address is multiplied out inside of a loop.
import { type Atom, type Axis, type Index, offset, range } from "../../ir/affine.ts"
import type { MemoryType } from "../../ir/expr.ts"
import type { Code, Local } from "./wasm-bytes.ts"
import { type Facts, is, type Value } from "./wasm-facts.ts"
import { byteSize } from "./wasm-ops.ts"

/** A place in memory that the code inside of a loop uses. */
export interface Access {
  readonly base: Local
  readonly t: MemoryType
  readonly at: Index
  /** Stands behind a guard, so that what its index reads must not be read earlier. */
  readonly guarded: boolean
}
type Terms = Index["terms"]
/** A local that holds an address, and what is still missing from it. */
interface Pointer {
  readonly local: Local
  readonly rest: Terms
}
/** Pointers by what they started from; an access finds its own by the identity of its terms. */
type Pointers = ReadonlyMap<Local, ReadonlyMap<Terms, Pointer>>

export class Addresses {
  private readonly counters = new Map<number, Local>()
  private readonly ids = new Map<Value, number>()
  private readonly found = [new Map<Value, Access[]>(), new Map<Value, Access[]>()] as const
  private pointers: Pointers = new Map()

  constructor(
    private readonly code: Code,
    private readonly facts: Facts,
    /** Where the addresses of the operands are. */
    private readonly operands: readonly Local[],
    /** Leaves a single value on the stack. */
    private readonly pushValue: (v: Value) => void,
  ) {}

  /** Whether the code stands inside of the loops over all these axes. */
  isBound(axes: ReadonlySet<number>): boolean {
    for (const id of axes) if (!this.counters.has(id)) return false
    return true
  }

  /**
   * Runs `body` with a loop variable for `axis` and with pointers; `advance` moves all of them on by a number of turns. They start at
   * turn `from`, a local, or at the first.
   */
  inLoop(axis: Axis, accesses: readonly Access[], body: (counter: Local, advance: (turns: number) => void) => void, from?: Local): void {
    const { code } = this
    const outer = this.pointers
    const moves = this.point(axis, accesses)
    const counter = code.local("i32")
    this.counters.set(axis.id, counter)
    if (from === undefined) code.i32(0).set(counter)
    else {
      code.get(from).set(counter)
      for (const [pointer, bytes] of moves) code.get(pointer, from).i32(bytes).op("i32.mul", "i32.add").set(pointer)
    }
    body(counter, turns => {
      for (const [pointer, bytes] of moves) code.advance(pointer, bytes * turns)
      code.advance(counter, turns)
    })
    this.counters.delete(axis.id)
    this.pointers = outer
  }

  /** The places that `root` reads. */
  accesses(root: Value, guarded: boolean): readonly Access[] {
    const known = this.found[guarded ? 1 : 0].get(root)
    if (known) return known
    const found = new Map<Value, Access>()
    const seen = [new Set<Value>(), new Set<Value>()] as const
    const visit = (v: Value, guarded: boolean): void => {
      if (!v.reads || seen[guarded ? 1 : 0].has(v)) return
      seen[guarded ? 1 : 0].add(v)
      if (is(v, "load") && !(guarded && found.has(v))) {
        const { slot, at } = v.expr
        found.set(v, { base: this.operands[slot]!, t: this.facts.loads[slot]!, at, guarded })
      }
      const [body, ...others] = v.parts
      if (body) visit(body, guarded || v.expr.k === "guard")
      for (const part of others) visit(part, guarded)
    }
    visit(root, guarded)
    const accesses = [...found.values()]
    this.found[guarded ? 1 : 0].set(root, accesses)
    return accesses
  }

  /** Makes pointers for a loop over `axis`; the result says by how many bytes they move in a turn. */
  private point(axis: Axis, accesses: readonly Access[]): (readonly [Local, number])[] {
    const inner = new Map([...this.pointers].map(([base, pointers]) => [base, new Map(pointers)]))
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
      if (!inner.has(base)) inner.set(base, new Map())
      inner.get(base)!.set(at.terms, { local: pointer, rest: rest.filter(x => !known.includes(x) && !moving.includes(x)) })
    }
    this.pointers = inner
    return moves
  }
  private pointer(base: Local, { terms }: Index): Pointer {
    return this.pointers.get(base)?.get(terms) ?? { local: base, rest: terms }
  }

  private termsKey(terms: Terms): string {
    return terms
      .map(([a, c]) => `${c}*${this.atomKey(a)}`)
      .sort()
      .join("+")
  }
  private atomKey(a: Atom): string {
    if (a.k === "axis") return `a${a.axis.id}`
    if (a.k !== "value") return `${a.k}(${this.termsKey(a.of.terms)}+${a.of.constant},${a.by})`
    const v = this.facts.of(a.expr)
    const id = this.ids.get(v) ?? this.ids.size
    this.ids.set(v, id)
    return `e${id}`
  }

  /** Leaves the address `ahead` elements behind `at` on the stack; the result is the offset for the instruction. */
  push(base: Local, t: MemoryType, at: Index, ahead = 0): number {
    const bytes = (at.constant + ahead) * byteSize(t)
    const { local, rest } = this.pointer(base, at)
    this.code.get(local)
    this.addTerms(rest, byteSize(t))
    // An instruction's offset does not wrap around: the address itself must not be negative.
    if (bytes >= 0 && range({ constant: 0, terms: at.terms })[0] >= 0) return bytes
    this.code.i32(bytes).op("i32.add")
    return 0
  }

  pushIndex(i: Index): void {
    this.code.i32(i.constant)
    this.addTerms(i.terms, 1)
  }
  private addTerms(terms: Terms, scale: number): void {
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
    } else if (a.k === "value") this.pushValue(this.facts.of(a.expr))
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
