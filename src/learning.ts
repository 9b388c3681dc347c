/**
 * Rules of learning beside backpropagation, for `fit`.
 * @module adjoint/learning
 */
import "./preset/wasm.ts"

export { type AlternatingMinimizationOptions, alternatingMinimization } from "./learning/alternating.ts"
export {
  type ConjugateGradientOptions,
  conjugateGradient,
  type Distribution,
  fisherProduct,
  gaussNewtonProduct,
} from "./learning/curvature.ts"
export { directFeedbackAlignment, feedbackAlignment } from "./learning/feedback.ts"
export { type EvolveOptions, evolve, type GeneticOptions, genetic } from "./learning/genetic.ts"
export { gaussianKernel, type HsicBottleneckOptions, hsic, hsicBottleneck } from "./learning/hsic.ts"
export { type KfacOptions, kfac } from "./learning/kfac.ts"
export { rules } from "./learning/names.ts"
export { type GaussNewtonOptions, gaussNewton, type NaturalGradientOptions, naturalGradient } from "./learning/natural-gradient.ts"
export { syntheticGradients } from "./learning/synthetic.ts"
export { type TargetPropagationOptions, targetPropagation } from "./learning/target-propagation.ts"
export {
  backprop,
  type LearningRule,
  type Moved,
  type MoveRule,
  type OwnParameters,
  type RuleStep,
  type SlopeRule,
  type Slopes,
} from "./train/rule.ts"
