import { describe, expect, it, test } from "vitest"
import { grad, matmul, random, scan, type Tensor, tensor, transpose, valueAndGrad, zeros } from "../index.ts"
import { crossEntropy } from "../losses.ts"
import { dense, relu, sequential } from "../nn.ts"
import { printProgram, program } from "./program.ts"

it("prints how a gradient is computed", () => {
  expect(
    printProgram(
      grad((x: Tensor) => x.mul(x).sin().sum()),
      [tensor([1, 2, 3])],
    ),
  ).toMatchInlineSnapshot(`
    "(%0: f32[3]) =>
      %1: f32[3] = mul %0 %0
      %2: f32[3] = cos %1
      %3: f32[] = full {"shape":[],"value":1,"dtype":"f32"}  // backward
      %4: f32[3] = broadcast {"shape":[3],"axes":[0]} %3  // backward
      %5: f32[3] = mul %4 %2  // backward
      %6: f32[3] = mul %0 %5  // backward
      %7: f32[3] = mul %5 %0  // backward
      %8: f32[3] = add %6 %7  // backward
      return %8"
  `)
})

it("names the layer, or the loss, of every operation of the MNIST model's backward pass", () => {
  const model = sequential(dense(784, 128), relu(), dense(128, 10))
  const { params, state } = model.init(random.key(1), [784])
  const loss = (p: typeof params, x: Tensor, y: Tensor): Tensor => crossEntropy(model.apply(p, state, x)[0], y)
  const text = printProgram(valueAndGrad(loss), [params, zeros([64, 784]), zeros([64], { dtype: "i32" })], { inlined: true })
  const lines = text.split("\n").filter(line => line.includes(" = "))
  expect(lines.length).toBeGreaterThan(40)
  expect(lines.filter(line => !/ \/\/ (layers\.[012]\/(dense|relu)|crossEntropy)(\/|$)/.test(line))).toEqual([])
  expect(lines.filter(line => line.includes("layers.0/dense/backward")).length).toBeGreaterThan(1)
})

it("says what a function takes from outside", () => {
  const w = tensor([1, 2])
  expect(printProgram((x: Tensor) => x.mul(w), [tensor([3, 4])])).toContain(
    "the last 1 inputs are tensors that the function uses from outside",
  )
})

describe("program", () => {
  const [w, m, x, d] = [zeros([16, 16]), zeros([16, 16]), zeros([32, 16]), zeros([32, 16])]
  const update = (w: Tensor, m: Tensor, x: Tensor, d: Tensor): Tensor[] => {
    const next = m.mul(0.9).add(matmul(transpose(x), d))
    return [w.sub(next.mul(0.1)), next]
  }
  test("counts the operations and bytes of each kernel, and the memory", () => {
    const report = program(update, [w, m, x, d], { donate: [0, 1] })
    expect(report.kernels).toEqual([
      {
        name: "sub",
        scope: "",
        kind: "gemm",
        loops: [16, 16],
        times: 1,
        results: ["f32[16,16]", "f32[16,16]"],
        operands: ["f32[16,16]", "f32[16,16]", "f32[32,16]", "f32[32,16]"],
        // the products and sums of the product, and four for the update; the sum's expression is shared by both results
        operations: 256 * (2 * 32 + 4),
        bytes: 4 * (4 * 256 + 2 * 512),
      },
    ])
    expect(report.operations).toBe(report.kernels[0]!.operations)
    expect(report.memory.arguments).toBe(4 * (2 * 256 + 2 * 512))
    expect(report.memory.results).toBe(0)
    expect(program(update, [w, m, x, d]).memory.results).toBe(2 * 256 * 4)
    expect(report.graph).toBe(printProgram(update, [w, m, x, d], { inlined: true }))
  })
  test("counts kernels in loops as often as they run", () => {
    const { kernels, operations } = program(
      (c: Tensor, xs: Tensor) => scan((c: Tensor, x: Tensor) => [c.mul(x), null], c, xs)[0],
      [zeros([3]), zeros([5, 3])],
    )
    expect(kernels.map(k => [k.name, k.times])).toEqual([
      ["scan", 1],
      ["mul", 5],
    ])
    expect(operations).toBe(3 + 5 * 3)
  })
  test("is printed as a table", () => {
    expect(String(program(update, [w, m, x, d], { donate: [0, 1] })).split("\n")).toEqual([
      "1 kernel, 17.4 k operations, 8.19 kB read and written",
      expect.stringMatching(/^memory: 6\.14 kB arguments, 0 B results, .*B temporaries$/),
      "",
      "kernel  kind  loops  operations   bytes  results <- operands                                                       where",
      "sub     gemm  16x16      17.4 k  8.19 k  f32[16,16], f32[16,16] <- f32[16,16], f32[16,16], f32[32,16], f32[32,16]",
    ])
  })
})
