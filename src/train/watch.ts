// Time: how long a training takes, and when others have the event loop.
import type { EventStream, FitEvent } from "./events.ts"
import type { FitOptions } from "./options.ts"

/** Milliseconds of work between two visits to the event loop. */
const CHUNK = 50
/**
 * Until timers and events that have come are handled. A timer of its own would wait for a millisecond, in pages for four, which is longer than
 * many an epoch takes.
 */
export const visitEventLoop = (): Promise<void> => new Promise(resolve => void later(resolve))
const later: (f: () => void) => unknown = globalThis.setImmediate ?? viaMessage
function viaMessage(f: () => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    f()
  }
  port2.postMessage(null)
}

/** Tells how a training goes, and lets others have the event loop, about every 50 ms. */
export class Watch {
  private readonly all: number
  private readonly before: number
  private readonly events: EventStream<FitEvent>
  private readonly pause: FitOptions["pause"]
  private started = performance.now()
  private chunk = performance.now()
  private rows = 0
  private loss = 0
  private done = 0
  /** `all`: steps of the whole training; `before`: those that an earlier run has done. */
  constructor(all: number, before: number, events: EventStream<FitEvent>, pause?: FitOptions["pause"]) {
    this.all = all
    this.before = before
    this.events = events
    this.pause = pause
  }
  /** Without those of pauses. */
  seconds(): number {
    return (performance.now() - this.started) / 1000
  }
  /** How many steps fit into what is left of the time until the next visit, as far as that is known. */
  steps(): number {
    const took = performance.now() - this.chunk
    return this.done ? Math.max(1, Math.floor(((CHUNK - took) * this.done) / took)) : 1
  }
  /** Counts steps with this sum of losses over rows; from time to time there is something to wait for. */
  saw(epoch: number, step: number, steps: number, loss: number, rows: number): Promise<void> | undefined {
    this.done += steps
    this.rows += rows
    this.loss += loss
    const took = performance.now() - this.chunk
    if (took < CHUNK) return undefined
    const secondsLeft = (this.seconds() / (step - this.before)) * (this.all - step)
    const rate = (this.rows / took) * 1000
    this.events.push({ event: "progress", epoch, step, steps: this.all, loss: this.loss / this.rows, rate, secondsLeft })
    return this.rest()
  }
  async rest(): Promise<void> {
    await visitEventLoop()
    const from = performance.now()
    await this.pause?.()
    this.chunk = performance.now()
    this.started += this.chunk - from
    this.rows = this.loss = this.done = 0
  }
}
