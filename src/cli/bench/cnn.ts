// W5: two convolutions with rectified units and pooling, and a dense layer, for images of ten classes.
import { conv2d, matmul, maxPool, relu, type Tensor, tensor, zeros } from "../../index.ts"
import { crossEntropy } from "../../losses.ts"
import { convFlops, denseFlops, denseParameters } from "./flops.ts"
import { CLASSES, OPTIMIZERS } from "./mlp.ts"
import { integers, uniform, weights } from "./numbers.ts"
import type { Budget, Measured } from "./result.ts"
import { measure, stepByStep, stepsPerSecond, type Task } from "./training.ts"

type Params = Readonly<Record<"k1" | "b1" | "k2" | "b2" | "w" | "b", Tensor>>
const PERIODS = { xs: 64, ys: 61 }

export interface Sizes {
  readonly batch: number
  /** Height and width of an image. */
  readonly image: number
  readonly window: number
  readonly channels: readonly [number, number]
}
export const SIZES: Sizes = { batch: 64, image: 28, window: 5, channels: [8, 16] }

const logits = ({ k1, b1, k2, b2, w, b }: Params, x: Tensor): Tensor => {
  const first = maxPool(relu(conv2d(x, k1).add(b1)), 2)
  const second = maxPool(relu(conv2d(first, k2).add(b2)), 2)
  return matmul(second.reshape(x.shape[0]!, -1), w).add(b)
}

export function cnn({ batch, image, window, channels: [c1, c2] }: Sizes = SIZES): Task<Params> {
  const [places1, places2] = [image - window + 1, (image - window + 1) / 2 - window + 1]
  const features = (places2 / 2) ** 2 * c2
  const area = window * window
  return {
    params: {
      k1: tensor(weights(area * c1, area, 1), { shape: [window, window, 1, c1] }),
      b1: tensor(weights(c1, area, 2)),
      k2: tensor(weights(area * c1 * c2, area * c1, 3), { shape: [window, window, c1, c2] }),
      b2: tensor(weights(c2, area * c1, 4)),
      w: tensor(weights(features * CLASSES, features, 5), { shape: [features, CLASSES] }),
      b: zeros([CLASSES]),
    },
    loss: (params, x, y) => crossEntropy(logits(params, x), y),
    optimizer: OPTIMIZERS["sgd-momentum"],
    xs: Array.from({ length: PERIODS.xs }, (_, i) =>
      tensor(uniform(batch * image * image, 100 + i, -1, 1), { shape: [batch, image, image, 1] }),
    ),
    ys: Array.from({ length: PERIODS.ys }, (_, i) => tensor(integers(batch, 200 + i, CLASSES))),
    flops:
      convFlops(batch * places1 ** 2, area * c1) +
      convFlops(batch * places2 ** 2, area * c1 * c2) +
      denseFlops(denseParameters([features, CLASSES]), batch),
  }
}

export function* training(budget: Budget): Generator<Measured> {
  const task = cnn()
  yield stepsPerSecond(
    "sgd-momentum",
    measure(() => stepByStep(task), task.flops, budget),
  )
}
