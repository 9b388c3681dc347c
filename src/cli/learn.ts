// One training with everything that is seen of it.
import type { Model } from "../nn.ts"
import { type FitEvent, findingKinds, fit, type TrainedModel } from "../train.ts"
import { chart } from "./chart.ts"
import { lossFor, makeOptimizer, makeRule, metricsFor, network, type Settings } from "./network.ts"
import type { Problem } from "./problem.ts"
import { metricText, Progress } from "./progress.ts"
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

/** Milliseconds between two progress events for programs. */
const PERIOD = 100

/**
 * Trains a network for a problem. With `out`, people see progress, a summary and the curve of the loss, and programs the events.
 *
 * @throws DivergedError if the loss is no longer a number.
 */
export async function learn(problem: Problem, settings: Settings, signal: AbortSignal, out?: Output): Promise<Learned> {
  const { train, validation, target, features } = problem
  const { epochs, batchSize, patience, seed } = settings
  const steps = epochs * Math.ceil(train.x.rows / batchSize)
  const run = fit(network(features, target, settings), train, {
    ...{ loss: lossFor(target), optimizer: makeOptimizer(settings, steps), metrics: metricsFor(target), epochs, batchSize, seed, signal },
    rule: makeRule(settings),
    ...(validation && { validation, patience }),
  })
  const progress = out?.talks ? new Progress(target, epochs) : undefined
  const history: Epoch[] = []
  const findings: Found[] = []
  let failure = ""
  let end: End | undefined
  let told = Number.NEGATIVE_INFINITY
  try {
    for await (const event of run) {
      progress?.show(event)
      if (event.event === "epoch") history.push(event)
      if (event.event === "end") end = event
      if (event.event === "progress") {
        if (performance.now() - told < PERIOD) continue
        told = performance.now()
      }
      out?.event({ ...event })
      if (event.event === "finding") findings.push(event)
    }
  } catch (error) {
    failure = (error as Error).message
    throw error
  } finally {
    progress?.end()
    if (out) report(findings, out, failure)
  }
  const model = await run.result
  if (out?.talks && history.length > 0) {
    out.say(summary(history, end!, problem))
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

function summary(history: readonly Epoch[], { epoch, bestEpoch, reason, seconds }: End, { target, train, validation }: Problem): string {
  const rate = grouped((epoch * train.x.rows) / seconds)
  const took = `${epoch} ${epoch === 1 ? "epoch" : "epochs"} in ${seconds.toFixed(1)} s (${rate} rows/s)`
  const best = history[bestEpoch - 1]
  if (validation === undefined || best === undefined) return `${took}${ENDS[reason]}.`
  const { loss } = best.validation!
  return `${took}${ENDS[reason]}. Kept epoch ${bestEpoch}: validation loss ${loss.toPrecision(3)}, ${metricText(best, target)![0]}.`
}

function series(history: readonly Epoch[]) {
  const training = { name: "training", values: history.map(({ loss }) => loss) }
  const validation = { name: "validation", values: history.flatMap(({ validation }) => (validation ? [validation.loss] : [])) }
  return validation.values.length > 0 ? [training, validation] : [training]
}
