// `adjoint predict`: a saved model's answers for new rows, as CSV.
import { basename } from "node:path"
import type { Command } from "commander"
import type { Table } from "../data/csv.ts"
import { encode } from "../data/encode.ts"
import type { TargetColumn } from "../data/encoding.ts"
import { DataError } from "../data/errors.ts"
import { parseIdx } from "../data/idx.ts"
import { type CsvColumn, formatCsv } from "../io/csv.ts"
import { readDataFile, writeFileAtomic } from "../platform/node/files.ts"
import { type Rows, rowsOf } from "../train.ts"
import { answerOf, answers } from "./answers.ts"
import { openData, openImages } from "./open.ts"
import { type CommonOptions, ENCODING, withCommon } from "./options.ts"
import { checkShape, flat, type ImageEncoding } from "./problem.ts"
import { isImages, openModel, readingOf, type Saved } from "./saved.ts"
import type { Reading } from "./source.ts"
import { grouped, Output } from "./terminal.ts"

interface PredictOptions extends CommonOptions {
  readonly out?: string
  readonly only?: boolean
  readonly encoding?: string
}

export function define(command: Command): void {
  command
    .argument("<model>", "the folder that adjoint train wrote")
    .argument("<data>", "a table with the columns of the training, in any order; a PNG, JPEG or IDX file of images, or a folder of them")
    .option("-o, --out <file>", "write the CSV there instead of to the standard output")
    .option("--encoding <name>", ENCODING)
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
  const { model, encoding, training } = await openModel(dir)
  const { x, given } = await (isImages(encoding) ? imagesFrom(encoding, data) : rowsFrom(encoding, data, readingOf(training, options), out))
  const columns = answers(model, x, encoding.target)
  if (out.json && options.out === undefined) tell(columns, encoding.target, out)
  else {
    const table = formatCsv(
      options.only ? columns : [...given, ...columns.map(column => ({ ...column, name: unused(column.name, given) }))],
    )
    if (options.out === undefined) process.stdout.write(table)
    else {
      writeFileAtomic(options.out, new TextEncoder().encode(table))
      out.say(`${grouped(x.rows)} predictions written to ${options.out}`)
    }
  }
  out.event({ event: "done", rows: x.rows, ...(options.out !== undefined && { out: options.out }) })
}

/** Inputs, and the columns that stand before the answers. */
interface Input {
  readonly x: Rows
  readonly given: readonly CsvColumn[]
}

async function rowsFrom(encoding: Exclude<Saved["encoding"], ImageEncoding>, data: string, reading: Reading, out: Output): Promise<Input> {
  const source = await openData(data, { reading })
  if (source.kind === "images") throw new DataError(`The model was trained on rows of a table, but ${data} holds images.`)
  const { x, features, warnings } = encode(encoding, source.table)
  for (const warning of warnings) out.warn(warning)
  return { x: rowsOf(x, [features]), given: columnsOf(source.table) }
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

function tell(columns: readonly CsvColumn[], target: TargetColumn, out: Output): void {
  for (let row = 0; row < columns[0]!.values.length; row++)
    out.event({ event: "prediction", row: row + 1, ...answerOf(columns, target, row) })
}
