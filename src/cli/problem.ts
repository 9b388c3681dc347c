// A source made ready for training: what to predict, from what, and which rows are for training, validation and the test.
import { numberOf } from "../data/cells.ts"
import { checkColumns, encode } from "../data/encode.ts"
import type { Encoding, TargetColumn } from "../data/encoding.ts"
import { DataError } from "../data/errors.ts"
import { type FitOptions, fitEncoding, MAX_CLASSES_OF_NUMBERS } from "../data/fit.ts"
import { quote } from "../data/names.ts"
import { type Split, shuffle, splitRows } from "../data/split.ts"
import { subset } from "../train/rows.ts"
import { type Rows, rowsOf } from "../train.ts"
import { balanced, imbalanceOf } from "./class-weights.ts"
import { type Division, type Survey, splitFolds, splitTable, survey } from "./division.ts"
import { UsageError } from "./errors.ts"
import type { ImageSource, Images, TableSource } from "./source.ts"
import { encoded, seenOf, type TableData } from "./table-data.ts"
import { grouped } from "./terminal.ts"

/** How images become inputs; saved with the model, as the `Encoding` of a table is. */
export interface ImageEncoding {
  readonly kind: "images"
  /** Of one image. */
  readonly shape: readonly number[]
  /** What pixels are multiplied by. */
  readonly scale: number
  readonly target: TargetColumn
}

/** Rows with their answers. */
export interface Labelled {
  readonly x: Rows
  /** i32 [] class numbers, or f32 [1] standardised numbers. */
  readonly y: Rows
  /** [rows] the same answers as an array. */
  readonly answers: Int32Array | Float32Array
  readonly warnings: readonly string[]
  /** [rows] their numbers in the data, from 0; as they come if there are none. */
  readonly rows?: Int32Array
}

export interface Problem {
  readonly encoding: Encoding | ImageEncoding
  readonly target: TargetColumn
  /** Numbers that go into the network for one row. */
  readonly features: number
  readonly train: Labelled
  readonly validation: Labelled | undefined
  /** Undefined for images, which are not counted before they are read. */
  readonly testRows?: number
  /** Reads and encodes the test rows; not before training has ended. Undefined if there are none. */
  readonly test: () => Labelled | undefined
  /** [classes] what the loss of a row is multiplied by, if classes do not all count the same. */
  readonly classWeights?: readonly number[]
  /** What was found out about the data, in sentences. */
  readonly notes: readonly string[]
}

export interface ProblemOptions extends Division {
  readonly target?: string
  readonly task?: "classification" | "regression"
  readonly ignore?: readonly string[]
  readonly categories?: readonly string[]
  /** Gives training and validation rows each other's answers: what is then learned cannot hold for the test. */
  readonly shuffleLabels?: boolean
  readonly classWeight?: "balanced" | "none"
}

type TableOptions = ProblemOptions & { readonly target: string }

/** What `fitEncoding` is told, with the target as it is in all rows, and what divides the rows. */
interface Question {
  readonly told: FitOptions
  readonly target: TargetColumn
  readonly surveyed: Survey
}

function questionOf(data: TableData, { target, task, ignore = [], categories = [], groups, times }: TableOptions): Question {
  if (groups === target) throw new UsageError(`--groups ${groups} is the target; wanted a column that says which rows belong together.`)
  const left = groups === undefined || ignore.includes(groups) ? ignore : [...ignore, groups]
  const told = { target, ignore: left, categories, ...(task === undefined ? {} : { task }) }
  const seen = fitEncoding(data.look(), told)
  const surveyed = survey(data, seen.target, { ...(groups !== undefined && { groups }), ...(times !== undefined && { times }) })
  if (seen.target.kind === "number") return { told: { ...told, task: "regression" }, target: seen.target, surveyed }
  const values = surveyed.classes!
  if (task === undefined && areFewNumbers(seen.target.values) && !areFewNumbers(values))
    throw new UsageError(
      `the target ${quote(target)} looks like ${seen.target.values.length} classes in ${grouped(data.sampled!.length)} of the rows of ${data.name}, ` +
        `but has ${values.length} different values in all of them. Say what it is: --task classification or --task regression.`,
    )
  return { told: { ...told, task: "classification" }, target: { ...seen.target, values }, surveyed }
}

/** Whether numbers are classes unless told otherwise. */
const areFewNumbers = (values: readonly string[]): boolean =>
  values.length <= MAX_CLASSES_OF_NUMBERS && values.every(value => Number.isInteger(numberOf(value, ".")))

/** A problem for each fold of a cross-validation: every row is a test row of one of them. */
export function foldProblems({ data }: TableSource, options: TableOptions, folds: number): Problem[] {
  const question = questionOf(data, options)
  return splitFolds(question.surveyed, options, folds).map(split => dividedProblem(data, question, split, options))
}

/**
 * Makes a table ready, divided by the options, or with the rows of another for the test. Means, deviations and categories come from the
 * training rows alone.
 *
 * @throws DataError for what `fitEncoding`, `encode` and `splitRows` refuse.
 */
export function tableProblem({ data }: TableSource, options: TableOptions, apart?: TableData): Problem {
  const question = questionOf(data, options)
  const split = splitTable(question.surveyed, options)
  const problem = dividedProblem(data, question, split, options, apart)
  // cells that were not looked at have to make sense too, before hours of training depend on it
  if (data.sampled) for (const { table } of data.blocks(split.test)) encode(problem.encoding as Encoding, table, { target: true })
  return problem
}

function dividedProblem(data: TableData, { told, target }: Question, split: Split, options: TableOptions, apart?: TableData): Problem {
  const encoding = encodingOf(data, told, target, split.train)
  // at once, so that a mistake in its columns costs no training
  if (apart) checkColumns(encoding, apart.look(), true)
  const part = (rows: Int32Array, salt?: number): Labelled =>
    labelledRows(encoding, data, rows, salt === undefined ? undefined : { options, salt })
  const train = part(split.train, 0)
  const validation = split.validation.length > 0 ? part(split.validation, 1) : undefined
  return {
    encoding,
    target: encoding.target,
    features: train.x.shape[0]!,
    train,
    validation,
    testRows: apart?.rows ?? split.test.length,
    test: () => (apart ? labelledRows(encoding, apart) : split.test.length > 0 ? part(split.test) : undefined),
    ...weighting(train, encoding.target, options, [...encoding.notes, ...train.warnings]),
  }
}

/** From the training rows, or from those among them that are looked at. */
function encodingOf(data: TableData, told: FitOptions, target: TargetColumn, train: Int32Array): Encoding {
  const rows = seenOf(data, train)
  const encoding = fitEncoding(data.look(), { ...told, rows })
  if (data.sampled === undefined) return encoding
  const note =
    `What the columns hold was seen in ${grouped(data.sampled.length)} of the ${grouped(data.rows)} rows, drawn at random; ` +
    `means and categories come from ${grouped(rows.length)} of the ${grouped(train.length)} training rows.`
  return { ...encoding, ...(target.kind === "class" && { target }), notes: [...encoding.notes, note] }
}

/** Weights of classes if they are asked for; else a note where there are classes of few rows. */
function weighting(
  { answers }: Labelled,
  target: TargetColumn,
  { classWeight }: ProblemOptions,
  notes: readonly string[],
): Pick<Problem, "classWeights" | "notes"> {
  if (target.kind === "number") {
    if (classWeight === "balanced")
      throw new UsageError(`--class-weight is for classes; the target ${quote(target.name)} is a number. Leave it out.`)
    return { notes }
  }
  if (classWeight === "balanced") return { notes, classWeights: balanced(answers, target.values.length) }
  const found = classWeight === undefined ? imbalanceOf(answers, target.values) : undefined
  return { notes: found === undefined ? notes : [...notes, found] }
}

type Shuffling = { readonly options: Pick<ProblemOptions, "seed" | "shuffleLabels">; readonly salt: number }

/** Rows of a table with their answers, encoded as training did; all rows if none are chosen. */
export function labelledRows(encoding: Encoding, data: TableData, rows?: Int32Array, shuffling?: Shuffling): Labelled {
  const { x, answers, warnings } = encoded(encoding, data, rows)
  return { ...labelled(x, encoding.target, shuffled(answers, shuffling), warnings), ...(rows && { rows }) }
}

function labelled(x: Rows, target: TargetColumn, answers: Int32Array | Float32Array, warnings: readonly string[] = []): Labelled {
  const y = target.kind === "class" ? rowsOf(answers, [], { dtype: "i32" }) : rowsOf(answers, [1])
  return { x, y, answers, warnings }
}

// Orders of their own, so that the shuffled answers share no randomness with the order of the rows in training.
const SHUFFLES = 0xfffffff0

function shuffled<A extends Int32Array | Float32Array>(answers: A, shuffling: Shuffling | undefined): A {
  if (!shuffling?.options.shuffleLabels) return answers
  const order = shuffle(answers.length, shuffling.options.seed, SHUFFLES + shuffling.salt)
  return answers.map((_, i) => answers[order[i]!]!) as A
}

/**
 * Makes images ready. The test images are those of their own files, or held out as those of a table.
 *
 * @throws DataError for images of one class only.
 */
export function imageProblem(source: ImageSource, options: ProblemOptions): Problem {
  const images = source.train()
  const { labels, shape, scale } = images
  if (labels.every(label => label === labels[0])) {
    throw new DataError(
      `${source.name}: the label is ${labels[0]} in all ${labels.length} images, one class only, so there is nothing to learn.`,
    )
  }
  const classes = images.classes ?? Array.from({ length: labels.reduce((a, b) => Math.max(a, b), 0) + 1 }, (_, i) => String(i))
  const target: TargetColumn = { name: "label", kind: "class", values: classes }
  const encoding: ImageEncoding = { kind: "images", shape, scale, target }
  const split = splitImages(images, options, source.whole ?? false)
  const all = flat(images)
  const part = (rows: Int32Array, salt?: number): Labelled =>
    labelled(
      subset(all, rows),
      target,
      shuffled(
        rows.map(row => labels[row]!),
        salt === undefined ? undefined : { options, salt },
      ),
    )
  const train = part(split.train, 0)
  const held = () => (split.test.length > 0 ? part(split.test) : undefined)
  return {
    encoding,
    target,
    features: all.shape[0]!,
    train,
    validation: split.validation.length > 0 ? part(split.validation, 1) : undefined,
    ...(source.whole && { testRows: split.test.length }),
    test: source.whole ? held : () => labelledImages(encoding, source.test(), source.name),
    ...weighting(train, target, options, []),
  }
}

/** Divides images as training does; only those without test images of their own give some up for the test. */
export const splitImages = ({ rows, labels }: Images, { seed, test, validation }: Division, whole: boolean): Split =>
  splitRows(rows, { seed, validation, stratify: labels, ...(whole && { test }) })

/** Images with their labels, encoded as training did. */
export function labelledImages(encoding: ImageEncoding, images: Images, name: string): Labelled {
  checkShape(encoding, images.shape, name)
  const { values } = encoding.target as { values: readonly string[] }
  const odd = images.labels.findIndex(label => label >= values.length)
  if (odd >= 0) {
    throw new DataError(
      `${name}: label ${odd} is ${images.labels[odd]}; wanted one of the classes that the model knows, 0 to ${values.length - 1}.`,
    )
  }
  return labelled(flat({ ...images, scale: encoding.scale }), encoding.target, images.labels)
}

/** @throws DataError for images of another shape than those in training. */
export function checkShape(encoding: ImageEncoding, shape: readonly number[], name: string): void {
  if (shape.join() === encoding.shape.join()) return
  throw new DataError(`${name} has images of ${shape.join(" x ")}; the model was trained on images of ${encoding.shape.join(" x ")}.`)
}

/** Each image as one row of pixels. */
export const flat = ({ pixels, shape, scale }: Pick<Images, "pixels" | "shape" | "scale">): Rows =>
  rowsOf(pixels, [shape.reduce((a, b) => a * b, 1)], { scale })
