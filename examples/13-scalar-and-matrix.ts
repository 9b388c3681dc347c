// One gradient in three forms: neuron by neuron, as products of matrices from the error's end, and the same chain from the input's end, which
// costs more. Multiplications are counted.
import { grad, matmul, mul, random, sub, type Tensor, tanh } from "adjoint"

const sizes = [5, 7, 6, 3]
const draw = (i: number, ...shape: number[]) => random.normal(random.fold(random.key(13), i), shape, { dtype: "f64" })
const [W, x, t] = [[1, 2, 3].map(l => draw(l, sizes[l]!, sizes[l - 1]!)), draw(8, 5), draw(9, 3)]
const apart = (found: readonly Tensor[], wanted: readonly Tensor[]) =>
  Math.max(...found.map((g, l) => sub(g, wanted[l]!).abs().max().item())).toExponential(0)
const E = (W: Tensor[]) =>
  mul(
    sub(
      W.reduce((a, w) => tanh(matmul(w, a)), x),
      t,
    )
      .square()
      .sum(),
    0.5,
  )
const wanted = grad(E)(W)

// neuron by neuron: a_j = tanh(Σ_i w_ji a_i), delta_j = (1 - a_j²) Σ_k w_kj delta_k, dE/dw_ji = delta_j a_i
const w = W.map(m => m.toArray() as number[][])
const a = [x.toArray() as number[]]
for (const m of w) a.push(m.map(row => Math.tanh(row.reduce((s, wji, i) => s + wji * a.at(-1)![i]!, 0))))
let deltas = a.at(-1)!.map((y, k) => (y - (t.toArray() as number[])[k]!) * (1 - y * y))
let worst = 0
for (let l = 2; l >= 0; l--) {
  const exact = wanted[l]!.toArray() as number[][]
  for (const [j, d] of deltas.entries()) for (const [i, ai] of a[l]!.entries()) worst = Math.max(worst, Math.abs(d * ai - exact[j]![i]!))
  deltas = a[l]!.map((ai, i) => (1 - ai * ai) * deltas.reduce((s, d, j) => s + w[l]![j]![i]! * d, 0))
}
console.log(`neuron by neuron: within 1e-12 of grad: ${worst < 1e-12}`)

// as matrices: [m, k] times [k, n] is m k n multiplications
let multiplications = 0
const times = (a: Tensor, b: Tensor) => {
  multiplications += (a.size * b.size) / a.shape.at(-1)!
  return matmul(a, b)
}
const column = (v: Tensor) => v.reshape(v.size, 1)
const values = [column(x)]
for (const m of W) values.push(tanh(matmul(m, values.at(-1)!)))
const slope = values.map(v => sub(1, v.square()))
let delta = mul(sub(values[3]!, column(t)), slope[3]!)
const found: Tensor[] = []
for (let l = 2; l >= 0; l--) {
  found.unshift(matmul(delta, values[l]!.transpose())) // grad W = delta a^T
  delta = times(W[l]!.transpose(), delta) // and at last dE/dx
  if (l > 0) delta = mul(delta, slope[l]!)
}
console.log(`matrices: ${apart(found, wanted)} apart; dE/dx from the error's end: ${multiplications} multiplications`)

// rows instead of columns is the transpose of it all; from the input's end the Jacobian of all outputs is carried along, matrix by matrix
multiplications = 0
let jacobian = mul(slope[1]!, W[0]!)
for (let l = 1; l < 3; l++) jacobian = mul(slope[l + 1]!, times(W[l]!, jacobian))
const fromInput = times(sub(values[3]!, column(t)).transpose(), jacobian)
console.log(`from the input's end: ${multiplications} multiplications, ${apart([fromInput.transpose()], [delta])} apart`)
