// Random kernels with operands to run them on: every dtype, operation, stride, guard, reduction and scatter, with
// subexpressions shared in and out of guards and reductions.
import { type Axis, axisIndex, div, type Index, int, mod, newAxis, offset, plus, range, times, valueIndex } from "../../../ir/affine.ts"
import * as ir from "../../../ir/expr.ts"
import { type Kernel, storesOf, withStores } from "../../kernel.ts"
import type { Operand } from "./interpret.ts"

export interface Sample {
  readonly kernel: Kernel
  readonly operands: readonly Operand[]
  /** What lies in the outputs beforehand; "add" and bounds leave parts of it. */
  readonly outs: readonly Operand[]
}

export interface RandomOptions {
  /** Dtypes in use. Default: all. */
  readonly dtypes?: readonly ir.Dtype[]
  /** Formula operations in use. Default: all. */
  readonly formulas?: readonly ir.FormulaOp[]
  /** Height of the expression. Default 5. */
  readonly depth?: number
}

/** Uniform numbers in [0, 1) from a seed (a 32-bit Weyl sequence, mixed). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32
  }
}

export function memory(t: ir.MemoryType, length: number): Operand {
  if (t === "f32") return new Float32Array(length)
  if (t === "f64") return new Float64Array(length)
  if (t === "i32") return new Int32Array(length)
  return t === "bool" || t === "u8" ? new Uint8Array(length) : new Uint16Array(length)
}

const narrow = ["u8", "f16", "bf16"] as const
const extents = [1, 2, 3, 4, 5, 7, 8, 9] as const
const specials = [0, -0, 1, -1, 0.5, -2.5, 3.5, Infinity, -Infinity, NaN, 1e-40, -1e-310, 3e38, 1e300, 2147483648, -2147483649] as const

export function randomKernel(rng: () => number, options: RandomOptions = {}): Sample {
  return new Generator(rng, options).sample()
}

/** An expression that later ones may share, with the axes in whose loops it may stand. */
interface Shared {
  readonly e: ir.Expr
  readonly axes: readonly Axis[]
}

class Generator {
  private readonly dtypes: readonly ir.Dtype[]
  private readonly slots: { t: ir.Dtype; length: number }[] = []
  private pool: Shared[] = []

  constructor(
    private readonly rng: () => number,
    private readonly options: RandomOptions,
  ) {
    this.dtypes = options.dtypes ?? ["f32", "f64", "i32", "bool"]
  }

  sample(): Sample {
    for (let i = 0; i <= this.below(4); i++) this.slots.push({ t: this.pick(this.dtypes), length: 1 })
    const axes = Array.from({ length: 1 + this.below(3) }, () => newAxis(this.pick(extents)))
    const body = this.expr(this.pick(this.dtypes), this.options.depth ?? 5, axes)
    const scatter = this.chance(0.25)
    // A stored element is written once; added ones may fall together.
    const at = scatter ? this.affine(axes) : axes.reduce((i, a) => plus(times(i, a.n), axisIndex(a)), int(this.below(3)))
    const bounds = this.chance(0.3) ? [this.bound(axes)] : []
    const bodies = [body]
    while (!scatter && !bounds.length && this.chance(0.4)) bodies.push(this.expr(this.pick(this.dtypes), this.options.depth ?? 5, axes))
    const [first, ...also] = bodies.map(body => ({
      out: { t: body.t, at, mode: scatter ? ("add" as const) : ("store" as const), bounds },
      body,
    }))
    return this.narrowed({
      kernel: { axes, ...first!, ...(also.length > 0 && { also }), loads: this.slots.map(s => s.t) },
      operands: this.slots.map(s => this.filled(s.t, s.length)),
      outs: bodies.map(b => this.filled(b.t, range(at)[1] + 2)),
    })
  }

  /** Some of the i32 in fewer bytes of memory. */
  private narrowed({ kernel, operands, outs }: Sample): Sample {
    const inMemory = (t: ir.MemoryType): ir.MemoryType => (t === "i32" && this.chance(0.4) ? this.pick(narrow) : t)
    const copied = (t: ir.MemoryType, x: Operand): Operand => {
      const copy = memory(t, x.length)
      copy.set(x)
      return copy
    }
    const loads = kernel.loads.map(inMemory)
    const stores = storesOf(kernel).map(({ out, body }) => ({ body, out: { ...out, t: out.mode === "add" ? out.t : inMemory(out.t) } }))
    return {
      kernel: withStores({ ...kernel, loads }, stores),
      operands: operands.map((x, slot) => copied(loads[slot]!, x)),
      outs: outs.map((x, i) => copied(stores[i]!.out.t, x)),
    }
  }

  private below(n: number): number {
    return Math.floor(this.rng() * n)
  }
  private chance(p: number): boolean {
    return this.rng() < p
  }
  private pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!
  }

  private filled(t: ir.Dtype, length: number): Operand {
    const data = memory(t, length)
    const special = this.chance(0.3) ? 0.15 : 0
    for (let i = 0; i < length; i++) {
      const spread = this.pick([1, 1, 1, 100, 1e6])
      const x = this.chance(special) ? this.pick(specials) : (this.rng() * 2 - 1) * spread
      data[i] = t === "bool" ? this.below(2) : t === "i32" ? this.integer() : x
    }
    return data
  }

  private integer(): number {
    return this.chance(0.1) ? this.pick([2147483647, -2147483648, 65536, -65537]) : this.below(41) - 20
  }

  // Indices

  /** A sum of axes with small strides, never negative. */
  private affine(axes: readonly Axis[]): Index {
    let i = int(this.below(3))
    for (const a of axes) {
      const stride = this.pick([0, 0, 1, 1, 1, 2, a.n, -1, 7])
      i = plus(i, axisIndex(a), stride)
    }
    return offset(i, Math.max(0, -range(i)[0]))
  }

  private address(axes: readonly Axis[], depth: number): Index {
    const i = this.affine(axes)
    const kind = this.rng()
    const by = 2 + this.below(6)
    if (kind < 0.1) return plus(times(div(i, by), 3), mod(i, by))
    if (kind < 0.2) return this.chance(0.5) ? div(i, by) : mod(i, by)
    if (kind < 0.3 && depth > 0 && this.dtypes.includes("i32")) return plus(i, this.gather(axes, depth - 1), 1 + this.below(3))
    return i
  }

  /** An index read from data, brought into 0..6. */
  private gather(axes: readonly Axis[], depth: number): Index {
    const raw = this.expr("i32", depth, axes)
    return valueIndex(ir.op("min", ir.op("max", raw, ir.constant("i32", 0)), ir.constant("i32", 6)))
  }

  /** Holds at some turns and fails at others. */
  private bound(axes: readonly Axis[]): ir.Bound {
    const i = this.affine(axes)
    const hi = range(i)[1]
    const shift = this.below(Math.ceil(hi / 2) + 1)
    return { i: offset(i, -shift), n: 1 + this.below(hi + 1) }
  }

  private load(t: ir.Dtype, at: Index, limit = Infinity): ir.Expr {
    const known = this.slots.flatMap((s, slot) => (s.t === t ? [slot] : []))
    const slot = known.length > 0 ? this.pick(known) : this.slots.push({ t, length: 1 }) - 1
    const s = this.slots[slot]!
    s.length = Math.max(s.length, Math.min(limit, 1 + highest(at)))
    return { k: "load", t, slot, at }
  }

  // Expressions

  private expr(t: ir.Dtype, depth: number, axes: readonly Axis[]): ir.Expr {
    const usable = this.pool.filter(s => s.e.t === t && s.axes.every(a => axes.includes(a)))
    if (usable.length > 0 && this.chance(0.3)) return this.pick(usable).e
    const e = this.fresh(t, depth, axes)
    this.pool.push({ e, axes })
    return e
  }

  private fresh(t: ir.Dtype, depth: number, axes: readonly Axis[]): ir.Expr {
    const kind = this.rng()
    if (depth === 0 || kind < 0.15) return this.leaf(t, depth, axes)
    if (kind < 0.25) return this.guarded(t, depth, axes)
    if (kind < 0.35 && axes.length < 5) return this.reduction(t, depth, axes)
    const name = this.pick(this.operations(t))
    return this.operation(name, t, depth - 1, axes)
  }

  private leaf(t: ir.Dtype, depth: number, axes: readonly Axis[]): ir.Expr {
    const kind = this.rng()
    if (kind < 0.15) {
      const value = this.chance(0.3) ? this.pick(specials) : this.below(9) - 4
      return ir.constant(t, t === "i32" ? this.integer() : t === "bool" ? this.below(2) : t === "f32" ? Math.fround(value) : value)
    }
    if (kind < 0.3 && t === "i32") return ir.index(offset(this.affine(axes), this.below(9) - 4))
    return this.load(t, this.address(axes, depth))
  }

  private guarded(t: ir.Dtype, depth: number, axes: readonly Axis[]): ir.Expr {
    const bound = this.bound(axes)
    const shared = this.pool
    const read = this.load(t, bound.i, bound.n) // in range only where the bound holds
    this.pool = [...shared, { e: read, axes }]
    const body = this.chance(0.3) ? read : this.expr(t, depth - 1, axes)
    this.pool = [...shared]
    return ir.guard([bound], body, t === "bool" ? this.below(2) : this.pick([0, 0, 1, -3]))
  }

  private reduction(t: ir.Dtype, depth: number, axes: readonly Axis[]): ir.Expr {
    const over = Array.from({ length: axes.length > 3 ? 1 : this.pick([1, 1, 2]) }, () =>
      newAxis(this.pick([...extents, ...(axes.length < 3 ? [16, 19, 33] : [])])),
    )
    const inner = [...axes, ...over]
    const lanes = this.pick([1, 1, 2, 4, 8, 16])
    if (t === "i32" && this.chance(0.4)) {
      const body = this.expr(this.pick(this.dtypes), depth - 1, [...axes, over[0]!])
      return { ...(ir.reduce(this.pick(["argmax", "argmin"]), [over[0]!], body) as object), lanes } as ir.Expr
    }
    const op: ir.Combiner = t === "bool" ? this.pick(["max", "min"]) : this.pick(["sum", "sum", "max", "min"])
    return { k: "reduce", t, op, over, lanes, body: this.expr(t, depth - 1, inner) }
  }

  private operations(t: ir.Dtype): readonly ir.ScalarOp[] {
    const general = ["select", "cast"] as const
    if (t === "bool") return [...general, "lt", "le", "eq", "ne", "and", "or", "xor", "not"]
    const number = [...general, "add", "sub", "mul", "neg", "abs", "min", "max"] as const
    if (t === "i32") return [...number, "and", "or", "xor", "not", "shl", "shr"]
    const formulas = this.options.formulas ?? ["exp", "log", "sin", "cos", "tanh", "pow"]
    return [...number, "div", "sqrt", "floor", "nearest", "pow2", "exponent", "mantissa", ...formulas]
  }

  private operation(name: ir.ScalarOp, t: ir.Dtype, depth: number, axes: readonly Axis[]): ir.Expr {
    const arg = (type: ir.Dtype = t): ir.Expr => this.expr(type, depth, axes)
    switch (name) {
      case "select":
        return ir.op(name, this.dtypes.includes("bool") ? arg("bool") : ir.compare("lt", arg(), arg()), arg(), arg())
      case "cast": {
        const others = this.dtypes.filter(d => d !== t)
        return others.length === 0 ? arg() : ir.cast(t, arg(this.pick(others)))
      }
      case "lt":
      case "le":
      case "eq":
      case "ne": {
        const from = this.pick(this.dtypes.filter(d => d !== "bool"))
        return ir.compare(name, arg(from), arg(from))
      }
      case "pow2":
        return ir.op(name, ir.op("nearest", within(arg(), -100, 100)))
      case "exponent":
      case "mantissa":
        return ir.op(name, within(arg(), 1e-30, 1e30))
      case "neg":
      case "abs":
      case "sqrt":
      case "floor":
      case "nearest":
      case "not":
      case "exp":
      case "log":
      case "sin":
      case "cos":
      case "tanh":
        return ir.op(name, arg())
      default: {
        const [a, b] = [arg(), arg()]
        return this.chance(0.5) ? ir.op(name, a, b) : ir.op(name, b, a)
      }
    }
  }
}

/** `x` where lo <= x <= hi, else 1. */
const within = (x: ir.Expr, lo: number, hi: number): ir.Expr => {
  const fits = ir.op("and", ir.compare("le", ir.constant(x.t, lo), x), ir.compare("le", x, ir.constant(x.t, hi)))
  return ir.op("select", fits, x, ir.constant(x.t, 1))
}

/** The largest value, where an index from data is at most 6. */
function highest(i: Index): number {
  const [, hi] = range({ ...i, terms: i.terms.filter(([a]) => a.k !== "value") })
  return i.terms.reduce((sum, [a, c]) => (a.k === "value" ? sum + 6 * c : sum), hi)
}
