// When to look at a training, and what is remembered between two looks.
import { type Concrete, fromArray, tensor } from "../../core/concrete.ts"
import { bytesOf, isFloating, type TypedArray } from "../../core/dtype.ts"
import type { Tensor } from "../../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../../core/tree.ts"
import { shuffle } from "../../data/split.ts"
import { fold } from "../../ops/random.ts"
import { BatchReader, type Rows } from "../rows.ts"
import type { Carry, RunSteps } from "../step.ts"
import type { Loss, Optimizer, Trainable } from "../trainable.ts"
import { type Facts, factsOf } from "./facts.ts"
import { type Finding, type FindingKind, KINDS } from "./finding.ts"
import { divergedFinding, judge } from "./judge.ts"
import { baselineOf, LossHistory, type LossMemory, type LossParts, partsOfLoss } from "./losses.ts"
import { type Origin, originOf } from "./origin.ts"
import { type Probe, probeOf } from "./probe.ts"
import type { History } from "./view.ts"
import { type Vitals, vitalsOf } from "./vitals.ts"

/** A training as `fit` knows it. */
export interface Training {
  readonly model: Trainable
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly x: Rows
  readonly y: Rows
  /** Rows that are trained on: of lazy data, `x` and `y` are but some. */
  readonly of: number
  /** Of lazy data: whether all rows of `x` and `y` are there yet. */
  readonly full?: () => boolean
  readonly batchSize: number
  readonly seed: number
  /** Key of all steps. */
  readonly keys: Tensor
  /** The compiled steps, and how many whole batches they take at a time. */
  readonly runSteps: RunSteps
  readonly most: number
}
interface Snapshot {
  readonly step: number
  readonly carry: Carry
}

/** What is remembered when a training goes on after a break, as plain JSON: nothing is told twice. */
export interface Memory {
  readonly told: readonly string[]
  readonly kinds: readonly FindingKind[]
  readonly losses: LossMemory
}

/** Without a number of steps: milliseconds before the first look unless an epoch ends before, and share of the time for looks. */
const FIRST = 2000
const SHARE = 0.01
/** Bytes of parameters, state and optimizer up to which copies are kept. */
const COPIED = 1 << 26
/** Looks that are remembered beside the first one. */
const LOOKS = 8
/** Steps that are run again, and milliseconds that they may have taken, to find out where a NaN comes from. */
const REPLAYED = 20_000
const REPLAYED_MS = 10_000
/** Steps before the one that failed that are looked into one by one. */
const CLOSE = 4
/** Batches that are looked at when the training has ended. */
const AT_END = 4

/** Looks at a training now and then. Nothing that it does changes the training. */
export class Checkup {
  private readonly training: Training
  private readonly every: number | true
  private readonly probe: Probe
  private readonly readers: readonly [BatchReader, BatchReader]
  private readonly losses = new LossHistory()
  private readonly told = new Set<string>()
  private readonly kinds = new Set<FindingKind>()
  private readonly fromStart: boolean
  private readonly small: boolean
  private known: Known | undefined
  private looks: Vitals[] = []
  private snapshot: Snapshot | undefined
  private lookedAt = performance.now()
  private snapshotAt = performance.now()
  private cost = 0

  constructor(training: Training, every: number | true, carry: Carry, step: number) {
    this.training = training
    this.every = every
    this.probe = probeOf(training.model, training.loss)
    this.readers = [new BatchReader(training.x), new BatchReader(training.y)]
    this.fromStart = step === 0
    this.small = leaves(carry as unknown as Tree).reduce((n, x) => n + x.size * bytesOf(x.dtype), 0) <= COPIED
    if (this.small) this.snapshot = { step, carry: copied(carry) }
  }

  get memory(): Memory {
    return { told: [...this.told], kinds: [...this.kinds], losses: this.losses.memory }
  }
  set memory({ told, kinds, losses }: Memory) {
    for (const name of told) this.told.add(name)
    for (const kind of kinds) this.kinds.add(kind)
    this.losses.memory = losses
  }

  /** How many of the next steps may be done before the next look. */
  room(step: number, steps: number): number {
    return this.every === true ? steps : Math.min(steps, this.every - (step % this.every))
  }

  /** Losses of steps that were done. */
  saw(losses: ArrayLike<number>, count: number): void {
    for (let i = 0; i < count; i++) this.losses.add(losses[i]!)
  }

  /** What is new, if it is time to look. `carry` is the state before step `step`; it stays what it is. */
  visit(carry: Carry, step: number, epochEnded = false): Finding[] {
    return this.hasRows && this.isDue(step, epochEnded) ? this.examine(carry, step, false) : []
  }

  /** What is new when all steps are done. */
  end(carry: Carry, step: number): Finding[] {
    if (this.losses.steps === 0 || !this.hasRows) return []
    for (let i = AT_END - 1; i > 0; i--) if (step - i > 0) this.look(carry, step, step - 1 - i)
    return this.examine(carry, step, true)
  }

  /** Where the first number that is not finite came from, for a loss that was none at step `step`. Evidence counts steps from 1. */
  explain(step: number, loss: number): Finding | undefined {
    if (this.training.x.rows === 0) return undefined
    try {
      const found = this.replay(step)
      if ((found || this.training.full) && this.looks.length === 0) this.look(this.snapshot!.carry, this.snapshot!.step)
      if (found && found.before.step > this.looks.at(-1)!.step) this.look(found.before.carry, found.before.step)
      return this.looks.length ? divergedFinding(this.history(true), (found?.before.step ?? step) + 1, loss, found?.origin) : undefined
    } catch {
      // the training has failed already: an explanation that fails too must not hide why
      return undefined
    }
  }

  private get hasRows(): boolean {
    return this.training.full?.() ?? true
  }
  private isDue(step: number, epochEnded: boolean): boolean {
    if (this.every !== true) return step % this.every === 0 && this.looks.at(-1)?.step !== step
    const waited = performance.now() - this.lookedAt
    return this.looks.length === 0 ? epochEnded || waited > FIRST : waited * SHARE > this.cost
  }

  private examine(carry: Carry, step: number, final: boolean): Finding[] {
    const started = performance.now()
    const found: Finding[] = []
    if (this.looks.length === 0 && this.snapshot && this.snapshot.step < step) {
      const { carry: first, step: at } = this.snapshot
      this.look(first, at)
      found.push(...judge(this.history(false)))
    }
    // after the last step there is no next batch: the last one is taken again
    this.look(carry, step, final ? step - 1 : step)
    found.push(...judge(this.history(final)))
    this.lookedAt = performance.now()
    this.cost = this.lookedAt - started
    return this.fresh(found)
  }

  /** Findings that have not been told yet, worst first. */
  private fresh(found: readonly Finding[]): Finding[] {
    const isNew = ({ kind, layer }: Finding): boolean => {
      const name = `${kind} ${layer}`
      return !this.told.has(name) && this.told.add(name) !== undefined
    }
    for (const { kind } of found) this.kinds.add(kind)
    return found.filter(isNew).sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
  }

  private history(final: boolean): History {
    const { of, batchSize } = this.training
    const { inputs, targets, parts, baseline } = this.facts()
    return {
      ...{
        inputs,
        targets,
        loss: parts,
        baseline,
        losses: this.losses,
        looks: this.looks,
        fromStart: this.fromStart,
        final,
        told: this.kinds,
      },
      ...{ batch: Math.min(batchSize, of), rows: of, weightDecay: decays(this.training.optimizer.config) },
    }
  }

  private facts(): Known {
    if (this.known) return this.known
    const { loss, x, y } = this.training
    const [inputs, targets] = [factsOf(x), factsOf(y)]
    const { output } = this.probe
    const parts = partsOfLoss(loss, output, { shape: [output.shape[0]!, ...y.shape], dtype: y.dtype })
    return (this.known = { inputs, targets, parts, baseline: baselineOf(parts, targets) })
  }

  /** Adds the vitals of `carry`, the state before step `step`, to the looks, on the batch of step `on`. */
  private look(carry: Carry, step: number, on = step): void {
    const { keys } = this.training
    const own = this.small ? copied(carry) : undefined
    const first = this.wholeBatch(on)
    const { x, y } = this.read(first)
    const readings = this.probe.run(carry.params, carry.state, x, y, fold(keys, tensor(step, { dtype: "i32" })))
    const before = own ? arraysOf(own.params) : leaves(carry.params).map(x => numbersOf(x).slice())
    const after = own ? this.updated(own, step, first) : undefined
    const inputs = isFloating(x.dtype) ? x.values() : null
    const vitals = vitalsOf(step, this.probe.sites, readings, carry.params, before, after, inputs)
    if (this.looks.length > LOOKS) this.looks.splice(1, 1)
    this.looks.push(vitals)
    if (!own || (this.snapshot && this.snapshot.step > step)) return
    this.snapshot = { step, carry: own }
    this.snapshotAt = performance.now()
  }

  /** Parameters after one more step, which is done on copies by the program that the training has compiled already. */
  private updated(own: Carry, step: number, rows: Batch): TypedArray[] {
    const [next] = this.run(copied(own), step, rows, 1)
    return arraysOf(next.params)
  }

  // Batches as `fit` makes them

  /** Rows of the batches from step `step` on, at most `most` of them and only one if it is short. */
  private batches(step: number, most: number): Batch {
    const { x, batchSize, seed } = this.training
    const each = Math.ceil(x.rows / batchSize)
    const from = (step % each) * batchSize
    const size = Math.min(batchSize, x.rows - from)
    const count = size < batchSize ? 1 : Math.min(most, Math.floor((x.rows - from) / batchSize))
    const order = shuffle(x.rows, seed, Math.floor(step / each) + 1)
    return { rows: order.subarray(from, from + count * size), size, count }
  }
  /** The batch of a step; where that is a short one, the one before it, so that one program does. */
  private wholeBatch(step: number): Batch {
    const batch = this.batches(step, 1)
    return batch.size < this.training.batchSize && step > 0 ? this.batches(step - 1, 1) : batch
  }
  private read({ rows, size }: Batch, lead: readonly number[] = [size]): { x: Tensor; y: Tensor } {
    const [x, y] = this.readers.map(r => r.read(rows, lead))
    // the reader uses its arrays again, and tensors keep theirs
    return { x: fromArray(x!.array.slice(), x!.aval), y: fromArray(y!.array.slice(), y!.aval) }
  }
  /** Some steps on a state that they may use up. */
  private run(carry: Carry, step: number, batch: Batch, steps: number): [Carry, TypedArray] {
    const { runSteps, keys, most, batchSize } = this.training
    const data = this.read(batch, [batch.size < batchSize ? 1 : most, batch.size])
    const [first, count] = [step, steps].map(i => tensor(i, { dtype: "i32" })) as [Tensor, Tensor]
    const [next, losses] = runSteps(carry, data, keys, first, count)
    return [next, losses.values().subarray(0, steps)]
  }

  /** Goes through the steps from the last snapshot on again, and finds out what happened in the first one that failed. */
  private replay(step: number): { readonly before: Snapshot; readonly origin: Origin | undefined } | undefined {
    const { snapshot, training } = this
    // the batches of lazy data do not come again
    if (training.full || !snapshot || step - snapshot.step > REPLAYED || performance.now() - this.snapshotAt > REPLAYED_MS) return undefined
    let carry = copied(snapshot.carry)
    let at = snapshot.step
    while (at < step - CLOSE) {
      const batch = this.batches(at, Math.min(training.most, step - CLOSE - at))
      ;[carry] = this.run(carry, at, batch, batch.count)
      at += batch.count
    }
    for (; at <= step; at++) {
      const before = { step: at, carry: copied(carry) }
      const batch = this.batches(at, 1)
      const [next, losses] = this.run(carry, at, batch, 1)
      carry = next
      if (Number.isFinite(losses[0]) && arraysOf(carry.params).every(allFinite)) continue
      const { x, y } = this.read(batch)
      return { before, origin: originOf(training, before.carry, x, y, fold(training.keys, tensor(at, { dtype: "i32" }))) }
    }
    return undefined
  }
}

interface Known {
  readonly inputs: Facts
  readonly targets: Facts
  readonly parts: LossParts
  readonly baseline: number | undefined
}
/** Rows of `count` batches of one size. */
interface Batch {
  readonly rows: Int32Array
  readonly size: number
  readonly count: number
}

/** The numbers of a tensor where they lie: to be copied at once. */
const numbersOf = (x: Tensor): TypedArray => (x as Concrete).storage.settled().view()
const arraysOf = (t: Tree): TypedArray[] => leaves(t).map(x => numbersOf(x).slice())
/** A state that no later step overwrites. */
function copied(carry: Carry): Carry {
  const xs = leaves(carry as unknown as Tree)
  return rebuild(
    carry as unknown as Tree,
    xs.map(x => fromArray(numbersOf(x).slice(), x.aval)),
  )
}
const allFinite = (x: TypedArray): boolean => x.every(Number.isFinite)

function decays(config: unknown): boolean {
  return JSON.stringify(config ?? null).match(/"weightDecay":(0\.\d*[1-9]|[1-9])/) !== null
}
