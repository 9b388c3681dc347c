import { expect, it } from "vitest"
import { grad, random, type Tensor, tensor, valueAndGrad, zeros } from "../index.ts"
import { crossEntropy } from "../losses.ts"
import { dense, relu, sequential } from "../nn.ts"
import { printProgram } from "./program.ts"

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
