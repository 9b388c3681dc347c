// W9: the digits of MNIST, 784-128-10, three epochs: seconds, and how many of the test digits are then right.
import { argmax, jit, scan, type Tensor, take, tensor, valueAndGrad } from "../../index.ts"
import { crossEntropy } from "../../losses.ts"
import { type Images, openSource } from "../source.ts"
import { denseFlops, denseParameters } from "./flops.ts"
import { CLASSES, type Dense, denseLayers, logits, OPTIMIZERS } from "./mlp.ts"
import { permutation } from "./numbers.ts"
import { type Measured, rounded } from "./result.ts"
import { cpuMs } from "./timing.ts"
import { gflopsAt } from "./training.ts"

const PIXELS = 784
const WIDTHS = [PIXELS, 128, CLASSES]
const BATCH = 64
const EPOCHS = 3
const ROWS_AT_ONCE = 1000

/** [rows * PIXELS] from 0 to 1. */
function numbersOf({ pixels }: Images): Float32Array {
  const numbers = new Float32Array(pixels.length)
  for (let i = 0; i < numbers.length; i++) numbers[i] = pixels[i]! / 255
  return numbers
}

export function* training(): Generator<Measured> {
  const source = openSource("mnist")
  if (source.kind !== "images") throw new Error("mnist is no table")
  const [train, test] = [source.train(), source.test()]
  const [x, xTest] = [numbersOf(train), numbersOf(test)]
  const optimizer = OPTIMIZERS.adam
  const lossOf = (layers: readonly Dense[], x: Tensor, y: Tensor): Tensor => crossEntropy(logits(layers, x), y)
  const batches = Math.floor(train.rows / BATCH)
  const images = tensor(x, { shape: [train.rows, PIXELS] })
  const labels = tensor(train.labels)
  type State = ReturnType<typeof optimizer.init>
  const epoch = jit(
    (params: readonly Dense[], state: State, images: Tensor, labels: Tensor, order: Tensor) => {
      const step = ([params, state]: readonly [readonly Dense[], State], rows: Tensor) => {
        const [loss, gradients] = valueAndGrad(lossOf)(params, take(images, rows), take(labels, rows))
        return [optimizer.update(gradients, state, params), loss] as const
      }
      const [[nextParams, nextState], losses] = scan(step, [params, state] as const, order)
      return [nextParams, nextState, losses.at(-1)] as const
    },
    { donate: [0, 1] },
  )
  let params = denseLayers(WIDTHS)
  let state = optimizer.init(params)
  let loss: Tensor | undefined

  const before = cpuMs()
  for (let e = 0; e < EPOCHS; e++) {
    const order = tensor(permutation(train.rows, 7 + e).subarray(0, batches * BATCH), { shape: [batches, BATCH] })
    ;[params, state, loss] = epoch(params, state, images, labels, order)
  }
  const loss1 = rounded(loss!.item())
  const seconds = (cpuMs() - before) / 1000

  const answer = jit((params: readonly Dense[], x: Tensor) => argmax(logits(params, x), { axis: -1 }))
  let right = 0
  for (let from = 0; from < test.rows; from += ROWS_AT_ONCE) {
    const to = Math.min(from + ROWS_AT_ONCE, test.rows)
    const answers = answer(params, tensor(xTest.subarray(from * PIXELS, to * PIXELS), { shape: [to - from, PIXELS] })).values()
    answers.forEach((digit, i) => {
      if (digit === test.labels[from + i]) right++
    })
  }
  const ms = (1000 * seconds) / (EPOCHS * batches)
  yield {
    variant: `adam, ${EPOCHS} epochs`,
    value: rounded(seconds, 4),
    unit: "s",
    ms,
    gflops: gflopsAt(denseFlops(denseParameters(WIDTHS), BATCH), ms),
    test_acc: right / test.rows,
    n_train: train.rows,
    n_test: test.rows,
    loss1,
  }
}
