// Models as `adjoint train` saves them, with what it takes to use them on new data.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { type Encoding, readEncoding } from "../data/encoding.ts"
import { DataError } from "../data/errors.ts"
import { MODEL_JSON } from "../io/model.ts"
import { loadModel, type TrainedModel } from "../train.ts"
import type { Division } from "./division.ts"
import type { Settings } from "./network.ts"
import type { ImageEncoding } from "./problem.ts"
import { RUN_FILES } from "./run-folder.ts"
import type { Reading } from "./source.ts"

/** What is remembered of a training. The same training gives the same bytes: nothing here tells the time or the place. */
export interface Training {
  /**
   * `sha256` and `division` of tables, and of images that have no test images of their own: by them the rows held out for the test are
   * found again.
   */
  readonly data: { readonly name: string; readonly sha256?: string; readonly division?: Division; readonly reading?: Reading }
  /** Without `hidden`, `activation` and `dropout` if `model` names a file of the user's. */
  readonly settings: Settings
  /** The most frequent class of the training rows; 0, the standardised mean, for numbers. */
  readonly constant: number
  readonly epochs: number
  readonly bestEpoch: number
  readonly shuffledLabels?: boolean
  /** [classes] weights in the loss. */
  readonly classWeights?: readonly number[]
}

export interface Saved {
  readonly model: TrainedModel
  readonly encoding: Encoding | ImageEncoding
  readonly training: Training
}

export const isImages = (encoding: Encoding | ImageEncoding): encoding is ImageEncoding => "kind" in encoding

export const saveModel = (dir: string, model: TrainedModel, { encoding, training }: Pick<Saved, "encoding" | "training">): Promise<void> =>
  model.save(dir, { encoding, training })

/**
 * The model in a folder.
 *
 * @throws DataError for a folder that is no model's, or whose model cannot be applied to tables or images.
 */
export async function openModel(dir: string): Promise<Saved> {
  if (existsSync(join(dir, RUN_FILES.config)) && !existsSync(join(dir, MODEL_JSON)))
    throw new DataError(`${dir} holds a training that has not ended, and no model yet. Go on with it: adjoint train --resume ${dir}`)
  const { trained, encoding, training } = await loadModel(dir)
  const { data, constant } = (training ?? {}) as Partial<Training>
  if (encoding === undefined || data === undefined || constant === undefined) {
    throw new DataError(`${dir} holds a model that does not say how tables become its inputs. Wanted one written by adjoint train.`)
  }
  return { model: trained, encoding: readAnyEncoding(encoding, dir), training: training as Training }
}

function readAnyEncoding(encoding: unknown, dir: string): Saved["encoding"] {
  const { kind, shape, scale, target } = encoding as Partial<ImageEncoding>
  if (kind !== "images") return readEncoding(encoding)
  const classes = target?.kind === "class" && Array.isArray(target.values) && target.values.length > 0
  if (!Array.isArray(shape) || !Number.isFinite(scale) || !classes) {
    throw new DataError(`${dir}: the model's description of its images is damaged. Save or download the model again.`)
  }
  return encoding as ImageEncoding
}

/** How a table for a model is read: as in its training, but for what is told. */
export const readingOf = ({ data }: Training, { encoding }: Reading): Reading => ({
  ...data.reading,
  ...(encoding !== undefined && { encoding }),
})
