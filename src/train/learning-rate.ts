// The learning-rate finder: a short training with a rate that grows from step to step.
import { fromArray, tensor } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"
import { shuffle } from "../data/split.ts"
import * as random from "../ops/random.ts"
import type { Schedule } from "../optim/transformation.ts"
import { jit } from "../runtime/jit.ts"
import { checked, type FitOptions } from "./options.ts"
import { BatchReader, type Dataset, pair } from "./rows.ts"
import { advance, backprop, startOf } from "./rule.ts"
import type { Carry } from "./step.ts"
import type { Optimizer, Trainable } from "./trainable.ts"
import { copyOf } from "./trained.ts"
import { visitEventLoop } from "./watch.ts"

export interface FindLearningRateOptions extends Pick<FitOptions, "loss" | "rule" | "batchSize" | "seed" | "signal"> {
  /** What makes the optimizer from a learning rate: `adam`, or `rate => sgd(rate, { momentum: 0.9 })`. */
  readonly optimizer: (learningRate: Schedule) => Optimizer
  /** The first rate. Default: 1e-6. */
  readonly from?: number
  /** The last rate. Default: 10. */
  readonly to?: number
  /** Steps between them. Default: 100. */
  readonly steps?: number
  /** How much of the smoothed loss stays at each step, from 0 (no smoothing) to below 1. Default: 0.9. */
  readonly smoothing?: number
  /** Where to begin, such as a model that is to be trained further. Default: the model's first parameters. */
  readonly start?: { readonly params: any; readonly state: any }
}

/** The loss against the learning rate. */
export interface LearningRates {
  /** Of the steps that were done: each a constant times the one before. */
  readonly rates: Float64Array
  /** Mean loss of the batch before the step with that rate. */
  readonly losses: Float64Array
  readonly smoothed: Float64Array
  /** The rate where the smoothed loss falls fastest, by the logarithm of the rate; undefined if it does not fall. */
  readonly suggestion: number | undefined
  /** How the suggestion was chosen. */
  readonly rule: "steepest descent of the smoothed loss"
  /** Why there are no more rates: the smoothed loss was over 4 times its lowest value or not finite, all were done, or `signal`. */
  readonly reason: "diverged" | "steps" | "aborted"
}

/** The search ends where the smoothed loss is so many times its lowest value. */
const DIVERGED = 4
/** Milliseconds of work between two visits to the event loop. */
const CHUNK = 50

/**
 * Which learning rate suits: trains for a few steps with rates that grow geometrically, and suggests the one where the loss falls fastest.
 *
 *     rate[t] = from (to / from)^(t / (steps - 1))
 *     a <- smoothing a + (1 - smoothing) loss[t],  smoothed[t] = a / (1 - smoothing^(t + 1))
 *     suggestion = the rate[t] with the smallest d smoothed / d log rate before the lowest smoothed loss, t >= 1 / (1 - smoothing)
 *
 * It ends early where smoothed[t] is over 4 times the lowest value since t = 1 / (1 - smoothing). Nothing is changed: neither the model nor `start`.
 *
 * Rejects with TypeError for settings out of range. Smith, Cyclical learning rates for
 * training neural networks, arXiv:1506.01186, section 3.3; smoothing, end and suggestion are those of fastai (Howard and Gugger, 2020).
 *
 * @example
 * const x = random.normal(random.key(1), [200, 2])
 * const y = x.mul(tensor([3, -1])).sum({ axis: 1, keepdims: true })
 * const found = await findLearningRate(dense(2, 1), { x, y }, { loss: squaredError, optimizer: sgd })
 * const run = fit(dense(2, 1), { x, y }, { loss: squaredError, optimizer: sgd(found.suggestion!) })
 */
export async function findLearningRate(model: Trainable, data: Dataset, options: FindLearningRateOptions): Promise<LearningRates> {
  await visitEventLoop()
  const { loss, rule = backprop(), batchSize = 32, seed = 0, signal } = options
  wantMaker(options.optimizer)
  const first = options.optimizer(() => tensor(0, { dtype: "f64" }))
  checked({ loss, rule, batchSize, seed, optimizer: first })
  const { from = 1e-6, to = 10, steps = 100, smoothing = 0.9 } = options
  wantRange({ from, to, steps, smoothing })
  const { x, y } = pair(data, "findLearningRate")
  const batch = Math.min(batchSize, x.rows)
  const root = random.key(seed)
  const { params, state } = options.start ?? model.init(random.fold(root, 0), x.shape)
  const start = startOf(rule, first, model, params, x.shape, random.fold(root, 2))
  let carry: Carry = { params: copyOf(params), state: copyOf(state), optimizer: copyOf(start as Tree) }
  const keys = random.fold(root, 1)
  const run = jit(
    (carry: Carry, x: Tensor, y: Tensor, step: Tensor, rate: Tensor): [Carry, Tensor] => {
      const optimizer = options.optimizer(() => rate)
      const { loss: value, ...next } = advance(rule, optimizer, carry, { model, loss, x, y, key: random.fold(keys, step) })
      return [{ params: next.params, state: next.state, optimizer: next.optimizer }, value]
    },
    { donate: [0] },
  )
  const [xs, ys] = [new BatchReader(x), new BatchReader(y)]
  const curve = new Curve(smoothing)
  let reason: LearningRates["reason"] = "steps"
  let worked = performance.now()
  const order = batchesOf(x.rows, batch, seed)
  for (let step = 0; step < steps; step++) {
    if (signal?.aborted) {
      reason = "aborted"
      break
    }
    const rate = from * (to / from) ** (step / (steps - 1))
    const rows = order.next().value
    const [bx, by] = [xs.read(rows), ys.read(rows)].map((b): Tensor => fromArray(b.array, b.aval)) as [Tensor, Tensor]
    let value: Tensor
    ;[carry, value] = run(carry, bx, by, tensor(step, { dtype: "i32" }), tensor(rate, { dtype: "f64" }))
    if (curve.add(rate, value.item())) {
      reason = "diverged"
      break
    }
    if (performance.now() - worked < CHUNK) continue
    await visitEventLoop()
    worked = performance.now()
  }
  return { ...curve.points(), suggestion: curve.steepest(), rule: "steepest descent of the smoothed loss", reason }
}

function wantRange({ from, to, steps, smoothing }: Required<Pick<FindLearningRateOptions, "from" | "to" | "steps" | "smoothing">>): void {
  if (!(from > 0 && to > from && Number.isFinite(to)))
    throw new TypeError(`findLearningRate: \`from\` and \`to\` must be rates, 0 < from < to; got ${from} and ${to}`)
  if (!(Number.isInteger(steps) && steps >= 3))
    throw new TypeError(`findLearningRate: \`steps\` must be a whole number from 3; got ${steps}`)
  if (!(smoothing >= 0 && smoothing < 1))
    throw new TypeError(`findLearningRate: \`smoothing\` must be a number from 0 to below 1; got ${smoothing}`)
}

function wantMaker(optimizer: unknown): void {
  if (typeof optimizer !== "function")
    throw new TypeError(
      `findLearningRate: \`optimizer\` must make an optimizer from a learning rate, such as adam or rate => sgd(rate, { momentum: 0.9 }); got ${typeof optimizer}`,
    )
}

/** Whole batches, in a new order each time all rows have been read. */
function* batchesOf(rows: number, batch: number, seed: number): Generator<Int32Array, never> {
  for (let epoch = 1; ; epoch++) {
    const order = shuffle(rows, seed, epoch)
    for (let from = 0; from + batch <= rows; from += batch) yield order.subarray(from, from + batch)
  }
}

/** What was measured so far. */
class Curve {
  private readonly rates: number[] = []
  private readonly losses: number[] = []
  private readonly smoothed: number[] = []
  private readonly smoothing: number
  /** Steps that the average remembers: before as many were seen, and within fewer, single batches decide. */
  private readonly memory: number
  private average = 0
  private lowest = Infinity
  constructor(smoothing: number) {
    this.smoothing = smoothing
    this.memory = Math.round(1 / (1 - smoothing))
  }
  /** Adds a point; whether the training has diverged with it. What is not finite is no point. */
  add(rate: number, loss: number): boolean {
    if (!Number.isFinite(loss)) return true
    this.rates.push(rate)
    this.losses.push(loss)
    this.average = this.smoothing * this.average + (1 - this.smoothing) * loss
    const smoothed = this.average / (1 - this.smoothing ** this.rates.length)
    this.smoothed.push(smoothed)
    if (this.rates.length <= this.memory) return false
    this.lowest = Math.min(this.lowest, smoothed)
    return smoothed > DIVERGED * this.lowest
  }
  points(): Pick<LearningRates, "rates" | "losses" | "smoothed"> {
    return { rates: Float64Array.from(this.rates), losses: Float64Array.from(this.losses), smoothed: Float64Array.from(this.smoothed) }
  }
  /** The rates are at equal distances by their logarithm, so differences compare as slopes do. */
  steepest(): number | undefined {
    const reach = Math.ceil(this.memory / 2)
    const last = this.smoothed.lastIndexOf(this.lowest)
    let [best, at] = [0, -1]
    for (let i = this.memory; i <= last; i++) {
      const end = Math.min(i + reach, last)
      const slope = (this.smoothed[end]! - this.smoothed[i - reach]!) / (end - i + reach)
      if (slope < best) [best, at] = [slope, i]
    }
    return this.rates[at]
  }
}
