// How programs are compiled is pinned: the kernels, and what is left in their loops.
import { expect, test } from "vitest"
import { show } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { record } from "../graph/record.ts"
import { cast, concat, grad, matmul, mean, relu, reshape, softmax, stack, sum, take, tanh, transpose, valueAndGrad } from "../js.ts"
import type { Launch } from "./fuse.ts"
import { type Lowered, lower } from "./passes.ts"
import { plan } from "./plan.ts"
import { quotients } from "./testing/quotients.ts"

const f32 = (...shape: number[]) => ({ shape, dtype: "f32" as const })
const compiled = (f: (...xs: Tensor[]) => Tensor | readonly Tensor[], ...shapes: number[][]): Lowered =>
  lower(
    record(
      xs => [f(...xs)].flat() as Tensor[],
      shapes.map(s => f32(...s)),
    ).graph,
  )
const launches = (p: Lowered): Launch[] => p.tasks.filter(t => t.k === "kernel")
/** Name, results and loops of each kernel. */
const kernels = (p: Lowered): string[] =>
  launches(p).map(l => `${l.name} ${l.outs.map(o => show(o.aval)).join(" ")} over ${l.kernel.axes.map(a => a.n).join("x") || "1"}`)
const swap = (x: Tensor): Tensor => transpose(x)

const pinned: readonly (readonly [string, Lowered, string[]])[] = [
  ["a chain of maps is one loop over all memory", compiled(x => tanh(x.mul(x).add(1)).mul(x), [8, 16]), ["mul f32[8,16] over 128"]],
  [
    "the gradient of a sum of sines",
    compiled(
      grad((x: Tensor) => sum(x.mul(x).sin())),
      [3],
    ),
    ["add f32[3] over 3"],
  ],
  ["a mean ends in its division", compiled(x => mean(x, { axis: 1 }), [8, 16]), ["div f32[8] over 8"]],
  [
    "a map that a product reads is stored once",
    compiled((x, w) => matmul(tanh(x), w), [8, 4], [4, 6]),
    ["tanh f32[8,4] over 32", "matmul f32[8,6] over 8x6"],
  ],
  [
    "rows that a product reads are looked up once",
    compiled((x, rows, w) => matmul(take(x, cast(rows, "i32")), w), [20, 4], [8], [4, 6]),
    ["select i32[8] over 8", "gather f32[8,4] over 8x4", "matmul f32[8,6] over 8x6"],
  ],
  ["a transposed operand is read in place", compiled((x, w) => matmul(x, swap(w)), [8, 4], [6, 4]), ["matmul f32[8,6] over 8x6"]],
  ["bias and activation", compiled((x, b) => relu(x.add(b)), [8, 16], [16]), ["select f32[8,16] over 8x16"]],
  [
    "softmax: exponentials with their maximum, the quotient with their sum",
    compiled(x => softmax(x), [8, 16]),
    ["exp f32[8,16] over 8x16", "div f32[8,16] over 8x16"],
  ],
  [
    "a layer: product, bias, activation and its mask for the way back",
    compiled(
      (w, b, x, v) => {
        const [loss, [dw, db]] = valueAndGrad(([w, b]: Tensor[]) => sum(tanh(matmul(relu(matmul(x!, w!).add(b!)), v!))))([w!, b!])
        return [loss, dw!, db!]
      },
      [8, 4],
      [4],
      [16, 8],
      [4, 2],
    ),
    [
      "select f32[16,4] bool[16,4] over 16x4",
      "add f32[16,2] f32[16,2] over 16x2",
      "sum f32[] over 1",
      "select f32[16,4] over 16x4",
      "sum f32[4] over 4",
      "matmul f32[8,4] over 8x4",
    ],
  ],
  [
    "an update with momentum joins the product of the gradient",
    compiled(
      (w, m, x, d) => {
        const m2 = m.mul(0.9).add(matmul(swap(x), d))
        return [w.sub(m2.mul(0.1)), m2]
      },
      [8, 4],
      [8, 4],
      [16, 8],
      [16, 4],
    ),
    ["sub f32[8,4] f32[8,4] over 8x4"],
  ],
  [
    "a gradient that is asked for is stored on the way",
    compiled(
      (w, x, d) => {
        const g = matmul(swap(x), d)
        return [w.sub(g.mul(0.1)), g]
      },
      [8, 4],
      [16, 8],
      [16, 4],
    ),
    ["sub f32[8,4] f32[8,4] over 8x4"],
  ],
  [
    "what is read before it could be computed is stored on its own",
    compiled(
      (x, w) => {
        const y = tanh(x)
        return [matmul(y, w).mul(y)]
      },
      [8, 8],
      [8, 8],
    ),
    ["tanh f32[8,8] over 64", "mul f32[8,8] over 8x8"],
  ],
  [
    "layer normalization without derivative: mean and variance with what they are for, and what two of them read",
    compiled(
      x => {
        const m = x.sub(mean(x, { axis: 1, keepdims: true }))
        return m.div(mean(m.mul(m), { axis: 1, keepdims: true }).add(1e-5).sqrt())
      },
      [8, 16],
    ),
    ["sub f32[8,16] over 8x16", "div f32[8,16] over 8x16"],
  ],
  ["an output that is returned twice is stored twice", compiled(x => Array(2).fill(x.neg()), [4]), ["neg f32[4] f32[4] over 4"]],
  ["an output that is an input is a copy", compiled(x => [x, x.neg()], [4]), ["copy f32[4] over 4", "neg f32[4] over 4"]],
]
test.each(pinned)("%s", (_name, program, want) => {
  expect(kernels(program)).toEqual(want)
})

test("reshapes whose sizes divide leave no quotient in any loop", () => {
  const programs = [
    compiled(x => reshape(x, [4, 6]).mul(2), [24]),
    compiled(x => reshape(swap(reshape(x, [4, 6])), [24]).mul(2), [24]),
    compiled(x => sum(reshape(x, [2, 3, 4]), { axis: 1 }), [6, 4]),
    compiled(
      grad((x: Tensor) => sum(reshape(tanh(reshape(x, [3, 8])), [6, 4]).mul(3))),
      [24],
    ),
    compiled((x, y) => reshape(concat([x, y]), [2, 8]), [2, 4], [2, 4]),
    compiled((x, y) => stack([x, y], { axis: 1 }), [8], [8]),
  ]
  expect(programs.flatMap(p => launches(p).map(l => quotients(l.kernel)))).not.toContain(1)
  expect(programs.reduce((n, p) => n + launches(p).reduce((m, l) => m + quotients(l.kernel), 0), 0)).toBe(0)
  // 5 and 7 do not divide each other
  expect(quotients(launches(compiled(x => swap(reshape(x, [7, 5])).mul(2), [5, 7]))[0]!.kernel)).toBe(0)
  expect(quotients(launches(compiled(x => reshape(swap(x), [5, 7]).mul(2), [5, 7]))[0]!.kernel)).toBeGreaterThan(0)
})

test("sums along memory are dealt to lanes, sums across it and matrix products are not", () => {
  const lanes = (p: Lowered): number[] => launches(p).map(l => (l.kernel.body.k === "reduce" ? l.kernel.body.lanes : 0))
  expect(lanes(compiled(x => sum(x, { axis: 1 }), [3, 64]))).toEqual([8])
  expect(lanes(compiled(x => sum(x, { axis: 0 }), [64, 8]))).toEqual([1])
  expect(lanes(compiled((x, w) => matmul(x, w), [8, 64], [64, 8]))).toEqual([1])
  expect(lanes(compiled((x, v) => matmul(x, v), [8, 64], [64]))[0]).toBe(8)
})

test("temporaries share memory, and state is updated in place", () => {
  const loss = (w: Tensor, x: Tensor): Tensor => sum([1, 2, 3, 4].reduce(h => tanh(matmul(h, w)), x))
  const step = compiled(
    (w, x) => valueAndGrad((w: Tensor) => loss(w, x))(w).flatMap((g, i) => (i ? [w.sub(g.mul(0.1))] : [g])),
    [64, 64],
    [32, 64],
  )
  const p = plan(step, [-1, 0], () => 0)
  expect(p.copies).toEqual([])
  expect(p.outputs[1]).toBe(p.inputs[0])
  const sizes = p.buffers.reduce((n, b) => n + b.n * 4, 0)
  expect(p.arena).toBeLessThan(sizes)
  // what would be overwritten before its last read gets memory of its own
  const crossed = plan(
    compiled((a, b) => [b.mul(2), a.mul(2)], [64], [64]),
    [0, 1],
    () => 0,
  )
  expect(crossed.copies).toHaveLength(1)
})
