import { FormatError } from "./errors.ts"
import { isObject, type Json, jsonBytes, parseJson } from "./json.ts"
import { readSafetensors, type StoredTensors, writeSafetensors } from "./safetensors.ts"
import { sha256 } from "./sha256.ts"

/** The format of model folders that this version writes, and the newest that it reads. Format 1 left its own version out of the checksum. */
export const FORMAT = 2
/** The file that says what a model is; a folder with it is a model folder. */
export const MODEL_JSON = "model.json"
/** The file that holds a model's numbers. */
export const WEIGHTS = "weights.safetensors"
/** All files of a model folder. */
export const MODEL_FILES: readonly string[] = [MODEL_JSON, WEIGHTS]

/** A model as plain data, ready to be written or just read. */
export interface PackedModel {
  /** What the folder holds: `model`, or `checkpoint` for a training that can go on. */
  readonly kind: string
  /** The version of adjoint that wrote it, for messages. */
  readonly version: string
  /** What the layers are. */
  readonly architecture: Json
  /** How tables become inputs and outputs become answers. */
  readonly encoding?: Json
  /** How it was trained. */
  readonly training?: Json
  readonly tensors: StoredTensors
}

/**
 * Packs a model into the files of its folder: `model.json`, which describes it and holds the checksums, and `weights.safetensors`. The
 * same model gives the same bytes: nothing in them tells the time or the machine.
 *
 * @throws FormatError for values that JSON cannot hold, or tensors that do not fit their shapes.
 * @example
 * const w = { dtype: "f32", shape: [2], data: new Float32Array([1, 2]) } as const
 * const files = packModel({ kind: "model", version: "0.1.0", architecture: ["dense", 2, 1], tensors: { w } })
 * const names = [...files.keys()]  // ["model.json", "weights.safetensors"]
 */
export function packModel({ kind, version, architecture, encoding, training, tensors }: PackedModel): Map<string, Uint8Array> {
  const weights = writeSafetensors(tensors)
  const content = {
    kind,
    architecture,
    ...(encoding === undefined ? {} : { encoding }),
    ...(training === undefined ? {} : { training }),
    files: { [WEIGHTS]: { sha256: sha256(weights), bytes: weights.length } },
  }
  const json = { adjoint: { format: FORMAT, version, sha256: checksum(FORMAT, version, content) }, ...content }
  return new Map([
    [MODEL_JSON, jsonBytes(json, "model")],
    [WEIGHTS, weights],
  ])
}

/**
 * Unpacks the files of a model folder, after checking that they are whole, unchanged and of a known format. They are read as data;
 * nothing in them is run. `architecture`, `encoding` and `training` are JSON of any form, to be checked by those who use them.
 *
 * @param where the folder's name, for messages
 * @throws FormatError for a file that is missing, changed or damaged, or a format newer than this version knows.
 * @example
 * const files = packModel({ kind: "model", version: "0.1.0", architecture: ["dense", 2, 1], tensors: {} })
 * unpackModel(files).architecture  // ["dense", 2, 1]
 */
export function unpackModel(files: ReadonlyMap<string, Uint8Array>, where = "model folder"): PackedModel {
  const file = files.get(MODEL_JSON)
  if (file === undefined)
    throw new FormatError(`${where} has no ${MODEL_JSON}, so it is not an adjoint model. Name the folder that a training wrote.`)
  const name = `${where}/${MODEL_JSON}`
  const json = parseJson(file, name)
  if (!isObject(json) || !isObject(json.adjoint))
    throw new FormatError(`${name} does not describe an adjoint model: it has no field "adjoint".`)
  const { adjoint, ...content } = json
  const { format, version } = adjoint as Record<string, unknown>
  if (!Number.isSafeInteger(format) || (format as number) < 1)
    throw damaged(name, `adjoint.format is ${JSON.stringify(format)}, no whole number from 1`)
  if ((format as number) > FORMAT) {
    throw new FormatError(
      `${name} has format ${format}, written by adjoint ${String(version)}; this version reads up to format ${FORMAT}. ` +
        "Update adjoint: npm install adjoint@latest",
    )
  }
  if (typeof version !== "string" || typeof content.kind !== "string") throw damaged(name, "adjoint.version and kind should be text")
  const sum = checksumOrNone(format as number, version, content as Json)
  if ((adjoint as Record<string, unknown>).sha256 !== sum || (format !== 1 && !isAsWritten(file, json))) {
    throw damaged(name, "its content does not fit its checksum: it was changed after it was saved")
  }
  const weights = checkedFile(files, content.files, where)
  const { kind, architecture = null, encoding, training } = content as Record<string, Json> & { kind: string }
  return {
    kind,
    version,
    architecture,
    ...(encoding === undefined ? {} : { encoding }),
    ...(training === undefined ? {} : { training }),
    tensors: readSafetensors(weights).tensors,
  }
}

function checkedFile(files: ReadonlyMap<string, Uint8Array>, listed: unknown, where: string): Uint8Array {
  const entry = isObject(listed) ? listed[WEIGHTS] : undefined
  if (!isObject(entry)) throw damaged(`${where}/${MODEL_JSON}`, `files lists no ${WEIGHTS}`)
  const weights = files.get(WEIGHTS)
  if (weights === undefined)
    throw new FormatError(`${where} has no ${WEIGHTS}, so the model is incomplete. Copy the whole folder, or train again.`)
  if (weights.length !== entry.bytes) throw damaged(`${where}/${WEIGHTS}`, `wanted ${entry.bytes} bytes, got ${weights.length}`)
  if (sha256(weights) !== entry.sha256) throw damaged(`${where}/${WEIGHTS}`, "its content does not fit its checksum")
  return weights
}

// Of the content without its layout: a formatter that indents the file anew does no harm.
function checksum(format: number, version: string, content: Json & object): string {
  const summed = format === 1 ? content : { format, version, ...content }
  return sha256(new TextEncoder().encode(JSON.stringify(summed)))
}

function checksumOrNone(format: number, version: string, content: Json): string | undefined {
  try {
    return checksum(format, version, content as Json & object)
  } catch {
    return undefined // nested so deeply that no model can be meant: JSON.parse reads it, JSON.stringify runs out of stack
  }
}

/** Whether a text differs in its layout alone from what was written: 1E5 is as large as 1e5, but nobody wrote it. */
function isAsWritten(file: Uint8Array, json: Json | object): boolean {
  const text = new TextDecoder().decode(file)
  return text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, "$1") === JSON.stringify(json)
}

function damaged(file: string, why: string): FormatError {
  return new FormatError(`${file} is damaged: ${why}. Use a copy, or train again.`)
}
