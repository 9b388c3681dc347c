/**
 * A perceptron in two calls, with the chain of derivatives of each matrix of weights.
 * @module adjoint/mlp
 */
import "./preset/js.ts"

export type { Chain, ChainFactor } from "./mlp/chain.ts"
export { MLP, type TrainedMLP } from "./mlp/mlp.ts"
export type { TrainOptions } from "./mlp/wants.ts"
