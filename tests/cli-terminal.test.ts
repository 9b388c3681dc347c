// What the command draws: the progress line at several widths, the curve of the loss, aligned columns.
import { expect, test } from "vitest"
import { chart } from "../src/cli/chart.ts"
import { Progress } from "../src/cli/progress.ts"
import { columns, show, wrap } from "../src/cli/terminal.ts"
import type { FitEvent } from "../src/train.ts"

const target = { name: "kind", kind: "class", values: ["a", "b"] } as const
const event: FitEvent = { event: "progress", epoch: 2, step: 150, steps: 300, loss: 0.12345, rate: 41234.5, secondsLeft: 62.3 }
const epoch: FitEvent = { event: "epoch", epoch: 1, loss: 0.5, validation: { loss: 0.4, accuracy: 0.974 }, best: true, seconds: 1 }

/** What is written to a terminal of a width, or to a file. */
const written = (terminal: { isTTY: boolean; columns?: number }, ...seen: readonly FitEvent[]): string => {
  let text = ""
  const progress = new Progress(target, 3, { ...terminal, write: (chunk: string) => (text += chunk) } as never)
  for (const e of seen) progress.show(e)
  return text
}

test.each([
  [80, "epoch 2/3  ███████░░░░░░  loss 0.123  accuracy 97.4 %  41,235 rows/s  1:03 left"],
  [60, "2/3  █████████░░░░░░░░  loss 0.123  acc 97.4 %  41k/s  1:03"],
  [30, "2/3  loss 0.123  acc 97.4 %  "],
])("the progress line at %i columns", (width, line) => {
  const lines = written({ isTTY: true, columns: width }, epoch, event).split("\r")
  expect(lines.at(-1)).toBe(line)
  expect(line.length).toBeLessThan(width)
})

test("a shorter line covers a longer one, and the end clears it", () => {
  let text = ""
  const progress = new Progress(target, 3, { isTTY: true, columns: 80, write: (chunk: string) => (text += chunk) } as never)
  for (const secondsLeft of [3700, 9]) progress.show({ ...event, secondsLeft })
  progress.end()
  const [, long, short, blank, rest] = text.split("\r")
  expect(short!.length).toBe(long!.length)
  expect(blank).toBe(" ".repeat(short!.trimEnd().length))
  expect(rest).toBe("")
  expect(text).not.toContain("\x1b")
})

test("a log gets a line about every second", async () => {
  expect(written({ isTTY: false }, event, event)).toBe("")
  let text = ""
  const progress = new Progress(target, 3, { write: (chunk: string) => (text += chunk) } as never)
  await new Promise(resolve => setTimeout(resolve, 1010))
  for (const e of [epoch, event, event]) progress.show(e)
  expect(text).toBe("epoch 2/3  loss 0.123  accuracy 97.4 %  41,235 rows/s  1:03 left\n")
})

test("two curves that can be told apart without colours", () => {
  const lines = chart(
    [
      { name: "training", values: [1, 0.5, 0.25, 0.1, 0.05] },
      { name: "validation", values: [1.2, 0.7, 0.5, 0.45, 0.5] },
    ],
    50,
  )
  expect(`\n${lines.join("\n")}`).toMatchInlineSnapshot(`
    "
    loss (logarithmic): · training  • validation
       1.2 ┤•••••
           │ ····••••••••
           │       ······•••••••••••••••••••••••••••••
           │             ······
    0.2449 ┤                   ·····
           │                        ·····
           │                             ····
           │                                 ······
      0.05 ┤                                       ···
           └──────────────────────────────────────────
            1                 epoch                  5"
  `)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(50)
})

test.each([
  ["constant values", [1, 1]],
  ["zeros", [0, 0]],
  ["negative values", [-1, -2]],
  ["many values", Array.from({ length: 1000 }, (_, i) => 1000 / (i + 1))],
])("a curve of %s has its size", (_, values) => {
  const lines = chart([{ name: "training", values }], 60)
  expect(lines.length).toBe(12)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(60)
})

test("words are wrapped, cells aligned, numbers short", () => {
  expect(wrap("one two three four", 9)).toEqual(["one two", "three", "four"])
  expect(
    columns([
      ["a", "1"],
      ["bcd", "200"],
    ]),
  ).toEqual(["a      1", "bcd  200"])
  expect([1234567, 0.000123456, 12.3456, Number.NaN, 1e21].map(show)).toEqual([
    "1,234,567",
    "0.0001235",
    "12.35",
    "-",
    "1,000,000,000,000,000,000,000",
  ])
})
