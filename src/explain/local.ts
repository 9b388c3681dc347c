// Local derivatives: how each result of one application changes with each of its operands.
import { differentiable, size } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import type { Maybe } from "../core/primitive.ts"
import { bind, type Tensor } from "../core/tensor.ts"
import { batchFlat } from "../transforms/vmap.ts"
import { type Reads, readsOf } from "./reads.ts"
import type { Step, Tape, ValueId } from "./tape.ts"

/** Takes the derivative of element `to` of result `out` by element `from` of the operand. */
export type Take = (from: number, out: number, to: number, derivative: number) => void

/** So many numbers are computed at once, at most. */
const CHUNK = 1 << 20
/** Sizes of chunks: few, so that programs for them are made once. */
const SIZES = [1, 4, 16, 64, 256, 1024]

/** What is the same for equal applications is found once. */
export class LocalDerivatives {
  private readonly tape: Tape
  private readonly known = new Map<Step, Reads | undefined>()
  constructor(tape: Tape) {
    this.tape = tape
  }

  reads(step: Step): Reads | undefined {
    if (!this.known.has(step)) {
      const avals = (ids: readonly ValueId[]) => ids.map(v => this.tape.aval(v))
      this.known.set(step, readsOf(step.prim, step.params, avals(step.args), avals(step.outs)))
    }
    return this.known.get(step)
  }

  /**
   * The derivatives by the elements `from` of operand `k`, by forward mode of this application alone with the other operands as they
   * are. Zeros are taken too where the element is read.
   */
  by(step: Step, k: number, from: readonly number[], take: Take): void {
    const places = this.reads(step)?.places[k]
    if (places) this.atPlaces(step, k, from, places, take)
    else this.byColumns(step, k, from, take)
  }

  /** Where each result reads one element, all derivatives are one tangent's image. */
  private atPlaces(step: Step, k: number, from: readonly number[], places: Int32Array, take: Take): void {
    const n = size(this.tape.aval(step.args[k]!).shape)
    const ones = new Float64Array(n)
    for (const j of from) ones[j] = 1
    const [dy] = this.push(step, k, ones)
    places.forEach((j, o) => {
      if (j >= 0 && ones[j]) take(j, 0, o, dy ? dy[o]! : 0)
    })
  }
  private push(step: Step, k: number, t: Float64Array): (ArrayLike<number> | null)[] {
    const tangent = fromArray(t, { shape: this.tape.aval(step.args[k]!).shape, dtype: "f64" })
    return this.tangents(step, k, tangent).map(dy => dy?.values() ?? null)
  }
  private tangents({ prim, params, args }: Step, k: number, t: Tensor): readonly Maybe[] {
    const xs = args.map(v => this.tape.values[v]!)
    const [, dys] = prim.jvp(
      xs,
      xs.map((_, i) => (i === k ? t : null)),
      params,
    )
    return dys
  }

  /** One tangent for each element, many at once. */
  private byColumns(step: Step, k: number, from: readonly number[], take: Take): void {
    const { shape } = this.tape.aval(step.args[k]!)
    const n = size(shape)
    const widest = step.outs.reduce((most, o) => Math.max(most, size(this.tape.aval(o).shape)), n)
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
        const width = size(this.tape.aval(step.outs[out]!).shape)
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
    return step.outs.some(o => differentiable(this.tape.aval(o)))
  }

  /** The result of the application with other numbers in one element of one operand. */
  measured(step: Step, k: number, j: number, out: number, to: number, xs: readonly number[]): number[] {
    const { shape } = this.tape.aval(step.args[k]!)
    const before = this.tape.numbers(step.args[k]!)
    const n = size(shape)
    const all = new Float64Array(xs.length * n)
    xs.forEach((x, r) => {
      all.set(before, r * n)
      all[r * n + j] = x
    })
    const operands = step.args.map((v, i) =>
      i === k ? fromArray(all, { shape: [xs.length, ...shape], dtype: "f64" }) : this.tape.values[v]!,
    )
    const { ys, mapped } = batchFlat(
      values => [bind(step.prim, values, step.params)[out]!],
      operands,
      operands.map((_, i) => (i === k ? 0 : null)),
      xs.length,
    )
    const numbers = ys[0]!.values()
    const width = size(this.tape.aval(step.outs[out]!).shape)
    return xs.map((_, r) => numbers[(mapped[0] ? r * width : 0) + to]!)
  }
}
