import { describe, expect, test } from "vitest"
import { cast, exp, grad, jit, matmul, random, sum, type Tensor, tanh, tensor, treeMap } from "../index.ts"
import { adam } from "../optim.ts"
import { leastSquares } from "./least-squares.ts"

const f64 = (x: any): Tensor => tensor(x, { dtype: "f64" })
const x = f64([0, 0.5, 1, 1.5, 2, 3])
const y = exp(x.mul(-0.7)).mul(5)

describe("finds", () => {
  test("the parameters of a curve, as a tree", () => {
    const { params, cost, stopped, iterations } = leastSquares(({ a, k }) => y.sub(a.mul(exp(x.mul(k)))), { a: f64(1), k: f64(0) })
    expect(params.a.item()).toBeCloseTo(5, 10)
    expect(params.k.item()).toBeCloseTo(-0.7, 10)
    expect(cost).toBeLessThan(1e-24)
    expect(["zero", "change", "no better place"]).toContain(stopped)
    expect(iterations).toBeLessThan(20)
  })
  test("numbers, which become f32", () => {
    const [x32, y32] = [tensor([1, 2, 3]), tensor([3, 5, 7])]
    const { params } = leastSquares(({ a, b }: any) => y32.sub(x32.mul(a)).sub(b), { a: 0, b: 0 } as any)
    expect(params.a.item()).toBeCloseTo(2, 6)
    expect(params.b.item()).toBeCloseTo(1, 6)
  })
  test("the bottom of Rosenbrock's valley, to all digits", () => {
    const steep = f64([
      [1, 0],
      [0, 10],
    ])
    const [first, second] = [f64([1, 0]), f64([0, 1])]
    const residuals = ([a, b]: readonly Tensor[]): Tensor => matmul(steep, first.sub(first.mul(a!)).add(second.mul(b!.sub(a!.mul(a!)))))
    const { params, stopped } = leastSquares(residuals, [f64(-1.2), f64(1)])
    expect(params.map(p => p.item())).toEqual([1, 1])
    expect(stopped).toBe("zero")
  })
  test("one of many solutions: fewer residuals than parameters, and columns that say the same", () => {
    const wide = leastSquares(p => sum(p.mul(f64([1, 2, 3]))).sub(6), f64([0, 0, 0]))
    expect(wide.cost).toBeLessThan(1e-20)
    const twice = leastSquares(({ a, b }) => x.mul(a.add(b)).sub(x), { a: f64(0), b: f64(0) })
    expect(twice.params.a.add(twice.params.b).item()).toBeCloseTo(1, 9)
    const unused = leastSquares(({ a }) => x.mul(a).sub(x), { a: f64(0), b: f64(7) })
    expect([unused.params.a.item(), unused.params.b.item()].map(v => Math.round(v * 1e9) / 1e9)).toEqual([1, 7])
  })
  test("where it is already", () => {
    expect(leastSquares(p => p.sub(3), f64(3))).toMatchObject({ cost: 0, iterations: 0, evaluations: 1, stopped: "zero" })
  })
})

test("the best of what cannot be fitted has a gradient of 0", () => {
  const noisy = y.add(f64([0.1, -0.2, 0.15, 0, -0.1, 0.05]))
  const residuals = ({ a, k }: { a: Tensor; k: Tensor }): Tensor => noisy.sub(a.mul(exp(x.mul(k))))
  const { params, cost, stopped } = leastSquares(residuals, { a: f64(1), k: f64(0) })
  const g = grad(p => sum(residuals(p).square()).div(2))(params)
  expect(Math.abs(g.a.item()) + Math.abs(g.k.item())).toBeLessThan(1e-9)
  expect(cost).toBeCloseTo(sum(residuals(params).square()).item() / 2, 12)
  expect(stopped).not.toBe("iterations")
})

test("a small network takes a tenth of the steps of Adam, and fewer", () => {
  type Net = { w1: Tensor; b1: Tensor; w2: Tensor; b2: Tensor }
  const xs = f64(Array.from({ length: 40 }, (_, i) => [i / 20 - 1]))
  const ys = xs.mul(3).sin().add(xs.mul(xs).mul(0.5))
  const normal = (i: number, shape: number[]): Tensor => random.normal(random.key(i), shape, { dtype: "f64" })
  const start: Net = { w1: normal(1, [1, 8]), b1: normal(2, [8]), w2: normal(3, [8, 1]).mul(0.5), b2: f64([0]) }
  const residuals = (p: Net): Tensor =>
    matmul(tanh(matmul(xs, p.w1).add(p.b1)), p.w2)
      .add(p.b2)
      .sub(ys)
  const cost = (p: Net): Tensor => sum(residuals(p).square()).div(2)
  const steps = 30
  const { params } = leastSquares(residuals, start, { iterations: steps })
  const wanted = cost(params).item()
  const rule = adam(0.01)
  const step = jit((p: Net, s: any) => rule.update(grad(cost)(p), s, p) as [Net, any])
  let [p, s] = [start, rule.init(start) as any]
  for (let i = 0; i < 10 * steps; i++) [p, s] = step(p, s)
  console.log(`${steps} steps: ${wanted}; Adam after ${10 * steps}: ${cost(p).item()}`)
  expect(cost(p).item()).toBeGreaterThan(wanted)
})

test("parameters keep their dtypes and shapes", () => {
  const start = { w: tensor([[0, 0]]), b: f64(0) }
  const { params } = leastSquares(
    ({ w, b }) =>
      matmul(w, tensor([[1], [2]]))
        .sub(5)
        .add(cast(b, "f32")),
    start,
  )
  expect(treeMap(p => p, params)).toMatchObject({ w: { shape: [1, 2], dtype: "f32" }, b: { shape: [], dtype: "f64" } })
})

const wrong: readonly [string, () => unknown, string][] = [
  ["no residuals", () => leastSquares(() => 3 as any, f64(1)), "leastSquares: the residuals must be a floating-point tensor; got number"],
  ["whole numbers", () => leastSquares(() => tensor(1, { dtype: "i32" }), f64(1)), "floating-point tensor; got i32[]"],
  ["a start that is nowhere", () => leastSquares(p => p.log(), f64(-1)), "the cost at the start is NaN"],
  ["a tolerance below 0", () => leastSquares(p => p, f64(1), { tolerance: -1 }), "leastSquares: tolerance"],
  ["half a step", () => leastSquares(p => p, f64(1), { iterations: 0.5 }), "leastSquares: iterations"],
  ["a slope that is infinite", () => leastSquares(p => p.sqrt().add(1), f64(0)), "the Jacobian is not finite at [0]"],
]
test.each(wrong)("refuses %s", (_name, call, message) => {
  expect(call).toThrow(message)
})
