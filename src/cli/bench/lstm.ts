// W6: a long short-term memory reads sequences, and the last state chooses one of ten classes.
import { matmul, scan, sigmoid, type Tensor, tanh, tensor, zeros } from "../../index.ts"
import { crossEntropy } from "../../losses.ts"
import { adam } from "../../optim.ts"
import { denseFlops, denseParameters } from "./flops.ts"
import { integers, uniform, weights } from "./numbers.ts"
import type { Budget, Measured } from "./result.ts"
import { measure, stepByStep, stepsPerSecond, type Task } from "./training.ts"

type Params = { readonly wx: Tensor; readonly wh: Tensor; readonly b: Tensor; readonly wo: Tensor; readonly bo: Tensor }

export interface Sizes {
  readonly length: number
  readonly inputs: number
  readonly hidden: number
  readonly batch: number
  readonly classes: number
}
export const SIZES: Sizes = { length: 32, inputs: 64, hidden: 128, batch: 32, classes: 10 }
const GATES = 4
const PERIOD = 64

/** The last hidden state. x: [length * batch, inputs], all first elements in front. */
function lastState({ wx, wh, b }: Params, x: Tensor, { length, hidden, batch }: Sizes): Tensor {
  // what the inputs bring to the gates is one product for all places
  const brought = matmul(x, wx)
    .add(b)
    .reshape(length, batch, GATES * hidden)
  const part = (gates: Tensor, i: number): Tensor => gates.slice(":", [i * hidden, (i + 1) * hidden])
  const cell = ([h, c]: [Tensor, Tensor], input: Tensor): [[Tensor, Tensor], null] => {
    const gates = input.add(matmul(h, wh))
    const next = sigmoid(part(gates, 1))
      .mul(c)
      .add(sigmoid(part(gates, 0)).mul(tanh(part(gates, 2))))
    return [[sigmoid(part(gates, 3)).mul(tanh(next)), next], null]
  }
  const [[h]] = scan(cell, [zeros([batch, hidden]), zeros([batch, hidden])], brought)
  return h
}

export function lstm(sizes: Sizes = SIZES): Task<Params> {
  const { length, inputs, hidden, batch, classes } = sizes
  const width = GATES * hidden
  return {
    params: {
      wx: tensor(weights(inputs * width, hidden, 1), { shape: [inputs, width] }),
      wh: tensor(weights(hidden * width, hidden, 2), { shape: [hidden, width] }),
      b: tensor(weights(width, hidden, 3)),
      wo: tensor(weights(hidden * classes, hidden, 4), { shape: [hidden, classes] }),
      bo: zeros([classes]),
    },
    loss: (params, x, y) => crossEntropy(matmul(lastState(params, x, sizes), params.wo).add(params.bo), y),
    optimizer: adam(1e-3),
    xs: Array.from({ length: PERIOD }, (_, i) =>
      tensor(uniform(length * batch * inputs, 300 + i, -1, 1), { shape: [length * batch, inputs] }),
    ),
    ys: Array.from({ length: PERIOD }, (_, i) => tensor(integers(batch, 400 + i, classes))),
    flops: denseFlops((inputs + hidden + 1) * width, length * batch) + denseFlops(denseParameters([hidden, classes]), batch),
  }
}

export function* training(budget: Budget): Generator<Measured> {
  const task = lstm()
  yield stepsPerSecond(
    "adam",
    measure(() => stepByStep(task), task.flops, budget),
  )
}
