// Keys as a terminal in raw mode sends them, and that it is given back in every way.
import { EventEmitter } from "node:events"
import { isatty } from "node:tty"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { FitEvent } from "../train.ts"
import { type Keys, Pause, steer } from "./keys.ts"
import { LiveView } from "./live.ts"

/** A keyboard that remembers its mode and whether it is read. */
class Keyboard extends EventEmitter {
  modes: boolean[] = []
  read = false
  setRawMode(on: boolean): this {
    this.modes.push(on)
    return this
  }
  resume(): this {
    this.read = true
    return this
  }
  pause(): this {
    this.read = false
    return this
  }
  press(keys: string): void {
    if (this.read) this.emit("data", Buffer.from(keys))
  }
  get raw(): boolean {
    return this.modes.at(-1) ?? false
  }
}

const target = { name: "kind", kind: "class", values: ["a", "b"] } as const
const progress = (loss: number): FitEvent => ({
  ...{ event: "progress", epoch: 1, step: 10, steps: 30, loss, rate: 1, secondsLeft: 9 },
})

let front = true
let open: { readonly keys: Keys; readonly view: LiveView } | undefined
let listening: readonly number[]
const listeners = () => ["exit", "SIGCONT"].map(name => process.listenerCount(name))
beforeEach(() => {
  front = true
  listening = listeners()
})
afterEach(() => {
  open?.keys.end()
  open?.view.end()
  expect(listeners()).toEqual(listening)
  open = undefined
})

/** A view on a terminal of so many columns with its keys; `text` is what was written last. */
function steered(columns = 80) {
  const input = new Keyboard()
  let text = ""
  const view = new LiveView({ target, epochs: 3, rateAt: () => 0.1 }, { isTTY: true, columns, write: (t: string) => !!(text = t) } as never)
  const controller = new AbortController()
  let stops = 0
  const stop = (): void => {
    stops++
    controller.abort()
  }
  const pause = new Pause(controller.signal)
  const keys = steer({ view, pause, signal: controller.signal, stop }, input as never, () => front)!
  for (const loss of [4, 3, 2, 1]) view.show(progress(loss))
  open = { keys, view }
  return { input, view, pause, controller, keys, stops: () => stops, text: () => text, last: () => text.split("\n").at(-1)! }
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const bottomOf = (line: string): string => line.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, "")

describe("keys", () => {
  test.each([
    ["q", { stops: 1, paused: false }],
    ["qq", { stops: 1, paused: false }],
    ["\x03", { stops: 1, paused: false }],
    ["\x03\x03", { stops: 2, paused: false }],
    ["q\x03", { stops: 2, paused: false }],
    [" ", { stops: 0, paused: true }],
    ["p", { stops: 0, paused: true }],
    [" p", { stops: 0, paused: false }],
    ["pq", { stops: 1, paused: false }],
    ["Qxé\r\n\t", { stops: 0, paused: false }],
    ["\x1b[C\x1b[1;5p\x1bOP\x1bq\x1bp\x1b", { stops: 0, paused: false }],
  ])("%j", (pressed, wanted) => {
    const { input, pause, stops } = steered()
    input.press(pressed)
    expect({ stops: stops(), paused: pause.on }).toEqual(wanted)
  })
  test("l draws the curve by the other scale, and back", () => {
    const { input, text, last } = steered()
    const curve = () => text().split("\n")[1]
    expect(bottomOf(last())).toContain("l: linear or logarithmic")
    input.press("l")
    expect(curve()).toContain("loss       1.00  logarithmic  █▇▅▁")
    input.press("l")
    expect(curve()).toContain("loss       1.00  linear  █▆▃▁")
  })
  test.each([
    [
      80,
      "q stops, and keeps what is learned; space pauses; l: linear or logarithmic",
      "paused: space goes on; q stops, and keeps what is learned",
    ],
    [40, "q stops, space pauses, l: scale", "paused: space or q"],
    [20, "q stop  space pause", "paused: space or q"],
  ])("the bottom line at %i columns", (columns, keys, paused) => {
    const { input, last } = steered(columns)
    input.press("  ")
    expect(bottomOf(last())).toBe(keys)
    input.press("p")
    expect(bottomOf(last())).toBe(paused)
  })
})

describe("a pause", () => {
  test("is over when the training is stopped, whoever does it", async () => {
    const { input, pause, controller } = steered()
    input.press(" ")
    const waiting = pause.wait()
    expect(waiting).toBeInstanceOf(Promise)
    controller.abort()
    await waiting
    expect(pause.wait()).toBeUndefined()
  })
  test.each(["end", "error"])("is over at the keyboard's %s", async event => {
    const { input, pause, last } = steered()
    input.press(" ")
    input.emit(event, new Error("EIO"))
    await Promise.resolve()
    expect([pause.on, input.read, bottomOf(last())]).toEqual([false, false, "Ctrl-C stops, and keeps what is learned"])
  })
})

describe("the terminal", () => {
  test("is in raw mode until the end, and then waited for no more", () => {
    const { input, keys } = steered()
    expect([input.raw, input.read]).toEqual([true, true])
    keys.end()
    expect([input.raw, input.read, input.eventNames()]).toEqual([false, false, []])
    keys.end()
    expect(input.modes).toEqual([false, true, false])
  })
  test("is given back when the process ends", () => {
    const before = process.listeners("exit")
    const { input } = steered()
    for (const onExit of process.listeners("exit").filter(f => !before.includes(f))) onExit.call(process, 0)
    expect([input.raw, input.read]).toEqual([false, false])
  })
  test.runIf(process.platform !== "win32")("is given back while Ctrl-Z holds the process, and taken again after it", async () => {
    const { input, text, last } = steered()
    const kill = vi.spyOn(process, "kill").mockImplementation(() => true)
    try {
      input.press("\x1aq")
      expect([input.raw, input.read, kill.mock.calls, text()]).toEqual([false, false, [], "\x1b[?25h"])
      await new Promise(resolve => setImmediate(resolve))
      expect(kill.mock.calls).toEqual([[process.pid, "SIGTSTP"]])
      process.emit("SIGCONT" as never)
      expect([input.raw, input.read]).toEqual([true, true])
      // Node does not know that a shell has changed the mode
      expect(input.modes.slice(-2)).toEqual([false, true])
      expect(bottomOf(last())).toContain("q stops")
    } finally {
      kill.mockRestore()
    }
  })
  test("is left alone in the background, where a pause would never end", () => {
    front = false
    const { input, pause, last } = steered()
    expect([input.modes, input.read, bottomOf(last())]).toEqual([[], false, "Ctrl-C stops, and keeps what is learned"])
    front = true
    process.emit("SIGCONT" as never)
    expect([input.raw, input.read]).toEqual([true, true])
    input.press("p")
    front = false
    process.emit("SIGCONT" as never)
    expect([input.modes, input.read, pause.on]).toEqual([[false, true], false, false])
    open!.keys.end()
    expect(input.modes).toEqual([false, true])
  })
  test.skipIf(isatty(0))("is left alone where the standard input is none", () => {
    const { view, pause, controller } = steered()
    const before = listeners()
    expect(steer({ view, pause, signal: controller.signal, stop() {} }, undefined)).toBeUndefined()
    expect(listeners()).toEqual(before)
  })
})
