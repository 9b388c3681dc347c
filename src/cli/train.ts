// `adjoint train`: from a file to a saved model, with a report on rows that the training has not seen.
import { join } from "node:path"
import type { Command } from "commander"
import { DataError } from "../data/errors.ts"
import { configure as configureEngine } from "../index.ts"
import type { Model } from "../nn.ts"
import { checkModelFolder, recoverModelFolder } from "../platform/node/model-folder.ts"
import { DivergedError } from "../train.ts"
import { apply, configure } from "./config.ts"
import { checkShift } from "./convolutions.ts"
import { StoppedError, UsageError } from "./errors.ts"
import { findRate } from "./find-rate.ts"
import { crossValidate } from "./folds.ts"
import { Interrupt } from "./interrupt.ts"
import { type Learned, learn } from "./learn.ts"
import { listColumns, quoted } from "./listing.ts"
import { checkSize, imageOf, isLinear, leftOut, linearSettings, outputsFor, type Settings, settingsFor, sizesOf } from "./network.ts"
import { openData } from "./open.ts"
import { ownModel } from "./own-model.ts"
import { foldProblems, imageProblem, type Problem, tableProblem } from "./problem.ts"
import { constantEntry, type Entry, finish, networkEntry, type Result } from "./report.ts"
import { resultsOf } from "./results.ts"
import { RUN_FILES, type RunConfig, RunFolder, readRunConfig, writeJson } from "./run-folder.ts"
import { saveModel, type Training } from "./saved.ts"
import { majority, scoreOf } from "./scores.ts"
import { fingerprint, type ImageSource, type TableSource } from "./source.ts"
import type { TableData } from "./table-data.ts"
import { grouped, Output } from "./terminal.ts"
import {
  checkDivision,
  checkImages,
  checkTable,
  chosen,
  defineOptions,
  divisionOf,
  readingOf,
  settled,
  type TrainOptions,
  told,
} from "./train-options.ts"
import { writeReport } from "./write-report.ts"

export function define(command: Command): void {
  defineOptions(command)
  command.action(train)
}

async function train(data: string | undefined, given: TrainOptions, command: Command): Promise<void> {
  const out = new Output(given)
  if (given.resume !== undefined) return resume(given.resume, data, command, out)
  const config = await configure(command, given.config)
  if (config.file !== undefined) out.say(`Settings from ${config.file}.`)
  const from = data ?? config.data
  if (from === undefined) throw new UsageError(`missing required argument 'data'; it may be the key "data" of adjoint.config.json too.`)
  const options = command.opts<TrainOptions>()
  if (options.model !== undefined) refuse(command, ["convolutions", "hidden", "activation", "dropout"], "--model brings layers of its own")
  await start(from, options, new Output(options))
}

/** Flags that a resumed run may have: those that do not change what comes out. */
const WITH_RESUME = ["resume", "json", "quiet", "debug"]

/** Goes on with a run, with the settings that it began with. */
async function resume(dir: string, data: string | undefined, command: Command, out: Output): Promise<void> {
  const others = command.options.map(option => option.attributeName()).filter(name => !WITH_RESUME.includes(name))
  refuse(command, others, "--resume goes on with the settings that the run began with")
  // a process that was killed while it saved the model may have left files of the run where the old folder was put aside
  recoverModelFolder(dir)
  const run = readRunConfig(dir)
  // runs of before there were convolutions had none
  apply(command, { convolutions: [], ...run.settings }, join(dir, RUN_FILES.config))
  await start(data ?? run.data, { ...command.opts<TrainOptions>(), out: dir }, out, run)
}

/** @throws UsageError for flags or keys that were given. */
function refuse(command: Command, names: readonly string[], why: string): void {
  const option = command.options.find(option => {
    const name = option.attributeName()
    return names.includes(name) && ["cli", "config"].includes(command.getOptionValueSource(name) ?? "")
  })
  if (option !== undefined) throw new UsageError(`${why}, so leave ${option.long} out.`)
}

/** Trains, tests and saves; `run` is the one to go on with. */
async function start(data: string, options: TrainOptions, out: Output, run?: RunConfig): Promise<void> {
  if (options.deterministic) configureEngine({ deterministic: true })
  const source = await open(data, options, out)
  if (source.kind === "table" && options.target === undefined) return listColumns(source.data, data, out)
  const problem = await prepare(source, options)
  const folds = foldsOf(source, options)
  const settings = settingsFor(problem.train.x.rows, imageOf(problem), told(options))
  const model = settings.model === undefined ? undefined : await ownModel(settings.model, problem)
  if (!model) checkSize(problem, settings)
  checkShift(imageOf(problem), settings.shift)
  if (options.findLearningRate) {
    const target = source.kind === "table" ? ` --target ${quoted(problem.target.name)}` : ""
    return findRate(problem, settings, model, `adjoint train ${quoted(data)}${target}`, out)
  }
  const dir = options.out ?? join("runs", source.name)
  checkModelFolder(dir)
  const folder = new RunFolder(dir)
  const sha256 = fingerprint(source)
  if (run && run.sha256 !== sha256) throw new UsageError(`${dir} was trained on other data than ${data} holds now. Resume with the same.`)

  const interrupt = new Interrupt(out)
  announce(source, problem, settings, model, out)
  if (!model && leftOut(problem, settings, told(options)))
    out.say("With so many small grey images convolutions take long; they are usually more accurate: --convolutions 16,32.")
  if (!run) folder.begin({ data, sha256, settings: chosen(options, settings, source) })
  folder.enter(options.deterministic ?? false)
  const going = {
    out,
    folder,
    model,
    checkpoint: folder.at("checkpoints"),
    checkpointEvery: options.checkpointEvery,
    resume: run !== undefined && folder.hasCheckpoint,
    stop: () => interrupt.stop(),
  }
  const learned = await learn(problem, settings, interrupt.signal, going).catch(error => {
    if (!folder.hasCheckpoint) folder.discard() // there is nothing to go on with
    throw error
  })
  if (learned.epochs === 0)
    throw new StoppedError(
      `stopped before the first epoch had ended, so there is nothing to save as a model yet. Go on with: ${resumeLine(dir)}`,
      interrupt.code,
    )
  const training = trainingOf(source, sha256, problem, settings, options, learned)
  await saveModel(dir, learned.model, { encoding: problem.encoding, training })
  const judging = {
    dir,
    interrupt,
    constant: training.constant,
    out,
    name: source.name,
    folds,
    checkpointEvery: options.checkpointEvery,
  }
  const results = await judge(learned.model, problem, settings, judging)
  writeJson(folder.at("results"), results)
  if (options.report) await writeReport(dir)
}

const resumeLine = (dir: string): string => `adjoint train --resume ${quoted(dir)}`

async function open(data: string, options: TrainOptions, out: Output): Promise<TableSource | ImageSource> {
  const { resume, imageSize, channels, memory } = options
  try {
    return await openData(data, { imageSize, channels, memory, reading: readingOf(options), out })
  } catch (error) {
    if (resume !== undefined && error instanceof DataError)
      throw new DataError(`${error.message} If the data lie elsewhere now: adjoint train DATA --resume ${resume}`)
    throw error
  }
}

/** What is remembered of the training in the model's folder. */
function trainingOf(
  source: TableSource | ImageSource,
  sha256: string,
  problem: Problem,
  settings: Settings,
  options: TrainOptions,
  learned: Learned,
): Training {
  const reading = readingOf(options)
  const constant = problem.target.kind === "class" ? majority(problem.train.answers, outputsFor(problem.target)) : 0
  return {
    data: {
      name: source.name,
      ...((source.kind === "table" || source.whole) && { sha256, division: divisionOf(options) }),
      ...(Object.keys(reading).length > 0 && { reading }),
    },
    settings: settled(settings, source) as Settings,
    constant,
    epochs: learned.epochs,
    bestEpoch: learned.bestEpoch,
    ...(options.shuffleLabels && { shuffledLabels: true }),
    ...(problem.classWeights && { classWeights: problem.classWeights }),
  }
}

interface Judging {
  readonly dir: string
  readonly interrupt: Interrupt
  readonly constant: number
  readonly out: Output
  /** Of the data. */
  readonly name: string
  readonly folds: readonly Problem[] | undefined
  /** Seconds. */
  readonly checkpointEvery: number
}

/** Compares a model with what it has to beat, on the test rows, and tells how it ended. */
async function judge(
  model: Learned["model"],
  problem: Problem,
  settings: Settings,
  { dir, interrupt, constant, out, name, folds, checkpointEvery }: Judging,
) {
  const { target } = problem
  const forLinear = linearSettings(problem.train.x.rows, imageOf(problem), settings)
  const linear = isLinear(settings) || folds ? undefined : await learnLinear(problem, forLinear, interrupt.signal)
  const crossValidation =
    folds && (await crossValidate(folds, settings, { signal: interrupt.signal, out, dir: join(dir, RUN_FILES.folds), checkpointEvery }))
  const stopped = interrupt.signal.aborted
  if (stopped) process.exitCode = interrupt.code
  interrupt.release()

  const test = problem.test() // not before all training has ended
  for (const warning of test?.warnings ?? []) out.warn(`test rows: ${warning}`)
  const result: Result = {
    dir,
    saved: true,
    ...(stopped && { resume: resumeLine(dir) }),
    target,
    ...(crossValidation && { crossValidation }),
    ...(test && {
      network: networkEntry(model, target, test),
      baselines: [
        ...(linear ? [{ key: "linear", name: "the linear model", score: scoreOf(linear, target, test) } satisfies Entry] : []),
        constantEntry(constant, target, test),
      ],
    }),
  }
  finish(out, result)
  return resultsOf(name, problem, result, model, test)
}

async function prepare(source: TableSource | ImageSource, options: TrainOptions): Promise<Problem> {
  if (source.kind === "images") checkImages(options, source)
  else checkTable(options, source)
  checkDivision(options)
  return source.kind === "table"
    ? tableProblem(source, tableOptions(options), await openTest(options))
    : imageProblem(source, { ...options, ...divisionOf(options) })
}

/** The table of test rows, if they have one of their own. */
async function openTest(options: TrainOptions): Promise<TableData | undefined> {
  const { testFile, memory } = options
  if (testFile === undefined) return undefined
  const source = await openData(testFile, { memory, reading: readingOf(options) })
  if (source.kind === "images") throw new UsageError(`--test-file: ${testFile} holds images; wanted a table.`)
  return source.data
}

const tableOptions = (options: TrainOptions) => ({
  ...options,
  ...divisionOf(options),
  target: options.target!,
})

/** The problems of a cross-validation, made before the training that is kept: what is wrong with them costs no training. */
const foldsOf = (source: TableSource | ImageSource, options: TrainOptions): Problem[] | undefined =>
  options.kFold !== undefined && source.kind === "table" ? foldProblems(source, tableOptions(options), options.kFold) : undefined

function announce(source: TableSource | ImageSource, problem: Problem, settings: Settings, model: Model | undefined, out: Output): void {
  const { train, validation, target, features } = problem
  const kept = validation === undefined ? "" : `, ${grouped(validation.x.rows)} for validation`
  const what = target.kind === "class" ? `one of ${target.values.length} classes` : "a number"
  const held = problem.testRows === undefined ? "the test images apart" : `${grouped(problem.testRows)} for the test`
  out.say(
    `${source.name}: predicts ${JSON.stringify(target.name)}, ${what}, from ${features} inputs; ` +
      `${grouped(train.x.rows)} rows for training${kept}, ${held}.`,
  )
  for (const note of problem.notes) out.warn(note)
  const { activation, optimizer, rule, learningRate, batchSize, epochs, seed } = settings
  const sizes = model ? "" : sizesOf(problem, settings)
  const kind = settings.convolutions.length > 0 ? "convolutional network" : "network"
  const form = model ? `model of ${settings.model}` : isLinear(settings) ? `linear model ${sizes}` : `${kind} ${sizes} (${activation})`
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
