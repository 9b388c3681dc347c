// `adjoint sweep`: many networks on one table or set of images, trained at once; the best one is saved.
import { join } from "node:path"
import { type Command, Option } from "commander"
import { checkModelFolder } from "../platform/node/model-folder.ts"
import { type SweepEvent, type SweepResult, sweep } from "../train.ts"
import { StoppedError, UsageError } from "./errors.ts"
import { Interrupt } from "./interrupt.ts"
import { quoted } from "./listing.ts"
import {
  checkSize,
  imageOf,
  lossFor,
  makeOptimizer,
  metricsFor,
  network,
  optimizerNames,
  outputsFor,
  type Settings,
  settingsFor,
} from "./network.ts"
import { openData } from "./open.ts"
import { type CommonOptions, count, names, notNegative, positive, seed, share, widths, withCommon } from "./options.ts"
import { imageProblem, tableProblem } from "./problem.ts"
import { saveModel } from "./saved.ts"
import { majority } from "./scores.ts"
import { columns, grouped, Output, StatusLine, show } from "./terminal.ts"

interface SweepFlags extends CommonOptions {
  readonly target?: string
  readonly seeds: number
  readonly hidden?: readonly (readonly number[])[]
  readonly learningRate?: readonly number[]
  readonly weightDecay?: readonly number[]
  readonly optimizer: string
  readonly epochs?: number
  readonly batchSize?: number
  readonly test: number
  readonly validation: number
  readonly ignore?: readonly string[]
  readonly categories?: readonly string[]
  readonly seed: number
  readonly out?: string
}

/** Values between commas, each read by `one`. */
const list =
  (one: (text: string) => number) =>
  (text: string): number[] =>
    text.split(",").map(one)

export function define(command: Command): void {
  command
    .argument("<data>", 'a CSV or TSV file (also .gz), "mnist", or a folder of IDX image files')
    .option("-t, --target <column>", "column to predict")
    .option("--seeds <n>", "networks for each choice of settings, with first weights and order of rows of their own", count, 8)
    .option("--hidden <widths>", "widths of the hidden layers to try, between semicolons: '64,32;32'", text => text.split(";").map(widths))
    .option("--learning-rate <rates>", "learning rates to try, between commas", list(positive))
    .option("--weight-decay <rates>", "weight decays to try, between commas", list(notNegative))
    .addOption(new Option("--optimizer <name>", "how gradients become new weights").choices(optimizerNames).default("adam"))
    .option("--epochs <n>", "at most so often through all training rows (default: by their number)", count)
    .option("--batch-size <n>", "rows in one step (default: by their number)", count)
    .option("--test <share>", "rows of a table that are held out for a test", share, 0.2)
    .option("--validation <share>", "rows held out to compare by", share, 0.1)
    .option("--ignore <columns>", "columns to leave out, between commas", names)
    .option("--categories <columns>", "columns of numbers or texts to read as categories", names)
    .option("--seed <n>", "decides the split; the networks' seeds begin with it", seed, 0)
    .option("-o, --out <folder>", "where the best model goes (default: runs/NAME-sweep)")
  withCommon(command, [
    ["adjoint sweep iris.csv -t species --learning-rate 0.001,0.01", "16 networks"],
    ["adjoint sweep iris.csv -t species --hidden '64,32;16' --seeds 4", "8 networks"],
  ])
  command.action(run)
}

async function run(data: string, options: SweepFlags): Promise<void> {
  const out = new Output(options)
  const source = await openData(data)
  const { target, ignore, categories, seed, validation } = options
  const told = { seed, validation, test: options.test, ...(ignore && { ignore }), ...(categories && { categories }) }
  const problem =
    source.kind === "images" ? imageProblem(source, told) : tableProblem(source, { ...told, target: target ?? missingTarget(data) })
  const dir = options.out ?? join("runs", `${source.name}-sweep`)
  checkModelFolder(dir)
  const { epochs, batchSize, optimizer } = options
  const base = (own: Partial<Settings>): Settings =>
    settingsFor(problem.train.x.rows, imageOf(problem), {
      ...{ convolutions: [], optimizer, ...own },
      ...(epochs !== undefined && { epochs }),
      ...(batchSize !== undefined && { batchSize }),
    })
  const grid = {
    ...(options.hidden && { hidden: options.hidden }),
    ...(options.learningRate && { learningRate: options.learningRate }),
    ...(options.weightDecay && { weightDecay: options.weightDecay }),
  } as { readonly [K in "hidden" | "learningRate" | "weightDecay"]: readonly Settings[K][] }
  for (const hidden of options.hidden ?? []) checkSize(problem, base({ hidden }))
  const all = base({})
  const steps = all.epochs * Math.ceil(problem.train.x.rows / all.batchSize)
  const interrupt = new Interrupt(out)
  const swept = sweep((own: Partial<Settings>) => network(problem, base(own)), problem.train, {
    ...{ loss: lossFor(problem.target), metrics: metricsFor(problem.target), epochs: all.epochs, batchSize: all.batchSize },
    optimizer: own => makeOptimizer(base(own), steps),
    settings: grid,
    seeds: Array.from({ length: options.seeds }, (_, i) => seed + i),
    patience: all.patience,
    signal: interrupt.signal,
    ...(problem.validation && { validation: problem.validation }),
  })
  await watch(swept, out)
  const result = await swept.result
  interrupt.release()
  const [best] = result.ranking
  if (!best || best.epochs === 0) throw new StoppedError("stopped before the first epoch had ended, so there is nothing to compare yet.")
  const constant = problem.target.kind === "class" ? majority(problem.train.answers, outputsFor(problem.target)) : 0
  const training = {
    data: {
      name: source.name,
      ...(source.kind === "table" && { sha256: source.sha256, division: { seed, test: options.test, validation } }),
    },
    settings: { ...base(best.settings), seed: best.seed },
    constant,
    ...{ epochs: best.epochs, bestEpoch: best.bestEpoch },
  }
  await saveModel(dir, result.best, { encoding: problem.encoding, training })
  tell(result, dir, out)
}

function missingTarget(data: string): never {
  throw new UsageError(
    `sweep wants the column to predict: adjoint sweep ${quoted(data)} --target COLUMN. List them with: adjoint train ${quoted(data)}`,
  )
}

/** Shows how far it is on the terminal, and tells programs all. */
async function watch(events: AsyncIterable<SweepEvent>, out: Output): Promise<void> {
  const line = new StatusLine()
  try {
    for await (const event of events) {
      out.event({ ...event })
      if (event.event === "start")
        out.say(
          `${event.members} networks in ${event.programs.length} ${event.programs.length === 1 ? "program" : "programs"}, ${grouped(event.rows)} rows.`,
        )
      if (event.event === "progress" && out.talks)
        line.draw(`step ${grouped(event.step)}/${grouped(event.steps)}  loss ${event.loss.toPrecision(3)}  ${grouped(event.rate)} rows/s`)
    }
  } finally {
    line.clear()
  }
}

/** Most rows of the table that people are shown. */
const SHOWN = 20

function tell(result: SweepResult<Partial<Settings>>, dir: string, out: Output): void {
  const { ranking } = result
  const settings = Object.keys(ranking[0]!.settings)
  const measures = Object.keys(ranking[0]!.validation ?? {})
  const rows = ranking.map(r => [
    ...settings.map(name => String(r.settings[name as keyof Settings]) || "none"),
    String(r.seed),
    r.diverged ? "diverged" : String(r.bestEpoch),
    show(r.loss),
    ...measures.map(name => show(r.validation?.[name] ?? Number.NaN)),
  ])
  const titles = [...settings, "seed", "epoch", "loss", ...measures.map(name => `validation ${name}`)]
  out.lines("", ...columns([titles, ...rows.slice(0, SHOWN)], []))
  if (rows.length > SHOWN) out.lines(`and ${rows.length - SHOWN} more`)
  out.lines("")
  out.result(`The best one is saved in ${dir}.`)
  out.event({ event: "done", model: dir, ranking })
}
