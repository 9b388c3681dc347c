// What `explain` says of functions of any kind.
import { count } from "../../data/names.ts"

export const chains = {
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
  verdict({ sums, whole, factor, given, unasked }: Comparisons): string {
    const rule = `the gradient that was given for ${given} (customVjp, customJvp)`
    if (!sums && unasked)
      return `The sum of the paths and adjoint's grad disagree: the gradient that was given for ${unasked} (customVjp) sends something back even where nothing arrives, which no path does.`
    if (factor && given)
      return `Differences disagree with ${rule}: adjoint's grad follows that rule, differences the function; or there is a kink or jump close by.`
    if (factor)
      return `The derivative of ${factor} is not what differences measure: its rule is wrong, or there is a kink or jump close by.`
    if (!sums) return "The sum of the paths and adjoint's grad disagree: a rule forwards and its transpose contradict each other."
    if (!whole && given)
      return `Differences of the whole function disagree with the sum of the paths: ${rule} is not its derivative, or E has a kink or jump close by.`
    if (!whole)
      return "Differences of the whole function disagree with the sum of the paths: a rule is wrong, or E has a kink or jump close by."
    return "The sum of the paths, adjoint's grad and differences agree, and so does each factor shown."
  },
}

/** Which of the comparisons hold. */
export interface Comparisons {
  readonly sums: boolean
  readonly whole: boolean
  /** What has a factor that differences do not confirm. */
  readonly factor: string | undefined
  /** What has a rule of the user's: the same, or what else is on the way. */
  readonly given: string | undefined
  /** What has a rule that is not 0 at 0. */
  readonly unasked: string | undefined
}
