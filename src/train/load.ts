import { FormatError } from "../io/errors.ts"
import { isObject } from "../io/json.ts"
import { type PackedModel, unpackModel } from "../io/model.ts"
import { fromConfig, type Layer } from "../nn/index.ts"
import { readFolder } from "./folders.ts"
import { restore } from "./forms.ts"
import { TrainedModel } from "./trained.ts"

/** A model read from its files, and what was saved with it. */
export interface LoadedModel {
  readonly trained: TrainedModel<Layer>
  /** How tables become inputs, as plain JSON that nobody has checked (`readEncoding` of adjoint/data does). */
  readonly encoding?: unknown
  /** What was remembered of the training, as plain JSON that nobody has checked. */
  readonly training?: unknown
}

/**
 * The model in a folder written by `save` or `adjoint train`. Nothing in the files is run.
 *
 * @throws FormatError for files that are damaged, changed or too new, layers that are not known, and weights that are not as described.
 * @example
 * const trained = await fit(dense(1, 1), { x: ones([8, 1]), y: zeros([8, 1]) }, { loss: squaredError, optimizer: adam(0.1) }).result
 * await trained.save("runs/line")
 * const loaded = await loadModel("runs/line")
 * loaded.trained.predict(ones([1, 1]))  // f32[1,1]
 */
export async function loadModel(dir: string): Promise<LoadedModel> {
  if (typeof dir !== "string") throw new TypeError(`loadModel: wants the path of a model's folder, such as "runs/iris"; got ${typeof dir}`)
  return unpackTrained(await readFolder(dir), dir)
}

/**
 * As `loadModel`, from the files' bytes by name.
 *
 * @example
 * const trained = new TrainedModel(dense(2, 1), { w: tensor([[1], [2]]), b: tensor([0]) }, {}, [2])
 * unpackTrained(trained.pack()).trained.predict(tensor([[3, 4]]))  // [[11]]
 */
export function unpackTrained(files: ReadonlyMap<string, Uint8Array>, where?: string): LoadedModel {
  const packed: PackedModel = unpackModel(files, where)
  const { architecture, tensors, encoding, training } = packed
  const { model, inShape, params, state } = isObject(architecture) ? architecture : {}
  const name = where ?? "the model"
  if (!Array.isArray(inShape) || !inShape.every(n => Number.isInteger(n) && n >= 0))
    throw new FormatError(`${name}: architecture.inShape must be a shape, such as [784]; got ${JSON.stringify(inShape)}.`)
  return {
    trained: new TrainedModel(known(model, name), restore(params, tensors, "params/"), restore(state, tensors, "state/"), inShape),
    ...(encoding !== undefined && { encoding }),
    ...(training !== undefined && { training }),
  }
}

function known(config: unknown, name: string): Layer {
  try {
    return fromConfig(config)
  } catch (error) {
    throw new FormatError(`${name}: ${(error as Error).message}. A newer version of adjoint may know it: npm install adjoint@latest`)
  }
}
