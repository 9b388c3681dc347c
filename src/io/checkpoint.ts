import { FormatError } from "./errors.ts"
import { isObject, type Json } from "./json.ts"
import { type PackedModel, packModel, unpackModel } from "./model.ts"
import type { StoredTensor, StoredTensors } from "./safetensors.ts"

/** A training interrupted between two steps: everything that the next step depends on. */
export interface Checkpoint {
  /** The version of adjoint that wrote it. */
  readonly version: string
  /** Steps done. */
  readonly step: number
  /** Epochs done. */
  readonly epoch: number
  readonly seed: number
  /** The engine that ran the steps, and its SIMD mode; others may round differently. */
  readonly engine: string
  readonly simd: string
  readonly architecture: Json
  readonly encoding?: Json
  /** The settings of the training, as its author needs them to go on. */
  readonly settings?: Json
  /** The model's weights. */
  readonly parameters: StoredTensors
  /** State of layers, such as the averages of batch normalisation. */
  readonly state: StoredTensors
  /** State of the optimizer, such as Adam's moments. */
  readonly optimizer: StoredTensors
  /** Parameters and state of the best epoch so far, where they are not those above. */
  readonly best?: StoredTensors
}

const GROUPS = ["parameters", "state", "optimizer", "best"] as const

/**
 * Packs a checkpoint into files of the same form as a model's, of kind `checkpoint`, with tensors named `parameters/...`, `state/...`,
 * `optimizer/...` and `best/...`.
 *
 * @throws FormatError as `packModel` does.
 * @example
 * const now = { version: "0.1.0", step: 10, epoch: 1, seed: 0, engine: "js", simd: "none", architecture: null }
 * const files = packCheckpoint({ ...now, parameters: {}, state: {}, optimizer: {} })
 * const names = [...files.keys()]  // ["model.json", "weights.safetensors"]
 */
export function packCheckpoint(checkpoint: Checkpoint): Map<string, Uint8Array> {
  const { version, architecture, encoding, settings, step, epoch, seed, engine, simd } = checkpoint
  const tensors = Object.fromEntries(
    GROUPS.flatMap(group => Object.entries(checkpoint[group] ?? {}).map(([name, tensor]) => [`${group}/${name}`, tensor])),
  )
  const training = { step, epoch, seed, engine, simd, ...(settings === undefined ? {} : { settings }) }
  return packModel({ kind: "checkpoint", version, architecture, ...(encoding === undefined ? {} : { encoding }), training, tensors })
}

/**
 * Unpacks a checkpoint, checked as `unpackModel` does.
 *
 * @param where the folder's name, for messages
 * @throws FormatError as `unpackModel` does, and for a folder that holds a model but no checkpoint.
 * @example
 * const now = { version: "0.1.0", step: 10, epoch: 1, seed: 0, engine: "js", simd: "none", architecture: null }
 * unpackCheckpoint(packCheckpoint({ ...now, parameters: {}, state: {}, optimizer: {} })).step  // 10
 */
export function unpackCheckpoint(files: ReadonlyMap<string, Uint8Array>, where = "checkpoint folder"): Checkpoint {
  const packed = unpackModel(files, where)
  if (packed.kind !== "checkpoint") {
    throw new FormatError(
      `${where} holds a ${packed.kind}, not a checkpoint, so training cannot go on from it. Name a checkpoint's folder.`,
    )
  }
  const { version, architecture, encoding, training, tensors } = packed
  const { step, epoch, seed, engine, simd, settings } = checkTraining(training, where)
  const [parameters, state, optimizer, best] = GROUPS.map(group => tensorsOf(tensors, group)) as [
    StoredTensors,
    StoredTensors,
    StoredTensors,
    StoredTensors,
  ]
  return {
    ...{ version, step, epoch, seed, engine, simd, architecture, parameters, state, optimizer },
    ...(encoding === undefined ? {} : { encoding }),
    ...(settings === undefined ? {} : { settings }),
    ...(Object.keys(best).length === 0 ? {} : { best }),
  }
}

type Training = Pick<Checkpoint, "step" | "epoch" | "seed" | "engine" | "simd" | "settings">

function checkTraining(training: PackedModel["training"], where: string): Training {
  const { step, epoch, seed, engine, simd } = isObject(training) ? training : {}
  const counts = [step, epoch].every(n => Number.isSafeInteger(n) && (n as number) >= 0)
  if (!counts || !Number.isSafeInteger(seed) || typeof engine !== "string" || typeof simd !== "string") {
    throw new FormatError(
      `${where} is damaged: a checkpoint's step, epoch and seed are whole numbers, its engine and simd are text. Use a copy.`,
    )
  }
  return training as unknown as Training
}

function tensorsOf(tensors: StoredTensors, group: string): StoredTensors {
  const found: Record<string, StoredTensor> = Object.create(null)
  for (const [name, tensor] of Object.entries(tensors)) if (name.startsWith(`${group}/`)) found[name.slice(group.length + 1)] = tensor
  return found
}
