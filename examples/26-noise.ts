// Sensitivity to noise: the same network on the same curve, with more and more noise in its targets. From few points it learns the noise too:
// it comes nearer to its targets than the noise is large, and further from the curve. More points help.
import { random, tensor } from "adjoint"
import { halfSquaredError } from "adjoint/losses"
import { dense, sequential, tanh } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { fit } from "adjoint/train"

const points = (n: number) => tensor(Array.from({ length: n }, (_, i) => [(2 * (i + 0.5)) / n - 1]))
const curve = (x: ReturnType<typeof points>) => x.mul(3).sin()
const test = points(200)
const model = sequential(dense(1, 32), tanh(), dense(32, 1))

async function learn(noise: number, rows: number) {
  const x = points(rows)
  const y = curve(x).add(random.normal(random.key(26), x.shape).mul(noise))
  const options = { loss: halfSquaredError, optimizer: adam(0.02), epochs: Math.round(12000 / rows), batchSize: 20, seed: 1 }
  const trained = await fit(model, { x, y }, { ...options, health: false }).result
  const error = (data: { x: typeof x; y: typeof y }) => Math.sqrt(2 * trained.evaluate(data, { loss: halfSquaredError }).loss)
  return { training: error({ x, y }), curve: error({ x: test, y: curve(test) }) }
}
for (const [noise, rows] of [
  [0, 40],
  [0.1, 40],
  [0.5, 40],
  [0.5, 400],
] as const) {
  const { training, curve } = await learn(noise, rows)
  console.log(`noise ${noise}, ${rows} points: off by ${training.toFixed(2)} from its targets, by ${curve.toFixed(2)} from the curve`)
}
