import type { Measured } from "./evaluate.ts"
import type { Finding } from "./health/finding.ts"

/** What `fit` tells while it runs. Times are in seconds. */
export type FitEvent =
  /** `epochsDone`: by an earlier run, whose checkpoint this one goes on from. */
  | {
      readonly event: "start"
      readonly parameters: number
      readonly rows: number
      readonly validationRows: number
      readonly steps: number
      readonly epochsDone: number
    }
  /** Something that the user should know. */
  | { readonly event: "note"; readonly message: string }
  /** About every 50 ms. `loss` is the mean over the steps since the last one; `rate` is in rows per second. */
  | {
      readonly event: "progress"
      readonly epoch: number
      readonly step: number
      readonly steps: number
      readonly loss: number
      readonly rate: number
      readonly secondsLeft: number
    }
  /** Something is wrong: where, why, and what to try. Each is told once. */
  | ({ readonly event: "finding"; readonly step: number } & Finding)
  /** `loss` is the mean over the epoch's steps. */
  | {
      readonly event: "epoch"
      readonly epoch: number
      readonly loss: number
      readonly validation?: Measured
      readonly best: boolean
      /** With `plateau`: what the learning rate was multiplied by in this epoch. */
      readonly rateScale?: number
      readonly seconds: number
    }
  | {
      readonly event: "end"
      readonly reason: "epochs" | "patience" | "aborted"
      readonly epoch: number
      readonly bestEpoch: number
      readonly seconds: number
    }

/** Events that one side pushes and the other side iterates over, at its own pace. */
export interface EventStream<T> extends AsyncIterable<T> {
  push(event: T): void
  close(): void
  fail(error: unknown): void
}

/** A run whose events come until its result is there. */
export function runOf<E, R>(events: EventStream<E>, result: Promise<R>): AsyncIterable<E> & { readonly result: Promise<R> } {
  result.then(
    () => events.close(),
    error => events.fail(error),
  )
  return { result, [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() }
}

/** `replaceable` events that nobody has fetched yet give way to the next one, so that a run nobody watches collects nothing. */
export function stream<T>(replaceable: (event: T) => boolean): EventStream<T> {
  const waiting: T[] = []
  let end: { error?: unknown } | undefined
  let wake = (): void => {}
  const notify = (): void => wake()
  return {
    push(event) {
      const last = waiting.at(-1)
      if (last !== undefined && replaceable(last) && replaceable(event)) waiting.pop()
      waiting.push(event)
      notify()
    },
    close() {
      end = {}
      notify()
    },
    fail(error) {
      end = { error }
      notify()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (waiting.length) yield waiting.shift()!
        if (end && "error" in end) throw end.error
        if (end) return
        await new Promise<void>(resolve => (wake = resolve))
      }
    },
  }
}
