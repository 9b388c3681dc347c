/**
 * Training: fit, evaluation, metrics, saving and loading.
 * @module adjoint/train
 */
import "./preset/wasm.ts"
import "./preset/folders.ts"

export { DivergedError } from "./train/diverged.ts"
export type { Measured } from "./train/evaluate.ts"
export type { FitEvent } from "./train/events.ts"
export { type FitRun, fit } from "./train/fit.ts"
export { type Cause, type Finding, type FindingKind, KINDS as findingKinds } from "./train/health/finding.ts"
export { type FindLearningRateOptions, findLearningRate, type LearningRates } from "./train/learning-rate.ts"
export { type LoadedModel, loadModel, unpackTrained } from "./train/load.ts"
export { accuracy, type Metric, meanSquaredError } from "./train/metrics.ts"
export type { FitOptions } from "./train/options.ts"
export { type Dataset, type Examples, type Rows, type RowsOptions, rowsOf } from "./train/rows.ts"
export { brierScore, type Calibration, type CalibrationBin, calibration, logLoss } from "./train/scores/calibration.ts"
export {
  type ClassificationReport,
  type ClassMetrics,
  type ClassOptions,
  classificationReport,
  confusionMatrix,
} from "./train/scores/classes.ts"
export {
  oneAgainstRest,
  type PrecisionRecallCurve,
  precisionRecallCurve,
  type Ranking,
  type Rankings,
  type RocCurve,
  rocCurve,
} from "./train/scores/curves.ts"
export type { ByClass, Numbers } from "./train/scores/inputs.ts"
export { type Histogram, histogram, type RegressionReport, regressionReport, type WorstRow } from "./train/scores/regression.ts"
export type { EpochOfMember, SweepEvent } from "./train/sweep/events.ts"
export type { Grid, Member } from "./train/sweep/members.ts"
export { SweepResult, type SweepRow } from "./train/sweep/result.ts"
export { type SweepOptions, type SweepRun, sweep } from "./train/sweep.ts"
export type { Loss, Optimizer, Trainable } from "./train/trainable.ts"
export { type EvaluateOptions, type PackOptions, TrainedModel } from "./train/trained.ts"
