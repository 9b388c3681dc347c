// A classifier of two layers without biases, step by step, on batches of rows: p = logistic(logistic(X W1) W2), and binary cross-entropy with its
// minus. A row is an example, so a linear layer goes back by G Wᵀ for its inputs and Xᵀ G for its weights.
import { matmul, mul, sigmoid, sub, type Tensor, tensor, valueAndGrad, vjp } from "adjoint"

const f64 = (v: number[] | number[][]) => tensor(v, { dtype: "f64" })
const X = f64([
  [0.5, -1],
  [1.5, 0.25],
])
const y = f64([1, 0])
const start = {
  W1: f64([
    [0.1, -0.2],
    [0.3, 0.4],
  ]),
  W2: f64([0.6, -0.7]),
}
const forward = ({ W1, W2 }: typeof start) => sigmoid(matmul(sigmoid(matmul(X, W1)), W2))
/** -Σ (y log p + (1 - y) log(1 - p)) */
const E = (params: typeof start) => {
  const p = forward(params)
  return mul(y, p.log())
    .add(mul(sub(1, y), sub(1, p).log()))
    .sum()
    .neg()
}

const H = sigmoid(matmul(X, start.W1))
const p = forward(start)
const G2 = sub(p, y) // by the scores: the slope of the logistic function cancels
const W2 = matmul(H.transpose(), G2) // Xᵀ G of the second layer
const GH = matmul(G2.reshape(2, 1), start.W2.reshape(1, 2)) // G Wᵀ
const G1 = mul(mul(H, sub(1, H)), GH) // v'(x) o G
const W1 = matmul(X.transpose(), G1)
const [value, g] = valueAndGrad(E)(start)
console.log("E", value.item(), "p", p.toArray())
const same = (a: Tensor, b: Tensor) => sub(a, b).abs().max().item() < 1e-15
console.log(`by hand as by grad: ${same(W1, g.W1) && same(W2, g.W2)}`)

const after = (eta: number) =>
  E({ W1: sub(start.W1, mul(g.W1, eta)), W2: sub(start.W2, mul(g.W2, eta)) })
    .item()
    .toFixed(5)
console.log(`a step of 0.1 down the gradient: ${after(0.1)}; with the wrong sign: ${after(-0.1)}`)
console.log(`"always lower" is for small steps alone: 0.1 ${after(0.1)}, 10 ${after(10)}, 100 ${after(100)}`)

// a pullback is linear and the adjoint of the differential: <D v, u> = <v, D* u>, without the four-index array of all slopes
const [, pull] = vjp((W: Tensor) => sigmoid(matmul(X, W)), start.W1)
const [v, u] = [start.W1, X.mul(2)]
const push = mul(mul(H, sub(1, H)), matmul(X, v))
console.log(`<D v, u> = ${mul(push, u).sum().item().toFixed(12)}, <v, D* u> = ${mul(v, pull(u)[0]).sum().item().toFixed(12)}`)
