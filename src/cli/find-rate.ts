// `adjoint train --find-learning-rate`: which rate suits, by some steps whose rate grows.
import type { Model } from "../nn.ts"
import { findLearningRate } from "../train.ts"
import { chart } from "./chart.ts"
import { StoppedError, UsageError } from "./errors.ts"
import { Interrupt } from "./interrupt.ts"
import { lossFor, makeRule, network, optimizerOf, type Settings } from "./network.ts"
import type { Problem } from "./problem.ts"
import { grouped, type Output, show, widthOf } from "./terminal.ts"

/** Tries rates and tells which one suits; `command` trains with it when the rate is put behind. Nothing is saved. */
export async function findRate(
  problem: Problem,
  settings: Settings,
  model: Model | undefined,
  command: string,
  out: Output,
): Promise<void> {
  const { train, target, classWeights } = problem
  const { rule, batchSize, seed } = settings
  if (rule === "genetic") throw new UsageError("--rule genetic has no learning rate; leave --find-learning-rate out.")
  const interrupt = new Interrupt(out)
  const { rates, losses, smoothed, suggestion, reason } = await findLearningRate(model ?? network(problem, settings), train, {
    ...{ loss: lossFor(target, classWeights), rule: makeRule(settings), batchSize, seed, signal: interrupt.signal },
    optimizer: rate => optimizerOf(settings, rate),
  })
  interrupt.release()
  if (reason === "aborted") throw new StoppedError("stopped before all rates were tried.", interrupt.code)
  const axis = { name: "learning rate", from: show(rates[0]!), to: show(rates.at(-1)!) }
  const series = [{ name: "smoothed over steps whose learning rate grows", values: [...smoothed] }]
  if (smoothed.length > 1) out.lines(...chart(series, widthOf(process.stdout), axis), "")
  const end = reason === "diverged" ? `, where the loss was ${show(smoothed.at(-1)! / Math.min(...smoothed))} times its lowest value` : ""
  out.say(`${grouped(rates.length)} steps, with rates from ${axis.from} to ${axis.to}${end}.`)
  const rate = suggestion === undefined ? undefined : Number(suggestion.toPrecision(2))
  if (rate === undefined) out.result("The loss falls at no learning rate: look at the data and the network first.")
  else out.result(`The loss falls fastest at ${rate}. Train with: ${command} --learning-rate ${rate}`)
  out.event({ event: "learningRates", rates: [...rates], losses: [...losses], smoothed: [...smoothed], suggestion: rate ?? null, reason })
}
