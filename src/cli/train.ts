// `adjoint train`: from a file to a saved model, with a report on rows that the training has not seen.
import { join } from "node:path"
import { type Command, Option } from "commander"
import { configure } from "../index.ts"
import { checkModelFolder } from "../platform/node/model-folder.ts"
import { DivergedError } from "../train.ts"
import { STOPPED, StoppedError, UsageError } from "./errors.ts"
import { Interrupt } from "./interrupt.ts"
import { type Learned, learn } from "./learn.ts"
import { listColumns } from "./listing.ts"
import {
  activationNames,
  checkSize,
  linearSettings,
  optimizerNames,
  outputsFor,
  ruleNames,
  type Settings,
  scheduleNames,
  settingsFor,
} from "./network.ts"
import { type CommonOptions, count, names, notNegative, positive, seed, share, widths, withCommon } from "./options.ts"
import { imageProblem, type Problem, type ProblemOptions, tableProblem } from "./problem.ts"
import { constantEntry, type Entry, finish, networkEntry } from "./report.ts"
import { saveModel } from "./saved.ts"
import { majority, scoreOf } from "./scores.ts"
import { type ImageSource, openSource, type TableSource } from "./source.ts"
import { grouped, Output } from "./terminal.ts"

interface TrainOptions extends CommonOptions, Partial<Omit<Settings, "seed">>, Partial<Omit<ProblemOptions, "seed">> {
  readonly seed: number
  readonly out?: string
  readonly deterministic?: boolean
}

export function define(command: Command): void {
  command
    .argument("<data>", 'a CSV or TSV file (also .gz), "mnist", or a folder of IDX image files')
    .option("-t, --target <column>", "column to predict; without it the columns are listed")
    .addOption(
      new Option("--task <task>", "what to do with a target of numbers (default: found from its values)").choices([
        "classification",
        "regression",
      ]),
    )
    .option("--hidden <widths>", 'widths of the hidden layers, or "none" (default: 64,32; 128 for images)', widths)
    .addOption(new Option("--activation <name>", "function of the hidden units").choices(activationNames).default("relu"))
    .option("--dropout <rate>", "share of hidden units left out at each step (default: 0)", share)
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
    .option("--validation <share>", "rows held out to choose the best epoch (default: 0.1)", share)
    .option("--ignore <columns>", "columns to leave out, between commas", names)
    .option("--categories <columns>", "columns of numbers or texts to read as categories", names)
    .option("--seed <n>", "decides the split, first weights and order of rows", seed, 0)
    .option("--deterministic", "the same bits on every machine, at some cost in speed")
    .option("--shuffle-labels", "give the training rows each other's answers: the test must then be at chance")
    .option("-o, --out <folder>", "where the model goes (default: runs/NAME)")
  withCommon(command, [
    ["adjoint train iris.csv", "list columns and the likely target"],
    ["adjoint train iris.csv --target species", "train, test and save in runs/iris"],
    ["adjoint train houses.csv -t price --hidden 32", "a smaller network, for a number"],
    ["adjoint train mnist --out runs/mnist", "60,000 handwritten digits"],
  ]).action(train)
}

async function train(data: string, options: TrainOptions): Promise<void> {
  const out = new Output(options)
  if (options.deterministic) configure({ deterministic: true })
  const source = openSource(data)
  if (source.kind === "table" && options.target === undefined) return listColumns(source.table, data, out)
  const problem = prepare(source, options)
  const images = source.kind === "images"
  const { rows } = problem.train.x
  const settings = settingsFor(rows, images, told(options))
  checkSize(problem.features, problem.target, settings)
  const dir = options.out ?? join("runs", source.name)
  checkModelFolder(dir)

  const interrupt = new Interrupt(out)
  announce(source, problem, settings, out)
  const { model, epochs, bestEpoch } = await learn(problem, settings, interrupt.signal, out)
  if (epochs === 0) throw new StoppedError("stopped before the first epoch had ended, so there was nothing to save.")
  const constant = problem.target.kind === "class" ? majority(problem.train.answers, outputsFor(problem.target)) : 0
  await saveModel(dir, model, {
    encoding: problem.encoding,
    training: {
      data: { name: source.name, ...(source.kind === "table" && { sha256: source.sha256, division: divisionOf(options) }) },
      settings,
      constant,
      epochs,
      bestEpoch,
      ...(options.shuffleLabels && { shuffledLabels: true }),
    },
  })
  const linear =
    settings.hidden.length > 0 ? await learnLinear(problem, linearSettings(rows, images, settings), interrupt.signal) : undefined
  const stopped = interrupt.signal.aborted
  if (stopped) process.exitCode = STOPPED
  interrupt.release()

  const test = problem.test() // not before all training has ended
  for (const warning of test?.warnings ?? []) out.warn(`test rows: ${warning}`)
  const { target } = problem
  finish(out, {
    dir,
    saved: true,
    stopped,
    target,
    ...(test && {
      network: networkEntry(model, target, test),
      baselines: [
        ...(linear ? [{ key: "linear", name: "the linear model", score: scoreOf(linear, target, test) } satisfies Entry] : []),
        constantEntry(constant, target, test),
      ],
    }),
  })
}

const SETTINGS = [
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
] as const

/** The settings that were given, and not left to what suits the data. */
const told = (options: TrainOptions): Partial<Settings> =>
  Object.fromEntries(SETTINGS.flatMap(name => (options[name] === undefined ? [] : [[name, options[name]]])))

const divisionOf = ({ seed, test = 0.2, validation = 0.1 }: TrainOptions) => ({ seed, test, validation })

function prepare(source: TableSource | ImageSource, options: TrainOptions): Problem {
  const division = divisionOf(options)
  if (division.test + division.validation >= 1) {
    throw new UsageError(
      `--test ${division.test} and --validation ${division.validation} leave no rows to train on; wanted less than 1 in all.`,
    )
  }
  if (source.kind === "table") return tableProblem(source, { ...options, ...division, target: options.target! })
  if (options.test !== undefined) throw new UsageError(`--test is for tables; ${source.name} has test images of its own.`)
  return imageProblem(source, { ...options, ...division })
}

function announce(source: TableSource | ImageSource, problem: Problem, settings: Settings, out: Output): void {
  const { train, validation, target, features } = problem
  const kept = validation === undefined ? "" : `, ${grouped(validation.x.rows)} for validation`
  const what = target.kind === "class" ? `one of ${target.values.length} classes` : "a number"
  const held =
    source.kind === "table"
      ? `${grouped(source.table.rows - train.x.rows - (validation?.x.rows ?? 0))} for the test`
      : "the test images apart"
  out.say(
    `${source.name}: predicts ${JSON.stringify(target.name)}, ${what}, from ${features} inputs; ` +
      `${grouped(train.x.rows)} rows for training${kept}, ${held}.`,
  )
  for (const note of problem.notes) out.warn(note)
  const { hidden, activation, optimizer, rule, learningRate, batchSize, epochs, seed } = settings
  const sizes = [features, ...hidden, outputsFor(target)].join("-")
  const form = hidden.length > 0 ? `network ${sizes} (${activation})` : `linear model ${sizes}`
  const by = rule === "backprop" ? `${optimizer} ${learningRate}` : rule === "genetic" ? rule : `${rule}, ${optimizer} ${learningRate}`
  out.say(`${form}, ${by}, batches of ${batchSize}, at most ${epochs} epochs, seed ${seed}.`)
}

/** The linear baseline, or nothing if it was stopped or came to nothing: a good network is not lost for its sake. */
async function learnLinear(problem: Problem, settings: Settings, signal: AbortSignal): Promise<Learned["model"] | undefined> {
  if (signal.aborted) return undefined
  try {
    const { model } = await learn(problem, settings, signal)
    return signal.aborted ? undefined : model
  } catch (error) {
    if (error instanceof DivergedError) return undefined
    throw error
  }
}
