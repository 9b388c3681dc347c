// Is a gradient right, and if not, what is wrong with it?
import { filled } from "../../check/arrays.ts"
import { differentiable, show } from "../../core/aval.ts"
import type { Dtype } from "../../core/dtype.ts"
import { DtypeError } from "../../core/errors.ts"
import { Tensor } from "../../core/tensor.ts"
import { leaves, type Tree } from "../../core/tree.ts"
import { vjp } from "../../transforms/grad.ts"
import { say } from "../messages/index.ts"
import { Backward } from "../reverse.ts"
import { operations, record } from "../tape.ts"
import { differenceOf, fitsShape, floorOf } from "./compare.ts"
import type { Diagnosis, LeafReport } from "./diagnosis.ts"
import { findingsOf } from "./findings.ts"
import { type Given, givenFor } from "./given.ts"
import { converted, mapLeaves, mulberry, near } from "./inputs.ts"
import { differences } from "./reference.ts"
import { leafNames } from "./regions.ts"
import type { Point } from "./search.ts"
import { withoutRules } from "./without-rules.ts"

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
      return mapLeaves(inputs, x => (this.checked[leaf++] ? near(x, random) : x))
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
    const problem = this.referenceProblem(here)
    if (problem === null) {
      const reports = this.compared(here)
      if (reports.every(r => r.agrees)) return this.judged([here], reports, "")
      return this.judged([here, ...this.pointsNearby()], reports, "")
    }
    // at a kink a derivative is a convention: judged is where there is none
    const points = this.pointsNearby()
    const [first] = points
    if (!first) return { verdict: "undecided", reason: problem, leaves: [], findings: [], points: 0, dtype: this.dtype }
    return this.judged(points, this.compared(first), say.diagnosis.kink)
  }
  private pointsNearby(): Point[] {
    return this.nearby(this.place).flatMap(place => {
      const point = this.point(place)
      return this.referenceProblem(point) === null ? [point] : []
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
    const base = { points: points.length, dtype: this.dtype, reason: kink, leaves }
    if (leaves.every(r => r.agrees)) return { ...base, verdict: "right", findings: [] }
    return { ...base, verdict: "wrong", findings: findingsOf(points, leaves, this.names, this.tolerance, this.how) }
  }

  private point({ inputs, given }: Place): Point {
    const tape = record(this.forward, inputs, operations({ rules: true, unrolled: 2000 }))
    return { inputs, run: new Backward(tape, this.checked), given: given.filter(g => g !== null) }
  }
  private referenceProblem({ inputs, run }: Point): string | null {
    return differences(this.forward, inputs, this.checked, this.dtype, run)
  }
}

function scalarOf(y: unknown): Tensor {
  if (y instanceof Tensor && y.ndim === 0 && differentiable(y.aval)) return y
  const got = y instanceof Tensor ? show(y.aval) : typeof y
  throw new TypeError(`diagnose: forward must return a floating-point scalar, such as a mean loss; it returned ${got}`)
}
