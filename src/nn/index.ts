export {
  celu,
  elu,
  gelu,
  glu,
  hardSigmoid,
  hardSwish,
  hardTanh,
  leakyRelu,
  logistic,
  logSigmoid,
  logSoftmax,
  mish,
  relu,
  relu6,
  selu,
  softmax,
  softplus,
  softsign,
  swiglu,
  swish,
  tanh,
} from "./activations.ts"
export { type AttentionMask, dotProductAttention, type MultiHeadAttentionOptions, multiHeadAttention } from "./attention.ts"
export { type BatchNormOptions, batchNorm } from "./batch-norm.ts"
export { parallel, residual } from "./combine.ts"
export { fromConfig } from "./config.ts"
export * from "./convolution.ts"
export { type Dense, type DenseOptions, dense } from "./dense.ts"
export { dropout } from "./dropout.ts"
export { type EmbeddingOptions, embedding } from "./embedding.ts"
export { flatten } from "./flatten.ts"
export * as activations from "./functions.ts"
export { type FloatDtype, type Initializer, type InitializerName, initializers } from "./initializers.ts"
export { type LambdaOptions, lambda } from "./lambda.ts"
export type { ApplyOptions, InWidth, Json, Layer, LayerConfig, LayerOf, OutWidth, Params } from "./layer.ts"
export { groupNorm, layerNorm, type NormOptions, rmsNorm } from "./norms.ts"
export { type PositionalEmbeddingOptions, positionalEmbedding, rotaryPositions, rotate, sinusoidalPositions } from "./positions.ts"
export { type PreluOptions, prelu } from "./prelu.ts"
export { gru, lstm, type RecurrentOptions, type RnnOptions, rnn } from "./recurrent.ts"
export { type Model, sequential } from "./sequential.ts"
export { globalAveragePool, reshape } from "./shapes.ts"
export { countParameters, summary } from "./summary.ts"
export { type TransformerBlockOptions, transformerBlock } from "./transformer.ts"
