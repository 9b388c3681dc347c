// Normalization is not required, but it helps: one feature counts in thousands, the other in thousandths. The raw network hardly learns in the same
// number of epochs; standardised inputs do, and so does a network that normalizes each batch itself.
import { cast, concat, random } from "adjoint"
import { binaryCrossEntropy } from "adjoint/losses"
import { batchNorm, dense, layerNorm, sequential, tanh } from "adjoint/nn"
import { sgd } from "adjoint/optim"
import { fit } from "adjoint/train"

const z = random.normal(random.key(27), [400, 2])
const [a, b] = [z.slice([0, 400], [0, 1]), z.slice([0, 400], [1, 2])]
const t = cast(a.mul(b).greater(0), "f32") // the sign of the product: no line tells them apart
const raw = concat([a.mul(1000).add(5000), b.mul(0.001)], { axis: 1 })
const standard = raw.sub(raw.mean({ axis: 0 })).div(
  raw
    .sub(raw.mean({ axis: 0 }))
    .square()
    .mean({ axis: 0 })
    .sqrt(),
)
const plain = sequential(dense(2, 16), tanh(), dense(16, 1))
const cases = {
  "raw numbers": [raw, plain],
  standardised: [standard, plain],
  "raw, batchNorm": [raw, sequential(batchNorm(2), dense(2, 16), tanh(), dense(16, 1))],
  "standardised, layerNorm": [standard, sequential(dense(2, 16), layerNorm(16), tanh(), dense(16, 1))],
} as const
for (const [name, [x, model]] of Object.entries(cases)) {
  const options = { loss: binaryCrossEntropy, optimizer: sgd(0.3), epochs: 60, seed: 1 }
  const run = fit(model, { x, y: t }, options)
  let finding = ""
  for await (const event of run) if (event.event === "finding") finding ||= `; ${event.kind}`
  const { loss } = (await run.result).evaluate({ x, y: t }, options)
  console.log(`${name}: error ${loss.toFixed(3)}${finding}`)
}
