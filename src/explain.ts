/**
 * Explanations: the chain of derivatives from the error to a weight, in symbols and numbers, each factor checked.
 * @module adjoint/explain
 */
import "./preset/wasm.ts"
import "./preset/katex.ts"

export type { Open } from "./explain/applications.ts"
export {
  type Attributed,
  type AttributionOptions,
  type Attributions,
  gradientTimesInput,
  type IntegratedGradientsOptions,
  integratedGradients,
} from "./explain/attribution.ts"
export { type DiagnoseOptions, diagnose } from "./explain/diagnose/diagnose.ts"
export type { Diagnosis, Evidence, Finding, LeafReport, Mistake, MistakeKind } from "./explain/diagnose/diagnosis.ts"
export { renderDiagnosis } from "./explain/diagnose/text.ts"
export { toDot } from "./explain/dot.ts"
export { ProblemError } from "./explain/errors.ts"
export { type ExplainOptions, explain } from "./explain/explain.ts"
export { explainNetwork, type NetworkOptions } from "./explain/explain-network.ts"
export type {
  Application,
  Blocked,
  Change,
  Count,
  Explanation,
  Factor,
  Group,
  Line,
  Link,
  Path,
  Rest,
  Scalar,
  Share,
  Shares,
  Update,
  Use,
} from "./explain/explanation.ts"
export { renderHtml, renderSvg } from "./explain/html/page.ts"
export { renderMarkdown } from "./explain/markdown.ts"
export { networkOf } from "./explain/model.ts"
export type { ActivationName, DenseLayer, Example, LossName, Network } from "./explain/network.ts"
export { explainProblem } from "./explain/network-chains.ts"
export type {
  DeltaExplanation,
  LayerExplanation,
  NetworkExplanation,
  Quantity,
  Reading,
  Term,
  WeightExplanation,
} from "./explain/network-explanation.ts"
export { findOrigin, type Origin, type OriginOperand, type OriginOptions, renderOrigin } from "./explain/origin/origin.ts"
export { type Problem, readProblem } from "./explain/problem.ts"
export { type KernelReport, type ProgramOptions, type ProgramReport, printProgram, program } from "./explain/program.ts"
export type { Line as SourceLine } from "./explain/source-line.ts"
export { renderText } from "./explain/text.ts"
export { type Timeline, type TimelineOptions, type TimelineStep, type TraceEvent, timeline } from "./explain/timeline.ts"
export type { OptimizerStep } from "./explain/update.ts"
