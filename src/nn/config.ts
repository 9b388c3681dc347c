// Layers from plain data: a closed list, so that a file can choose among layers but never run code.
import { gelu, logistic, relu, softmax, swish, tanh } from "./activations.ts"
import { type DenseOptions, dense } from "./dense.ts"
import { dropout } from "./dropout.ts"
import { flatten } from "./flatten.ts"
import type { Layer } from "./layer.ts"
import { sequential } from "./sequential.ts"

type Options = Readonly<Record<string, unknown>>

// values are checked by the layers themselves
const kinds: Readonly<Record<string, (options: Options) => Layer>> = {
  dense: ({ inputs, outputs, ...options }) => dense(inputs as number, outputs as number, options as DenseOptions),
  logistic,
  tanh,
  relu,
  gelu,
  swish,
  softmax,
  dropout: ({ rate }) => dropout(rate as number),
  flatten,
  sequential: ({ layers }) => {
    if (!Array.isArray(layers)) throw new TypeError(`fromConfig: "layers" of a sequential must be a list; got ${typeof layers}`)
    return sequential(...(layers.map(fromConfig) as readonly Layer[]))
  },
}

/**
 * The layer, or the whole model, that a `config` describes: `fromConfig(model.config)` computes what `model` does.
 *
 * Throws TypeError for data that describes no layer and for kinds of layers that are not known, and says which are.
 *
 * @example
 * const model = fromConfig(JSON.parse(text))
 */
export function fromConfig(config: unknown): Layer {
  const { kind, ...options } = (typeof config === "object" && config !== null ? config : {}) as Options
  if (typeof kind !== "string")
    throw new TypeError(`fromConfig: a layer is described by an object with a "kind"; got ${JSON.stringify(config)?.slice(0, 80)}`)
  if (!Object.hasOwn(kinds, kind))
    throw new TypeError(`fromConfig: unknown kind of layer ${JSON.stringify(kind)}; known are ${Object.keys(kinds).join(", ")}`)
  return kinds[kind]!(options)
}
