// What can be asked of a written module, and whether it makes sense.
import type { Shape } from "../core/aval.ts"
import { type Encoding, readEncoding } from "../data/encoding.ts"
import { FormatError } from "../io/errors.ts"
import { isObject } from "../io/json.ts"
import type { Loss, Optimizer } from "../train/trainable.ts"
import { TrainedModel } from "../train/trained.ts"
import type { ImageEncoding, Stored } from "./description.ts"

export interface StandaloneOptions {
  /** Of the files: letters, digits, `-`, `_` and `.`. Default: "model". */
  readonly name?: string
  /** Code in `.js` and everything else in `.wasm`, a fourth smaller than both in one file. Default: false. */
  readonly separate?: boolean
  /** What `save` was given as `encoding`: `predict` then takes rows by column, or pixels, and answers in the target's own terms. */
  readonly encoding?: unknown
  /** What inputs are if there is no encoding. Default: "f32". */
  readonly dtype?: "f32" | "f64" | "i32" | "u8"
  /** Rows that are computed at a time where there are several. Default: 32. */
  readonly rows?: number
  /** Makes the module go on learning: `step`, `save` and `load`. */
  readonly trainable?: TrainableOptions
}
export interface TrainableOptions {
  /** The mean loss of a batch, such as `crossEntropy`. */
  readonly loss: Loss
  /** How gradients become new parameters, such as `adam(1e-3)`. It starts anew. */
  readonly optimizer: Optimizer
  /** How many rows a step may take; each number is a program of its own. Default: [1, 32]. */
  readonly batchSizes?: readonly number[]
  /** The answer to one row. Default: by the encoding, else f32 of the shape of one output. */
  readonly target?: { readonly shape: Shape; readonly dtype: "f32" | "f64" | "i32" | "u8" }
  /** Decides dropout, as the seed of `fit` does. Default: 0. */
  readonly seed?: number
}

export interface Checked extends Omit<StandaloneOptions, "encoding"> {
  readonly name: string
  readonly dtype: Stored
  readonly rows: number
  readonly encoding: Encoding | ImageEncoding | null
}

const isCount = (n: unknown): boolean => Number.isInteger(n) && (n as number) >= 1

/** The options, if they make sense. */
export function checked(trained: TrainedModel, options: StandaloneOptions): Checked {
  const fail = (what: string): never => {
    throw new TypeError(`exportStandalone: ${what}`)
  }
  if (!(trained instanceof TrainedModel)) fail("wants a trained model, such as the result of fit or `trained` of loadModel")
  const { name = "model", dtype = "f32", rows = 32, trainable, encoding } = options
  if (!/^[\w-][\w.-]*$/.test(name)) fail(`\`name\` must be the name of a file without its ending; got ${JSON.stringify(name)}`)
  if (!["f32", "f64", "i32", "u8"].includes(dtype)) fail(`\`dtype\` must be "f32", "f64", "i32" or "u8"; got ${JSON.stringify(dtype)}`)
  if (!isCount(rows)) fail(`\`rows\` must be a whole number from 1; got ${rows}`)
  if (trainable) {
    const { loss, optimizer, batchSizes = [1, 32], seed = 0 } = trainable
    if (typeof loss !== "function") fail("`trainable.loss` must be a function of output and target, such as crossEntropy")
    if (typeof optimizer?.update !== "function") fail("`trainable.optimizer` must be an optimizer, such as adam(1e-3)")
    if (!Array.isArray(batchSizes) || !batchSizes.length || !batchSizes.every(isCount))
      fail(`\`trainable.batchSizes\` must be a list of whole numbers from 1; got ${JSON.stringify(batchSizes)}`)
    if (!Number.isSafeInteger(seed) || seed < 0) fail(`\`trainable.seed\` must be a whole number >= 0; got ${seed}`)
  }
  return { ...options, name, dtype: encoding ? "f32" : dtype, rows, encoding: encodingOf(encoding) }
}

function encodingOf(encoding: unknown): Checked["encoding"] {
  if (encoding === undefined || encoding === null) return null
  if (!isObject(encoding) || encoding.kind !== "images") return readEncoding(encoding)
  const { kind, shape, scale, target } = encoding as unknown as ImageEncoding
  const classes = target?.kind === "class" && Array.isArray(target.values) && target.values.every(name => typeof name === "string")
  if (!Array.isArray(shape) || !Number.isFinite(scale) || !classes)
    throw new FormatError("The model's description of its images is damaged. Save or download the model again.")
  return { kind, shape, scale, target }
}
