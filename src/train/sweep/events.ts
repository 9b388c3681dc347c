import type { Measured } from "../evaluate.ts"

/** How a member did in an epoch. */
export interface EpochOfMember {
  readonly member: number
  /** Mean training loss over the epoch. */
  readonly loss: number
  readonly validation?: Measured
  /** Whether it is the member's best so far. */
  readonly best: boolean
}

/** What `sweep` tells while it runs. Members and programs are counted from 0, epochs and steps from 1; times are in seconds. */
export type SweepEvent =
  /** `programs`: the sets of members that are trained together, one set after the other. */
  | {
      readonly event: "start"
      readonly members: number
      readonly programs: readonly (readonly number[])[]
      readonly rows: number
      readonly validationRows: number
      /** Of all programs together. */
      readonly steps: number
    }
  /** About every 50 ms. `loss` is the mean of the members that have not diverged; `rate` is in rows a second, of all members together. */
  | {
      readonly event: "progress"
      readonly program: number
      readonly epoch: number
      readonly step: number
      readonly steps: number
      readonly loss: number
      readonly rate: number
      readonly secondsLeft: number
    }
  /** `members`: those that still learn. */
  | {
      readonly event: "epoch"
      readonly program: number
      readonly epoch: number
      readonly members: readonly EpochOfMember[]
      readonly seconds: number
    }
  /** The loss of a member became NaN or infinite; the others go on. */
  | { readonly event: "diverged"; readonly member: number; readonly epoch: number; readonly step: number }
  | { readonly event: "end"; readonly reason: "done" | "aborted"; readonly seconds: number }
