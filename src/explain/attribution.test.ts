// Attributions by hand, and the axioms: completeness, linearity, implementation invariance.
import { describe, expect, test } from "vitest"
import { matmul, maximum, mul, random, type Tensor, tanh, tensor } from "../index.ts"
import { dense, relu, sequential } from "../nn.ts"
import { sigmoid } from "../ops/index.ts"
import { TrainedModel } from "../train.ts"
import { type Attributions, gradientTimesInput, integratedGradients } from "./attribution.ts"
import { gaussLegendre } from "./quadrature.ts"

const f64 = (x: any): Tensor => tensor(x, { dtype: "f64" })
const values = ({ attributions }: Attributions): number[] => [...(attributions.values() as Float64Array)]
function close(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-12): void {
  expect(got.length).toBe(wanted.length)
  for (let i = 0; i < got.length; i++)
    expect(Math.abs(got[i]! - wanted[i]!), `${i}: ${got[i]} for ${wanted[i]}`).toBeLessThanOrEqual(tolerance)
}
const column = (x: Tensor, k: number): Tensor => matmul(x, f64(Array.from({ length: x.shape[1]! }, (_, i) => [Number(i === k)])))

describe("by hand", () => {
  test.each<[string, (x: Tensor) => Tensor, number[], number[], number[]]>([
    ["a product is shared", x => mul(column(x, 0), column(x, 1)), [2, 5], [10, 10], [5, 5]],
    ["a square and a line", x => column(x, 0).square().add(column(x, 1).mul(3)), [2, -1], [8, -3], [4, -3]],
    ["a sine", x => column(x, 0).sin(), [2], [2 * Math.cos(2)], [Math.sin(2)]],
    // 1 - relu(1 - x) of the paper, section 2.1: at 2 the slope is 0, but the output has changed by 1
    ["a saturated unit", x => maximum(column(x, 0).neg().add(1), 0).neg().add(1), [2], [0], [1]],
  ])("%s", (_, f, x, byGradient, integrated) => {
    close(values(gradientTimesInput(f, f64([x]))), byGradient)
    close(values(integratedGradients(f, f64([x]))), integrated)
  })
  test("a baseline of its own, for all rows or each", () => {
    const f = (x: Tensor) => mul(column(x, 0), column(x, 1))
    const x = f64([
      [2, 5],
      [3, 4],
    ])
    // (x - b) times the mean of the other between b and x
    const wanted = [1 * 4, 2 * 1.5, 2 * 3.5, 1 * 2]
    close(values(integratedGradients(f, x, { baseline: f64([1, 3]) })), wanted)
    close(
      values(
        integratedGradients(f, x, {
          baseline: f64([
            [1, 3],
            [1, 3],
          ]),
        }),
      ),
      wanted,
    )
  })
})

const key = random.key(3)
const [w1, w2, x] = [
  [4, 8],
  [8, 3],
  [5, 4],
].map((shape, i) => random.normal(random.fold(key, i), shape, { dtype: "f64" })) as [Tensor, Tensor, Tensor]
const net = (x: Tensor): Tensor => matmul(tanh(matmul(x, w1)), w2)

describe("axioms, in f64", () => {
  test("attributions of a tanh network add up, those of its gradient do not", () => {
    const { gap, outputs, baselines } = integratedGradients(net, x)
    for (const g of gap) expect(Math.abs(g)).toBeLessThan(1e-6)
    expect([...baselines]).toEqual([0, 0, 0, 0, 0])
    const all = net(x).toArray() as number[][]
    close(
      outputs,
      all.map(row => Math.max(...row)),
    )
    expect(Math.max(...gradientTimesInput(net, x).gap.map(Math.abs))).toBeGreaterThan(0.1)
  })
  test("fewer steps are worse", () => {
    const worst = (steps: number): number => Math.max(...integratedGradients(net, x, { steps }).gap.map(Math.abs))
    expect(worst(2)).toBeGreaterThan(10 * worst(12))
  })
  test("of a linear function both are exact: weights times inputs", () => {
    const w = w2
    const inputs = random.normal(random.key(5), [3, 8], { dtype: "f64" })
    const wanted = (inputs.toArray() as number[][]).flatMap(row => row.map((v, i) => v * (w.toArray() as number[][])[i]![1]!))
    for (const method of [gradientTimesInput, integratedGradients]) {
      const found = method((x: Tensor) => matmul(x, w), inputs, { target: 1 })
      close(values(found), wanted)
      close(found.gap, [0, 0, 0])
    }
  })
  test("two networks that are one function have the same attributions", () => {
    const twice = (x: Tensor): Tensor => matmul(sigmoid(matmul(x, w1).mul(2)).mul(2).sub(1), w2)
    close(values(integratedGradients(twice, x, { target: 2 })), values(integratedGradients(net, x, { target: 2 })))
  })
})

test("a trained model in f32; each row its own output", () => {
  const model = sequential(dense(4, 16), relu(), dense(16, 3))
  const { params, state } = model.init(random.key(1), [4])
  const trained = new TrainedModel(model, params, state, [4])
  const rows = random.normal(random.key(2), [3, 4])
  const { attributions, targets, outputs, gap } = integratedGradients(trained, rows, { target: [2, 0, 1], steps: 300 })
  expect([attributions.dtype, attributions.shape, [...targets]]).toEqual(["f32", [3, 4], [2, 0, 1]])
  const y = trained.predict(rows).toArray() as number[][]
  close(outputs, [y[0]![2]!, y[1]![0]!, y[2]![1]!], 1e-6)
  for (const g of gap) expect(Math.abs(g)).toBeLessThan(0.01)
})

test.each([1, 2, 5, 50, 200])("Gauss-Legendre with %i nodes integrates a polynomial of degree 2 n - 1", n => {
  const { nodes, weights } = gaussLegendre(n)
  for (const degree of [0, 1, Math.min(2 * n - 1, 40)]) {
    const sum = weights.reduce((total, w, i) => total + w * nodes[i]! ** degree, 0)
    expect(Math.abs(sum - 1 / (degree + 1))).toBeLessThan(1e-14)
  }
})

test.each<[string, () => unknown, RegExp]>([
  [
    "integers",
    () => integratedGradients(net, tensor([[1, 2]], { dtype: "i32" })),
    /numbers with gradients, \[batch, ...\]; got i32\[1,2\]/,
  ],
  ["one row without its axis", () => gradientTimesInput(net, f64([1, 2, 3, 4])), /got f64\[4\]/],
  ["another output", () => gradientTimesInput(net, x, { target: 3 }), /an output, from 0 to 2; got 3/],
  ["too few outputs", () => gradientTimesInput(net, x, { target: [0, 1] }), /one output for each of 5 rows; got 2/],
  ["another baseline", () => integratedGradients(net, x, { baseline: f64([0, 0]) }), /shape \[5,4\] or \[4\]; got \[2\]/],
  ["no steps", () => integratedGradients(net, x, { steps: 0 }), /steps must be a whole number from 1; got 0/],
])("%s are refused", (_, f, message) => expect(f).toThrow(message))
