// leastSquares on the problems of Moré, Garbow and Hillstrom, from their starts and from ten and a hundred times as far.
import { describe, expect, test } from "vitest"
import { tensor } from "../src/index.ts"
import { leastSquares } from "../src/optim.ts"
import { type Problem, problems } from "./more-garbow-hillstrom.ts"

/** Where there is no known minimum to be found, and why. */
const HOPELESS: Readonly<Record<string, string>> = {
  "3 Powell badly scaled x100": "exp(-100) is lost in rounding, so that x2 has no effect",
  "6 Jennrich and Sampson x100": "exp(400) squared is infinite",
  "8 Bard x100": "a pole between the data is on the way: the minimum beside it",
  "11 Gulf research and development x100": "all residuals are flat",
  ...Object.fromEntries(
    [6, 8, 9, 10].flatMap(n =>
      [10, 100].map(f => [`35 Chebyquad, ${n} x${f}`, "polynomials of degree n far outside: f64 does not see what the small x do"]),
    ),
  ),
}

const f64 = (x: readonly number[]) => tensor(x as number[], { dtype: "f64" })
/** Starts of 0 go to a tenth of the factor. */
const from = ({ start }: Problem, factor: number): number[] =>
  start.map(v => (factor > 1 && start.every(v => v === 0) ? factor / 10 : factor * v))
/** Whether a sum of squares is that of a known minimum, which are given with six digits. */
const isKnown = ({ minima }: Problem, squares: number): boolean => minima.some(m => Math.abs(squares - m) <= 1e-5 * m + 1e-12)

test("published sums of squares are below those at the starts", () => {
  for (const problem of problems) {
    const r = problem.residuals(f64(problem.start))
    expect(r.square().sum().item(), problem.name).toBeGreaterThan(problem.minima[0]!)
  }
})

describe.each([1, 10, 100])("from %i times the start", factor => {
  test("known minima are found", () => {
    const found = problems.map(problem => {
      const name = factor > 1 ? `${problem.name} x${factor}` : problem.name
      if (name === "6 Jennrich and Sampson x100") {
        expect(() => leastSquares(problem.residuals, f64(from(problem, factor)))).toThrow("the cost at the start is Infinity")
        return { name, squares: Infinity, steps: 0, isThere: false }
      }
      const { cost, iterations, stopped } = leastSquares(problem.residuals, f64(from(problem, factor)))
      return { name, squares: 2 * cost, steps: iterations, stopped, isThere: isKnown(problem, 2 * cost) && stopped !== "iterations" }
    })
    const there = found.filter(f => f.isThere)
    const steps = there.reduce((sum, f) => sum + f.steps, 0)
    console.log(`from ${factor} times the start: ${there.length} of ${found.length} in ${steps} steps`)
    expect(found.filter(f => !f.isThere && !(f.name in HOPELESS))).toEqual([])
    // few steps: it was 676 from the starts themselves
    if (factor === 1) expect(steps).toBeLessThan(900)
  })
})

test("the list of what cannot be found names problems", () => {
  const names = problems.flatMap(p => [`${p.name} x10`, `${p.name} x100`])
  expect(Object.keys(HOPELESS).filter(name => !names.includes(name))).toEqual([])
})
