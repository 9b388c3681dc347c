// The general way of a feed-forward network on one with linear outputs and E = ½ Σ (y - t)²: a_j = Σ w_ji z_i, delta_k = y_k - t_k at the output,
// delta_j = h'(a_j) Σ_k v_kj delta_k before it, and the slope of a weight is delta at its output end times z at its input end.
import { checkGrads, concat, grad, matmul, sigmoid, type Tensor, tanh, tensor } from "adjoint"
import { halfSquaredError } from "adjoint/losses"

const x = [0.5, -1, 1] // and the 1 of the biases
const t = [0.2, -0.3]
const w = [
  [0.1, 0.2, 0.3],
  [-0.4, 0.5, -0.6],
]
const v = [
  [0.7, -0.8, 0.9],
  [-1, 1.1, -1.2],
]
const sum = (rows: number[], values: number[]) => rows.reduce((s, r, i) => s + r * values[i]!, 0)

// slopes of the activations by their values
const kinds = {
  tanh: { h: Math.tanh, slope: (z: number) => 1 - z * z, of: tanh },
  logistic: { h: (a: number) => 1 / (1 + Math.exp(-a)), slope: (z: number) => z * (1 - z), of: sigmoid },
}
for (const [name, { h, slope, of }] of Object.entries(kinds)) {
  const z = w.map(row => h(sum(row, x)))
  const y = v.map(row => sum(row, [...z, 1]))
  const delta2 = y.map((y, k) => y - t[k]!)
  const delta1 = z.map(
    (z, j) =>
      slope(z) *
      sum(
        delta2,
        v.map(row => row[j]!),
      ),
  )
  const E = delta2.reduce((s, d) => s + d * d, 0) / 2
  console.log(`${name}: E = ${E.toFixed(9)}, delta2 ${delta2.map(d => d.toFixed(9))}, delta1 ${delta1.map(d => d.toFixed(9))}`)

  const f64 = (rows: number[] | number[][]) => tensor(rows, { dtype: "f64" })
  const error = ({ w, v }: { w: Tensor; v: Tensor }) =>
    halfSquaredError(matmul(v, concat([of(matmul(w, f64(x))), f64([1])])), f64(t), { reduction: "sum" })
  const g = grad(error)({ w: f64(w), v: f64(v) })
  const byHand = [...delta1.flatMap(d => x.map(xi => d * xi)), ...delta2.flatMap(d => [...z, 1].map(zj => d * zj))]
  const off = [...g.w.values(), ...g.v.values()].map((value, i) => Math.abs(value - byHand[i]!))
  console.log(`  grad differs by less than 1e-14: ${Math.max(...off) < 1e-14}`)
  console.log(`  ${checkGrads(error, [{ w: f64(w), v: f64(v) }]).checks} checks passed`)
}
