// W1 and W8: the exclusive or, 2-4-1 with logistic units, all four rows in every step.
import { matmul, sigmoid, type Tensor, tensor, zeros } from "../../index.ts"
import { squaredError } from "../../losses.ts"
import { sgd } from "../../optim.ts"
import { denseFlops, denseParameters } from "./flops.ts"
import { uniform } from "./numbers.ts"
import { type Budget, type Measured, rounded } from "./result.ts"
import { inChunks, measure, stepByStep, type Task } from "./training.ts"

type Params = { readonly w1: Tensor; readonly b1: Tensor; readonly w2: Tensor; readonly b2: Tensor }

const ROWS = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]
const ANSWERS = [[0], [1], [1], [0]]
/** A library may optimise what has run often enough only. */
const WARM_STEPS = 10_000
const COLD_STEPS = 2000

export const xor = (): Task<Params> => ({
  params: {
    w1: tensor(uniform(8, 1, -1, 1), { shape: [2, 4] }),
    b1: tensor(uniform(4, 2, -1, 1)),
    w2: tensor(uniform(4, 3, -1, 1), { shape: [4, 1] }),
    b2: zeros([1]),
  },
  loss: ({ w1, b1, w2, b2 }, x, y) => {
    const hidden = sigmoid(matmul(x, w1).add(b1))
    return squaredError(sigmoid(matmul(hidden, w2).add(b2)), y)
  },
  optimizer: sgd(0.5),
  xs: [tensor(ROWS)],
  ys: [tensor(ANSWERS)],
  flops: denseFlops(denseParameters([2, 4, 1]), ROWS.length),
})

/** W1: a step in a compiled loop, and one in a call of its own. */
export function* warm(budget: Budget): Generator<Measured> {
  const forms = [
    ["", () => inChunks(xor())],
    ["step by step", () => stepByStep(xor())],
  ] as const
  for (const [variant, begin] of forms) {
    const trained = measure(begin, xor().flops, budget, { warmSteps: WARM_STEPS })
    yield { ...trained, variant, value: rounded(1000 * trained.ms), unit: "us/step" }
  }
}

/** W8: so much is to be done in a process of its own; whoever starts it looks at the clock. */
export function cold(): void {
  const training = inChunks(xor())
  training.run(COLD_STEPS)
  if (!(training.loss() < 1)) throw new Error(`the loss is ${training.loss()} after ${COLD_STEPS} steps`)
}
