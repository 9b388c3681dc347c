import "./one-thread.mjs"
import { cast, greater, random } from "adjoint"
import { binaryCrossEntropy } from "adjoint/losses"
import { dense, sequential, tanh } from "adjoint/nn"
import { adam, sgd } from "adjoint/optim"
import { fit, sweep } from "adjoint/train"

const x = random.uniform(random.key(1), [512, 2], { low: -1 })
const y = cast(greater(x.slice(":", [0, 1]).mul(x.slice(":", [1, 2])), 0), "f32")
const run =
  process.argv[2] === "fit"
    ? fit(
        sequential(dense(2, 8), tanh(), dense(8, 1)),
        { x, y },
        { loss: binaryCrossEntropy, optimizer: sgd(0.1), batchSize: 16, epochs: 6000, health: false },
      )
    : sweep(
        sequential(dense(2, 8), tanh(), dense(8, 1)),
        { x, y },
        { loss: binaryCrossEntropy, optimizer: sgd(0.1), batchSize: 16, epochs: 1500, seeds: 64 },
      )
let s = 0
for await (const e of run) if (e.event === "epoch" && e.epoch > 2) s += e.seconds
console.log(((s / (process.argv[2] === "fit" ? 5998  : 1498) / 32) * 1e6).toFixed(1), "us per step")
