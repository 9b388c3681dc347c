import type { Tree } from "../core/tree.ts"
import { packCheckpoint, unpackCheckpoint } from "../io/checkpoint.ts"
import { FormatError } from "../io/errors.ts"
import { isObject, type Json } from "../io/json.ts"
import type { PlateauState } from "../optim/plateau.ts"
import { compiler } from "../runtime/program.ts"
import { readFolder, removeFolder, writeFolder } from "./folders.ts"
import { formOf, restore, tensorsOf } from "./forms.ts"
import type { Memory } from "./health/checkup.ts"
import type { Carry } from "./step.ts"
import { VERSION } from "./trained.ts"

/** The epoch with the smallest loss so far. */
export interface Best {
  readonly epoch: number
  readonly loss: number
  /** Its parameters and state; null where those of the carry are meant. */
  readonly kept: { readonly params: Tree; readonly state: Tree } | null
}
/** A training between two steps: all that the rest depends on. */
export interface Snapshot {
  /** Epochs that are done. */
  readonly epoch: number
  /** Steps that are done; what is more than those of whole epochs belongs to an epoch that is not done. */
  readonly step: number
  /** Sum of the losses of that epoch's rows. */
  readonly total: number
  readonly carry: Carry
  readonly best: Best
  /** What a plateau rule knows; null without one. */
  readonly plateau: PlateauState | null
  /** What the looks at the training remember; null without them. */
  readonly health: Memory | null
}
/** What must be the same when a training goes on, as plain JSON. */
export interface Identity {
  readonly seed: number
  readonly model: Json
  readonly optimizer: Json
  readonly rule: Json
  readonly batchSize: number
  readonly rows: number
}

/** Where the last two checkpoints lie in turn: whatever happens to one, the other is whole. */
const PLACES = ["a", "b"] as const
/** Share of the time that may go into the checkpoints at the ends of short epochs. */
const SHARE = 0.03

/** The checkpoints of one training in a folder: when to write one, and where. */
export class Checkpoints {
  private readonly dir: string
  private readonly identity: Identity
  private readonly every: number
  private next = 0
  private older = true
  private step = -1
  private cost = 0
  private writtenAt = performance.now()
  /** `every`: seconds after which one is written amid an epoch. */
  constructor(dir: string, identity: Identity, every: number) {
    this.dir = dir
    this.identity = identity
    this.every = every
  }
  private place(i: number): string {
    return `${this.dir}/${PLACES[i]}`
  }

  /** Whether it is time to write one. */
  due(epochEnded: boolean): boolean {
    const waited = performance.now() - this.writtenAt
    return waited >= this.every * 1000 || (epochEnded && waited * SHARE >= this.cost)
  }

  /** Writes one, in the place of the older of the last two; does nothing if that step has been written already. */
  async write(snapshot: Snapshot): Promise<void> {
    if (snapshot.step === this.step) return
    const started = performance.now()
    // those of an earlier training would be taken for later ones of this
    if (this.older) for (const dir of [this.dir, this.place(1 - this.next)]) await removeFolder(dir)
    await writeCheckpoint(this.place(this.next), snapshot, this.identity)
    this.older = false
    this.next = 1 - this.next
    this.step = snapshot.step
    this.writtenAt = performance.now()
    this.cost = this.writtenAt - started
  }

  /**
   * The latest snapshot that is whole, and what the user should know of it.
   *
   * @throws FormatError if none is whole; DataError if there is none; TypeError for one of another training, which names what differs.
   */
  async read(): Promise<Found> {
    const found: (Found & { readonly i: number })[] = []
    const damaged: FormatError[] = []
    for (const i of PLACES.keys()) {
      try {
        found.push({ i, ...(await readCheckpoint(this.place(i), this.identity)) })
      } catch (error) {
        if (error instanceof FormatError) damaged.push(error)
        else if ((error as Error).name !== "DataError") throw error // DataError: there is none
      }
    }
    const latest = found.sort((a, b) => b.snapshot.step - a.snapshot.step)[0]
    if (!latest) {
      if (damaged[0]) throw damaged[0]
      const { snapshot, notes } = await readCheckpoint(this.dir, this.identity)
      return { snapshot, notes: [...notes, `${this.dir} is a checkpoint as adjoint 0.1.0 wrote them; the next one takes its place`] }
    }
    const { i, snapshot, notes } = latest
    this.next = 1 - i
    this.older = false
    this.step = snapshot.step
    return {
      snapshot,
      notes: [...damaged.map(e => `${e.message} The training goes on from step ${snapshot.step}, in ${this.place(i)}`), ...notes],
    }
  }
}

/** Writes a snapshot into the folder `dir`, whole or not at all. */
async function writeCheckpoint(dir: string, snapshot: Snapshot, identity: Identity): Promise<void> {
  await writeFolder(dir, packSnapshot(snapshot, identity))
}
function packSnapshot({ epoch, step, total, carry, best, plateau, health }: Snapshot, identity: Identity): Map<string, Uint8Array> {
  const { params, state, optimizer } = carry
  const forms = { params: formOf(params), state: formOf(state), optimizer: formOf(optimizer) }
  const { model, seed, ...settings } = identity
  return packCheckpoint({
    ...{ version: VERSION, step, epoch, seed, engine: compiler().main.name, simd: "v128", architecture: model },
    settings: {
      ...{ ...settings, forms, total, best: { epoch: best.epoch, loss: Number.isFinite(best.loss) ? best.loss : null } },
      ...(plateau && { plateau }),
      ...(health && { health }),
    } as unknown as Json,
    ...{ parameters: tensorsOf(params), state: tensorsOf(state), optimizer: tensorsOf(optimizer) },
    ...(best.kept && { best: { ...tensorsOf(best.kept.params, "params/"), ...tensorsOf(best.kept.state, "state/") } }),
  })
}

interface Found {
  readonly snapshot: Snapshot
  readonly notes: readonly string[]
}

/**
 * The snapshot in the folder `dir`, and what the user should know of it.
 *
 * @throws FormatError for a folder that is damaged or holds no checkpoint; TypeError for one of another training, which names what differs.
 */
async function readCheckpoint(dir: string, identity: Identity): Promise<Found> {
  const { epoch, step, seed, engine, architecture, settings, parameters, state, optimizer, best } = unpackCheckpoint(
    await readFolder(dir),
    dir,
  )
  const { forms, best: judged, plateau, total, health, ...rest } = isObject(settings) ? settings : {}
  // checkpoints from before there were rules do not name theirs
  const saved: Record<string, unknown> = { rule: { kind: "backprop" }, ...rest, seed, model: architecture }
  for (const [name, now] of Object.entries(identity)) {
    const [before, after] = [JSON.stringify(saved[name]), JSON.stringify(now)]
    if (before !== after)
      throw new TypeError(
        `resume: ${dir} is of a training with another ${name}: ${before?.slice(0, 200)}, now ${after.slice(0, 200)}. ` +
          "Go on with what it was started with, or start anew without resume",
      )
  }
  const form = isObject(forms) ? forms : {}
  const { epoch: bestEpoch, loss } = isObject(judged) ? judged : {}
  const carry = {
    params: restore(form.params, parameters),
    state: restore(form.state, state),
    optimizer: restore(form.optimizer, optimizer),
  }
  const kept = best ? { params: restore(form.params, best, "params/"), state: restore(form.state, best, "state/") } : null
  const now = compiler().main.name
  return {
    snapshot: {
      ...{ epoch, step, carry, best: { epoch: Number(bestEpoch ?? 0), loss: typeof loss === "number" ? loss : Infinity, kept } },
      // checkpoints from before there were any amid epochs hold neither sums nor memories
      ...{ total: typeof total === "number" ? total : 0, health: isObject(health) ? (health as unknown as Memory) : null },
      plateau: isObject(plateau) ? (plateau as unknown as PlateauState) : null,
    },
    notes:
      engine === now
        ? []
        : [`the checkpoint was written on the engine ${engine}, this is ${now}: the bits will differ from an unbroken run`],
  }
}
