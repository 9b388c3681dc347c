// Why first weights are random: hidden units that start equal get equal gradients and stay equal for ever, so that they are one unit. They are to
// be small as well: large ones saturate (24-paralysis.ts).
import { full, random, tensor } from "adjoint"
import { halfSquaredError } from "adjoint/losses"
import { dense, logistic, sequential, tanh } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { fit } from "adjoint/train"

const data = {
  x: tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]),
  y: tensor([[0], [1], [1], [0]]),
}
const equal = (_key: unknown, shape: readonly number[]) => full([...shape], 0.5)
const small = (key: Parameters<typeof random.normal>[0], shape: readonly number[]) => random.normal(key, [...shape])

for (const [name, init] of Object.entries({ equal, random: small })) {
  const model = sequential(dense(2, 4, { init }), tanh(), dense(4, 1, { init }), logistic())
  const options = { loss: halfSquaredError, optimizer: adam(0.05), epochs: 200, batchSize: 4, seed: 3 }
  const run = fit(model, data, options)
  const findings: string[] = []
  for await (const event of run) if (event.event === "finding" && event.kind === "symmetry") findings.push(event.message)
  const trained = await run.result
  const columns = (trained.params.layers[0].w.transpose().toArray() as number[][]).map(String)
  const error = trained.evaluate(data, { loss: halfSquaredError }).loss
  console.log(`${name} first weights: ${new Set(columns).size} different hidden units of 4 after 200 epochs, error ${error.toFixed(4)}`)
  console.log(`  ${findings[0] ?? "nothing is found wrong"}`)
}
