// What is wrong with a gradient: the mistakes of the texts and of people, in the right layer; and nobody is accused who is right.
import { describe, expect, test } from "vitest"
import { type Diagnosis, diagnose, renderDiagnosis } from "../src/explain.ts"
import {
  add,
  customVjp,
  div,
  floor,
  grad,
  matmul,
  mean,
  mul,
  random,
  relu,
  scan,
  sigmoid,
  softmax,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
} from "../src/index.ts"
import { dense, logistic as logisticLayer, sequential, tanh as tanhLayer } from "../src/nn.ts"
import {
  type ActivationName,
  backwardOf,
  columns,
  each,
  forwardOf,
  inputsOf,
  type LossName,
  type Matrix,
  type Net,
  namesOf,
  right,
  type Steps,
  slope,
  times,
  turned,
  zip,
} from "./hand-written.ts"

const net = (more: Partial<Net> = {}): Net => ({ sizes: [3, 4, 2], activation: "tanh", loss: "meanSquared", rows: 5, bias: true, ...more })
const look = (n: Net, wrong: Partial<Steps> = {}, seed = 3): Diagnosis =>
  diagnose(forwardOf(n), backwardOf(n, wrong), inputsOf(n, seed), { names: namesOf(n) })

test("none of 200 right backward passes is accused", () => {
  const activations: ActivationName[] = ["sigmoid", "tanh", "relu", "softplus", "linear"]
  const losses: LossName[] = ["meanSquared", "halfSumSquared", "crossEntropy", "binaryCrossEntropy"]
  let seed = 0
  const verdicts: string[] = []
  for (const activation of activations)
    for (const loss of losses)
      for (const bias of [true, false])
        for (const rows of [1, 2, 7])
          for (const sizes of rows === 2
            ? [[3, 4, 2]]
            : [
                [2, 2, 2],
                [3, 5, 4, 3],
              ].slice(0, rows === 1 ? 1 : 2)) {
            seed++
            const report = look(net({ activation, loss, bias, rows, sizes }), {}, seed)
            verdicts.push(
              report.verdict === "right" ? "right" : `${activation} ${loss} ${bias} ${rows} ${sizes}: ${renderDiagnosis(report)}`,
            )
          }
  for (; verdicts.length < 200; seed++)
    verdicts.push(look(net({ sizes: [4, 3, 3, 2], activation: activations[seed % 5]! }), {}, seed).verdict)
  expect(verdicts.filter(v => v !== "right")).toEqual([])
  expect(verdicts.length).toBe(200)
})

/** The only finding, as `kinds | layer | its gradients | those that follow`. */
type Row = readonly [name: string, n: Net, wrong: Partial<Steps>, finding: string]
const S = (n: Net): Steps => right(n)
const tanhNet = net()
const sigmoidNet = net({ activation: "sigmoid" })
const reluNet = net({ activation: "relu", sizes: [3, 6, 2] })
const classes = net({ loss: "crossEntropy", sizes: [3, 4, 3] })
const binary = net({ loss: "binaryCrossEntropy" })
const logistic = net({ loss: "binaryCrossEntropy", sizes: [3, 1], rows: 4 })
const halves = net({ loss: "halfSumSquared" })
const squareNet = net({ sizes: [3, 3, 3], loss: "halfSumSquared", rows: 4 })
const all3 = net({ sizes: [3, 3, 3], rows: 3, loss: "halfSumSquared" })
const negative = (m: Matrix): Matrix => each(m, x => -x)
const scale = (g: unknown, c: number): any => (Array.isArray(g) ? g.map(x => scale(x, c)) : (g as number) * c)
const only = (l: number, change: (usual: any, ...rest: any[]) => unknown, step: "weights" | "bias", n: Net): Partial<Steps> => ({
  [step]: (...args: any[]) => {
    const usual = (S(n)[step] as any)(...args)
    return args[step === "weights" ? 2 : 1] === l ? change(usual, ...args) : usual
  },
})

const texts: readonly Row[] = [
  ["bias loop with index 0 for every neuron", tanhNet, only(0, g => g.map(() => g[0]), "bias", tanhNet), "firstEverywhere | b1 | b1 |"],
  [
    "hidden bias slope without the activation's derivative",
    sigmoidNet,
    { bias: (delta, l, ct) => columns(l === 0 ? ct : delta) },
    "noDerivative | W1, b1 | b1 |",
  ],
  [
    "softmax differentiated element by element",
    classes,
    { delta: (_a, y, t, { rows }) => zip(y, t, (y, t) => ((-t / y) * y * (1 - y)) / rows) },
    "softmaxElementwise | W2, b2 | W2, b2 | W1, b1",
  ],
  [
    "(y - t) h' as delta of softmax with cross-entropy",
    classes,
    { delta: (_a, y, t, { rows }) => zip(y, t, (y, t) => ((y - t) * y * (1 - y)) / rows) },
    "extraDerivative | W2, b2 | W2, b2 | W1, b1",
  ],
  [
    "(y - t) h' as delta of sigmoid with cross-entropy",
    binary,
    { delta: (_a, y, t, { rows }) => zip(y, t, (y, t) => ((y - t) * y * (1 - y)) / rows) },
    "extraDerivative | W2, b2 | W2, b2 | W1, b1",
  ],
  ["binary cross-entropy without its minus", binary, { delta: (...a) => negative(S(binary).delta(...a)) }, "sign |  | W1, b1, W2, b2 |"],
  ["logistic regression times an extra -1", logistic, { last: g => scale(g, -1) }, "sign |  | W1, b1 |"],
  [
    "logistic regression with -1 added",
    logistic,
    { delta: (...a) => each(S(logistic).delta(...a), d => d - 1) },
    "shifted | W1, b1 | W1, b1 |",
  ],
  ["ds/db = 0", tanhNet, only(1, g => g.map(() => 0), "bias", tanhNet), "zero | b2 | b2 |"],
  ["new W1 and W2 exchanged", squareNet, { last: ([w1, b1, w2, b2]) => [w2, b1, w1, b2] }, "swapped | W2 | W2 | W1"],
  [
    "delta = (y - t) + y_in",
    net({ loss: "meanSquared", rows: 1 }),
    {
      delta: (a, y, t) =>
        zip(
          zip(y, t, (y, t) => y - t),
          a,
          (d, a) => d + a,
        ),
    },
    "sumForProduct | W2, b2 | W2, b2 | W1, b1",
  ],
  ["delta_j = din + z_in", tanhNet, { through: (ct, a) => zip(ct, a, (c, a) => c + a) }, "sumForProduct | W1, b1 | W1, b1 |"],
  [
    "delta_j = din + h'(z_in)",
    tanhNet,
    { through: (ct, a) => zip(ct, a, (c, a) => c + slope.tanh(a)) },
    "sumForProduct | W1, b1 | W1, b1 |",
  ],
  [
    "the hidden sum over the wrong index",
    squareNet,
    { back: (d, w) => d.map(r => r.map((x, k) => w.reduce((s, row) => s + x * row[k]!, 0))) },
    "wrongSumIndex | W1, b1 | W1, b1 |",
  ],
  [
    "one scalar for all last-layer weights",
    tanhNet,
    only(1, (g: Matrix) => each(g, () => g[0]![0]! + g[1]![1]!), "weights", tanhNet),
    "oneScalar | W2 | W2 |",
  ],
  ["a circle for a matrix product", all3, { back: (d, w) => zip(d, turned(w), (x, y) => x * y) }, "elementwise | W1, b1 | W1, b1 |"],
  ["w_jk and w_ij in opposite directions", squareNet, { back: times }, "notTransposed | W1, b1 | W1, b1 |"],
  [
    "a sum for a product of vectors",
    tanhNet,
    { through: (ct, a) => zip(ct, a, (c, a) => c - slope.tanh(a)) },
    "sumForProduct | W1, b1 | W1, b1 |",
  ],
]

const people: readonly Row[] = [
  ["1/N of the mean missing", tanhNet, { last: g => scale(g, 10) }, "missingMean |  | W1, b1, W2, b2 |"],
  ["1/N of the mean and 2 of the square missing", classes, { last: g => scale(g, 2.5) }, "missingMean+missingTwo |  | W1, b1, W2, b2 |"],
  ["divided by N, and 2 too many", classes, { last: g => scale(g, 2 / 5) }, "extraMean+extraTwo |  | W1, b1, W2, b2 |"],
  ["divided by N twice", classes, { last: g => scale(g, 1 / 5) }, "extraMean |  | W1, b1, W2, b2 |"],
  ["the mean of the bias instead of the sum", halves, only(0, g => scale(g, 1 / 5), "bias", halves), "extraMean | b1 | b1 |"],
  ["2 of the square missing", tanhNet, { last: g => scale(g, 0.5) }, "missingTwo |  | W1, b1, W2, b2 |"],
  ["1/2 of the loss missing", halves, { last: g => scale(g, 2) }, "extraTwo |  | W1, b1, W2, b2 |"],
  ["sign and 1/N", halves, { last: g => scale(g, -1 / 5) }, "extraMean+sign |  | W1, b1, W2, b2 |"],
  ["no derivative of the hidden activation", tanhNet, { through: ct => ct }, "noDerivative | W1, b1 | W1, b1 |"],
  [
    "no derivative of the output",
    tanhNet,
    { delta: (_a, y, t) => zip(y, t, (y, t) => (2 * (y - t)) / 10) },
    "noDerivative | W2, b2 | W2, b2 | W1, b1",
  ],
  [
    "the derivative at the activation",
    tanhNet,
    { through: (ct, _a, z) => zip(ct, z, (c, z) => c * slope.tanh(z)) },
    "derivativeAtOutput | W1, b1 | W1, b1 |",
  ],
  [
    "y (1 - y) of the pre-activation",
    sigmoidNet,
    { through: (ct, a) => zip(ct, a, (c, a) => c * a * (1 - a)) },
    "outputFormulaAtInput | W1, b1 | W1, b1 |",
  ],
  [
    "sigmoid's derivative for tanh",
    tanhNet,
    { through: (ct, _a, z) => zip(ct, z, (c, z) => c * z * (1 - z)) },
    "otherDerivative | W1, b1 | W1, b1 |",
  ],
  [
    "the mask of relu upside down",
    reluNet,
    { through: (ct, a) => zip(ct, a, (c, a) => (a > 0 ? 0 : c)) },
    "invertedMask | W1, b1 | W1, b1 |",
  ],
  [
    "the activation for its derivative",
    tanhNet,
    { through: (ct, _a, z) => zip(ct, z, (c, z) => c * z) },
    "valueForDerivative | W1, b1 | W1, b1 |",
  ],
  ["a transposed gradient", squareNet, only(0, turned, "weights", squareNet), "transposed | W1 | W1 |"],
  ["a transposed gradient of another shape", tanhNet, only(0, turned, "weights", tanhNet), "transposed | W1 | W1 |"],
  [
    "the bias not summed over the batch",
    tanhNet,
    { bias: (delta, l) => (l === 1 ? delta : columns(delta)) },
    "batchSumMissing | b2 | b2 |",
  ],
  [
    "the bias of the last example only",
    tanhNet,
    { bias: (delta, l) => (l === 1 ? delta.at(-1) : columns(delta)) },
    "lastExampleOnly | b2 | b2 |",
  ],
  [
    "weights of the first example only",
    tanhNet,
    { weights: (z, d, l) => times(turned(l === 0 ? [z[0]!] : z), l === 0 ? [d[0]!] : d) },
    "firstExampleOnly | W1 | W1 |",
  ],
  [
    "the first output only in the hidden sum",
    tanhNet,
    { back: (d, w) => d.map(r => w.map(row => r[0]! * row[0]!)) },
    "firstOutputOnly | W1, b1 | W1, b1 |",
  ],
  [
    "pre-activations for activations in the gradient",
    tanhNet,
    { weights: (z, d, l, before) => times(turned(l === 1 ? before : z), d) },
    "wrongInput | W2 | W2 |",
  ],
  [
    "the input of the layer missing",
    tanhNet,
    { weights: (z, d, l) => (l === 1 ? z[0]!.map(() => columns(d)) : times(turned(z), d)) },
    "inputLeftOut | W2 | W2 |",
  ],
  ["sign of one gradient", tanhNet, only(1, g => scale(g, -1), "weights", tanhNet), "sign | W2 | W2 |"],
  ["times a learning rate", tanhNet, { last: g => scale(g, 0.03) }, "scaled |  | W1, b1, W2, b2 |"],
  [
    "a clipped gradient",
    tanhNet,
    only(0, (g: Matrix) => each(g, x => Math.min(0.01, Math.max(-0.01, x))), "weights", tanhNet),
    "clipped | W1 | W1 |",
  ],
  ["no derivative, and the sign", tanhNet, { through: ct => negative(ct) }, "noDerivative+sign | W1, b1 | W1, b1 |"],
]

const kinds = (report: Diagnosis): string[] => report.findings.map(x => x.mistakes.map(m => m.kind).join("+"))
const told = (report: Diagnosis): string[] =>
  report.findings.map(x => `${x.mistakes.map(m => m.kind).join("+")} | ${x.layer} | ${x.leaves.join(", ")} | ${x.follow.join(", ")}`.trim())

describe.each([
  ["the texts", texts],
  ["people", people],
])("mistakes of %s", (_name, rows) => {
  test.each(rows)("%s", (_row, n, wrong, finding) => {
    const report = look(n, wrong)
    expect(told(report)).toEqual([finding])
    expect(report.verdict).toBe("wrong")
    expect(JSON.parse(JSON.stringify(report)).findings[0].sentence).toBe(report.findings[0]!.sentence)
    for (const line of renderDiagnosis(report).split("\n")) expect(line.length).toBeLessThanOrEqual(line.includes("forward: ") ? 200 : 80)
  })
})

// Programs that are no plain network

const x = tensor([
  [0.3, -0.7],
  [1.1, 0.4],
  [-0.5, 0.9],
])
const w = tensor([
  [0.5, -0.3],
  [0.2, 0.8],
])
const v = tensor([
  [0.7, 0.1],
  [-0.4, 0.6],
])
const constant = tensor([
  [0.2, 0.4],
  [1, 0.3],
  [0.6, -1],
])
/** adjoint's own gradients of another function: what one gets who forgets a part of it. */
const gradientOf =
  (f: (...args: any[]) => Tensor) =>
  (...xs: Tensor[]): unknown[] =>
    xs.map((_, argnums) => grad(f, { argnums })(...xs))
const loss = (y: Tensor): Tensor => mean(square(y))
const same = (x: Tensor): Tensor => x
const normalized = (h: Tensor, keep: (x: Tensor) => Tensor = same): Tensor => {
  const d = sub(h, keep(mean(h, { axis: 0, keepdims: true })))
  return div(d, keep(sqrt(add(mean(square(d), { axis: 0, keepdims: true }), 1e-5))))
}
const attention = (q: Tensor, k: Tensor, x: Tensor, c: number): Tensor =>
  loss(sub(matmul(softmax(mul(matmul(matmul(x, q), transpose(matmul(x, k))), c)), x), 1))
const step = (w: Tensor) => (h: Tensor, x: Tensor) => [tanh(add(matmul(h, w), x)), null] as const

type Program = readonly [
  name: string,
  forward: (...args: any[]) => Tensor,
  backward: ((...args: any[]) => unknown) | readonly unknown[],
  inputs: readonly unknown[],
  finding: RegExp,
]
const programs: readonly Program[] = [
  [
    "a skip forgotten",
    (w, v, x) => loss(matmul(add(tanh(matmul(x, w)), matmul(x, w)), v)),
    (w, v, x) => {
      const h = (w: Tensor, u: Tensor) => add(tanh(matmul(x, w)), matmul(x, u))
      return [grad((u: Tensor) => loss(matmul(h(u, w), v)))(w), grad((v: Tensor) => loss(matmul(h(w, w), v)))(v), null]
    },
    [w, v, x],
    /^pathLeftOut \| w \| w/,
  ],
  [
    "weight decay forgotten",
    (w, x) => add(loss(matmul(x, w)), mul(sum(square(w)), 0.05)),
    (w, x) => [grad((w: Tensor) => loss(matmul(x, w)))(w), null],
    [w, x],
    /^(pathLeftOut|weightDecay) \| w \| w/,
  ],
  [
    "one of two uses of shared weights forgotten",
    (w, x) => loss(matmul(tanh(matmul(x, w)), w)),
    (w, x) => [grad((u: Tensor) => loss(matmul(tanh(matmul(x, w)), u)))(w), null],
    [w, x],
    /^pathLeftOut \| w \| w/,
  ],
  [
    "the last time step only",
    (w, h, xs) => loss(scan(step(w), h, xs)[0]),
    (w, h, xs) => {
      const before = scan(step(w), h, xs.slice([0, 1]))[0]
      return [grad((u: Tensor) => loss(step(u)(before, xs.at(1))[0]))(w), null, null]
    },
    [w, x, tensor([x.toArray(), constant.toArray()] as number[][][])],
    /^pathLeftOut \| w \| w/,
  ],
  [
    "the mean of a batch taken for a constant",
    (w, x, c) => loss(sub(normalized(matmul(x, w)), c)),
    (w, x, c) => {
      const shifted = (h: Tensor) => {
        const d = sub(h, stopGradient(mean(h, { axis: 0, keepdims: true })))
        return div(d, sqrt(add(mean(square(d), { axis: 0, keepdims: true }), 1e-5)))
      }
      return [grad((w: Tensor) => loss(sub(shifted(matmul(x, w)), c)))(w), null, null]
    },
    [w, x, constant],
    /^pathLeftOut \| w \| w/,
  ],
  [
    "mean and deviation of a batch taken for constants",
    (w, x, c) => loss(sub(normalized(matmul(x, w)), c)),
    (w, x, c) => [grad((w: Tensor) => loss(sub(normalized(matmul(x, w), stopGradient), c)))(w), null, null],
    [w, x, constant],
    /^pathLeftOut(\+pathLeftOut)? \| w \| w/,
  ],
  [
    "the scale of attention forgotten",
    (q, k, x) => attention(q, k, x, 0.7),
    (q, k, x) => [0, 1].map(i => grad(attention, { argnums: i })(q, k, x, 0.7).div(0.7)).concat([null as never]),
    [w, v, x],
    /^factorLeftOut \| /,
  ],
  [
    "the mask of a dropout forgotten",
    (w, v, mask, x) => loss(matmul(mul(tanh(matmul(x, w)), mask), v)),
    (w, v, mask, x) => {
      const h = tanh(matmul(x, w))
      const d = mul(matmul(mul(h, mask), v), 2 / 6)
      const back = matmul(d, transpose(v)) // without the mask
      return [matmul(transpose(x), mul(back, sub(1, mul(h, h)))), matmul(transpose(mul(h, mask)), d), null, null]
    },
    [
      w,
      v,
      tensor([
        [2, 0],
        [0, 2],
        [2, 2],
      ]),
      x,
    ],
    /^factorLeftOut \| w \| w/,
  ],
  [
    "cotangent first",
    (w, x) => loss(matmul(x, w)),
    (ct, w, x) => [
      grad((w: Tensor) => loss(matmul(x, w)))(w)
        .mul(ct)
        .neg(),
      null,
    ],
    [w, x],
    /^sign \| {2}\| w/,
  ],
  [
    "a list instead of a function",
    (w, x) => loss(matmul(x, w)),
    [grad((w: Tensor) => loss(matmul(x, w)))(w).neg(), null],
    [w, x],
    /^sign \| {2}\| w/,
  ],
  [
    "trees of parameters",
    (p, x) => loss(add(matmul(x, p.layer.w), p.layer.b)),
    (p, x) => [{ layer: { w: grad((p: any) => loss(add(matmul(x, p.layer.w), p.layer.b)))(p).layer.w.neg(), b: null } }, null],
    [{ layer: { w, b: tensor([0.1, 0.2]) } }, x],
    /^sign \| {2}\| p\.layer\.w/,
  ],
  ["in f32 only", (w, y) => loss(matmul(add(x, y), w)), gradientOf((w, y) => mul(loss(matmul(add(x, y), w)), -1)), [w, x], /^sign \|/],
]
test.each(programs)("%s", (_name, forward, backward, inputs, finding) => {
  const report = diagnose(forward, backward as never, inputs)
  expect(told(report)[0]).toMatch(finding)
  expect(report.findings.length).toBe(1)
})

test("layers are called by their scope, and one cause is named for all that comes before it", () => {
  const model = sequential(dense(2, 3), tanhLayer(), dense(3, 3), logisticLayer(), dense(3, 1))
  const { params, state } = model.init(random.key(4), [2])
  const forward = (p: typeof params, x: Tensor): Tensor => loss(sub(model.apply(p, state, x)[0], 1))
  const backward = (p: any, x: Tensor): unknown[] => {
    const [a, b, c] = [p.layers[0], p.layers[2], p.layers[4]]
    const h = tanh(add(matmul(x, a.w), a.b))
    const g = sigmoid(add(matmul(h, b.w), b.b))
    const d3 = mul(sub(add(matmul(g, c.w), c.b), 1), 2 / 3)
    const d2 = matmul(d3, transpose(c.w)) // the derivative of sigmoid is missing
    const d1 = mul(matmul(d2, transpose(b.w)), sub(1, square(h)))
    const layer = (z: Tensor, d: Tensor) => ({ w: matmul(transpose(z), d), b: sum(d, { axis: 0 }) })
    return [{ layers: [layer(x, d1), null, layer(h, d2), null, layer(g, d3)] }, null]
  }
  const report = diagnose(forward, backward, [params, x])
  expect(told(report)).toEqual(["noDerivative | layers.2 | p.layers.2.w, p.layers.2.b | p.layers.0.w, p.layers.0.b"])
  expect(report.leaves.filter(l => l.agrees).map(l => l.path)).toEqual(["p.layers.4.w", "p.layers.4.b"])
})

test("two mistakes in two layers, each in its own", () => {
  const n = net({ sizes: [3, 4, 4, 2] })
  const wrong: Partial<Steps> = {
    ...only(2, g => g.map(() => 0), "bias", n),
    through: (ct, a, _z, l) => zip(ct, a, (c, a) => (l === 1 ? c : c * slope.tanh(a))),
  }
  expect(told(look(n, wrong))).toEqual(["zero | b3 | b3 |", "noDerivative | W1, b1 | W1, b1 |"])
})

test("a mistake that is none of these is called unknown, and rounding is not called a mistake", () => {
  const strange = only(1, (g: Matrix) => g.map((r, i) => r.map((x, j) => x * (1 + ((i * 7 + j * 3) % 5)))), "weights", tanhNet)
  expect(told(look(tanhNet, strange))).toEqual(["unknown | W2 | W2 |"])
  const rounded = only(1, (g: Matrix) => each(g, x => x * (1 + 1e-5 * Math.sin(1e6 * x))), "weights", tanhNet)
  expect(kinds(look(tanhNet, rounded))).toEqual(["imprecise"])
})

test("what cannot be told apart is said", () => {
  const two = look(net({ rows: 2, loss: "halfSumSquared", sizes: [3, 2] }), { last: g => scale(g, 2) })
  expect(kinds(two)).toEqual(["extraTwo"])
  expect(two.findings[0]!.sentence).toContain("2 may be a number of elements too")
})

test("rules of customVjp: the gradient of the function itself", () => {
  const gate = (back: (y: Tensor, ct: Tensor) => Tensor) =>
    customVjp(
      tanh as (a: Tensor) => Tensor,
      a => [tanh(a), tanh(a)] as const,
      (y: Tensor, ct) => [back(y, ct)],
    )
  const x64 = tensor(x.toArray() as number[][], { dtype: "f64" })
  const f = (h: (a: Tensor) => Tensor) => (w: Tensor, v: Tensor) => loss(sub(matmul(h(matmul(x64, w)), v), 1))
  const right = gate((y, ct) => mul(ct, sub(1, mul(y, y))))
  const wrong = gate((_y, ct) => ct)
  const fine = diagnose(f(right), [w, v])
  expect([fine.verdict, fine.dtype]).toEqual(["right", "f64"])
  expect(renderDiagnosis(fine)).toBe("All 2 gradients are right.")
  const report = diagnose(f(wrong), [w, v])
  expect(kinds(report)).toEqual(["noDerivative"])
  expect(report.findings[0]!.leaves).toEqual(["w"])
  expect(report.findings[0]!.remedy).toContain("customVjp")
  // a gradient by hand is held against the function, not against such a rule inside of it
  expect(diagnose(f(wrong), gradientOf(f(a => tanh(a))), [w, v]).verdict).toBe("right")
})

test("nobody is accused at a kink, or where differences disagree with the reference", () => {
  // relu'(0) is what one calls it
  const atKink = diagnose(
    (w: Tensor) => sum(relu(w)),
    (w: Tensor) => [(w.toArray() as number[]).map(a => Number(a >= 0))],
    [tensor([0, 1, -1])],
  )
  expect([atKink.verdict, atKink.reason]).toEqual(["right", expect.stringContaining("kink")])
  const jumps = diagnose(
    (w: Tensor) => sum(mul(floor(mul(w, 1e7)), w)),
    () => [[1, 1]],
    [tensor([0.3, 0.7])],
  )
  expect(jumps.verdict).toBe("undecided")
  expect(renderDiagnosis(jumps)).toContain("differences")
})

test("what cannot be diagnosed", () => {
  const two = (a: Tensor, b: Tensor): Tensor => loss(add(a, b))
  expect(() => diagnose(same, () => [w], [w])).toThrow(/floating-point scalar.*it returned f\d\d\[2,2\]/)
  expect(() => diagnose(two, () => [w], [w, w])).toThrow(/a list with 2 entries.*it returned 1 of them/)
  expect(() => diagnose(loss, () => ["a"], [w])).toThrow(/must hold numbers; it holds string/)
  expect(() => diagnose(loss, () => [null], [w])).toThrow(/null for every input/)
  expect(() => diagnose(loss, 3 as never, [w])).toThrow(/wants forward, backward and a list of inputs/)
})

test("the report as text", () => {
  const lines = renderDiagnosis(look(sigmoidNet, { through: ct => ct })).split("\n")
  expect(lines.filter(l => !l.includes("forward: "))).toMatchInlineSnapshot(`
    [
      "2 of 4 gradients are wrong; explanations were tried at 3 places.",
      "",
      "W1, b1: the derivative of sigmoid is missing (gradient of W1 and b1).",
      "                yours         true  yours / true",
      "  W1[0,1]  0.02251362  0.004888407      4.605513",
      "  W1[0,0]  0.02055943  0.004818227      4.267011",
      "  Multiply the delta by sigmoid'(a), elementwise, before it goes on.",
    ]
  `)
  expect(lines.some(l => /forward: .*hand-written\.ts:\d+/.test(l))).toBe(true)
})
