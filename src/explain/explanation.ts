// What `explain` gives: plain data, which the renderers print and JSON keeps. All numbers are f64.

/** How many: a number where JavaScript holds it exactly, else its decimal digits. `BigInt(count)` reads both. */
export type Count = number | string

/** One number of the program. */
export interface Scalar {
  /** Such as `layers.0.w[3,1]`, or `layers.1/relu[0,5]` for a result. */
  readonly name: string
  readonly value: number
}

/** One local derivative on a path: of one result of one application by one of its operands. */
export interface Factor {
  /** Number of the application in `applications`. */
  readonly application: number
  /** Such as `tanh`, and the layers and turns around it. */
  readonly operation: string
  readonly scope: readonly string[]
  /** Which operand of the application. */
  readonly operand: number
  /** What changes, and by what: the derivative is d result / d by. */
  readonly result: Scalar
  readonly by: Scalar
  /** Such as `1 - tanh(x)^2`, and the same as LaTeX. */
  readonly formula: string
  readonly latex: string
  /** The formula with numbers in it, where that shows anything. */
  readonly numbers?: string
  readonly value: number
  /** The same by central differences of this application alone. */
  readonly check: number
  /** |value - check| */
  readonly difference: number
  /** An element is only moved or copied: the factor is 1. */
  readonly copy: boolean
}

/** One way from the scalar to the error. */
export interface Path {
  /** The product of its factors. */
  readonly contribution: number
  /** From the error back to the scalar, as the chain rule is written. */
  readonly factors: readonly Factor[]
}

/** Paths that are not shown one by one: how many, and the sum of their contributions. */
export interface Rest {
  readonly count: Count
  readonly contribution: number
}
/** The part of a sum that goes through one place. */
export interface Share extends Rest {
  readonly name: string
}
/** Shares, the largest first, and the others together. */
export interface Shares {
  readonly largest: readonly Share[]
  readonly others?: Rest & { readonly shares: number }
}

/** Where the scalar is read: one share for each result that it enters directly. A weight used in each turn has one a turn. */
export interface Use extends Share {
  /** Number of the application that reads it. */
  readonly application: number
  readonly scope: readonly string[]
}

/** One application that the scalar reaches: a vertex of the adjoint graph. */
export interface Application {
  /** Its place in the program; factors and links name it. */
  readonly id: number
  readonly operation: string
  readonly scope: readonly string[]
  /** Of its first result. */
  readonly shape: readonly number[]
  /** The paths through it; what they contribute to the gradient in sum. */
  readonly count: Count
  readonly contribution: number
  /** By element of its results: which unit of a layer carries how much. */
  readonly units: Shares
}
/** How much goes from one application to another. */
export interface Link {
  /** Number of the application, or -1 for the scalar itself. */
  readonly from: number
  readonly to: number
  readonly operand: number
  readonly count: Count
  readonly contribution: number
}
/** Applications of one layer, composite or turn; what enters it from outside of it. */
export interface Group {
  readonly name: string
  readonly path: readonly string[]
  readonly count: Count
  readonly contribution: number
  /** Numbers of the applications that belong to it and to no inner group. */
  readonly applications: readonly number[]
  readonly groups: readonly Group[]
}

/** A place where nothing gets through: a local derivative that is 0. */
export interface Blocked {
  readonly application: number
  readonly operation: string
  readonly scope: readonly string[]
  /** What arrives there: the number, and how it changes with the scalar. */
  readonly at: Scalar
  readonly arriving: number
  readonly sentence: string
}

/** One line of the optimizer's arithmetic. */
export interface Line {
  readonly symbol: string
  readonly formula: string
  readonly value: number
}
/** A change of parameters, and what it does to the error. */
export interface Change {
  /** Slope times change: true to first order. */
  readonly predicted: number
  /** The error after the change minus the error before. */
  readonly actual: number
}
/** From gradient to new weight. */
export interface Update {
  readonly optimizer: string
  readonly lines: readonly Line[]
  readonly before: number
  readonly after: number
  /** With this scalar's change alone, and with that of all parameters of the argument. */
  readonly alone: Change
  readonly all: Change
}

/** A gradient taken apart. */
export interface Explanation {
  /** The scalar that is explained. */
  readonly of: Scalar
  readonly error: number
  /** dE/dscalar by adjoint's reverse mode through the whole function. */
  readonly gradient: number
  /** The sum over all paths: those shown, and the others by dynamic programming over what branches off them. */
  readonly sumOfPaths: number
  /** dE/dscalar by central differences of the whole function. */
  readonly finiteDifference: number
  /** All paths from the scalar to the error whose factors are not 0. */
  readonly numberOfPaths: Count
  /** The paths with the largest |contribution|, largest first. */
  readonly paths: readonly Path[]
  /** All other paths, counted and added up; `branches` by the application at which they leave the paths shown. */
  readonly rest: Rest & { readonly branches: Shares }
  readonly uses: { readonly largest: readonly Use[]; readonly others?: Rest & { readonly shares: number } }
  readonly applications: readonly Application[]
  readonly links: readonly Link[]
  readonly groups: Group
  /** Where nothing gets through, the places first that the scalar moves most; `others` were left out. */
  readonly blocked: { readonly places: readonly Blocked[]; readonly others: number }
  readonly update?: Update
  /**
   * Whether the sum of the paths is the gradient (to 1e-10), and both agree with differences, as does every factor shown (to 1e-6).
   * Differences across a kink, as of relu at 0, do not.
   */
  readonly agrees: boolean
  /** What disagrees, in words, or that nothing does. */
  readonly verdict: string
}
