// `adjoint export`: a saved model as a module that runs without adjoint.
import { mkdirSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { type Command, Option } from "commander"
import { writeFileAtomic } from "../platform/node/files.ts"
import { exportStandalone, type TrainableOptions } from "../standalone.ts"
import { loadModel } from "../train.ts"
import { UsageError } from "./errors.ts"
import { lossFor, makeOptimizer, optimizerNames, type Settings } from "./network.ts"
import { type CommonOptions, count, counts, notNegative, positive, seed, withCommon } from "./options.ts"
import { openModel } from "./saved.ts"
import { grouped, Output } from "./terminal.ts"

interface ExportOptions extends CommonOptions {
  readonly standalone?: boolean
  readonly out?: string
  readonly separate?: boolean
  readonly rows?: number
  readonly input?: "f32" | "f64" | "i32" | "u8"
  readonly trainable?: boolean
  readonly batchSize?: readonly number[]
  readonly optimizer?: string
  readonly learningRate?: number
  readonly weightDecay?: number
  readonly seed?: number
}

export function define(command: Command): void {
  command
    .argument("<model>", "the folder that adjoint train, or save, wrote")
    .option("--standalone", "a JavaScript module with compiled programs and weights, and its .d.ts")
    .option("-o, --out <file>", "the module (default: NAME.js)")
    .option("--separate", "programs and weights in a .wasm file beside the module: a fourth smaller")
    .option("--rows <n>", "rows that are computed at a time where there are several", count, 32)
    .addOption(new Option("--input <dtype>", "inputs of a model without columns or images").choices(["f32", "f64", "i32", "u8"]))
    .option("--trainable", "the module goes on learning: step, save, load")
    .option("--batch-size <list>", "numbers of rows that a step may take (default: 1 and those of the training)", counts)
    .addOption(new Option("--optimizer <name>", "how gradients become new weights (default: as in the training)").choices(optimizerNames))
    .option("--learning-rate <rate>", "length of a step, the same for all (default: as the training began)", positive)
    .option("--weight-decay <rate>", "pull of the weights towards 0 (default: as in the training)", notNegative)
    .option("--seed <n>", "decides dropout", seed)
  withCommon(command, [
    ["adjoint export runs/mnist --standalone", "mnist.js, which needs nothing else"],
    ["adjoint export runs/mnist --standalone --separate --out web/digits.js", "digits.js and digits.wasm"],
    ["adjoint export runs/iris --standalone --trainable", "a page that learns from its user"],
  ]).action(exportModel)
}

async function exportModel(dir: string, options: ExportOptions): Promise<void> {
  const out = new Output(options)
  if (!options.standalone) throw new UsageError("Say what to write; wanted --standalone, a module that needs nothing else.")
  const { trained, encoding } = await loadModel(dir)
  if (encoding !== undefined && options.input) throw new UsageError("--input is for models that do not know their columns; this one does.")
  const { folder, name } = placeOf(dir, options.out)
  const trainable = options.trainable ? await trainableOptions(dir, options, out) : undefined
  const files = exportStandalone(trained, {
    ...{ name, encoding, separate: options.separate ?? false, rows: options.rows ?? 32 },
    ...(options.input && { dtype: options.input }),
    ...(trainable && { trainable }),
  })
  mkdirSync(folder, { recursive: true })
  const written = [...files].map(([file, bytes]) => ({ file: join(folder, file), bytes: bytes.length }))
  for (const [file, bytes] of files) writeFileAtomic(join(folder, file), bytes)
  for (const { file, bytes } of written) out.result(`${file}  ${grouped(bytes)} bytes`)
  out.event({ event: "done", files: written })
}

/** The folder of the files and their name: that of the model unless told. */
function placeOf(dir: string, out: string | undefined): { folder: string; name: string } {
  const file =
    out ??
    `${
      basename(resolve(dir))
        .replace(/[^\w.-]/g, "-")
        .replace(/^\.+/, "") || "model"
    }.js`
  const name = /^([\w-][\w.-]*)\.js$/.exec(basename(file))?.[1]
  if (name === undefined)
    throw new UsageError(`--out ${file}: wanted a file whose name ends in .js and has letters, digits, "-", "_" and "." alone.`)
  return { folder: dirname(file), name }
}

/** Loss and optimizer of the training, unless told; the learning rate stays as it is, since nobody knows the last step. */
async function trainableOptions(dir: string, options: ExportOptions, out: Output): Promise<TrainableOptions> {
  const { encoding, training } = await openModel(dir)
  const { optimizer, learningRate, weightDecay, batchSize, seed = training.settings.seed } = options
  const settings: Settings = {
    ...training.settings,
    ...{ schedule: "constant", optimizer: optimizer ?? training.settings.optimizer },
    ...(learningRate !== undefined && { learningRate }),
    ...(weightDecay !== undefined && { weightDecay }),
  }
  if (optimizer !== undefined && optimizer !== training.settings.optimizer && learningRate === undefined)
    throw new UsageError(
      `--optimizer ${optimizer} is another than in the training, so its learning rate is not known: add --learning-rate.`,
    )
  const { rule = "backprop" } = training.settings
  if (rule !== "backprop") out.warn(`the model was trained by ${rule}; the module goes on by backpropagation.`)
  return {
    loss: lossFor(encoding.target, training.classWeights),
    optimizer: makeOptimizer(settings, 1),
    batchSizes: batchSize ?? [1, training.settings.batchSize],
    seed,
  }
}
