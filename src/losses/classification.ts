// Losses for classes. They take logits, that is, what goes into the logistic function or softmax, because only so are they exact.
import { type Aval, sameShape, show } from "../core/aval.ts"
import { isFloating } from "../core/dtype.ts"
import { Tensor } from "../core/tensor.ts"
import { softplus } from "../ops/activations.ts"
import { add, cast, equal, exp, greater, less, log, logicalNot, logicalOr, mul, neg, stopGradient, sub, where } from "../ops/arithmetic.ts"
import { oneHot } from "../ops/create.ts"
import { max, sum } from "../ops/reduction.ts"
import { broadcastTo, expandDims } from "../ops/shape.ts"
import { alike, defineLoss, type Loss, type LossOptions, type Weighted, wantOption } from "./loss.ts"

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Weight of t log(p): a number, or a tensor aligned with the logits. Larger than 1 it finds more of what is rare. Default: 1. */
  readonly positiveWeight?: number | Tensor
}
/**
 * -t log(p) - (1 - t) log(1 - p) with p = 1 / (1 + exp(-x)), from the logits x: t softplus(-x) + (1 - t) softplus(x).
 *
 * Both terms are exact for large |x|, and the derivative is p - t everywhere. The mean is over all elements.
 * Shapes: logits x and targets t, numbers in [0, 1], alike. Throws TypeError where shapes or dtypes differ.
 *
 * @example
 * binaryCrossEntropy(tensor([0, 100]), tensor([1, 1]))  // 0.3466: log(2) / 2
 */
export const binaryCrossEntropy: Loss<BinaryCrossEntropyOptions> = /*@__PURE__*/ defineLoss<BinaryCrossEntropyOptions>(
  "binaryCrossEntropy",
  (operands, { positiveWeight }) => {
    alike("binaryCrossEntropy")(operands)
    if (!(positiveWeight instanceof Tensor))
      wantOption("binaryCrossEntropy", "positiveWeight", positiveWeight, "a number > 0 or a tensor", w => w > 0)
  },
  (x, t, { positiveWeight }) => {
    const positive = positiveWeight === undefined ? t : mul(t, positiveWeight)
    return logistic(x, positive, sub(1, t))
  },
)
/** a softplus(-x) + b softplus(x) by one softplus, and nothing cancels: (a + b) softplus(-|x|), and b x or -a x. */
export function logistic(x: Tensor, a: Tensor, b: Tensor): Tensor {
  const positive = greater(x, 0)
  const rest = softplus(where(positive, neg(x), x))
  return add(mul(add(a, b), rest), mul(where(positive, b, neg(a)), x))
}

export interface CrossEntropyOptions extends LossOptions {
  /** The share of each target that is spread over all classes, in [0, 1]. Szegedy et al., arXiv:1512.00567, section 7. Default: 0. */
  readonly labelSmoothing?: number
  /** Weights [classes], of the logits' dtype. With class numbers the mean is divided by the sum of the targets' weights. Default: 1. */
  readonly classWeights?: Tensor
  /** A class number whose examples are left out, also of the mean. Default: none. */
  readonly ignoreIndex?: number
}
/**
 * -sum_k t_k log(p_k) with p = softmax(x) over the last axis, from the logits x. The derivative is p - t where the t_k add up to 1.
 *
 * Targets: class numbers, i32 [...], for logits [..., classes]; or distributions t like the logits. The mean is over all examples.
 * Options as in PyTorch: `labelSmoothing`, `classWeights`, `ignoreIndex`.
 * A class number outside of [0, classes) gives NaN, since compiled code cannot throw.
 * Throws TypeError for targets of other shapes and dtypes and for wrong options.
 *
 * @example
 * crossEntropy(tensor([[0, 0]]), tensor([1], { dtype: "i32" }))  // 0.6931: log(2)
 * crossEntropy(tensor([[0, 0]]), tensor([[0.5, 0.5]]))           // 0.6931: log(2)
 */
export const crossEntropy: Loss<CrossEntropyOptions> = /*@__PURE__*/ defineLoss<CrossEntropyOptions>(
  "crossEntropy",
  (operands, options) => {
    checkClasses("crossEntropy", operands)
    checkOptions("crossEntropy", operands, options)
  },
  (logits, targets, options) => {
    const { z, norm } = shifted(logits)
    return isFloating(targets.dtype) ? ofDistributions(z, norm, targets, options) : ofClasses(z, norm, targets, options)
  },
)

/** Logits z with largest 0, and log(sum(exp(z))): log(p_k) = z_k - norm. */
export function shifted(logits: Tensor): { z: Tensor; norm: Tensor } {
  // subtracting the largest first keeps the loss exact near 0, where logsumexp(x) - x_k would cancel
  const z = sub(logits, stopGradient(max(logits, { axis: -1, keepdims: true })))
  return { z, norm: log(sum(exp(z), { axis: -1 })) }
}
/** x_k of the class k of each example. */
export const picked = (x: Tensor, classes: Tensor): Tensor =>
  sum(where(oneHot(classes, x.shape.at(-1)!, { dtype: "bool" }), x, 0), { axis: -1 })
/** Losses of examples, NaN where there is no such class. */
export const orNaN = (losses: Tensor, targets: Tensor, classes: number): Tensor => where(isClass(targets, classes), losses, Number.NaN)
const isClass = (labels: Tensor, classes: number): Tensor => logicalNot(logicalOr(less(labels, 0), less(classes - 1, labels)))

function ofDistributions(z: Tensor, norm: Tensor, targets: Tensor, { labelSmoothing = 0, classWeights }: CrossEntropyOptions): Tensor {
  const t = labelSmoothing ? add(mul(targets, 1 - labelSmoothing), labelSmoothing / z.shape.at(-1)!) : targets
  const each = mul(t, sub(z, expandDims(norm, -1)))
  return neg(sum(classWeights ? mul(each, classWeights) : each, { axis: -1 }))
}

function ofClasses(
  z: Tensor,
  norm: Tensor,
  targets: Tensor,
  { labelSmoothing = 0, classWeights, ignoreIndex }: CrossEntropyOptions,
): Tensor | Weighted {
  const classes = z.shape.at(-1)!
  const weights = classWeights && picked(broadcastTo(classWeights, z.shape), targets)
  let losses = sub(norm, picked(z, targets))
  if (weights) losses = mul(losses, weights)
  if (labelSmoothing) {
    const each = sub(expandDims(norm, -1), z)
    const spread = sum(classWeights ? mul(each, classWeights) : each, { axis: -1 })
    losses = add(mul(losses, 1 - labelSmoothing), mul(spread, labelSmoothing / classes))
  }
  losses = orNaN(losses, targets, classes)
  if (ignoreIndex === undefined) return weights ? { losses, weights } : losses
  const ignored = equal(targets, ignoreIndex)
  const counted = weights ? where(ignored, 0, weights) : cast(logicalNot(ignored), z.dtype)
  return { losses: where(ignored, 0, losses), weights: counted }
}

/** Throws TypeError unless the weights of classes are one for each class. */
export function wantClassWeights(name: string, [logits]: readonly [Aval, ...Aval[]], weights: unknown): void {
  const wanted = { dtype: logits.dtype, shape: logits.shape.slice(-1) }
  if (weights === undefined || (weights instanceof Tensor && show(weights.aval) === show(wanted))) return
  const got = weights instanceof Tensor ? show(weights.aval) : typeof weights
  throw new TypeError(`${name}: classWeights must be one number for each class, ${show(wanted)}; got ${got}`)
}

function checkOptions(
  name: string,
  operands: readonly [Aval, Aval],
  { labelSmoothing, classWeights, ignoreIndex }: CrossEntropyOptions,
): void {
  wantOption(name, "labelSmoothing", labelSmoothing, "a number in [0, 1]", x => x >= 0 && x <= 1)
  wantOption(name, "ignoreIndex", ignoreIndex, "a whole number", Number.isInteger)
  wantClassWeights(name, operands, classWeights)
  if (ignoreIndex !== undefined && operands[1].dtype !== "i32")
    throw new TypeError(`${name}: ignoreIndex goes with class numbers; the targets are distributions`)
}

/** Throws TypeError unless targets are class numbers of logits or, where they may be, distributions. */
export function checkClasses(name: string, [logits, targets]: readonly [Aval, Aval], distributions = true): void {
  if (logits.shape.length === 0) throw new TypeError(`${name}: logits need an axis of classes; got ${show(logits)}`)
  const examples = logits.shape.slice(0, -1)
  const got = `got ${show(targets)} with logits ${show(logits)}`
  const wanted = `targets must be class numbers i32[${examples}]${distributions ? ` or distributions ${show(logits)}` : ""}`
  const fail = (advice: string): never => {
    throw new TypeError(`${name}: ${wanted}; ${got}. ${advice}`)
  }
  if (targets.dtype === "i32" && sameShape(targets.shape, examples)) return
  if (distributions && sameShape(targets.shape, logits.shape)) {
    if (targets.dtype === logits.dtype) return
    fail(`Convert distributions with cast(targets, "${logits.dtype}")`)
  }
  if (sameShape(targets.shape, examples)) fail('Convert class numbers with cast(targets, "i32")')
  if (sameShape(targets.shape, [...examples, 1])) fail(`Reshape class numbers with reshape(targets, [${examples}])`)
  fail("Each example needs one target")
}
