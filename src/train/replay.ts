import type { Tree } from "../core/tree.ts"
import { compiler } from "../runtime/program.ts"
import { WorkerLostError } from "../runtime/threads.ts"
import type { Carry } from "./step.ts"
import { copyOf } from "./trained.ts"

/** A place amid an epoch: what is needed to go on from there. */
export interface Place {
  readonly carry: Carry
  readonly step: number
  readonly total: number
  /** Rows of the epoch that are done. */
  readonly from: number
}

/** Milliseconds between copies: what is computed again if a thread is lost. */
const EVERY = 1000

/** Copies of a training's state while threads work on it, so that losing one of them costs a second and not the training. */
export class Replay {
  private kept: (Place & { readonly epoch: number; readonly at: number }) | undefined

  /** Keeps a copy of the place: the first of an epoch, and then every second. Does nothing while there is but one thread. */
  keep(epoch: number, place: Place): void {
    const now = performance.now()
    if (!compiler().main.hasWorkers?.() || (this.kept?.epoch === epoch && now - this.kept.at < EVERY)) return
    this.kept = { ...place, epoch, at: now, carry: copyOf(place.carry as unknown as Tree) as unknown as Carry }
  }

  /** Where to go on after a thread was lost. @throws the error, if it is another one, or if nothing was kept. */
  async after(error: unknown): Promise<Place> {
    if (!(error instanceof WorkerLostError) || !this.kept) throw error
    await compiler().main.settled?.()
    return { ...this.kept, carry: copyOf(this.kept.carry as unknown as Tree) as unknown as Carry }
  }

  /** What `compute` returns, which overwrites nothing: it runs again after a thread was lost. */
  async again<T>(compute: () => T): Promise<T> {
    try {
      return compute()
    } catch (error) {
      if (!(error instanceof WorkerLostError)) throw error
      await compiler().main.settled?.()
      return compute()
    }
  }
}
