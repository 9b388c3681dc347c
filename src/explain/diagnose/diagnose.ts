// Is a gradient right, and if not, what is wrong with it?
import { filled, indexOf } from "../../check/arrays.ts"
import { recordCall } from "../../control/call.ts"
import { condP } from "../../control/cond.ts"
import { scanP } from "../../control/scan.ts"
import { differentiable, show } from "../../core/aval.ts"
import { type Dtype, isFloating } from "../../core/dtype.ts"
import { DtypeError } from "../../core/errors.ts"
import { bind, scope, Tensor } from "../../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../../core/tree.ts"
import { avals, type Graph } from "../../graph/graph.ts"
import { derive } from "../../graph/record.ts"
import { vjp } from "../../transforms/grad.ts"
import { sayDiagnosis } from "../messages.ts"
import { type Cell, lineOf, record } from "../run.ts"
import { Backward } from "./backward.ts"
import type { Diagnosis, Evidence, Finding, LeafReport, Mistake } from "./diagnosis.ts"
import { type Given, givenFor } from "./given.ts"
import { leafNames, ownersOf, regionsOf, softmaxesOf } from "./regions.ts"
import { differenceOf, type Explained, floorOf, type Point, Search } from "./search.ts"

type Fn = (...args: any[]) => any

export interface DiagnoseOptions {
  /** Names of the inputs, for the report. Default: the parameters' names in the text of `forward`. */
  readonly names?: readonly string[]
  /** Two numbers are the same that differ by less, relative to the largest element. Default: 1e-6 in f64, 1e-3 in f32. */
  readonly tolerance?: number
  /** Of the places nearby where explanations are tried again. Default: 1. */
  readonly seed?: number
}

/**
 * Whether a gradient written by hand is right and, where it is wrong, how: which of the mistakes that people make gives these very
 * numbers, in which layer. What is none of them is called unknown.
 *
 * `forward(...inputs)` returns a scalar. `backward(...inputs)` returns the gradients as a list with one entry for each input (a tree of
 * tensors, nested arrays or typed arrays like the input; null for none); `backward(ct, ...inputs)` gets the cotangent of the value
 * first. Instead of a function the list itself may be given. The reference is adjoint's gradient, which is first held against central
 * differences: if these two disagree, nobody is accused and the verdict is `undecided`. Inputs are taken to f64 where the functions
 * allow it. Explanations are tried again at two places nearby (at other numbers of the inputs with gradients), so that none holds by
 * chance; of several that give the same numbers everywhere the others are `alternatives`.
 *
 * With `diagnose(f, inputs)` it is the gradient of f itself that is judged: rules given with `customVjp` and `customJvp` against what
 * follows from the function that they belong to.
 *
 * Throws TypeError if `forward` returns no floating-point scalar or `backward` no list that fits the inputs.
 *
 * @example
 * const loss = (w: Tensor, x: Tensor) => mean(square(matmul(x, w)))
 * const byHand = (w: Tensor, x: Tensor) => [matmul(x.transpose(), matmul(x, w)).mul(-1), null]
 * const report = diagnose(loss, byHand, [tensor([[0.5], [0.2]]), tensor([[0.1, 0.3], [1, 2]])])
 * report.findings[0]!.sentence  // "The sign is wrong (gradient of w)."
 */
export function diagnose(forward: Fn, backward: Fn | readonly unknown[], inputs: readonly unknown[], options?: DiagnoseOptions): Diagnosis
export function diagnose(f: Fn, inputs: readonly unknown[], options?: DiagnoseOptions): Diagnosis
export function diagnose(forward: Fn, ...rest: readonly unknown[]): Diagnosis {
  const own = typeof rest[0] !== "function" && !Array.isArray(rest[1])
  const [inputs, options = {}] = (own ? rest : rest.slice(1)) as [readonly unknown[], DiagnoseOptions?]
  const isGradient = own || typeof rest[0] === "function" || Array.isArray(rest[0])
  if (typeof forward !== "function" || !isGradient || !Array.isArray(inputs))
    throw new TypeError("diagnose: wants forward, backward and a list of inputs; or a function and a list of inputs")
  const names = leafNames(forward, inputs, options.names)
  const given = own ? gradientsOf(forward) : asFunction(rest[0] as Fn | readonly unknown[], inputs.length)
  return new Session(own ? withoutRules(forward) : forward, given, inputs, names, own ? "grad" : "hand", options).report()
}

const gradientsOf =
  (f: Fn) =>
  (...xs: unknown[]): unknown =>
    vjp(f, ...xs)[1](vjpOne(f(...xs)))
const vjpOne = (y: Tensor): Tensor => filled(y.shape, y.dtype, () => 1)
const asFunction = (backward: Fn | readonly unknown[], n: number): Fn => {
  if (typeof backward !== "function") return () => backward
  return backward.length === n + 1 ? (...xs) => backward(leaves(xs as Tree)[0]!.dtype === "f64" ? one("f64") : one("f32"), ...xs) : backward
}
const one = (dtype: Dtype): Tensor => filled([], dtype, () => 1)

/** The function with the rules of `customVjp` and `customJvp` left out. */
function withoutRules(f: Fn): Fn {
  return (...args) => {
    const { graph, captured, result } = recordCall(f, args as readonly Tree[])
    return result(replayPlain(graph, [...(args as readonly Tree[]).flatMap(leaves), ...captured]))
  }
}
function replayPlain(g: Graph, xs: readonly Tensor[]): Tensor[] {
  const env = new Map(g.inputs.map((n, i) => [n, xs[i]!]))
  const plain = (body: Graph): Graph => derive(ins => replayPlain(body, ins), avals(body.inputs))
  for (const n of g.nodes) {
    const args = n.args.map(a => env.get(a)!)
    const isOpened = n.prim.name === "customVjp" || n.prim.name === "customJvp" || n.prim.name === "call"
    const run = (): readonly Tensor[] => {
      if (isOpened) {
        const { graph, name } = n.prim.body!(n.params)
        return scope(name ? [name] : [], () => replayPlain(graph as Graph, args.slice(0, graph.inputs.length)))
      }
      if (n.prim === scanP) return bind(scanP, args, { ...n.params, graph: plain(n.params.graph) })
      if (n.prim === condP) return bind(condP, args, { onTrue: plain(n.params.onTrue), onFalse: plain(n.params.onFalse) })
      return bind(n.prim, args, n.params)
    }
    const ys = scope(n.scope, run)
    n.outs.forEach((o, i) => env.set(o, ys[i]!))
  }
  return g.outputs.map(o => env.get(o)!)
}

/** The inputs at one place, and what was given there. */
interface Place {
  readonly inputs: readonly unknown[]
  readonly given: readonly (Given | null)[]
}

class Session {
  private readonly forward: Fn
  private readonly backward: Fn
  private readonly names: readonly string[]
  private readonly how: "grad" | "hand"
  private readonly options: DiagnoseOptions
  private readonly dtype: "f32" | "f64"
  private readonly place: Place
  private readonly checked: readonly boolean[]
  private readonly tolerance: number

  constructor(
    forward: Fn,
    backward: Fn,
    inputs: readonly unknown[],
    names: readonly string[],
    how: "grad" | "hand",
    options: DiagnoseOptions,
  ) {
    this.forward = (...xs) => scalarOf(forward(...xs))
    this.backward = backward
    this.names = names
    this.how = how
    this.options = options
    const first = this.first(inputs)
    this.dtype = first.dtype
    this.checked = first.place.given.map(g => g !== null)
    if (!this.checked.includes(true))
      throw new TypeError("diagnose: there is no gradient to look at; backward returned null for every input")
    const single = first.place.given.some(g => g?.single)
    this.tolerance = options.tolerance ?? (this.dtype === "f32" ? 1e-3 : single ? 1e-4 : 1e-6)
    this.place = first.place
  }

  /** In f64 if both functions can do so, else as it is. */
  private first(inputs: readonly unknown[]): { place: Place; dtype: "f32" | "f64" } {
    const at = (xs: readonly unknown[]): Place => ({ inputs: xs, given: givenFor(this.backward(...xs), xs, this.names) })
    const isDouble = leaves(inputs as Tree).every(x => x.dtype !== "f32")
    try {
      const xs = converted(inputs, "f64")
      this.forward(...xs)
      return { place: at(xs), dtype: "f64" }
    } catch (error) {
      if (isDouble || !(error instanceof DtypeError || error instanceof TypeError)) throw error
      const xs = converted(inputs, "f32")
      this.forward(...xs)
      return { place: at(xs), dtype: "f32" }
    }
  }

  /** Two places nearby where the functions can be asked again. */
  private nearby({ inputs, given }: Place): Place[] {
    const random = mulberry(this.options.seed ?? 1)
    const moved = Array.from({ length: 2 }, () => {
      let leaf = 0
      return inputs.map(input =>
        rebuild(
          input as Tree,
          leaves(input as Tree).map(x => (this.checked[leaf++] ? near(x, random) : x)),
        ),
      )
    })
    return moved.flatMap(xs => {
      try {
        const there = givenFor(this.backward(...xs), xs, this.names)
        // numbers that stay what they are were computed beforehand
        const stays = there.every((g, i) => !g || !given[i] || differenceOf(g.values, given[i]!.values, 0) === 0)
        return stays || there.some((g, i) => (g !== null) !== this.checked[i]) ? [] : [{ inputs: xs, given: there }]
      } catch {
        return []
      }
    })
  }

  report(): Diagnosis {
    const here = this.point(this.place)
    const problem = this.referenceProblem(this.place, here)
    if (problem === null) {
      const reports = this.compared(here)
      if (reports.every(r => r.agrees)) return this.judged([here], reports, "")
      return this.judged([here, ...this.pointsNearby()], reports, "")
    }
    // at a kink a derivative is a convention: judged is where there is none
    const points = this.pointsNearby()
    const [first] = points
    if (!first) return { verdict: "undecided", reason: problem, leaves: [], findings: [], points: 0, dtype: this.dtype }
    return this.judged(points, this.compared(first), sayDiagnosis.kink)
  }
  private pointsNearby(): Point[] {
    return this.nearby(this.place).flatMap(place => {
      const point = this.point(place)
      return this.referenceProblem(place, point) === null ? [point] : []
    })
  }

  /** The gradients at one place, one by one. */
  private compared({ run, given }: Point): LeafReport[] {
    const truth = run.gradients()
    const names = this.names.filter((_, i) => this.checked[i])
    const floor = floorOf(truth)
    return run.leaves.map((c, l): LeafReport => {
      const difference = differenceOf(given[l]!.values, truth[l]!, floor)
      return { path: names[l]!, shape: c.aval.shape, agrees: difference <= this.tolerance && fitsShape(given[l]!, c), difference }
    })
  }

  private judged(points: readonly Point[], leaves: readonly LeafReport[], kink: string): Diagnosis {
    const base = { points: points.length, dtype: this.dtype }
    if (leaves.every(r => r.agrees)) return { ...base, verdict: "right", reason: kink, leaves, findings: [] }
    const names = this.names.filter((_, i) => this.checked[i])
    return { ...base, verdict: "wrong", reason: kink, leaves, findings: this.findings(points, points[0]!.run.gradients(), names, leaves) }
  }

  private point({ inputs, given }: Place): Point {
    const tape = record(this.forward, inputs, { opensRules: true, unrolled: 2000 })
    return { run: new Backward(tape, this.checked), given: given.filter(g => g !== null) }
  }

  /**
   * What central differences of fourth order along two directions say against the reference; null where they agree. Differences
   * across a kink disagree with every derivative, so that smaller steps are tried too.
   */
  private referenceProblem({ inputs }: Place, { run }: Point): string | null {
    const truth = run.gradients()
    const random = mulberry(7)
    for (let k = 0; k < 2; k++) {
      const ts = truth.map(g => Float64Array.from(g, () => 2 * random() - 1))
      let [wanted, scale] = [0, 0]
      truth.forEach((g, l) => {
        for (let i = 0; i < g.length; i++) {
          wanted += g[i]! * ts[l]![i]!
          scale += Math.abs(g[i]! * ts[l]![i]!)
        }
      })
      const size = Math.abs(run.output.value.item())
      let got = Number.NaN
      const agrees = this.steps().some(([h, tolerance]) => {
        got = this.difference(inputs, ts, h)
        return Math.abs(got - wanted) <= tolerance * Math.max(scale, size * 1e-3, 1e-9)
      })
      if (!agrees) return sayDiagnosis.reference(wanted, got)
    }
    return null
  }
  /** Steps of differences, and how far they can be trusted. */
  private steps(): readonly (readonly [h: number, tolerance: number])[] {
    if (this.dtype === "f32") return [[2e-2, 2e-2], [5e-3, 5e-2]] // biome-ignore format: a table
    return [[1e-3, 1e-6], [1e-4, 1e-5], [1e-5, 1e-4]] // biome-ignore format: a table
  }
  private difference(inputs: readonly unknown[], ts: readonly Float64Array[], h: number): number {
    const [a, b, c, d] = [-2, -1, 1, 2].map(s => {
      let [leaf, next] = [0, 0]
      const moved = inputs.map(input =>
        rebuild(
          input as Tree,
          leaves(input as Tree).map(x => {
            if (!this.checked[leaf++]) return x
            const t = ts[next++]!
            const values = x.values()
            return filled(x.shape, this.dtype, i => values[i]! + s * h * t[i]!)
          }),
        ),
      )
      return this.forward(...moved).item() as number
    }) as [number, number, number, number]
    return (a - 8 * b + 8 * c - d) / (12 * h)
  }

  private findings(
    points: readonly Point[],
    truth: readonly ArrayLike<number>[],
    names: readonly string[],
    reports: readonly LeafReport[],
  ): Finding[] {
    const [{ run, given }] = points as [Point]
    const shapes = reports.flatMap((r, l) => (fitsShape(given[l]!, run.leaves[l]!) ? [] : [{ r, l }]))
    const wrongShapes = shapes.map(({ l }): Explained => {
      const mistake = shapeMistake(given[l]!, truth[l]!, run.leaves[l]!, this.tolerance)
      return { mistakes: [mistake], cell: run.id(run.leaves[l]!), leaves: [l], alternatives: [] }
    })
    // an array of another shape explains itself only; the search goes on as if it were right
    const patched = points.map(p => {
      const right = p.run.gradients()
      return { ...p, given: p.given.map((g, l) => (shapes.some(s => s.l === l) ? { ...g, values: Float64Array.from(right[l]!) } : g)) }
    })
    const { found, unknown } = new Search(patched, this.tolerance, names, this.names).explain()
    const told = [...wrongShapes, ...found].map(e => this.finding(e, run, given, truth, names))
    return unknown.length ? [...told, this.unknown(unknown, run, given, truth, names, reports)] : told
  }

  private finding(
    e: Explained,
    run: Backward,
    given: readonly Given[],
    truth: readonly ArrayLike<number>[],
    names: readonly string[],
  ): Finding {
    const owners = this.owners(e, run)
    const path = (l: number): string => names[l]!
    const isOwn = (l: number): boolean => owners.length === 0 || owners.includes(run.leaves[l]!)
    const own = e.leaves.filter(isOwn)
    const leavesOf = own.length ? own : e.leaves.slice(0, 1)
    const step = e.step === undefined ? undefined : run.step(e.step)
    const line = step && lineOf(step)
    const layer = layerName(e, run, owners, names)
    const facts = {
      mistakes: e.mistakes,
      layer,
      operation: step?.prim.name ?? "",
      leaves: leavesOf.map(path),
      follow: e.leaves.filter(l => !leavesOf.includes(l)).map(path),
    }
    return {
      ...facts,
      ...(line && { line }),
      evidence: evidenceOf(e.leaves[0]!, given, truth, run, path),
      alternatives: e.alternatives,
      ...sayDiagnosis.finding(facts, this.how),
    }
  }
  private owners(e: Explained, run: Backward): readonly Cell[] {
    if (e.cell === undefined || run.cell(e.cell) === run.output) return []
    const cell = run.cell(e.cell)
    if (run.leaves.includes(cell)) return [cell]
    const borders = new Set([...regionsOf(run).filter(r => !r.linear), ...softmaxesOf(run)].map(r => r.to))
    return ownersOf(run, cell, borders)
  }

  private unknown(
    which: readonly number[],
    run: Backward,
    given: readonly Given[],
    truth: readonly ArrayLike<number>[],
    names: readonly string[],
    reports: readonly LeafReport[],
  ): Finding {
    const path = (l: number): string => names[l]!
    const difference = Math.max(...which.map(l => reports[l]!.difference))
    const kind = difference < 1e-3 ? "imprecise" : "unknown"
    const [first, ...follow] = which as [number, ...number[]]
    const cell = run.id(run.leaves[first]!)
    const layer = layerName({ mistakes: [], cell, leaves: which, alternatives: [] }, run, [run.leaves[first]!], names)
    const facts = {
      mistakes: [{ kind, factor: difference } as Mistake],
      layer,
      operation: "",
      leaves: [path(first)],
      follow: follow.map(path),
    }
    return { ...facts, evidence: evidenceOf(first, given, truth, run, path), alternatives: [], ...sayDiagnosis.finding(facts, this.how) }
  }
}

/** The scope of the place where there is one, else the parameters of the layer. */
function layerName(e: Explained, run: Backward, owners: readonly Cell[], names: readonly string[]): string {
  const paths = owners.map(c => names[run.leaves.indexOf(c)]!)
  if (e.cell !== undefined && run.cell(e.cell) === run.output) return ""
  // where a parameter comes in is the layer; without parameters it is where the operation stands
  const steps = [...owners.flatMap(c => c.uses.map(u => u.step)), ...(owners.length || e.step === undefined ? [] : [run.step(e.step)])]
  return steps[0]?.scope.find(s => !s.startsWith("turn ")) ?? paths.join(", ")
}

function scalarOf(y: unknown): Tensor {
  if (y instanceof Tensor && y.ndim === 0 && differentiable(y.aval)) return y
  const got = y instanceof Tensor ? show(y.aval) : typeof y
  throw new TypeError(`diagnose: forward must return a floating-point scalar, such as a mean loss; it returned ${got}`)
}

const converted = (inputs: readonly unknown[], dtype: "f32" | "f64"): unknown[] =>
  inputs.map(input =>
    rebuild(
      input as Tree,
      leaves(input as Tree).map(x => {
        if (!isFloating(x.dtype) || x.dtype === dtype) return x
        const values = x.values()
        return filled(x.shape, dtype, i => values[i]!)
      }),
    ),
  )

/** Numbers close by that are still what they were: shares stay shares, labels stay labels. */
function near(x: Tensor, random: () => number): Tensor {
  if (!isFloating(x.dtype)) return x
  const values = [...x.values()]
  const isLabel = values.includes(1) && values.every(v => v === 0 || v === 1)
  const n = x.shape.at(-1) ?? 1
  const rows = values.filter((_, i) => i % n === 0).map((_, r) => values.slice(r * n, (r + 1) * n))
  const isShares = n > 1 && values.every(v => v >= 0) && rows.every(row => Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-5)
  if (isLabel || isShares) return x
  const isProbability = values.some(v => v > 0) && values.every(v => v >= 0 && v <= 1)
  const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  const signed = largest === 0 || values.some(v => v < 0)
  return filled(x.shape, x.dtype, i => {
    const [v, u] = [values[i]!, 2 * random() - 1]
    if (isProbability) return v + 0.2 * u * Math.min(v, 1 - v)
    return v * (1 + 0.2 * u) + (signed ? 0.1 * (largest || 1) * (2 * random() - 1) : 0)
  })
}
/** mulberry32 by Tommy Ettinger. */
function mulberry(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Axes of length 1 do not count, and a flat list of the right length is taken row by row. */
function fitsShape({ shape, values }: Given, { aval }: Cell): boolean {
  const plain = (s: readonly number[]): string => s.filter(n => n !== 1).join()
  return values.length === aval.shape.reduce((a, b) => a * b, 1) && (shape.length <= 1 || plain(shape) === plain(aval.shape))
}
/** What makes of the true gradient an array of this other shape. */
function shapeMistake({ values, shape }: Given, truth: ArrayLike<number>, { aval }: Cell, tolerance: number): Mistake {
  const [rows = 1, cols = 1] = aval.shape
  const told = { name: `[${shape}]`, other: `[${aval.shape}]` }
  const n = truth.length
  const equal = (g: ArrayLike<number>): boolean => differenceOf(g, truth, 0) <= tolerance
  if (aval.shape.length === 2 && values.length === n && equal(values.map((_, i) => values[(i % cols) * rows + Math.floor(i / cols)]!)))
    return { kind: "transposed", ...told }
  if (values.length === 1) return { kind: "oneScalar", ...told }
  if (n > 0 && values.length > n && values.length % n === 0) {
    const summed = Float64Array.from({ length: n }, (_, i) => {
      let total = 0
      for (let k = i; k < values.length; k += n) total += values[k]!
      return total
    })
    if (equal(summed)) return { kind: "batchSumMissing", ...told }
  }
  return { kind: "shape", ...told }
}

/** The elements that differ most, at most three. */
function evidenceOf(
  leaf: number,
  given: readonly Given[],
  truth: readonly ArrayLike<number>[],
  run: Backward,
  path: (l: number) => string,
): Evidence[] {
  const { values } = given[leaf]!
  const right = truth[leaf]!
  const n = Math.min(values.length, right.length)
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => Math.abs(values[b]! - right[b]!) - Math.abs(values[a]! - right[a]!))
  return order.slice(0, 2).map(i => ({
    leaf: path(leaf),
    index: indexOf(i, run.leaves[leaf]!.aval.shape),
    yours: values[i]!,
    true: right[i]!,
    ratio: values[i]! / right[i]!,
  }))
}
