import { size } from "../core/aval.ts"
import { fromArray, tensor } from "../core/concrete.ts"
import { bytesOf } from "../core/dtype.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves } from "../core/tree.ts"
import type { LazyDataset } from "../data/lazy.ts"
import { shuffle } from "../data/split.ts"
import type { Json } from "../io/json.ts"
import * as random from "../ops/random.ts"
import { compiler } from "../runtime/program.ts"
import type { Identity, Snapshot } from "./checkpoint.ts"
import { diverged } from "./diverged.ts"
import { divide } from "./divide.ts"
import { evaluator } from "./evaluate.ts"
import { type EventStream, type FitEvent, runOf, stream } from "./events.ts"
import { Checkup } from "./health/checkup.ts"
import type { Finding } from "./health/finding.ts"
import { checked, type FitOptions } from "./options.ts"
import type { Place } from "./replay.ts"
import { BatchReader, type Dataset, type Rows } from "./rows.ts"
import { backprop, startOf } from "./rule.ts"
import { type Batches, compileSteps, type RunSteps } from "./step.ts"
import type { Trainable } from "./trainable.ts"
import { copyOf, TrainedModel } from "./trained.ts"
import { visitEventLoop, Watch } from "./watch.ts"

/** A training that runs: iterate over its events, or await its result, or both. */
export interface FitRun<M extends Trainable> extends AsyncIterable<FitEvent> {
  readonly result: Promise<TrainedModel<M>>
}

/**
 * Trains a model: shuffled mini-batches, forward, backward and update in one compiled program, state in place. With validation
 * rows the parameters of the best epoch are kept. Control returns to the event loop about every 50 ms.
 *
 * Data that does not fit into memory comes from `datasetOf` or `examplesOf` of adjoint/data; then `health` looks at the rows
 * that were read first.
 *
 * The same seed gives the same bits. Rejects with DivergedError if the loss becomes NaN or infinite.
 *
 * @example
 * const x = random.normal(random.key(1), [200, 2])
 * const y = x.mul(tensor([3, -1])).sum({ axis: 1, keepdims: true })
 * const run = fit(dense(2, 1), { x, y }, { loss: squaredError, optimizer: adam(0.05), epochs: 30, validation: 0.1 })
 * for await (const event of run) if (event.event === "end") console.log(event.reason, event.epoch)  // epochs 30
 * const { params } = await run.result
 * params.w  // [[3.0], [-1.0]]
 */
export function fit<M extends Trainable>(model: M, data: Dataset | LazyDataset, options: FitOptions): FitRun<M> {
  const events = stream<FitEvent>(e => e.event === "progress")
  return runOf(events, train(model, data, options, events))
}

async function train<M extends Trainable>(
  model: M,
  data: Dataset | LazyDataset,
  options: FitOptions,
  events: EventStream<FitEvent>,
): Promise<TrainedModel<M>> {
  // errors in the arguments reject the result, as all others do
  await visitEventLoop()
  const course = await prepare(model, data, options, events)
  const { epochs, training, checkpoints, checkup, watch } = course
  const lostPatience = (): boolean => now.epoch > 0 && now.epoch - now.best.epoch >= course.patience
  let now = course.first
  let reason: "epochs" | "patience" | "aborted" = lostPatience() ? "patience" : "epochs"
  while (reason === "epochs" && now.epoch < epochs) {
    const started = watch.seconds()
    const { from, ...place } = await takeSteps(course, now)
    if (from < training.x.rows) {
      now = { ...now, ...place, health: checkup?.memory ?? null }
      reason = "aborted"
    } else {
      now = await endEpoch(course, now, place, started)
      if (lostPatience()) reason = "patience"
      // who handles events as they come has handled this one before the checkpoint says that its epoch is done
      await watch.rest()
      if (checkpoints?.due(true)) await checkpoints.write(now)
    }
  }
  await checkpoints?.write(now)
  if (reason !== "aborted") course.tell(now.step, checkup?.end(now.carry, now.step))
  events.push({ event: "end", reason, epoch: now.epoch, bestEpoch: now.best.epoch, seconds: watch.seconds() })
  const kept = now.best.kept ?? now.carry
  return new TrainedModel(model, copyOf(kept.params), copyOf(kept.state), training.x.shape)
}

type Course = Awaited<ReturnType<typeof prepare>>

/** All that a training works with, and where it begins. */
async function prepare(model: Trainable, data: Dataset | LazyDataset, options: FitOptions, events: EventStream<FitEvent>) {
  if (typeof model?.init !== "function" || typeof model.apply !== "function")
    throw new TypeError(
      `fit: the model must be a layer, such as sequential(dense(4, 8), relu(), dense(8, 1)); got ${model === null ? "null" : typeof model}`,
    )
  const { loss, optimizer, plateau, signal, checkpoint, checkpointEvery = Infinity, metrics = {}, ...given } = checked(options)
  const { rule = backprop(), epochs = 10, batchSize = 32, seed = 0, patience = Infinity, health = true } = given
  const { training, validation } = await divide(data, given.validation, seed)
  const n = training.x.rows
  const steps = Math.ceil(n / batchSize) * epochs
  const root = random.key(seed)
  const keys = random.fold(root, 1)
  const compiled = compileSteps(model, loss, optimizer, rule)
  // what the learning rate is multiplied by; null where no rule says so
  const rate: { scale: Tensor | null } = { scale: null }
  const runSteps: RunSteps = (...args) => compiled(...args, rate.scale)
  const identity: Identity = {
    ...{ seed, batchSize, rows: n },
    ...{ model: json(model.config), optimizer: json(optimizer.config), rule: json(rule.config) },
  }

  const { params, state } = model.init(random.fold(root, 0), training.x.shape)
  const start = startOf(rule, optimizer, model, params, training.x.shape, random.fold(root, 2))
  let first: Snapshot = {
    ...{ epoch: 0, step: 0, total: 0, health: null },
    carry: { params, state, optimizer: start },
    best: { epoch: 0, loss: Infinity, kept: null },
    plateau: plateau?.init() ?? null,
  }
  // loaded when needed: pages that keep none do without
  const checkpoints =
    checkpoint === undefined ? undefined : new (await import("./checkpoint.ts")).Checkpoints(checkpoint, identity, checkpointEvery)
  if (given.resume) {
    const { snapshot, notes } = await checkpoints!.read()
    first = { ...snapshot, plateau: snapshot.plateau ?? first.plateau }
    for (const message of notes) events.push({ event: "note", message })
  }
  const parameters = leaves(params).reduce((k, p) => k + p.size, 0)
  events.push({ event: "start", parameters, rows: n, validationRows: validation?.x.rows ?? 0, steps, epochsDone: first.epoch })
  const most = batchesAtOnce(training, batchSize)
  const looked = { model, loss, optimizer, ...training, of: n, ...training.sample, batchSize, seed, keys, runSteps, most }
  // findings are about backpropagated gradients
  const checkup = health === false || rule.config.kind !== "backprop" ? undefined : new Checkup(looked, health, first.carry, first.step)
  if (checkup && first.health) checkup.memory = first.health
  // loaded when needed; rows that come in order only cannot be read again
  const replay = compiler().main.sharesWork && !training.ordered ? new (await import("./replay.ts")).Replay() : undefined
  return {
    ...{ epochs, batchSize, seed, patience, plateau, signal, training, validation, events, first, keys, runSteps, rate, most },
    ...{ checkpoints, checkup, replay },
    each: Math.ceil(n / batchSize),
    readers: [new BatchReader(training.x), new BatchReader(training.y)] as const,
    watch: new Watch(steps, first.step, events, given.pause),
    measure: evaluator(model, loss, metrics),
    /** What `compute` returns; it runs again if a thread is lost meanwhile. */
    again: async <T>(compute: () => T): Promise<T> => (replay ? replay.again(compute) : compute()),
    tell(step: number, found: readonly Finding[] = []): void {
      for (const f of found) events.push({ event: "finding", step, ...f })
    },
  }
}

/** The steps of the epoch after `now`, or what is left of them, until all rows are used or the signal says to stop. */
async function takeSteps(course: Course, now: Snapshot): Promise<Place> {
  const { training, batchSize, plateau, signal, each, most, watch, checkpoints, checkup, replay, again } = course
  const n = training.x.rows
  const epoch = now.epoch + 1
  const order = training.ordered ? Int32Array.from({ length: n }, (_, i) => i) : shuffle(n, course.seed, epoch)
  course.rate.scale = plateau ? tensor(now.plateau!.scale, { dtype: "f64" }) : null
  let { carry, step, total } = now
  let from = (step - now.epoch * each) * batchSize
  while (from < n && !signal?.aborted) {
    course.tell(step, await again(() => checkup?.visit(carry, step)))
    // the last batch may be a short one, which is a program of its own
    const batch = Math.min(batchSize, n - from)
    const some = Math.min(watch.steps(), most, Math.floor((n - from) / batchSize))
    const count = batch < batchSize ? 1 : (checkup?.room(step, some) ?? some)
    const rows = order.subarray(from, from + count * batch)
    if (training.ready) await training.ready(rows, epoch)
    replay?.keep(epoch, { carry, step, total, from })
    let losses: Tensor
    try {
      ;[carry, losses] = course.runSteps(carry, read(course, rows, batch), course.keys, whole(step), whole(count))
    } catch (error) {
      if (!replay) throw error
      ;({ carry, step, total, from } = await replay.after(error))
      continue
    }
    let sum = 0
    for (const l of losses.values().subarray(0, count)) {
      step++
      if (!Number.isFinite(l)) {
        const found = checkup?.explain(step - 1, l)
        if (found) course.tell(step, [found])
        throw diverged(l, step, epoch, found)
      }
      sum += l * batch
      // step by step: how many are done at a time depends on the clock, and must not decide how the sum is rounded
      total += l * batch
    }
    checkup?.saw(losses.values(), count)
    from += rows.length
    const pause = watch.saw(epoch, step, count, sum, rows.length)
    if (!pause) continue
    await pause
    if (checkpoints?.due(false) && from < n) await checkpoints.write({ ...now, carry, step, total, health: checkup?.memory ?? null })
  }
  return { carry, step, total, from }
}
/** Batches of these rows, as the program of a training takes them. */
function read({ readers, most, batchSize }: Course, rows: Int32Array, batch: number): Batches {
  const [x, y] = readers.map(r => r.read(rows, [batch < batchSize ? 1 : most, batch]))
  return { x: fromArray(x!.array, x!.aval), y: fromArray(y!.array, y!.aval) }
}
const whole = (n: number): Tensor => tensor(n, { dtype: "i32" })

/** Judges an epoch whose steps are done, and tells so. */
async function endEpoch(course: Course, now: Snapshot, { carry, step, total }: Omit<Place, "from">, started: number): Promise<Snapshot> {
  const { training, validation: held, checkup, again } = course
  const [epoch, loss] = [now.epoch + 1, total / training.x.rows]
  const validation = held && (await again(() => course.measure(carry.params, carry.state, held)))
  const judged = validation?.loss ?? loss
  const better = judged < now.best.loss
  const kept = held ? { params: copyOf(carry.params), state: copyOf(carry.state) } : null
  course.tell(step, await again(() => checkup?.visit(carry, step, true)))
  course.events.push({
    ...{ event: "epoch", epoch, loss },
    ...(validation && { validation }),
    best: better,
    ...(now.plateau && { rateScale: now.plateau.scale }),
    seconds: course.watch.seconds() - started,
  })
  return {
    ...{ epoch, step, carry, total: 0, health: checkup?.memory ?? null },
    best: better ? { epoch, loss: judged, kept } : now.best,
    plateau: course.plateau?.update(now.plateau!, judged) ?? null,
  }
}

/** Bytes of batches that are handed to the program at a time. */
const STAGE = 1 << 20
/** How many batches the program takes at a time: few enough for the caches of the processor, and no more than there are. */
const batchesAtOnce = ({ x, y }: { x: Rows; y: Rows }, batchSize: number): number => {
  const bytes = [x, y].reduce((n, r) => n + size(r.shape) * bytesOf(r.dtype), 0) * batchSize
  return Math.max(1, Math.min(Math.floor(STAGE / bytes), Math.floor(x.rows / batchSize)))
}

const json = (config: unknown): Json => (config === undefined ? null : JSON.parse(JSON.stringify(config)))
