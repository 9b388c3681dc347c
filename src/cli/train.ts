// `adjoint train`: from a file to a saved model, with a report on rows that the training has not seen.
import { join } from "node:path"
import { type Command, Option } from "commander"
import { configure } from "../index.ts"
import { checkModelFolder } from "../platform/node/model-folder.ts"
import { type FitEvent, fit, type TrainedModel } from "../train.ts"
import { chart } from "./chart.ts"
import { listColumns } from "./columns.ts"
import { STOPPED, StoppedError, UsageError } from "./errors.ts"
import { activationNames, linearSettings, lossFor, makeOptimizer, metricsFor, network, optimizerNames, outputsFor, type Settings, settingsFor } from "./network.ts"
import { type CommonOptions, count, names, positive, seed, share, widths, withCommon } from "./options.ts"
import { imageProblem, type Problem, type ProblemOptions, tableProblem } from "./problem.ts"
import { metricText, Progress } from "./progress.ts"
import { constantName, type Entry, LINEAR } from "./report.ts"
import { finish } from "./result.ts"
import { saveModel } from "./saved.ts"
import { majority, scoreOf, scoreOfConstant } from "./scores.ts"
import { type ImageSource, openSource, type TableSource } from "./source.ts"
import { grouped, Output, widthOf } from "./terminal.ts"

interface TrainOptions extends CommonOptions, Partial<Omit<Settings, "seed">>, Partial<Omit<ProblemOptions, "seed">> {
  readonly seed: number
  readonly out?: string
  readonly deterministic?: boolean
}

export function define(command: Command): void {
  command
    .argument("<data>", 'a CSV or TSV file (also .gz), "mnist", or a folder of IDX image files')
    .option("-t, --target <column>", "column to predict; without it the columns are listed")
    .addOption(new Option("--task <task>", "what to do with a target of numbers (default: found from its values)").choices(["classification", "regression"]))
    .option("--hidden <widths>", 'widths of the hidden layers, or "none" (default: 64,32; 128 for images)', widths)
    .addOption(new Option("--activation <name>", "function of the hidden units").choices(activationNames).default("relu"))
    .option("--dropout <rate>", "share of hidden units left out at each step (default: 0)", share)
    .option("--epochs <n>", "at most so often through all training rows (default: by their number)", count)
    .option("--batch-size <n>", "rows in one step (default: by their number)", count)
    .addOption(new Option("--optimizer <name>", "how gradients become new weights").choices(optimizerNames).default("adam"))
    .option("--learning-rate <rate>", "length of a step (default: by the optimizer, 0.001 for adam)", positive)
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
    ["adjoint train houses.csv --target price --hidden 128,64", "a wider network, for a number"],
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
  const settings = settingsFor(problem.train.x.rows, images, told(options))
  const dir = options.out ?? join("runs", source.name)
  checkModelFolder(dir)

  announce(source, problem, settings, out)
  const interrupt = new Interrupt(out)
  const { model, end } = await learn(problem, settings, interrupt.signal, out)
  if (end.epoch === 0) throw new StoppedError("stopped before the first epoch had ended, so there was nothing to save.")
  const constant = problem.target.kind === "class" ? majority(problem.train.answers, outputsFor(problem.target)) : 0
  await saveModel(dir, model, {
    encoding: problem.encoding,
    training: {
      data: { name: source.name, ...(source.kind === "table" && { sha256: source.sha256 }) },
      division: divisionOf(options),
      settings,
      epochs: end.epoch,
      bestEpoch: end.bestEpoch,
      constant,
      ...(options.shuffleLabels && { shuffledLabels: true }),
    },
  })

  const linear = settings.hidden.length > 0 && !interrupt.signal.aborted && (await learn(problem, linearSettings(settings, images), interrupt.signal))
  const stopped = interrupt.signal.aborted
  interrupt.release()
  const test = problem.test()
  if (test === undefined) return finish({ out, dir, stopped, target: problem.target })
  for (const warning of test.warnings) out.warn(`Test rows: ${warning}`)
  const baselines: Entry[] = [{ name: constantName(problem.target, constant), score: scoreOfConstant(constant, problem.target, test) }]
  if (linear && linear.end.reason !== "aborted") baselines.unshift({ name: LINEAR, score: scoreOf(linear.model, problem.target, test) })
  const entry = { name: nameOf(problem, settings), score: scoreOf(model, problem.target, test) }
  finish({ out, dir, stopped, target: problem.target, entry, baselines })
}
