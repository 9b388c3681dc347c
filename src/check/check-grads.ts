// Are derivatives right? Every mode of differentiation is held against another way to compute the same numbers.
import { differentiable, show } from "../core/aval.ts"
import type { TypedArray } from "../core/dtype.ts"
import { Tensor } from "../core/tensor.ts"
import { flatten, leaves, paths, rebuild, type Tree, wantFunction } from "../core/tree.ts"
import { jvp, vjp } from "../transforms/grad.ts"
import { linearizeFlat } from "../transforms/linearize.ts"
import { vmap } from "../transforms/vmap.ts"
import { concrete, convert, filled, indexOf, inner, isFloat, largest, stack } from "./arrays.ts"
import { type CheckOptions, type CheckReport, type Disagreement, GradientError, type Mode } from "./report.ts"

type Fn = (...args: any[]) => any
/** Compiles a function; checkGrads compares it with the function itself. */
export type Jit = (f: Fn) => Fn

/**
 * A `checkGrads` that compiles with `jit`.
 *
 * It compares
 * - forward mode with central differences, (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h along a random direction,
 * - reverse mode with forward mode by the inner-product identity <ct, J t> = <ct J, t>,
 * - `vmap` with a loop: all arguments mapped, the first or the last one only, over the first and the last axis,
 * - `jit` with running the function as it is,
 * - and all of this again for the reverse-mode derivative (second order).
 */
export const makeCheckGrads =
  (jit: Jit) =>
  (f: Fn, args: readonly unknown[], options: CheckOptions = {}): CheckReport => {
    wanted(f, args, options)
    const { dtype = "f64", order = 2 } = options
    const sharp = dtype === "f64"
    const check = new Check(jit, {
      modes: MODES,
      tolerance: sharp ? 1e-6 : 2e-2,
      exactTolerance: sharp ? 1e-9 : 1e-3,
      eps: sharp ? 1e-3 : 2e-2,
      seed: 1,
      ...options,
    })
    const converted = (args as readonly Tree[]).map(a =>
      rebuild(
        a,
        leaves(a).map(x => convert(x, dtype)),
      ),
    )
    check.run(f, converted, 1, order)
    return { checks: check.checks, worst: check.worst, notDifferentiable: declared(f, converted) }
  }

const MODES: readonly Mode[] = ["forward", "reverse", "vmap", "jit"]
/** Throws TypeError unless this is something to check. */
function wanted(f: Fn, args: readonly unknown[], { modes = MODES, dtype = "f64", order = 1 }: CheckOptions): void {
  wantFunction("checkGrads", f)
  if (!Array.isArray(args))
    throw new TypeError(`checkGrads: wants a list of arguments, as in checkGrads(f, [x]); got ${args instanceof Tensor ? "a tensor" : typeof args}`) // biome-ignore format: short
  const unknown = Array.isArray(modes) ? modes.find(m => !MODES.includes(m)) : modes
  if (unknown !== undefined || modes.length === 0)
    throw new TypeError(
      `checkGrads: modes must be a list of ${MODES.map(m => `"${m}"`).join(", ")}; got ${JSON.stringify(unknown ?? modes)}`,
    )
  if (dtype !== "f64" && dtype !== "f32") throw new TypeError(`checkGrads: dtype must be "f64" or "f32"; got ${JSON.stringify(dtype)}`)
  if (!Number.isInteger(order) || order < 1)
    throw new TypeError(`checkGrads: order must be a whole number from 1; got ${JSON.stringify(order)}`)
  const xs = (args as readonly Tree[]).flatMap(leaves)
  const derives = modes.some(m => m === "forward" || m === "reverse")
  if (derives && !xs.some(x => differentiable(x.aval))) {
    const got = xs.length ? xs.map(x => show(x.aval)).join(", ") : "no tensors"
    throw new TypeError(`checkGrads: wants floating point among the arguments; got ${got}. Convert with cast(x, "f64")`)
  }
}

/** The arguments and results without a derivative: integers, and what no tangent goes into or comes out of. */
function declared(f: Fn, args: readonly Tree[]): string[] {
  const { flat, result } = flatten(f, args)
  const xs = args.flatMap(leaves)
  const which = xs.map(isFloat)
  const { ys, linear, tangents } = linearizeFlat(flat, xs, which)
  const told = (xs: readonly Tensor[], what: string, tree: Tree, reached: readonly boolean[], why: string): string[] =>
    paths(tree).flatMap((path, i) => {
      if (reached[i]) return []
      const reason = isFloat(xs[i]!) ? why : "integers have no tangents"
      return [`${[what, path].filter(Boolean).join(" ")}, ${show(xs[i]!.aval)}: not differentiable: declared (${reason})`]
    })
  const used = new Set<unknown>(linear.outputs)
  for (const { args, outs } of linear.nodes.toReversed()) if (outs.some(o => used.has(o))) for (const a of args) used.add(a)
  let next = 0
  const inputs = which.map(w => w && used.has(linear.inputs[next++]))
  return [
    ...told(xs, "argument", args as Tree[], inputs, "no tangent of it reaches a result"),
    ...told(ys, "result", result(ys), tangents, "no tangent reaches it"),
  ]
}

/** What `f` gives, its numbers read at once: evaluations that wait would run together, as a new program for each number of them. */
function evaluated(f: Fn, args: readonly Tree[]): Tree {
  const y = f(...args) as Tree
  concrete(y)
  return y
}

/** Examples in a batch. */
const BATCH = 3
/** So many elements at most are gone through to find out where a derivative is wrong. */
const SEARCHED = 1000

class Check {
  checks = 0
  readonly worst: Partial<Record<Mode, number>> = {}
  private readonly jit: Jit
  private readonly o: Required<Omit<CheckOptions, "order" | "dtype">>
  private state: number

  constructor(jit: Jit, options: Required<Omit<CheckOptions, "order" | "dtype">>) {
    this.jit = jit
    this.o = options
    this.state = options.seed
  }

  run(f: Fn, args: readonly Tree[], order: number, orders: number): void {
    const xs = args.flatMap(leaves)
    const y = evaluated(f, args)
    const ts = this.direction(args)
    const ct = this.cotangent(y)
    const pull: Fn = (...all) => vjp(f, ...all.slice(0, -1))[1](all.at(-1))
    const has = (mode: Mode): boolean => this.o.modes.includes(mode)
    if (has("forward")) this.forward(f, args, y, ts, order)
    if (has("reverse")) this.reverse(f, args, y, ts, ct, order)
    if (has("jit")) this.compare("jit", order, "the jitted function differs from the function", "", this.jit(f)(...args), y, "result")
    if (has("vmap")) this.batched(f, args, order)
    if (order < orders && xs.some(isFloat)) this.run(pull, [...args, ct], order + 1, orders)
    else if (has("jit")) {
      const what = "the jitted derivative differs from the derivative"
      this.compare("jit", order, what, "", this.jit(pull)(...args, ct), pull(...args, ct), "cotangent")
    }
  }

  /** Forward mode along `ts` against central differences along `ts`. */
  private forward(f: Fn, args: readonly Tree[], y: Tree, ts: readonly Tree[], order: number): void {
    const along = (direction: readonly Tree[]): [got: Tree, wanted: Tree] => {
      const [value, got] = jvp(f, args as Tree[], direction as Tree[])
      this.compare("forward", order, "the value that jvp computes differs from the function", "", value, y, "result")
      return [got, this.differences(f, args, direction)]
    }
    const what = "forward mode differs from central differences"
    const floors = concrete(y).map(({ values }) => Math.max(1e-3 * largest(values), 1e-6))
    const [got, wanted] = along(ts)
    const wrong = this.difference("forward", order, got, wanted, "result", this.o.tolerance, floors)
    if (!wrong) return
    const hint = "Look at the derivative of the operations that reach this argument, or at a kink close to it"
    for (const { unit, leaf, index } of this.units(args)) {
      const [got, wanted] = along(unit)
      const d = this.difference("forward", order, got, wanted, "result", this.o.tolerance, floors)
      if (d)
        throw new GradientError(`${what} in ${d.leaf}${d.index.length ? ` at [${d.index.join(", ")}]` : ""}`, { ...d, leaf, index }, hint)
    }
    throw new GradientError(what, wrong, hint)
  }

  /** Reverse mode against forward mode: <ct, J t> = <ct J, t>. */
  private reverse(f: Fn, args: readonly Tree[], y: Tree, ts: readonly Tree[], ct: Tree, order: number): void {
    const [value, pull] = vjp(f, ...args)
    this.compare("reverse", order, "the value that vjp computes differs from the function", "", value, y, "result")
    const back = pull(ct) as Tree
    const forward = (direction: readonly Tree[]): { sum: number; scale: number } =>
      inner(ct, jvp(f, args as Tree[], direction as Tree[])[1] as Tree)
    const a = forward(ts)
    const b = inner(back, ts)
    const scale = Math.max(a.scale, b.scale, 1e-12)
    this.note("reverse", Math.abs(a.sum - b.sum) / scale)
    if (Math.abs(a.sum - b.sum) <= this.o.exactTolerance * scale) return
    const what = "reverse mode differs from forward mode (which agrees with differences)"
    const hint = "Look at the transposition (pull) of the operations that reach this argument"
    const pulled = concrete(back)
    for (const { unit, leaf, index, at, flat } of this.units(args)) {
      const wanted = forward(unit).sum
      const got = pulled[at]!.values[flat]!
      const difference = Math.abs(wanted - got) / Math.max(Math.abs(wanted), Math.abs(got), 1e-12)
      if (!(difference <= this.o.exactTolerance * 10))
        throw new GradientError(what, { mode: "reverse", order, leaf, index, wanted, got, difference }, hint)
    }
    const difference = Math.abs(a.sum - b.sum) / scale
    const d: Disagreement = { mode: "reverse", order, leaf: "<ct, J t>", index: [], wanted: a.sum, got: b.sum, difference }
    throw new GradientError(what, d, hint)
  }

  /** vmap against a loop. */
  private batched(f: Fn, args: readonly Tree[], order: number): void {
    const n = args.length
    const filledArgs = args.map(a => leaves(a).length > 0)
    const every = args.map((_, i) => i)
    const first = filledArgs.indexOf(true)
    const last = filledArgs.lastIndexOf(true)
    if (first < 0) return
    const choices = [every.filter(i => filledArgs[i]), ...(n > 1 ? [[first], [last]] : [])]
    const examples = Array.from({ length: BATCH }, (_, b) => args.map(a => this.near(a, b)))
    for (const mapped of choices) {
      const chosen = examples.map(e => args.map((a, i) => (mapped.includes(i) ? e[i]! : a)))
      const loop = chosen.map(xs => evaluated(f, xs))
      for (const axis of [0, -1]) {
        const inAxes = every.map(i => (mapped.includes(i) ? axis : null))
        const given = args.map((a, i) =>
          mapped.includes(i)
            ? stack(
                examples.map(e => e[i]!),
                axis,
              )
            : a,
        )
        const got = vmap(f, { inAxes, outAxis: axis })(...given) as Tree
        const what = `vmap with inAxes [${inAxes.map(String).join(", ")}] differs from a loop`
        this.compare("vmap", order, what, "Look at the batching rules of the operations in it", got, stack(loop, axis), "result")
      }
    }
  }

  /** Throws unless `got` is `wanted` to rounding. */
  private compare(mode: Mode, order: number, what: string, hint: string, got: Tree, wanted: Tree, leaf: string): void {
    const d = this.difference(mode, order, got, wanted, leaf, this.o.exactTolerance)
    if (d) throw new GradientError(what, d, hint)
  }

  /** The largest difference between two trees, or null where all are within the tolerance. */
  private difference(
    mode: Mode,
    order: number,
    got: Tree,
    wanted: Tree,
    leaf: string,
    tolerance: number,
    floors?: readonly number[],
  ): Disagreement | null {
    const [a, b] = [concrete(got), concrete(wanted)]
    const names = paths(wanted)
    this.note(mode, 0)
    if (a.length !== b.length || a.some(({ x }, i) => show(x.aval) !== show(b[i]!.x.aval)))
      throw new TypeError(
        `checkGrads: results differ in structure (${mode}): wanted ${b.map(({ x }) => show(x.aval))}; got ${a.map(({ x }) => show(x.aval))}`,
      )
    let worst: Disagreement | null = null
    a.forEach(({ x, values }, k) => {
      const want = b[k]!.values
      const floor = floors?.[k] ?? Math.max(1e-3 * largest(want), 1e-12)
      for (let i = 0; i < values.length; i++) {
        const [g, w] = [values[i]!, want[i]!]
        if (Object.is(g, w)) continue
        const d = Math.abs(g - w) / Math.max(Math.abs(g), Math.abs(w), floor)
        const difference = Number.isNaN(d) ? Infinity : d
        this.note(mode, difference)
        if (difference > (worst?.difference ?? tolerance))
          worst = { mode, order, leaf: names[k] ? `${leaf} ${names[k]}` : leaf, index: indexOf(i, x.shape), wanted: w, got: g, difference }
      }
    })
    this.checks++
    return worst
  }
  private note(mode: Mode, difference: number): void {
    this.worst[mode] = Math.max(this.worst[mode] ?? 0, difference)
  }

  /** (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h along `ts`; 0 for integers. */
  private differences(f: Fn, args: readonly Tree[], ts: readonly Tree[]): Tree {
    const h = this.o.eps
    const steps = [-2, -1, 1, 2].map(s => {
      const moved = args.map((a, k) => {
        const t = concrete(ts[k]!)
        const moved = concrete(a).map(({ x, values }, l) =>
          isFloat(x) ? filled(x.shape, x.dtype, i => values[i]! + s * h * t[l]!.values[i]!) : x,
        )
        return rebuild(a, moved)
      })
      return evaluated(f, moved)
    })
    const values = steps.map(concrete)
    const [first] = values as [(typeof values)[0]]
    return rebuild(
      steps[0]!,
      first.map(({ x }, l) => {
        const [a, b, c, d] = values.map(v => v[l]!.values) as [TypedArray, TypedArray, TypedArray, TypedArray]
        return filled(x.shape, x.dtype, i => (isFloat(x) ? (a[i]! - 8 * b[i]! + 8 * c[i]! - d[i]!) / (12 * h) : 0))
      }),
    )
  }

  /** A direction in the space of the arguments, for each element no longer than it or, if it is larger, than 1. */
  private direction(args: readonly Tree[]): Tree[] {
    return args.map(a =>
      rebuild(
        a,
        concrete(a).map(({ x, values }) =>
          filled(x.shape, x.dtype, i => {
            if (!isFloat(x)) return 0
            const u = this.random(0.5, 1) * (this.random(0, 1) < 0.5 ? -1 : 1)
            return u * (values[i] === 0 ? 1 : Math.min(1, Math.abs(values[i]!)))
          }),
        ),
      ),
    )
  }
  private cotangent(y: Tree): Tree {
    return rebuild(
      y,
      leaves(y).map(x => filled(x.shape, x.dtype, () => (isFloat(x) ? this.random(0.5, 1.5) : 0))),
    )
  }
  /** Unit directions, one for each element of the arguments. */
  private *units(args: readonly Tree[]): Iterable<{ unit: Tree[]; leaf: string; index: number[]; at: number; flat: number }> {
    const xs = args.flatMap(leaves)
    const names = paths(args as Tree[])
    const zero = xs.map(x => filled(x.shape, x.dtype, () => 0))
    let searched = 0
    for (const [at, x] of xs.entries()) {
      if (!isFloat(x)) continue
      for (let flat = 0; flat < x.size && searched < SEARCHED; flat++, searched++) {
        const unit = rebuild(
          args as Tree[],
          zero.with(
            at,
            filled(x.shape, x.dtype, i => (i === flat ? 1 : 0)),
          ),
        )
        yield { unit, leaf: `argument ${names[at]}`, index: indexOf(flat, x.shape), at, flat }
      }
    }
  }
  /** Example `b` of a batch: floating-point numbers a little different, others in turned order, so that they stay legal. */
  private near(t: Tree, b: number): Tree {
    return rebuild(
      t,
      concrete(t).map(({ x, values }) =>
        filled(x.shape, x.dtype, i => (isFloat(x) ? values[i]! * this.random(0.85, 1.15) : values[(i + b) % values.length]!)),
      ),
    )
  }
  /** mulberry32 by Tommy Ettinger. */
  private random(low: number, high: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return low + (high - low) * (((t ^ (t >>> 14)) >>> 0) / 2 ** 32)
  }
}
