// Credit by infinitesimal effects: slope times change says what a change of a weight does to the error, to first order. For growing changes the promise
// and what really happens part.
import { grad, sigmoid, type Tensor, tensor } from "adjoint"

const f64 = (v: number | number[]) => tensor(v, { dtype: "f64" })
const x = f64([0.1, 0.3])
const E = ({ w, b }: { w: Tensor; b: Tensor }) => sigmoid(w.mul(x).sum().add(b)).sub(0.03).square().mul(0.5)
const start = { w: f64([0.5, 0.2]), b: f64(1.83) }
const g = grad(E)(start)
console.log(`dE/dw1 = ${g.w.at(0).item().toFixed(9)}, dE/dw2 = ${g.w.at(1).item().toFixed(9)}, dE/db = ${g.b.item().toFixed(9)}`)
console.log("ds/db is 1, not 0: the bias has the largest slope of all, and all are positive, so less of each lowers the error")

const here = E(start).item()
const actual = (i: number, change: number) => E({ ...start, w: f64([0.5, 0.2].map((w, k) => (k === i ? w + change : w))) }).item() - here
for (const change of [0.01, 0.1, 1, 10, 100]) {
  const [promised, real] = [g.w.at(1).item() * change, actual(1, change)]
  console.log(
    `w2 + ${change}: promised ${promised.toFixed(6)}, actual ${real.toFixed(6)}, off by ${(100 * Math.abs(promised / real - 1)).toFixed(2)} %`,
  )
}
console.log(`w1 + 1: promised ${g.w.at(0).item().toFixed(6)}, actual ${actual(0, 1).toFixed(6)}`)

// a step down the gradient, eta = 0.01, and the update that forgets the logistic function's slope
const E_ = (w: number[], b: number) =>
  E({ w: f64(w), b: f64(b) })
    .item()
    .toFixed(9)
const [w1, w2] = [...g.w.values()].map((d, i) => [0.5, 0.2][i]! - 0.01 * d) as [number, number]
console.log(
  `step: w ${w1.toFixed(9)} ${w2.toFixed(9)}, b ${(1.83 - 0.01 * g.b.item()).toFixed(9)}, E ${E_([w1, w2], 1.83 - 0.01 * g.b.item())}`,
)
const delta = 0.01 * (sigmoid(f64(1.94)).item() - 0.03)
console.log(`without the slope: b ${(1.83 - delta).toFixed(9)}, E ${E_([0.5 - delta * 0.1, 0.2 - delta * 0.3], 1.83 - delta)}`)
