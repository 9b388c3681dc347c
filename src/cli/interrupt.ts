import { STOPPED, TERMINATED } from "./errors.ts"
import type { Output } from "./terminal.ts"

const CODES = { SIGINT: STOPPED, SIGTERM: TERMINATED } as const
type Signal = keyof typeof CODES

/**
 * Ctrl-C while a network trains, or SIGTERM, as schedulers and containers send it. The first one ends the training after its step, and what has
 * been learned is kept; a second one ends the process at once. Listeners run between steps only, so that neither can fall into the writing of a file.
 */
export class Interrupt {
  private readonly controller = new AbortController()
  private readonly out: Output
  private readonly listeners: readonly (readonly [Signal, () => void])[]
  private first: Signal = "SIGINT"
  constructor(out: Output) {
    this.out = out
    this.listeners = (Object.keys(CODES) as Signal[]).map(name => [name, () => this.stop(name)] as const)
    for (const [name, listener] of this.listeners) process.on(name, listener)
  }
  get signal(): AbortSignal {
    return this.controller.signal
  }
  /** The exit code of what was stopped, as shells have it. */
  get code(): number {
    return CODES[this.first]
  }
  /** As if that signal had come. */
  stop(name: Signal = "SIGINT"): void {
    if (this.signal.aborted) process.exit(CODES[name])
    this.first = name
    this.controller.abort()
    this.out.note("\nStopping after this step. Ctrl-C again ends at once.\n")
  }
  release(): void {
    for (const [name, listener] of this.listeners) process.off(name, listener)
  }
}
