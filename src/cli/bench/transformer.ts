// W7: a small causal transformer, as for texts letter by letter, with layer norm in front of attention and of the dense layers.
import { matmul, mean, ones, relu, softmax, sqrt, type Tensor, take, tensor, variance, zeros } from "../../index.ts"
import { crossEntropy } from "../../losses.ts"
import { adam } from "../../optim.ts"
import { attentionFlops, denseFlops, denseParameters } from "./flops.ts"
import { integers, weights } from "./numbers.ts"
import type { Budget, Measured } from "./result.ts"
import { measure, stepByStep, stepsPerSecond, type Task } from "./training.ts"

type Dense = { readonly w: Tensor; readonly b: Tensor }
type Block = {
  readonly norm1: Dense
  readonly qkv: Dense
  readonly project: Dense
  readonly norm2: Dense
  readonly widen: Dense
  readonly narrow: Dense
}
type Params = {
  readonly letters: Tensor
  readonly places: Tensor
  readonly blocks: readonly Block[]
  readonly norm: Dense
  readonly head: Dense
}

export interface Sizes {
  readonly letters: number
  readonly width: number
  readonly heads: number
  readonly length: number
  readonly batch: number
  readonly blocks: number
}
export const SIZES: Sizes = { letters: 65, width: 128, heads: 4, length: 64, batch: 16, blocks: 2 }
const PERIOD = 64

const dense = (x: Tensor, { w, b }: Dense): Tensor => matmul(x, w).add(b)
const layerNorm = (x: Tensor, { w, b }: Dense): Tensor => {
  const over = { axis: -1, keepdims: true }
  return x
    .sub(mean(x, over))
    .div(sqrt(variance(x, over).add(1e-5)))
    .mul(w)
    .add(b)
}

/** 0 where a place may look, and -1e9 at places behind it. */
const causalMask = (length: number): Tensor =>
  tensor(
    Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0)),
    { shape: [length, length] },
  )

function attention(qkv: Tensor, mask: Tensor, { width, heads, length, batch }: Sizes): Tensor {
  const part = (i: number, axes: readonly number[]): Tensor =>
    qkv
      .slice(":", [i * width, (i + 1) * width])
      .reshape(batch, length, heads, width / heads)
      .transpose(axes)
  const [q, k, v] = [part(0, [0, 2, 1, 3]), part(1, [0, 2, 3, 1]), part(2, [0, 2, 1, 3])]
  const scores = matmul(q, k)
    .mul(1 / Math.sqrt(width / heads))
    .add(mask)
  return matmul(softmax(scores), v)
    .transpose(0, 2, 1, 3)
    .reshape(batch * length, width)
}

/** Logits for the letter after each place. ids: [batch * length]. */
function logits({ letters, places, blocks, norm, head }: Params, ids: Tensor, mask: Tensor, sizes: Sizes): Tensor {
  const { batch, length, width } = sizes
  const first = take(letters, ids)
    .reshape(batch, length, width)
    .add(places)
    .reshape(batch * length, width)
  const last = blocks.reduce((x, block) => {
    const looked = x.add(dense(attention(dense(layerNorm(x, block.norm1), block.qkv), mask, sizes), block.project))
    return looked.add(dense(relu(dense(layerNorm(looked, block.norm2), block.widen)), block.narrow))
  }, first)
  return dense(layerNorm(last, norm), head)
}

export function transformer(sizes: Sizes = SIZES): Task<Params> {
  const { letters, width, length, batch, blocks } = sizes
  let seed = 1
  const matrix = (rows: number, columns: number, inputs: number): Tensor =>
    tensor(weights(rows * columns, inputs, seed++), { shape: [rows, columns] })
  const linear = (inputs: number, outputs: number): Dense => ({ w: matrix(inputs, outputs, inputs), b: zeros([outputs]) })
  const unit = (): Dense => ({ w: ones([width]), b: zeros([width]) })
  const block = (): Block => ({
    norm1: unit(),
    qkv: linear(width, 3 * width),
    project: linear(width, width),
    norm2: unit(),
    widen: linear(width, 4 * width),
    narrow: linear(4 * width, width),
  })
  const mask = causalMask(length)
  const perPlace =
    blocks *
    [
      [width, 3 * width],
      [width, width],
      [width, 4 * width, width],
    ].reduce((n, w) => n + denseParameters(w), 0)
  return {
    params: {
      letters: matrix(letters, width, width),
      places: matrix(length, width, width),
      blocks: Array.from({ length: blocks }, block),
      norm: unit(),
      head: linear(width, letters),
    },
    loss: (params, ids, y) => crossEntropy(logits(params, ids, mask, sizes), y),
    optimizer: adam(1e-3),
    xs: Array.from({ length: PERIOD }, (_, i) => tensor(integers(batch * length, 500 + i, letters))),
    ys: Array.from({ length: PERIOD }, (_, i) => tensor(integers(batch * length, 600 + i, letters))),
    flops: denseFlops(perPlace + denseParameters([width, letters]), batch * length) + blocks * attentionFlops(batch, length, width),
  }
}

export function* training(budget: Budget): Generator<Measured> {
  const task = transformer()
  yield stepsPerSecond(
    "adam",
    measure(() => stepByStep(task), task.flops, budget),
  )
}
