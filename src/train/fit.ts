import { fromArray, tensor } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../core/tree.ts"
import { shuffle, splitRows } from "../data/split.ts"
import * as random from "../ops/random.ts"
import { jit } from "../runtime/jit.ts"
import { valueAndGrad } from "../transforms/grad.ts"
import { batches, evaluator, type Measured } from "./evaluate.ts"
import { type EventStream, stream } from "./events.ts"
import type { Metric } from "./metrics.ts"
import { BatchReader, type Dataset, pair, subset } from "./rows.ts"
import type { Loss, Optimizer, Trainable } from "./trainable.ts"
import { TrainedModel } from "./trained.ts"

export interface FitOptions {
  /** The mean loss of a batch, such as `crossEntropy`. */
  readonly loss: Loss
  /** How gradients become new parameters, such as `adam(1e-3)`. */
  readonly optimizer: Optimizer
  /** How often all training rows are used. Default: 10. */
  readonly epochs?: number
  /** Rows in one step. Default: 32. */
  readonly batchSize?: number
  /** Decides first weights, order of rows, dropout and the validation rows. Default: 0. */
  readonly seed?: number
  /** Rows to judge by after each epoch: a data set, or a share of the rows given, which are then not trained on. */
  readonly validation?: number | Dataset
  /** What to measure on the validation rows beside the loss, by name. */
  readonly metrics?: Readonly<Record<string, Metric>>
  /** Stops when the validation loss has not improved for so many epochs. Default: never. */
  readonly patience?: number
  /** Ends the training after the current step; the result is what has been learned by then. */
  readonly signal?: AbortSignal
}

/** What `fit` tells while it runs. Times are in seconds. */
export type FitEvent =
  | { readonly event: "start"; readonly parameters: number; readonly rows: number; readonly validationRows: number; readonly steps: number }
  /** About every 50 ms. `loss` is the mean over the steps since the last one; `rate` is in rows per second. */
  | {
      readonly event: "progress"
      readonly epoch: number
      readonly step: number
      readonly steps: number
      readonly loss: number
      readonly rate: number
      readonly secondsLeft: number
    }
  /** `loss` is the mean over the epoch's steps. */
  | {
      readonly event: "epoch"
      readonly epoch: number
      readonly loss: number
      readonly validation?: Measured
      readonly best: boolean
      readonly seconds: number
    }
  | {
      readonly event: "end"
      readonly reason: "epochs" | "patience" | "aborted"
      readonly epoch: number
      readonly bestEpoch: number
      readonly seconds: number
    }

/** The loss was no longer a number. */
export class DivergedError extends Error {
  override readonly name = "DivergedError"
}

/** A training that runs: iterate over its events, or await its result, or both. */
export interface FitRun<M extends Trainable> extends AsyncIterable<FitEvent> {
  readonly result: Promise<TrainedModel<M>>
}

/**
 * Trains a model: shuffled mini-batches, forward, backward and update in one compiled program, state in place. With validation
 * rows the parameters of the best epoch are kept. Control returns to the event loop about every 50 ms.
 *
 * The same seed gives the same bits. Rejects with DivergedError if the loss becomes NaN or infinite.
 *
 * @example
 * const run = fit(model, { x, y }, { loss: crossEntropy, optimizer: adam(1e-3), epochs: 3, validation: 0.1 })
 * for await (const event of run) console.log(event)
 * const trained = await run.result
 */
export function fit<M extends Trainable>(model: M, data: Dataset, options: FitOptions): FitRun<M> {
  const events = stream<FitEvent>(e => e.event === "progress")
  const result = train(model, data, options, events)
  result.then(
    () => events.close(),
    error => events.fail(error),
  )
  return { result, [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() }
}

/** Milliseconds of work between two visits to the event loop. */
const CHUNK = 50
const now = (): number => performance.now()
const visitEventLoop = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0))

async function train<M extends Trainable>(
  model: M,
  data: Dataset,
  options: FitOptions,
  events: EventStream<FitEvent>,
): Promise<TrainedModel<M>> {
  // errors in the arguments reject the result, as all others do
  await visitEventLoop()
  const { loss, optimizer, epochs = 10, batchSize = 32, seed = 0, metrics = {}, patience = Infinity, signal } = check(options)
  const { training, validation } = divide(data, options.validation, seed)
  const n = training.x.rows
  const stepsPerEpoch = Math.ceil(n / batchSize)
  const steps = stepsPerEpoch * epochs
  const root = random.key(seed)
  const stepKeys = random.fold(root, 1)
  const { params, state } = model.init(random.fold(root, 0), training.x.shape)

  const step = jit(
    (
      carry: { params: Tree; state: Tree; optimizer: Tree },
      x: Tensor,
      y: Tensor,
      stepKeys: Tensor,
      step: Tensor,
    ): readonly [typeof carry, Tensor] => {
      const lossOf = (params: Tree): [Tensor, Tree] => {
        const [output, state] = model.apply(params, carry.state, x, { key: random.fold(stepKeys, step), training: true })
        return [loss(output, y), state]
      }
      const [[value, state], grads] = valueAndGrad(lossOf, { hasAux: true })(carry.params)
      const [params, next] = optimizer.update(grads, carry.optimizer, carry.params)
      return [{ params, state, optimizer: next }, value]
    },
    { donate: [0] },
  )
  const measure = evaluator(model, loss, metrics)

  let carry = { params, state, optimizer: optimizer.init(params) }
  let best = { epoch: 0, loss: Infinity, params: null as unknown, state: null as unknown }
  const started = now()
  const seconds = (): number => (now() - started) / 1000
  events.push({
    event: "start",
    parameters: leaves(params).reduce((k, p) => k + p.size, 0),
    rows: n,
    validationRows: validation?.x.rows ?? 0,
    steps,
  })
  const [xs, ys] = [new BatchReader(training.x), new BatchReader(training.y)]
  let done = 0
  let epochsDone = 0
  let reason: "epochs" | "patience" | "aborted" = "epochs"
  let rowsInChunk = 0
  let lossInChunk = 0
  let chunk = now()

  for (let epoch = 1; epoch <= epochs && reason === "epochs"; epoch++) {
    const order = shuffle(n, seed, epoch)
    const epochStarted = now()
    let epochLoss = 0
    for (const [from, to] of batches(n, batchSize)) {
      if (signal?.aborted) {
        reason = "aborted"
        break
      }
      const rows = order.subarray(from, to)
      const [x, y] = [xs.read(rows), ys.read(rows)]
      const at = tensor(done, { dtype: "i32" })
      const [next, value] = step(carry, fromArray(x.array, x.aval), fromArray(y.array, y.aval), stepKeys, at)
      carry = next
      const l = value.item()
      if (!Number.isFinite(l)) throw diverged(l, done + 1, epoch)
      done++
      epochLoss += l * rows.length
      lossInChunk += l * rows.length
      rowsInChunk += rows.length
      if (now() - chunk >= CHUNK) {
        const took = (now() - chunk) / 1000
        events.push({
          event: "progress",
          epoch,
          step: done,
          steps,
          loss: lossInChunk / rowsInChunk,
          rate: rowsInChunk / took,
          secondsLeft: (seconds() / done) * (steps - done),
        })
        await visitEventLoop()
        ;[rowsInChunk, lossInChunk, chunk] = [0, 0, now()]
      }
    }
    if (reason === "aborted") break
    epochsDone = epoch
    const validated = validation && measure(carry.params, carry.state, validation)
    const judged = validated?.loss ?? epochLoss / n
    const better = judged < best.loss
    if (better)
      best = validation
        ? { epoch, loss: judged, params: copyOf(carry.params), state: copyOf(carry.state) }
        : { ...best, epoch, loss: judged }
    events.push({
      event: "epoch",
      epoch,
      loss: epochLoss / n,
      ...(validated && { validation: validated }),
      best: better,
      seconds: (now() - epochStarted) / 1000,
    })
    await visitEventLoop()
    chunk = now()
    if (epoch - best.epoch >= patience) reason = "patience"
  }
  events.push({ event: "end", reason, epoch: epochsDone, bestEpoch: best.epoch, seconds: seconds() })
  const kept = best.params === null ? carry : { params: best.params, state: best.state }
  return new TrainedModel(model, copyOf(kept.params as Tree), copyOf(kept.state as Tree), training.x.shape)
}

function check(options: FitOptions): FitOptions {
  const { loss, optimizer, epochs = 10, batchSize = 32, patience = Infinity } = options
  if (typeof loss !== "function")
    throw new TypeError("fit: `loss` must be a function of output and target, such as crossEntropy from adjoint/losses")
  if (typeof optimizer?.update !== "function")
    throw new TypeError("fit: `optimizer` must be an optimizer, such as adam(1e-3) from adjoint/optim")
  for (const [name, x] of Object.entries({ epochs, batchSize })) {
    if (!Number.isInteger(x) || x < 1) throw new TypeError(`fit: \`${name}\` must be a whole number from 1; got ${x}`)
  }
  if (!(patience >= 1)) throw new TypeError(`fit: \`patience\` must be at least 1 epoch; got ${patience}`)
  return options
}

/** Training and validation rows. */
function divide(data: Dataset, validation: number | Dataset | undefined, seed: number) {
  const all = pair(data, "fit")
  if (validation === undefined || validation === 0) return { training: all, validation: undefined }
  if (typeof validation !== "number") return { training: all, validation: pair(validation, "fit: validation") }
  const split = splitRows(all.x.rows, { validation, seed })
  const part = (rows: Int32Array) => ({ x: subset(all.x, rows), y: subset(all.y, rows) })
  return { training: part(split.train), validation: part(split.validation) }
}

/** Parameters that no later step overwrites. */
const copyOf = (t: Tree): Tree =>
  rebuild(
    t,
    leaves(t).map(x => fromArray(x.values().slice(), x.aval)),
  )

const diverged = (loss: number, step: number, epoch: number): DivergedError =>
  new DivergedError(
    `the loss became ${loss} at step ${step} (epoch ${epoch}). Usual remedies: a smaller learning rate, standardised inputs, a loss from logits instead of log(softmax(x))`,
  )
