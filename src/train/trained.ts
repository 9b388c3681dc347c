import { type Shape, show } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import { isDtype, type TypedArray } from "../core/dtype.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves, paths, rebuild, type Tree } from "../core/tree.ts"
import { isObject, type Json } from "../io/json.ts"
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
      architecture: { model: this.model.config, inShape: this.inShape, params: formOf(this.params), state: formOf(this.state) } as Json,
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
function store(group: string, tree: Tree): StoredTensors {
  const xs = leaves(tree)
  return Object.fromEntries(
    paths(tree).map((path, i) => [`${group}/${path}`, { dtype: xs[i]!.dtype, shape: [...xs[i]!.shape], data: xs[i]!.values() }]),
  ) as StoredTensors
}

/** The form of a tree as plain JSON, with text such as `f32[784,128]` for its tensors. */
const formOf = (tree: Tree): unknown =>
  rebuild(
    tree,
    leaves(tree).map(x => show(x.aval)),
  )

/** The tree of a form, with stored tensors. Throws TypeError where one is missing or is not what the form says. */
export function restore(group: string, form: unknown, tensors: StoredTensors): any {
  const go = (form: unknown, path: string): unknown => {
    if (typeof form !== "string") {
      const below = (key: string | number): string => (path ? `${path}.${key}` : `${key}`)
      if (Array.isArray(form)) return form.map((f, i) => go(f, below(i)))
      if (isObject(form)) return Object.fromEntries(Object.entries(form).map(([key, f]) => [key, go(f, below(key))]))
      throw new TypeError(
        `load: the form of ${group}${path && ` at ${path}`} must be made of objects, lists and text; got ${JSON.stringify(form)}`,
      )
    }
    const name = `${group}/${path}`
    const { dtype, shape, data } = tensors[name] ?? {}
    if (!isDtype(dtype) || !shape || form !== show({ dtype, shape }))
      throw new TypeError(`load: the model wants ${name} as ${form}; the file has ${shape ? `${dtype}[${shape}]` : "none"}`)
    return fromArray(data as TypedArray, { dtype, shape })
  }
  return go(form, "")
}
