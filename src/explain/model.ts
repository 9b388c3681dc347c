// A model of layers, as dense layers with an activation each.
import type { Tensor } from "../core/tensor.ts"
import { isObject } from "../io/json.ts"
import type { Loss } from "../train/trainable.ts"
import { ProblemError } from "./errors.ts"
import { type ActivationName, activationNames, type DenseLayer, lossNames, lossOf, type Network } from "./network.ts"

/** Layers that change nothing outside of training, or the shape only. */
const TRANSPARENT: readonly string[] = ["dropout", "flatten"]

/**
 * A dense network of `adjoint/nn` with its parameters, as plain numbers: what `explainNetwork` takes.
 *
 * Dense layers may be followed by one activation each; dropout is left out, as it is when predicting. The loss is one of
 * `adjoint/losses`, with the mean over the outputs. Throws ProblemError for other layers.
 *
 * @example
 * import { tanh } from "adjoint/nn"
 * const model = sequential(dense(2, 2), tanh(), dense(2, 1))
 * const { params } = model.init(random.key(1), [2])
 * explainNetwork(networkOf(model, params, squaredError), { x: [0, 1], target: 1 }).weights.length  // 9
 */
export function networkOf(model: { readonly config?: unknown }, params: unknown, loss: Loss): Network {
  const layers: Open[] = []
  walk(model.config, params, "", layers)
  if (layers.length === 0) throw new ProblemError("the model has no dense layer; there is no weight to explain")
  const name = lossNames.find(name => lossOf(name).loss === loss)
  if (!name)
    throw new ProblemError(
      `the loss should be one of ${lossNames.map(n => lossOf(n).loss.kind).join(", ")}; got ${loss.name || "another function"}`,
    )
  const last = layers.at(-1)!.activation
  const { joined } = lossOf(name)
  if (joined && last === joined)
    throw new ProblemError(
      `${lossOf(name).loss.kind} takes logits and has its own ${joined}: leave the ${joined} layer at the end of the model out`,
    )
  return { layers: layers.map(layer => ({ ...layer, activation: layer.activation ?? "linear" })), loss: name, reduction: "mean" }
}

/** A dense layer whose activation may still come. */
type Open = Omit<DenseLayer, "activation"> & { activation?: ActivationName }

interface Description {
  readonly kind?: string
  readonly layers?: readonly unknown[]
  readonly approximate?: string
}
function walk(config: unknown, params: unknown, path: string, layers: Open[]): void {
  const { kind, layers: inner, approximate } = (isObject(config) ? config : {}) as Description
  const here = path || "the model"
  if (kind === "sequential") {
    const parts = (params as { layers: readonly unknown[] }).layers
    inner!.forEach((layer, i) => walk(layer, parts[i], `${path && `${path}.`}layers.${i}`, layers))
  } else if (kind === "dense") {
    const { w, b } = params as { w: Tensor; b?: Tensor }
    layers.push({ w: w.toArray() as number[][], ...(b && { b: b.toArray() as number[] }), path })
  } else if (activationNames.includes(kind as ActivationName)) {
    const layer = layers.at(-1)
    if (!layer || layer.activation)
      throw new ProblemError(`${here} is ${kind}; an activation can be explained where it directly follows a dense layer`)
    layer.activation = approximate === "tanh" ? "gelu by tanh" : (kind as ActivationName)
  } else if (!TRANSPARENT.includes(kind ?? "")) {
    throw new ProblemError(
      `${here} is ${kind ? `a layer "${kind}"` : "not described by a config"}, which cannot be explained; dense networks can: ` +
        `dense, ${activationNames.filter(n => n !== "linear").join(", ")}, dropout, flatten and sequential`,
    )
  }
}
