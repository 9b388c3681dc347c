import { wantNonNegative, wantNumber } from "./transformation.ts"

export interface PlateauOptions {
  /** What the scale is multiplied by. Default: 0.1. */
  readonly factor?: number
  /** Epochs without improvement that are endured. Default: 10. */
  readonly patience?: number
  /** What counts as improvement: this share of the best value, or with `relative: false` this much. Default: 1e-4. */
  readonly threshold?: number
  readonly relative?: boolean
  /** Epochs after a change that are not counted. Default: 0. */
  readonly cooldown?: number
  /** The smallest scale. Default: 0. */
  readonly minScale?: number
  /** Whether smaller or larger values are better: a loss, or an accuracy. Default: "min". */
  readonly mode?: "min" | "max"
}
/** What is known after some epochs, as plain data. */
export interface PlateauState {
  /** What to multiply the learning rate by. */
  readonly scale: number
  /** The best value; null before the first one. */
  readonly best: number | null
  /** Epochs since then. */
  readonly bad: number
  /** Epochs that will not be counted. */
  readonly cooldown: number
}
/** A rule that lowers the learning rate when a value no longer improves. It is a value: its state goes in and comes out. */
export interface Plateau {
  init(): PlateauState
  /** The state after one more epoch, which ended with this loss. */
  update(state: PlateauState, loss: number): PlateauState
}

/**
 * Lowers the learning rate when the loss has not improved for more than `patience` epochs; PyTorch's ReduceLROnPlateau, as a factor
 * for the learning rate.
 *
 * It runs between epochs, on plain numbers, and gives a number. NaN and infinity are no improvement. Throws TypeError for settings out of range.
 *
 * @example
 * const rule = plateau({ factor: 0.5, patience: 1 })
 * let now = rule.init()
 * for (const loss of [1, 0.9, 0.9, 0.9]) now = rule.update(now, loss)
 * 0.1 * now.scale  // 0.05
 */
export function plateau({
  factor = 0.1,
  patience = 10,
  threshold = 1e-4,
  relative = true,
  cooldown = 0,
  minScale = 0,
  mode = "min",
}: PlateauOptions = {}): Plateau {
  wantNumber("plateau: factor", factor, "a number in (0, 1)", x => x > 0 && x < 1)
  for (const [name, x] of Object.entries({ patience, threshold, cooldown, minScale })) wantNonNegative(`plateau: ${name}`, x)
  if (mode !== "min" && mode !== "max") throw new TypeError(`plateau: mode must be "min" or "max"; got ${JSON.stringify(mode)}`)
  const sign = mode === "min" ? 1 : -1
  const better = (loss: number, best: number): boolean => sign * loss < sign * best - threshold * (relative ? best : 1)
  return {
    init: () => ({ scale: 1, best: null, bad: 0, cooldown: 0 }),
    update(state, loss) {
      const improved = Number.isFinite(loss) && (state.best === null || better(loss, state.best))
      const best = improved ? loss : state.best
      const bad = improved || state.cooldown > 0 ? 0 : state.bad + 1
      if (bad > patience) return { scale: Math.max(state.scale * factor, minScale), best, bad: 0, cooldown }
      return { scale: state.scale, best, bad, cooldown: Math.max(0, state.cooldown - 1) }
    },
  }
}
