// Every sentence of an explanation. Another language is another file like this one.
import { count } from "../data/names.ts"
import type { Diagnosis, Mistake } from "./diagnose/diagnosis.ts"
import type { NetworkExplanation, Reading } from "./network-explanation.ts"

export const say = {
  network: ({ sizes, activations, parameters }: NetworkExplanation["network"]): string =>
    sizes.length === 2 && sizes[1] === 1
      ? `One ${activations[0]} neuron with ${count(sizes[0]!, "input")}`
      : `A ${sizes.join("-")} network (${activations.join(", ")}), ${count(parameters, "parameter")}`,
  error: ({ sizes, loss, reduction }: NetworkExplanation["network"]): string =>
    `E is the ${reduction === "mean" && sizes.at(-1)! > 1 ? "mean " : ""}${loss}`,
  indices: (symbol: string, path: string): string => `Indices count from 0: ${symbol} is ${path}`,

  forward: "Forward: from the input to the error",
  backward: "Backward: how each step of the way changes with the one before it",
  chain: "Chain: the slope of E is the product of the factors on the way",
  check: "Check: the same slopes from adjoint's reverse mode and from differences",
  reading: "Reading",
  update: (rate: string): string => `Step: w <- w - ${rate}·dE/dw`,
  plusOne: "If a weight grew by 1: a slope holds for small changes only",
  columns: {
    value: "by formula",
    measured: "measured",
    product: "chain",
    gradient: "adjoint's grad",
    differences: "differences",
    before: "before",
    after: "after",
    predicted: "the slope predicts",
    actual: "E really changes by",
  },

  /** One of the outputs of softmax. */
  softmax: (s: string): string => `exp(${s}) / sum of exp(${s.replace(/\[.*$/, "")})`,
  lossOver: (loss: string, outputs: number): string => `${loss} of ${outputs} outputs`,
  sum: (terms: number): string => `sum of ${count(terms, "term")}`,
  rest: (n: number): string => `${n} smaller ones`,
  product: "product of these",

  agreement: (largest: string): string => `No two ways differ by more than ${largest}.`,
  kink: "Differences disagree: E has a kink close by, as relu has at 0, and nothing can be measured across it.",
  mismatch: "The chain and adjoint's grad disagree, which must not be. Please report it.",

  /** What a slope says: first its sign, then its size. */
  sentence({ sign, share, rank, blockedBy }: Omit<Reading, "sentence">, symbol: string): string {
    if (sign === "zero")
      return blockedBy ? `${symbol} stays as it is, because ${blockedBy} = 0` : `${symbol} stays as it is: E does not change with it`
    const size = rank === 1 ? "the largest slope" : `${Number((share * 100).toPrecision(2))} % of the largest slope`
    return sign === "positive"
      ? `E grows with ${symbol}, so the step lowers it; ${size}`
      : `E shrinks as ${symbol} grows, so the step raises it; ${size}`
  },
  change: (actual: string, predicted: string): string => `E changes by ${actual}; the slopes predict ${predicted}.`,
  changeOfAll: (n: number, actual: string, predicted: string): string =>
    `With the step of all ${n} parameters E changes by ${actual}; the slopes predict ${predicted}.`,

  /** What `explain` says of functions of any kind. */
  chains: {
    title: (name: string, value: string): string => `E by ${name} = ${value}`,
    summary: (paths: string, error: string): string => `E = ${error}; ${paths} from there to E`,
    paths: (n: string): string => (n === "1" ? "1 path leads" : `${n} paths lead`),
    path: (i: number, of: string): string => `Path ${i} of ${of}`,
    pathsTitle: (shown: number): string => (shown === 1 ? "The path" : `The ${shown} largest paths, from the error back`),
    rest: (count: string): string => `${count} more`,
    restTitle: "The other paths, by where they leave those shown",
    usesTitle: "By use: what enters where the number is read",
    groupsTitle: "By part of the program: what enters it from outside",
    unitsTitle: "By unit: what goes through each",
    blockedTitle: "Where nothing gets through",
    checkTitle: "Check",
    updateTitle: (optimizer: string): string => `From gradient to new value: ${optimizer}`,
    columns: { derivative: "derivative", formula: "formula", value: "by rule", measured: "measured", contribution: "sum", count: "paths" },
    sum: "sum of all paths",
    gradient: "adjoint's grad",
    differences: "differences",
    unreached: "Nothing that is computed from it reaches E, so the slope is 0.",
    copies: (n: number): string => `and ${count(n, "move")} of the number as it is, each with factor 1`,
    others: (n: number): string => `${n} others`,
    more: (n: number): string => `and ${n} more such places`,
    /** Why nothing gets through. */
    blocked: (at: string, value: string, operation: string, formula: string): string =>
      `${at} = ${value}, and there the derivative of ${operation} is 0 (${formula})`,
    before: "before",
    after: "after",
    alone: (predicted: string, actual: string): string =>
      `With the change of this number alone E changes by ${actual}; the slope predicts ${predicted}.`,
    all: (predicted: string, actual: string): string =>
      `With the step of all parameters E changes by ${actual}; the slopes predict ${predicted}.`,
    /** Which of the comparisons hold. */
    verdict({ sums, whole, factor }: { readonly sums: boolean; readonly whole: boolean; readonly factor: string | undefined }): string {
      if (factor)
        return `The derivative of ${factor} is not what differences measure: its rule is wrong, or there is a kink or jump close by.`
      if (!sums) return "The sum of the paths and adjoint's grad disagree: a rule forwards and its transpose contradict each other."
      if (!whole)
        return "Differences of the whole function disagree with the sum of the paths: a rule is wrong, or E has a kink or jump close by."
      return "The sum of the paths, adjoint's grad and differences agree, and so does each factor shown."
    },
  },
}

/** What makes a NaN or an infinity. */
export type OriginCause =
  | "input"
  | "logOfZero"
  | "logOfNegative"
  | "logSlope"
  | "sqrtOfNegative"
  | "sqrtSlope"
  | "zeroByZero"
  | "zeroDivision"
  | "divSlope"
  | "infByInf"
  | "infMinusInf"
  | "zeroTimesInf"
  | "expOverflow"
  | "powOfZero"
  | "powOfNegative"
  | "powSlope"
  | "domain"
  | "edgeSlope"
  | "castOverflow"
  | "chosen"
  | "overflow"
  | "backwardOverflow"
  | "rule"
  | "other"

/** What a sentence about an origin is made from. */
interface OriginFacts {
  readonly operation: string
  readonly value: number
  readonly index: readonly number[]
  readonly operands: readonly { readonly value: number }[]
  /** Names of operations and composites close by. */
  readonly related: readonly string[]
}
const at = (index: readonly number[]): string => (index.length ? ` at [${index.join(", ")}]` : "")
const short = (x: number | undefined): string => (x === undefined ? "" : `${Number(x.toPrecision(6))}`)

/** Sentences of `findOrigin`. */
export const sayOrigin = {
  finite: "Value and gradient are finite.",
  outside: "a tensor from outside",
  where: (scope: readonly string[]): string => `in ${scope.join("/")}`,
  line: ({ file, line, column, in: name }: { file: string; line: number; column: number; in?: string }): string =>
    `line ${file}:${line}:${column}${name ? ` (${name})` : ""}`,
  operand: ({ name, type, index, value }: { name: string; type: string; index: readonly number[]; value: number }): string =>
    `${name}: ${type}${at(index)} is ${short(value)}`,
  count: ({ count, size }: { count: number; size: number }): string => `${count} of ${size} elements of the result are not finite`,

  told(cause: OriginCause, facts: OriginFacts): { readonly sentence: string; readonly remedy: string } {
    return { sentence: sentenceOf(cause, facts), remedy: remedyOf(cause, facts) }
  },
}

function sentenceOf(cause: OriginCause, { operation, value, index, operands }: OriginFacts): string {
  const [x, y] = operands.map(o => short(o.value)) as [string, string]
  const got = `${value}${at(index)}`
  switch (cause) {
    case "input":
      return `The argument ${operation} holds ${got} already.`
    case "logSlope":
      return `The gradient of ${operation} at ${x} is ${got}: its slope 1 / x is infinite there.`
    case "sqrtSlope":
      return `The gradient of ${operation} at ${x} is ${got}: the slope 1 / (2 sqrt(x)) is infinite at 0.`
    case "powSlope":
      return `The gradient of ${x}^${y} is ${got}: the slope y x^(y-1) is infinite or undefined there.`
    case "divSlope":
      return `The gradient of ${x} / ${y} is ${got}: the slope -x / y^2 is larger than the dtype can hold.`
    case "edgeSlope":
      return `The gradient of ${operation} at ${x} is ${got}: the slope is infinite at the edge of its domain.`
    case "backwardOverflow":
      return `The gradient of ${operation} is ${got}: it has become larger than the dtype can hold.`
    case "rule":
      return `The rule that was given for the gradient of this function (${operation}) makes ${got} of finite numbers.`
    case "zeroByZero":
      return `0 / 0 is ${got}.`
    case "zeroDivision":
      return `${x} / ${y} is ${got}: a division by 0.`
    case "infByInf":
      return `${x} / ${y} is ${got}.`
    case "infMinusInf":
      return `${operation} makes ${got} of infinities of both signs.`
    case "zeroTimesInf":
      return `${operation} makes ${got}: 0 times Infinity.`
    case "powOfZero":
    case "powOfNegative":
      return `${x}^${y} is ${got}.`
    case "castOverflow":
      return `cast makes ${got} of ${x}: the new dtype cannot hold so large a number.`
    case "chosen":
      return `where chooses a constant that is ${got}.`
    case "overflow":
      return `${operation} makes ${got}: the result is larger than the dtype can hold.`
    default:
      return `${operation}(${x}) is ${got}.`
  }
}

function remedyOf(cause: OriginCause, { related }: OriginFacts): string {
  const near = (...names: string[]): boolean => names.some(name => related.includes(name))
  switch (cause) {
    case "input":
      return "Look at the data before training: empty cells, divisions by a standard deviation of 0, or an earlier step that diverged."
    case "logOfZero":
    case "logSlope":
      if (near("softmax")) return "Use logSoftmax, or crossEntropy, which takes the logits: the logarithm of a softmax is then never taken."
      if (near("sigmoid"))
        return "Use logSigmoid, or binaryCrossEntropy, which takes the logits: the logarithm of a sigmoid is then never taken."
      return "Keep the operand away from 0: clip it, or add a small number before the logarithm."
    case "logOfNegative":
      return "The logarithm of a negative number does not exist: look at what makes the operand negative, or clip it."
    case "sqrtOfNegative":
      return "The root of a negative number does not exist; if rounding made it negative, take maximum(x, 0) first, as for a variance."
    case "sqrtSlope":
      return "Add a small number below the root, sqrt(x + 1e-12), or take the root only where x > 0: choose before it with where."
    case "zeroByZero":
    case "zeroDivision":
    case "divSlope":
      return "Add a small number to the divisor, or replace it with where before dividing; choosing after the division is too late for the gradient."
    case "infByInf":
    case "expOverflow":
      return near("sum", "div", "log")
        ? "Subtract the largest element first, which changes nothing: softmax and logsumexp do so."
        : "Use softmax, logsumexp, sigmoid or softplus instead of formulas with exp; or bound the operand with clip."
    case "infMinusInf":
      return "An infinity stands for something masked: use a large finite number instead, such as -1e9, or make sure that one element is left."
    case "zeroTimesInf":
      return "Mask with where instead of multiplying by 0, or bound the factor that is infinite."
    case "powOfZero":
      return "A power of 0 with a negative exponent does not exist: keep the base away from 0."
    case "powOfNegative":
      return "A negative base has no power with a fraction as exponent: take the absolute value or clip it first."
    case "powSlope":
      return "Keep the base away from 0, for example pow(x + 1e-12, y); for squares use square, whose slope is finite everywhere."
    case "domain":
    case "edgeSlope":
      return "Clip the operand to the inside of the function's domain, such as clip(x, -1 + 1e-6, 1 - 1e-6)."
    case "castOverflow":
      return "Keep the numbers in f64, or scale them before the cast."
    case "chosen":
      return "Replace the constant by a large finite number, or make sure that it is not chosen; a class number out of range gives NaN too."
    case "overflow":
    case "backwardOverflow":
      return "Numbers have grown too large: standardise the inputs, lower the learning rate, clip the gradient (clipByGlobalNorm), start with smaller weights."
    case "rule":
      return "Look at the backward function that was given; diagnose(f, inputs) compares it with the usual rules."
    case "other":
      return "Look at the operands below; clip them, or choose before the operation with where."
  }
}

/** What a sentence about a mistake is made from. */
interface MistakeFacts {
  readonly mistakes: readonly Mistake[]
  readonly layer: string
  readonly leaves: readonly string[]
  readonly follow: readonly string[]
}
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`

/** Sentences of `diagnose`. */
export const sayDiagnosis = {
  columns: { yours: "yours", truth: "true", ratio: "yours / true" },
  kink: "The loss has a kink at these inputs, as relu has at 0; the gradients were compared at inputs nearby.",
  reference: (reference: number, differences: number): string =>
    `Along one direction adjoint's gradient says ${short(reference)}, differences ${short(differences)}. Is there a kink or a jump close by, ` +
    "something random, or a rule of customVjp in forward? diagnose(forward, inputs) looks at such rules.",
  verdict: (verdict: Diagnosis["verdict"], all: number, wrong: number, points: number): string =>
    verdict === "right"
      ? all === 1
        ? "The gradient is right."
        : `All ${all} gradients are right.`
      : verdict === "wrong"
        ? `${wrong} of ${count(all, "gradient")} ${wrong === 1 ? "is" : "are"} wrong; explanations were tried at ${count(points, "place")}.`
        : "Nothing is said about the gradient: the reference and differences do not agree.",
  line: ({ file, line, column }: { file: string; line: number; column: number }): string => `forward: ${file}:${line}:${column}`,
  alternatives: (all: readonly (readonly Mistake[])[]): string =>
    `The same numbers would come of: ${all.map(ms => ms.map(m => mistakeOf(m).is).join(", and ")).join("; or: ")}.`,

  finding({ mistakes, layer, leaves, follow }: MistakeFacts, how: "hand" | "grad"): { readonly sentence: string; readonly remedy: string } {
    const told = mistakes.map(mistakeOf)
    const is = `${layer ? `${layer}: ` : ""}${told.map(t => t.is).join(", and ")}`
    const after = follow.length ? ` ${listed(follow)} ${follow.length === 1 ? "is" : "are"} wrong because of it.` : ""
    const which = ` (gradient of ${listed(leaves)})`
    const rule = how === "grad" ? " Look at the rule that was given with customVjp or customJvp." : ""
    return {
      sentence: `${layer ? is : capital(is)}${which}.${after}`,
      remedy: `${told.map(t => t.fix).join(" ")}${rule}`,
    }
  },
}

/** What the mistake is, and what to do about it. */
function mistakeOf({ kind, factor = 1, name = "", other = "", size }: Mistake): { readonly is: string; readonly fix: string } {
  const n = short(Math.abs(factor))
  const from = size ? ` (${size})` : ""
  switch (kind) {
    case "sign":
      return { is: "the sign is wrong", fix: "Change the sign: the gradient of (y - t)^2 / 2 is y - t, and that of -log p is -1 / p." }
    case "missingTwo":
      return {
        is: "half of what it should be",
        fix: "Multiply by 2: the derivative of x^2 is 2 x; or the 1/2 belongs to another loss.",
      }
    case "extraTwo":
      return {
        is: `twice what it should be${size ? `; 2 may be a number of elements too${from}` : ""}`,
        fix: "Divide by 2: the 1/2 of the loss cancels the 2 of the square; or a mean of two is missing its 1/2.",
      }
    case "missingMean":
      return {
        is: `${n} times too large${from}: the 1/N of a mean is missing`,
        fix: "Divide by the number of elements that the loss averages over.",
      }
    case "extraMean":
      return {
        is: `${short(1 / Math.abs(factor))} times too small${from}: divided by N where the loss does not, or twice`,
        fix: "Sum over the examples; divide by N once, and only if the loss is a mean.",
      }
    case "scaled":
      return {
        is: `${short(factor)} times the true gradient everywhere`,
        fix: "Look for a constant factor, such as a learning rate that belongs to the update.",
      }
    case "zero":
      return { is: "0, but it is not", fix: "The derivative of x w + b by b is 1: its gradient is the delta, summed over the examples." }
    case "transposed":
      return { is: "transposed", fix: "Exchange rows and columns: the gradient has the layout of the parameter, input^T delta for x W." }
    case "oneScalar":
      return { is: "one number for all elements", fix: "Each weight has a gradient of its own: the delta of its output times its input." }
    case "firstEverywhere":
      return {
        is: `index 0 ${name ? `(the first ${name}) ` : ""}is used for every neuron`,
        fix: "Use the index of the loop in the delta too.",
      }
    case "lastEverywhere":
      return { is: "the last index is used for every neuron", fix: "Use the index of the loop in the delta too." }
    case "swapped":
      return { is: `exchanged with the gradient of ${other}`, fix: "Return the gradients in the order of the inputs." }
    case "absolute":
      return { is: "without its signs", fix: "Leave out the absolute value." }
    case "clipped":
      return { is: "clipped", fix: "Clip after the gradient has been checked: a clipped gradient is not the derivative." }
    case "weightDecay":
      return { is: "the true gradient plus a multiple of the weight", fix: "Weight decay belongs to the loss or to the update, not here." }
    case "shape":
      return { is: `of shape ${name}, where ${other} is wanted`, fix: "A gradient has the shape of its input." }
    case "batchSumMissing":
      return {
        is: `not summed over the examples: shape ${name} instead of ${other}`,
        fix: "Sum over axis 0: all examples share the parameter.",
      }
    case "firstExampleOnly":
      return { is: "that of the first example only", fix: "Add up the gradients of all examples." }
    case "lastExampleOnly":
      return { is: "that of the last example only", fix: "Add up (+=) the gradients of all examples instead of overwriting them (=)." }
    case "firstOutputOnly":
      return { is: "the sum over the next layer has its first term only", fix: "delta_j = h'(a_j) sum over all k of w_jk delta_k." }
    case "lastOutputOnly":
      return {
        is: "the sum over the next layer has its last term only",
        fix: "delta_j = h'(a_j) sum over all k of w_jk delta_k: add up (+=).",
      }
    case "wrongSumIndex":
      return {
        is: "the sum runs over the wrong index",
        fix: "The sum runs over the units k of the next layer: sum over k of w_jk delta_k.",
      }
    case "noDerivative":
      return { is: `the derivative of ${name} is missing`, fix: `Multiply the delta by ${name}'(a), elementwise, before it goes on.` }
    case "derivativeAtOutput":
      return {
        is: `${name}' is taken at the activation instead of at the pre-activation`,
        fix: `Take ${name}'(a) at what goes into ${name}, not at what comes out.`,
      }
    case "outputFormulaAtInput":
      return {
        is: `the formula of ${name}' for the activation is given the pre-activation`,
        fix: name === "tanh" ? "1 - y^2 wants y = tanh(a)." : "y (1 - y) wants y = sigmoid(a).",
      }
    case "otherDerivative":
      return { is: `the derivative of ${other} is used for ${name}`, fix: `Multiply by ${name}' instead.` }
    case "invertedMask":
      return { is: "the mask of relu is upside down", fix: "The delta goes on where a > 0 and ends where a <= 0." }
    case "valueForDerivative":
      return { is: `the value of ${name} stands where its derivative belongs`, fix: `Multiply by ${name}'(a), not by ${name}(a).` }
    case "derivativeTwice":
      return { is: `the derivative of ${name} is multiplied in twice`, fix: "Multiply by it once." }
    case "softmaxElementwise":
      return {
        is: `${name} is differentiated element by element`,
        fix: "Each output of softmax depends on all inputs: S (g - sum(S g)) for each row; with cross-entropy the delta is y - t.",
      }
    case "softmaxWithoutSum":
      return { is: "the sum in the derivative of softmax is missing", fix: "S (g - sum(S g)) for each row." }
    case "targetLeftOut":
      return { is: "the target is not subtracted", fix: "The delta of softmax with cross-entropy is y - t." }
    case "extraDerivative":
      return {
        is: `the first delta is multiplied by the derivative of ${name}, which has no place there`,
        fix: "For sigmoid or softmax with cross-entropy the delta is y - t: the derivative of the activation has cancelled.",
      }
    case "sumForProduct":
      return {
        is: `a sum stands where a product belongs (${name})`,
        fix: "The chain rule multiplies: delta_j = h'(a_j) times what comes back.",
      }
    case "elementwise":
      return {
        is: "an elementwise product stands where a matrix product belongs",
        fix: "delta of the layer before is delta W^T, a matrix product.",
      }
    case "notTransposed":
      return { is: "the weights are not transposed on the way back", fix: "Forward is x W, so backward is delta W^T." }
    case "weightsLeftOut":
      return { is: "the delta goes back without the weights", fix: "Multiply it by the weights: delta W^T." }
    case "inputLeftOut":
      return { is: "the input of the layer is missing", fix: "The slope of a weight is its input times the delta of its output." }
    case "wrongInput":
      return {
        is: `the gradient is made with other values than the input of the layer (with those of ${other})`,
        fix: "Use what went into this layer: the activation of the layer before, after its activation function.",
      }
    case "factorLeftOut":
      return {
        is: `a factor of the forward pass (${name}) is left out`,
        fix: "What is multiplied by c forwards is multiplied by c backwards.",
      }
    case "shifted":
      return { is: `${short(factor)} is added to the delta`, fix: "Leave out the constant." }
    case "pathLeftOut":
      return {
        is: "one of the ways by which it acts on the loss is left out",
        fix: "Add up what comes back along all ways: each use of a value, a skip, a penalty, each time step.",
      }
    case "pathSign":
      return { is: "one of the ways by which it acts on the loss has the wrong sign", fix: "Look at a difference in the forward pass." }
    case "pathTwice":
      return { is: "one of the ways by which it acts on the loss is counted twice", fix: "Add up each way once." }
    case "pathScaled":
      return { is: `one of the ways by which it acts on the loss is multiplied by ${short(factor)}`, fix: "Look for a factor on this way." }
    case "imprecise":
      return {
        is: `right to ${short(factor)} only`,
        fix: "Look for single precision, a small number added in one of the passes, or differences with a large step.",
      }
    case "unknown":
      return {
        is: "wrong in a way that is none of the known mistakes",
        fix: "Compare the numbers below, with one example and one unit a layer if need be; gradients that come after it may follow from it.",
      }
  }
}
