// One neuron with two weights and no bias, x = (0.1, 0.4), target 0.7, E = (y - t)², learning rate 0.01, 80,000 epochs in one compiled loop.
// Writes "Iteration Number vs Error" and "Iteration Number vs Prediction" as SVG.
import { grad, jit, matmul, scan, sigmoid, type Tensor, tensor } from "adjoint"
import { squaredError } from "adjoint/losses"
import { line } from "./charts.ts"

const epochs = 80_000
const x = tensor([0.1, 0.4], { dtype: "f64" })
const t = tensor(0.7, { dtype: "f64" })
const predict = (w: Tensor) => sigmoid(matmul(w, x))
const error = (w: Tensor) => squaredError(predict(w), t)
const train = jit((w: Tensor) => scan((w: Tensor) => [w.sub(grad(error)(w).mul(0.01)), predict(w)] as const, w, null, { length: epochs }))

for (const start of [
  [0.5, 0.5],
  [0.5, 0.5637461430935994],
]) {
  const [, predictions] = train(tensor(start, { dtype: "f64" }))
  const y = predictions.values() // before each update
  const E = Array.from(y, y => (y - 0.7) ** 2)
  console.log(`from ${start}: prediction ${y.at(-1)!.toFixed(12)}, error ${E.at(-1)!.toExponential(6)}`)
  console.log(`  the error of the last 1,000 epochs still fell by ${(100 * (1 - E.at(-1)! / E.at(-1001)!)).toFixed(1)} %`)
  if (start[1] !== 0.5) continue
  const some = Array.from({ length: 400 }, (_, i) => i * 200)
  const axis = "Iteration Number"
  line("18-error.svg", { title: "Iteration Number vs Error", x: axis, y: "Error", logarithmic: true }, { error: some.map(i => [i, E[i]!]) })
  line(
    "18-prediction.svg",
    { title: "Iteration Number vs Prediction", x: axis, y: "Prediction" },
    { prediction: some.map(i => [i, y[i]!]) },
  )
}
console.log("18-error.svg 18-prediction.svg")
