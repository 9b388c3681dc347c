// Progress while a network trains: one line drawn again and again on a terminal, or a line now and then in a log.
import type { TargetColumn } from "../data/encoding.ts"
import type { FitEvent } from "../train.ts"
import { grouped, percent, StatusLine, show } from "./terminal.ts"

const BAR = 24
const SMALLEST_BAR = 8
/** Seconds between two lines where there is no terminal. */
const PERIOD = 1

/** What a validation says besides the loss, in two lengths: `accuracy 97.4 %`, `RMSE 54.3`. */
export function metricText(
  event: Extract<FitEvent, { event: "epoch" }>,
  target: TargetColumn,
): readonly [long: string, short: string] | undefined {
  const { validation } = event
  if (validation === undefined) return undefined
  if (target.kind === "class") {
    const accuracy = percent(validation.accuracy!, 1)
    return [`accuracy ${accuracy}`, `acc ${accuracy}`]
  }
  const rmse = `RMSE ${show(Math.sqrt(validation.meanSquaredError!) * target.std)}`
  return [rmse, rmse]
}

/** Shows the events of a training on standard error. */
export class Progress {
  private readonly target: TargetColumn
  private readonly epochs: number
  private readonly stream: NodeJS.WriteStream
  private metric: readonly [string, string] | undefined
  private latest: Extract<FitEvent, { event: "progress" }> | undefined
  private shownAt = performance.now()
  private readonly line: StatusLine
  constructor(target: TargetColumn, epochs: number, stream: NodeJS.WriteStream = process.stderr) {
    this.target = target
    this.epochs = epochs
    this.stream = stream
    this.line = new StatusLine(stream)
  }

  show(event: FitEvent): void {
    if (event.event === "progress") this.latest = event
    else if (event.event === "epoch") this.metric = metricText(event, this.target)
    else return
    if (this.latest === undefined) return
    if (this.stream.isTTY) this.redraw(this.latest)
    else this.log(this.latest)
  }

  /** Makes room for what comes after. */
  end(): void {
    this.line.clear()
  }

  private log(event: Extract<FitEvent, { event: "progress" }>): void {
    if (performance.now() - this.shownAt < PERIOD * 1000) return
    this.shownAt = performance.now()
    this.stream.write(`${this.texts(event)[0].join("  ")}\n`)
  }

  private redraw(event: Extract<FitEvent, { event: "progress" }>): void {
    this.line.draw(fitted(this.texts(event), event.step / event.steps, this.line.width))
  }

  private texts({ epoch, loss, rate, secondsLeft }: Extract<FitEvent, { event: "progress" }>): readonly [string[], string[]] {
    const time = clock(secondsLeft)
    const metric = this.metric ?? []
    const digits = loss.toPrecision(3)
    return [
      [`epoch ${epoch}/${this.epochs}`, `loss ${digits}`, ...metric.slice(0, 1), `${grouped(rate)} rows/s`, `${time} left`],
      [`${epoch}/${this.epochs}`, `loss ${digits}`, ...metric.slice(1), `${compact(rate)}/s`, time],
    ]
  }
}

/** The first of several texts that leaves room for a bar, with the bar after its first part; none does: the last one, cut. */
function fitted(texts: readonly (readonly string[])[], share: number, width: number): string {
  for (const parts of texts) {
    const room = width - parts.join("  ").length - 2
    if (room >= SMALLEST_BAR) return [parts[0], bar(share, Math.min(BAR, room)), ...parts.slice(1)].join("  ")
  }
  return texts.at(-1)!.join("  ").slice(0, width)
}

export function bar(share: number, width: number): string {
  const full = Math.round(share * width)
  return "█".repeat(full) + "░".repeat(width - full)
}

const compact = (n: number): string =>
  n >= 1e6 ? `${(n / 1e6).toFixed(1)}M` : n >= 1e4 ? `${Math.round(n / 1e3)}k` : String(Math.round(n))

/** Minutes and seconds, with hours where there are some: 0:07, 12:30, 2:05:00. */
export function clock(seconds: number): string {
  const s = Math.ceil(seconds)
  const two = (n: number): string => String(n).padStart(2, "0")
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`
}
