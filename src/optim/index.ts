export { type AdamOptions, type RmsOptions, scaleByAdam, scaleByRms, type TraceOptions, trace } from "./moments.ts"
export {
  type AdamwOptions,
  adam,
  adamw,
  momentum,
  type Optimizer,
  type OptimizerConfig,
  optimizer,
  type RmspropOptions,
  rmsprop,
  type SgdOptions,
  sgd,
} from "./optimizers.ts"
export {
  addDecayedWeights,
  chain,
  type LearningRate,
  type OptimizerState,
  type Schedule,
  scale,
  scaleByLearningRate,
  type Transformation,
} from "./transformation.ts"
