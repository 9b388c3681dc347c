import { describe, expect, test } from "vitest"
import { grad, hessian, jacrev, random, type Tensor, tensor, vmap } from "../index.ts"
import { crossEntropy, halfSquaredError } from "../losses/index.ts"
import { dense, sequential, tanh } from "../nn/index.ts"
import { conjugateGradient, fisherProduct, gaussNewtonProduct } from "./curvature.ts"

const f64 = { dtype: "f64" } as const
const model = sequential(dense(3, 4, f64), tanh(), dense(4, 3, f64))
const { state } = model.init(random.key(1), [3])
const x = random.normal(random.key(2), [6, 3], f64)
const shapes = [[4], [3, 4], [3], [4, 3]] as const
const n = 4 + 12 + 3 + 12

/** The model by one vector of parameters, so that matrices can be written down. */
function outputs(v: Tensor): Tensor {
  let at = 0
  const [b1, w1, b2, w2] = shapes.map(shape => {
    const size = shape.reduce<number>((a, b) => a * b, 1)
    at += size
    return v.slice([at - size, at]).reshape(...shape)
  })
  return model.apply({ layers: [{ w: w1, b: b1 }, {}, { w: w2, b: b2 }] } as never, state, x)[0]
}
const w = random.normal(random.key(4), [n], f64)
const columns = (product: (v: Tensor) => Tensor): number[][] => vmap(product)(tensor(eye, f64)).toArray() as number[][]
const identity = (n: number): number[][] => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j)))
const eye = identity(n)
const close = (a: readonly (readonly number[])[], b: readonly (readonly number[])[], bound: number): void => {
  const largest = Math.max(...b.flat().map(Math.abs))
  a.forEach((row, i) => row.forEach((v, j) => expect(Math.abs(v - b[i]![j]!)).toBeLessThan(bound * largest)))
}

describe("softmax with cross-entropy", () => {
  // E over classes of the outer product of the slopes of log p, example by example and class by class
  const logs = (v: Tensor): Tensor => outputs(v).sub(outputs(v).exp().sum({ axis: -1, keepdims: true }).log())
  const slopes = jacrev(logs)(w).toArray() as number[][][]
  const p = logs(w).exp().toArray() as number[][]
  const fisher = eye.map((_, i) =>
    eye.map((_, j) => p.reduce((sum, row, e) => sum + row.reduce((s, q, k) => s + q * slopes[e]![k]![i]! * slopes[e]![k]![j]!, 0), 0) / 6),
  )
  test("products with the Fisher information are those with the matrix of its definition", () => {
    close(
      columns(v => fisherProduct(outputs, w, v)),
      fisher,
      1e-12,
    )
  })
  test("it is the Gauss-Newton matrix, to 1e-10", () => {
    const targets = tensor([0, 1, 2, 0, 1, 1], { dtype: "i32" })
    close(
      columns(v => gaussNewtonProduct(outputs, y => crossEntropy(y, targets), w, v)),
      fisher,
      1e-10,
    )
  })
})

test("Gauss-Newton is the Hessian where the outputs are linear, and J^T J / n for squares", () => {
  const linear = (v: Tensor): Tensor => x.matmul(v.reshape(3, 1))
  const t = random.normal(random.key(9), [6, 1], f64)
  const loss = (y: Tensor): Tensor => halfSquaredError(y, t)
  const at = tensor([0.1, -0.2, 0.3], f64)
  const unit = tensor(identity(3), f64)
  const exact = hessian((v: Tensor) => loss(linear(v)))(at).toArray() as number[][]
  close(vmap((v: Tensor) => gaussNewtonProduct(linear, loss, at, v))(unit).toArray() as number[][], exact, 1e-14)
  close(vmap((v: Tensor) => fisherProduct(linear, at, v, "gaussian"))(unit).toArray() as number[][], exact, 1e-14)
})

describe("conjugate gradients", () => {
  test("solve in as many steps as there are unknowns", () => {
    const a = random.normal(random.key(5), [8, 8], f64)
    const spd = a.matmul(a.transpose()).add(tensor(identity(8), f64))
    const wanted = random.normal(random.key(6), [8], f64)
    const got = conjugateGradient((v: Tensor) => spd.matmul(v), spd.matmul(wanted), { iterations: 12, tolerance: 1e-13 })
    got.values().forEach((v, i) => expect(v).toBeCloseTo(wanted.values()[i]!, 9))
  })
  test("take trees, and stop where there is nothing to do", () => {
    const b = { u: tensor([2, 2], f64), v: [tensor(3, f64)] }
    const got = conjugateGradient(x => ({ u: x.u.mul(tensor([2, 4], f64)), v: [x.v[0]!.mul(3)] }), b, { tolerance: 1e-12 })
    expect([got.u.toArray(), got.v[0]!.item()]).toEqual([[1, 0.5], 1])
    expect(conjugateGradient((x: Tensor) => x, tensor([0, 0], f64)).toArray()).toEqual([0, 0])
  })
  test("few steps and a damped Fisher matrix make a direction that goes down", () => {
    const targets = tensor([0, 1, 2, 0, 1, 1], { dtype: "i32" })
    const g = grad((v: Tensor) => crossEntropy(outputs(v), targets))(w)
    const step = conjugateGradient((v: Tensor) => fisherProduct(outputs, w, v).add(v.mul(0.01)), g, { iterations: 5 })
    expect(step.mul(g).sum().item()).toBeGreaterThan(0)
  })
})
