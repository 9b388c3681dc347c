/** Events that one side pushes and the other side iterates over, at its own pace. */
export interface EventStream<T> extends AsyncIterable<T> {
  push(event: T): void
  close(): void
  fail(error: unknown): void
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
