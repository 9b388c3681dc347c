// Everything that derivatives of a smooth function must satisfy, in f64 and in few programs: the tables of tests go through it.
import { size } from "../src/core/aval.ts"
import { record } from "../src/graph/record.ts"
import * as a from "../src/index.ts"
import { LONG } from "./long.ts"

export type Call = (...xs: a.Tensor[]) => a.Tensor | readonly a.Tensor[]
/** The largest error found by each check, relative. */
export interface Errors {
  /** The Jacobian by forward mode against differences of five points. */
  jacobian: number
  /** The Jacobian by reverse mode against that by forward mode, and <u, J t> against <J' u, t>. */
  transposed: number
  /** The Hessian of a weighted sum of squares by forward over reverse mode against differences of the gradient. */
  hessian: number
  /** The Hessian by reverse over forward mode against that by forward over reverse mode. */
  mixed: number
  /** jit against running the function, and vmap against a loop, of the function and of its reverse mode. */
  ways: number
}
export const BOUNDS: Errors = { jacobian: 1e-7, transposed: 1e-12, hessian: 1e-7, mixed: 1e-11, ways: 1e-12 }
export const noErrors = (): Errors => ({ jacobian: 0, transposed: 0, hessian: 0, mixed: 0, ways: 0 })
const BATCH = 3

const f64 = (values: ArrayLike<number>, shape: readonly number[]): a.Tensor =>
  a.tensor(Float64Array.from(values as ArrayLike<number>), { shape: [...shape] })
const sizes = (xs: readonly a.Tensor[]): number => xs.reduce((n, x) => n + x.size, 0)
/** Numbers that look random, between `low` and `high`, the same for the same place. */
const some = (n: number, low: number, high: number, from = 0): number[] =>
  Array.from({ length: n }, (_, i) => low + (high - low) * (((i + 1 + from) * 0.6180339887498949) % 1))
const list = (y: a.Tensor | readonly a.Tensor[]): readonly a.Tensor[] => (y instanceof a.Tensor ? [y] : y)
function largest(xs: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < xs.length; i++) most = Math.max(most, Math.abs(xs[i]!))
  return most
}
/** Shapes of the results, without running anything. */
const shapesOf = (f: Call, xs: readonly a.Tensor[]): (readonly number[])[] => {
  const avals = xs.map(x => x.aval)
  return record(ts => list(f(...ts)), avals).graph.outputs.map(o => o.aval.shape)
}

/**
 * Throws unless the derivatives of `f` at f64 tensors `xs` are right; `errors` takes the largest ones. `turn` counts the cases of a
 * function: the short form compiles and batches every second one, in one of four ways in turn, the long form all of them in all ways.
 */
export function derivativesHold(f: Call, xs: readonly a.Tensor[], errors: Errors = noErrors(), turn = 0): void {
  const check = new Derivatives(f, xs, errors)
  check.hold(xs)
  if (LONG) check.ways()
  else if (turn % 2 === 0) check.ways(turn / 2)
}

type Numbers = Readonly<Record<"forward" | "reverse" | "points" | "jt" | "ju", Float64Array>>
/** Tensors stacked along the first or the last axis; they are made and taken apart here, because each stack would be a program. */
const stacked = (xs: readonly a.Tensor[], axis: 0 | -1): a.Tensor => {
  const rows = xs.map(x => x.values())
  const { shape, size } = xs[0]!
  const values =
    axis === 0
      ? rows.flatMap(r => [...r])
      : Array.from({ length: size * xs.length }, (_, i) => rows[i % xs.length]![Math.floor(i / xs.length)]!)
  return f64(values, axis === 0 ? [xs.length, ...shape] : [...shape, xs.length])
}
/** The checks of one function at tensors of the shapes of `xs`: the programs are compiled once for all values. */
export class Derivatives {
  private readonly f: Call
  private readonly xs: readonly a.Tensor[]
  private readonly errors: Errors
  private readonly shapes: readonly (readonly number[])[]
  private readonly program: (v: a.Tensor, points: a.Tensor, t: a.Tensor, u: a.Tensor) => Record<string, a.Tensor>
  private readonly step: number
  /** `step`: of the differences, relative to arguments below 1. */
  constructor(f: Call, xs: readonly a.Tensor[], errors: Errors, step = 1e-3) {
    this.step = step
    this.f = f
    this.xs = xs
    this.errors = errors
    this.shapes = shapesOf(f, xs)
    const m = this.outputs
    const whole = (v: a.Tensor): a.Tensor => a.concat([a.zeros([0], { dtype: "f64" }), ...list(f(...this.parts(v))).map(a.ravel)])
    const weights = f64(some(m, 0.3, 0.7), [m])
    const squares = (v: a.Tensor): [a.Tensor, a.Tensor] => {
      const y = whole(v)
      return [a.sum(a.mul(a.mul(y, y), weights)), y]
    }
    // in front the function, behind it the gradient of the weighted sum of its squares, so that both are derived together
    const gradient = a.grad(squares, { hasAux: true }) as (v: a.Tensor) => [a.Tensor, a.Tensor]
    const backward = (v: a.Tensor): a.Tensor => {
      const [g, y] = gradient(v)
      return a.concat([y, g])
    }
    const forward = (v: a.Tensor): a.Tensor => a.concat([whole(v), a.jacfwd((v: a.Tensor) => squares(v)[0])(v)])
    this.program = a.jit((v: a.Tensor, points: a.Tensor, t: a.Tensor, u: a.Tensor) => ({
      ...{ forward: a.jacfwd(backward)(v), reverse: a.jacrev(forward)(v), points: a.vmap(backward)(points) },
      ...{ jt: a.jvp(whole, [v], [t])[1], ju: a.vjp(whole, v)[1](u)[0] },
    }))
  }

  /** Elements of all results together. */
  private get outputs(): number {
    return this.shapes.reduce((n, s) => n + size(s), 0)
  }

  /** Jacobians and Hessians of the function of one vector, all in one program. */
  hold(xs: readonly a.Tensor[]): void {
    const [n, m] = [sizes(xs), this.outputs]
    const at = xs.flatMap(x => [...x.values()])
    const steps = at.map(x => this.step * (x === 0 ? 1 : Math.min(1, Math.abs(x))))
    const points = [-2, -1, 1, 2].flatMap(s => steps.flatMap((h, j) => at.with(j, at[j]! + s * h)))
    const [t, u] = [some(n, -1, 1), some(m, -1, 1, 7)]
    const got = this.program(f64(at, [n]), f64(points, [4 * n, n]), f64(t, [n]), f64(u, [m]))
    const numbers = Object.fromEntries(Object.entries(got).map(([k, x]) => [k, x.values()])) as unknown as Numbers
    const { jt, ju } = numbers
    // rows of the function, and of the gradient
    const parts = (xs: Float64Array): [Float64Array, Float64Array] => [xs.subarray(0, m * n), xs.subarray(m * n)]
    const [[forward, hessian], [reverse, mixed]] = [parts(numbers.forward), parts(numbers.reverse)]
    const columns = (from: number, to: number): Float64Array => numbers.points.filter((_, i) => i % (m + n) >= from && i % (m + n) < to)
    const [values, gradients] = [columns(0, m), columns(m, m + n)]
    const quotients = (ys: Float64Array, rows: number): number[] =>
      Array.from({ length: rows * n }, (_, k) => {
        const [i, j] = [Math.floor(k / n), k % n]
        const [p, q, r, s] = [0, 1, 2, 3].map(b => ys[(b * n + j) * rows + i]!) as [number, number, number, number]
        return (p - 8 * q + 8 * r - s) / (12 * steps[j]!)
      })
    // what differences lose by rounding: as much as the values are rounded, over the step
    const lost = (ys: ArrayLike<number>) => {
      const rounded = 2 ** -50 * largest(ys)
      return (k: number) => rounded / steps[k % n]!
    }
    this.same("jacobian", "the Jacobian by forward mode", forward, quotients(values, m), n, 1e-6, lost(values))
    this.same("transposed", "the Jacobian by reverse mode", reverse, forward, n)
    const products = [u.map((x, i) => x * jt[i]!), t.map((x, j) => x * ju[j]!)]
    const [a1, a2] = products.map(p => p.reduce((s, x) => s + x, 0)) as [number, number]
    const scale = Math.max(1e-300, ...products.map(p => p.reduce((s, x) => s + Math.abs(x), 0)))
    this.note("transposed", Math.abs(a1 - a2) / scale, `<u, J t> = ${a1}, but <J' u, t> = ${a2}`)
    this.same("hessian", "the Hessian by forward over reverse mode", hessian, quotients(gradients, n), n, 1e-6, lost(gradients))
    this.same("mixed", "the Hessian by reverse over forward mode", mixed, hessian, n, Math.max(1, largest(hessian)))
  }

  /** The function and its reverse mode: compiled, and in batches along the first and the last axis of some or all arguments. */
  ways(turn?: number): void {
    const { xs, f } = this
    const cts = this.shapes.map(shape => f64(some(size(shape), 0.5, 1.5), shape))
    const k = xs.length
    const both = (...all: a.Tensor[]): a.Tensor[] => {
      const [ys, pull] = a.vjp((...xs: a.Tensor[]) => list(f(...xs)), ...all.slice(0, k))
      return [...ys, ...pull(all.slice(k))]
    }
    const given = [...xs, ...cts]
    const compiled = a.jit(both)
    const plain = both(...given)
    compiled(...given).forEach((y, i) => this.equal("the jitted function", y, plain[i]!))

    const examples = Array.from({ length: BATCH }, (_, b) =>
      given.map(x =>
        f64(
          [...x.values()].map((v, i) => v * some(1, 0.9, 1.1, 3 * i + b)[0]!),
          x.shape,
        ),
      ),
    )
    const every = given.map((_, i) => i)
    const all: readonly (readonly [readonly number[], 0 | -1])[] = [
      [every, 0],
      [every, -1],
      [[0], -1],
      [[k > 1 ? k - 1 : k], 0],
    ]
    const choices = all.filter(([mapped]) => mapped.every(i => i < given.length))
    for (const [mapped, axis] of turn === undefined ? choices : [choices[turn % choices.length]!]) {
      const inAxes = every.map(i => (mapped.includes(i) ? axis : null))
      const batches = every.map(i => {
        const own = examples.map(e => e[i]!)
        return mapped.includes(i) ? stacked(own, axis) : given[i]!
      })
      const got = a.jit(a.vmap(both, { inAxes, outAxis: axis }))(...batches) as a.Tensor[]
      const loop = examples.map(e => compiled(...given.map((x, i) => (mapped.includes(i) ? e[i]! : x))))
      got.forEach((y, i) => {
        const rows = loop.map(ys => ys[i]!)
        this.equal(`vmap with inAxes [${inAxes}]`, y, stacked(rows, axis))
      })
    }
  }

  /** A vector as the arguments. */
  private parts(v: a.Tensor): a.Tensor[] {
    let at = 0
    return this.xs.map(x => a.reshape(a.slice(v, [at, (at += x.size)]), x.shape))
  }
  private equal(what: string, got: a.Tensor, wanted: a.Tensor): void {
    if (`${got.shape}` !== `${wanted.shape}`) throw new Error(`${what}: shape [${got.shape}], wanted [${wanted.shape}]`)
    this.same("ways", what, got.values(), wanted.values(), 1)
  }
  private same(
    kind: keyof Errors,
    what: string,
    got: ArrayLike<number>,
    wanted: ArrayLike<number>,
    columns: number,
    least = 1e-12,
    lost: (k: number) => number = () => 0,
  ): void {
    if (got.length !== wanted.length) throw new Error(`${what} has ${got.length} elements, not ${wanted.length}`)
    const floor = Math.max(1e-3 * largest(wanted), least)
    for (let i = 0; i < got.length; i++) {
      const [g, w] = [got[i]!, wanted[i]!]
      if (Object.is(g, w)) continue
      const at = columns > 1 ? `[${Math.floor(i / columns)}, ${i % columns}]` : `[${i}]`
      const far = Math.abs(g - w)
      if (far <= lost(i)) continue
      this.note(kind, (far - lost(i)) / Math.max(Math.abs(g), Math.abs(w), floor), `${what} at ${at}: wanted ${w}, got ${g}`)
    }
  }
  private note(kind: keyof Errors, error: number, what: string): void {
    if (!(error <= BOUNDS[kind])) throw new Error(`${what}; relative difference ${error.toExponential(1)}, allowed ${BOUNDS[kind]}`)
    this.errors[kind] = Math.max(this.errors[kind], error)
  }
}
