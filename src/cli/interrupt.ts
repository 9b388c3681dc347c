import { STOPPED } from "./errors.ts"
import type { Output } from "./terminal.ts"

/**
 * Ctrl-C while a network trains. The first one ends the training after its step, and what has been learned is kept; a second one ends
 * the process at once. Listeners run between steps only, so that neither can fall into the writing of a file.
 */
export class Interrupt {
  private readonly controller = new AbortController()
  private readonly onSignal: () => void
  constructor(out: Output) {
    this.onSignal = () => {
      if (this.signal.aborted) process.exit(STOPPED)
      this.controller.abort()
      if (out.talks) process.stderr.write("\nStopping after this step. Ctrl-C again ends at once.\n")
    }
    process.on("SIGINT", this.onSignal)
  }
  get signal(): AbortSignal {
    return this.controller.signal
  }
  release(): void {
    process.off("SIGINT", this.onSignal)
  }
}
