// Kernels as JavaScript source: one engine by itself (`adjoint/js`), the one for small work, and the plain reading of what a
// kernel means.
import { type Atom, type Axis, atomsOf, dependsOn, type Index, int, range } from "../../ir/affine.ts"
import {
  type Bound,
  type Combiner,
  type Dtype,
  type Expr,
  type FormulaOp,
  indicesOf,
  isFloat,
  partsOf,
  reach,
  type ScalarOp,
  valuesOf,
} from "../../ir/expr.ts"
import { formulas } from "../../ir/formulas.ts"
import { type Kernel, rootsOf, storesOf } from "../kernel.ts"
import { helpers, literal, operation } from "./js-ops.ts"

/**
 * The source of a *factory*: `new Function(emitJs(kernel))()` is the kernel, a function `(out, out1, ..., r0, r1, ...) => void` of typed
 * arrays whose element 0 is the operand's first element (Float32Array, Float64Array, Int32Array; Uint8Array for bool and u8,
 * Uint16Array for f16 and bf16). A
 * factory, so that helpers and their scratch memory are made once and not at every call.
 *
 * Names are counted in order of appearance: kernels that are equal but for the identity of their axes have the same source,
 * which serves as the key of the cache. f32 is rounded after every operation, so that results equal plain WASM bit for bit.
 *
 * An expression that is reached more than once (by object identity) is computed once, as far out as the loops that it
 * depends on allow, but never ahead of a guard unless it is needed outside of the guard anyway.
 */
export function emitJs(kernel: Kernel): string {
  return new Emitter(kernel).source()
}

/** A block of the source: a function, the body of a loop (it has an axis) or of a guard. */
interface Scope {
  readonly up: Scope | undefined
  readonly axis: Axis | undefined
  /** The loop variable's name. */
  readonly name: string
  /** Expressions that every turn through this block needs. */
  readonly certain: Set<Expr>
  readonly known: Map<Expr, string>
  /** Address parts by their text. */
  readonly addresses: Map<string, string>
  code: string
}

type Reduce = Extract<Expr, { k: "reduce" }>

const outName = (i: number): string => (i ? `out${i}` : "out")
const isName = (text: string): boolean => /^\w+$/.test(text)
const plus = (parts: readonly string[]): string => parts.join("+").replaceAll("+-", "-") || "0"

class Emitter {
  private readonly uses = new Map<Expr, number>()
  private readonly free = new Map<Expr, ReadonlySet<number>>()
  private readonly prelude = new Map<string, string>()
  private names = 0

  constructor(private readonly kernel: Kernel) {}

  source(): string {
    const { axes, loads } = this.kernel
    const root = this.open(undefined)
    if (axes.every(a => a.n > 0)) this.nest(axes, root, inner => this.turn(inner))
    const parameters = [...storesOf(this.kernel).map((_, i) => outName(i)), ...loads.map((_, slot) => `r${slot}`)].join(",")
    const prelude = [...this.prelude].map(([name, text]) => `const ${name}=${text}\n`).join("")
    return `"use strict"\n${prelude}return (${parameters})=>{\n${root.code}}`
  }

  private turn(scope: Scope): void {
    const { bounds } = this.kernel.out
    const stores = storesOf(this.kernel)
    this.count(rootsOf(this.kernel))
    this.need(
      bounds.flatMap(b => valuesOf(b.i)),
      scope,
    )
    const condition = this.condition(bounds, scope)
    const inner = condition === "true" ? scope : this.open(scope)
    this.need(
      stores.map(s => s.body),
      inner,
    )
    const found = stores.map(s => this.value(s.body, inner))
    // everything is read before anything is stored
    const ready = stores.length === 1 ? found : found.map(text => this.named(text, inner))
    stores.forEach(({ body: { t }, out: { at, mode } }, i) => {
      const target = `${outName(i)}[${this.address(at, inner)}]`
      const old = t === "bool" ? `${target}!==0` : target
      const stored = mode === "store" ? ready[i]! : this.combine("sum", t, old, ready[i]!)
      inner.code += `${target}=${t === "bool" ? `${stored}?1:0` : stored}\n`
    })
    if (inner !== scope) scope.code += `if(${condition}){\n${inner.code}}\n`
  }

  // Scopes

  private fresh(kind: string): string {
    return kind + this.names++
  }

  private open(up: Scope | undefined, axis?: Axis, name = ""): Scope {
    return { up, axis, name, certain: new Set(), known: new Map(), addresses: new Map(), code: "" }
  }

  /** A loop over `axis`, or its body alone where there is but one turn. */
  private loop(scope: Scope, axis: Axis, body: (inner: Scope) => void): void {
    const inner = axis.n === 1 ? scope : this.open(scope, axis, this.fresh("i"))
    body(inner)
    if (inner !== scope) scope.code += `for(let ${inner.name}=0;${inner.name}<${axis.n};${inner.name}++){\n${inner.code}}\n`
  }

  private nest(axes: readonly Axis[], scope: Scope, body: (inner: Scope) => void): void {
    const [axis, ...rest] = axes
    if (axis) this.loop(scope, axis, inner => this.nest(rest, inner, body))
    else body(scope)
  }

  /** The outermost block in which `e` has all of its loop variables and is needed at every turn. */
  private home(e: Expr, scope: Scope): Scope {
    const free = this.freeAxes(e)
    let best = scope
    let sure = true
    for (let s = scope; ; s = s.up) {
      if (s.known.has(e)) return s
      sure ||= s.certain.has(e)
      if (sure) best = s
      if (!s.up || (s.axis && free.has(s.axis.id))) return best
      if (!s.axis) sure = false
    }
  }

  // Expressions

  /** Text of the value: a name, a literal, or an expression in parentheses. */
  private value(e: Expr, scope: Scope): string {
    if (e.k === "const") return literal(e.t, e.value)
    if (e.k === "index") return `(${this.address(e.at, scope)}|0)`
    const home = this.home(e, scope)
    const known = home.known.get(e)
    if (known !== undefined) return known
    const text = this.compute(e, home)
    if (home === scope && this.uses.get(e) === 1) return text
    const name = isName(text) ? text : this.fresh("t")
    if (name !== text) home.code += `const ${name}=${text}\n`
    home.known.set(e, name)
    return name
  }

  private compute(e: Exclude<Expr, { k: "const" | "index" }>, scope: Scope): string {
    switch (e.k) {
      case "load": {
        const element = `r${e.slot}[${this.address(e.at, scope)}]`
        return e.t === "bool" ? `(${element}!==0)` : element
      }
      case "op": {
        const args = e.args.map(a => this.value(a, scope))
        return this.apply(e.op, e.t, e.args.at(-1)!.t, args)
      }
      case "guard": {
        const condition = this.condition(e.bounds, scope)
        const otherwise = literal(e.t, e.otherwise)
        if (condition === "true") return this.value(e.body, scope)
        if (condition === "false") return otherwise
        const inner = this.open(scope)
        this.need([e.body], inner)
        const body = this.value(e.body, inner)
        if (inner.code === "") return `(${condition}?${body}:${otherwise})`
        const name = this.fresh("t")
        scope.code += `let ${name}=${otherwise}\nif(${condition}){\n${inner.code}${name}=${body}\n}\n`
        return name
      }
      case "reduce":
        return this.reduce(e, scope)
    }
  }

  private apply(op: ScalarOp, t: Dtype, from: Dtype, args: readonly string[]): string {
    if (!(op in formulas)) return operation(op as Exclude<ScalarOp, FormulaOp>, t, from, args, h => this.helper(h))
    const name = `${op}_${t}`
    if (!this.prelude.has(name)) this.prelude.set(name, this.formula(op as FormulaOp, t, args.length))
    return `${name}(${args.join(",")})`
  }

  private helper(name: string): string {
    this.prelude.set(name, helpers[name]!)
    return name
  }

  /** A formula as a function of its own. */
  private formula(op: FormulaOp, t: Dtype, arity: number): string {
    if (!isFloat(t)) throw new Error(`emitJs: ${op} is defined for f32 and f64, not for ${t}`)
    const scope = this.open(undefined)
    const args = Array.from({ length: arity }, (_, slot): Expr => ({ k: "load", t, slot, at: int(0) }))
    const body = formulas[op](t, ...args)
    this.count([body])
    args.forEach((a, i) => {
      scope.known.set(a, `x${i}`)
    })
    const value = this.value(body, scope)
    return `(${args.map((_, i) => `x${i}`).join(",")})=>{\n${scope.code}return ${value}}`
  }

  private condition(bounds: readonly Bound[], scope: Scope): string {
    const parts: string[] = []
    for (const { i, n } of bounds) {
      const [lo, hi] = range(i)
      if (lo >= n || hi < 0) return "false"
      if (lo >= 0 && hi < n) continue
      const at = this.address(i, scope)
      const small = lo >= -(2 ** 31) && hi < 2 ** 31
      if (lo < 0 && hi >= n && small) parts.push(`(${at})>>>0<${n}`)
      else parts.push(...(lo < 0 ? [`${at}>=0`] : []), ...(hi >= n ? [`${at}<${n}`] : []))
    }
    return parts.join("&&") || "true"
  }

  // Reductions

  private reduce(e: Reduce, scope: Scope): string {
    const position = e.op === "argmax" || e.op === "argmin"
    if (e.over.some(a => a.n === 0)) return position ? "0" : literal(e.t, identity(e.op, e.t))
    if (e.lanes > 1 && e.op === "sum" && isFloat(e.t)) return this.lanes(e, scope) // no other result depends on the order
    const best = this.fresh("s")
    const at = position ? this.fresh("p") : ""
    scope.code += `let ${best}=${literal(e.body.t, identity(e.op, e.body.t))}${position ? `,${at}=0` : ""}\n`
    this.nest(e.over, scope, inner => {
      this.need([e.body], inner)
      const value = this.value(e.body, inner)
      if (!position) {
        inner.code += `${best}=${this.combine(e.op, e.t, best, value)}\n`
      } else if (inner !== scope) {
        const v = this.fresh("t")
        const better = `${v}${e.op === "argmax" ? ">" : "<"}${best}`
        inner.code += `const ${v}=${value}\nif(${better}||${v}!==${v}&&${best}===${best}){${best}=${v};${at}=${inner.name}}\n`
      }
    })
    return position ? at : best
  }

  /** A sum with an accumulator for each lane, written out for all of them: at no size of the body is a loop over accumulators faster. */
  private lanes(e: Reduce, scope: Scope): string {
    const last = e.over.at(-1)!
    const sums = Array.from({ length: e.lanes }, () => this.fresh("s"))
    scope.code += `let ${sums.map(s => `${s}=0`).join(",")}\n`
    /** One turn for the accumulator `sum`. */
    const turn = (sum: string, at: string, outer: Scope): void => {
      const inner = this.open(outer, last, this.fresh("i"))
      this.need([e.body], inner)
      const total = this.combine("sum", e.t, sum, this.value(e.body, inner))
      outer.code += `{const ${inner.name}=${at}\n${inner.code}${sum}=${total}\n}\n`
    }
    const whole = last.n - (last.n % e.lanes)
    this.nest(e.over.slice(0, -1), scope, inner => {
      const step = this.open(inner, last, this.fresh("i"))
      sums.forEach((s, l) => turn(s, l === 0 ? step.name : `${step.name}+${l}`, step))
      if (whole > 0) inner.code += `for(let ${step.name}=0;${step.name}<${whole};${step.name}+=${e.lanes}){\n${step.code}}\n`
      for (let i = whole; i < last.n; i++) turn(sums[i - whole]!, String(i), inner)
    })
    for (let half = e.lanes / 2; half >= 1; half /= 2) {
      for (let l = 0; l < half; l++) scope.code += `${sums[l]}=${this.combine("sum", e.t, sums[l]!, sums[l + half]!)}\n`
    }
    return sums[0]!
  }

  private combine(op: Combiner, t: Dtype, a: string, b: string): string {
    return this.apply(op === "sum" ? "add" : op === "max" ? "max" : "min", t, t, [a, b])
  }

  // Indices

  /** Text of an index. What the innermost loop does not change is computed outside of it. */
  private address(i: Index, scope: Scope): string {
    let loop = scope
    while (!loop.axis && loop.up) loop = loop.up
    const { axis, up } = loop
    if (!axis || !up) return this.sum(i, scope)
    const inner = i.terms.filter(t => dependsOn({ terms: [t] }, axis))
    if (inner.length === i.terms.length) return this.sum(i, scope)
    const outer = { constant: i.constant, terms: i.terms.filter(t => !inner.includes(t)) }
    const base = this.named(this.address(outer, up), up)
    return inner.length === 0 ? base : plus([base, this.sum({ constant: 0, terms: inner }, scope)])
  }

  private named(address: string, scope: Scope): string {
    if (isName(address)) return address
    for (let s: Scope | undefined = scope; s; s = s.up) {
      const known = s.addresses.get(address)
      if (known) return known
    }
    const name = this.fresh("a")
    scope.code += `const ${name}=${address}\n`
    scope.addresses.set(address, name)
    return name
  }

  private sum({ constant, terms }: Index, scope: Scope): string {
    const parts: string[] = []
    for (const [a, c] of terms) {
      if (a.k === "axis" && a.axis.n === 1) continue
      const text = this.atom(a, scope)
      parts.push(c === 1 ? text : c === -1 ? `-${text}` : `${c}*${text}`)
    }
    if (constant !== 0) parts.push(String(constant))
    return plus(parts)
  }

  private atom(a: Atom, scope: Scope): string {
    if (a.k === "value") return this.value(a.expr, scope)
    if (a.k === "axis") {
      for (let s: Scope | undefined = scope; s; s = s.up) if (s.axis?.id === a.axis.id) return s.name
      throw new Error(`emitJs: axis ${a.axis.id} is used outside of the loop over it`)
    }
    const of = this.address(a.of, scope)
    const x = isName(of) ? of : `(${of})`
    const natural = range(a.of)[0] >= 0
    if (a.k === "div") return natural ? `(${x}/${a.by}|0)` : `Math.floor(${x}/${a.by})`
    return natural ? `(${x}%${a.by})` : `((${x}%${a.by}+${a.by})%${a.by})`
  }

  // What is known of expressions before any text is written

  /** Notes what every turn through the block evaluates. */
  private need(exprs: readonly Expr[], scope: Scope): void {
    for (const e of reach(exprs, certainParts)) scope.certain.add(e)
  }

  private count(exprs: readonly Expr[]): void {
    for (const e of exprs) {
      const n = this.uses.get(e) ?? 0
      this.uses.set(e, n + 1)
      if (n === 0) this.count(partsOf(e))
    }
  }

  /** Loop variables that `e` takes from outside. */
  private freeAxes(e: Expr): ReadonlySet<number> {
    const known = this.free.get(e)
    if (known) return known
    const axes = new Set<number>()
    for (const a of indicesOf(e).flatMap(i => atomsOf(i))) if (a.k === "axis" && a.axis.n > 1) axes.add(a.axis.id)
    for (const part of partsOf(e)) for (const id of this.freeAxes(part)) axes.add(id)
    if (e.k === "reduce") for (const a of e.over) axes.delete(a.id)
    this.free.set(e, axes)
    return axes
  }
}

/** The parts of an expression that are evaluated whenever it is. */
const certainParts = (e: Expr): readonly Expr[] => {
  if (e.k === "reduce" && e.over.some(a => a.n === 0)) return []
  return e.k === "guard" ? e.bounds.flatMap(b => valuesOf(b.i)) : partsOf(e)
}

/** What a reduction starts from, and its result over nothing. */
function identity(op: Combiner, t: Dtype): number {
  if (op === "sum") return 0
  const least = op === "max" || op === "argmax"
  if (t === "bool") return least ? 0 : 1
  if (t === "i32") return least ? -2147483648 : 2147483647
  return least ? -Infinity : Infinity
}
