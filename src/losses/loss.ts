// What losses have in common: checks, the name that graphs show, and how the losses of examples become one number.
import { composite } from "../control/call.ts"
import { type Aval, sameShape, show } from "../core/aval.ts"
import { isFloating } from "../core/dtype.ts"
import { Tensor } from "../core/tensor.ts"
import { div } from "../ops/arithmetic.ts"
import { mean, sum } from "../ops/reduction.ts"

export type Reduction = "mean" | "sum" | "none"
export interface LossOptions {
  /** The mean or the sum of all single losses, or none: the single losses themselves. Default: "mean". */
  readonly reduction?: Reduction
}

/** A function of what a model says and what it should have said: a scalar, or single losses with `{ reduction: "none" }`. */
export interface Loss<Options extends LossOptions = LossOptions> {
  (outputs: Tensor, targets: Tensor, options?: Options): Tensor
  /** The loss's name, for saved settings and messages. */
  readonly kind: string
}
/** A loss of three tensors. */
export interface TripleLoss<Options extends LossOptions = LossOptions> {
  (x1: Tensor, x2: Tensor, x3: Tensor, options?: Options): Tensor
  readonly kind: string
}

/** Single losses and their weights: the mean is sum(losses) / sum(weights). */
export interface Weighted {
  readonly losses: Tensor
  readonly weights: Tensor
}
const lossesOf = (x: Tensor | Weighted): Tensor => (x instanceof Tensor ? x : x.losses)
const reductions: Readonly<Record<Reduction, (x: Tensor | Weighted) => Tensor>> = {
  mean: x => (x instanceof Tensor ? mean(x) : div(sum(x.losses), sum(x.weights))),
  sum: x => sum(lossesOf(x)),
  none: lossesOf,
}

type Check<Operands, Options> = (operands: Operands, options: Options) => void
type Each<Operands extends readonly Tensor[], Options> = (...args: [...Operands, options: Options]) => Tensor | Weighted
type Two = readonly [Tensor, Tensor]
type Three = readonly [Tensor, Tensor, Tensor]
type Avals<T> = { readonly [K in keyof T]: Aval }

/** A loss from `each`, which computes the single losses, and `check`, which throws where the operands or the options do not fit. */
export const defineLoss = <O extends LossOptions = LossOptions>(
  kind: string,
  check: Check<Avals<Two>, O>,
  each: Each<Two, O>,
  wants = "two tensors, what the model says and the targets",
): Loss<O> => define(kind, 2, wants, check as never, each as never)

/** As `defineLoss`, for three tensors; `wants` says which. */
export const defineTripleLoss = <O extends LossOptions = LossOptions>(
  kind: string,
  wants: string,
  check: Check<Avals<Three>, O>,
  each: Each<Three, O>,
): TripleLoss<O> => define(kind, 3, wants, check as never, each as never)

/** Numbers and flags among the options belong to the loss's name; tensors are operands. */
function define(
  kind: string,
  arity: number,
  wants: string,
  check: Check<readonly Aval[], object>,
  each: (...args: readonly (Tensor | object)[]) => Tensor | Weighted,
) {
  // recordings are kept with a function, so there is one for each choice of settings
  const forms = new Map<string, (xs: readonly Tensor[], tensors: Readonly<Record<string, Tensor>>) => Tensor>()
  const loss = (...args: readonly unknown[]): Tensor => {
    const operands = args.slice(0, arity) as readonly Tensor[]
    const { reduction = "mean", ...options } = (args[arity] ?? {}) as LossOptions & Readonly<Record<string, unknown>>
    for (const x of operands.length < arity ? [undefined] : operands)
      if (!(x instanceof Tensor)) throw new TypeError(`${kind}: wants ${wants}; got ${x === null ? "null" : typeof x}`)
    if (!Object.hasOwn(reductions, reduction))
      throw new TypeError(`${kind}: reduction must be "mean", "sum" or "none"; got ${JSON.stringify(reduction)}`)
    const [outputs] = operands as readonly [Tensor]
    if (!isFloating(outputs.dtype))
      throw new TypeError(`${kind}: the first argument must be floating point; got ${show(outputs.aval)}. Convert it with cast(x, "f32")`)
    check(
      operands.map(x => x.aval),
      options,
    )
    const given = Object.entries(options).filter(([, x]) => x !== undefined)
    const tensors = Object.fromEntries(given.filter(([, x]) => x instanceof Tensor)) as Record<string, Tensor>
    const settings = { reduction, ...Object.fromEntries(given.filter(([, x]) => !(x instanceof Tensor))) }
    const key = JSON.stringify(settings)
    let form = forms.get(key)
    if (!form) forms.set(key, (form = composite(kind, settings, (xs, ts) => reductions[reduction](each(...xs, { ...settings, ...ts })))))
    return form(operands, tensors)
  }
  return Object.assign(loss, { kind })
}

/** Targets like the outputs. Shapes are not aligned: [n] against [n, 1] would silently become [n, n]. */
export const alike =
  (kind: string, what = "targets", model = "the outputs") =>
  ([outputs, targets]: readonly [Aval, Aval, ...Aval[]]): void => {
    if (outputs.dtype === targets.dtype && sameShape(outputs.shape, targets.shape)) return
    const advice =
      outputs.dtype === targets.dtype
        ? `Reshape them with reshape(${what}, [${outputs.shape}])`
        : `Convert them with cast(${what}, "${outputs.dtype}")`
    throw new TypeError(`${kind}: ${what} must be like ${model}, ${show(outputs)}; got ${show(targets)}. ${advice}`)
  }

/** Throws TypeError unless an option is left out or is a number that fits. */
export function wantOption(kind: string, name: string, x: unknown, wanted: string, fits: (x: number) => boolean): void {
  if (x !== undefined && !(typeof x === "number" && fits(x)))
    throw new TypeError(`${kind}: ${name} must be ${wanted}; got ${x instanceof Tensor ? show(x.aval) : JSON.stringify(x)}`)
}
/** Throws TypeError unless an option is left out or is a positive number. */
export const wantPositive = (kind: string, name: string, x: unknown): void => wantOption(kind, name, x, "a number > 0", x => x > 0)
/** Throws TypeError unless an option is left out or is a number >= 0. */
export const wantNonNegative = (kind: string, name: string, x: unknown): void => wantOption(kind, name, x, "a number >= 0", x => x >= 0)
