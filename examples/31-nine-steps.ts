// Training in nine steps, written out for a net of two inputs, two hidden logistic units and one output: three stages in order, forwards, backwards,
// update. Deltas have the sign t - y here, so that corrections are added; `grad` gives their negatives.
import { concat, grad, matmul, sigmoid, type Tensor, tensor } from "adjoint"
import { halfSquaredError } from "adjoint/losses"

const f = (x: number) => 1 / (1 + Math.exp(-x))
const slope = (y: number) => y * (1 - y)
// step 0: small random weights; here given, so that the numbers can be compared. Rows: bias, x1, x2
const V = [
  [0.3, -0.2],
  [0.1, 0.4],
  [-0.5, 0.2],
]
const W = [0.2, 0.6, -0.7] // bias, z1, z2
const cases = [{ x: [0.1, 0.3], t: 0.9 }]
const [alpha, wanted, mostEpochs] = [0.5, 1e-3, 5000]

const f64 = (v: number | number[] | number[][]) => tensor(v, { dtype: "f64" })
const E = ({ V, W }: { V: Tensor; W: Tensor }, x: number[], t: number) => {
  const z = sigmoid(matmul(f64([1, ...x]), V))
  return halfSquaredError(sigmoid(matmul(concat([f64([1]), z]), W)), f64(t))
}
let [epoch, error] = [0, Infinity]
// step 1: until the stopping condition holds, steps 2 to 9
while (error > wanted && epoch < mostEpochs) {
  error = 0
  epoch++
  for (const { x, t } of cases) {
    // step 2: each case, steps 3 to 8
    const input = [1, ...x] // step 3: inputs are handed to the hidden layer
    const zIn = [0, 1].map(j => input.reduce((s, xi, i) => s + xi * V[i]![j]!, 0)) // step 4: hidden units
    const z = [1, ...zIn.map(f)]
    const y = f(z.reduce((s, zj, j) => s + zj * W[j]!, 0)) // step 5: output unit
    const deltaK = (t - y) * slope(y) // step 6: delta of the output, correction of its weights
    const changeW = z.map(zj => alpha * deltaK * zj)
    const deltaJ = [1, 2].map(j => deltaK * W[j]! * slope(z[j]!)) // step 7: deltas of hidden units, corrections
    const changeV = input.map(xi => deltaJ.map(d => alpha * d * xi))
    if (epoch === 1) {
      console.log(`y = ${y.toFixed(10)}, delta_k = ${deltaK.toFixed(11)}`)
      const g = grad(E)({ V: f64(V), W: f64(W) }, x, t)
      const byGrad = [...g.V.values(), ...g.W.values()].map(v => -alpha * v)
      const off = [...changeV.flat(), ...changeW].map((c, i) => Math.abs(c - byGrad[i]!))
      console.log(`corrections are those of grad: ${Math.max(...off) < 1e-16}`)
    }
    for (const [j, c] of changeW.entries()) W[j]! += c // step 8: update of all weights
    for (const [i, row] of changeV.entries()) for (const [j, c] of row.entries()) V[i]![j]! += c
    error += 0.5 * (t - y) ** 2
  }
  // step 9: test of the stopping condition
}
console.log(`stopped by the ${error <= wanted ? "error" : "number of epochs"}: ${error.toExponential(2)} after ${epoch} epochs`)
