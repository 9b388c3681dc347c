// The rules by name.
import { backprop, type LearningRule } from "../train/rule.ts"
import { alternatingMinimization } from "./alternating.ts"
import { directFeedbackAlignment, feedbackAlignment } from "./feedback.ts"
import { genetic } from "./genetic.ts"
import { hsicBottleneck } from "./hsic.ts"
import { syntheticGradients } from "./synthetic.ts"
import { targetPropagation } from "./target-propagation.ts"

/**
 * The rules by the names that `adjoint train --rule` takes; each of them is made with its default options.
 *
 * @example
 * Object.keys(rules).length  // 8
 * rules["feedback-alignment"]!().config.kind  // "feedbackAlignment"
 */
export const rules: Readonly<Record<string, () => LearningRule>> = {
  backprop,
  "feedback-alignment": feedbackAlignment,
  "direct-feedback-alignment": directFeedbackAlignment,
  "target-propagation": targetPropagation,
  "hsic-bottleneck": hsicBottleneck,
  "alternating-minimization": alternatingMinimization,
  "synthetic-gradients": syntheticGradients,
  genetic,
}
