// Mistakes that were written down before it was known what is said of them: named rightly, in the right layer, or called unknown.
import { describe, expect, test } from "vitest"
import { diagnose } from "../src/explain.ts"
import {
  add,
  conv1d,
  div,
  flip,
  grad,
  matmul,
  maxPool,
  mean,
  mul,
  scan,
  softmax,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
  transpose,
} from "../src/index.ts"
import { backwardOf, columns, each, forwardOf, inputsOf, type Net, namesOf, right, type Steps, times, turned, zip } from "./hand-written.ts"

const net = (more: Partial<Net> = {}): Net => ({ sizes: [3, 4, 2], activation: "tanh", loss: "meanSquared", rows: 5, bias: true, ...more })
const tanhNet = net()
const square3 = net({ sizes: [3, 3, 3, 3], loss: "halfSumSquared", rows: 4 })
const reluNet = net({ activation: "relu", sizes: [3, 4, 4, 2] })
const halves = net({ loss: "halfSumSquared" })
const classes = net({ loss: "crossEntropy", sizes: [3, 4, 3] })

/** What is said: the mistakes with their alternatives, the layer, and the gradients. */
type Row = readonly [name: string, n: Net, wrong: (n: Net, args: readonly Tensor[]) => Partial<Steps>, finding: string]
const steps = (f: (s: Steps) => Partial<Steps>) => (n: Net) => f(right(n))
const gradientsAt = (n: Net, args: readonly Tensor[]): any[] => backwardOf(n)(...args)
const scaled = (g: any, c: number): any => (Array.isArray(g) ? g.map(x => scaled(x, c)) : g * c)
const plus = (a: any, b: any): any => (Array.isArray(a) ? a.map((x, i) => plus(x, b[i])) : a + b)

const rows: readonly Row[] = [
  ["the gradient of another layer copied", square3, () => ({ last: g => g.map((x, i) => (i === 2 ? g[4] : x)) }), "unknown | W2 | W2 |"],
  [
    "a learning rate multiplied in",
    tanhNet,
    () => ({ last: g => scaled(g, 0.05) }),
    "extraMean+missingTwo or scaled |  | W1, b1, W2, b2 |",
  ],
  [
    "a learning rate multiplied in, in one layer",
    tanhNet,
    () => ({ last: g => g.map((x, i) => (i === 0 ? scaled(x, 0.05) : x)) }),
    "extraMean+missingTwo or scaled | W1 | W1 |",
  ],
  [
    "momentum added in",
    tanhNet,
    (n, args) => ({
      last: g =>
        g.map((x, i) => (x === null ? x : plus(x, scaled(gradientsAt(n, inputsOf(n, 77).slice(0, -2).concat(args.slice(-2)))[i], 0.9)))),
    }),
    "unknown | b2 | b2 | W2, b1, W1",
  ],
  [
    "the gradient of the batch before",
    tanhNet,
    (n, args) => ({ last: () => gradientsAt(n, [...args.slice(0, -2), ...inputsOf(n, 78).slice(-2)]).slice(0, -2) }),
    "unknown | b2 | b2 | W2, b1, W1",
  ],
  [
    "weight decay once too often",
    tanhNet,
    (_, args) => ({ last: g => g.map((x, i) => (i === 2 ? plus(x, scaled(args[2]!.toArray(), 0.01)) : x)) }),
    "weightDecay | W2 | W2 |",
  ],
  [
    "the mask of relu from another layer",
    reluNet,
    (_, args) => {
      const [w, b, x] = [args[0]!, args[1]!, args.at(-2)!].map(t => t.toArray()) as any
      const first = times(x, w).map((r: number[]) => r.map((v, j) => v + b[j]))
      return { through: (ct, a, _z, l) => zip(ct, l === 2 ? first : a, (c, a) => (a > 0 ? c : 0)) }
    },
    "unknown | b2 | b2 | W2, b1, W1",
  ],
  [
    "a mean over features instead of the batch",
    tanhNet,
    steps(s => ({ last: g => scaled(g, 5 / 3), delta: s.delta })),
    "scaled or pathScaled |  | W1, b1, W2, b2 |",
  ],
  [
    "the bias averaged, the weights summed",
    halves,
    () => ({ bias: delta => scaled(columns(delta), 1 / 5) }),
    "extraMean | b2 | b2 |; extraMean | b1 | b1 |",
  ],
  [
    "softmax without the row of the target",
    classes,
    () => ({ delta: (_a, y, t, { rows }) => zip(y, t, (y, t) => (t ? 0 : y) / rows) }),
    "unknown | b2 | b2 | W2, b1, W1",
  ],
  [
    "softmax without its target",
    classes,
    () => ({ delta: (_a, y, _t, { rows }) => each(y, y => y / rows) }),
    "targetLeftOut or pathLeftOut | W2, b2 | W2, b2 | W1, b1",
  ],
  ["y + t", halves, () => ({ delta: (_a, y, t) => zip(y, t, (y, t) => y + t) }), "targetSign | W2, b2 | W2, b2 | W1, b1"],
  [
    "y + t of softmax",
    classes,
    () => ({ delta: (_a, y, t, { rows }) => zip(y, t, (y, t) => (y + t) / rows) }),
    "targetSign or pathSign | W2, b2 | W2, b2 | W1, b1",
  ],
  [
    "the derivative squared",
    tanhNet,
    () => ({ through: (ct, _a, z) => zip(ct, z, (c, z) => c * (1 - z * z) ** 2) }),
    "derivativeTwice | W1, b1 | W1, b1 |",
  ],
  [
    "no transposition in a square layer",
    square3,
    () => ({ back: (d, w, l) => times(d, l === 2 ? w : turned(w)) }),
    "notTransposed | W2, b2 | W2, b2 | W1, b1",
  ],
  [
    "the input transposed in a square layer",
    net({ sizes: [4, 4, 4], rows: 4, loss: "halfSumSquared" }),
    () => ({ weights: (z, d, l) => times(l === 1 ? z : turned(z), d) }),
    "inputNotTransposed | W2 | W2 |",
  ],
]

const x = tensor([[0.3, -0.7], [1.1, 0.4], [-0.5, 0.9]]) // biome-ignore format: a matrix
const w = tensor([[0.5, -0.3], [0.2, 0.8]]) // biome-ignore format: a matrix
const v = tensor([[0.7, 0.1], [-0.4, 0.6]]) // biome-ignore format: a matrix
const mask = tensor([[2, 0], [0, 2], [2, 2]]) // biome-ignore format: a matrix
const loss = (y: Tensor): Tensor => mean(square(sub(y, 1)))
/** Gradients of another function: what one gets who forgets a part of the first. */
const of =
  (f: (...args: any[]) => Tensor, n: number) =>
  (...xs: Tensor[]): unknown[] =>
    xs.map((_, argnums) => (argnums < n ? grad(f, { argnums })(...xs) : null))
const norm = (h: Tensor, keep: (x: Tensor) => Tensor): Tensor => {
  const d = sub(h, keep(mean(h, { axis: 1, keepdims: true })))
  return div(d, keep(sqrt(add(mean(square(d), { axis: 1, keepdims: true }), 1e-5))))
}
const same = (x: Tensor): Tensor => x
const attention =
  (back: number) =>
  (q: Tensor, k: Tensor, x: Tensor): Tensor => {
    const s = matmul(matmul(x, q), transpose(matmul(x, k)))
    const scale = Math.SQRT1_2
    // scaled forwards, with another scale on the way back
    const t = add(mul(stopGradient(s), scale - back), mul(s, back))
    return loss(matmul(softmax(add(t, mul(stopGradient(s), 0))), x))
  }
const classesOf = tensor([0, 2, 0, 1], { dtype: "i32" })
const table = tensor([[0.3, -0.2], [0.8, 0.1], [-0.4, 0.5]]) // biome-ignore format: a matrix
const series = tensor([[[0.2], [0.7], [-0.3], [0.9], [0.4], [-0.8]]]) // [1, 6, 1]
const kernel = tensor([[[0.5]], [[-0.3]], [[0.8]]]) // [3, 1, 1]
const step = (w: Tensor) => (h: Tensor, x: Tensor) => [tanh(add(matmul(h, w), x)), null] as const
const steps3 = tensor([x.toArray(), mask.toArray(), x.toArray()] as number[][][])

type Program = readonly [
  name: string,
  forward: (...args: any[]) => Tensor,
  backward: (...args: any[]) => unknown,
  inputs: readonly unknown[],
  finding: string,
]
const programs: readonly Program[] = [
  [
    "the mask of a dropout missing backwards",
    (w, v, x) => loss(matmul(mul(tanh(matmul(x, w)), mask), v)),
    (w, v, x) => {
      const gv = grad((v: Tensor) => loss(matmul(mul(tanh(matmul(x, w)), mask), v)))(v)
      const h = tanh(matmul(x, w))
      const d = matmul(mul(sub(matmul(mul(h, mask), v), 1), 2 / 6), transpose(v))
      return [matmul(transpose(x), mul(d, sub(1, square(h)))), gv, null]
    },
    [w, v, x],
    "factorLeftOut | w | w |",
  ],
  [
    "layer norm element by element",
    (w, x) => loss(norm(matmul(x, w), same)),
    of((w, x) => loss(norm(matmul(x, w), stopGradient)), 1),
    [
      tensor([
        [0.5, -0.3, 0.9],
        [0.2, 0.8, -0.6],
      ]),
      x,
    ],
    "pathLeftOut+pathLeftOut | w | w |",
  ],
  [
    "the scale of attention missing backwards",
    attention(Math.SQRT1_2),
    of(attention(1), 2),
    [w, v, x],
    "factorLeftOut or valueForDerivative | q, k | q, k |",
  ],
  [
    "an embedding overwritten",
    table => loss(tanh(take(table, classesOf, { axis: 0 }))),
    table => {
      const rows = grad((r: Tensor) => loss(tanh(r)))(take(table, classesOf, { axis: 0 })).toArray() as number[][]
      const g: number[][] = [[0, 0], [0, 0], [0, 0]] // biome-ignore format: a matrix
      ;(classesOf.toArray() as number[]).forEach((c, i) => (g[c] = rows[i]!))
      return [g]
    },
    [table],
    "unknown | table | table |",
  ],
  [
    "time stopped after one turn",
    (w, h, xs) => loss(scan(step(w), h, xs)[0]),
    (w, h, xs) => {
      const before = scan(step(w), h, xs.slice([0, 2]))[0]
      return [grad((u: Tensor) => loss(step(u)(before, xs.at(2))[0]))(w), null, null]
    },
    [w, x, steps3],
    "pathLeftOut | w | w |",
  ],
  [
    "the kernel not turned",
    (k, u, s) => loss(conv1d(tanh(conv1d(s, k, { padding: "same" })), u, { padding: "same" })),
    (k, u, s) => {
      const h = tanh(conv1d(s, k, { padding: "same" }))
      const d = mul(sub(conv1d(h, u, { padding: "same" }), 1), 2 / 6)
      const back = mul(conv1d(d, u, { padding: "same" }), sub(1, square(h))) // u should be flipped
      return [grad((k: Tensor) => sum(mul(conv1d(s, k, { padding: "same" }), back)))(k), null, null]
    },
    [kernel, flip(mul(kernel, 0.7).add(0.1), { axis: 0 }), series],
    "unknown | k | k |",
  ],
  [
    "the gradient of a kernel turned",
    (k, s) => loss(conv1d(s, k)),
    (k, s) => [flip(grad((k: Tensor) => loss(conv1d(s, k)))(k), { axis: 0 }), null],
    [kernel, series],
    "unknown | k | k |",
  ],
  [
    "a max pool that sends to all",
    (w, x) => loss(maxPool(tanh(matmul(x, w)).reshape([1, 2, 2, 1]), 2)),
    (w, x) => {
      const h = tanh(matmul(x, w))
      const d = mul(sub(maxPool(h.reshape([1, 2, 2, 1]), 2).reshape([1, 1]), 1), 2)
      return [matmul(transpose(x), mul(d, sub(1, square(h)))), null]
    },
    [w, x.slice([0, 2])],
    "unknown | w | w |",
  ],
  [
    "a skip that is detached",
    (w, v, x) => loss(matmul(add(tanh(matmul(x, w)), matmul(x, w)), v)),
    of((w, v, x) => loss(matmul(add(tanh(matmul(x, w)), stopGradient(matmul(x, w))), v)), 2),
    [w, v, x],
    "pathLeftOut | w | w |",
  ],
]

const told = (report: ReturnType<typeof diagnose>): string =>
  report.findings
    .map(
      x =>
        `${[x.mistakes, ...x.alternatives].map(ms => ms.map(m => m.kind).join("+")).join(" or ")} | ${x.layer} | ${x.leaves.join(", ")} | ${x.follow.join(", ")}`,
    )
    .map(text => text.trim())
    .join("; ")

describe("networks", () => {
  test.each(rows)("%s", (_name, n, wrong, finding) => {
    const backward = (...args: Tensor[]): unknown[] => backwardOf(n, wrong(n, args))(...args)
    const report = diagnose(forwardOf(n), backward, inputsOf(n, 3), { names: namesOf(n) })
    expect(report.verdict).toBe("wrong")
    expect(told(report)).toBe(finding)
  })
})
describe("programs", () => {
  test.each(programs)("%s", (_name, forward, backward, inputs, finding) => {
    const report = diagnose(forward, backward, inputs)
    expect(report.verdict).toBe("wrong")
    expect(told(report)).toBe(finding)
  })
})
