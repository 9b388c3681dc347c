// Network paralysis: weights so large that logistic units are saturated. Their slope y (1 - y) is almost 0, so learning stops although the error is
// large. `fit` looks for it and says so.
import { cast, random, type Tensor } from "adjoint"
import { halfSquaredError } from "adjoint/losses"
import { dense, logistic, sequential } from "adjoint/nn"
import { sgd } from "adjoint/optim"
import { fit } from "adjoint/train"

const x = random.normal(random.key(24), [256, 4])
const y = cast(x.sum({ axis: 1 }).greater(0), "f32").reshape(256, 1)

for (const size of [0.5, 300]) {
  const init = (key: Tensor, shape: readonly number[]) => random.normal(key, [...shape]).mul(size)
  const model = sequential(dense(4, 8, { init }), logistic(), dense(8, 1, { init }), logistic())
  const run = fit(model, { x, y }, { loss: halfSquaredError, optimizer: sgd(1), epochs: 40, seed: 1 })
  const errors: number[] = []
  const findings: string[] = []
  for await (const event of run) {
    if (event.event === "epoch") errors.push(event.loss)
    if (event.event === "finding") findings.push(`${event.kind} in ${event.layer ?? "the training"}: ${event.message}`)
  }
  const { params } = await run.result
  const [hidden] = model.apply(params, { layers: [{}, {}, {}, {}] } as never, x)
  const slope = hidden.mul(hidden.neg().add(1)).mean().item()
  console.log(
    `weights of size ${size}: error ${errors[0]!.toFixed(3)} in epoch 1, ${errors.at(-1)!.toFixed(3)} in epoch 40; mean slope ${slope.toFixed(4)}`,
  )
  for (const text of findings) console.log(`  ${text}`)
}
