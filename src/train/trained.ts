import type { Shape } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves, paths, rebuild, type Tree } from "../core/tree.ts"
import { packModel } from "../io/model.ts"
import type { StoredTensors } from "../io/safetensors.ts"
import { jit } from "../runtime/jit.ts"
import { evaluator, type Measured } from "./evaluate.ts"
import { writeFolder } from "./folders.ts"
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
  evaluate(data: Dataset, { loss, metrics = {}, batchSize = 1000 }: EvaluateOptions): Measured {
    return evaluator(this.model, loss, metrics)(this.params, this.state, data, batchSize)
  }

  /**
   * The files of the model's folder as bytes, by name.
   *
   * @throws TypeError if the model has no `config`, so that it could not be made again.
   */
  pack({ encoding, training }: PackOptions = {}): Map<string, Uint8Array> {
    if (this.model.config === undefined)
      throw new TypeError("save: the model has no `config` that says what it is; build it from the layers of adjoint/nn")
    return packModel({
      kind: "model",
      version: VERSION,
      architecture: { model: this.model.config as never, inShape: this.inShape },
      ...(encoding !== undefined && { encoding: encoding as never }),
      ...(training !== undefined && { training: training as never }),
      tensors: { ...store("params", this.params), ...store("state", this.state) },
    })
  }

  /** Writes the model folder `dir`, whole or not at all; an older model there is replaced. */
  async save(dir: string, options: PackOptions = {}): Promise<void> {
    await writeFolder(dir, this.pack(options))
  }
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

/** Tensors of a tree by path, such as `params/layers.0.w`. */
export function store(group: string, tree: Tree): StoredTensors {
  const xs = leaves(tree)
  return Object.fromEntries(
    paths(tree).map((path, i) => [`${group}/${path}`, { dtype: xs[i]!.dtype, shape: [...xs[i]!.shape], data: xs[i]!.values() }]),
  ) as StoredTensors
}

/**
 * A tree like `like` from stored tensors. Throws TypeError where one is missing or has another shape.
 */
export function restore(group: string, like: Tree, tensors: StoredTensors): any {
  const xs = leaves(like)
  return rebuild(
    like,
    paths(like).map((path, i) => {
      const name = `${group}/${path}`
      const stored = tensors[name]
      const x = xs[i]!
      if (!stored || stored.dtype !== x.dtype || stored.shape.join() !== x.shape.join())
        throw new TypeError(
          `load: the model wants ${name} as ${x.dtype}[${x.shape}]; the file has ${stored ? `${stored.dtype}[${stored.shape}]` : "none"}`,
        )
      return fromArray(stored.data as never, x.aval)
    }),
  )
}
