/**
 * Explanations: the chain of derivatives from the error to a weight, in symbols and numbers, each factor checked.
 * @module adjoint/explain
 */
import "./preset/wasm.ts"

export { type DiagnoseOptions, diagnose } from "./explain/diagnose/diagnose.ts"
export type { Diagnosis, Evidence, Finding, LeafReport, Mistake, MistakeKind } from "./explain/diagnose/diagnosis.ts"
export { renderDiagnosis } from "./explain/diagnose/text.ts"
export { ProblemError } from "./explain/errors.ts"
export { type ExplainOptions, explain } from "./explain/explain.ts"
export type {
  Change,
  DeltaExplanation,
  Explanation,
  Factor,
  LayerExplanation,
  Quantity,
  Reading,
  Term,
  WeightExplanation,
} from "./explain/explanation.ts"
export { networkOf } from "./explain/model.ts"
export type { ActivationName, DenseLayer, Example, LossName, Network } from "./explain/network.ts"
export { findOrigin, type Line, type Origin, type OriginOperand, type OriginOptions, renderOrigin } from "./explain/origin.ts"
export { type Problem, readProblem } from "./explain/problem.ts"
export { type KernelReport, type ProgramOptions, type ProgramReport, printProgram, program } from "./explain/program.ts"
export { renderText } from "./explain/text.ts"
