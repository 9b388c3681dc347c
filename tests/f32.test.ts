// How far results in f32 are from those in f64, on both engines: elementwise functions within 4 units of the last place, sums and
// contractions within n 2^-24 times the sum of the absolute values of their terms. The test prints the largest error of each.
import { afterAll, describe, expect, test } from "vitest"
import * as a from "../src/index.ts"
import * as losses from "../src/losses/index.ts"
import { activations } from "../src/nn/index.ts"
import { exact, firstDifference, made, randomNumbers, recorded, runOn } from "./engines.ts"

type Fn = (...xs: any[]) => a.Tensor
const { cast } = a
const f32 = (values: readonly number[], shape: readonly number[] = [values.length]): a.Tensor =>
  a.tensor(Float32Array.from(values), { shape: [...shape] })

/** `f` in f32, the same bits on both engines, and in f64 at the same numbers. */
function both(f: Fn, xs: readonly a.Tensor[]): { got: ArrayLike<number>; wanted: ArrayLike<number> } {
  const { graph, inputs } = recorded(f, xs)
  const [js, wasm] = exact.map(engine => runOn(engine, graph, inputs))
  expect(firstDifference(wasm!, js!)).toBeNull()
  const wanted = f(...xs.map(x => (x.dtype === "f32" ? cast(x, "f64") : x)))
  expect(wanted.dtype).toBe("f64")
  return { got: js![0]!, wanted: wanted.values() }
}

// Elementwise functions

const view = new DataView(new ArrayBuffer(4))
/** The place of an f32 number among all of them in order. */
function place(x: number): number {
  view.setFloat32(0, x)
  const bits = view.getInt32(0)
  return bits < 0 ? -(bits & 0x7fffffff) : bits
}
/** Units of the last place between two f32 numbers; NaN is as far from NaN as a number from itself. */
const ulps = (x: number, y: number): number => {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y) ? 0 : Infinity
  return Math.abs(place(x) - place(y))
}

const AWKWARD = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, 2 ** -149, -(2 ** -149), 2 ** -126, 3.4e38, -3.4e38, 0.5, 1 + 2 ** -23]
const next = randomNumbers(7)
const times = (n: number, make: () => number): number[] => Array.from({ length: n }, make)
const between = (low: number, high: number, n = 500): number[] => times(n, () => low + (high - low) * next())
/** Of all sizes from 2^low to 2^high. */
const spread = (low: number, high: number, n = 500): number[] =>
  times(n, () => (next() < 0.5 ? -1 : 1) * (1 + next()) * 2 ** (low + Math.floor((high - low) * next())))
const everywhere = (): number[] => [...AWKWARD, ...between(-2, 2), ...between(-12, 12), ...between(-100, 100, 300), ...spread(-140, 120)]

const unary: readonly string[] = [
  ...["neg", "abs", "sign", "square", "floor", "ceil", "round", "trunc", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt"],
  ...["cbrt", "reciprocal", "rsqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf"],
  ...["erfc", "erfinv", "sigmoid", "logSigmoid", "softplus", "relu", "swish", "gelu"],
]
const binary: readonly string[] = [
  "add",
  "sub",
  "mul",
  "div",
  "pow",
  "maximum",
  "minimum",
  "atan2",
  "hypot",
  "remainder",
  "logaddexp",
  "xlogy",
]
const library = a as unknown as Record<string, Fn>
const pairs = (): [number[], number[]] => {
  const crossed = AWKWARD.flatMap(() => AWKWARD)
  return [
    [...AWKWARD.flatMap(x => AWKWARD.map(() => x)), ...between(-9, 9), ...spread(-60, 60)],
    [...crossed, ...between(-9, 9), ...spread(-60, 60)],
  ]
}
const wholePowers = [-16, -15, -9, -8, -7, -3, -2, -1, 0, 1, 2, 3, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 0.5, 1.5]
/** Positive numbers and shares, for losses. */
const both2 = (low: number, high: number, n = 800): [number[], number[]] => [between(-9, 9, n), between(low, high, n)]
const none = { reduction: "none" } as const
const elementwise: Readonly<Record<string, readonly [f: Fn, ...points: number[][]]>> = {
  ...Object.fromEntries(unary.map(name => [name, [library[name]!, everywhere()]])),
  ...Object.fromEntries(binary.map(name => [name, [library[name]!, ...pairs()]])),
  ...Object.fromEntries(wholePowers.map(y => [`pow ${y}`, [(x: a.Tensor) => a.pow(x, y), everywhere()]])),
  "gelu by tanh": [x => a.gelu(x, { approximate: "tanh" }), everywhere()],
  clip: [x => a.clip(x, -1, 3), everywhere()],
  where: [(x, y) => a.where(a.less(x, y), x, y), ...pairs()],
  ...Object.fromEntries(
    (["leakyRelu", "elu", "selu", "celu", "hardTanh", "relu6", "hardSigmoid", "hardSwish", "mish", "softsign", "logSigmoid"] as const).map(
      name => [`activations.${name}`, [(x: a.Tensor) => activations[name](x), everywhere()]],
    ),
  ),
  // products of two, whose factors neither vanish nor overflow
  "activations.glu": [(x, y) => activations.glu(a.stack([x, y], { axis: 1 })).reshape(-1), ...both2(-30, 30)],
  "activations.swiglu": [(x, y) => activations.swiglu(a.stack([x, y], { axis: 1 })).reshape(-1), ...both2(-30, 30)],
  "losses.squaredError": [(y, t) => losses.squaredError(y, t, none), ...both2(-9, 9)],
  "losses.halfSquaredError": [(y, t) => losses.halfSquaredError(y, t, none), ...both2(-9, 9)],
  "losses.absoluteError": [(y, t) => losses.absoluteError(y, t, none), ...both2(-9, 9)],
  "losses.huber": [(y, t) => losses.huber(y, t, none), ...both2(-9, 9)],
  "losses.smoothL1": [(y, t) => losses.smoothL1(y, t, none), ...both2(-9, 9)],
  "losses.logCosh": [
    (y, t) => losses.logCosh(y, t, none),
    [...between(-9, 9), ...spread(-30, 2), ...spread(-10, 90)],
    [...between(-9, 9), ...times(1000, () => 0)],
  ],
  "losses.hingeEmbedding": [(y, t) => losses.hingeEmbedding(y, a.sign(t), none), ...both2(-1, 1)],
}

const LIMIT = 4
const found: string[] = []
afterAll(() => console.log(`${found.length} functions in f32\n${found.join("\n")}`))
describe("elementwise functions: units of the last place", () => {
  test.each(Object.keys(elementwise))("%s", name => {
    const [f, ...points] = elementwise[name]!
    const xs = points.map(p => f32(p))
    const { got, wanted } = both(f, xs)
    let worst = 0
    let at = -1
    for (let i = 0; i < got.length; i++) {
      const d = ulps(got[i]!, Math.fround(wanted[i]!))
      if (d > worst) [worst, at] = [d, i]
    }
    found.push(`${name}: ${got.length} points, ${worst} ulp`)
    const where = at < 0 ? "" : `at ${xs.map(x => x.values()[at])}: ${got[at]}, in f64 ${wanted[at]}`
    expect(worst, where).toBeLessThanOrEqual(LIMIT)
  })
})

// Sums and contractions

interface Reduction {
  readonly f: Fn
  readonly args: readonly a.Tensor[]
  /** How many terms a result has. */
  readonly n: number
  /** In f64: for each result the sum of the absolute values of its terms. */
  readonly terms: Fn
}
let seed = 1
const some = (...shape: number[]): a.Tensor => {
  const next = randomNumbers(seed++)
  return made({ shape, dtype: "f32" }, () => Math.fround(4 * next() - 2))
}
const ids = (n: number, ...shape: number[]): a.Tensor => {
  const next = randomNumbers(seed++)
  return made({ shape, dtype: "i32" }, () => Math.floor(n * next()))
}
const { abs, mul, sum, add } = a
const products =
  (f: Fn): Fn =>
  (x, y) =>
    f(abs(x), abs(y))
const near1 = (...shape: number[]): a.Tensor => add(mul(some(...shape), 2 ** -7), 1)
const inside =
  (f: Fn): Fn =>
  (...xs) =>
    f(...xs.map(abs))
const shares = (x: a.Tensor): a.Tensor => a.softmax(x)
const squares = (x: a.Tensor, axis: number): a.Tensor => sum(mul(x, x), { axis })
const row = { axis: 1 }
const sizes = [1, 2, 7, 16, 61, 1000]
const lengths = (name: string, make: (n: number) => Reduction): [string, Reduction][] => sizes.map(n => [`${name} of ${n}`, make(n)])
const rowWise = (name: string, f: Fn, terms: Fn, extra: (n: number) => number = n => n): [string, Reduction][] =>
  lengths(name, n => ({ f, args: [some(3, n)], n: extra(n), terms }))
const reductions: readonly (readonly [string, Reduction])[] = [
  ...rowWise("sum", x => sum(x, row), inside(x => sum(x, row))),
  ...rowWise("mean", x => a.mean(x, row), inside(x => a.mean(x, row)), n => n + 1),
  ...rowWise("cumsum", x => a.cumsum(x, row), inside(x => a.cumsum(x, row))),
  // around 1, so that the products neither vanish nor overflow
  ...lengths("prod", n => ({ f: x => a.prod(x, row), args: [near1(3, n)], n, terms: x => a.prod(x, row) })),
  ...lengths("cumprod", n => ({ f: x => a.cumprod(x, row), args: [near1(3, n)], n, terms: x => a.cumprod(x, row) })),
  // x - mean is as far off as the mean, and squared
  ...rowWise("variance", x => a.variance(x, row), x => mul(a.mean(mul(x, x), row), 4), n => n + 3),
  ...rowWise("norm", x => a.norm(x, row), x => a.norm(x, row), n => n + 2),
  ...rowWise("norm 1", x => a.norm(x, { ...row, ord: 1 }), x => a.norm(x, { ...row, ord: 1 })),
  ...rowWise("norm 3", x => a.norm(x, { ...row, ord: 3 }), x => a.norm(x, { ...row, ord: 3 }), n => n + 3),
  // shifted by the largest element: the differences are rounded too
  ...rowWise("logsumexp", x => a.logsumexp(x, row), x => add(abs(a.logsumexp(x, row)), add(a.max(abs(x), row), 1)), n => n + 3),
  ...rowWise("softmax", x => a.softmax(x), x => mul(shares(x), add(mul(a.max(abs(x), { ...row, keepdims: true }), 2), 1)), n => n + 4),
  ...rowWise("logSoftmax", x => a.logSoftmax(x), x => add(abs(a.logSoftmax(x)), add(a.max(abs(x), { ...row, keepdims: true }), 1)), n => n + 4),
  ...lengths("matmul", n => ({ f: a.matmul, args: [some(3, n), some(n, 5)], n, terms: products(a.matmul) })),
  ...lengths("matmul, wide", n => ({ f: a.matmul, args: [some(17, n), some(n, 33)], n, terms: products(a.matmul) })),
  ...lengths("einsum", n => ({
    f: (x, y) => a.einsum("bij,bkj->bik", x, y),
    args: [some(2, 3, n), some(2, 2, n)],
    n,
    terms: products((x, y) => a.einsum("bij,bkj->bik", x, y)),
  })),
  ...lengths("tensordot", n => ({
    f: (x, y) => a.tensordot(x, y, 1),
    args: [some(2, n), some(n, 3)],
    n,
    terms: products((x, y) => a.tensordot(x, y, 1)),
  })),
  ...lengths("trace", n => (n > 61 ? { f: x => a.trace(x), args: [some(61, 61)], n: 61, terms: x => a.trace(abs(x)) } : { f: x => a.trace(x), args: [some(n, n)], n, terms: x => a.trace(abs(x)) })),
  ["outer", { f: a.outer, args: [some(9), some(7)], n: 1, terms: products(a.outer) }],
  ["kron", { f: a.kron, args: [some(3, 2), some(2, 5)], n: 1, terms: products(a.kron) }],
  ["segmentSum", { f: (x, i) => a.segmentSum(x, i, 4), args: [some(100), ids(4, 100)], n: 100, terms: (x, i) => a.segmentSum(abs(x), i, 4) }],
  ["scatterAdd", { f: (x, i, u) => a.scatterAdd(x, i, u), args: [some(5), ids(5, 90), some(90)], n: 91, terms: (x, i, u) => a.scatterAdd(abs(x), i, abs(u)) }],
  ["median", { f: x => a.median(x, row), args: [some(3, 40)], n: 3, terms: x => a.median(abs(x), row) }],
  ["quantile", { f: x => a.quantile(x, 0.3, row), args: [some(3, 41)], n: 4, terms: x => a.max(abs(x), row) }],
  ["conv1d", { f: (x, w) => a.conv1d(x, w), args: [some(2, 30, 3), some(5, 3, 4)], n: 15, terms: products((x, w) => a.conv1d(x, w)) }],
  ["conv2d", { f: (x, w) => a.conv2d(x, w, { padding: "same" }), args: [some(2, 8, 9, 5), some(3, 3, 5, 6)], n: 45, terms: products((x, w) => a.conv2d(x, w, { padding: "same" })) }],
  ["convTranspose1d", { f: (x, w) => a.convTranspose1d(x, w, { stride: 2 }), args: [some(2, 9, 3), some(4, 3, 2)], n: 6, terms: products((x, w) => a.convTranspose1d(x, w, { stride: 2 })) }],
  ["convTranspose2d", { f: (x, w) => a.convTranspose2d(x, w), args: [some(1, 5, 6, 3), some(3, 2, 3, 4)], n: 18, terms: products((x, w) => a.convTranspose2d(x, w)) }],
  ["avgPool", { f: x => a.avgPool(x, [3, 2]), args: [some(2, 9, 8, 3)], n: 7, terms: x => a.avgPool(abs(x), [3, 2]) }],
  ["losses.crossEntropy", { f: (x, t) => losses.crossEntropy(x, t, none), args: [some(20, 9), ids(9, 20)], n: 12, terms: x => add(a.logsumexp(abs(x), row), a.max(abs(x), row)) }],
  ["losses.klDivergence", { f: x => losses.klDivergence(x, shares(a.neg(x)), none), args: [some(20, 9)], n: 30, terms: x => add(a.logsumexp(abs(x), row), a.max(abs(x), row)) }],
  ["losses.cosineSimilarity", { f: (x, y) => losses.cosineSimilarity(x, y), args: [some(20, 9), some(20, 9)], n: 15, terms: (x, y) => a.div(sum(abs(mul(x, y)), row), a.sqrt(mul(squares(x, 1), squares(y, 1)))) }],
  ["losses.poissonNll", { f: (x, t) => losses.poissonNll(x, t, none), args: [some(200), some(200)], n: 4, terms: (x, t) => add(a.exp(x), abs(mul(x, t))) }],
  ["losses.gaussianNll", { f: (y, t, v) => losses.gaussianNll(y, t, add(abs(v), 0.25), none), args: [some(200), some(200), some(200)], n: 6, terms: (y, t, v) => add(abs(a.log(add(abs(v), 0.25))), add(a.div(a.square(a.sub(y, t)), add(abs(v), 0.25)), 1)) }],
  ["losses.binaryCrossEntropy", { f: (x, t) => losses.binaryCrossEntropy(x, abs(mul(t, 0.5)), none), args: [some(200), some(200)], n: 5, terms: (x, t) => losses.binaryCrossEntropy(x, abs(mul(t, 0.5)), none) }],
  ["losses.hinge", { f: (y, t) => losses.hinge(y, a.sign(t), none), args: [some(200), some(200)], n: 2, terms: y => add(abs(y), 1) }],
] // biome-ignore format: a table

const largest = new Map<string, number>()
afterAll(() => found.push(...[...largest].map(([name, e]) => `${name}: ${e.toFixed(3)} of n 2^-24 sum |terms|`)))
describe("sums and contractions: n 2^-24 times the sum of the absolute values", () => {
  test.each(reductions.map(r => [r[0], r[1]] as const))("%s", (name, { f, args, n, terms }) => {
    const { got, wanted } = both(f, args)
    const sizes = terms(...args.map(x => (x.dtype === "f32" ? cast(x, "f64") : x))).values()
    expect(sizes.length).toBe(got.length)
    let worst = 0
    for (let i = 0; i < got.length; i++) worst = Math.max(worst, Math.abs(got[i]! - wanted[i]!) / (n * 2 ** -24 * sizes[i]! || 1e-45))
    const kind = name.replace(/ of \d+$/, "")
    largest.set(kind, Math.max(largest.get(kind) ?? 0, worst))
    expect(worst, `${name}: ${worst} of the bound`).toBeLessThanOrEqual(1)
  })
})
