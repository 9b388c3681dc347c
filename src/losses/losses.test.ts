import { describe, expect, it } from "vitest"
import { checkGrads, grad, jit, random, type Tensor, tensor, vmap, zeros } from "../js.ts"
import * as losses from "./index.ts"
import { absoluteError, binaryCrossEntropy, crossEntropy, halfSquaredError, type Loss, squaredError } from "./index.ts"

const f64 = (x: Parameters<typeof tensor>[0]): Tensor => tensor(x, { dtype: "f64" })
const i32 = (x: Parameters<typeof tensor>[0]): Tensor => tensor(x, { dtype: "i32" })
const close = (got: Tensor, wanted: readonly number[], tolerance = 1e-14): void => {
  const values = [...got.values()]
  expect(values.length).toBe(wanted.length)
  wanted.forEach((w, i) =>
    expect(Math.abs(values[i]! - w), `${values} for ${wanted}`).toBeLessThanOrEqual(tolerance * Math.max(1e-300, Math.abs(w))),
  )
}
const sumOf = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0)

const y = f64([
  [1, 2, -3],
  [0.5, 0, 4],
])
const t = f64([
  [0, 4, -3],
  [1, 1, 1],
])
const errors = [1, -2, 0, -0.5, -1, 3]
const table: [Loss, (e: number) => number, (e: number) => number][] = [
  [squaredError, e => e * e, e => 2 * e],
  [halfSquaredError, e => (e * e) / 2, e => e],
  [absoluteError, Math.abs, Math.sign],
]
describe.each(table.map(([loss, f, df]) => [loss.kind, loss, f, df] as const))("%s", (_kind, loss, f, df) => {
  it("is the mean over all elements, the sum, or neither", () => {
    const each = errors.map(f)
    close(loss(y, t), [sumOf(each) / 6])
    close(loss(y, t, { reduction: "sum" }), [sumOf(each)])
    const single = loss(y, t, { reduction: "none" })
    expect(single.shape).toEqual([2, 3])
    close(single, each)
  })
  it("has its derivative", () => {
    close(
      grad((y: Tensor) => loss(y, t))(y),
      errors.map(e => df(e) / 6),
    )
    close(grad((y: Tensor) => loss(y, t, { reduction: "sum" }))(y), errors.map(df))
  })
})

// log(1 + exp(-x)) for t = 1 to 17 digits, by series
const certain: [number, number, number][] = [
  [0, 1, Math.LN2],
  [0, 0, Math.LN2],
  [2, 1, 0.12692801104297249],
  [-2, 0, 0.12692801104297249],
  [2, 0.25, 0.25 * 0.12692801104297249 + 0.75 * 2.126928011042972],
  [50, 1, 1.9287498479639178e-22],
  [-50, 0, 1.9287498479639178e-22],
  [-1000, 1, 1000],
  [1000, 0, 1000],
]
describe("binaryCrossEntropy", () => {
  it.each(certain)("of logit %d and target %d", (x, t, wanted) => close(binaryCrossEntropy(f64([x]), f64([t])), [wanted]))
  it("has derivative p - t, also at 0", () => {
    const x = [-1000, -2, 0, 0, 2, 1000]
    const t = [0, 1, 0, 1, 0.25, 0]
    const g = grad((x: Tensor) => binaryCrossEntropy(x, f64(t), { reduction: "sum" }))(f64(x))
    const wanted = x.map((x, i) => 1 / (1 + Math.exp(-x)) - t[i]!)
    ;[...g.values()].forEach((v, i) => expect(v).toBeCloseTo(wanted[i]!, 14))
  })
  it("is the mean over all elements", () => close(binaryCrossEntropy(zeros([2, 3]), zeros([2, 3])), [Math.LN2], 1e-7))
})

describe("crossEntropy", () => {
  const logits = [
    [1, 2, 3],
    [0, 0, 0],
  ]
  const x = f64(logits)
  const lse = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3))
  const wanted = [lse - 3, Math.log(3)]
  it("takes class numbers", () => {
    const labels = i32([2, 0])
    close(crossEntropy(x, labels, { reduction: "none" }), wanted)
    close(crossEntropy(x, labels), [sumOf(wanted) / 2])
    close(crossEntropy(x, labels, { reduction: "sum" }), [sumOf(wanted)])
  })
  it("takes distributions", () => {
    const oneHot = f64([
      [0, 0, 1],
      [1, 0, 0],
    ])
    close(crossEntropy(x, oneHot, { reduction: "none" }), wanted)
    const soft = f64([
      [0.5, 0, 0.5],
      [0, 0.25, 0.75],
    ])
    close(crossEntropy(x, soft, { reduction: "none" }), [lse - 2, Math.log(3)])
  })
  it("has derivative softmax - t over the batch", () => {
    const p = logits.map(row => row.map(v => Math.exp(v) / sumOf(row.map(Math.exp))))
    const expected = [p[0]![0]!, p[0]![1]!, p[0]![2]! - 1, p[1]![0]! - 1, p[1]![1]!, p[1]![2]!].map(v => v / 2)
    close(grad((x: Tensor) => crossEntropy(x, i32([2, 0])))(x), expected, 1e-13)
    const step = jit((x: Tensor, labels: Tensor) => grad((x: Tensor) => crossEntropy(x, labels))(x))
    close(step(x, i32([2, 0])), expected, 1e-13)
  })
  it("neither overflows nor cancels", () => {
    close(crossEntropy(f64([[1000, 0]]), i32([1])), [1000])
    close(crossEntropy(f64([[1000, 0]]), i32([0])), [0])
    close(crossEntropy(f64([[-1000, 0]]), f64([[0, 1]])), [0])
    close(crossEntropy(f64([[300, 270]]), i32([0])), [Math.exp(-30)], 1e-2) // log(1 + e) is all that is lost
    const masked = f64([[1, Number.NEGATIVE_INFINITY]])
    close(crossEntropy(masked, i32([0])), [0])
    expect([...grad((x: Tensor) => crossEntropy(x, i32([0])))(masked).values()]).toEqual([0, 0])
  })
  it("is NaN for a class that does not exist", () => {
    expect([...crossEntropy(x, i32([3, 0]), { reduction: "none" }).values()]).toEqual([Number.NaN, Math.log(3)])
    expect(crossEntropy(x, i32([-1, 0])).item()).toBeNaN()
  })
  it("has more leading axes, or none", () => {
    const many = crossEntropy(zeros([2, 4, 3]), zeros([2, 4], { dtype: "i32" }), { reduction: "none" })
    expect(many.shape).toEqual([2, 4])
    const each = vmap((x: Tensor, label: Tensor) => crossEntropy(x, label))(x, i32([2, 0]))
    close(each, wanted)
  })
})

describe("every loss", () => {
  const numbers = (i: number): Tensor => random.normal(random.key(i), [3, 4], { dtype: "f64" })
  const [x1, x2, x3] = [1, 2, 3].map(numbers) as [Tensor, Tensor, Tensor]
  const shares = random.uniform(random.key(4), [3, 4], { dtype: "f64" }).add(0.1)
  const classWeights = f64([0.5, 1, 2, 0.25])
  const labels = i32([2, 0, 3])
  const table: [name: string, f: (...args: Tensor[]) => Tensor, args: Tensor[]][] = [
    ["huber", (y, t) => losses.huber(y!, t!, { delta: 0.7 }), [x1, x2]],
    ["smoothL1", (y, t) => losses.smoothL1(y!, t!, { beta: 0.7 }), [x1, x2]],
    ["logCosh", (y, t) => losses.logCosh(y!, t!), [x1, x2]],
    ["poissonNll", (y, t) => losses.poissonNll(y!, t!), [x1, shares]],
    ["gaussianNll", (y, t, v) => losses.gaussianNll(y!, t!, v!, { full: true }), [x1, x2, shares]],
    ["binaryCrossEntropy", (y, t) => losses.binaryCrossEntropy(y!, t!, { positiveWeight: 3 }), [x1, shares]],
    ["binaryFocal", (y, t) => losses.binaryFocal(y!, t!), [x1, shares]],
    ["hinge", (y, t) => losses.hinge(y!, t!), [x1, x2]],
    ["hingeEmbedding", (y, t) => losses.hingeEmbedding(y!, t!), [x1, x2]],
    ["crossEntropy", (y, w) => crossEntropy(y!, labels, { classWeights: w, labelSmoothing: 0.1, ignoreIndex: 0 }), [x1, classWeights]],
    ["focal", (y, w) => losses.focal(y!, labels, { classWeights: w, gamma: 1.5 }), [x1, classWeights]],
    ["multiClassHinge", (y, w) => losses.multiClassHinge(y!, labels, { classWeights: w, power: 2 }), [x1, classWeights]],
    ["klDivergence", (y, t) => losses.klDivergence(y!, t!), [x1, shares]],
    ["cosineEmbedding", (a, b) => losses.cosineEmbedding(a!, b!, f64([1, -1, -1]), { margin: -0.9 }), [x1, x2]],
    ["contrastive", (a, b) => losses.contrastive(a!, b!, f64([1, 0, 0]), { margin: 9 }), [x1, x2]],
    ["tripletMargin", (a, b, c) => losses.tripletMargin(a!, b!, c!, { margin: 9 }), [x1, x2, x3]],
  ]
  it.each(table)(
    "%s has its derivatives, compiled and mapped too",
    (_name, f, args) => void checkGrads(f, args, { eps: 1e-4, tolerance: 1e-5 }),
  )
})

describe("crossEntropy with options", () => {
  const x = f64([
    [1, 2, 3],
    [0, 0, 0],
  ])
  it("leaves out ignored examples, also those of no class", () => {
    const rest = crossEntropy(x.slice([1]), i32([0]))
    close(crossEntropy(x, i32([-1, 0]), { ignoreIndex: -1 }), [rest.item()])
    expect([...crossEntropy(x, i32([-1, 0]), { ignoreIndex: -1, reduction: "none" }).values()]).toEqual([0, Math.log(3)])
    expect(crossEntropy(x, i32([-1, 5]), { ignoreIndex: -1 }).item()).toBeNaN()
  })
  it("is that of smoothed distributions", () => {
    const smooth = f64([
      [0.1, 0.1, 0.8],
      [0.8, 0.1, 0.1],
    ])
    close(crossEntropy(x, i32([2, 0]), { labelSmoothing: 0.3 }), [crossEntropy(x, smooth).item()], 1e-13)
  })
  it("takes an option that is undefined for none", () => {
    close(crossEntropy(x, i32([2, 0]), { labelSmoothing: undefined as never, classWeights: undefined as never }), [
      crossEntropy(x, i32([2, 0])).item(),
    ])
  })
})

describe("large numbers", () => {
  it("neither overflow nor cancel", () => {
    close(losses.logCosh(f64([1e4, -1e4]), f64([0, 0]), { reduction: "none" }), [1e4 - Math.LN2, 1e4 - Math.LN2])
    close(losses.binaryFocal(f64([-1000, 1000]), f64([1, 1]), { alpha: null, reduction: "none" }), [1000, 0])
    close(losses.focal(f64([[1000, 0]]), i32([1])), [1000])
    close(losses.klDivergence(f64([[1000, 0]]), f64([[0, 1]])), [1000])
    const x = f64([[0, 0]])
    const g = grad((x: Tensor) => losses.tripletMargin(x, f64([[0, 0]]), f64([[0, 0]])))(x)
    expect([...g.values()].every(Number.isFinite)).toBe(true)
    expect(losses.cosineSimilarity(x, x).toArray()).toEqual([0])
  })
})

describe("errors", () => {
  const logits = zeros([64, 10])
  const cases: [() => unknown, string][] = [
    [
      () => crossEntropy(logits, zeros([64])),
      "crossEntropy: targets must be class numbers i32[64] or distributions f32[64,10]; got f32[64] with logits f32[64,10]. " +
        'Convert class numbers with cast(targets, "i32")',
    ],
    [() => crossEntropy(logits, zeros([64, 10], { dtype: "i32" })), 'Convert distributions with cast(targets, "f32")'],
    [() => crossEntropy(logits, zeros([64, 1], { dtype: "i32" })), "Reshape class numbers with reshape(targets, [64])"],
    [() => crossEntropy(logits, zeros([32], { dtype: "i32" })), "Each example needs one target"],
    [() => crossEntropy(tensor(1), tensor(1)), "logits need an axis of classes; got f32[]"],
    [() => crossEntropy(logits, 3 as never), "crossEntropy: wants two tensors, what the model says and the targets; got number"],
    [() => crossEntropy(i32([1]), i32([1])), 'the first argument must be floating point; got i32[1]. Convert it with cast(x, "f32")'],
    [
      () => squaredError(zeros([4, 1]), zeros([4])),
      "squaredError: targets must be like the outputs, f32[4,1]; got f32[4]. Reshape them with reshape(targets, [4,1])",
    ],
    [() => binaryCrossEntropy(zeros([4]), i32([0, 1, 1, 0])), 'got i32[4]. Convert them with cast(targets, "f32")'],
    [() => losses.huber(zeros([4]), zeros([4]), { delta: 0 }), "huber: delta must be a number > 0; got 0"],
    [() => losses.binaryFocal(zeros([4]), zeros([4]), { alpha: 2 }), "binaryFocal: alpha must be a number in [0, 1] or null; got 2"],
    [() => losses.multiClassHinge(logits, zeros([64, 10])), "multiClassHinge: targets must be class numbers i32[64]; got f32[64,10]"],
    [() => losses.focal(logits, zeros([64])), 'Convert class numbers with cast(targets, "i32")'],
    [
      () => crossEntropy(logits, zeros([64], { dtype: "i32" }), { classWeights: zeros([9]) }),
      "crossEntropy: classWeights must be one number for each class, f32[10]; got f32[9]",
    ],
    [() => crossEntropy(logits, zeros([64, 10]), { ignoreIndex: 0 }), "ignoreIndex goes with class numbers; the targets are distributions"],
    [() => crossEntropy(logits, zeros([64, 10]), { labelSmoothing: 2 }), "labelSmoothing must be a number in [0, 1]; got 2"],
    [
      () => losses.gaussianNll(logits, logits, zeros([3])),
      "gaussianNll: variances must be like the outputs, f32[64,10], or one for each row",
    ],
    [
      () => losses.gaussianNll(logits, logits, undefined as never),
      "gaussianNll: wants three tensors: means, targets and variances; got undef",
    ],
    [() => losses.tripletMargin(logits, logits, zeros([64])), "tripletMargin: negatives must be like the anchors, f32[64,10]; got f32[64]"],
    [() => losses.cosineEmbedding(logits, logits, zeros([10])), "targets must be one for each pair of vectors, f32[64]; got f32[10]"],
    [() => absoluteError(zeros([4]), zeros([4]), { reduction: "avg" as never }), 'reduction must be "mean", "sum" or "none"; got "avg"'],
  ]
  it.each(cases.map(([f, message]) => [message, f] as const))("%s", (message, f) => expect(f).toThrow(message))
})
