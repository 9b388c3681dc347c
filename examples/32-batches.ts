// One example a step (online), a few (mini-batch) or all (full batch): as many gradients of examples in an epoch, but not as many updates.
import { cast, random } from "adjoint"
import { crossEntropy } from "adjoint/losses"
import { dense, sequential, tanh } from "adjoint/nn"
import { sgd } from "adjoint/optim"
import { accuracy, fit } from "adjoint/train"

const x = random.normal(random.key(32), [512, 2])
const y = cast(x.square().sum({ axis: 1 }).greater(1.4), "i32") // outside of a circle
const model = sequential(dense(2, 16), tanh(), dense(16, 2))

for (const [name, batchSize] of [
  ["online", 1],
  ["mini-batches of 32", 32],
  ["full batch", 512],
] as const) {
  const run = fit(model, { x, y }, { loss: crossEntropy, optimizer: sgd(0.1), epochs: 5, batchSize, seed: 1, health: false })
  let updates = 0
  const errors: string[] = []
  for await (const event of run) {
    if (event.event === "start") updates = event.steps
    if (event.event === "epoch") errors.push(event.loss.toFixed(3))
  }
  const right = (await run.result).evaluate({ x, y }, { loss: crossEntropy, metrics: { accuracy } }).accuracy!
  console.log(`${name}: ${updates} updates, errors ${errors.join(" ")}, ${(100 * right).toFixed(1)} % right`)
}
