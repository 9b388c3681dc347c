import { describe, expect, it } from "vitest"
import { div, log, mean, pow, softplus, square, type Tensor, tensor } from "../js.ts"
import { adam, minimize, type Optimizer, sgd } from "./index.ts"
import { lineSearch, type Point } from "./line-search.ts"

const f64 = (x: number[] | number[][]): Tensor => tensor(x, { dtype: "f64" })
/** Rosenbrock's valley: 0 at (1, 1, ...). */
const rosenbrock = (x: Tensor): Tensor => {
  const [a, b] = [x.slice([0, -1]), x.slice([1])]
  return square(b.sub(square(a)))
    .mul(100)
    .add(square(a.sub(1)))
    .sum()
}
const beale = (p: { x: Tensor; y: Tensor }): Tensor =>
  [1.5, 2.25, 2.625].reduce((s, c, i) => s.add(square(p.x.mul(pow(p.y, i + 1).sub(1)).add(c))), p.x.mul(0)).sum()
const inputs = Array.from({ length: 20 }, (_, i) => [1, Math.sin(i * i), Math.cos(3 * i)])
const signs = inputs.map((x, i) => (x[1]! - 0.5 * x[2]! + 0.8 * Math.sin(5 * i * i) > 0.1 ? 1 : -1))
/** Logistic regression with a little L2: its gradient has no simple zero. */
const logistic = (w: Tensor): Tensor => mean(softplus(f64(inputs).matmul(w).mul(f64(signs)).mul(-1))).add(square(w).sum().mul(1e-3))

describe("L-BFGS", () => {
  const cases: [name: string, f: (x: any) => Tensor, start: any, wanted: number[], most: number][] = [
    [
      "a quadratic",
      x =>
        square(x.sub(f64([1, 2, 3])))
          .mul(f64([1, 10, 100]))
          .sum(),
      f64([0, 0, 0]),
      [1, 2, 3],
      15,
    ],
    ["Rosenbrock's valley", rosenbrock, f64([-1.2, 1]), [1, 1], 60],
    ["Rosenbrock's valley in ten dimensions", rosenbrock, f64(Array(10).fill(-0.5)), Array(10).fill(1), 150],
    ["Beale's function of a tree", beale, { x: f64([1]), y: f64([1]) }, [3, 0.5], 40],
    // infinite or NaN beyond 0: the line search has to come back
    ["x - log x", x => x.sub(log(x)).sum(), f64([30, 1e-3]), [1, 1], 60],
  ]
  it.each(cases)("%s", (_, f, start, wanted, most) => {
    const { params, loss, gradient, iterations, evaluations, stopped } = minimize(f, start)
    expect(stopped).toBe("gradient")
    expect(gradient).toBeLessThanOrEqual(1e-7)
    expect(iterations).toBeLessThan(most)
    expect(evaluations).toBeLessThan(2 * most)
    const got = Object.values("shape" in params ? { params } : params).flatMap(x => [...(x as Tensor).values()])
    got.forEach((x, i) => expect(x).toBeCloseTo(wanted[i]!, 5))
    expect(loss).toBeCloseTo(f(params).item(), 12)
  })
  it("goes on to the limits of f64 where that is asked for", () => {
    const tight = { gradientTolerance: 1e-12, changeTolerance: 0 }
    const a = minimize(logistic, f64([0, 0, 0]), tight)
    const b = minimize(logistic, f64([3, -2, 1]), { ...tight, history: 3 })
    expect(a.gradient).toBeLessThan(1e-10)
    a.params.values().forEach((x, i) => expect(b.params.values()[i]).toBeCloseTo(x, 8))
  })
  it("works in f32, as far as that goes", () => {
    const { params, stopped } = minimize(rosenbrock, tensor([-1.2, 1]))
    expect(params.dtype).toBe("f32")
    expect(["gradient", "line search", "change"]).toContain(stopped)
    params.values().forEach(x => expect(x).toBeCloseTo(1, 3))
  })
  it("says why it stopped", () => {
    expect(minimize(rosenbrock, f64([1, 1]))).toMatchObject({ iterations: 0, evaluations: 1, loss: 0, stopped: "gradient" })
    expect(minimize(rosenbrock, f64([-1.2, 1]), { iterations: 3 })).toMatchObject({ iterations: 3, stopped: "iterations" })
    expect(minimize(rosenbrock, f64([-1.2, 1]), { changeTolerance: 100 })).toMatchObject({ iterations: 1, stopped: "change" })
    // at a kink there is no derivative that could be 0
    const kink = (x: Tensor): Tensor => x.sub(1.1).abs().add(x.mul(0.5)).sum()
    const { params, stopped } = minimize(kink, f64([1.5]), { changeTolerance: 0 })
    expect(stopped).toBe("line search")
    expect(params.item()).toBeCloseTo(1.1, 6)
  })
  it("does not change where it starts", () => {
    const start = f64([-1.2, 1])
    minimize(rosenbrock, start)
    expect([...start.values()]).toEqual([-1.2, 1])
  })
})

describe("optimizers as methods", () => {
  const cases: [string, Optimizer][] = [
    ["adam", adam(0.05)],
    ["sgd", sgd(1, { momentum: 0.9 })],
  ]
  it.each(cases)("%s", (_, method) => {
    const { params, stopped } = minimize(logistic, f64([0, 0, 0]), { method, iterations: 5000 })
    expect(stopped).toBe("gradient")
    minimize(logistic, f64([0, 0, 0]))
      .params.values()
      .forEach((x, i) => expect(params.values()[i]).toBeCloseTo(x, 4))
  })
  it("make the steps they make elsewhere", () => {
    const { params, evaluations } = minimize(x => square(x).sum(), f64([1]), { method: sgd(0.25), iterations: 3 })
    expect(params.item()).toBe(0.125)
    expect(evaluations).toBe(4)
  })
})

describe("line search", () => {
  const along =
    (f: (t: number) => number, slope: (t: number) => number) =>
    (t: number): Point => ({ t, value: f(t), slope: slope(t) })
  const cases: [string, (t: number) => Point, first: number][] = [
    [
      "a step that is far too short",
      along(
        t => (t - 100) ** 2,
        t => 2 * (t - 100),
      ),
      1e-3,
    ],
    [
      "a step that is far too long",
      along(
        t => (t - 1e-3) ** 2,
        t => 2 * (t - 1e-3),
      ),
      1,
    ],
    [
      "a wall",
      along(
        t => (t < 2 ? -t + t ** 4 / 4 : Infinity),
        t => -1 + t ** 3,
      ),
      50,
    ],
    [
      "waves",
      along(
        t => Math.cos(5 * t) - t / 2,
        t => -5 * Math.sin(5 * t) - 0.5,
      ),
      1,
    ],
    [
      "Moré and Thuente, 1",
      along(
        t => -t / (t * t + 2),
        t => (t * t - 2) / (t * t + 2) ** 2,
      ),
      10,
    ],
  ]
  it.each(cases)("%s", (_, at, first) => {
    const start = at(0)
    const found = lineSearch(at, start, first, 0)!
    expect(found.value).toBeLessThanOrEqual(start.value + 1e-4 * found.t * start.slope)
    expect(Math.abs(found.slope)).toBeLessThanOrEqual(0.9 * Math.abs(start.slope))
  })
  it("without a minimum: the lowest point found", () => {
    expect(
      lineSearch(
        along(
          t => -t,
          () => -1,
        ),
        { t: 0, value: 0, slope: -1 },
        1,
        0,
      )!.value,
    ).toBeLessThan(-1e6)
  })
})

describe("errors say what was wanted and what came", () => {
  const start = f64([1])
  const cases: [() => unknown, string][] = [
    [() => minimize(rosenbrock, start, { method: "newton" as never }), 'minimize: method must be "lbfgs" or an optimizer; got "newton"'],
    [() => minimize(rosenbrock, start, { iterations: 0 }), "minimize: iterations must be a whole number >= 1; got 0"],
    [() => minimize(rosenbrock, start, { history: 1.5 }), "minimize: history must be a whole number >= 1; got 1.5"],
    [() => minimize(rosenbrock, start, { gradientTolerance: -1 }), "minimize: gradientTolerance must be a number >= 0; got -1"],
    [() => minimize(x => div(1, x.sub(1)).sum(), start), "minimize: the loss at the start is Infinity; start where it is finite"],
  ]
  it.each(cases.map(([f, message]) => [message, f] as const))("%s", (message, f) => expect(f).toThrow(message))
})
