// A network learns XOR, which no single neuron can.
import { tensor } from "adjoint"
import { crossEntropy } from "adjoint/losses"
import { dense, sequential, tanh } from "adjoint/nn"
import { adam } from "adjoint/optim"
import { fit } from "adjoint/train"

const x = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])
const y = tensor([0, 1, 1, 0], { dtype: "i32" })

const model = sequential(dense(2, 8), tanh(), dense(8, 2))
const run = fit(model, { x, y }, { loss: crossEntropy, optimizer: adam(0.05), epochs: 200, seed: 1 })
for await (const event of run) if (event.event === "epoch" && event.epoch % 50 === 0) console.log(event.epoch, event.loss)

const trained = await run.result
console.log(trained.predict(x).argmax({ axis: -1 })) // Tensor i32[4] [0, 1, 1, 0]
