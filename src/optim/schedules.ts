// Learning rates that depend on the number t of updates made before: 0 at the first one. They are part of the compiled program.
// All return f64 [], and keep their last value where they have an end.
import type { Tensor } from "../core/tensor.ts"
import { add, cast, cos, div, floor, greaterEqual, less, lessEqual, minimum, mul, pow, sub, where } from "../ops/arithmetic.ts"
import { full } from "../ops/create.ts"
import { type Schedule, wantCount, wantNonNegative, wantNumber, wantPositive } from "./transformation.ts"

const scalar = (x: number): Tensor => full([], x, { dtype: "f64" })
const real = (step: Tensor): Tensor => cast(step, "f64")
const wantRates = (name: string, rates: Readonly<Record<string, number>>): void => {
  for (const [key, x] of Object.entries(rates)) wantNonNegative(`${name}: ${key}`, x)
}

/**
 * One rate. Throws TypeError for a negative one, as all schedules do.
 *
 * @example
 * const rate = schedules.constant(1e-3)
 * rate(tensor(100, { dtype: "i32" }))  // 0.001
 */
export function constant(rate: number): Schedule {
  wantRates("constant", { rate })
  return () => scalar(rate)
}

export interface StepOptions {
  /** Updates between two changes. */
  readonly every: number
  /** What the rate is multiplied by. Default: 0.1. */
  readonly factor?: number
}
/**
 * rate factor^floor(t / every); PyTorch's StepLR.
 *
 * @example
 * const rate = schedules.stepDecay(0.1, { every: 3000, factor: 0.5 })
 * rate(tensor(2999, { dtype: "i32" }))  // 0.1
 * rate(tensor(3000, { dtype: "i32" }))  // 0.05
 */
export function stepDecay(rate: number, { every, factor = 0.1 }: StepOptions = {} as StepOptions): Schedule {
  wantRates("stepDecay", { rate, factor })
  wantCount("stepDecay: every", every)
  return t => mul(pow(scalar(factor), floor(div(real(t), every))), rate)
}

/**
 * The rate times all factors whose update has come: `{ 1000: 0.1 }` divides it by 10 after 1,000 updates. PyTorch's MultiStepLR, with
 * a factor for each milestone.
 *
 * @example
 * const rate = schedules.piecewise(0.1, { 1000: 0.1, 2000: 0.5 })
 * rate(tensor(999, { dtype: "i32" }))  // 0.1
 * rate(tensor(1000, { dtype: "i32" }))  // 0.01
 * rate(tensor(2000, { dtype: "i32" }))  // 0.005
 */
export function piecewise(rate: number, factors: Readonly<Record<number, number>>): Schedule {
  wantRates("piecewise", { rate, ...factors })
  const places = Object.entries(factors).map(([place, factor]) => [Number(place), factor] as const)
  for (const [place] of places) wantCount("piecewise: the place of a factor", place)
  return t => places.reduce((r, [place, factor]) => mul(r, where(greaterEqual(t, place), scalar(factor), 1)), scalar(rate))
}

/**
 * rate decay^t; PyTorch's ExponentialLR.
 *
 * @example
 * const rate = schedules.exponential(0.1, { decay: 0.9 })
 * rate(tensor(2, { dtype: "i32" }))  // 0.081
 */
export function exponential(rate: number, { decay }: { readonly decay: number } = {} as never): Schedule {
  wantRates("exponential", { rate })
  wantPositive("exponential: decay", decay)
  return t => mul(pow(scalar(decay), real(t)), rate)
}

export interface RampOptions {
  /** Updates until the end is reached. */
  readonly steps: number
  /** The rate from there on. Default: 0. */
  readonly end?: number
}
/**
 * From `rate` to `end` on a straight line: rate + (end - rate) min(t / steps, 1); PyTorch's LinearLR.
 *
 * @example
 * const rate = schedules.linear(1e-3, { steps: 10_000 })
 * rate(tensor(0, { dtype: "i32" }))  // 0.001
 * rate(tensor(5000, { dtype: "i32" }))  // 0.0005
 */
export function linear(rate: number, { steps, end = 0 }: RampOptions = {} as RampOptions): Schedule {
  wantRates("linear", { rate, end })
  wantCount("linear: steps", steps)
  return t => add(mul(minimum(div(real(t), steps), 1), end - rate), rate)
}

export interface PolynomialOptions extends RampOptions {
  /** Default: 1, a straight line. */
  readonly power?: number
}
/**
 * end + (rate - end) (1 - min(t / steps, 1))^power; PyTorch's PolynomialLR where the end is 0.
 *
 * @example
 * const rate = schedules.polynomial(0.1, { steps: 10_000, power: 2 })
 * rate(tensor(5000, { dtype: "i32" }))  // 0.025
 */
export function polynomial(rate: number, { steps, end = 0, power = 1 }: PolynomialOptions = {} as PolynomialOptions): Schedule {
  wantRates("polynomial", { rate, end })
  wantCount("polynomial: steps", steps)
  wantPositive("polynomial: power", power)
  return t => add(mul(pow(sub(1, minimum(div(real(t), steps), 1)), scalar(power)), rate - end), end)
}

/** From 1 to 0 on half a wave of the cosine, as x goes from 0 to 1. */
const halfWave = (x: Tensor): Tensor => mul(add(cos(mul(x, Math.PI)), 1), 0.5)

export interface CosineOptions extends RampOptions {
  /** Updates of these at the beginning that grow the rate on a straight line. Default: 0. */
  readonly warmup?: number
  /** Where the warm-up begins. Default: 0. */
  readonly start?: number
}
/**
 * end + (rate - end) (1 + cos(π min(t / steps, 1))) / 2; PyTorch's CosineAnnealingLR up to its end. With `warmup`, the rate goes from
 * `start` to `rate` first, and the wave has the rest of `steps`.
 *
 * Throws TypeError where nothing is left for it. Loshchilov and Hutter, arXiv:1608.03983, equation 5.
 *
 * @example
 * const rate = schedules.cosine(1e-3, { steps: 10_000, warmup: 500 })
 * rate(tensor(250, { dtype: "i32" }))  // 0.0005
 * rate(tensor(500, { dtype: "i32" }))  // 0.001
 * rate(tensor(10000, { dtype: "i32" }))  // 0
 */
export function cosine(rate: number, { steps, end = 0, warmup = 0, start = 0 }: CosineOptions = {} as CosineOptions): Schedule {
  wantRates("cosine", { rate, end, warmup, start })
  wantCount("cosine: steps", steps)
  if (warmup > 0) {
    wantNumber("cosine: warmup", warmup, `a whole number < steps = ${steps}`, n => Number.isInteger(n) && n < steps)
    return join([linear(start, { steps: warmup, end: rate }), cosine(rate, { steps: steps - warmup, end })], [warmup])
  }
  return t => add(mul(halfWave(minimum(div(real(t), steps), 1)), rate - end), end)
}

export interface OneCycleOptions {
  /** Updates of the whole cycle. */
  readonly steps: number
  /** Share of them in which the rate grows; PyTorch's pct_start. Default: 0.3. */
  readonly warm?: number
  /** The cycle starts at rate / divisor. Default: 25. */
  readonly divisor?: number
  /** It ends at its start / endDivisor. Default: 1e4. */
  readonly endDivisor?: number
  /** How the rate goes from one value to the next. Default: "cosine". */
  readonly anneal?: "cosine" | "linear"
  /** Falls back to the start as long as it grew, and then to the end. Default: false. */
  readonly threePhase?: boolean
}
/**
 * From rate / divisor up to `rate` and down to rate / divisor / endDivisor; PyTorch's OneCycleLR without its cycle of momenta.
 *
 * Smith and Topin, arXiv:1708.07120.
 *
 * @example
 * const rate = schedules.oneCycle(0.1, { steps: 10_000 })
 * rate(tensor(0, { dtype: "i32" }))  // 0.004
 * rate(tensor(2999, { dtype: "i32" }))  // 0.1
 * rate(tensor(9999, { dtype: "i32" }))  // 4e-7
 */
export function oneCycle(
  rate: number,
  { steps, warm = 0.3, divisor = 25, endDivisor = 1e4, anneal = "cosine", threePhase = false }: OneCycleOptions = {} as OneCycleOptions,
): Schedule {
  wantRates("oneCycle", { rate })
  wantCount("oneCycle: steps", steps)
  wantNumber("oneCycle: warm", warm, "a number in (0, 1)", x => x > 0 && x < 1)
  wantPositive("oneCycle: divisor", divisor)
  wantPositive("oneCycle: endDivisor", endDivisor)
  if (anneal !== "cosine" && anneal !== "linear")
    throw new TypeError(`oneCycle: anneal must be "cosine" or "linear"; got ${JSON.stringify(anneal)}`)
  const [start, end] = [rate / divisor, rate / divisor / endDivisor]
  const top = warm * steps - 1
  // [until which update, from which rate, to which]
  const phases: (readonly [until: number, from: number, to: number])[] = threePhase
    ? [
        [top, start, rate],
        [2 * warm * steps - 2, rate, start],
        [steps - 1, start, end],
      ]
    : [
        [top, start, rate],
        [steps - 1, rate, end],
      ]
  return step => {
    const t = minimum(real(step), steps - 1)
    const values = phases.map(([until, from, to], i) => {
      const since = i ? phases[i - 1]![0] : 0
      const x = div(sub(t, since), until - since)
      return anneal === "linear" ? add(mul(x, to - from), from) : add(mul(halfWave(x), from - to), to)
    })
    return values.reduceRight((later, now, i) => where(lessEqual(t, phases[i]![0]), now, later))
  }
}

/**
 * Schedules one after the other: the next one begins, with 0, at each of the boundaries; PyTorch's SequentialLR.
 *
 * Throws TypeError unless there is a boundary between any two schedules, each later than the one before.
 *
 * @example
 * const rate = schedules.join([schedules.linear(0, { steps: 500, end: 1e-3 }), schedules.exponential(1e-3, { decay: 0.999 })], [500])
 * rate(tensor(250, { dtype: "i32" }))  // 0.0005
 * rate(tensor(501, { dtype: "i32" }))  // 0.000999
 */
export function join(schedules: readonly Schedule[], boundaries: readonly number[]): Schedule {
  if (!schedules.length || schedules.length !== boundaries.length + 1)
    throw new TypeError(`join: ${schedules.length} schedules want ${schedules.length - 1} boundaries; got ${boundaries.length}`)
  boundaries.forEach((b, i) => {
    const before = boundaries[i - 1] ?? 0
    wantNumber(`join: boundary ${i}`, b, `a whole number > ${before}`, b => Number.isInteger(b) && b > before)
  })
  return t => {
    const values = schedules.map((schedule, i) => cast(schedule(i ? sub(t, boundaries[i - 1]!) : t), "f64"))
    return values.reduceRight((later, now, i) => where(less(t, boundaries[i]!), now, later))
  }
}
