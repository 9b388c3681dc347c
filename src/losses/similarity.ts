// Losses for vectors [..., width] that should lie close together or far apart.
import { type Aval, sameShape, show } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { relu } from "../ops/activations.ts"
import { add, div, less, maximum, minimum, mul, sqrt, square, sub, where } from "../ops/arithmetic.ts"
import { sum } from "../ops/reduction.ts"
import { alike, defineTripleLoss, type TripleLoss } from "./loss.ts"
import { type MarginOptions, wantMargin } from "./margins.ts"

const dot = (x: Tensor, y: Tensor): Tensor => sum(mul(x, y), { axis: -1 })
const norm = (x: Tensor, eps: number): Tensor => sqrt(maximum(dot(x, x), eps * eps))
/** |x - y + eps|, whose derivative exists where the vectors are equal. */
const distance = (x: Tensor, y: Tensor, eps = 1e-6): Tensor => {
  const d = add(sub(x, y), eps)
  return sqrt(dot(d, d))
}

/**
 * The cosine of the angle between vectors, x . y / (|x| |y|), over the last axis; no length counts as less than `eps` (default 1e-8).
 *
 * @example
 * cosineSimilarity(tensor([1, 0]), tensor([3, 4]))  // 0.6
 */
export const cosineSimilarity = (x: Tensor, y: Tensor, { eps = 1e-8 }: { readonly eps?: number } = {}): Tensor =>
  div(dot(x, y), mul(norm(x, eps), norm(y, eps)))

/**
 * 1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1. As PyTorch's `cosine_embedding_loss`.
 *
 * Shapes: vectors [..., width] alike, targets [...] of their dtype. The margin is 0 by default. Throws TypeError for other shapes.
 *
 * @example
 * cosineEmbedding(tensor([[1, 0]]), tensor([[3, 4]]), tensor([1]))  // 0.4
 */
export const cosineEmbedding: TripleLoss<MarginOptions> = /*@__PURE__*/ defineTripleLoss<MarginOptions>(
  "cosineEmbedding",
  "three tensors: two of vectors, and targets",
  (operands, options) => {
    checkPairs("cosineEmbedding", operands)
    wantMargin("cosineEmbedding", options)
  },
  (x1, x2, t, { margin = 0 }) => {
    // PyTorch adds 1e-12 to the squared lengths
    const lengths = mul(add(dot(x1, x1), 1e-12), add(dot(x2, x2), 1e-12))
    const cos = div(dot(x1, x2), sqrt(lengths))
    return where(less(t, 0), relu(sub(cos, margin)), sub(1, cos))
  },
)

/**
 * d^2 / 2 for vectors that belong together (target 1), max(0, margin - d)^2 / 2 for others (target 0), with d = |x1 - x2|.
 *
 * Shapes: vectors [..., width] alike, targets [...] of their dtype. The margin is 1 by default. Throws TypeError for other shapes.
 * Hadsell, Chopra and LeCun, Dimensionality reduction by learning an invariant mapping (2006), equation 4 (there 0 means together).
 *
 * @example
 * contrastive(tensor([[0, 0]]), tensor([[3, 4]]), tensor([1]))  // 12.5
 */
export const contrastive: TripleLoss<MarginOptions> = /*@__PURE__*/ defineTripleLoss<MarginOptions>(
  "contrastive",
  "three tensors: two of vectors, and targets",
  (operands, options) => {
    checkPairs("contrastive", operands)
    wantMargin("contrastive", options)
  },
  (x1, x2, t, { margin = 1 }) => {
    const d = sub(x1, x2)
    const apart = square(relu(sub(margin, distance(x1, x2))))
    return mul(add(mul(t, dot(d, d)), mul(sub(1, t), apart)), 0.5)
  },
)

export interface TripletOptions extends MarginOptions {
  /** Also counts the distance of the positive from the negative, if it is smaller. Default: false. */
  readonly swap?: boolean
}
/**
 * max(0, d(anchor, positive) - d(anchor, negative) + margin) with d(x, y) = |x - y + 1e-6|. As PyTorch's `triplet_margin_loss`.
 *
 * Shapes: three tensors of vectors [..., width], alike. The margin is 1 by default. Throws TypeError for other shapes.
 * Balntas et al., Learning local feature descriptors with triplets (2016).
 *
 * @example
 * tripletMargin(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[1, 0]]))  // 5
 */
export const tripletMargin: TripleLoss<TripletOptions> = /*@__PURE__*/ defineTripleLoss<TripletOptions>(
  "tripletMargin",
  "three tensors: anchors, positives and negatives",
  (operands, options) => {
    const [anchor, positive, negative] = operands
    alike("tripletMargin", "positives", "the anchors")([anchor, positive])
    alike("tripletMargin", "negatives", "the anchors")([anchor, negative])
    wantVectors("tripletMargin", anchor)
    wantMargin("tripletMargin", options)
  },
  (anchor, positive, negative, { margin = 1, swap = false }) => {
    const far = distance(anchor, negative)
    return relu(add(sub(distance(anchor, positive), swap ? minimum(far, distance(positive, negative)) : far), margin))
  },
)

function wantVectors(kind: string, x: Aval): void {
  if (x.shape.length === 0) throw new TypeError(`${kind}: wants vectors [..., width]; got ${show(x)}`)
}
/** Throws TypeError unless there are two tensors of vectors, and one target for each pair. */
function checkPairs(kind: string, [x1, x2, t]: readonly [Aval, Aval, Aval]): void {
  alike(kind, "x2", "x1")([x1, x2])
  wantVectors(kind, x1)
  const wanted = { dtype: x1.dtype, shape: x1.shape.slice(0, -1) }
  if (t.dtype !== wanted.dtype || !sameShape(t.shape, wanted.shape))
    throw new TypeError(`${kind}: targets must be one for each pair of vectors, ${show(wanted)}; got ${show(t)}`)
}
