// `adjoint predict`: a saved model's answers for new rows, as CSV.
import { basename } from "node:path"
import type { Command } from "commander"
import type { Table } from "../data/csv.ts"
import { encodeRows, OddCells } from "../data/encode.ts"
import { featureNames } from "../data/encoding.ts"
import { DataError } from "../data/errors.ts"
import { parseIdx } from "../data/idx.ts"
import { type CsvColumn, formatCsv } from "../io/csv.ts"
import { readDataFile, writeFileAtomic } from "../platform/node/files.ts"
import { type Rows, rowsOf } from "../train.ts"
import { answerOf, answers } from "./answers.ts"
import { type OpenOptions, openData, openImages } from "./open.ts"
import { type CommonOptions, ENCODING, MEMORY_FLAG, notNegative, withCommon } from "./options.ts"
import { checkShape, flat, type ImageEncoding } from "./problem.ts"
import { isImages, openModel, readingOf, type Saved } from "./saved.ts"
import type { TableData } from "./table-data.ts"
import { grouped, Output } from "./terminal.ts"

interface PredictOptions extends CommonOptions {
  readonly out?: string
  readonly only?: boolean
  readonly encoding?: string
  readonly memory?: number
}

export function define(command: Command): void {
  command
    .argument("<model>", "the folder that adjoint train wrote")
    .argument("<data>", "a table with the columns of the training, in any order; a PNG, JPEG or IDX file of images, or a folder of them")
    .option("-o, --out <file>", "write the CSV there instead of to the standard output")
    .option("--encoding <name>", ENCODING)
    .option("--memory <mb>", MEMORY_FLAG, notNegative)
    .option("--only", "leave the columns of the data out, and give the answers only")
  withCommon(command, [
    ["adjoint predict runs/iris new.csv", "the table with prediction and p(class) added"],
    ["adjoint predict runs/iris new.csv --only --out answers.csv", "only these, into a file"],
    ["adjoint predict runs/mnist t10k-images-idx3-ubyte", "a class for each image"],
    ["adjoint predict runs/photos new/1.jpg", "the class of one image"],
  ]).action(predict)
}

async function predict(dir: string, data: string, options: PredictOptions): Promise<void> {
  const out = new Output(options)
  const saved = await openModel(dir)
  const { encoding, training } = saved
  const { parts, warnings } = isImages(encoding)
    ? { parts: [await imagesFrom(encoding, data)], warnings: () => [] }
    : await rowsFrom(encoding, data, {
        ...{ reading: readingOf(training, options), memory: options.memory },
        // beside rows on the same terminal it would be in the way
        ...(options.out !== undefined && { out }),
      })
  let rows = 0
  const counted = (n: number) => void (rows += n)
  if (out.json && options.out === undefined) for (const part of parts) rows += tell(saved, part, rows, out)
  else if (options.out === undefined) await print(lines(saved, parts, options, counted))
  else {
    writeFileAtomic(options.out, bytesOf(lines(saved, parts, options, counted)))
    out.say(`${grouped(rows)} predictions written to ${options.out}`)
  }
  for (const warning of warnings()) out.warn(warning)
  out.event({ event: "done", rows, ...(options.out !== undefined && { out: options.out }) })
}

/** Inputs, and the columns that stand before the answers. */
interface Input {
  readonly x: Rows
  readonly given: readonly CsvColumn[]
}

/** The text of a table part after part, the header in front. */
function* lines({ model, encoding }: Saved, parts: Iterable<Input>, { only }: PredictOptions, counted: (rows: number) => void) {
  let header = true
  for (const { x, given } of parts) {
    const columns = answers(model, x, encoding.target)
    const named = only ? columns : [...given, ...columns.map(column => ({ ...column, name: unused(column.name, given) }))]
    yield formatCsv(named, { header })
    header = false
    counted(x.rows)
  }
}

function* bytesOf(texts: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder()
  for (const text of texts) yield encoder.encode(text)
}

/** To the standard output, no faster than it is read. */
async function print(texts: Iterable<string>): Promise<void> {
  for (const text of texts) if (!process.stdout.write(text)) await new Promise(done => process.stdout.once("drain", done))
}

/** The rows of a table part by part; what is odd about all of them is known in the end. */
async function rowsFrom(encoding: Exclude<Saved["encoding"], ImageEncoding>, data: string, options: OpenOptions) {
  const source = await openData(data, options)
  if (source.kind === "images") throw new DataError(`The model was trained on rows of a table, but ${data} holds images.`)
  const odd = new OddCells(encoding)
  const features = featureNames(encoding).length
  function* parts(table: TableData): Generator<Input> {
    for (const block of table.blocks()) {
      const { x } = encodeRows(encoding, block.table, block.rows, false, odd)
      yield { x: rowsOf(x, [features]), given: columnsOf(block.table) }
    }
  }
  return { parts: parts(source.data), warnings: () => odd.warnings() }
}

const columnsOf = (table: Table): CsvColumn[] => table.columns.map(name => ({ name, values: table.column(name) }))

/** One PNG or JPEG file or a folder of some, the images of one IDX file, or the test images of a set. */
async function imagesFrom(encoding: ImageEncoding, data: string): Promise<Input> {
  const files = await openImages(data, encoding)
  if (files) return { x: flat(files), given: [{ name: "image", values: files.names }] }
  const { pixels, shape } = /idx\d-ubyte(\.gz)?$/.test(data) ? readImages(data) : await testImages(data)
  checkShape(encoding, shape, data)
  const x = flat({ pixels, shape, scale: encoding.scale })
  return { x, given: [{ name: "image", values: Int32Array.from({ length: x.rows }, (_, i) => i) }] }
}

function readImages(path: string) {
  const { data, shape } = parseIdx(readDataFile(path), basename(path))
  return { pixels: data, shape: shape.slice(1) }
}

async function testImages(data: string) {
  const source = await openData(data)
  if (source.kind === "table") throw new DataError(`The model was trained on images, but ${data} is a table.`)
  return source.test()
}

/** A name that no given column has: the table may itself have come from a prediction. */
function unused(name: string, given: readonly CsvColumn[]): string {
  const taken = new Set(given.map(column => column.name))
  let free = name
  for (let n = 2; taken.has(free); n++) free = `${name} ${n}`
  return free
}

/** Answers as events, `before` of them told already; returns how many. */
function tell({ model, encoding: { target } }: Saved, { x }: Input, before: number, out: Output): number {
  const columns = answers(model, x, target)
  for (let row = 0; row < x.rows; row++) out.event({ event: "prediction", row: before + row + 1, ...answerOf(columns, target, row) })
  return x.rows
}
