import type { Tree } from "../core/tree.ts"
import { packCheckpoint, unpackCheckpoint } from "../io/checkpoint.ts"
import { isObject, type Json } from "../io/json.ts"
import type { PlateauState } from "../optim/plateau.ts"
import { compiler } from "../runtime/program.ts"
import { readFolder, writeFolder } from "./folders.ts"
import { formOf, restore, tensorsOf } from "./forms.ts"
import type { Carry } from "./step.ts"
import { VERSION } from "./trained.ts"

/** The epoch with the smallest loss so far. */
export interface Best {
  readonly epoch: number
  readonly loss: number
  /** Its parameters and state; null where those of the carry are meant. */
  readonly kept: { readonly params: Tree; readonly state: Tree } | null
}
/** A training between two epochs: all that the rest depends on. */
export interface Snapshot {
  readonly epoch: number
  readonly step: number
  readonly carry: Carry
  readonly best: Best
  /** What a plateau rule knows; null without one. */
  readonly plateau: PlateauState | null
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

/** Writes a snapshot into the folder `dir`, whole or not at all. */
export async function writeCheckpoint(dir: string, { epoch, step, carry, best, plateau }: Snapshot, identity: Identity): Promise<void> {
  const { params, state, optimizer } = carry
  const forms = { params: formOf(params), state: formOf(state), optimizer: formOf(optimizer) }
  const { model, seed, ...settings } = identity
  const checkpoint = packCheckpoint({
    ...{ version: VERSION, step, epoch, seed, engine: compiler().main.name, simd: "v128", architecture: model },
    settings: {
      ...{ ...settings, forms, best: { epoch: best.epoch, loss: Number.isFinite(best.loss) ? best.loss : null } },
      ...(plateau && { plateau }),
    } as unknown as Json,
    ...{ parameters: tensorsOf(params), state: tensorsOf(state), optimizer: tensorsOf(optimizer) },
    ...(best.kept && { best: { ...tensorsOf(best.kept.params, "params/"), ...tensorsOf(best.kept.state, "state/") } }),
  })
  await writeFolder(dir, checkpoint)
}

/**
 * The snapshot in the folder `dir`, and what the user should know of it.
 *
 * @throws FormatError for a folder that is damaged or holds no checkpoint; TypeError for one of another training, which names what differs.
 */
export async function readCheckpoint(dir: string, identity: Identity): Promise<{ snapshot: Snapshot; notes: string[] }> {
  const { epoch, step, seed, engine, architecture, settings, parameters, state, optimizer, best } = unpackCheckpoint(
    await readFolder(dir),
    dir,
  )
  const { forms, best: judged, plateau, ...rest } = isObject(settings) ? settings : {}
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
      plateau: isObject(plateau) ? (plateau as unknown as PlateauState) : null,
    },
    notes:
      engine === now
        ? []
        : [`the checkpoint was written on the engine ${engine}, this is ${now}: the bits will differ from an unbroken run`],
  }
}
