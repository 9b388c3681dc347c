// Loops as code: every engine gives the same bits, and what the loop written out gives.
import { describe, expect, test } from "vitest"
import { lstm } from "../src/cli/bench/lstm.ts"
import { countedScan } from "../src/control/scan.ts"
import { type KernelReport, program } from "../src/explain/program.ts"
import * as a from "../src/index.ts"
import { engines, exact, firstDifference, firstFar, made, randomNumbers, recorded, relaxed, runOn } from "./engines.ts"
import { withoutLoops } from "./unroll.ts"

const { add, grad, matmul, mul, scan, sin, sum, valueAndGrad } = a

describe("compiled loops do what loops written out do, on every engine", () => {
  const cases: readonly [string, (...xs: any[]) => any, readonly (readonly number[])[]][] = [
    ["a carry alone", c => scan((c: any) => [sin(add(c, 1)), null], c, null, { length: 9 })[0], [[5]]],
    [
      "a matrix product in place of its carry",
      (c, w) => scan((c: any) => [a.tanh(matmul(c, w)), c], c, null, { length: 5 }),
      [
        [8, 8],
        [8, 8],
      ],
    ],
    ["carries that change places", (x, y) => scan(([x, y]: any) => [[y, mul(x, 0.5)], x], [x, y], null, { length: 5 }), [[6], [6]]],
    ["slices backwards", (c, xs) => scan((c: any, x: any) => [mul(c, x), add(c, x)], c, xs, { reverse: true }), [[3], [7, 3]]],
    ["nothing at all", (c, xs) => scan((c: any, x: any) => [mul(c, x), add(c, x)], c, xs), [[3], [0, 3]]],
    [
      "a loop in a loop",
      (c, xs) => scan((c: any, x: any) => [scan((d: any, y: any) => [add(mul(d, 0.5), y), null], c, x)[0], c], c, xs),
      [[3], [4, 2, 3]],
    ],
    [
      "the gradient of a recurrent network",
      (w, h, xs) => grad((w: any) => sum(scan((h: any, x: any) => [a.tanh(add(matmul(h, w), x)), h], h, xs)[0]))(w),
      [
        [8, 8],
        [4, 8],
        [6, 4, 8],
      ],
    ],
  ]
  test.each(cases)("%s", (_name, f, shapes) => {
    const next = randomNumbers(7)
    for (const dtype of ["f64", "f32"] as const) {
      const args = shapes.map(shape => made({ shape, dtype }, () => next() - 0.5))
      const { graph, inputs } = recorded(f, args)
      expect(graph.nodes.some(n => n.prim.meaning.kind === "loop")).toBe(true)
      const [js, ...others] = exact
      const got = runOn(js!, graph, inputs)
      for (const engine of others) expect(firstDifference(runOn(engine, graph, inputs), got), engine.name).toBe(null)
      const tolerance = dtype === "f64" ? 1e-13 : 1e-5
      for (const engine of relaxed) expect(firstFar(runOn(engine, graph, inputs), got, tolerance), engine.name).toBe(null)
      expect(firstFar(got, runOn(js!, withoutLoops(graph), inputs), tolerance)).toBe(null)
    }
  })
  test("as many turns as the operand says, in place of a donated carry", () => {
    const f = (c: any, n: any) => countedScan((c: any) => [mul(c, 2), c], c, null, n, { length: 9 })[0]
    for (const engine of engines) {
      const { graph, inputs } = recorded(f, [a.tensor([1, 3]), a.tensor(5, { dtype: "i32" })])
      expect([...runOn(engine, graph, inputs, [0])[0]!], engine.name).toEqual([32, 96])
    }
  })
})

test("the LSTM of `adjoint bench W6`: what runs in each turn, and what once", () => {
  const { params, loss, xs, ys } = lstm()
  const { kernels } = program(p => valueAndGrad(p => loss(p, xs[0]!, ys[0]!))(p), [params])
  const isBackward = (k: KernelReport): boolean => k.scope.split("/").includes("backward")
  const results = (list: readonly KernelReport[]): string[] => list.map(k => `${k.kind} ${k.results[0]}`)
  const turns = kernels.filter(k => k.times === 32)
  // the copies keep the states as they come in
  expect(results(turns.filter(k => !isBackward(k)))).toEqual([
    "vector f32[32,128]",
    "vector f32[32,128]",
    "gemm f32[32,512]",
    "vector f32[32,128]",
  ])
  // the gradients of the gates, and by way of them that of the incoming state; none of the weights
  const backwards = results(turns.filter(isBackward))
  expect(backwards.at(-1)).toBe("gemm f32[32,128]")
  expect(backwards).toHaveLength(3)
  // one product each for the output's weights and state, and for both weights of the gates over all turns
  const once = results(kernels.filter(k => k.times === 1 && isBackward(k)))
  expect(once.filter(k => k.startsWith("gemm"))).toEqual(
    ["f32[128,10]", "f32[32,128]", "f32[128,512]", "f32[64,512]"].map(k => `gemm ${k}`),
  )
})
