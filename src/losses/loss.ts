// What losses have in common: checks, the name that graphs show, and how the losses of examples become one number.
import { composite } from "../control/call.ts"
import { type Aval, sameShape, show } from "../core/aval.ts"
import { isFloating } from "../core/dtype.ts"
import { Tensor } from "../core/tensor.ts"
import { mean, sum } from "../ops/reduction.ts"

export type Reduction = "mean" | "sum" | "none"
export interface LossOptions {
  /** The mean or the sum of all single losses, or none: the single losses themselves. Default: "mean". */
  readonly reduction?: Reduction
}

/** A function of what a model says and what it should have said: a scalar, or single losses with `{ reduction: "none" }`. */
export interface Loss {
  (outputs: Tensor, targets: Tensor, options?: LossOptions): Tensor
  /** The loss's name, for saved settings and messages. */
  readonly kind: string
}

const reductions: Readonly<Record<Reduction, (x: Tensor) => Tensor>> = { mean: x => mean(x), sum: x => sum(x), none: x => x }

/** A loss from `each`, which computes the single losses, and `check`, which throws where the operands do not fit. */
export function defineLoss(
  kind: string,
  check: (outputs: Aval, targets: Aval) => void,
  each: (outputs: Tensor, targets: Tensor) => Tensor,
): Loss {
  const named = (reduction: Reduction): ((outputs: Tensor, targets: Tensor) => Tensor) =>
    composite(kind, { reduction }, (outputs, targets) => reductions[reduction](each(outputs, targets)))
  const forms = { mean: named("mean"), sum: named("sum"), none: named("none") }
  const loss = (outputs: Tensor, targets: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor => {
    for (const x of [outputs, targets])
      if (!(x instanceof Tensor))
        throw new TypeError(`${kind}: wants two tensors, what the model says and the targets; got ${x === null ? "null" : typeof x}`)
    if (!Object.hasOwn(forms, reduction))
      throw new TypeError(`${kind}: reduction must be "mean", "sum" or "none"; got ${JSON.stringify(reduction)}`)
    if (!isFloating(outputs.dtype))
      throw new TypeError(`${kind}: the first argument must be floating point; got ${show(outputs.aval)}. Convert it with cast(x, "f32")`)
    check(outputs.aval, targets.aval)
    return forms[reduction](outputs, targets)
  }
  return Object.assign(loss, { kind })
}

/** Targets like the outputs. Shapes are not aligned: [n] against [n, 1] would silently become [n, n]. */
export const alike =
  (kind: string) =>
  (outputs: Aval, targets: Aval): void => {
    if (outputs.dtype === targets.dtype && sameShape(outputs.shape, targets.shape)) return
    const advice =
      outputs.dtype === targets.dtype
        ? `Reshape them with reshape(targets, [${outputs.shape}])`
        : `Convert them with cast(targets, "${outputs.dtype}")`
    throw new TypeError(`${kind}: targets must be like the outputs, ${show(outputs)}; got ${show(targets)}. ${advice}`)
  }
