// Trainings that nothing is wrong with.

import { binaryCrossEntropy, crossEntropy, huber, squaredError } from "../../../losses.ts"
import {
  avgPool,
  batchNorm,
  conv2d,
  dense,
  dropout,
  embedding,
  flatten,
  gelu,
  globalAveragePool,
  gru,
  layerNorm,
  leakyRelu,
  logistic,
  lstm,
  maxPool,
  multiHeadAttention,
  parallel,
  relu,
  residual,
  rnn,
  sequential,
  softplus,
  swish,
  tanh,
  transformerBlock,
} from "../../../nn.ts"
import { adam, adamw, momentum, rmsprop, schedules, sgd } from "../../../optim.ts"
import type { FitOptions } from "../../options.ts"
import type { Dataset } from "../../rows.ts"
import type { Trainable } from "../../trainable.ts"
import { classes, images, numbers, oneHots, pixels, sequences, symbols, yesNo } from "./data.ts"

export interface Case {
  readonly model: Trainable
  readonly data: Dataset
  readonly options: FitOptions
}

const cross = (optimizer: FitOptions["optimizer"], epochs = 20, batchSize = 32): FitOptions => ({
  loss: crossEntropy,
  optimizer,
  epochs,
  batchSize,
})
const square = (optimizer: FitOptions["optimizer"], epochs = 20, batchSize = 32): FitOptions => ({
  ...cross(optimizer, epochs, batchSize),
  loss: squaredError,
})

export const HEALTHY: readonly (readonly [name: string, make: () => Case])[] = [
  ["linear classes", () => ({ model: sequential(dense(6, 3)), data: classes(1), options: cross(adam(0.03)) })],
  ["linear numbers, sgd", () => ({ model: sequential(dense(6, 1)), data: numbers(2), options: square(sgd(0.05)) })],
  [
    "relu, adam",
    () => ({ model: sequential(dense(6, 32, { init: "he" }), relu(), dense(32, 3)), data: classes(3), options: cross(adam(0.01)) }),
  ],
  [
    "relu, momentum",
    () => ({ model: sequential(dense(6, 32, { init: "he" }), relu(), dense(32, 3)), data: classes(4), options: cross(momentum(0.03)) }),
  ],
  [
    "two relu layers, batches of 8",
    () => ({
      model: sequential(dense(6, 32, { init: "he" }), relu(), dense(32, 16, { init: "he" }), relu(), dense(16, 3)),
      data: classes(5),
      options: cross(adam(0.003), 10, 8),
    }),
  ],
  [
    "relu with weight decay, to the end",
    () => ({
      model: sequential(dense(6, 32, { init: "he" }), relu(), dense(32, 16, { init: "he" }), relu(), dense(16, 3)),
      data: classes(6),
      options: cross(adamw(0.005, { weightDecay: 0.1 }), 60, 16),
    }),
  ],
  ["tanh numbers", () => ({ model: sequential(dense(6, 24), tanh(), dense(24, 1)), data: numbers(7), options: square(adam(0.01)) })],
  [
    "tanh, three layers, overfitted",
    () => ({
      model: sequential(dense(6, 24), tanh(), dense(24, 24), tanh(), dense(24, 3)),
      data: classes(8),
      options: cross(adam(0.02), 60),
    }),
  ],
  [
    "logistic, one layer",
    () => ({ model: sequential(dense(6, 16), logistic(), dense(16, 3)), data: classes(9), options: cross(adam(0.03), 30) }),
  ],
  [
    "logistic, two layers, momentum",
    () => ({
      model: sequential(dense(6, 16), logistic(), dense(16, 16), logistic(), dense(16, 1)),
      data: numbers(10),
      options: square(momentum(0.05), 40),
    }),
  ],
  [
    "gelu, rmsprop",
    () => ({ model: sequential(dense(6, 24, { init: "he" }), gelu(), dense(24, 1)), data: numbers(11), options: square(rmsprop(0.003)) }),
  ],
  [
    "swish, huber",
    () => ({
      model: sequential(dense(6, 24, { init: "he" }), swish(), dense(24, 1)),
      data: numbers(12),
      options: { ...square(adam(0.01)), loss: huber },
    }),
  ],
  [
    "leaky relu, large batch",
    () => ({
      model: sequential(dense(6, 24, { init: "he" }), leakyRelu(), dense(24, 3)),
      data: classes(13),
      options: cross(adam(0.01), 60, 192),
    }),
  ],
  [
    "binary, logits",
    () => ({
      model: sequential(dense(6, 16), tanh(), dense(16, 1)),
      data: yesNo(14),
      options: { ...cross(adam(0.02)), loss: binaryCrossEntropy },
    }),
  ],
  [
    "logistic output, squared error of 0 and 1",
    () => ({ model: sequential(dense(6, 16), tanh(), dense(16, 1), logistic()), data: yesNo(15), options: square(adam(0.02), 40) }),
  ],
  [
    "softplus output, squared error",
    () => ({
      model: sequential(dense(6, 16), tanh(), dense(16, 1), softplus()),
      data: numbers(
        16,
        x => x,
        y => 1 + Math.abs(y),
      ),
      options: square(adam(0.02), 40),
    }),
  ],
  [
    "pixels with black margins",
    () => ({ model: sequential(dense(64, 32, { init: "he" }), relu(), dense(32, 2)), data: pixels(17), options: cross(adam(0.01)) }),
  ],
  [
    "convolutions",
    () => ({
      model: sequential(conv2d(1, 8, 3, { init: "he" }), relu(), maxPool(2), flatten(), dense(72, 2)),
      data: images(18),
      options: cross(adam(0.01), 10),
    }),
  ],
  [
    "convolutions with batch normalization",
    () => ({
      model: sequential(
        conv2d(1, 8, 3),
        batchNorm(8),
        relu(),
        avgPool(2),
        conv2d(8, 8, 2),
        batchNorm(8),
        relu(),
        globalAveragePool(),
        dense(8, 2),
      ),
      data: images(19),
      options: cross(momentum(0.05), 10),
    }),
  ],
  [
    "one-hot inputs",
    () => ({ model: sequential(dense(12, 16, { init: "he" }), relu(), dense(16, 3)), data: oneHots(20), options: cross(adam(0.02)) }),
  ],
  [
    "batch normalization first",
    () => ({
      model: sequential(batchNorm(6), dense(6, 24), batchNorm(24), relu(), dense(24, 3)),
      data: classes(21, x => x.map(r => r.map((v, i) => 50 * v + 300 * i))),
      options: cross(adam(0.01)),
    }),
  ],
  [
    "dropout",
    () => ({
      model: sequential(dense(6, 48, { init: "he" }), relu(), dropout(0.5), dense(48, 3)),
      data: classes(22),
      options: cross(adam(0.01)),
    }),
  ],
  [
    "residual, ten layers",
    () => ({
      model: sequential(
        dense(6, 16),
        ...Array.from({ length: 5 }, () => residual(layerNorm(16), dense(16, 16, { init: "he" }), relu(), dense(16, 16))),
        dense(16, 3),
      ) as Trainable,
      data: classes(23),
      options: cross(adam(0.003)),
    }),
  ],
  ["LSTM", () => ({ model: sequential(lstm(2, 16), dense(16, 2)), data: sequences(24), options: cross(adam(0.01)) })],
  [
    "GRU both ways",
    () => ({
      model: sequential(parallel(gru(2, 8), gru(2, 8, { reverse: true })), dense(16, 2)),
      data: sequences(25),
      options: cross(adam(0.01)),
    }),
  ],
  ["RNN, momentum", () => ({ model: sequential(rnn(2, 12), dense(12, 2)), data: sequences(26), options: cross(momentum(0.05)) })],
  [
    "embedding and LSTM",
    () => ({ model: sequential(embedding(10, 8), lstm(8, 12), dense(12, 2)), data: symbols(27), options: cross(adam(0.01), 30) }),
  ],
  [
    "attention",
    () => ({
      model: sequential(embedding(10, 8), residual(layerNorm(8), multiHeadAttention(8, 2)), globalAveragePool(), dense(8, 2)),
      data: symbols(28),
      options: cross(adam(0.01), 20),
    }),
  ],
  [
    "transformer",
    () => ({
      model: sequential(embedding(10, 8), transformerBlock(8, 2), globalAveragePool(), dense(8, 2)),
      data: symbols(29),
      options: cross(adamw(0.005), 20),
    }),
  ],
  [
    "warm-up and a rate that falls to 0",
    () => ({
      model: sequential(dense(6, 32, { init: "he" }), relu(), dense(32, 3)),
      data: classes(30),
      options: cross(adam(schedules.cosine(0.02, { steps: 180, warmup: 20 })), 30),
    }),
  ],
  [
    "converged long ago",
    () => ({
      model: sequential(dense(6, 8), tanh(), dense(8, 1)),
      data: numbers(
        31,
        x => x,
        y => 0.5 * y,
      ),
      options: square(adam(0.02), 100),
    }),
  ],
  [
    "functions alone",
    () => ({ model: plain(sequential(dense(6, 16), tanh(), dense(16, 3))), data: classes(32), options: cross(adam(0.01)) }),
  ],
]
/** A model that shows no layers. */
const plain = ({ init, apply }: Trainable): Trainable => ({ init, apply })
