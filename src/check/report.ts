// What a check is asked for, and what it says.

/** One way of computing that is checked: forward mode, reverse mode, batching, compilation. */
export type Mode = "forward" | "reverse" | "vmap" | "jit"

export interface CheckOptions {
  /** 2 (default): the reverse-mode derivative is itself checked as a function of the arguments and of its cotangent. */
  readonly order?: number
  /** What to check. Default: everything. Leave out "vmap" and "jit" for functions that read values. */
  readonly modes?: readonly Mode[]
  /** Floating-point arguments are converted to this dtype. Default: "f64", which central differences need to be sharp. */
  readonly dtype?: "f64" | "f32"
  /** Largest relative difference between forward mode and central differences. Default: 1e-6 (f64), 2e-2 (f32). */
  readonly tolerance?: number
  /** Largest relative difference between two exact computations. Default: 1e-9 (f64), 1e-3 (f32). */
  readonly exactTolerance?: number
  /** Step of the differences, relative to the argument. Default: 1e-3 (f64), 2e-2 (f32). */
  readonly eps?: number
  /** Of the directions along which derivatives are taken. Default: 1. */
  readonly seed?: number
}

export interface CheckReport {
  /** Comparisons made. */
  readonly checks: number
  /** The largest relative difference found in each mode. */
  readonly worst: Readonly<Partial<Record<Mode, number>>>
  /**
   * Arguments and results that have no derivative because their dtype or a rule says so, such as the integers of `take` or what
   * `floor` gives: nothing was compared there but zeros. `["argument 1, i32[2]: not differentiable: declared (integers have no tangents)"]`
   */
  readonly notDifferentiable: readonly string[]
}

/** Where two computations of one number differ. */
export interface Disagreement {
  readonly mode: Mode
  /** 1 for the function itself, 2 for its derivative. */
  readonly order: number
  /** Such as `argument 0.layers.0.w` or `result`. */
  readonly leaf: string
  /** Place in that leaf. */
  readonly index: readonly number[]
  readonly wanted: number
  readonly got: number
  /** |wanted - got|, relative to the larger of them. */
  readonly difference: number
}

/** A derivative is wrong; the fields say which and where. */
export class GradientError extends Error implements Disagreement {
  override readonly name = "GradientError"
  readonly mode: Mode
  readonly order: number
  readonly leaf: string
  readonly index: readonly number[]
  readonly wanted: number
  readonly got: number
  readonly difference: number
  constructor(what: string, d: Disagreement, hint: string) {
    const where = `${d.leaf}${d.index.length ? ` at [${d.index.join(", ")}]` : ""}`
    const order = d.order > 1 ? ` (of the reverse-mode derivative, order ${d.order})` : ""
    super(
      `checkGrads: ${what}${order}: for ${where} wanted ${digits(d.wanted)}, got ${digits(d.got)}; ` +
        `relative difference ${d.difference.toExponential(1)}. ${hint}`,
    )
    this.mode = d.mode
    this.order = d.order
    this.leaf = d.leaf
    this.index = d.index
    this.wanted = d.wanted
    this.got = d.got
    this.difference = d.difference
  }
}
const digits = (x: number): string => `${Number(x.toPrecision(9))}`
