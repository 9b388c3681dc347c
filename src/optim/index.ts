export { accumulate } from "./accumulate.ts"
export { type AdafactorOptions, adafactor, scaleByFactoredRms } from "./adafactor.ts"
export {
  type AdadeltaOptions,
  type AdagradOptions,
  adadelta,
  adagrad,
  type DeltaOptions,
  type RssOptions,
  scaleByAdadelta,
  scaleByRss,
} from "./adagrad.ts"
export { type AdamOptions, type AdamwOptions, adam, adamw, type MomentOptions, type ScaleByAdamOptions, scaleByAdam } from "./adam.ts"
export {
  type AdamaxOptions,
  adamax,
  type NadamOptions,
  nadam,
  type RadamOptions,
  radam,
  type ScaleByNadamOptions,
  scaleByAdamax,
  scaleByNadam,
  scaleByRadam,
} from "./adam-relatives.ts"
export { clipByGlobalNorm, clipByValue, globalNorm } from "./clip.ts"
export { type LambOptions, lamb, scaleByTrustRatio } from "./lamb.ts"
export { type LeastSquares, type LeastSquaresOptions, leastSquares } from "./least-squares.ts"
export { type LionOptions, lion, type ScaleByLionOptions, scaleByLion } from "./lion.ts"
export { frozen, type Group, groups, type Mask, masked, matrices } from "./mask.ts"
export { type MinimizeOptions, type Minimum, minimize } from "./minimize.ts"
export { type MuonOptions, muon, orthogonalize } from "./muon.ts"
export { type Optimizer, type OptimizerConfig, optimizer, type WeightDecayOptions } from "./optimizer.ts"
export { type Plateau, type PlateauOptions, type PlateauState, plateau } from "./plateau.ts"
export { type RmsOptions, type RmspropOptions, rmsprop, scaleByRms } from "./rmsprop.ts"
export * as schedules from "./schedules.ts"
export { momentum, nesterov, type SgdOptions, sgd, type TraceOptions, trace } from "./sgd.ts"
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
