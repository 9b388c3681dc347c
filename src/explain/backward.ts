// The textbook's backward pass, one number at a time, with nothing of adjoint in it: that is what makes it a check of adjoint.
import type { LayerValues, Numbers } from "./evaluate.ts"
import { elementwiseOf, lossOf, type Network } from "./network.ts"

/** The derivatives of E by what a layer computes. */
export interface LayerSlopes {
  /** dE/dy [out], summed over all ways from y to the error; left out where the loss is joined to the activation. */
  readonly dy?: Numbers
  /** dy/ds [out]; left out for softmax, where each y depends on all s, and for a joined loss. */
  readonly slope?: Numbers
  /** delta = dE/ds [out] */
  readonly delta: Numbers
}

/**
 * dE/dy and delta = dE/ds of all layers.
 *
 * delta_j = f'(s_j) dE/dy_j, and dE/dy_j of a hidden layer is sum_k w_jk delta_k over the layer after it. Rumelhart, Hinton and
 * Williams (1986). `out` are the outputs, as probabilities if the loss is joined to logistic or softmax.
 */
export function backward(network: Network, values: readonly LayerValues[], out: Numbers, target: Numbers): LayerSlopes[] {
  const { layers, reduction } = network
  const rule = lossOf(network.loss)
  const share = reduction === "mean" ? target.length : 1
  const atOutput = out.map((y, k) => rule.slope(y, target[k]!) / share)
  const slopes: LayerSlopes[] = []
  for (let l = layers.length - 1; l >= 0; l--) {
    const next = slopes[0]
    if (!next && rule.joined) {
      slopes.unshift({ delta: atOutput })
      continue
    }
    const dy = next ? layers[l + 1]!.w.map(row => dot(row, next.delta)) : atOutput
    const { s, y } = values[l]!
    const rules = elementwiseOf(layers[l]!.activation)
    if (rules) {
      const slope = s.map((sj, j) => rules.slope(sj, y[j]!))
      slopes.unshift({ dy, slope, delta: dy.map((d, j) => d * slope[j]!) })
    } else {
      const delta = y.map((_, j) => y.reduce((total, _, k) => total + dy[k]! * softmaxSlope(y, k, j), 0))
      slopes.unshift({ dy, delta })
    }
  }
  return slopes
}

/** dy_k/ds_j of softmax: y_k (1 - y_k) for j = k, else -y_k y_j. */
export const softmaxSlope = (y: Numbers, k: number, j: number): number => y[k]! * ((k === j ? 1 : 0) - y[j]!)

const dot = (a: Numbers, b: Numbers): number => a.reduce((total, x, k) => total + x * b[k]!, 0)
