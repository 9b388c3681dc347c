// Members of a sweep that are trained together, in one program.
import { size } from "../../core/aval.ts"
import { type Concrete, storedOf, tensor } from "../../core/concrete.ts"
import { bytesOf, type TypedArray } from "../../core/dtype.ts"
import type { Tensor } from "../../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../../core/tree.ts"
import { shuffle } from "../../data/split.ts"
import * as random from "../../ops/random.ts"
import { type Measured, batches as ranges } from "../evaluate.ts"
import type { EventStream } from "../events.ts"
import { startOf } from "../rule.ts"
import type { Carry } from "../step.ts"
import type { Trainable } from "../trainable.ts"
import { copyOf } from "../trained.ts"
import type { Watch } from "../watch.ts"
import type { EpochOfMember, SweepEvent } from "./events.ts"
import type { Gather } from "./gather.ts"
import { entry, stack } from "./lift.ts"
import type { Member } from "./members.ts"
import { type Common, compileAll, type Maker, type Programs } from "./programs.ts"

/** Bytes of batches that are handed to the program at a time. */
const STAGE = 1 << 20

/** What all groups are trained with. */
export interface Plan extends Common {
  readonly validation: Common["rows"] | undefined
  readonly epochs: number
  readonly batchSize: number
  readonly patience: number
  readonly signal: AbortSignal | undefined
}

/** Members that one program trains. */
export interface Group {
  readonly group: number
  readonly members: readonly Member<unknown>[]
  /** One for each choice of settings, and for each member which one is its own. */
  readonly makers: readonly Maker[]
  readonly of: readonly number[]
}

/** Where rows are read from; a `Gather` is for all programs of a sweep. */
export interface Sources {
  readonly x: Gather
  readonly y: Gather
  readonly validation: { readonly x: Gather; readonly y: Gather; readonly rows: number } | undefined
}

/** How a member is doing. */
export interface Standing {
  /** Epochs that were finished. */
  epochs: number
  bestEpoch: number
  /** Mean training loss over the best epoch. */
  loss: number
  /** On the validation rows, after the best epoch. */
  validation: Measured | undefined
  diverged: { readonly epoch: number; readonly step: number } | undefined
  model: Trainable
  kept: { readonly params: Tree; readonly state: Tree } | undefined
}

/** What the best epoch is chosen by. */
export const score = ({ validation, loss }: Pick<Standing, "loss" | "validation">): number => validation?.loss ?? loss

/** Parameters, state of the layers and of the optimizer before the first step, as `fit` has them. */
export function firstCarry({ model, optimizer }: Pick<Maker, "model" | "optimizer">, { rule, rows }: Common, seed: number): Tree & Carry {
  const root = random.key(seed)
  const { params, state } = model.init(random.fold(root, 0), rows.x.shape)
  return { params, state, optimizer: startOf(rule, optimizer, model, params, rows.x.shape, random.fold(root, 2)) }
}

/** Trains the members of one program: first weights, order of rows and dropout of each are those of its seed, as `fit` has them. */
export class Training {
  readonly standings: readonly Standing[]
  private readonly group: Group
  private readonly plan: Plan
  private readonly sources: Sources
  private readonly events: EventStream<SweepEvent>
  private readonly programs: Programs
  private readonly keys: Tensor
  /** Whether all members have one seed and so see the same rows. */
  private readonly shared: boolean
  private carry: Tensor[]
  private step = 0

  constructor(group: Group, plan: Plan, sources: Sources, events: EventStream<SweepEvent>) {
    ;[this.group, this.plan, this.sources, this.events] = [group, plan, sources, events]
    const { members, makers, of } = group
    this.standings = members.map((_, i) => ({ ...UNTRAINED, model: makers[of[i]!]!.model }))
    this.shared = members.every(m => m.seed === members[0]!.seed)
    const carries = members.map((m, i) => leaves(firstCarry(makers[of[i]!]!, plan, m.seed)))
    const batch = Math.min(plan.batchSize, plan.rows.x.rows)
    const canBeLast = sources.x.isHeld && sources.y.isHeld
    this.programs = compileAll({ makers, of, batch, alike: alike(carries), shared: this.shared, canBeLast }, plan)
    const { mapped, last } = this.programs
    this.carry = mapped.map((m, k) => {
      const own = carries.map(c => c[k]!)
      return m ? stack(own, last) : (copyOf(own[0]!) as Tensor)
    })
    const keys = members.map(m => random.fold(random.key(m.seed), 1))
    this.keys = this.shared ? keys[0]! : stack(keys, last)
  }

  /** Trains all epochs, or until all members have diverged or lost patience. */
  async train(watch: Watch, before: number): Promise<"done" | "aborted"> {
    const { epochs, signal } = this.plan
    // how many steps fit into the time until the next visit to the event loop is not known of this program
    await watch.rest()
    for (let epoch = 1; epoch <= epochs && this.learning().length > 0; epoch++) {
      const started = performance.now()
      const totals = await this.epoch(epoch, watch, before)
      if (!totals) break
      this.judge(epoch, totals, started)
      await watch.rest()
    }
    for (const i of this.standings.keys()) this.keep(i, false)
    return signal?.aborted ? "aborted" : "done"
  }

  /** Numbers of the members that go on. */
  private learning(): number[] {
    const { patience } = this.plan
    return [...this.standings.keys()].filter(i => {
      const { diverged, epochs, bestEpoch } = this.standings[i]!
      return !diverged && !(epochs > 0 && epochs - bestEpoch >= patience)
    })
  }

  /** Sums of the members' losses over all rows; undefined if the epoch was not finished. */
  private async epoch(epoch: number, watch: Watch, before: number): Promise<Float64Array | undefined> {
    const { batchSize, rows, signal } = this.plan
    const n = rows.x.rows
    const totals = new Float64Array(this.standings.length)
    const orders = this.orders(epoch)
    const across = this.programs.last && !this.shared ? sideBySide(orders) : undefined
    const most = this.batchesAtOnce()
    for (let from = 0; from < n; ) {
      if (signal?.aborted) return undefined
      // the last batch may be a short one, which is a program of its own
      const batch = Math.min(batchSize, n - from)
      const count = batch < batchSize ? 1 : Math.min(watch.steps(), most, Math.floor((n - from) / batchSize))
      const rows = across
        ? across.subarray(from * orders.length, (from + count * batch) * orders.length)
        : this.rowsOf(orders, from, count, batch)
      const losses = this.run(rows, batch < batchSize ? 1 : most, batch, count)
      const sum = this.saw(losses, epoch, count, batch, totals)
      from += count * batch
      const pause = watch.saw(epoch, before + this.step, count, sum, count * batch * this.standings.length)
      if (pause) await pause
    }
    return totals
  }

  /** The order of the rows for each member, or one for all. */
  private orders(epoch: number): Int32Array[] {
    const { members } = this.group
    const known = new Map<number, Int32Array>()
    for (const { seed } of members) if (!known.has(seed)) known.set(seed, shuffle(this.plan.rows.x.rows, seed, epoch))
    return this.shared ? [...known.values()] : members.map(m => known.get(m.seed)!)
  }

  /** Rows of `count` batches, those of one step side by side. */
  private rowsOf(orders: readonly Int32Array[], from: number, count: number, batch: number): Int32Array {
    const rows = new Int32Array(count * orders.length * batch)
    let next = 0
    for (let start = from; start < from + count * batch; start += batch)
      for (const order of orders) {
        for (let i = start; i < start + batch; i++) rows[next++] = order[i]!
      }
    return rows
  }

  private run(rows: Int32Array, most: number, batch: number, count: number): TypedArray {
    const { x, y } = this.sources
    const [first, steps] = [this.step, count].map(i => tensor(i, { dtype: "i32" })) as [Tensor, Tensor]
    const members = this.standings.length
    const read = (from: Gather): Tensor => {
      if (this.shared) return from.read(rows, [most, batch])
      return this.programs.last ? from.readAcross(rows, [most, members, batch]) : from.read(rows, [most, members, batch])
    }
    const batches = { x: read(x), y: read(y) }
    let losses: Tensor
    ;[this.carry, losses] = this.programs.run(this.carry, batches, this.keys, first, steps)
    return losses.values()
  }

  /** Adds losses [count, members] to the totals and marks who has diverged; returns the mean over members of the sum over rows, for show. */
  private saw(losses: TypedArray, epoch: number, count: number, batch: number, totals: Float64Array): number {
    const n = this.standings.length
    let [sum, sound] = [0, 0]
    for (let k = 0; k < count; k++) {
      this.step++
      for (let i = 0; i < n; i++) {
        const loss = losses[k * n + i]!
        const standing = this.standings[i]!
        if (standing.diverged) continue
        if (!Number.isFinite(loss)) {
          standing.diverged = { epoch, step: this.step }
          this.events.push({ event: "diverged", member: this.group.members[i]!.member, epoch, step: this.step })
          continue
        }
        totals[i]! += loss * batch
        sum += loss * batch
        sound++
      }
    }
    return sound ? (sum / sound) * count * n : Number.NaN
  }

  /** Measures the members that learn and keeps what is best. */
  private judge(epoch: number, totals: Float64Array, started: number): void {
    const { validation } = this.sources
    const measured = validation && this.measure(validation)
    const { members } = this.group
    const told = this.learning().map((i): EpochOfMember => {
      const standing = this.standings[i]!
      const now = { loss: totals[i]! / this.plan.rows.x.rows, validation: measured?.[i] }
      const best = score(now) < score(standing)
      standing.epochs = epoch
      if (best) Object.assign(standing, { bestEpoch: epoch, ...now })
      if (best && validation) this.keep(i, true)
      return { member: members[i]!.member, loss: now.loss, ...(now.validation && { validation: now.validation }), best }
    })
    // without validation rows the last parameters count, also of those that stop now
    const goOn = this.learning()
    for (const { member } of told) {
      const i = members.findIndex(m => m.member === member)
      if (!goOn.includes(i)) this.keep(i, false)
    }
    this.events.push({ event: "epoch", program: this.group.group, epoch, members: told, seconds: (performance.now() - started) / 1000 })
  }

  /** Loss and metrics of each member over the validation rows. */
  private measure({ x, y, rows }: NonNullable<Sources["validation"]>): Measured[] {
    const names = Object.keys(this.plan.metrics)
    const n = this.standings.length
    const totals = Array.from({ length: n }, () => new Float64Array(names.length + 1))
    for (const [from, to] of ranges(rows, Math.max(16, Math.min(1000, Math.ceil(8000 / n))))) {
      const some = Int32Array.from({ length: to - from }, (_, i) => from + i)
      const values = this.programs.measure(this.carry, x.read(some, [to - from]), y.read(some, [to - from]))
      values.forEach((v, k) => v.values().forEach((value, i) => void (totals[i]![k]! += value * (to - from))))
    }
    return totals.map(([loss, ...rest]) => ({
      loss: loss! / rows,
      ...Object.fromEntries(names.map((name, k) => [name, rest[k]! / rows])),
    }))
  }

  /** Copies a member's parameters out of the program's memory. */
  private keep(i: number, again: boolean): void {
    const standing = this.standings[i]!
    if (standing.diverged || (standing.kept && !again)) return
    const { mapped, last } = this.programs
    const own = this.carry.map((x, k) => (mapped[k] ? entry(x, i, last) : x))
    const { params, state } = rebuild(this.group.makers[this.group.of[i]!]!.carry, own)
    standing.kept = { params: copyOf(params), state: copyOf(state) }
  }

  /** How many batches the program takes at a time: few enough for the caches of the processor. */
  private batchesAtOnce(): number {
    const { rows, batchSize } = this.plan
    const bytes = [rows.x, rows.y].reduce((n, r) => n + size(r.shape) * bytesOf(r.dtype), 0) * batchSize
    const each = bytes * (this.shared ? 1 : this.standings.length)
    return Math.max(1, Math.min(Math.floor(STAGE / each), Math.floor(rows.x.rows / batchSize)))
  }
}

const UNTRAINED = { epochs: 0, bestEpoch: 0, loss: Infinity, validation: undefined, diverged: undefined, kept: undefined }

/** Which leaves are the same in all members. */
const alike = (carries: readonly (readonly Tensor[])[]): boolean[] =>
  carries[0]!.map((x, k) => {
    const first = storedOf(x as Concrete)
    return carries.every(c => storedOf(c[k] as Concrete).every((value, i) => Object.is(value, first[i])))
  })

/** Orders [members][rows] as [rows, members]. */
function sideBySide(orders: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(orders.length * orders[0]!.length)
  let next = 0
  for (let i = 0; next < all.length; i++) for (const order of orders) all[next++] = order[i]!
  return all
}
