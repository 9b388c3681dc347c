// Gradients by depth: going back, each layer multiplies by weights and by the slope of its activation. The logistic function's is at most ¼, so
// gradients vanish; large weights without saturation let them explode; tanh with weights of variance 1 / n keeps their size for longer.
import { grad, norm, random, sigmoid, type Tensor, tanh, tensor, zeros } from "adjoint"
import { line } from "./charts.ts"

const slope = (x: number) => grad((x: Tensor) => sigmoid(x))(tensor(x, { dtype: "f64" })).item()
console.log(`slope of the logistic function at 0, 5, 10: ${slope(0)}, ${slope(5).toPrecision(7)}, ${slope(10).toPrecision(7)}`)

const [layers, width] = [15, 32]
const kinds: Record<string, [f: (a: Tensor) => Tensor, scale: number]> = {
  logistic: [sigmoid, 1],
  "linear, large weights": [a => a, 2],
  tanh: [tanh, 1],
}
const curves: Record<string, [number, number][]> = {}
for (const [name, [f, scale]] of Object.entries(kinds)) {
  const draw = (i: number, shape: number[]) => random.normal(random.fold(random.key(23), i), shape, { dtype: "f64" })
  const W = Array.from({ length: layers }, (_, i) => draw(i, [width, width]).mul(scale / Math.sqrt(width)))
  const x = draw(99, [16, width])
  // offsets of the pre-activations, whose gradients are the deltas
  const E = (offsets: Tensor[]) =>
    offsets
      .reduce((a, d, i) => f(a.matmul(W[i]!).add(d)), x)
      .square()
      .mean()
  const deltas: Tensor[] = grad(E)(W.map(() => zeros([16, width], { dtype: "f64" })))
  const sizes = deltas.map(delta => norm(delta.reshape(-1)).item())
  curves[name] = sizes.map((size, i) => [layers - i, size])
  const [first, last] = [sizes[0]!, sizes.at(-1)!]
  console.log(
    `${name}: delta of layer 15 ${last.toExponential(1)}, of layer 1 ${first.toExponential(1)}, ratio ${(first / last).toExponential(1)}`,
  )
}
line("23-depth.svg", { title: "Norm of a layer's delta", x: "layers from the error", y: "norm", logarithmic: true }, curves)
