// `adjoint explain`: the chain of derivatives from the error of one example to a weight.
import { statSync } from "node:fs"
import type { Command } from "commander"
import { DataError } from "../data/errors.ts"
import {
  type Explanation,
  explain,
  explainNetwork,
  explainProblem,
  type Network,
  type NetworkExplanation,
  networkOf,
  type Problem,
  ProblemError,
  readProblem,
  renderText,
} from "../explain.ts"
import { type Tensor, tensor } from "../index.ts"
import { FormatError } from "../io/errors.ts"
import { parseJson } from "../io/json.ts"
import { readDataFile } from "../platform/node/files.ts"
import type { Loss } from "../train.ts"
import { UsageError } from "./errors.ts"
import { type FileOptions, withFiles, writeFiles } from "./explain-files.ts"
import { lossFor } from "./network.ts"
import { openData } from "./open.ts"
import { type CommonOptions, count, positive, seed as wholeNumber, withCommon } from "./options.ts"
import { type Labelled, labelledImages, labelledRows } from "./problem.ts"
import { isImages, openModel, type Saved } from "./saved.ts"
import { Output } from "./terminal.ts"

interface ExplainOptions extends CommonOptions, FileOptions {
  readonly row?: number
  readonly weight?: readonly string[]
  readonly learningRate?: number
  readonly attribution?: boolean
  readonly steps?: number
}

export function define(command: Command): void {
  command
    .argument("<problem>", "a JSON file with a network and an example; or the folder that adjoint train wrote")
    .argument("[data]", 'with a folder: a table with the target column; "mnist" or a folder of IDX files, whose test images are used')
    .option("--row <n>", "the row of the data, counted from 0 (default: 0)", wholeNumber)
    .option("--weight <path>", "what to explain, such as layers.0.w[3,1]; may be given several times", collect)
    .option("--learning-rate <rate>", "length of the step (default: that of the file or the training)", positive)
    .option("--attribution", "which columns or pixels the answer comes from: of --row, else the mean over the first 1,000 rows")
    .option("--steps <n>", "gradients between the baseline and each row, with --attribution (default: 50)", count)
  withCommon(withFiles(command), [
    ["adjoint explain examples/worked.json", "every factor for one neuron"],
    ["adjoint explain runs/iris iris.csv --row 3", "the steepest weight, for one row"],
    ['adjoint explain runs/mnist mnist --weight "layers.2.w[5,7]"', "one weight, for the first test digit"],
    ['adjoint explain examples/worked.json --weight "layers.0.w[0,0]" --html why.html', "its paths as a web page"],
    ["adjoint explain runs/iris iris.csv --attribution --row 3", "which columns the answer for a row comes from"],
  ]).action(run)
}

const collect = (path: string, before: readonly string[] = []): string[] => [...before, path]

async function run(problem: string, data: string | undefined, options: ExplainOptions): Promise<void> {
  const out = new Output(options)
  if (options.attribution) return attributionOf(problem, data, options, out)
  if (options.steps !== undefined) throw new UsageError("--steps goes with --attribution.")
  if (data === undefined) return explainDense(problem, fromFile(problem, options), options, out)
  const example = await exampleOf(problem, data, options, out)
  const { network, refusal } = denseNetwork(example)
  if (network) return explainDense(problem, { ...example, network }, options, out, example)
  const { weight } = options
  if (!weight) throw new FormatError(`${problem}: ${refusal}. Of any model one weight is explained: --weight PATH[i,j].`)
  return explainAny(problem, example, weight, options, out)
}

async function attributionOf(dir: string, data: string | undefined, options: ExplainOptions, out: Output): Promise<void> {
  if (data === undefined)
    throw new UsageError(`--attribution is for a trained model; name its folder and the data: adjoint explain RUN DATA`)
  const other = (["weight", "learningRate", "markdown", "svg", "dot"] as const).find(name => options[name] !== undefined)
  if (other !== undefined)
    throw new UsageError(`--${other === "learningRate" ? "learning-rate" : other} tells of weights; leave it out with --attribution.`)
  const { attribute } = await import("./attribution.ts")
  await attribute(dir, data, options, out)
}

/** Every factor by the textbook's names; with a model also the paths of the one weight that was asked for. */
async function explainDense(name: string, problem: Problem, options: ExplainOptions, out: Output, example?: Example): Promise<void> {
  const { network, x, target } = problem
  const learningRate = options.learningRate ?? problem.learningRate
  const explanation = told(name, () =>
    explainNetwork(network, { x, target }, { learningRate, ...(options.weight && { weights: options.weight }) }),
  )
  const paths = explanation.weights.map(w => w.path)
  await writeFiles(options, paths, of => (example ? explanationOf(example, of) : explainProblem({ ...problem, learningRate }, of)))
  out.result(renderText(explanation))
  if (options.json) out.event({ event: "done", ...explanation, ...onlyWeight(explanation, example) })
}

/** With one weight its numbers stand at the top too, so that `jq .gradient` finds them. */
function onlyWeight({ weights: [only, ...others] }: NetworkExplanation, example: Example | undefined): object {
  if (!only || others.length > 0) return {}
  const { factors, product, gradient, finiteDifference } = only
  return { factors, product, gradient, finiteDifference, ...(example && pathsOf(example, only.path)) }
}
function pathsOf(example: Example, of: string): object {
  const { sumOfPaths, numberOfPaths, paths, rest, uses } = explanationOf(example, of)
  return { sumOfPaths, numberOfPaths, paths, rest, uses }
}

/** Any other model: the paths from the error to each weight that is asked for. */
async function explainAny(name: string, example: Example, weights: readonly string[], options: ExplainOptions, out: Output): Promise<void> {
  const explanations = weights.map(of => told(name, () => explanationOf(example, of)))
  await writeFiles(options, weights, of => explanations[weights.indexOf(of)]!)
  out.result(explanations.map(renderText).join("\n\n"))
  out.event({ event: "done", ...(explanations.length === 1 ? explanations[0] : { explanations }) })
}

function explanationOf({ saved, x, y, loss }: Example, of: string): Explanation {
  const { model, params, state, inShape } = saved.model
  const input = tensor([...x], { shape: [1, ...inShape] })
  const error = (params: unknown, x: Tensor): Tensor => loss(model.apply(params, state, x, { training: false })[0], y)
  return explain(error, [params, input], { of })
}

function fromFile(file: string, { row }: ExplainOptions): Problem {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`${file} is a folder; name the data too: adjoint explain ${file} DATA`)
  if (row !== undefined) throw new UsageError("--row is for the rows of a table or of images; a JSON file holds one example.")
  return told(file, () => readProblem(parseJson(readDataFile(file), file)))
}

/** A model and the row that is explained, encoded. */
interface Example {
  readonly saved: Saved
  readonly x: readonly number[]
  /** [out], as the textbook's networks have it. */
  readonly target: readonly number[]
  /** As the loss takes it. */
  readonly y: Tensor
  readonly loss: Loss
  readonly learningRate: number
}

async function exampleOf(dir: string, data: string, { row = 0 }: ExplainOptions, out: Output): Promise<Example> {
  const saved = await openModel(dir)
  const { x, answers, warnings } = await rowsFrom(saved, data, row)
  for (const warning of warnings) out.warn(warning)
  const { target } = saved.encoding
  const inputs = new Float32Array(x.shape[0]!)
  x.read(Int32Array.of(0), inputs)
  const answer = answers[0]!
  const isClass = target.kind === "class"
  out.lines(`Row ${row} of ${data}; ${target.name} is ${isClass ? target.values[answer] : answer * target.std + target.mean}`, "")
  return {
    saved,
    x: [...inputs],
    target: isClass && target.values.length > 1 ? target.values.map((_, k) => Number(k === answer)) : [answer],
    y: isClass ? tensor([answer], { dtype: "i32" }) : tensor([[answer]]),
    loss: lossFor(target, saved.training.classWeights),
    learningRate: saved.training.settings.learningRate,
  }
}

/** The model as a dense network, or why it is none. */
function denseNetwork({ saved, loss }: Example): { network?: Network; refusal?: string } {
  try {
    return { network: networkOf(saved.model.model, saved.model.params, loss) }
  } catch (error) {
    if (error instanceof ProblemError) return { refusal: error.message }
    throw error
  }
}

/** The one row that is asked for, encoded as training did. */
async function rowsFrom({ encoding, training }: Saved, data: string, row: number): Promise<Labelled> {
  const { reading } = training.data
  const source = await openData(data, isImages(encoding) ? { encoding } : { ...(reading && { reading }) })
  if (isImages(encoding)) {
    if (source.kind === "table") throw new DataError(`The model was trained on images, but ${data} is a table.`)
    const images = source.test()
    checkRow(row, images.rows, data)
    const size = images.shape.reduce((a, b) => a * b, 1)
    const pixels = Array.from({ length: size }, (_, i) => images.pixels[row * size + i]!)
    return labelledImages(encoding, { ...images, pixels, rows: 1, labels: images.labels.slice(row, row + 1) }, data)
  }
  if (source.kind === "images") throw new DataError(`The model was trained on rows of a table, but ${data} holds images.`)
  checkRow(row, source.data.rows, data)
  return labelledRows(encoding, source.data, Int32Array.of(row))
}

function checkRow(row: number, rows: number, data: string): void {
  if (row >= rows) throw new UsageError(`--row ${row}: ${data} has ${rows} rows, 0 to ${rows - 1}.`)
}

/** What cannot be explained is a fault of the file, or of what was asked of it. */
function told<T>(file: string, f: () => T): T {
  try {
    return f()
  } catch (error) {
    if (error instanceof ProblemError) throw new FormatError(`${file}: ${error.message}.`)
    throw error
  }
}
