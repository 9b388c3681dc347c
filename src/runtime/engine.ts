import type { Lowered } from "../compile/passes.ts"
import type { Settled } from "../core/concrete.ts"

/** A compiled program: storages of the arguments -> storages of the results. */
export type Run = (inputs: readonly Settled[]) => Settled[]

/** Turns lowered programs into code that runs. */
export interface Engine {
  readonly name: string
  /** `donated[o]` is the argument whose memory result o takes over, or -1. */
  compile(program: Lowered, donated: readonly number[]): Run
  /** Whether there may be other threads that take part. */
  readonly sharesWork?: boolean
  /** Whether other threads take part now, so that a run may throw `WorkerLostError`. */
  hasWorkers?(): boolean
  /** Resolves when programs may run again after that. */
  settled?(): Promise<void>
}
