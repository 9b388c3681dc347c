// The derivative by each matrix of weights as a product of local derivatives.
import { tensor } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"

type Matrix = readonly (readonly number[])[]

/** A local derivative and how it enters the product, which begins at the error. */
export interface ChainFactor {
  /** Such as "dy/ds4": y are the outputs, s4 the sums of layer 4, h3 the units of layer 3, w4 the weights between them. */
  readonly symbol: string
  /**
   * "start": dE/dy, [example][output]. "elementwise": multiplies unit by unit, [example][unit]. "matrix": multiplies from the right,
   * [unit of the layer][unit of the one before]. "outer": multiplies from the left, [unit of the layer before][example].
   */
  readonly by: "start" | "elementwise" | "matrix" | "outer"
  readonly value: Matrix
}
/** dE/dw of one matrix of weights: `grad` is the product of `factors`, of which all but the last give the layer's delta. */
export interface Chain {
  /** "w4" for the weights into layer 4; layers of units count from 1. */
  readonly of: string
  readonly factors: readonly ChainFactor[]
  /** [in][out] */
  readonly grad: Matrix
}

/**
 * Chains of E = mean over examples of sum (y - t)^2 / 2, the last layer's first, for logistic layers:
 *
 *     delta_L = dE/dy o y (1 - y),  delta_l = delta_(l+1) w_(l+1)^T o h_l (1 - h_l),  dE/dw_l = h_(l-1)^T delta_l
 *
 * `hs` are the inputs and the units of each layer, [example, unit]; `slopes` come from `grad`.
 */
export function chainOf(
  hs: readonly Tensor[],
  params: readonly { readonly w: Tensor }[],
  slopes: readonly { readonly w: Tensor }[],
  targets: Tensor,
): Chain[] {
  const last = params.length
  const y = hs[last]!
  const unit = (l: number): string => (l === last ? "y" : `h${l}`)
  const towards: ChainFactor[] = [factor("dE/dy", "start", y.sub(targets).div(targets.shape[0]!))]
  const chains: Chain[] = []
  for (let l = last; l > 0; l--) {
    const h = hs[l]!
    towards.push(factor(`d${unit(l)}/ds${l}`, "elementwise", h.mul(tensor(1, { dtype: "f64" }).sub(h))))
    const outer = factor(`ds${l}/dw${l}`, "outer", hs[l - 1]!.transpose())
    chains.push({ of: `w${l}`, factors: [...towards, outer], grad: numbers(slopes[l - 1]!.w) })
    towards.push(factor(`ds${l}/d${unit(l - 1)}`, "matrix", params[l - 1]!.w.transpose()))
  }
  return chains
}
const factor = (symbol: string, by: ChainFactor["by"], value: Tensor): ChainFactor => ({ symbol, by, value: numbers(value) })
const numbers = (x: Tensor): number[][] => x.toArray() as number[][]
