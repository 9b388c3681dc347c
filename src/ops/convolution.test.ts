import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { enginesAgree } from "../../tests/engines.ts"
import { kernelKind } from "../compile/emit/wasm.ts"
import { lower } from "../compile/passes.ts"
import { record } from "../graph/record.ts"
import {
  avgPool,
  cast,
  checkGrads,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  grad,
  jit,
  maxPool,
  random,
  sum,
  type Tensor,
  tensor,
  vjp,
  vmap,
  zeros,
} from "../index.ts"

type Numbers = { readonly shape: number[]; readonly values: number[] }
interface Case {
  readonly name: string
  readonly op: "conv1d" | "conv2d" | "convTranspose1d" | "convTranspose2d" | "maxPool" | "avgPool"
  readonly options: any
  readonly x: Numbers
  readonly w?: Numbers
  readonly y: Numbers
  readonly ct: Numbers
  readonly dx: Numbers
  readonly dw?: Numbers
}
const { cases } = JSON.parse(readFileSync(new URL("../../tests/golden/conv.json", import.meta.url), "utf8")) as { cases: Case[] }
const from = ({ shape, values }: Numbers): Tensor => tensor(values, { shape, dtype: "f64" })
const far = (got: Tensor, { shape, values }: Numbers): number => {
  expect(got.shape).toEqual(shape)
  return [...got.values()].reduce((m, x, i) => Math.max(m, Math.abs(x - values[i]!)), 0)
}

const ops: Record<Case["op"], (...args: any[]) => Tensor> = { conv1d, conv2d, convTranspose1d, convTranspose2d, maxPool, avgPool }

describe("as PyTorch", () => {
  test.each(cases.map(c => [c.name, c] as const))("%s", (_name, { op, options, x, w, y, ct, dx, dw }) => {
    const { window, ...rest } = options
    const f = (x: Tensor, w?: Tensor): Tensor => ops[op](x, w ?? window, rest)
    for (const run of [f, jit(f)]) {
      const [value, pull] = vjp(run as (...xs: Tensor[]) => Tensor, ...[x, ...(w ? [w] : [])].map(from))
      const back = pull(from(ct))
      expect(far(value, y)).toBeLessThan(1e-10)
      expect(far(back[0]!, dx)).toBeLessThan(1e-10)
      if (dw) expect(far(back[1]!, dw)).toBeLessThan(1e-10)
    }
  })
})

const key = random.key(3)
const some = (i: number, ...shape: number[]): Tensor => random.normal(random.fold(key, i), shape, { dtype: "f64" })

describe("derivatives, batches and engines", () => {
  const smooth: readonly [string, (...xs: Tensor[]) => Tensor, Tensor[]][] = [
    ["1-d", (x, w) => conv1d(x, w), [some(1, 2, 5, 2), some(2, 3, 2, 2)]],
    [
      "1-d, all options",
      (x, w) => conv1d(x, w, { stride: 2, dilation: 2, padding: [[1, 2]], groups: 2 }),
      [some(3, 2, 6, 4), some(4, 2, 2, 2)],
    ],
    ["2-d", (x, w) => conv2d(x, w, { padding: "same" }), [some(5, 1, 4, 3, 2), some(6, 3, 2, 2, 3)]],
    ["2-d, strides", (x, w) => conv2d(x, w, { stride: [2, 1], padding: 1 }), [some(7, 2, 4, 3, 1), some(8, 2, 3, 1, 2)]],
    ["2-d, depthwise", (x, w) => conv2d(x, w, { groups: 3 }), [some(9, 1, 3, 3, 3), some(10, 2, 2, 1, 3)]],
    [
      "transposed",
      (x, w) => convTranspose2d(x, w, { stride: 2, padding: 1, outputPadding: 1 }),
      [some(11, 1, 2, 3, 2), some(12, 3, 3, 2, 2)],
    ],
    ["transposed 1-d", (x, w) => convTranspose1d(x, w, { dilation: 2 }), [some(13, 2, 3, 2), some(14, 2, 2, 3)]],
    ["a window of 1", (x, w) => conv2d(x, w), [some(15, 2, 2, 2, 3), some(16, 1, 1, 3, 2)]],
    ["no windows", (x, w) => conv1d(x, w), [some(17, 2, 2, 2), some(18, 3, 2, 2)]],
    ["no examples", (x, w) => conv2d(x, w), [some(19, 0, 4, 4, 1), some(20, 2, 2, 1, 2)]],
    ["max pooling", x => maxPool(x, 2), [some(21, 2, 4, 5, 2)]],
    ["max pooling, windows overlap", x => maxPool(x, 3, { stride: 2, padding: "same" }), [some(22, 1, 6, 2)]],
    ["mean pooling", x => avgPool(x, [2, 3], { stride: 1, padding: 1, countPadding: false }), [some(23, 1, 3, 4, 2)]],
  ]
  test.each(smooth)("%s", (_name, f, args) => {
    checkGrads(f, args)
    enginesAgree(f, args)
    enginesAgree(
      (...xs: Tensor[]) => grad((...xs: Tensor[]) => sum(f(...xs).mul(f(...xs))))(...xs),
      args.map(x => cast(x, "f32")),
    )
  })
  test.each([
    [0, 0],
    [0, null],
    [null, 0],
  ] as const)("each operand batched or not: %s %s", (x, w) => {
    // biome-ignore format: one line
    const [xs, ws] = [some(30, 3, 2, 4, 4, 2), some(31, 3, 2, 2, 2, 3)]
    const f = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { padding: 1, stride: 2 })
    const gradients = (x: Tensor, w: Tensor): Tensor[] =>
      [0, 1].map(argnums => grad((x: Tensor, w: Tensor) => sum(f(x, w).mul(f(x, w))), { argnums })(x, w))
    const at = (t: Tensor, axis: number | null, i: number): Tensor => (axis === null ? t.at(0) : t.at(i))
    const [bx, bw] = [x === null ? xs.at(0) : xs, w === null ? ws.at(0) : ws]
    const got = vmap((x: Tensor, w: Tensor) => [f(x, w), ...gradients(x, w)], { inAxes: [x, w] })(bx, bw)
    for (let i = 0; i < 3; i++) {
      const wanted = [f(at(xs, x, i), at(ws, w, i)), ...gradients(at(xs, x, i), at(ws, w, i))]
      wanted.forEach((y, k) => {
        const g = got[k]!.at(i)
        expect([...g.values()].every((v, j) => Math.abs(v - y.values()[j]!) < 1e-12)).toBe(true)
      })
    }
  })
})

test("all three products of a convolution are products of matrices for the library", () => {
  const f32 = (...shape: number[]) => ({ shape, dtype: "f32" as const })
  const both = ([x, w, y]: readonly Tensor[]): Tensor[] => {
    const [value, pull] = vjp((x: Tensor, w: Tensor) => conv2d(x, w, { padding: "same" }), x!, w!)
    return [value, ...pull(y!)]
  }
  const { graph } = record(both as any, [f32(4, 14, 14, 8), f32(5, 5, 8, 16), f32(4, 14, 14, 16)])
  const kinds = lower(graph).tasks.flatMap(t => (t.k === "kernel" && /^conv/.test(t.name) ? [kernelKind(t.kernel)] : []))
  expect(kinds).toEqual(["gemm", "gemm", "gemm"])
})

test("pooling: ties, NaN, integers", () => {
  const pool = (x: Tensor): Tensor => maxPool(x.reshape(1, -1, 1), 2).reshape(-1)
  expect([...grad((x: Tensor) => sum(pool(x)))(tensor([1, 1, 2, 3])).values()]).toEqual([1, 0, 0, 1])
  expect([...pool(tensor([Number.NaN, 1, 2, Number.NaN])).values()]).toEqual([Number.NaN, Number.NaN])
  expect([...pool(tensor([-3, -1, -5, -7], { dtype: "i32" })).values()]).toEqual([-1, -5])
  expect([...maxPool(tensor([-3, -1, -5]).reshape(1, 3, 1), 2, { stride: 1, padding: 1 }).values()]).toEqual([-3, -1, -1, -5])
})

test.each<[string, () => unknown, RegExp]>([
  ["axes missing", () => conv2d(zeros([4, 4, 1]), zeros([2, 2, 1, 1])), /conv2d: wants \[n, height, width, channels\]/],
  ["other channels", () => conv2d(zeros([1, 4, 4, 3]), zeros([2, 2, 1, 1])), /weights must have 3 channels, those of a group/],
  ["groups that do not divide", () => conv1d(zeros([1, 4, 3]), zeros([2, 1, 2]), { groups: 2 }), /2 groups must divide/],
  ["a stride of 0", () => conv1d(zeros([1, 4, 1]), zeros([2, 1, 1]), { stride: 0 }), /stride must be a whole number >= 1/],
  ["strides for three axes", () => conv2d(zeros([1, 4, 4, 1]), zeros([2, 2, 1, 1]), { stride: [1, 2, 3] }), /or 2 of them; got \[1,2,3\]/],
  ["an unknown padding", () => conv1d(zeros([1, 4, 1]), zeros([2, 1, 1]), { padding: "full" as any }), /padding must be "valid", "same"/],
  ["two dtypes", () => conv1d(zeros([1, 4, 1]), zeros([2, 1, 1], { dtype: "f64" })), /operands must be numbers of one dtype/],
  ["too much taken away", () => convTranspose1d(zeros([1, 1, 1]), zeros([2, 1, 1]), { padding: 3 }), /padding takes away more/],
  ["pooling of a matrix", () => maxPool(zeros([2, 2]), 2), /maxPool: wants \[n, ...places, channels\]/],
])("throws: %s", (_name, f, message) => expect(f).toThrow(message)) // biome-ignore format: one line each
