// Weights column by column in one array, W[j * rows + i] from input j to unit i, as column-major languages keep them: the slopes of a last layer
// and of one in the middle by loops over such arrays, and the same by `grad`.
import { add, grad, matmul, outer, sigmoid, type Tensor, tensor } from "adjoint"
import { halfSquaredError } from "adjoint/losses"

const logistic = (s: number) => 1 / (1 + Math.exp(-s))
/** activation(W x + b) */
const layer = (W: number[], x: number[], b: number[]) =>
  b.map((bias, i) => logistic(x.reduce((sum, xj, j) => sum + W[j * b.length + i]! * xj, bias)))
/** delta x^T, column by column: all slopes of a layer's weights. */
const product = (x: number[], delta: number[]) => x.flatMap(xj => delta.map(d => d * xj))
console.log("columns of [1, 2, 3]^T [4, 5, 6, 7]:", product([4, 5, 6, 7], [1, 2, 3]).join(" "))

const x = [0.3, 0.2, 0, 0.5]
const desired = [1, 0, 0]
const W1 = [0.5, -0.3, 0.2, 0.1, -0.4, 0.6, 0.7, -0.8]
const W2 = [0.3, -0.6, 0.9, -0.2, 0.4, 0.8]
const [b1, b2] = [
  [0.05, -0.1],
  [0.1, 0.2, -0.3],
] as [number[], number[]]

const z = layer(W1, x, b1)
const y = layer(W2, z, b2)
// delta of the last layer: slope of the error times slope of the activation; it is the slope of the bias
const delta2 = y.map((y, k) => (y - desired[k]!) * y * (1 - y))
// delta in the middle: back through the columns of W2, times the slope of its own activation
const delta1 = z.map((z, j) => delta2.reduce((sum, d, k) => sum + W2[j * delta2.length + k]! * d, 0) * z * (1 - z))
const show = (numbers: readonly number[]) => numbers.map(v => v.toFixed(8)).join(" ")
console.log("last layer, biases: ", show(delta2))
console.log("last layer, weights:", show(product(z, delta2)))
console.log("middle, biases:     ", show(delta1))
console.log("middle, weights:    ", show(product(x, delta1)))

// a matrix [units, inputs] by columns is one [inputs, units] by rows: no number moves
const f64 = (v: number[]) => tensor(v, { dtype: "f64" })
const network = ({ W1, b1, W2, b2 }: Record<"W1" | "b1" | "W2" | "b2", Tensor>) => {
  const z = sigmoid(add(matmul(f64(x), W1.reshape(4, 2)), b1))
  return halfSquaredError(sigmoid(add(matmul(z, W2.reshape(2, 3)), b2)), f64(desired), { reduction: "sum" })
}
const g = grad(network)({ W1: f64(W1), b1: f64(b1), W2: f64(W2), b2: f64(b2) })
const byHand = { W1: product(x, delta1), b1: delta1, W2: product(z, delta2), b2: delta2 }
const off = (["W1", "b1", "W2", "b2"] as const).flatMap(k => byHand[k].map((v, i) => Math.abs(v - [...g[k].values()][i]!)))
console.log(`all 20 parameters differ from grad by less than 1e-15: ${Math.max(...off) < 1e-15}`)
console.log(outer(tensor([1, 2, 3]), tensor([4, 5, 6, 7])).toArray())
