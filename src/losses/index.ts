export { binaryCrossEntropy, crossEntropy } from "./classification.ts"
export type { Loss, LossOptions, Reduction } from "./loss.ts"
export { absoluteError, halfSquaredError, squaredError } from "./regression.ts"
