// How the loss has gone, and what a loss function is made of.
import type { Aval } from "../../core/aval.ts"
import { tensor } from "../../core/concrete.ts"
import { type Graph, scopeOf } from "../../graph/graph.ts"
import { record } from "../../graph/record.ts"
import { log, mul } from "../../ops/arithmetic.ts"
import { sum } from "../../ops/reduction.ts"
import type { Loss } from "../trainable.ts"
import type { Facts } from "./facts.ts"

/** Blocks of steps that are kept; twice as many steps a block when there are more. */
const BLOCKS = 64

/** What a history of losses is made of, as plain JSON. */
export interface LossMemory {
  readonly sums: readonly number[]
  readonly block: number
  readonly open: { readonly sum: number; readonly steps: number }
  readonly steps: number
  readonly first: number | null
}

/** The losses of all steps so far, as means over equal blocks of steps. */
export class LossHistory {
  private sums: number[] = []
  private block = 1
  private open = { sum: 0, steps: 0 }
  steps = 0
  /** Of the first step, before any update. */
  first = Number.NaN

  /** All of it as plain JSON, and back. */
  get memory(): LossMemory {
    const { sums, block, open, steps, first } = this
    return { sums: [...sums], block, open: { ...open }, steps, first: steps ? first : null }
  }
  set memory({ sums, block, open, steps, first }: LossMemory) {
    Object.assign(this, { sums: [...sums], block, open: { ...open }, steps, first: first ?? Number.NaN })
  }

  add(loss: number): void {
    if (this.steps++ === 0) this.first = loss
    this.open.sum += loss
    if (++this.open.steps < this.block) return
    this.sums.push(this.open.sum)
    this.open = { sum: 0, steps: 0 }
    if (this.sums.length < BLOCKS) return
    this.sums = Array.from({ length: BLOCKS / 2 }, (_, i) => this.sums[2 * i]! + this.sums[2 * i + 1]!)
    this.block *= 2
  }
  private means(): number[] {
    return this.sums.map(s => s / this.block)
  }
  /** Of the first steps: the smaller of the first loss and the first block. */
  start(): number {
    const [mean = this.first] = this.means()
    return Math.min(this.first, mean)
  }
  /** Mean over a part of the steps: from and to as shares of all. */
  private over(from: number, to: number): number {
    const means = this.means()
    const first = Math.min(means.length - 1, Math.floor(from * means.length))
    const part = means.slice(first, Math.max(first + 1, Math.floor(to * means.length)))
    return part.length ? part.reduce((a, b) => a + b) / part.length : this.first
  }
  /** Over the last eighth of the steps. */
  now = (): number => this.over(7 / 8, 1)
  /** Over an eighth in the middle. */
  halfway = (): number => this.over(1 / 2, 5 / 8)
  /** Over the first and the last quarter: where nothing changes, only such long means are alike. */
  early = (): number => this.over(0, 1 / 4)
  late = (): number => this.over(3 / 4, 1)
  /** The largest block. */
  worst(): number {
    return Math.max(this.first, ...this.means())
  }
  best(): number {
    return Math.min(this.first, ...this.means())
  }
}

/** What is computed in a loss: the names of its composites, and which one of adjoint's losses it is, with mean, if it is just one. */
export interface LossParts {
  readonly names: ReadonlySet<string>
  readonly exact?: string
}
export function partsOfLoss(loss: Loss, output: Aval, target: Aval): LossParts {
  const names = new Set<string>()
  const visit = (g: Graph): void => {
    for (const n of g.nodes) {
      const body = n.prim.body?.(n.params)
      if (!body) continue
      if (body.name) names.add(scopeOf(n).at(-1)!)
      visit(body.graph as Graph)
    }
  }
  const { graph } = record(([o, t]) => [loss(o!, t!)], [output, target])
  visit(graph)
  const [only, ...more] = graph.nodes
  const plain = only && more.length === 0 && only.params?.attributes?.reduction === "mean"
  return { names, ...(plain && { exact: scopeOf(only).at(-1)! }) }
}

/** -sum_k p_k log(p_k) */
function entropy(shares: readonly number[]): number {
  const p = tensor(
    shares.filter(p => p > 0),
    { dtype: "f64" },
  )
  return p.size ? -sum(mul(p, log(p))).item() : 0
}

/** The loss of the best constant answer, where the loss is one for which that is known. */
export function baselineOf({ exact }: LossParts, y: Facts): number | undefined {
  const mean = (xs: readonly number[]): number | undefined => (xs.length ? xs.reduce((a, b) => a + b) / xs.length : undefined)
  const variance = (): number | undefined => mean(y.features.map(f => f.std ** 2))
  if (exact === "crossEntropy") return y.floating ? entropy(y.features.map(f => f.mean)) : y.shares.length ? entropy(y.shares) : undefined
  if (exact === "binaryCrossEntropy") return mean(y.features.map(f => entropy([f.mean, 1 - f.mean])))
  if (exact === "squaredError") return variance()
  if (exact === "halfSquaredError") return variance() && variance()! / 2
  return undefined
}
