// Random programs over all primitives, for tests: the seed determines everything.
import { composite } from "../src/control/call.ts"
import { size } from "../src/core/aval.ts"
import type { Computed, Dtype } from "../src/core/dtype.ts"
import type { Tensor } from "../src/core/tensor.ts"
import * as p from "../src/primitives/index.ts"
import { made, randomNumbers } from "./engines.ts"

export interface RandomProgram {
  /** Of floating-point, integer and bool arguments; gives two to five results. */
  readonly f: (...xs: Tensor[]) => Tensor[]
  readonly args: Tensor[]
  /** All floating point is f64. */
  readonly precise: boolean
  /** No kinks and jumps, so that differences are derivatives. */
  readonly smooth: boolean
}

/** A value and what is known of it while the program is written. */
interface Value {
  readonly x: Tensor
  /** No element is larger. */
  readonly bound: number
  /** Rounded differently where a sum runs in another order: nothing that jumps may be made of it. */
  readonly rounded: boolean
}

const LARGEST = 3000
const LENGTHS = [1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 16, 17, 33]

export function randomProgram(seed: number): RandomProgram {
  const next = randomNumbers(seed)
  const smooth = next() < 0.4
  const precise = smooth || next() < 0.5
  const float: Computed = precise ? "f64" : "f32"
  const dtypes: Computed[] = [float, float, ...(next() < 0.5 ? ([float] as const) : []), "i32", "bool"]
  const shape = randomShape(next)
  const args = dtypes.map((dtype, i) => {
    const own = i === 0 || next() < 0.5 ? shape : randomShape(next)
    const number = {
      f32: () => 4 * next() - 2,
      f64: () => 4 * next() - 2,
      i32: () => Math.floor(12 * next() - 2),
      bool: () => Math.floor(2 * next()),
    }
    return made({ shape: own, dtype }, number[dtype])
  })
  const steps = 6 + Math.floor(20 * next())
  return { f: (...xs) => new Writer(seed, float, smooth, xs).write(steps), args, precise, smooth }
}

function randomShape(next: () => number): number[] {
  const shape = Array.from({ length: Math.floor(next() * 5) }, () => (next() < 0.015 ? 0 : LENGTHS[Math.floor(next() * LENGTHS.length)]!))
  while (size(shape) > 400) shape.pop()
  return shape
}

class Writer {
  private readonly next: () => number
  private readonly pool: Value[]
  constructor(
    seed: number,
    private readonly float: Dtype,
    private readonly smooth: boolean,
    xs: readonly Tensor[],
    private readonly depth = 0,
  ) {
    this.next = randomNumbers(seed * 31 + 7)
    this.pool = xs.map(x => ({ x, bound: 10, rounded: depth > 0 }))
  }

  write(steps: number): Tensor[] {
    for (let i = 0; i < steps; i++) this.step()
    // the last ones, so that most of the program is needed, and sometimes an argument as it is
    const results = this.pool.slice(-this.among(2, 4)).map(v => v.x)
    return this.chance(0.1) ? [...results, this.pool[0]!.x] : results
  }

  private step(): void {
    const kinds = [
      this.unary,
      this.unary,
      this.binary,
      this.binary,
      this.binary,
      this.binary,
      this.reduce,
      this.reduce,
      this.move,
      this.move,
      this.move,
      this.move,
    ]
    const more = [this.product, this.index, this.scatter, this.choose, this.constant, this.integers, this.bools, this.convert, this.call]
    const made = this.pick([...kinds, ...more]).call(this)
    if (!made || made.x.size > LARGEST) return
    // kept small, so that nothing overflows and rounding stays rounding
    const big = made.bound > 20 && this.isFloat(made.x)
    this.pool.push(big ? { ...made, x: p.mul(made.x, p.fullLike(made.x.aval, 1 / made.bound)), bound: 1 } : made)
  }

  // Choices

  private chance(probability: number): boolean {
    return this.next() < probability
  }
  private among(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }
  private pick<T>(xs: readonly T[]): T {
    return xs[Math.floor(this.next() * xs.length)]!
  }
  private isFloat(x: Tensor): boolean {
    return x.dtype === "f32" || x.dtype === "f64"
  }
  /** A value that fits, rather a young one. */
  private value(fits: (v: Value) => boolean): Value | undefined {
    const all = this.pool.filter(fits)
    const draws = [0, 1, 2].map(() => this.among(0, all.length - 1))
    return all[Math.max(...draws)]
  }
  private floating(): Value {
    return this.value(v => v.x.dtype === this.float)!
  }
  private number(): Value {
    return this.value(v => v.x.dtype !== "bool")!
  }
  private some(x: Tensor): number[] {
    const axes = p.allAxes(x).filter(() => this.chance(0.5))
    return axes.length || x.ndim === 0 ? axes : [this.among(0, x.ndim - 1)]
  }
  private order(x: Tensor): number[] {
    const axes = [...p.allAxes(x)]
    for (let i = axes.length - 1; i > 0; i--) {
      const j = this.among(0, i)
      ;[axes[i], axes[j]] = [axes[j]!, axes[i]!]
    }
    return axes
  }
  /** Another value of the same shape and dtype: one that is there, one repeated along axes, or a new constant. */
  private partner({ x }: Value): Value {
    const there = this.value(v => v.x !== x && v.x.dtype === x.dtype && `${v.x.shape}` === `${x.shape}`)
    if (there && this.chance(0.6)) return there
    const axes = this.some(x)
    const rest = p.without(x.shape, axes)
    const smaller = this.value(v => v.x.dtype === x.dtype && `${v.x.shape}` === `${rest}`)
    if (smaller) return { ...smaller, x: p.broadcast(smaller.x, x.shape, axes) }
    const sibling = this.value(v => v.x !== x && v.x.dtype === x.dtype && v.x.size === x.size)
    if (sibling) return { ...sibling, x: p.reshape(sibling.x, x.shape) }
    if (x.ndim > 0 && this.chance(0.5)) return { x: p.reshape(p.permute(x, this.order(x)), x.shape), bound: 20, rounded: true }
    if (x.dtype === "bool" || this.chance(0.4)) return { x: p.fullLike(x.aval, this.among(0, 1)), bound: 1, rounded: false }
    if (x.ndim === 0) return { x: p.fullLike(x.aval, 0.75), bound: 1, rounded: false }
    const d = this.among(0, x.ndim - 1)
    const positions = p.cast(p.iota(x.shape[d]!), x.dtype)
    const others = p.allAxes(x).filter(a => a !== d)
    return { x: p.broadcast(positions, x.shape, others), bound: x.shape[d]!, rounded: false }
  }

  // Kinds of steps

  private unary(): Value | null {
    const { x, bound, rounded } = this.floating()
    const like = (value: number): Tensor => p.fullLike(x.aval, value)
    const positive = (): Tensor => p.add(p.mul(x, x), like(0.5))
    const smooth: (() => [Tensor, number])[] = [
      () => [p.neg(x), bound],
      () => [p.exp(p.tanh(x)), 3],
      () => [p.expm1(p.sin(x)), 2],
      () => [p.log(positive()), 8],
      () => [p.log1p(p.mul(x, x)), 8],
      () => [p.sin(x), 1],
      () => [p.cos(x), 1],
      () => [p.tanh(x), 1],
      () => [p.sqrt(positive()), bound + 1],
      () => [p.sigmoid(x), 1],
      () => [p.softplus(x), bound + 1],
    ]
    const kinked: (() => [Tensor, number])[] = [() => [p.abs(x), bound], () => [p.stopGradient(x), bound]]
    const jumping: (() => [Tensor, number])[] = [() => [p.sign(x), 1], () => [p.floor(x), bound + 1]]
    const all = [...smooth, ...(this.smooth ? [] : kinked), ...(this.smooth || rounded ? [] : jumping)]
    const [y, b] = this.pick(all)()
    return { x: y, bound: b, rounded }
  }
  private binary(): Value | null {
    const a = this.floating()
    const b = this.chance(0.1) ? a : this.partner(a)
    const [x, y] = [a.x, b.x]
    const like = (value: number): Tensor => p.fullLike(x.aval, value)
    const all: (() => [Tensor, number])[] = [
      () => [p.add(x, y), a.bound + b.bound],
      () => [p.sub(x, y), a.bound + b.bound],
      () => [p.mul(x, y), a.bound * b.bound],
      () => [p.mulNoNan(x, y), a.bound * b.bound],
      () => [p.div(x, p.add(p.mul(y, y), like(1))), a.bound],
      () => [p.pow(p.add(p.mul(x, x), like(0.5)), p.tanh(y)), a.bound ** 2 + 2],
    ]
    const kinked: (() => [Tensor, number])[] = [
      () => [p.maximum(x, y), Math.max(a.bound, b.bound)],
      () => [p.minimum(x, y), Math.max(a.bound, b.bound)],
    ]
    const [z, bound] = this.pick(this.smooth ? all : [...all, ...kinked])()
    return { x: z, bound, rounded: a.rounded || b.rounded }
  }
  private reduce(): Value | null {
    const { x, bound, rounded } = this.number()
    const axes = this.some(x)
    if (axes.length === 0) return null
    const n = axes.reduce((n, d) => n * x.shape[d]!, 1)
    if (n === 0 || this.smooth || this.chance(0.5)) return { x: p.sum(x, axes), bound: Math.max(1, n * bound), rounded: this.isFloat(x) }
    if (this.chance(0.6)) return { x: this.chance(0.5) ? p.max(x, axes) : p.min(x, axes), bound, rounded }
    if (rounded) return null
    return { x: this.chance(0.5) ? p.argmax(x, axes[0]!) : p.argmin(x, axes[0]!), bound: 100, rounded }
  }
  private move(): Value | null {
    const v = this.value(() => true)!
    const { x } = v
    const moves: (() => Tensor)[] = [
      () => p.permute(x, this.order(x)),
      () => p.reshape(x, this.factors(x.size)),
      () => p.reshape(x, this.factors(x.size)),
      () => p.slice(x, this.box(x)),
      () => this.padded(x),
      () => this.widened(x),
      () => this.joined(v),
    ]
    return { ...v, x: this.pick(moves)() }
  }
  private factors(n: number): number[] {
    if (n === 0) return [3, 0]
    const shape: number[] = []
    for (let rest = n; rest > 1 || this.chance(0.1); ) {
      const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter(d => rest % d === 0)
      const d = shape.length === 3 ? rest : this.pick(divisors)
      shape.push(d)
      rest /= d
      if (shape.length === 4) break
    }
    return shape
  }
  private box(x: Tensor): { start: number[]; shape: number[] } {
    const shape = x.shape.map(n => (this.chance(0.5) ? n : this.among(Math.min(1, n), n)))
    return { start: shape.map((n, d) => this.among(0, x.shape[d]! - n)), shape }
  }
  private padded(x: Tensor): Tensor {
    const start = x.shape.map(() => (this.chance(0.5) ? 0 : this.among(0, 2)))
    return p.pad(x, { start, shape: x.shape.map((n, d) => n + start[d]! + (this.chance(0.5) ? 0 : this.among(0, 2))) })
  }
  private widened(x: Tensor): Tensor {
    if (x.ndim === 4) return x
    const at = this.among(0, x.ndim)
    return p.broadcast(x, x.shape.toSpliced(at, 0, this.among(1, 4)), [at])
  }
  private joined(v: Value): Tensor {
    if (v.x.ndim === 0) return v.x
    const axis = this.among(0, v.x.ndim - 1)
    const rest = (x: Tensor): string => `${x.dtype} ${x.ndim} ${x.shape.toSpliced(axis, 1)}`
    const others = this.pool.filter(o => rest(o.x) === rest(v.x))
    const parts = Array.from({ length: this.among(1, 3) }, () => this.pick(others).x)
    return p.concat([v.x, ...parts.filter(x => x.dtype !== "bool" || this.chance(0.8))], axis)
  }
  private product(): Value | null {
    const a = this.chance(0.85) ? this.floating() : this.number()
    if (a.x.ndim < 2) return null
    const lead = a.x.shape.slice(0, -2)
    const k = a.x.shape.at(-1)!
    const fits = (v: Value): boolean => v.x.dtype === a.x.dtype && `${v.x.shape.slice(0, -1)}` === `${[...lead, k]}`
    const b = this.chance(0.6) ? this.value(fits) : undefined
    const y = b?.x ?? p.swap(this.chance(0.5) ? a.x : this.partner(a).x)
    return { x: p.matmul(a.x, y), bound: Math.max(1, k * a.bound * (b?.bound ?? 20)), rounded: true }
  }
  private index(): Value | null {
    const v = this.value(v => v.x.ndim > 0)
    const places = this.places()
    if (!v || !places) return null
    const axis = this.among(0, v.x.ndim - 1)
    // NaN and derivatives do not go together
    return { ...v, x: this.chance(0.4) && this.float === "f32" ? p.gatherOrNaN(v.x, places, axis) : p.gather(v.x, places, axis) }
  }
  private places(): Tensor | null {
    const v = this.value(v => v.x.dtype === "i32" && v.x.ndim <= 2 && v.x.size <= 40)
    if (!v || this.chance(0.2)) return p.iota(this.among(1, 6))
    return v.x
  }
  private scatter(): Value | null {
    const v = this.value(v => v.x.ndim > 0 && v.x.dtype !== "bool")
    const places = this.places()
    if (!v || !places) return null
    const axis = this.among(0, v.x.ndim - 1)
    const from = this.chance(0.5) ? p.gather(v.x, p.neg(places), axis) : p.gather(this.partner(v).x, places, axis)
    return { x: p.scatterAdd(v.x, places, from, axis), bound: v.bound + 20 * places.size, rounded: this.isFloat(v.x) }
  }
  private choose(): Value | null {
    const a = this.value(() => true)!
    const b = this.partner(a)
    const condition = this.partner({ ...a, x: p.fullLike({ shape: a.x.shape, dtype: "bool" }, 1) })
    return { x: p.select(condition.x, a.x, b.x), bound: Math.max(a.bound, b.bound), rounded: a.rounded || b.rounded }
  }
  private constant(): Value | null {
    const shape = randomShape(this.next)
    if (this.chance(0.3)) return { x: p.iota(this.among(1, 20)), bound: 20, rounded: false }
    if (this.chance(0.2)) return { x: p.randomBits(this.key(), shape), bound: 2 ** 31, rounded: false }
    return { x: p.full(shape, this.chance(0.3) ? -0 : 1.25, this.float), bound: 2, rounded: false }
  }
  private key(): Tensor {
    const two = this.value(v => v.x.dtype === "i32" && v.x.ndim === 1 && v.x.shape[0] === 2)
    return two ? p.foldIn(two.x, p.full([], this.among(0, 9), "i32")) : p.iota(2)
  }
  private integers(): Value | null {
    const a = this.value(v => v.x.dtype === "i32")!
    const y = this.partner(a).x
    const { x } = a
    const all = [p.add, p.sub, p.mul, p.maximum, p.minimum, p.and, p.or, p.xor, p.shiftRight]
    const one = [p.neg, p.abs, p.sign, p.not]
    return { x: this.chance(0.8) ? this.pick(all)(x, y) : this.pick(one)(x), bound: 2 ** 31, rounded: false }
  }
  private bools(): Value | null {
    const bool = this.value(v => v.x.dtype === "bool")!
    if (this.chance(0.4))
      return { ...bool, x: this.chance(0.3) ? p.not(bool.x) : this.pick([p.and, p.or, p.xor])(bool.x, this.partner(bool).x) }
    const a = this.value(v => !v.rounded && (!this.smooth || !this.isFloat(v.x)))
    if (!a) return null
    const b = this.partner(a)
    if (b.rounded) return null
    return { x: this.pick([p.lt, p.le, p.eq])(a.x, b.x), bound: 1, rounded: false }
  }
  private convert(): Value | null {
    const v = this.value(v => !this.isFloat(v.x) || (!v.rounded && !this.smooth))
    if (!v) return null
    const to = this.isFloat(v.x)
      ? this.pick(["i32", "bool", this.float] as const)
      : this.pick([this.float, this.float, "i32", "bool"] as const)
    return { ...v, x: p.cast(v.x, to), bound: Math.max(v.bound, 1) }
  }
  /** A program within the program. */
  private call(): Value | null {
    if (this.depth > 1) return null
    const inner = [this.floating().x, this.value(v => v.x.dtype === "i32")!.x, this.value(v => v.x.dtype === "bool")!.x]
    const seed = this.among(1, 1e6)
    const f = (...xs: Tensor[]): Tensor[] => new Writer(seed, this.float, this.smooth, xs, this.depth + 1).write(4)
    const results = composite(`f${seed}`, {}, f)(...inner)
    return { x: this.pick(results), bound: 2 ** 31, rounded: true }
  }
}
