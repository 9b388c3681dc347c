// Layers from plain data: a closed list, so that a file can choose among layers but never run code.
import * as activations from "./activations.ts"
import { type MultiHeadAttentionOptions, multiHeadAttention } from "./attention.ts"
import { type BatchNormOptions, batchNorm } from "./batch-norm.ts"
import { parallel, residual } from "./combine.ts"
import {
  avgPool,
  type ConvLayerOptions,
  type ConvTransposeLayerOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  maxPool,
} from "./convolution.ts"
import { type DenseOptions, dense } from "./dense.ts"
import { dropout } from "./dropout.ts"
import { type EmbeddingOptions, embedding } from "./embedding.ts"
import { flatten } from "./flatten.ts"
import type { Layer } from "./layer.ts"
import { groupNorm, layerNorm, type NormOptions, rmsNorm } from "./norms.ts"
import { type PositionalEmbeddingOptions, positionalEmbedding, rotaryPositions, sinusoidalPositions } from "./positions.ts"
import { type PreluOptions, prelu } from "./prelu.ts"
import { gru, lstm, type RecurrentOptions, type RnnOptions, rnn } from "./recurrent.ts"
import { sequential } from "./sequential.ts"
import { globalAveragePool, reshape } from "./shapes.ts"
import { type TransformerBlockOptions, transformerBlock } from "./transformer.ts"

type Options = Readonly<Record<string, unknown>>
type Make = (options: Options) => Layer

const list = (kind: string, name: string, x: unknown): readonly unknown[] => {
  if (Array.isArray(x)) return x
  throw new TypeError(`fromConfig: "${name}" of a ${kind} must be a list; got ${typeof x}`)
}
/** A layer made of layers, or of numbers. */
const ofLayers =
  (kind: string, make: (...layers: any[]) => Layer): Make =>
  ({ layers }) =>
    make(...list(kind, "layers", layers).map(fromConfig))
const ofNumbers =
  (kind: string, name: string, make: (...numbers: number[]) => Layer): Make =>
  options =>
    make(...(list(kind, name, options[name]) as number[]))

const ofWindow =
  <O>(make: (inputs: number, outputs: number, window: number, options: O) => Layer): Make =>
  ({ inputs, outputs, window, ...options }) =>
    make(inputs as number, outputs as number, window as number, options as O)

// values are checked by the layers themselves
const { leakyRelu, elu, celu, softplus, hardTanh, ...plain } = activations
const kinds: Readonly<Record<string, Make>> = {
  dense: ({ inputs, outputs, ...options }) => dense(inputs as number, outputs as number, options as DenseOptions),
  ...plain,
  conv1d: /*@__PURE__*/ ofWindow<ConvLayerOptions>(conv1d),
  conv2d: /*@__PURE__*/ ofWindow<ConvLayerOptions>(conv2d),
  convTranspose1d: /*@__PURE__*/ ofWindow<ConvTransposeLayerOptions>(convTranspose1d),
  convTranspose2d: /*@__PURE__*/ ofWindow<ConvTransposeLayerOptions>(convTranspose2d),
  maxPool: ({ window, ...options }) => maxPool(window as number, options),
  avgPool: ({ window, ...options }) => avgPool(window as number, options),
  leakyRelu: ({ slope }) => leakyRelu(slope as number),
  elu: ({ alpha }) => elu(alpha as number),
  celu: ({ alpha }) => celu(alpha as number),
  softplus: ({ beta }) => softplus(beta as number),
  hardTanh: ({ low, high }) => hardTanh(low as number, high as number),
  prelu: ({ width, ...options }) => prelu(width as number, options as PreluOptions),
  batchNorm: ({ width, ...options }) => batchNorm(width as number, options as BatchNormOptions),
  layerNorm: ({ width, ...options }) => layerNorm(width as number, options as NormOptions),
  rmsNorm: ({ width, ...options }) => rmsNorm(width as number, options as NormOptions),
  groupNorm: ({ groups, width, ...options }) => groupNorm(groups as number, width as number, options as NormOptions),
  dropout: ({ rate }) => dropout(rate as number),
  flatten,
  reshape: /*@__PURE__*/ ofNumbers("reshape", "shape", reshape),
  globalAveragePool: /*@__PURE__*/ ofNumbers("globalAveragePool", "axes", globalAveragePool),
  embedding: ({ count, width, ...options }) => embedding(count as number, width as number, options as EmbeddingOptions),
  positionalEmbedding: ({ length, width, ...options }) =>
    positionalEmbedding(length as number, width as number, options as PositionalEmbeddingOptions),
  sinusoidalPositions,
  rotaryPositions,
  rnn: ({ inputs, outputs, ...options }) => rnn(inputs as number, outputs as number, options as RnnOptions),
  lstm: ({ inputs, outputs, ...options }) => lstm(inputs as number, outputs as number, options as RecurrentOptions),
  gru: ({ inputs, outputs, ...options }) => gru(inputs as number, outputs as number, options as RecurrentOptions),
  multiHeadAttention: ({ width, heads, ...options }) =>
    multiHeadAttention(width as number, heads as number, options as MultiHeadAttentionOptions),
  transformerBlock: ({ width, heads, ...options }) =>
    transformerBlock(width as number, heads as number, options as TransformerBlockOptions),
  sequential: /*@__PURE__*/ ofLayers("sequential", sequential),
  residual: /*@__PURE__*/ ofLayers("residual", residual),
  parallel: /*@__PURE__*/ ofLayers("parallel", parallel),
  lambda: ({ name }) => {
    throw new TypeError(
      `fromConfig: the model has a lambda, ${JSON.stringify(name)}, whose function is not saved; ` +
        "make the model in code and give it the saved parameters, or write the function as a layer",
    )
  },
}

/**
 * The layer, or the whole model, that a `config` describes: `fromConfig(model.config)` computes what `model` does.
 *
 * Throws TypeError for data that describes no layer and for kinds of layers that are not known, and says which are.
 *
 * @example
 * const model = sequential(dense(2, 3), relu())
 * const text = JSON.stringify(model.config)
 * fromConfig(JSON.parse(text)).outShape([2])  // [3]
 */
export function fromConfig(config: unknown): Layer {
  const { kind, ...options } = (typeof config === "object" && config !== null ? config : {}) as Options
  if (typeof kind !== "string")
    throw new TypeError(`fromConfig: a layer is described by an object with a "kind"; got ${JSON.stringify(config)?.slice(0, 80)}`)
  if (!Object.hasOwn(kinds, kind))
    throw new TypeError(`fromConfig: unknown kind of layer ${JSON.stringify(kind)}; known are ${Object.keys(kinds).join(", ")}`)
  return kinds[kind]!(options)
}
