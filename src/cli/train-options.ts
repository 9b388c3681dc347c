// The flags of `adjoint train`. Each is a key of adjoint.config.json too, and what a run was trained with is written by the same names.
import { type Command, Option } from "commander"
import type { Division } from "./division.ts"
import { UsageError } from "./errors.ts"
import { activationNames, optimizerNames, ruleNames, type Settings, scheduleNames } from "./network.ts"
import {
  type CommonOptions,
  channels,
  count,
  folds,
  imageSize,
  names,
  notNegative,
  positive,
  seconds,
  seed,
  share,
  whole,
  widths,
  withCommon,
} from "./options.ts"
import type { ProblemOptions } from "./problem.ts"
import type { ImageSource, Reading, TableSource } from "./source.ts"

export interface TrainOptions extends CommonOptions, Partial<Omit<Settings, "seed">>, Partial<Omit<ProblemOptions, "seed">> {
  readonly seed: number
  readonly header: boolean
  /** A table whose rows are the test. */
  readonly testFile?: string
  readonly memory?: number
  readonly encoding?: string
  readonly kFold?: number
  readonly out?: string
  readonly deterministic?: boolean
  readonly imageSize?: string
  readonly channels?: string
  readonly checkpointEvery: number
  readonly report: boolean
  readonly findLearningRate?: boolean
  readonly resume?: string
  readonly config?: string
}

export function defineOptions(command: Command): void {
  command
    .argument(
      "[data]",
      'a CSV, TSV or Parquet file, "mnist", or a folder of images: IDX files, or a folder of PNG and JPEG files for each class',
    )
    .option("-t, --target <column>", "column to predict; without it the columns are listed")
    .addOption(
      new Option("--task <task>", "what to do with a target of numbers (default: found from its values)").choices([
        "classification",
        "regression",
      ]),
    )
    .option(
      "--convolutions <channels>",
      'channels of 3x3 convolutions before the hidden layers, each with max pooling, or "none" (default: by the images)',
      channels,
    )
    .option("--hidden <widths>", 'widths of the hidden layers, or "none" (default: 64,32; 128,64 from 350 rows; 128 for images)', widths)
    .addOption(new Option("--activation <name>", "function of the hidden units").choices(activationNames).default("relu"))
    .option("--dropout <rate>", "share of hidden units left out at each step (default: 0)", share)
    .option("--model <file>", "a .js or .ts file that exports another network, or a function that makes one")
    .option("--epochs <n>", "at most so often through all training rows (default: by their number)", count)
    .option("--batch-size <n>", "rows in one step (default: by their number)", count)
    .addOption(new Option("--optimizer <name>", "how gradients become new weights").choices(optimizerNames).default("adam"))
    .addOption(
      new Option("--rule <name>", "where the gradients come from; genetic goes without, and without the optimizer")
        .choices(ruleNames)
        .default("backprop"),
    )
    .option("--learning-rate <rate>", "length of a step (default: by the optimizer, 0.001 for adam)", positive)
    .addOption(
      new Option("--schedule <name>", "whether the learning rate falls to 0 until the last epoch").choices(scheduleNames).default("linear"),
    )
    .option("--weight-decay <rate>", "pull of the weights towards 0 (default: by the number of rows)", notNegative)
    .option("--patience <n>", "stop after so many epochs without a better validation loss (default: by --epochs)", count)
    .option("--test <share>", "rows held out for the final test (default: 0.2)", share)
    .option("--test-file <file>", "a table of the same columns whose rows are the final test")
    .option("--groups <column>", "rows with the same value there are never on both sides of a division; it is no input then")
    .option("--times <column>", "the latest rows by this column of dates or numbers are the test, those before them validation")
    .option("--k-fold <k>", "test every row once, by k models beside the one that is kept, which is trained on all rows", folds)
    .option("--validation <share>", "rows held out to choose the best epoch (default: 0.1)", share)
    .option("--ignore <columns>", "columns to leave out, between commas", names)
    .option("--categories <columns>", "columns of numbers or texts to read as categories", names)
    .addOption(
      new Option(
        "--class-weight <how>",
        "balanced: classes count the same in the loss, however many rows they have (default: none)",
      ).choices(["balanced", "none"]),
    )
    .option("--no-header", "the first line is a row already; columns are then called column 1, column 2, ...")
    .option("--encoding <name>", "what the table is written in, such as windows-1252 (default: UTF-8, or UTF-16 by its mark)")
    .option(
      "--memory <mb>",
      "data that would take more MB stay in their file, and are read again in each epoch (default: 512)",
      notNegative,
    )
    .option("--image-size <pixels>", "height x width that PNG and JPEG images get (default: of the first one, at most 64x64)", imageSize)
    .addOption(new Option("--channels <n>", "1 for grey images, 3 for colours (default: as the first one)").choices(["1", "3"]))
    .option("--flip", "mirror every second training image, others in each epoch")
    .option("--shift <pixels>", "move training images by up to so many pixels, otherwise in each epoch (default: 0)", whole)
    .option("--seed <n>", "decides the split, first weights and order of rows", seed, 0)
    .option("--deterministic", "the same bits on every machine, at some cost in speed")
    .option("--shuffle-labels", "give the training rows each other's answers: the test must then be at chance")
    .option("-o, --out <folder>", "where the run and its model go (default: runs/NAME)")
    .option("--checkpoint-every <seconds>", "write a checkpoint so often, beside those at the ends of epochs", seconds, 30)
    .option("--no-report", "write no report.html")
    .option("--find-learning-rate", "try learning rates instead of training, and say which one suits")
    .option("--resume <run>", "go on with a run that was stopped or killed, with the bits of an unbroken one")
    .option("--config <file>", "settings by the names of these flags (default: adjoint.config.json or .ts, if there is one)")
  withCommon(command, [
    ["adjoint train iris.csv", "list columns and the likely target"],
    ["adjoint train iris.csv --target species", "train, test and save in runs/iris"],
    ["adjoint train houses.csv -t price --hidden 32", "a smaller network, for a number"],
    ["adjoint train visits.csv -t cost --k-fold 5 --groups patient", "five-fold cross-validation, patients kept together"],
    ["adjoint train mnist --out runs/mnist", "60,000 handwritten digits"],
    ["adjoint train photos --image-size 32", "photos/cat/1.jpg, photos/dog/2.png, ..."],
    ["adjoint train photos --convolutions 16,32,64 --flip --shift 2", "a network of your own choice, images changed in each epoch"],
    ["adjoint train houses.csv -t price --find-learning-rate", "which learning rate suits"],
    ["adjoint train --resume runs/mnist", "go on after Ctrl-C or a crash"],
  ])
}

const SETTINGS = [
  "convolutions",
  "hidden",
  "activation",
  "dropout",
  "epochs",
  "batchSize",
  "optimizer",
  "rule",
  "learningRate",
  "schedule",
  "weightDecay",
  "patience",
  "seed",
  "flip",
  "shift",
  "model",
] as const
const OF_DATA = [
  ...(["target", "task", "testFile", "groups", "times", "kFold", "ignore", "categories", "classWeight", "encoding", "memory"] as const),
  ...(["imageSize", "channels", "shuffleLabels", "deterministic", "checkpointEvery", "report"] as const),
]
/** Flags that have no meaning for images. */
const OF_TABLES = ["test", "target", "task", "testFile", "groups", "times", "kFold", "ignore", "categories", "encoding"] as const

/** The settings that were given, and not left to what suits the data. */
export const told = (options: TrainOptions): Partial<Settings> =>
  Object.fromEntries(SETTINGS.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]]])))

/** Without a test of its own where the test rows come from elsewhere. */
export const divisionOf = ({ seed, test, testFile, kFold, validation = 0.1, groups, times }: TrainOptions): Division => ({
  seed,
  test: test ?? (testFile === undefined && kFold === undefined ? 0.2 : 0),
  validation,
  ...(groups !== undefined && { groups }),
  ...(times !== undefined && { times }),
})

export const readingOf = ({ header, encoding }: TrainOptions): Reading => ({
  ...(!header && { header }),
  ...(encoding !== undefined && { encoding }),
})

/** @throws UsageError for flags of a table that contradict each other. */
export function checkDivision(options: TrainOptions): void {
  const { groups, times, test, testFile, kFold } = options
  const refuse = (isWrong: boolean, message: string): void => {
    if (isWrong) throw new UsageError(message)
  }
  refuse(
    groups !== undefined && times !== undefined,
    "--groups and --times cannot both say which rows are the test; leave one of them out.",
  )
  refuse(test !== undefined && testFile !== undefined, "--test-file brings the test rows, so leave --test out.")
  refuse(test !== undefined && kFold !== undefined, "--k-fold tests every row once, so leave --test out.")
  refuse(kFold !== undefined && testFile !== undefined, "--k-fold and --test-file are two tests; leave one of them out.")
  refuse(
    kFold !== undefined && times !== undefined,
    "--k-fold would test on rows that are earlier than those trained on; leave it or --times out.",
  )
  const { test: share, validation } = divisionOf(options)
  refuse(
    (kFold === undefined ? share : 1 / kFold) + validation >= 1,
    `${kFold === undefined ? `--test ${share}` : `--k-fold ${kFold}`} and --validation ${validation} leave no rows to train on; ` +
      "wanted less than 1 in all.",
  )
}

/** @throws UsageError for flags that are for tables, given with images. */
export function checkImages(options: TrainOptions, { name, whole }: ImageSource): void {
  for (const option of OF_TABLES) {
    if (options[option] === undefined || (option === "test" && whole)) continue
    if (option === "test") throw new UsageError(`--test is for tables; ${name} has test images of its own.`)
    const flag = option.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
    throw new UsageError(`--${flag} is for tables; ${name} holds images with their labels.`)
  }
  if (!options.header) throw new UsageError(`--no-header is for tables; ${name} holds images with their labels.`)
}

/** Settings of the layers that a model of the user's own decides instead, and those that have no meaning for tables. */
const OF_LAYERS = ["convolutions", "hidden", "activation", "dropout"]
const OF_IMAGES = ["convolutions", "flip", "shift"]

/** @throws UsageError for flags that are for images, given with a table. */
export function checkTable(options: TrainOptions, { name }: TableSource): void {
  const { convolutions = [], flip = false, shift = 0 } = options
  const flag = convolutions.length > 0 ? "--convolutions" : flip ? "--flip" : shift > 0 ? "--shift" : undefined
  if (flag) throw new UsageError(`${flag} is for images; ${name} is a table.`)
}

/** The settings that decided something. */
export const settled = (settings: Settings, { kind }: Pick<TableSource | ImageSource, "kind">): Partial<Settings> => {
  const without = [...(settings.model === undefined ? [] : OF_LAYERS), ...(kind === "images" ? [] : OF_IMAGES)]
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !without.includes(name)))
}

/** What decides a training, by the names of the flags: given to `train` again, it is the same one. */
export function chosen(options: TrainOptions, settings: Settings, source: TableSource | ImageSource): Readonly<Record<string, unknown>> {
  const { test, validation } = divisionOf(options)
  const tested = source.kind === "images" && !source.whole
  return {
    ...Object.fromEntries(OF_DATA.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]]]))),
    ...settled(settings, source),
    ...(!options.header && { header: false }),
    ...(tested || options.testFile !== undefined || options.kFold !== undefined ? {} : { test }),
    validation,
  }
}
