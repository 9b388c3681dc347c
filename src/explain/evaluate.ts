// The network as a program of adjoint, in f64: its values, its gradient by reverse mode, and its error from any place on.
import { tensor } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { add, div } from "../ops/arithmetic.ts"
import { sum } from "../ops/reduction.ts"
import { matmul } from "../ops/shape.ts"
import { grad } from "../transforms/grad.ts"
import { type ActivationName, activate, lossOf, type Network } from "./network.ts"

export type Numbers = readonly number[]
/** What a layer computes: pre-activations s [out] and outputs y [out]. */
export interface LayerValues {
  readonly s: Numbers
  readonly y: Numbers
}
/** dE/dw [in, out] and dE/db [out] of a layer. */
export interface LayerGradient {
  readonly w: readonly Numbers[]
  readonly b?: Numbers
}

interface LayerParams {
  readonly w: Tensor
  readonly b?: Tensor
}

const f64 = (data: Numbers | readonly Numbers[]): Tensor => tensor(data as number[], { dtype: "f64" })
const numbers = (x: Tensor): number[] => Array.from(x.values())

/** An activation of given pre-activations. */
export const activated = (name: ActivationName, s: Numbers): number[] => numbers(activate(name, f64(s)))

/** One network and one target, ready to be evaluated for inputs, or from any layer on. */
export class Evaluation {
  private readonly network: Network
  private readonly target: Numbers
  private readonly params: readonly LayerParams[]
  constructor(network: Network, target: Numbers) {
    this.network = network
    this.target = target
    this.params = network.layers.map(({ w, b }) => ({ w: f64(w), ...(b && { b: f64(b) }) }))
  }

  /** The values of all layers for one input [in]. */
  forward(x: Numbers): LayerValues[] {
    let y = f64([x])
    return this.network.layers.map((layer, l) => {
      const s = affine(this.params[l]!, y)
      y = activate(layer.activation, s)
      return { s: numbers(s), y: numbers(y) }
    })
  }

  /** dE/dparameters for one input [in], by `grad`. */
  gradient(x: Numbers): LayerGradient[] {
    const g: readonly LayerParams[] = grad((params: readonly LayerParams[]) => sum(this.errorsOf(affine(params[0]!, f64([x])), 0, params)))(
      this.params,
    )
    return g.map(({ w, b }) => ({ w: w.toArray() as number[][], ...(b && { b: numbers(b) }) }))
  }

  /** The errors [rows] for pre-activations [rows, out] of layer l. */
  errorsFromScores(l: number, rows: readonly Numbers[]): number[] {
    return numbers(this.errorsOf(f64(rows), l, this.params))
  }

  /** The errors [rows] for outputs [rows, out] of layer l. */
  errorsFromOutputs(l: number, rows: readonly Numbers[]): number[] {
    return numbers(this.errorsAfter(f64(rows), l, this.params))
  }

  private errorsOf(s: Tensor, l: number, params: readonly LayerParams[]): Tensor {
    const isLast = l === this.network.layers.length - 1
    // a joined loss computes its activation itself
    const y = isLast && lossOf(this.network.loss).joined ? s : activate(this.network.layers[l]!.activation, s)
    return this.errorsAfter(y, l, params)
  }
  private errorsAfter(y: Tensor, l: number, params: readonly LayerParams[]): Tensor {
    const next = params[l + 1]
    if (next) return this.errorsOf(affine(next, y), l + 1, params)
    const { loss, reduction } = this.network
    const rows = y.shape[0]!
    const targets = f64(Array.from({ length: rows }, () => this.target))
    const errors = lossOf(loss).loss(y, targets, { reduction: "none" })
    if (errors.ndim === 1) return errors
    const total = sum(errors, { axis: -1 })
    return reduction === "mean" ? div(total, this.target.length) : total
  }
}

const affine = ({ w, b }: LayerParams, x: Tensor): Tensor => (b ? add(matmul(x, w), b) : matmul(x, w))
