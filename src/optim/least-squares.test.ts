import { describe, expect, test } from "vitest"
import {
  cast,
  concat,
  cos,
  exp,
  grad,
  jacrev,
  jit,
  less,
  matmul,
  mul,
  random,
  sin,
  sum,
  type Tensor,
  tanh,
  tensor,
  treeMap,
  whileLoop,
} from "../index.ts"
import { adam } from "../optim.ts"
import { leastSquares } from "./least-squares.ts"
import { Residuals } from "./residuals.ts"

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

describe("the Jacobian comes by the cheaper mode", () => {
  // a loop whose number of turns is not known has derivatives forwards only
  const doubled = (x: Tensor): Tensor =>
    whileLoop(
      (x: Tensor) => less(sum(x), 100),
      (x: Tensor) => x.mul(2),
      x,
    )
  test("forward mode, with as many residuals as parameters or more", () => {
    const { params } = leastSquares((p: Tensor) => doubled(p).sub(f64([64, 96, 32])), f64([1, 1, 1]))
    expect(sum(doubled(params)).item()).toBeCloseTo(192, 6)
  })
  test("reverse mode, with fewer", () => {
    expect(() => leastSquares((p: Tensor) => sum(doubled(p)).sub(3), f64([1, 1, 1]))).toThrow("whileLoop")
    const { params, cost } = leastSquares((p: Tensor) => sum(p.mul(p)).sub(3), f64([1, 2, 3]))
    expect(cost).toBeLessThan(1e-20)
    expect(params.shape).toEqual([3])
  })
  test.each([
    [2, 40],
    [40, 2],
    [30, 30],
  ])("%i residuals of %i parameters: the same numbers", (m, n) => {
    const a = random.normal(random.key(1), [m, n], { dtype: "f64" })
    const residuals = new Residuals("test", (x: any) => tanh(matmul(a, x)), f64(new Array(n).fill(0.1)))
    const x = new Float64Array(n).fill(0.1)
    const wanted = jacrev((x: Tensor) => tanh(matmul(a, x)))(f64([...x])).values()
    residuals.jacobian(x).forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 12))
  })
})

describe("the curvature of the residuals", () => {
  const x0 = Float64Array.of(0.3, -0.2)
  const weights = Float64Array.of(2, -1, 0.5)
  /** Powers of x0 and products with x1, so that second derivatives are known. */
  const bent = (x: Tensor): Tensor => concat([x.at(0).square().reshape(1), mul(x.at(0), x.at(1)).reshape(1), exp(x.at(1)).reshape(1)])
  const wanted = [4, -1, -1, 0.5 * Math.exp(-0.2)]
  test.each([
    ["by reverse mode", bent],
    [
      "forwards where a loop has no other derivative",
      (x: Tensor) =>
        whileLoop(
          (r: Tensor) => less(sum(r), -100),
          (r: Tensor) => r,
          bent(x),
        ),
    ],
  ])("%s", (_, f) => {
    const found = new Residuals("test", f as any, f64([0, 0])).curvature(x0, weights)
    found.forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 12))
  })
})

test("residuals that stay large and are bent: few steps", () => {
  const t = f64(Array.from({ length: 20 }, (_, i) => (i + 1) / 5))
  // Brown and Dennis, whose least sum of squares is 85822.2
  const residuals = (x: Tensor): Tensor =>
    x
      .at(0)
      .add(t.mul(x.at(1)))
      .sub(exp(t))
      .square()
      .add(
        x
          .at(2)
          .add(sin(t).mul(x.at(3)))
          .sub(cos(t))
          .square(),
      )
  const { cost, iterations, stopped } = leastSquares(residuals, f64([25, 5, -5, -1]))
  expect(2 * cost).toBeCloseTo(85822.2, 1)
  expect(stopped).toBe("change")
  expect(iterations).toBeLessThan(40)
})
