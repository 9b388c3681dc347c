import { fromArray } from "../core/concrete.ts"
import { cos } from "../ops/arithmetic.ts"

/** Places in 0 to 1 and their weights, whose sum is 1. */
export interface Quadrature {
  readonly nodes: Float64Array
  readonly weights: Float64Array
}

/**
 * Gauss-Legendre quadrature of n nodes on 0 to 1: exact for polynomials of degree 2 n - 1.
 *
 * The nodes are the roots of the Legendre polynomial P_n, found by Newton's method from cos(pi (i - 1/4) / (n + 1/2)), and the weights
 * 2 / ((1 - x²) P_n'(x)²), both moved from -1 to 1 to here (Press et al. 2007, "Numerical recipes", 4.6.1).
 */
export function gaussLegendre(n: number): Quadrature {
  const [nodes, weights] = [new Float64Array(n), new Float64Array(n)]
  const guesses = Float64Array.from({ length: n }, (_, i) => (Math.PI * (i + 0.75)) / (n + 0.5))
  const first = cos(fromArray(guesses, { shape: [n], dtype: "f64" })).values() as Float64Array
  for (let i = 0; i < n; i++) {
    let x = first[i]!
    // the distance squares with each step, from less than 1e-2 on
    for (let k = 0; k < 6; k++) {
      const [p, slope] = legendre(n, x)
      x -= p / slope
    }
    const [, slope] = legendre(n, x)
    // from the largest to the smallest
    nodes[n - 1 - i] = (1 + x) / 2
    weights[n - 1 - i] = 1 / ((1 - x * x) * slope * slope)
  }
  return { nodes, weights }
}

/** P_n and its derivative: k P_k = (2 k - 1) x P_(k-1) - (k - 1) P_(k-2), (x² - 1) P_n' = n (x P_n - P_(n-1)). */
function legendre(n: number, x: number): readonly [value: number, slope: number] {
  let [before, p] = [1, x]
  for (let k = 2; k <= n; k++) [before, p] = [p, ((2 * k - 1) * x * p - (k - 1) * before) / k]
  return [p, n === 1 ? 1 : (n * (x * p - before)) / (x * x - 1)]
}
