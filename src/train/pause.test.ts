import { expect, test } from "vitest"
import { tensor } from "../index.ts"
import { squaredError } from "../losses.ts"
import { dense } from "../nn.ts"
import { sgd } from "../optim.ts"
import { fit } from "../train.ts"
import type { FitEvent } from "./events.ts"
import type { FitOptions } from "./options.ts"

const data = { x: tensor([[1], [2], [3], [4]]), y: tensor([[2], [4], [6], [8]]) }
const options = { loss: squaredError, optimizer: sgd(0.01), epochs: 6, batchSize: 2 }

/** Weight, events and wall-clock seconds of a training. */
async function trained(more: Partial<FitOptions>) {
  const started = performance.now()
  const run = fit(dense(1, 1), data, { ...options, ...more })
  const events: FitEvent[] = []
  for await (const event of run) events.push(event)
  const { params } = await run.result
  return { w: params.w.item(), events, seconds: (performance.now() - started) / 1000 }
}
const LONG = 0.2
const wait = () => new Promise<void>(resolve => setTimeout(resolve, LONG * 1000))

test("a training that was held up has the same bits, and does not count the time", async () => {
  const { w } = await trained({})
  let asked = 0
  const held = await trained({ pause: () => (++asked === 3 ? wait() : undefined) })
  expect(held.w).toBe(w)
  expect(asked).toBeGreaterThanOrEqual(options.epochs)
  const told = held.events.find(e => e.event === "end")!.seconds
  expect(held.seconds - told).toBeGreaterThan(0.9 * LONG)
  for (const e of held.events) if (e.event === "epoch") expect(e.seconds).toBeLessThanOrEqual(told)
})

test("a training that is stopped while it is held up does no further step", async () => {
  const controller = new AbortController()
  let asked = 0
  const pause = async () => {
    if (++asked === 2) controller.abort()
  }
  const { events } = await trained({ pause, signal: controller.signal })
  // amid an epoch where the machine is slow
  expect(events.at(-1)).toMatchObject({ event: "end", reason: "aborted", epoch: expect.toSatisfy((n: number) => n <= 2) })
  expect(asked).toBe(2)
})
