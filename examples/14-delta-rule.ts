// The delta rule is backpropagation through a single layer: Δw = -η δ x with δ = (y - t) f'(a). For a linear neuron f' is 1.
import { grad, matmul, mul, sigmoid, sub, type Tensor, tensor } from "adjoint"
import { halfSquaredError } from "adjoint/losses"
import { sgd } from "adjoint/optim"

const f64 = (v: number | number[] | number[][]) => tensor(v, { dtype: "f64" })
const x = [
  [1, 0.5],
  [1, -1],
  [1, 2],
] // the bias is the weight of an input that is always 1
const t = [0.9, 0.1, 0.7]
const eta = 0.5

const kinds = {
  linear: { f: (a: number) => a, slope: () => 1, of: (a: Tensor) => a },
  logistic: { f: (a: number) => 1 / (1 + Math.exp(-a)), slope: (y: number) => y * (1 - y), of: sigmoid },
}
for (const [name, { f, slope, of }] of Object.entries(kinds)) {
  // the rule, example by example: here the average over all three, then one step
  const w = [0.2, -0.4]
  const change = [0, 0]
  for (const [n, row] of x.entries()) {
    const y = f(row[0]! * w[0]! + row[1]! * w[1]!)
    const delta = (y - t[n]!) * slope(y)
    for (const i of [0, 1]) change[i]! -= (eta * delta * row[i]!) / x.length
  }
  const byRule = w.map((w, i) => w + change[i]!)

  const E = (w: Tensor, x: Tensor, t: Tensor) => halfSquaredError(of(matmul(x, w)), t)
  const g = grad(E)(f64(w), f64(x), f64(t))
  const [byBackpropagation] = sgd(eta).update(g, sgd(eta).init(f64(w)), f64(w)) as [Tensor, unknown]
  console.log(name, byRule.map(v => v.toFixed(12)).join(" "))
  console.log(`  the same by grad and sgd: ${sub(byBackpropagation, f64(byRule)).abs().max().item() < 1e-15}`)

  // the gradient of a mean is the mean of the gradients of the examples
  const each = x.map((row, n) => grad(E)(f64(w), f64([row]), f64([t[n]!])))
  const mean = mul(
    each.reduce((a, b) => a.add(b)),
    1 / x.length,
  )
  console.log(`  the mean of three gradients is that of the mean: ${sub(mean, g).abs().max().item() < 1e-15}`)
}
