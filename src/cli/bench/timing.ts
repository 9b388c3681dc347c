// How long a step takes. The rules are those of the peers' harness, so that figures may be compared.
import { type Budget, rounded } from "./result.ts"

const REPEATS = 3
/** Longer than this nobody waits for a warm-up. */
const LONGEST_WARM_UP = 40_000
/** A repeat that was off the CPU for more than this share is given by its CPU time. */
export const OFF_CPU = 0.03

export interface Timing {
  /** The median of the repeats, a step. */
  readonly ms: number
  readonly reps_ms: readonly number[]
  /** The median of the elapsed times, a step. */
  readonly wall_ms: number
  readonly off_cpu: number
  readonly steps_per_rep: number
  readonly warm_steps: number
}

/** CPU time of this process so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

export function median(xs: readonly number[]): number {
  const sorted = [...xs].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/**
 * Milliseconds of a step, where `run(n)` does n of them and has finished them when it returns: warm-up with ever more steps, then the
 * median of three repeats. Steps come in multiples of `unit`, at least `warmSteps` before the first repeat.
 */
export function timeSteps(
  run: (n: number) => void,
  { warmMs, repMs }: Budget,
  { unit = 1, warmSteps = 0 }: { readonly unit?: number; readonly warmSteps?: number } = {},
): Timing {
  const whole = (n: number): number => Math.max(1, Math.ceil(n / unit)) * unit
  const start = performance.now()
  let done = 0
  let perStep = 0
  for (let n = unit; ; n = whole(Math.min(2 * n, warmMs / perStep))) {
    const before = performance.now()
    run(n)
    perStep = (performance.now() - before) / n
    done += n
    const elapsed = performance.now() - start
    if ((elapsed >= warmMs && done >= warmSteps) || elapsed > LONGEST_WARM_UP) break
  }
  const steps = whole(Math.round(repMs / perStep))
  const repeats = Array.from({ length: REPEATS }, () => {
    const [before, cpuBefore] = [performance.now(), cpuMs()]
    run(steps)
    return { wall: (performance.now() - before) / steps, cpu: (cpuMs() - cpuBefore) / steps }
  })
  const counted = repeats.map(({ wall, cpu }) => (wall > (1 + OFF_CPU) * cpu ? cpu : wall))
  const sum = (pick: "wall" | "cpu"): number => repeats.reduce((total, r) => total + r[pick], 0)
  return {
    ms: median(counted),
    reps_ms: counted.map(ms => rounded(ms)),
    wall_ms: rounded(median(repeats.map(r => r.wall))),
    // several threads take more CPU time than passes
    off_cpu: Math.max(0, Number((1 - sum("cpu") / sum("wall")).toFixed(3))),
    steps_per_rep: steps,
    warm_steps: done,
  }
}
