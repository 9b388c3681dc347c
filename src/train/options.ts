// What can be asked of `fit`.
import type { LazyDataset } from "../data/lazy.ts"
import type { Plateau } from "../optim/plateau.ts"
import type { Metric } from "./metrics.ts"
import type { Dataset } from "./rows.ts"
import type { LearningRule } from "./rule.ts"
import type { Loss, Optimizer } from "./trainable.ts"

export interface FitOptions {
  /** The mean loss of a batch, such as `crossEntropy`. */
  readonly loss: Loss
  /** How gradients become new parameters, such as `adam(1e-3)`. */
  readonly optimizer: Optimizer
  /** Where the gradients come from: a rule of adjoint/learning. Default: `backprop()`. With another one there are no findings of `health`. */
  readonly rule?: LearningRule
  /** How often all training rows are used. Default: 10. */
  readonly epochs?: number
  /** Rows in one step. Default: 32. */
  readonly batchSize?: number
  /** Decides first weights, order of rows, dropout and the validation rows. Default: 0. */
  readonly seed?: number
  /** Rows to judge by after each epoch: a data set, or a share of the rows given, which are then not trained on. They are held in memory. */
  readonly validation?: number | Dataset | LazyDataset
  /** What to measure on the validation rows beside the loss, by name. */
  readonly metrics?: Readonly<Record<string, Metric>>
  /** Stops when the validation loss has not improved for so many epochs. Default: never. */
  readonly patience?: number
  /** Lowers the learning rate when the validation loss (or without validation the mean over the epoch) stays as it is: `plateau()` of adjoint/optim. */
  readonly plateau?: Plateau
  /**
   * Folder into which the training is written, so that it can go on after a crash: at the end of epochs (of short ones so often that it
   * takes at most 3 % of the time), when it is stopped by `signal`, and at the end. The last two are kept. Default: none.
   */
  readonly checkpoint?: string
  /** Seconds after which a checkpoint is written amid an epoch too, as soon as the steps that are being done are. Default: never. */
  readonly checkpointEvery?: number
  /** Goes on from the last checkpoint, also amid an epoch, with the bits of an unbroken run. Default: false. */
  readonly resume?: boolean
  /**
   * Looks at layers, gradients and updates while the network trains, and tells what is wrong: every so many steps, or with `true` as
   * often as it takes at most 1 % of the time, after the first epoch or 2 seconds at first, and at the end. Default: true. The result
   * has the same bits with it and without.
   */
  readonly health?: boolean | number
  /** Ends the training after the steps that are being done, some 50 ms of work; the result is what has been learned by then. */
  readonly signal?: AbortSignal
  /**
   * Asked between steps, about every 50 ms: the training waits for the promise, if there is one, and then looks at `signal`. That time is
   * in none of the seconds that are told. Default: never waits.
   */
  readonly pause?: () => Promise<void> | undefined
}

/** The options, if they make sense. */
export function checked(options: FitOptions = {} as FitOptions): FitOptions {
  const { loss, optimizer, epochs = 10, batchSize = 32, patience = Infinity, seed = 0, metrics = {}, validation, health = true } = options
  if (typeof loss !== "function")
    throw new TypeError("fit: `loss` must be a function of output and target, such as crossEntropy from adjoint/losses")
  if (typeof optimizer?.update !== "function")
    throw new TypeError("fit: `optimizer` must be an optimizer, such as adam(1e-3) from adjoint/optim")
  const { rule } = options
  if (rule !== undefined && (typeof rule?.config?.kind !== "string" || !("slopes" in rule || "move" in rule)))
    throw new TypeError("fit: `rule` must be a rule of learning, such as feedbackAlignment() from adjoint/learning")
  for (const [name, x] of Object.entries({ epochs, batchSize })) {
    if (!Number.isInteger(x) || x < 1) throw new TypeError(`fit: \`${name}\` must be a whole number from 1; got ${x}`)
  }
  if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError(`fit: \`seed\` must be a whole number >= 0; got ${seed}`)
  for (const [name, metric] of Object.entries(metrics))
    if (typeof metric !== "function")
      throw new TypeError(`fit: \`metrics\` are functions by name, such as { accuracy }; ${name} is ${JSON.stringify(metric)}`)
  if (validation !== undefined && typeof validation !== "object" && !(typeof validation === "number" && validation >= 0 && validation < 1))
    throw new TypeError(
      `fit: \`validation\` must be a share of the rows, >= 0 and < 1, or a data set { x, y }; got ${JSON.stringify(validation)}`,
    )
  if (options.resume && options.checkpoint === undefined) throw new TypeError("fit: `resume` goes on from a `checkpoint`; name its folder")
  const { checkpointEvery = 0 } = options
  if (!(checkpointEvery >= 0)) throw new TypeError(`fit: \`checkpointEvery\` must be seconds, from 0; got ${checkpointEvery}`)
  if (typeof health !== "boolean" && !(Number.isInteger(health) && health >= 1))
    throw new TypeError(`fit: \`health\` must be true, false or a whole number of steps from 1; got ${health}`)
  if (options.plateau !== undefined && typeof options.plateau?.update !== "function")
    throw new TypeError("fit: `plateau` must be a rule, such as plateau({ factor: 0.5, patience: 3 }) of adjoint/optim")
  if (!(patience >= 1)) throw new TypeError(`fit: \`patience\` must be at least 1 epoch; got ${patience}`)
  return options
}
