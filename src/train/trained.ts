import type { Shape } from "../core/aval.ts"
import { type Concrete, fromArray, storedOf } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../core/tree.ts"
import type { Json } from "../io/json.ts"
import { packModel } from "../io/model.ts"
import { jit } from "../runtime/jit.ts"
import { evaluator, type Measured } from "./evaluate.ts"
import { writeFolder } from "./folders.ts"
import { formOf, tensorsOf } from "./forms.ts"
import type { Metric } from "./metrics.ts"
import type { Dataset } from "./rows.ts"
import type { Loss, Trainable } from "./trainable.ts"

export const VERSION = "0.1.0"

/** A model with its parameters: it predicts, and can be saved. */
export class TrainedModel<M extends Trainable = Trainable> {
  readonly model: M
  readonly params: any
  readonly state: any
  /** Shape of one row of the inputs. */
  readonly inShape: Shape
  private readonly run: (params: any, state: any, x: Tensor) => Tensor
  constructor(model: M, params: any, state: any, inShape: Shape) {
    this.model = model
    this.params = params
    this.state = state
    this.inShape = inShape
    this.run = jit((params: any, state: any, x: Tensor) => model.apply(params, state, x, { training: false })[0])
  }

  /**
   * Outputs [batch, ...] for inputs [batch, ...]: what the last layer gives, logits for instance.
   *
   * @example trained.predict(tensor([[5.1, 3.5, 1.4, 0.2]]))
   */
  predict(x: Tensor): Tensor {
    return this.run(this.params, this.state, x)
  }

  /** Mean loss and metrics over all rows. */
  evaluate(data: Dataset, { loss, metrics = {}, batchSize }: EvaluateOptions = {} as EvaluateOptions): Measured {
    if (typeof loss !== "function")
      throw new TypeError("evaluate: `loss` must be a function of output and target, such as crossEntropy from adjoint/losses")
    return evaluator(this.model, loss, metrics)(this.params, this.state, data, batchSize)
  }

  /**
   * The files of the model's folder as bytes, by name.
   *
   * @throws TypeError if the model has no `config`, or a lambda in it, so that it could not be made again.
   */
  pack({ encoding, training }: PackOptions = {}): Map<string, Uint8Array> {
    if (this.model.config === undefined)
      throw new TypeError("save: the model has no `config` that says what it is; build it from the layers of adjoint/nn")
    const lambda = lambdaIn(this.model.config)
    if (lambda !== undefined)
      throw new TypeError(
        `save: the model has a lambda, ${JSON.stringify(lambda)}, whose function no file can hold; write it as a layer, ` +
          "or save the parameters alone with writeSafetensors of adjoint/io and make the model in code",
      )
    return packModel({
      kind: "model",
      version: VERSION,
      architecture: { model: this.model.config, inShape: this.inShape, params: formOf(this.params), state: formOf(this.state) } as Json,
      ...(encoding !== undefined && { encoding: encoding as never }),
      ...(training !== undefined && { training: training as never }),
      tensors: { ...tensorsOf(this.params, "params/"), ...tensorsOf(this.state, "state/") },
    })
  }

  /** Writes the model folder `dir`, whole or not at all; an older model there is replaced. */
  async save(dir: string, options: PackOptions = {}): Promise<void> {
    await writeFolder(dir, this.pack(options))
  }
}

/** The name of the first lambda that a config describes. */
function lambdaIn(config: unknown): unknown {
  if (typeof config !== "object" || config === null) return undefined
  const { kind, name } = config as { kind?: unknown; name?: unknown }
  if (kind === "lambda") return name ?? "lambda"
  for (const part of Object.values(config)) {
    const found = lambdaIn(part)
    if (found !== undefined) return found
  }
  return undefined
}

export interface EvaluateOptions {
  readonly loss: Loss
  readonly metrics?: Readonly<Record<string, Metric>>
  readonly batchSize?: number
}
export interface PackOptions {
  /** How tables become inputs (adjoint/data), as plain JSON. */
  readonly encoding?: unknown
  /** Whatever should be remembered of the training, as plain JSON. */
  readonly training?: unknown
}

/** Parameters that no later step overwrites. */
export const copyOf = (t: Tree): Tree =>
  rebuild(
    t,
    leaves(t).map(x => fromArray(storedOf(x as Concrete).slice(), x.aval)),
  )
