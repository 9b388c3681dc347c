// What each mistake is, and what to do about it.
import type { Mistake, MistakeKind } from "../diagnose/diagnosis.ts"
import { short } from "./words.ts"

type Said = readonly [is: string, fix: string]
type Told = Required<Omit<Mistake, "kind">>

const sizeOf = (size: string): string => (size ? ` (${size})` : "")

const MISTAKES: Readonly<Record<MistakeKind, Said | ((told: Told) => Said)>> = {
  // factors
  sign: ["the sign is wrong", "Change the sign: the gradient of (y - t)^2 / 2 is y - t, and that of -log p is -1 / p."],
  missingTwo: ({ name }) => [
    name ? `the 2 of the ${name} is missing` : "half of what it should be",
    "Multiply by 2: the derivative of x^2 is 2 x; or the 1/2 belongs to another loss.",
  ],
  extraTwo: ({ name, size }) => [
    name ? `the 2 of a ${name} is too much` : `twice what it should be${size ? `; 2 may be a number of elements too${sizeOf(size)}` : ""}`,
    "Divide by 2: the 1/2 of the loss cancels the 2 of the square; or a mean of two is missing its 1/2.",
  ],
  missingMean: ({ factor, size }) => [
    `${short(Math.abs(factor))} times too large${sizeOf(size)}: the 1/N of a mean is missing`,
    "Divide by the number of elements that the loss averages over.",
  ],
  extraMean: ({ factor, size }) => [
    `${short(1 / Math.abs(factor))} times too small${sizeOf(size)}: divided by N where the loss does not, or twice`,
    "Sum over the examples; divide by N once, and only if the loss is a mean.",
  ],
  scaled: ({ factor }) => [
    `${short(factor)} times the true gradient everywhere`,
    "Look for a constant factor, such as a learning rate that belongs to the update.",
  ],
  // whole arrays
  zero: ["0, but it is not", "The derivative of x w + b by b is 1: its gradient is the delta, summed over the examples."],
  transposed: ["transposed", "Exchange rows and columns: the gradient has the layout of the parameter, input^T delta for x W."],
  oneScalar: ["one number for all elements", "Each weight has a gradient of its own: the delta of its output times its input."],
  firstEverywhere: ({ name }) => [
    `index 0 ${name ? `(the first ${name}) ` : ""}is used for every neuron`,
    "Use the index of the loop in the delta too.",
  ],
  lastEverywhere: ["the last index is used for every neuron", "Use the index of the loop in the delta too."],
  swapped: ({ other }) => [`exchanged with the gradient of ${other}`, "Return the gradients in the order of the inputs."],
  absolute: ["without its signs", "Leave out the absolute value."],
  clipped: ["clipped", "Clip after the gradient has been checked: a clipped gradient is not the derivative."],
  weightDecay: ["the true gradient plus a multiple of the weight", "Weight decay belongs to the loss or to the update, not here."],
  shape: ({ name, other }) => [`of shape ${name}, where ${other} is wanted`, "A gradient has the shape of its input."],
  // sums
  batchSumMissing: ({ name, other }) => [
    `not summed over the examples: shape ${name} instead of ${other}`,
    "Sum over axis 0: all examples share the parameter.",
  ],
  firstExampleOnly: ["that of the first example only", "Add up the gradients of all examples."],
  lastExampleOnly: ["that of the last example only", "Add up (+=) the gradients of all examples instead of overwriting them (=)."],
  firstOutputOnly: ["the sum over the next layer has its first term only", "delta_j = h'(a_j) sum over all k of w_jk delta_k."],
  lastOutputOnly: ["the sum over the next layer has its last term only", "delta_j = h'(a_j) sum over all k of w_jk delta_k: add up (+=)."],
  wrongSumIndex: ["the sum runs over the wrong index", "The sum runs over the units k of the next layer: sum over k of w_jk delta_k."],
  // activations
  noDerivative: ({ name }) => [
    `the derivative of ${name} is missing`,
    `Multiply the delta by ${name}'(a), elementwise, before it goes on.`,
  ],
  derivativeAtOutput: ({ name }) => [
    `${name}' is taken at the activation instead of at the pre-activation`,
    `Take ${name}'(a) at what goes into ${name}, not at what comes out.`,
  ],
  outputFormulaAtInput: ({ name }) => [
    `the formula of ${name}' for the activation is given the pre-activation`,
    name === "tanh" ? "1 - y^2 wants y = tanh(a)." : "y (1 - y) wants y = sigmoid(a).",
  ],
  otherDerivative: ({ name, other }) => [`the derivative of ${other} is used for ${name}`, `Multiply by ${name}' instead.`],
  invertedMask: ["the mask of relu is upside down", "The delta goes on where a > 0 and ends where a <= 0."],
  valueForDerivative: ({ name }) => [
    `the value of ${name} stands where its derivative belongs`,
    `Multiply by ${name}'(a), not by ${name}(a).`,
  ],
  derivativeTwice: ({ name }) => [`the derivative of ${name} is multiplied in twice`, "Multiply by it once."],
  softmaxElementwise: ({ name }) => [
    `${name} is differentiated element by element`,
    "Each output of softmax depends on all inputs: S (g - sum(S g)) for each row; with cross-entropy the delta is y - t.",
  ],
  softmaxWithoutSum: ["the sum in the derivative of softmax is missing", "S (g - sum(S g)) for each row."],
  targetLeftOut: ["the target is not subtracted", "The delta of softmax with cross-entropy is y - t."],
  targetSign: ["the target is added instead of subtracted", "The delta is y - t, the output minus its target."],
  extraDerivative: ({ name }) => [
    `the first delta is multiplied by the derivative of ${name}, which has no place there`,
    "For sigmoid or softmax with cross-entropy the delta is y - t: the derivative of the activation has cancelled.",
  ],
  // products
  sumForProduct: ({ name }) => [
    `a sum stands where a product belongs (${name})`,
    "The chain rule multiplies: delta_j = h'(a_j) times what comes back.",
  ],
  elementwise: [
    "an elementwise product stands where a matrix product belongs",
    "delta of the layer before is delta W^T, a matrix product.",
  ],
  notTransposed: ["the weights are not transposed on the way back", "Forward is x W, so backward is delta W^T."],
  inputNotTransposed: ["the input of the layer is not transposed", "Forward is x W, so the gradient of W is x^T delta."],
  weightsLeftOut: ["the delta goes back without the weights", "Multiply it by the weights: delta W^T."],
  inputLeftOut: ["the input of the layer is missing", "The slope of a weight is its input times the delta of its output."],
  wrongInput: ({ other }) => [
    `the gradient is made with other values than the input of the layer (with those of ${other})`,
    "Use what went into this layer: the activation of the layer before, after its activation function.",
  ],
  factorLeftOut: ({ name }) => [
    `a factor of the forward pass (${name}) is left out`,
    "What is multiplied by c forwards is multiplied by c backwards.",
  ],
  shifted: ({ factor }) => [`${short(factor)} is added to the delta`, "Leave out the constant."],
  // ways through the program
  pathLeftOut: [
    "one of the ways by which it acts on the loss is left out",
    "Add up what comes back along all ways: each use of a value, a skip, a penalty, each time step.",
  ],
  pathSign: ["one of the ways by which it acts on the loss has the wrong sign", "Look at a difference in the forward pass."],
  pathTwice: ["one of the ways by which it acts on the loss is counted twice", "Add up each way once."],
  pathScaled: ({ factor }) => [
    `one of the ways by which it acts on the loss is multiplied by ${short(factor)}`,
    "Look for a factor on this way.",
  ],
  // none of these
  imprecise: ({ factor }) => [
    `right to ${short(factor)} only`,
    "Look for single precision, a small number added in one of the passes, or differences with a large step.",
  ],
  unknown: [
    "wrong in a way that is none of the known mistakes",
    "Compare the numbers below, with one example and one unit a layer if need be; gradients that come after it may follow from it.",
  ],
}

export function mistakeOf({ kind, factor = 1, name = "", other = "", size = "" }: Mistake): { readonly is: string; readonly fix: string } {
  const said = MISTAKES[kind]
  const [is, fix] = typeof said === "function" ? said({ factor, name, other, size }) : said
  return { is, fix }
}
