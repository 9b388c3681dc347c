// What looking after a training costs: W3 and W6 as `fit` trains them, with the option `health` and without, by turns in one process.
import type { Tensor } from "../../index.ts"
import { tensor } from "../../index.ts"
import { crossEntropy } from "../../losses.ts"
import { dense, type Layer, lstm, relu, sequential } from "../../nn.ts"
import { adam } from "../../optim.ts"
import { fit } from "../../train.ts"
import { SIZES } from "./lstm.ts"
import { CLASSES, SMALL } from "./mlp.ts"
import { integers, uniform } from "./numbers.ts"
import { type Budget, type Measured, rounded } from "./result.ts"
import { cpuMs, median, OFF_CPU } from "./timing.ts"

interface Problem {
  readonly model: Layer
  readonly x: Tensor
  readonly y: Tensor
  readonly batchSize: number
}
const BATCHES = 64
const TURNS = 3
/** More epochs than anybody waits for: the clock ends the training. */
const ENDLESS = 1e6

function mlp(): Problem {
  const { widths, batch } = SMALL
  const [inputs, first, second] = widths as [number, number, number]
  const rows = BATCHES * batch
  return {
    model: sequential(dense(inputs, first), relu(), dense(first, second), relu(), dense(second, CLASSES)),
    x: tensor(uniform(rows * inputs, 100, -1, 1), { shape: [rows, inputs] }),
    y: tensor(integers(rows, 200, CLASSES)),
    batchSize: batch,
  }
}
function recurrent(): Problem {
  const { length, inputs, hidden, batch, classes } = SIZES
  const rows = BATCHES * batch
  return {
    model: sequential(lstm(inputs, hidden), dense(hidden, classes)),
    x: tensor(uniform(rows * length * inputs, 300, -1, 1), { shape: [rows, length, inputs] }),
    y: tensor(integers(rows, 400, classes)),
    batchSize: batch,
  }
}

/** Milliseconds of a step in a training of `warmMs + repMs`, from the end of the warm-up on; CPU time as in `timeSteps`. */
async function stepOf({ model, x, y, batchSize }: Problem, health: boolean, { warmMs, repMs }: Budget): Promise<number> {
  const stop = new AbortController()
  const run = fit(model, { x, y }, { loss: crossEntropy, optimizer: adam(1e-3), epochs: ENDLESS, batchSize, health, signal: stop.signal })
  const begun = performance.now()
  let first: { readonly step: number; readonly at: number; readonly cpu: number } | undefined
  let ms = Number.NaN
  for await (const event of run) {
    const now = performance.now()
    if (event.event !== "progress" || now - begun < warmMs) continue
    first ??= { step: event.step, at: now, cpu: cpuMs() }
    if (now - first.at < repMs) continue
    const [wall, cpu] = [now - first.at, cpuMs() - first.cpu]
    ms = (wall > (1 + OFF_CPU) * cpu ? cpu : wall) / (event.step - first.step)
    stop.abort()
  }
  return ms
}

/** Steps a second without health and with it; `share` is what it adds to the time of a step. */
async function* compare(problem: Problem, budget: Budget): AsyncGenerator<Measured> {
  const times = { off: [] as number[], on: [] as number[] }
  for (let i = 0; i < TURNS; i++) {
    times.off.push(await stepOf(problem, false, budget))
    times.on.push(await stepOf(problem, true, budget))
  }
  const [off, on] = [median(times.off), median(times.on)]
  const result = (variant: string, ms: number, reps: readonly number[]): Measured => {
    return { variant, ms, value: rounded(1000 / ms), unit: "steps/s", reps_ms: reps.map(r => rounded(r)) }
  }
  yield result("fit", off, times.off)
  yield { ...result("fit, health", on, times.on), health_share: rounded(on / off - 1, 3) }
}

export const ofMlp = (budget: Budget): AsyncIterable<Measured> => compare(mlp(), budget)
export const ofLstm = (budget: Budget): AsyncIterable<Measured> => compare(recurrent(), budget)
