// The network that `train` builds, and settings that suit the size of the data unless the user says otherwise.
import type { Shape } from "../core/aval.ts"
import type { TargetColumn } from "../data/encoding.ts"
import { cast, div, mean, mul, sub, tensor } from "../index.ts"
import { type LearningRule, rules } from "../learning.ts"
import { crossEntropy, squaredError } from "../losses.ts"
import { conv2d, dense, dropout, flatten, gelu, type Layer, logistic, type Model, maxPool, relu, reshape, sequential, tanh } from "../nn.ts"
import { adam, adamw, type LearningRate, rmsprop, sgd } from "../optim.ts"
import { accuracy, type Loss, type Metric, meanSquaredError, type Optimizer } from "../train.ts"
import { convolutionsFor, formOf, placesAfter, WINDOW } from "./convolutions.ts"
import { UsageError } from "./errors.ts"
import type { Problem } from "./problem.ts"
import { isImages } from "./saved.ts"
import { grouped } from "./terminal.ts"

const ACTIVATIONS: Readonly<Record<string, () => Layer<"any", "same">>> = { relu, gelu, tanh, logistic }
type Make = (learningRate: LearningRate, weightDecay: number) => Optimizer
/** Each optimizer with the learning rate it has unless told. */
const OPTIMIZERS: Readonly<Record<string, readonly [make: Make, learningRate: number]>> = {
  adam: [(rate, weightDecay) => (weightDecay > 0 ? adamw(rate, { weightDecay }) : adam(rate)), 0.001],
  sgd: [(rate, weightDecay) => sgd(rate, { weightDecay }), 0.05],
  momentum: [(rate, weightDecay) => sgd(rate, { momentum: 0.9, weightDecay }), 0.01],
  rmsprop: [(rate, weightDecay) => rmsprop(rate, { weightDecay }), 0.001],
}
export const activationNames = Object.keys(ACTIVATIONS)
export const optimizerNames = Object.keys(OPTIMIZERS)
export const ruleNames = Object.keys(rules)
export const scheduleNames = ["linear", "constant"]

/** Everything that decides a training but the data; saved with the model. */
export interface Settings {
  /** Channels of the convolutions before the hidden layers, of images; none is a network of dense layers. */
  readonly convolutions: readonly number[]
  /** Widths of the hidden layers; none is a linear model, if there are no convolutions either. */
  readonly hidden: readonly number[]
  readonly activation: string
  readonly dropout: number
  readonly optimizer: string
  /** Where the gradients come from. */
  readonly rule: string
  readonly learningRate: number
  /** How the learning rate changes from step to step. */
  readonly schedule: string
  /** Pull of the weights towards 0: decoupled for adam (AdamW), added to the gradients for the others. */
  readonly weightDecay: number
  readonly epochs: number
  readonly batchSize: number
  /** Epochs without a better validation loss after which training ends. */
  readonly patience: number
  readonly seed: number
  /** Whether every second training image is mirrored, by seed and epoch. */
  readonly flip: boolean
  /** Pixels by which training images are moved at most, by seed and epoch. */
  readonly shift: number
  /** The file with the user's own model, which then decides instead of `convolutions`, `hidden`, `activation` and `dropout`. */
  readonly model?: string
}

/** Below it a narrow network generalises better, or as well. */
const FEW_ROWS = 350

/**
 * Settings for a number of training rows. Small tables are seen often, in small batches, and with a strong weight decay. It was chosen by
 * validation loss alone (bench/weight-decay.mjs): over six splits each of Iris, Wine, Breast Cancer, Digits and Diabetes a decay of 1 had
 * the lowest mean, though on Wine and Breast Cancer it beat none in two and three of the six only.
 *
 * The widths were chosen in the same way (bench/table-settings.mjs, four seeds): beside 64,32 the validation loss of 128,64 was 7 % to 20 % lower on
 * Breast Cancer, Boston and Digits (364 training rows and more) and the same on Diabetes (318), but 6 % to 15 % higher on Iris, Wine and Air Quality,
 * which have some hundred rows. Where both do the same, the smaller one is taken; that it should be on Diabetes too was noticed by its test rows
 * (docs/tabular.md), where 128,64 did worse than scikit-learn.
 *
 * Images get the convolutions of `convolutionsFor`. Their epochs were chosen by validation loss too (bench/image-settings.mjs with convolutions 16,32 and
 * two seeds): of Digits (1,149 training rows) 6, 20 and 30 epochs had 0.093, 0.036 and 0.035; of 3,000 of Fashion-MNIST (2,400) 6, 10 and 20 had 0.398,
 * 0.408 and 0.425, and of 10,000 6 and 10 had 0.315 and 0.314.
 */
export function settingsFor(rows: number, image: Shape | undefined, told: Partial<Settings>): Settings {
  const { rule = "backprop" } = told
  const images = image !== undefined
  // other rules were not tried, and some are for dense layers alone
  const suits = images && told.hidden?.length !== 0 && rule === "backprop"
  const convolutions = told.convolutions ?? (suits ? convolutionsFor(image, rows) : [])
  const {
    optimizer = "adam",
    epochs = images ? Math.min(50, Math.max(6, Math.ceil(25_000 / rows))) : Math.min(200, Math.max(10, Math.ceil(100_000 / rows))),
  } = told
  const linear = told.hidden?.length === 0 && convolutions.length === 0
  const [step, decay] = images ? [0.003, 0] : linear ? [0.01, 0] : [0.001, rows < 5_000 ? 1 : rows < 50_000 ? 0.1 : 0.01]
  const defaults: Settings = {
    convolutions,
    hidden: images ? [128] : rows < FEW_ROWS ? [64, 32] : [128, 64],
    activation: "relu",
    dropout: 0,
    optimizer,
    rule,
    learningRate: optimizer === "adam" ? step : OPTIMIZERS[optimizer]![1],
    schedule: "linear",
    weightDecay: optimizer === "adam" ? decay : 0,
    epochs,
    // members of a population are compared, which takes as many rows as there are
    batchSize: rule === "genetic" ? Math.min(rows, 1_000) : rows < 500 ? 8 : rows < 5_000 ? 32 : rows < 100_000 ? 64 : 128,
    patience: Math.max(5, Math.ceil(epochs / 8)),
    seed: 0,
    flip: false,
    shift: 0,
  }
  return { ...defaults, ...told }
}

/** The linear model that a network has to beat, trained as well as it can be; where there are many rows, two epochs are enough for it. */
export const linearSettings = (rows: number, image: Shape | undefined, { seed, epochs }: Settings): Settings =>
  settingsFor(rows, image, { hidden: [], seed, ...((image || rows >= 50_000) && { epochs: Math.min(2, epochs) }) })

/** Whether there are no hidden units: a linear model, which needs no other to compare with. */
export const isLinear = ({ model, convolutions, hidden }: Settings): boolean =>
  model === undefined && convolutions.length === 0 && hidden.length === 0

/** Whether fewer of the same images would have got convolutions. */
export const leftOut = (problem: Problem, { convolutions, hidden }: Settings, told: Partial<Settings>): boolean =>
  told.convolutions === undefined &&
  convolutions.length === 0 &&
  hidden.length > 0 &&
  (told.rule ?? "backprop") === "backprop" &&
  convolutionsFor(imageOf(problem) ?? [], 1).length > 0

/** Outputs of a network for a target: one for each class, or the number. */
export const outputsFor = (target: TargetColumn): number => (target.kind === "class" ? target.values.length : 1)

// All memory of a process is at most 4 GiB, and every parameter takes 16 bytes: itself, its gradient and two averages of Adam's.
const MAX_PARAMETERS = 2 ** 28

/** What a network is made for. */
export type Shapes = Pick<Problem, "features" | "target" | "encoding">

/** Of one image; undefined for tables. */
export const imageOf = ({ encoding }: Pick<Problem, "encoding">): Shape | undefined => (isImages(encoding) ? encoding.shape : undefined)

/** [height, width, channels] of an image and of what each convolution makes of it; none without convolutions. */
function imagesThrough(shapes: Shapes, { convolutions }: Settings): Shape[] {
  const image = imageOf(shapes)
  if (convolutions.length === 0) return []
  if (!image) throw new UsageError("--convolutions is for images; the data is a table.")
  return placesAfter(formOf(image), convolutions)
}

/** Widths of the dense layers, from the first one's inputs to the outputs. */
const widthsOf = (shapes: Shapes, settings: Settings): number[] => {
  const last = imagesThrough(shapes, settings).at(-1)
  return [last?.reduce((a, b) => a * b, 1) ?? shapes.features, ...settings.hidden, outputsFor(shapes.target)]
}

/** Widths of all layers, convolutions as images `28x28x16`: `784-128-10`. */
export const sizesOf = (shapes: Shapes, settings: Settings): string =>
  [...imagesThrough(shapes, settings).map(shape => shape.join("x")), ...widthsOf(shapes, settings)].join("-")

/** @throws UsageError for a network that no memory can hold, and for convolutions of what is too small for them. */
export function checkSize(shapes: Shapes, settings: Settings): void {
  if (settings.rule === "target-propagation" && settings.convolutions.length > 0)
    throw new UsageError("--rule target-propagation is for dense layers; leave --convolutions out.")
  const count = (sizes: readonly number[], window = 1): number =>
    sizes.slice(1).reduce((sum, width, i) => sum + width * (window * sizes[i]! + 1), 0)
  const channels = imagesThrough(shapes, settings).map(shape => shape[2]!)
  const parameters = count(channels, WINDOW ** 2) + count(widthsOf(shapes, settings))
  if (parameters <= MAX_PARAMETERS) return
  throw new UsageError(
    `A network ${sizesOf(shapes, settings)} has ${grouped(parameters)} parameters; wanted at most ${grouped(MAX_PARAMETERS)}. ` +
      "Choose narrower layers (--hidden).",
  )
}

/**
 * Convolutions of images, each with an activation and max pooling that halves the sides; then dense layers with activations between them.
 * The output is logits of the classes, or the standardised number.
 */
export function network(shapes: Shapes, settings: Settings): Model {
  const { activation, dropout: rate } = settings
  const init = activation === "relu" || activation === "gelu" ? "he" : "glorot"
  const act = ACTIVATIONS[activation]!
  const images = imagesThrough(shapes, settings)
  const layers: Layer[] = []
  for (const [i, shape] of images.entries()) {
    if (i === 0) layers.push(reshape(...shape))
    else layers.push(conv2d(images[i - 1]![2]!, shape[2]!, WINDOW, { padding: "same", init }), act(), maxPool(2))
  }
  if (images.length > 0) layers.push(flatten())
  const widths = widthsOf(shapes, settings)
  for (const [i, width] of widths.slice(1, -1).entries()) {
    layers.push(dense(widths[i]!, width, { init }), act())
    if (rate > 0) layers.push(dropout(rate))
  }
  return sequential(...layers, dense(widths.at(-2)!, widths.at(-1)!))
}

/** The optimizer for so many steps in all: with a linear schedule its learning rate falls to 0 until the last one. */
export function makeOptimizer(settings: Settings, steps: number): Optimizer {
  const { learningRate, schedule } = settings
  const falling: LearningRate = step => mul(sub(1, div(cast(step, "f32"), steps)), learningRate)
  return optimizerOf(settings, schedule === "linear" ? falling : learningRate)
}
/** The optimizer with another learning rate. */
export const optimizerOf = ({ optimizer, weightDecay }: Settings, rate: LearningRate): Optimizer =>
  OPTIMIZERS[optimizer]![0](rate, weightDecay)

/** The learning rate of step `step`, from 0, of so many in all. */
export const rateAt = ({ learningRate, schedule }: Settings, step: number, steps: number): number =>
  schedule === "linear" ? learningRate * (1 - step / steps) : learningRate

/** The rule of learning of that name, with its own settings. */
export const makeRule = ({ rule }: Settings): LearningRule => rules[rule]!()

/** The loss for a target. Weights of classes have the mean 1 over the training rows, so the mean over a batch is of losses times weights. */
export function lossFor(target: TargetColumn, classWeights?: readonly number[]): Loss {
  if (target.kind === "number") return squaredError
  if (classWeights === undefined) return crossEntropy
  return (logits, classes) => {
    const weights = tensor(classWeights, { dtype: logits.dtype as "f32" })
    return mean(crossEntropy(logits, classes, { classWeights: weights, reduction: "none" }))
  }
}

/** What is measured on validation rows: `accuracy`, or `meanSquaredError` of standardised numbers. */
export const metricsFor = (target: TargetColumn): Readonly<Record<string, Metric>> =>
  target.kind === "class" ? { accuracy } : { meanSquaredError }
