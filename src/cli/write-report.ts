// `adjoint report`, and what `train` does at its end: report.html of a run.
import { existsSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import type { Command } from "commander"
import { DataError } from "../data/errors.ts"
import { summary } from "../nn.ts"
import { writeFileAtomic } from "../platform/node/files.ts"
import { loadModel } from "../train.ts"
import { type CommonOptions, withCommon } from "./options.ts"
import type { Results } from "./results.ts"
import { type Environment, RUN_FILES, readJson, readMetrics, readRunConfig } from "./run-folder.ts"
import { Output } from "./terminal.ts"

export function define(command: Command): void {
  command.argument("<run>", "the folder that adjoint train wrote")
  withCommon(command, [["adjoint report runs/iris", "writes runs/iris/report.html"]]).action(report)
}

async function report(dir: string, options: CommonOptions): Promise<void> {
  const out = new Output(options)
  const file = await writeReport(dir)
  out.result(file)
  out.event({ event: "done", report: file })
}

/**
 * Writes the report of a run into its folder, and returns the file's name.
 *
 * @throws DataError for a folder that is no run's, or of a run that has not ended.
 */
export async function writeReport(dir: string): Promise<string> {
  const config = readRunConfig(dir)
  if (!existsSync(join(dir, RUN_FILES.results)))
    throw new DataError(`${dir} holds a training that has not ended. Go on with it: adjoint train --resume ${dir}`)
  const { trained } = await loadModel(dir)
  const { pageOf } = await import("./page/page.ts")
  const page = pageOf({
    name: basename(resolve(dir)),
    config,
    environment: readJson(join(dir, RUN_FILES.environment)) as Environment,
    metrics: readMetrics(join(dir, RUN_FILES.metrics)),
    model: summary(trained.model, trained.inShape),
    results: readJson(join(dir, RUN_FILES.results)) as Results,
  })
  const file = join(dir, RUN_FILES.report)
  writeFileAtomic(file, new TextEncoder().encode(page))
  return file
}
