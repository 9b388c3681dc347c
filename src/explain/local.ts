// Local derivatives: how each result of one application changes with each of its operands.
import { differentiable, size } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import type { Maybe } from "../core/primitive.ts"
import { bind, type Tensor } from "../core/tensor.ts"
import { batchFlat } from "../transforms/vmap.ts"
import { answerOf, type Cotangents, hasForwardMode, sendsUnasked, sharesOf } from "./given-rules.ts"
import { type Reads, readsOf } from "./reads.ts"
import { type Cell, holdsRule, type Step } from "./tape.ts"

/** Takes the derivative of element `to` of result `out` by element `from` of the operand. */
export type Take = (from: number, out: number, to: number, derivative: number) => void

/** So many numbers are computed at once, at most. */
const CHUNK = 1 << 20
/** Sizes of chunks: few, so that programs for them are made once. */
const SIZES = [1, 4, 16, 64, 256, 1024]

/** What is the same for equal applications is found once. */
export class LocalDerivatives {
  private readonly known = new Map<Step, Reads | undefined>()
  private readonly given = new Map<string, boolean>()
  private readonly cotangents: () => Cotangents
  /** The cotangents are asked for if rules that the user gave need them. */
  constructor(cotangents: () => Cotangents) {
    this.cotangents = cotangents
  }

  reads(step: Step): Reads | undefined {
    if (!this.known.has(step)) {
      const avals = (cells: readonly Cell[]) => cells.map(c => c.aval)
      this.known.set(step, readsOf(step.prim, step.params, avals(step.args), avals(step.outs)))
    }
    return this.known.get(step)
  }

  /**
   * The derivatives by the elements `from` of operand `k`, by forward mode of this application alone with the other operands as they
   * are; for a rule that has no such mode what it makes of the cotangent that arrives. Zeros are taken too where the element is read.
   */
  by(step: Step, k: number, from: readonly number[], take: Take): void {
    const places = this.reads(step)?.places[k]
    if (this.followsCotangent(step, k)) sharesOf(step, k, from, this.cotangents(), take)
    else if (places) this.atPlaces(step, k, from, places, take)
    else this.byColumns(step, k, from, take)
  }

  /** Whether a rule that the user gave is none of a derivative: it has no forward mode, or one that says something else. */
  followsCotangent(step: Step, k: number): boolean {
    if (!holdsRule(step)) return false
    const key = `${step.index} ${k}`
    let known = this.given.get(key)
    if (known === undefined) this.given.set(key, (known = !this.isTransposed(step, k)))
    return known
  }
  /** <ct, J t> = <r(ct), t> for a tangent t. */
  private isTransposed(step: Step, k: number): boolean {
    if (!hasForwardMode(step, k)) return false
    const t = Float64Array.from({ length: step.args[k]!.value.size }, (_, j) => 0.5 + ((j * 7) % 11))
    const pushed = this.push(step, k, t)
    const cts = this.cotangents()
    const forwards = pushed.flatMap((dy, o) => {
      const ct = cts.get(step.outs[o]!)?.values()
      return dy && ct ? Array.from(dy, (x, i) => x * ct[i]!) : []
    })
    const backwards = Array.from(answerOf(step, k, cts), (x, j) => x * t[j]!)
    const sum = (xs: readonly number[], of = (x: number): number => x): number => xs.reduce((total, x) => total + of(x), 0)
    return Math.abs(sum(forwards) - sum(backwards)) <= 1e-9 * (sum(forwards, Math.abs) + sum(backwards, Math.abs))
  }
  /** Whether a rule sends something back where nothing arrives, which no path does. */
  sendsUnasked(step: Step): boolean {
    return step.args.some((a, k) => differentiable(a.aval) && this.followsCotangent(step, k) && sendsUnasked(step, k, this.cotangents()))
  }
  /** Whether anything comes back to an application. */
  hears(step: Step): boolean {
    return step.outs.some(o => this.cotangents().get(o)?.values().some(Boolean))
  }

  /** Where each result reads one element, all derivatives are one tangent's image. */
  private atPlaces(step: Step, k: number, from: readonly number[], places: Int32Array, take: Take): void {
    const n = size(step.args[k]!.aval.shape)
    const ones = new Float64Array(n)
    for (const j of from) ones[j] = 1
    const [dy] = this.push(step, k, ones)
    places.forEach((j, o) => {
      if (j >= 0 && ones[j]) take(j, 0, o, dy ? dy[o]! : 0)
    })
  }
  private push(step: Step, k: number, t: Float64Array): (ArrayLike<number> | null)[] {
    const tangent = fromArray(t, { shape: step.args[k]!.aval.shape, dtype: "f64" })
    return this.tangents(step, k, tangent).map(dy => dy?.values() ?? null)
  }
  private tangents({ prim, params, args }: Step, k: number, t: Tensor): readonly Maybe[] {
    const xs = args.map(c => c.value)
    const [, dys] = prim.jvp(
      xs,
      xs.map((_, i) => (i === k ? t : null)),
      params,
    )
    return dys
  }

  /** One tangent for each element, many at once. */
  private byColumns(step: Step, k: number, from: readonly number[], take: Take): void {
    const { shape } = step.args[k]!.aval
    const n = size(shape)
    const widest = step.outs.reduce((most, o) => Math.max(most, o.value.size), n)
    const most = SIZES.findLast(s => s * widest <= CHUNK) ?? 1
    for (let start = 0; start < from.length; start += most) {
      const some = from.slice(start, start + most)
      const rows = SIZES.find(s => s >= some.length)!
      const t = new Float64Array(rows * n)
      some.forEach((j, r) => (t[r * n + j] = 1))
      const { ys, which } = this.batch(step, k, fromArray(t, { shape: [rows, ...shape], dtype: "f64" }), rows)
      ys.forEach(({ dy, mapped }, i) => {
        const out = which[i]!
        const numbers = dy.values()
        const width = step.outs[out]!.value.size
        some.forEach((j, r) => {
          const base = mapped ? r * width : 0
          for (let o = 0; o < width; o++) take(j, out, o, numbers[base + o]!)
        })
      })
    }
  }
  private batch(step: Step, k: number, t: Tensor, rows: number): { ys: { dy: Tensor; mapped: boolean }[]; which: number[] } {
    let which: number[] = []
    const { ys, mapped } = batchFlat(
      ([one]) => {
        const dys = this.tangents(step, k, one!)
        which = dys.flatMap((dy, i) => (dy ? [i] : []))
        return dys.filter(dy => dy !== null)
      },
      [t],
      [0],
      rows,
    )
    return { ys: ys.map((dy, i) => ({ dy, mapped: mapped[i]! })), which }
  }

  /** Whether results can have derivatives at all. */
  flows(step: Step): boolean {
    return step.outs.some(o => differentiable(o.aval))
  }

  /** The result of the application with other numbers in one element of one operand. */
  measured(step: Step, k: number, j: number, out: number, to: number, xs: readonly number[]): number[] {
    const { shape } = step.args[k]!.aval
    const before = step.args[k]!.value.values()
    const n = size(shape)
    const all = new Float64Array(xs.length * n)
    xs.forEach((x, r) => {
      all.set(before, r * n)
      all[r * n + j] = x
    })
    const operands = step.args.map((c, i) => (i === k ? fromArray(all, { shape: [xs.length, ...shape], dtype: "f64" }) : c.value))
    const { ys, mapped } = batchFlat(
      values => [bind(step.prim, values, step.params)[out]!],
      operands,
      operands.map((_, i) => (i === k ? 0 : null)),
      xs.length,
    )
    const numbers = ys[0]!.values()
    const width = step.outs[out]!.value.size
    return xs.map((_, r) => numbers[(mapped[0] ? r * width : 0) + to]!)
  }
}
