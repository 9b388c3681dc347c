// A source made ready for training: what to predict, from what, and which rows are for training, validation and the test.
import { categoryOf } from "../data/cells.ts"
import type { Table } from "../data/csv.ts"
import { encode } from "../data/encode.ts"
import type { Encoding, TargetColumn } from "../data/encoding.ts"
import { DataError } from "../data/errors.ts"
import { fitEncoding } from "../data/fit.ts"
import { type Split, shuffle, splitRows } from "../data/split.ts"
import { subset } from "../train/rows.ts"
import { type Rows, rowsOf } from "../train.ts"
import { UsageError } from "./errors.ts"
import type { ImageSource, Images, TableSource } from "./source.ts"

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
}

/** How rows are divided; saved with the model, so that `evaluate` finds the rows that training has not seen. */
export interface Division {
  readonly seed: number
  readonly test: number
  readonly validation: number
}

export interface Problem {
  readonly encoding: Encoding | ImageEncoding
  readonly target: TargetColumn
  /** Numbers that go into the network for one row. */
  readonly features: number
  readonly train: Labelled
  readonly validation: Labelled | undefined
  /** Reads and encodes the test rows; not before training has ended. Undefined if there are none. */
  readonly test: () => Labelled | undefined
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
}

/**
 * Makes a table ready. Means, deviations and categories come from the training rows alone.
 *
 * @throws DataError for what `fitEncoding`, `encode` and `splitRows` refuse.
 */
export function tableProblem({ table }: TableSource, options: ProblemOptions & { readonly target: string }): Problem {
  const { target, task, ignore = [], categories = [] } = options
  const told = { target, ignore, categories, ...(task === undefined ? {} : { task }) }
  const whole = fitEncoding(table, told)
  const split = splitTable(table, whole.target, options)
  const kind = whole.target.kind === "class" ? "classification" : "regression"
  const encoding = fitEncoding(table, { ...told, task: kind, rows: split.train })
  const part = (rows: Int32Array, salt?: number): Labelled =>
    labelledRows(encoding, table, rows, salt === undefined ? undefined : { options, salt })
  const train = part(split.train, 0)
  const validation = split.validation.length > 0 ? part(split.validation, 1) : undefined
  return {
    encoding,
    target: encoding.target,
    features: train.x.shape[0]!,
    train,
    validation,
    test: () => (split.test.length > 0 ? part(split.test) : undefined),
    notes: [...encoding.notes, ...train.warnings],
  }
}

/** Divides the rows of a table as training does: by seed, and so that every part has its share of every class. */
export function splitTable(table: Table, target: TargetColumn, { seed, test, validation }: Division): Split {
  if (target.kind === "number") return splitRows(table.rows, { seed, test, validation })
  const index = new Map(target.values.map((value, i) => [value, i]))
  const stratify = Int32Array.from(table.column(target.name), cell => index.get(categoryOf(cell)) ?? -1)
  return splitRows(table.rows, { seed, test, validation, stratify })
}

type Shuffling = { readonly options: Pick<ProblemOptions, "seed" | "shuffleLabels">; readonly salt: number }

/** Rows of a table with their answers, encoded as training did; all rows if none are chosen. */
export function labelledRows(encoding: Encoding, table: Table, rows?: Int32Array, shuffling?: Shuffling): Labelled {
  const { x, features, y, warnings } = encode(encoding, table, { target: true, ...(rows === undefined ? {} : { rows }) })
  return labelled(rowsOf(x, [features]), encoding.target, shuffled(y!, shuffling), warnings)
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
 * @throws DataError for images of one class only; UsageError for options that are for tables.
 */
export function imageProblem(source: ImageSource, options: ProblemOptions): Problem {
  for (const name of ["target", "task", "ignore", "categories"] as const) {
    if (options[name] !== undefined) throw new UsageError(`--${name} is for tables; ${source.name} holds images with their labels.`)
  }
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
  const held = () => (split.test.length > 0 ? part(split.test) : undefined)
  return {
    encoding,
    target,
    features: all.shape[0]!,
    train: part(split.train, 0),
    validation: split.validation.length > 0 ? part(split.validation, 1) : undefined,
    test: source.whole ? held : () => labelledImages(encoding, source.test(), source.name),
    notes: [],
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
