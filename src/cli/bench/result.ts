// What a workload's process tells: one result a line, as JSON.

/** A measured variant of a workload, in the field names of the JSON lines. */
export interface Measured {
  /** "" where a workload has one variant only. */
  readonly variant: string
  readonly value: number | null
  readonly unit: string
  /** Milliseconds of one step. */
  readonly ms?: number
  readonly gflops?: number
  /** Milliseconds of one step in each repeat. */
  readonly reps_ms?: readonly number[]
  /** Seconds of each repeat, where the value is the time of something whole. */
  readonly reps_s?: readonly number[]
  readonly wall_ms?: number
  /** Share of the elapsed time in which the process was not running. */
  readonly off_cpu?: number
  readonly steps_per_rep?: number
  readonly warm_steps?: number
  /** Milliseconds until all programs have run once: recording and compiling included. */
  readonly first_step_ms?: number
  readonly loss0?: number
  readonly loss1?: number
  readonly test_acc?: number
  readonly n_train?: number
  readonly n_test?: number
  readonly min_s?: number
  readonly import_s?: number
  readonly import_min_s?: number
  /** Share that looking at the training adds to the time of a step. */
  readonly health_share?: number
}

/** The same with what the process knows, or why there is no value. */
export interface Result extends Measured {
  readonly engine: string
  /** "cannot": adjoint, or the machine, lacks something that it needs; "failed": something went wrong. */
  readonly status: "ok" | "cannot" | "failed"
  readonly reason?: string
  /** Largest resident memory of the process so far, in units of 1,000,000 bytes. */
  readonly rss_mb?: number
}

/** Names of the engine, with fused multiply-adds and without. */
export const ENGINES = { relaxed: "wasm-relaxed", plain: "wasm" } as const

/** How long to measure. */
export interface Budget {
  /** Steps are run so long before the first repeat. */
  readonly warmMs: number
  /** Length of a repeat. */
  readonly repMs: number
}

/** `x` with so many digits as a figure from a clock deserves. */
export const rounded = (x: number, digits = 5): number => Number(x.toPrecision(digits))
