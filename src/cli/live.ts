// What a terminal shows while a network trains: some lines that are drawn again in place.
import type { TargetColumn } from "../data/encoding.ts"
import type { FitEvent } from "../train.ts"
import { type Scale, scaleFor, sparkline } from "./chart.ts"
import { bar, clock, metricText } from "./progress.ts"
import { Block, grouped, paint, show } from "./terminal.ts"

type Event<K extends FitEvent["event"]> = Extract<FitEvent, { event: K }>
type Stream = Pick<NodeJS.WriteStream, "write"> &
  Partial<Pick<NodeJS.WriteStream, "isTTY" | "columns" | "rows" | "hasColors" | "on" | "off">>

/** Milliseconds between two drawings, but for a change of the size. */
const PERIOD = 100
/** Seconds below which an epoch's own bar would only flicker: then it is that of the whole training. */
const SHORT = 1
const BAR = 30
const SPARK = 40
/** Findings that stay visible. */
const MOST_FINDINGS = 2
/** The bottom line, in as many words as there is room for; the last one fits into 20 columns. */
const WITHOUT_KEYS = ["Ctrl-C stops, and keeps what is learned"]
const KEYS = [
  "q stops, and keeps what is learned; space pauses; l: linear or logarithmic",
  "q stops, space pauses, l: scale",
  "q stop  space pause",
]
const PAUSED = ["paused: space goes on; q stops, and keeps what is learned", "paused: space or q"]

export interface LiveOptions {
  readonly target: TargetColumn
  readonly epochs: number
  /** The learning rate after so many steps. */
  readonly rateAt: (step: number) => number
}

/** Whether a stream is a terminal that can be drawn on: not that of a CI service, nor one without escape sequences. */
export const canDraw = (stream: Stream, env: NodeJS.ProcessEnv = process.env): boolean =>
  stream.isTTY === true && env.TERM !== "dumb" && (env.CI ?? "") === ""

/** Shows the events of a training on a terminal. */
export class LiveView {
  private readonly options: LiveOptions
  private readonly stream: Stream
  private readonly block: Block
  private readonly losses: number[] = []
  private readonly validations: number[] = []
  /** Of the first epoch, until there are epochs to show. */
  private readonly early: number[] = []
  private readonly findings: string[] = []
  private start: Event<"start"> | undefined
  private startedAt = performance.now()
  private latest: Event<"progress"> | undefined
  private epoch: Event<"epoch"> | undefined
  private best: Event<"epoch"> | undefined
  private drawnAt = Number.NEGATIVE_INFINITY
  private bottom: readonly string[] = WITHOUT_KEYS
  /** That was asked for. */
  private scale: Scale | undefined
  private readonly onResize = (): void => this.draw()

  constructor(options: LiveOptions, stream: Stream = process.stderr) {
    this.options = options
    this.stream = stream
    this.block = new Block(stream)
    stream.on?.("resize", this.onResize)
  }

  show(event: FitEvent): void {
    if (event.event === "start") [this.start, this.startedAt] = [event, performance.now()]
    if (event.event === "progress") {
      this.latest = event
      if (this.losses.length < 2) this.early.push(event.loss)
    } else if (event.event === "epoch") this.ended(event)
    else if (event.event === "finding") this.findings.push(event.message)
    else return
    if (performance.now() - this.drawnAt >= PERIOD) this.draw()
  }

  /** Names the keys that are heard, if any are. */
  tell(keys: "none" | "keys" | "paused"): void {
    this.bottom = { none: WITHOUT_KEYS, keys: KEYS, paused: PAUSED }[keys]
    this.draw()
  }
  /** Draws the curves by the other scale. */
  changeScale(): void {
    const curve = this.curve.filter(Number.isFinite)
    const now = this.scale ?? scaleFor(Math.min(...curve), Math.max(...curve))
    this.scale = now === "linear" ? "logarithmic" : "linear"
    this.draw()
  }
  /** Clears the lines and gives the cursor back until they are drawn again. */
  leave(): void {
    this.block.end()
  }
  /** Clears the lines and gives the cursor back. */
  end(): void {
    this.stream.off?.("resize", this.onResize)
    this.block.end()
  }
  private get curve(): readonly number[] {
    return this.losses.length > 1 ? this.losses : this.early
  }

  private ended(event: Event<"epoch">): void {
    this.epoch = event
    if (event.best) this.best = event
    this.losses.push(event.loss)
    if (event.validation) this.validations.push(event.validation.loss)
    if (this.start) this.latest = this.progressAt(event, this.start)
  }

  /** Where a training is at the end of an epoch: short ones end before there is an event of progress. */
  private progressAt({ epoch, loss, seconds }: Event<"epoch">, { rows, steps, epochsDone }: Event<"start">): Event<"progress"> {
    const { epochs } = this.options
    const each = (performance.now() - this.startedAt) / 1000 / (epoch - epochsDone)
    return {
      ...{ event: "progress", epoch, step: (steps / epochs) * epoch, steps, loss },
      ...{ rate: rows / seconds, secondsLeft: each * (epochs - epoch) },
    }
  }

  private draw(): void {
    if (this.latest === undefined) return
    this.drawnAt = performance.now()
    this.block.draw(this.lines(this.latest, this.block.width))
  }

  /** Lines of at most `width` characters. */
  private lines(event: Event<"progress">, width: number): string[] {
    const { step, steps, rate, loss } = event
    const scale = this.scale === undefined ? [] : [this.scale]
    const lines = [
      this.first(event, width),
      withCurve([`loss       ${loss.toPrecision(3)}`, ...scale], this.curve, width, this.scale),
      ...this.validation(width),
      [`rate       ${show(this.options.rateAt(step))}`, `${grouped(rate)} rows/s`, `step ${grouped(step)} of ${grouped(steps)}`].join("  "),
      ...this.findings.slice(-MOST_FINDINGS).map(text => `! ${text}`),
    ]
    const fitting = lines.map(line => (line.length > width ? `${line.slice(0, width - 1)}…` : line))
    const bottom = this.bottom.find(text => text.length <= width) ?? this.bottom.at(-1)!.slice(0, width)
    return [...fitting, paint("dim", bottom, this.stream as never)]
  }

  private first({ epoch, step, steps, secondsLeft }: Event<"progress">, width: number): string {
    const { epochs } = this.options
    const each = steps / epochs
    const isShort = this.epoch !== undefined && this.epoch.seconds < SHORT
    const share = isShort ? step / steps : Math.min(1, step / each - (epoch - 1))
    const [name, time] = [`epoch ${epoch}/${epochs}`, `${clock(secondsLeft)} left`]
    const room = width - name.length - time.length - 4
    return room < 4 ? `${name}  ${time}` : [name, bar(share, Math.min(BAR, room)), time].join("  ")
  }

  private validation(width: number): string[] {
    if (this.epoch?.validation === undefined) return []
    const { target } = this.options
    const [metric] = metricText(this.epoch, target)!
    const line = withCurve([`validation ${this.epoch.validation.loss.toPrecision(3)}`, metric], this.validations, width, this.scale)
    if (this.best === undefined) return [line]
    const best = `best       epoch ${this.best.epoch}: ${this.best.validation!.loss.toPrecision(3)}, ${metricText(this.best, target)![0]}`
    return [line, best]
  }
}

/** Parts with a curve behind them, as far as there is room for one. */
function withCurve(parts: readonly string[], values: readonly number[], width: number, scale?: Scale): string {
  const text = parts.join("  ")
  const room = Math.min(SPARK, width - text.length - 2)
  return room < 4 || values.length < 2 ? text : `${text}  ${sparkline(values, room, scale)}`
}
