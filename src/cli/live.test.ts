// The live view, as a terminal with so many columns shows it after all that was written to it.
import { afterEach, describe, expect, test } from "vitest"
import type { FitEvent } from "../train.ts"
import { sparkline } from "./chart.ts"
import { canDraw, LiveView } from "./live.ts"
import { Block } from "./terminal.ts"

/** A terminal that knows the sequences which are used, wraps lines, and breaks them anew when its width changes. */
class Screen {
  readonly isTTY = true
  cursor = true
  columns: number
  rows = 24
  /** Lines as they were written; a long one takes several rows. */
  private lines: string[] = ["earlier"]
  private at = { line: 0, column: 7 }
  private resized = (): void => {}
  constructor(columns: number) {
    this.columns = columns
    this.write("\n")
  }
  on(_: string, listener: () => void): void {
    this.resized = listener
  }
  off(): void {
    this.resized = () => {}
  }
  resize(columns: number): void {
    this.columns = columns
    this.resized()
  }
  write(text: string): boolean {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    for (const [, code, count, command, sign] of text.matchAll(/\x1b\[(\?25)?(\d*)([hlAKJm])|([^\x1b])/g)) {
      if (sign !== undefined) this.put(sign)
      else if (code) this.cursor = command === "h"
      else if (command === "A") this.up(Number(count))
      else if (command === "K" || command === "J") {
        this.lines[this.at.line] = this.lines[this.at.line]!.slice(0, this.at.column)
        if (command === "J") this.lines.length = this.at.line + 1
      }
    }
    return true
  }
  private put(sign: string): void {
    if (sign === "\r") this.at.column -= this.at.column % this.columns
    else if (sign === "\n") {
      this.at = { line: this.at.line + 1, column: 0 }
      this.lines[this.at.line] ??= ""
    } else {
      const line = this.lines[this.at.line]!.padEnd(this.at.column)
      this.lines[this.at.line] = line.slice(0, this.at.column) + sign + line.slice(this.at.column + 1)
      this.at.column++
    }
  }
  private up(rows: number): void {
    for (let i = 0; i < rows; i++) {
      if (this.at.column >= this.columns) this.at.column -= this.columns
      else {
        const line = this.at.line - 1
        if (line < 0) throw new Error("above the screen")
        this.at = { line, column: Math.max(0, Math.ceil(this.lines[line]!.length / this.columns) - 1) * this.columns + this.at.column }
      }
    }
  }
  get text(): string[] {
    return this.lines.map(line => line.trimEnd())
  }
}

const target = { name: "kind", kind: "class", values: ["a", "b"] } as const
const progress = (epoch: number, step: number): FitEvent => ({
  ...{ event: "progress", epoch, step, steps: 300, loss: 1 / step, rate: 41234.5, secondsLeft: 62.3 },
})
const epoch = (n: number): FitEvent => ({
  ...{ event: "epoch", epoch: n, loss: 1 / n, validation: { loss: 2 / n, accuracy: 0.974 }, best: n < 3, seconds: 5 },
})
const finding = { event: "finding", step: 150, message: `The gradient vanishes ${"and vanishes ".repeat(9)}` } as unknown as FitEvent
const events = [progress(1, 50), progress(1, 90), epoch(1), progress(2, 120), epoch(2), finding, epoch(3), progress(3, 250)]

const views: LiveView[] = []
afterEach(() => {
  for (const view of views.splice(0)) view.end()
})
/** The view after all events, drawn anew by a change of the size. */
function viewed(columns: number, seen: readonly FitEvent[] = events) {
  const screen = new Screen(columns)
  const view = new LiveView({ target, epochs: 3, rateAt: step => step / 1000 }, screen as never)
  views.push(view)
  for (const event of seen) view.show(event)
  screen.resize(columns)
  return { screen, view }
}

describe("the live view", () => {
  test("at 80 columns", () => {
    const { screen } = viewed(80, events.slice(0, 7))
    expect(screen.text).toEqual([
      "earlier",
      "epoch 2/3  ██████░░░░░░░░░░░░░░░░░░░░░░░░  1:03 left",
      "loss       0.00833  █▃▁",
      "validation 0.667  accuracy 97.4 %  █▃▁",
      "best       epoch 2: 1.00, accuracy 97.4 %",
      "rate       0.12  41,235 rows/s  step 120 of 300",
      expect.stringMatching(/^! The gradient vanishes .*…$/),
      "Ctrl-C stops, and keeps what is learned",
    ])
    expect(screen.cursor).toBe(false)
  })
  test.each([40, 24])("at %i columns no line is too long", columns => {
    const { screen } = viewed(columns)
    expect(screen.text.length).toBe(8)
    for (const line of screen.text) expect(line.length).toBeLessThan(columns)
    expect(screen.text[1]).toMatch(/^epoch 3\/3 .*1:03 left$/)
  })
  test("a narrower and a wider window leave nothing behind", () => {
    const { screen, view } = viewed(100)
    for (const columns of [40, 24, 90, 30, 100]) {
      screen.resize(columns)
      const { screen: fresh, view: other } = viewed(columns)
      expect(screen.text).toEqual(fresh.text)
      other.end()
    }
    view.end()
    expect([screen.text, screen.cursor]).toEqual([["earlier", ""], true])
  })
  test("a low window shows what fits", () => {
    const screen = new Screen(60)
    screen.rows = 4
    const view = new LiveView({ target, epochs: 3, rateAt: () => 1 }, screen as never)
    views.push(view)
    for (const event of events) view.show(event)
    screen.resize(60)
    expect(screen.text.length).toBe(1 + 3)
  })
  test("epochs too short for events of progress move it on", () => {
    const start: FitEvent = { event: "start", parameters: 1, rows: 1000, validationRows: 10, steps: 300, epochsDone: 0 }
    const { screen } = viewed(80, [start, { ...epoch(1), seconds: 0.5 } as FitEvent, { ...epoch(2), seconds: 0.5 } as FitEvent])
    expect(screen.text[1]).toMatch(/^epoch 2\/3 {2}█{20}░{10} {2}0:01 left$/)
    expect(screen.text).toContain("rate       0.2  2,000 rows/s  step 200 of 300")
  })
  test("has nothing to clear before the first event", () => {
    const { screen, view } = viewed(80, [])
    view.end()
    expect([screen.text, screen.cursor]).toEqual([["earlier", ""], true])
  })
})

test("a block gives way, and is drawn again below", () => {
  const screen = new Screen(30)
  const block = new Block(screen as never)
  block.draw(["one", "two", "three"])
  block.clear()
  screen.write("a warning\n")
  block.draw(["four"])
  expect(screen.text).toEqual(["earlier", "a warning", "four"])
  const listening = process.listenerCount("exit")
  block.end()
  expect(process.listenerCount("exit")).toBe(listening - 1)
})

test("only terminals are drawn on", () => {
  const tty = { isTTY: true, write: () => true }
  const cases = [
    [tty, {}],
    [tty, { TERM: "dumb" }],
    [tty, { CI: "true" }],
    [{ write: () => true }, {}],
  ] as const
  expect(cases.map(([stream, env]) => canDraw(stream, env))).toEqual([true, false, false, false])
})

test("sparklines: few and many values, powers of ten, equal ones, none that is finite", () => {
  expect(sparkline([3, 2, 1], 10)).toBe("█▅▁")
  expect(sparkline([1, 1, 3, 3], 2)).toBe("▁█")
  expect(sparkline([1000, 100, 10, 1], 4)).toBe("█▆▃▁")
  expect(sparkline([2, 2], 4)).toBe("▁▁")
  expect(sparkline([Number.NaN, 1, 2], 3)).toBe(" ▁█")
  expect(sparkline([Number.NaN], 3)).toBe(" ")
})
