// What `findOrigin` says.
import type { Line } from "../source-line.ts"
import { at, placeOf, short } from "./words.ts"

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
export interface OriginFacts {
  readonly operation: string
  readonly value: number
  readonly index: readonly number[]
  readonly operands: readonly { readonly value: number }[]
  /** Names of operations and composites close by. */
  readonly related: readonly string[]
}
export const origin = {
  finite: "Value and gradient are finite.",
  outside: "a tensor from outside",
  where: (scope: readonly string[]): string => `in ${scope.join("/")}`,
  line: (line: Line): string => `line ${placeOf(line)}${line.in ? ` (${line.in})` : ""}`,
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
