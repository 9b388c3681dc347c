// The network that `train` builds, and settings that suit the size of the data unless the user says otherwise.
import type { TargetColumn } from "../data/encoding.ts"
import { crossEntropy, squaredError } from "../losses.ts"
import { dense, dropout, gelu, type Layer, logistic, type Model, relu, sequential, tanh } from "../nn.ts"
import { adam, momentum, rmsprop, sgd } from "../optim.ts"
import { accuracy, type Loss, type Metric, meanSquaredError, type Optimizer } from "../train.ts"

const ACTIVATIONS: Readonly<Record<string, () => Layer<"any", "same">>> = { relu, gelu, tanh, logistic }
/** Each optimizer with the learning rate it has unless told. */
const OPTIMIZERS: Readonly<Record<string, readonly [make: (learningRate: number) => Optimizer, learningRate: number]>> = {
  adam: [rate => adam(rate), 0.001],
  sgd: [rate => sgd(rate), 0.05],
  momentum: [rate => momentum(rate), 0.01],
  rmsprop: [rate => rmsprop(rate), 0.001],
}
export const activationNames = Object.keys(ACTIVATIONS)
export const optimizerNames = Object.keys(OPTIMIZERS)

/** Everything that decides a training but the data; saved with the model. */
export interface Settings {
  /** Widths of the hidden layers; none is a linear model. */
  readonly hidden: readonly number[]
  readonly activation: string
  readonly dropout: number
  readonly optimizer: string
  readonly learningRate: number
  readonly epochs: number
  readonly batchSize: number
  /** Epochs without a better validation loss after which training ends; 0 for never. */
  readonly patience: number
  readonly seed: number
}

/**
 * Settings for a number of training rows. Small tables are seen often and in small batches, as one would by hand: about 100,000 rows
 * in all, from 10 to 200 epochs, and training ends when the validation loss no longer falls.
 */
export function settingsFor(rows: number, images: boolean, told: Partial<Settings>): Settings {
  const optimizer = told.optimizer ?? "adam"
  const epochs = told.epochs ?? (images ? 5 : Math.min(200, Math.max(10, Math.ceil(100_000 / rows))))
  const defaults: Settings = {
    hidden: images ? [128] : [64, 32],
    activation: "relu",
    dropout: 0,
    optimizer,
    learningRate: OPTIMIZERS[optimizer]![1],
    epochs,
    batchSize: rows < 500 ? 8 : rows < 5_000 ? 32 : rows < 100_000 ? 64 : 128,
    patience: Math.max(5, Math.ceil(epochs / 8)),
    seed: 0,
  }
  return { ...defaults, ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) }
}

/** The linear model that a network has to beat: the same rows and optimizer, no hidden layer, and a larger step, which it can take. */
export const linearSettings = (settings: Settings, images: boolean): Settings => ({
  ...settings,
  hidden: [],
  dropout: 0,
  optimizer: "adam",
  learningRate: images ? 0.001 : 0.01,
  epochs: images ? Math.min(2, settings.epochs) : Math.max(settings.epochs, 50),
})

/** Outputs of a network for a target: one for each class, or the number. */
export const outputsFor = (target: TargetColumn): number => (target.kind === "class" ? target.values.length : 1)

/** Dense layers with activations between them: the output is logits of the classes, or the standardised number. */
export function network(features: number, target: TargetColumn, { hidden, activation, dropout: rate }: Settings): Model {
  const init = activation === "relu" || activation === "gelu" ? "he" : "glorot"
  const layers: Layer[] = []
  let width = features
  for (const next of hidden) {
    layers.push(dense(width, next, { init }), ACTIVATIONS[activation]!())
    if (rate > 0) layers.push(dropout(rate))
    width = next
  }
  return sequential(...layers, dense(width, outputsFor(target)))
}

export const makeOptimizer = ({ optimizer, learningRate }: Settings): Optimizer => OPTIMIZERS[optimizer]![0](learningRate)

export const lossFor = (target: TargetColumn): Loss => (target.kind === "class" ? crossEntropy : squaredError)

/** What is measured on validation rows: `accuracy`, or `meanSquaredError` of standardised numbers. */
export const metricsFor = (target: TargetColumn): Readonly<Record<string, Metric>> =>
  target.kind === "class" ? { accuracy } : { meanSquaredError }
