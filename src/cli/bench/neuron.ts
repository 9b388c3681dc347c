// W2: one logistic neuron with two inputs and one example.
import { matmul, sigmoid, type Tensor, tensor, zeros } from "../../index.ts"
import { squaredError } from "../../losses.ts"
import { sgd } from "../../optim.ts"
import { denseFlops, denseParameters } from "./flops.ts"
import { type Measured, rounded } from "./result.ts"
import { cpuMs, median } from "./timing.ts"
import { gflopsAt, inChunks, type Task } from "./training.ts"

type Params = { readonly w: Tensor; readonly b: Tensor }

const STEPS = 80_000
const REPEATS = 3

export const neuron = (): Task<Params> => ({
  params: { w: tensor([[0.1], [-0.2]]), b: zeros([1]) },
  loss: ({ w, b }, x, y) => squaredError(sigmoid(matmul(x, w).add(b)), y, { reduction: "sum" }),
  optimizer: sgd(0.1),
  xs: [tensor([[0.5, -1]])],
  ys: [tensor([[1]])],
  flops: denseFlops(denseParameters([2, 1]), 1),
})

/** CPU seconds of 80,000 steps; each repeat is compiled anew. */
export function* training(): Generator<Measured> {
  let loss1 = 0
  const seconds = Array.from({ length: REPEATS }, () => {
    const training = inChunks(neuron())
    const before = cpuMs()
    training.run(STEPS)
    const elapsed = (cpuMs() - before) / 1000
    loss1 = rounded(training.loss())
    return elapsed
  })
  const value = median(seconds)
  const ms = (1000 * value) / STEPS
  const gflops = gflopsAt(neuron().flops, ms)
  yield { variant: "", value: rounded(value, 4), unit: "s/80k steps", ms, gflops, reps_s: seconds.map(s => rounded(s)), loss1 }
}
