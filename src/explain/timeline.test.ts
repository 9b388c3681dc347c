import { expect, test } from "vitest"
import { random, scan, type Tensor, tensor, valueAndGrad, zeros } from "../index.ts"
import { crossEntropy } from "../losses.ts"
import { dense, relu, sequential } from "../nn.ts"
import { program } from "./program.ts"
import { timeline } from "./timeline.ts"

const model = sequential(dense(20, 16), relu(), dense(16, 4))
const { params, state } = model.init(random.key(1), [20])
const loss = (p: typeof params, x: Tensor, y: Tensor): Tensor => crossEntropy(model.apply(p, state, x)[0], y)
const args = [params, random.normal(random.key(2), [32, 20]), zeros([32], { dtype: "i32" })]

test("every kernel of a program is measured, and belongs to its layer", () => {
  const { steps, milliseconds, trace } = timeline(valueAndGrad(loss), args, { runs: 3 })
  const { kernels } = program(valueAndGrad(loss), args)
  expect(steps.map(({ name, scope, kind }) => ({ name, scope, kind }))).toEqual(
    kernels.map(({ name, scope, kind }) => ({ name, scope, kind })),
  )
  expect(steps.reduce((n, s) => n + s.milliseconds, 0)).toBeCloseTo(milliseconds, 9)
  expect(steps.reduce((n, s) => n + s.share, 0)).toBeCloseTo(1, 9)
  expect(trace.traceEvents.length).toBe(3 * steps.length)
  const times = JSON.parse(JSON.stringify(trace)).traceEvents as { ph: string; ts: number; dur: number }[]
  times.forEach(({ ph, ts, dur }, i) => {
    expect(ph).toBe("X")
    expect(dur).toBeGreaterThanOrEqual(0)
    expect(ts).toBeGreaterThanOrEqual(i ? times[i - 1]!.ts + times[i - 1]!.dur - 1e-6 : 0)
  })
})

test("is printed with the slowest step first; a loop is one step", () => {
  const f = (c: Tensor, xs: Tensor): Tensor => scan((c: Tensor, x: Tensor) => [c.mul(x).tanh(), null], c, xs)[0]
  const lines = timeline(f, [zeros([3]), zeros([5, 3])], { runs: 1 })
  expect(lines.steps.map(s => s.kind)).toEqual(["scalar", "loop"])
  expect(String(lines)).toMatch(/^2 steps, \d+\.\d us\n *\d+\.\d us +\d+\.\d %/)
})

test("the values that layers keep for the backward pass", () => {
  const { kept } = program(valueAndGrad(loss), args)
  const of = (layer: string): number => kept.filter(k => k.scope.startsWith(layer)).reduce((n, k) => n + k.bytes, 0)
  // the hidden layer's output [32, 16] in f32, for the weights of layer 2, and which of it is positive, a byte each
  expect(of("layers.0") + of("layers.1")).toBe(32 * 16 * (4 + 1))
  expect(String(program(valueAndGrad(loss), args))).toContain("kept for the backward pass: ")
  expect(program((x: Tensor) => x.mul(2), [zeros([3])]).kept).toEqual([])
})

test.each([0, 1.5, Number.NaN])("%s runs are refused", runs => {
  expect(() => timeline((x: Tensor) => x, [tensor(1)], { runs })).toThrow("whole number from 1")
})
