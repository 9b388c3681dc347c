// A line search with the strong Wolfe conditions. Nocedal and Wright, Numerical optimization (2006), algorithms 3.5 and 3.6.

/** A function along a line, at t. */
export interface Point {
  readonly t: number
  readonly value: number
  /** Its derivative by t. */
  readonly slope: number
}

const DECREASE = 1e-4
const CURVATURE = 0.9
const MOST = 30

/** Where the cubic through two points and slopes is lowest; NaN where it has no minimum. */
function cubicMinimum(a: Point, b: Point): number {
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.t - b.t)
  const d2 = Math.sign(b.t - a.t) * Math.sqrt(d1 * d1 - a.slope * b.slope)
  return b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
}

/**
 * A point with value <= value(0) + 1e-4 t slope(0) and |slope| <= 0.9 |slope(0)|, by function values at `first` and beyond or before
 * it. `noise` is how much of a value may be rounding. Without such a point the lowest one found, or null if none is lower.
 */
export function lineSearch<P extends Point>(at: (t: number) => P, start: P, first: number, noise: number): P | null {
  const low = (p: Point): boolean => p.value <= start.value + DECREASE * p.t * start.slope + noise
  const flat = (p: Point): boolean => Math.abs(p.slope) <= -CURVATURE * start.slope

  /** Between the lowest point so far and one beyond the minimum that it is next to. */
  function zoom(best: P, other: P, left: number): P | null {
    for (; left > 0; left--) {
      const [from, to] = [Math.min(best.t, other.t), Math.max(best.t, other.t)]
      const margin = 0.1 * (to - from)
      const guess = cubicMinimum(best, other)
      // a value that is infinite or NaN leaves the middle
      const t = guess >= from + margin && guess <= to - margin ? guess : (from + to) / 2
      if (t === from || t === to) break
      const p = at(t)
      if (!low(p) || !(p.value <= best.value + noise)) {
        other = p
        continue
      }
      if (flat(p)) return p
      if (p.slope * (other.t - best.t) >= 0) other = best
      best = p
    }
    return best.t > 0 && best.value < start.value ? best : null
  }

  let before = start
  let t = first
  for (let left = MOST; left > 0; left--) {
    const p = at(t)
    if (!low(p) || (before !== start && !(p.value < before.value))) return zoom(before, p, left)
    if (flat(p)) return p
    if (p.slope >= 0) return zoom(p, before, left)
    const guess = cubicMinimum(before, p)
    before = p
    t = guess >= 2 * t && guess <= 10 * t ? guess : 2 * t
  }
  return before.value < start.value ? before : null
}
