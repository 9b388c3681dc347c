// `--model FILE`: a network of the user's own instead of dense layers.
import { random } from "../index.ts"
import type { Model } from "../nn.ts"
import { TrainedModel } from "../train.ts"
import { UsageError } from "./errors.ts"
import { outputsFor } from "./network.ts"
import type { Problem } from "./problem.ts"
import { isImages } from "./saved.ts"
import { importFile } from "./user-module.ts"

/** What a function that makes a model is told. */
export interface ModelShapes {
  /** Of one row of the inputs: one number for each, of images their pixels in one row. */
  readonly inShape: readonly number[]
  /** Of one image, if they are images. */
  readonly imageShape?: readonly number[]
  /** Numbers that the model has to give for one row: logits of the classes, or one standardised number. */
  readonly outputs: number
  /** The classes, if there are some. */
  readonly classes?: readonly string[]
}

/**
 * The model in a file: what it exports as `default` or `model`, or what that function makes of the shapes.
 *
 * @throws UsageError for what is no model, does not fit the data, or could not be saved.
 */
export async function ownModel(file: string, { features, target, encoding }: Problem): Promise<Model> {
  const exported = await importFile(file)
  const outputs = outputsFor(target)
  const shapes: ModelShapes = {
    inShape: [features],
    ...(isImages(encoding) && { imageShape: encoding.shape }),
    outputs,
    ...(target.kind === "class" && { classes: target.values }),
  }
  const given = exported.default ?? exported.model
  try {
    const model = typeof given === "function" ? given(shapes) : given
    check(model as Model, shapes)
    return model as Model
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message.replace(/\.?$/, ".")}`)
  }
}

function check(model: Partial<Model> | undefined, { inShape, outputs }: ModelShapes): void {
  if (typeof model?.init !== "function" || typeof model.apply !== "function" || typeof model.outShape !== "function")
    throw new Error(
      "wanted a model as its default export, such as sequential(dense(4, 8), relu(), dense(8, 3)), or a function of { inShape, outputs } that returns one",
    )
  const shape = model.outShape(inShape)
  if (shape.length !== 1 || shape[0] !== outputs)
    throw new Error(`the model makes [${shape}] of a row [${inShape}]; wanted [${outputs}] for this target`)
  const { params, state } = model.init(random.key(0), inShape)
  // hours of training are not to end in a model that no file can hold
  new TrainedModel(model as Model, params, state, inShape).pack()
}
