// `adjoint evaluate`: how good a saved model is on rows with known answers.
import type { Command } from "commander"
import { DataError } from "../data/errors.ts"
import { splitTable, survey } from "./division.ts"
import { openData } from "./open.ts"
import { type CommonOptions, ENCODING, MEMORY_FLAG, notNegative, withCommon } from "./options.ts"
import { type ImageEncoding, type Labelled, labelledImages, labelledRows, splitImages } from "./problem.ts"
import { constantEntry, finish, networkEntry } from "./report.ts"
import { isImages, openModel, readingOf, type Saved } from "./saved.ts"
import { fingerprint, type ImageSource } from "./source.ts"
import { grouped, Output } from "./terminal.ts"

interface EvaluateOptions extends CommonOptions {
  readonly all?: boolean
  readonly encoding?: string
  readonly memory?: number
}

export function define(command: Command): void {
  command
    .argument("<model>", "the folder that adjoint train wrote")
    .argument("<data>", 'a table with the target column; "mnist" or a folder of IDX files, whose test images are used')
    .option("--encoding <name>", ENCODING)
    .option("--memory <mb>", MEMORY_FLAG, notNegative)
    .option("--all", "use all rows, even if the model was trained on some of them")
  withCommon(command, [
    ["adjoint evaluate runs/iris iris.csv", "the rows that training held out"],
    ["adjoint evaluate runs/iris more.csv", "all rows of another table"],
    ["adjoint evaluate runs/mnist mnist", "the 10,000 test digits"],
  ]).action(evaluate)
}

async function evaluate(dir: string, data: string, options: EvaluateOptions): Promise<void> {
  const out = new Output(options)
  const saved = await openModel(dir)
  const rows = await rowsFrom(saved, data, options, out)
  for (const warning of rows.warnings) out.warn(warning)
  const { target } = saved.encoding
  const network = networkEntry(saved.model, target, rows)
  finish(out, { dir, saved: false, target, network, baselines: [constantEntry(saved.training.constant, target, rows)] })
}

async function rowsFrom({ encoding, training }: Saved, data: string, options: EvaluateOptions, out: Output): Promise<Labelled> {
  const source = await openData(data, {
    ...{ memory: options.memory, out },
    ...(isImages(encoding) ? { encoding } : { reading: readingOf(training, options) }),
  })
  if (isImages(encoding)) {
    if (source.kind === "table") throw new DataError(`The model was trained on images, but ${data} is a table.`)
    return imagesFrom(encoding, training, source, options.all ?? false, out)
  }
  if (source.kind === "images") throw new DataError(`The model was trained on rows of a table, but ${data} holds images.`)
  const { data: table, sha256 } = source
  const { division } = training.data
  if (sha256 !== training.data.sha256 || division === undefined) return labelledRows(encoding, table)
  // The file it was trained on: rows that training has seen would flatter it.
  const { test } = splitTable(survey(table, encoding.target, division), division)
  if (options.all || test.length === 0) {
    out.warn(`the model was trained on rows of ${table.name}; on rows that it has not seen it will be worse.`)
    return labelledRows(encoding, table)
  }
  out.say(`The model was trained on ${table.name}; it is measured on the ${grouped(test.length)} rows held out then (--all: on all rows).`)
  return labelledRows(encoding, table, test)
}

/** The test images of a source; where there are none apart, those that training held out. */
function imagesFrom(encoding: ImageEncoding, { data }: Saved["training"], source: ImageSource, all: boolean, out: Output): Labelled {
  const images = source.test()
  if (!source.whole || data.division === undefined || fingerprint(source) !== data.sha256)
    return labelledImages(encoding, images, source.name)
  const { test } = splitImages(images, data.division, true)
  if (all || test.length === 0) {
    out.warn(`the model was trained on images of ${source.name}; on images that it has not seen it will be worse.`)
    return labelledImages(encoding, images, source.name)
  }
  out.say(`The model was trained on ${source.name}; it is measured on the ${grouped(test.length)} images held out then (--all: on all).`)
  const each = images.shape.reduce((a, b) => a * b, 1)
  const pixels = new Uint8Array(test.length * each)
  for (const [i, row] of test.entries()) for (let k = 0; k < each; k++) pixels[i * each + k] = images.pixels[row * each + k]!
  return labelledImages(encoding, { ...images, pixels, rows: test.length, labels: test.map(row => images.labels[row]!) }, source.name)
}
