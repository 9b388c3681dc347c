// Which exit code a signal leads to, and that nothing listens any longer when the training has ended.
import { expect, test, vi } from "vitest"
import { exitCodeOf, StoppedError } from "./errors.ts"
import { Interrupt } from "./interrupt.ts"
import { Output } from "./terminal.ts"

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s: exit code %i; the second one at once", (name, code) => {
  const listening = process.listenerCount(name)
  const interrupt = new Interrupt(new Output({ json: true }))
  const exit = vi.spyOn(process, "exit").mockImplementation((() => {}) as never)
  try {
    process.emit(name, name)
    expect([interrupt.signal.aborted, interrupt.code, exit.mock.calls]).toEqual([true, code, []])
    expect(exitCodeOf(new StoppedError("too early", interrupt.code))).toBe(code)
    process.emit("SIGTERM", "SIGTERM")
    expect(exit.mock.calls).toEqual([[143]])
  } finally {
    exit.mockRestore()
    interrupt.release()
  }
  expect(process.listenerCount(name)).toBe(listening)
})
