// One training with everything that is seen of it.
import type { Model } from "../nn.ts"
import { type FitEvent, findingKinds, fit, type TrainedModel } from "../train.ts"
import { augmented } from "./augment.ts"
import { chart } from "./chart.ts"
import { UsageError } from "./errors.ts"
import { Pause, steer } from "./keys.ts"
import { canDraw, LiveView } from "./live.ts"
import { imageOf, lossFor, makeOptimizer, makeRule, metricsFor, network, rateAt, type Settings } from "./network.ts"
import type { Problem } from "./problem.ts"
import { metricText, Progress } from "./progress.ts"
import type { RunFolder } from "./run-folder.ts"
import { grouped, type Output, widthOf } from "./terminal.ts"

export interface Learned {
  readonly model: TrainedModel<Model>
  /** Epochs that were finished. */
  readonly epochs: number
  /** The epoch whose weights the model has. */
  readonly bestEpoch: number
}

type Epoch = Extract<FitEvent, { event: "epoch" }>
type Found = Extract<FitEvent, { event: "finding" }>
type End = Extract<FitEvent, { event: "end" }>

/** How a training is seen, and where it is kept. */
export interface LearnOptions {
  /** Where people see progress, a summary and the curve of the loss, and programs the events. */
  readonly out?: Output
  /** Where the metrics of its epochs go. */
  readonly folder?: RunFolder
  /** The user's own model, instead of dense layers. */
  readonly model?: Model | undefined
  /** Folder of the checkpoints, without which there are none. */
  readonly checkpoint?: string
  /** Seconds between two checkpoints. */
  readonly checkpointEvery?: number
  readonly resume?: boolean
  /** What Ctrl-C does, and `q` in the live view. */
  readonly stop?: () => void
}

/** Milliseconds between two progress events for programs. */
const PERIOD = 100

/**
 * Trains a network for a problem; with `options` it is seen, and can go on after a break.
 *
 * @throws DivergedError if the loss is no longer a number.
 */
export async function learn(problem: Problem, settings: Settings, signal: AbortSignal, options?: LearnOptions): Promise<Learned> {
  const { train, validation, target } = problem
  const { epochs, batchSize, patience, seed } = settings
  const each = Math.ceil(train.x.rows / batchSize)
  const steps = epochs * each
  const { out, folder } = options ?? {}
  const pause = new Pause(signal)
  const image = imageOf(problem)
  const rows = image && (settings.flip || settings.shift > 0) ? augmented(train, image, settings) : train
  const run = fit(options?.model ?? network(problem, settings), rows, {
    ...{
      loss: lossFor(target, problem.classWeights),
      optimizer: makeOptimizer(settings, steps),
      metrics: metricsFor(target),
      epochs,
      batchSize,
      seed,
      signal,
      pause: pause.wait,
    },
    rule: makeRule(settings),
    ...(validation && { validation, patience }),
    ...(options?.checkpoint && { checkpoint: options.checkpoint, checkpointEvery: options.checkpointEvery!, resume: options.resume! }),
  })
  const live = { target, epochs, rateAt: (step: number) => rateAt(settings, Math.max(0, step - 1), steps) }
  const progress = !out?.talks ? undefined : canDraw(process.stderr) ? new LiveView(live) : new Progress(target, epochs)
  const keys = progress instanceof LiveView && options?.stop ? steer({ view: progress, pause, signal, stop: options.stop }) : undefined
  const findings: Found[] = []
  let failure = ""
  let end: End | undefined
  let before = 0
  let told = Number.NEGATIVE_INFINITY
  try {
    // nothing in here waits: what an event says is written down before `fit` goes on
    for await (const event of run) {
      progress?.show(event)
      if (event.event === "start") {
        before = event.epochsDone
        const missing = folder?.takeOver(before)
        if (missing) out!.warn(`${folder!.at("metrics")} lacks ${missing} of the ${before} epochs that are done.`)
      }
      if (event.event === "note") out?.caution(event.message)
      if (event.event === "epoch") {
        const step = event.epoch * each
        folder?.add({ ...event, step, learningRate: rateAt(settings, step - 1, steps) })
      }
      if (event.event === "end") end = event
      if (event.event === "progress") {
        if (performance.now() - told < PERIOD) continue
        told = performance.now()
      }
      out?.event({ ...event })
      if (event.event !== "finding") continue
      findings.push(event)
      folder?.add(event)
    }
  } catch (error) {
    failure = (error as Error).message
    // what differs between the run and its checkpoint: a model in a file that was changed, for instance
    throw error instanceof TypeError && failure.startsWith("resume: ") ? new UsageError(failure) : error
  } finally {
    keys?.end()
    pause.end()
    progress?.end()
    if (out) report(findings, out, failure)
  }
  const model = await run.result
  const history = folder?.epochs ?? []
  if (out?.talks && history.length > 0) {
    out.say(summary(history, before, end!, problem))
    if (history.length > 1) out.lines("", ...chart(series(history), widthOf(process.stdout)))
  }
  return { model, epochs: end!.epoch, bestEpoch: end!.bestEpoch }
}

/** Findings that people are told; more would hide the worst. */
const MOST_FINDINGS = 5

/** What is wrong with the training and what to try, worst first, but for what the error says. Programs have had them as events. */
function report(findings: readonly Found[], out: Output, failure: string): void {
  const untold = findings.filter(({ message }) => !failure.includes(message))
  const worst = untold.sort((a, b) => findingKinds.indexOf(a.kind) - findingKinds.indexOf(b.kind))
  for (const { message, advice } of worst.slice(0, MOST_FINDINGS)) out.caution(`${message} ${advice}`)
}

const ENDS: Readonly<Record<End["reason"], string>> = {
  epochs: "",
  patience: "; the validation loss no longer fell",
  aborted: "; stopped",
}

/** `before`: epochs that an earlier part of the training has done. */
function summary(
  history: readonly Epoch[],
  before: number,
  { epoch, bestEpoch, reason, seconds }: End,
  { target, train, validation }: Problem,
): string {
  const done = epoch - before
  const rate = grouped((done * train.x.rows) / seconds)
  const after = before > 0 ? ` after ${before} before` : ""
  const took = `${done} ${done === 1 ? "epoch" : "epochs"}${after} in ${seconds.toFixed(1)} s (${rate} rows/s)`
  const best = history.find(({ epoch }) => epoch === bestEpoch)
  if (validation === undefined || best === undefined) return `${took}${ENDS[reason]}.`
  const { loss } = best.validation!
  return `${took}${ENDS[reason]}. Kept epoch ${bestEpoch}: validation loss ${loss.toPrecision(3)}, ${metricText(best, target)![0]}.`
}

function series(history: readonly Epoch[]) {
  const training = { name: "training", values: history.map(({ loss }) => loss) }
  const validation = { name: "validation", values: history.flatMap(({ validation }) => (validation ? [validation.loss] : [])) }
  return validation.values.length > 0 ? [training, validation] : [training]
}
