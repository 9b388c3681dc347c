// Matrix products that are more than a call of the library: used up strip by strip, and with an operand that is packed once for many.
import { describe, expect, test } from "vitest"
import { matchProduct } from "../src/compile/emit/gemm-kernel.ts"
import { stepBytes } from "../src/compile/emit/wasm.ts"
import { loopBytes } from "../src/compile/emit/wasm-program.ts"
import { lower } from "../src/compile/passes.ts"
import { plan } from "../src/compile/plan.ts"
import type { Dtype } from "../src/core/dtype.ts"
import type { Tensor } from "../src/core/tensor.ts"
import * as a from "../src/index.ts"
import { enginesAgree, made, randomNumbers, recorded } from "./engines.ts"

const { add, matmul, mul, relu, scan, sub, tanh, transpose, vmap } = a

type Shape = readonly number[]
const numbers = (shapes: readonly Shape[], dtype: Dtype = "f32") => {
  const next = randomNumbers(3)
  return shapes.map(shape => made({ shape, dtype }, () => next() - 0.5))
}

describe("strips", () => {
  const [m, n, k] = [784, 128, 16]
  const product = (x: Tensor, y: Tensor): Tensor => matmul(transpose(x), y)
  const factors: readonly Shape[] = [
    [k, m],
    [k, n],
  ]
  const cases: readonly [
    string,
    strips: number | undefined,
    (x: Tensor, y: Tensor, ...more: Tensor[]) => Tensor | readonly Tensor[],
    readonly Shape[],
  ][] = [
    ["an update", 7, (x, y, w) => sub(w!, mul(product(x, y), 0.1)), [[m, n]]],
    [
      "several results",
      7,
      (x, y, w, v) => {
        const u = add(mul(v!, 0.9), product(x, y))
        return [sub(w!, u), u]
      },
      [
        [m, n],
        [m, n],
      ],
    ],
    ["a bias for each column", 7, (x, y, b) => relu(add(product(x, y), b!)), [[n]]],
    ["a factor for each row", 7, (x, y, b) => mul(product(x, y), b!), [[m, 1]]],
    ["a matrix the other way round", 7, (x, y, w) => add(product(x, y), transpose(w!)), [[n, m]]],
    [
      "padding by rows",
      undefined,
      (x, y, w) =>
        add(
          product(x, y),
          a.pad(w!, [
            [1, 0],
            [0, 0],
          ]),
        ),
      [[m - 1, n]],
    ],
    ["the numbers of the rows", undefined, (x, y) => mul(product(x, y), a.cast(a.arange(m).reshape(m, 1), x.dtype)), []],
    ["an operand of the product again", 7, (x, y) => add(product(x, y), x.slice(0).reshape(m, 1)), []],
  ]
  test.each(cases)("%s", (_name, strips, f, more) => {
    const shapes = [...factors, ...more]
    const { tasks } = lower(recorded(f, numbers(shapes)).graph)
    const found = tasks.flatMap(t => (t.k === "kernel" ? [matchProduct(t.kernel)?.strips?.count] : []))
    expect(found).toContain(strips)
    for (const dtype of ["f32", "f64"] as const) enginesAgree(f, numbers(shapes, dtype))
  })
  test.each([
    ["rows that eight do not divide", [k, 1020], [k, n], [1020, n]],
    ["a small product", [k, 64], [k, n], [64, n]],
    ["a large matrix B", [300, m], [300, n], [m, n]],
  ])("none: %s", (_name, ...shapes) => {
    const f = (x: Tensor, y: Tensor, w: Tensor): Tensor => sub(w, product(x, y))
    const { tasks } = lower(recorded(f, numbers(shapes)).graph)
    expect(tasks.flatMap(t => (t.k === "kernel" ? [matchProduct(t.kernel)?.strips] : []))).toEqual([undefined])
    enginesAgree(f, numbers(shapes))
  })
})

describe("matrices that all turns of a loop read", () => {
  const turns = 4
  const step = (f: (h: Tensor) => Tensor) => (h: Tensor) => scan((h: Tensor) => [f(h), h] as const, h, null, { length: turns })
  const cases: readonly [string, packed: boolean, (...xs: Tensor[]) => unknown, readonly Shape[]][] = [
    ["as it is", true, (h, w) => step(h => tanh(matmul(h, w!)))(h!), [[8, 40], [40, 40]]],
    ["transposed", true, (h, w) => step(h => tanh(matmul(h, transpose(w!))))(h!), [[8, 40], [40, 40]]],
    ["a part of it", true, (h, w) => step(h => tanh(matmul(h, w!.slice([3, 43], [2, 42]))))(h!), [[8, 40], [50, 50]]],
    ["two of them", true, (h, w, v) => step(h => tanh(matmul(tanh(matmul(h, w!)), v!)))(h!), [[8, 24], [24, 300], [300, 24]]],
    ["with an epilogue that reads it too", true, (h, w) => step(h => add(matmul(h, w!), w!))(h!), [[40, 40], [40, 40]]],
    ["a loop in a loop", true, (h, w) => step(h => step(h => tanh(matmul(h, w!)))(h)[0])(h!), [[8, 40], [40, 40]]],
    ["many rows, strip by strip", true, (h, w) => step(h => tanh(add(matmul(h, w!), 1)))(h!), [[784, 128], [128, 128]]],
    ["the gradient", true, (h, w) => a.grad((w: Tensor) => a.sum(step(h => tanh(matmul(h, w)))(h!)[0]))(w!), [[8, 40], [40, 40]]],
    ["one that changes", false, (w, h) => step(w => tanh(matmul(h!, w)))(w!), [[40, 40], [40, 40]]],
    ["a batch of products", false, (h, w) => step(h => tanh(matmul(h, w!)))(h!), [[3, 8, 40], [3, 40, 40]]],
    ["a batch of states", true, (h, w) => vmap((h: Tensor) => step(h => tanh(matmul(h, w!)))(h)[0])(h!), [[3, 8, 40], [40, 40]]],
  ] // biome-ignore format: one line each
  test.each(cases)("%s", (_name, packed, f, shapes) => {
    const loops = plan(lower(recorded(f, numbers(shapes)).graph), [-1, -1, -1], stepBytes).steps.filter(s => s.k === "loop")
    const inside = loops.flatMap(l => [l, ...l.body.steps.filter(s => s.k === "loop")])
    expect(inside.some(l => loopBytes(l) > l.body.arena)).toBe(packed)
    for (const dtype of ["f32", "f64"] as const) enginesAgree(f, numbers(shapes, dtype))
  })
})
