export { type BinaryCrossEntropyOptions, binaryCrossEntropy, type CrossEntropyOptions, crossEntropy } from "./classification.ts"
export { type BinaryFocalOptions, binaryFocal, type FocalOptions, focal } from "./focal.ts"
export {
  type GaussianOptions,
  gaussianNll,
  type KlDivergenceOptions,
  klDivergence,
  type PoissonOptions,
  poissonNll,
} from "./likelihood.ts"
export type { Loss, LossOptions, Reduction, TripleLoss } from "./loss.ts"
export { hinge, hingeEmbedding, type MarginOptions, type MultiClassHingeOptions, multiClassHinge } from "./margins.ts"
export {
  absoluteError,
  type HuberOptions,
  halfSquaredError,
  huber,
  logCosh,
  type SmoothL1Options,
  smoothL1,
  squaredError,
} from "./regression.ts"
export { contrastive, cosineEmbedding, cosineSimilarity, type TripletOptions, tripletMargin } from "./similarity.ts"
