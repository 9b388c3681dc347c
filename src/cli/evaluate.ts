// `adjoint evaluate`: how good a saved model is on rows with known answers.
import type { Command } from "commander"
import { DataError } from "../data/errors.ts"
import { splitTable } from "./division.ts"
import { type CommonOptions, ENCODING, withCommon } from "./options.ts"
import { type Labelled, labelledImages, labelledRows } from "./problem.ts"
import { constantEntry, finish, networkEntry } from "./report.ts"
import { isImages, openModel, readingOf, type Saved } from "./saved.ts"
import { openSource } from "./source.ts"
import { grouped, Output } from "./terminal.ts"

interface EvaluateOptions extends CommonOptions {
  readonly all?: boolean
  readonly encoding?: string
}

export function define(command: Command): void {
  command
    .argument("<model>", "the folder that adjoint train wrote")
    .argument("<data>", 'a table with the target column; "mnist" or a folder of IDX files, whose test images are used')
    .option("--encoding <name>", ENCODING)
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
  const rows = rowsFrom(saved, data, options, out)
  for (const warning of rows.warnings) out.warn(warning)
  const { target } = saved.encoding
  const network = networkEntry(saved.model, target, rows)
  finish(out, { dir, saved: false, target, network, baselines: [constantEntry(saved.training.constant, target, rows)] })
}

function rowsFrom({ encoding, training }: Saved, data: string, options: EvaluateOptions, out: Output): Labelled {
  const source = openSource(data, readingOf(training, options))
  if (isImages(encoding)) {
    if (source.kind === "table") throw new DataError(`The model was trained on images, but ${data} is a table.`)
    return labelledImages(encoding, source.test(), data)
  }
  if (source.kind === "images") throw new DataError(`The model was trained on rows of a table, but ${data} holds images.`)
  const { table, sha256 } = source
  const { division } = training.data
  if (sha256 !== training.data.sha256 || division === undefined) return labelledRows(encoding, table)
  // The file it was trained on: rows that training has seen would flatter it.
  const { test } = splitTable(table, encoding.target, division)
  if (options.all || test.length === 0) {
    out.warn(`the model was trained on rows of ${table.name}; on rows that it has not seen it will be worse.`)
    return labelledRows(encoding, table)
  }
  out.say(`The model was trained on ${table.name}; it is measured on the ${grouped(test.length)} rows held out then (--all: on all rows).`)
  return labelledRows(encoding, table, test)
}
