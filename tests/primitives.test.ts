// Every primitive: forward and reverse mode, batching, engines, second order. A primitive without a line here fails.
import { describe, expect, test } from "vitest"
import { callP, composite } from "../src/control/call.ts"
import { scanP } from "../src/control/scan.ts"
import type { Dtype } from "../src/core/dtype.ts"
import type { Primitive } from "../src/core/primitive.ts"
import type { Tensor } from "../src/core/tensor.ts"
import { checkGrads, clip, grad, jvp, logSoftmax, logsumexp, max, relu, scan, softmax, sum, tensor, vjp, where } from "../src/index.ts"
import * as p from "../src/primitives/index.ts"
import { enginesAgree, made, randomNumbers, recorded } from "./engines.ts"

type Fn = (...xs: any[]) => any
interface Line {
  readonly prim: Primitive
  readonly name: string
  readonly f: Fn
  readonly args: readonly Tensor[]
  /** Its results do not depend smoothly on any argument: their tangents are zero or do not exist. */
  readonly discrete: boolean
}

let seed = 0
const numbers = (shape: readonly number[], dtype: Dtype, low: number, high: number): Tensor => {
  const next = randomNumbers(++seed)
  const whole = dtype === "i32" || dtype === "u8" || dtype === "bool"
  return made({ shape, dtype }, () => (whole ? Math.floor(low + (high - low) * next()) : low + (high - low) * next()))
}
/** Away from the kinks and poles of every primitive. */
const x = (...shape: number[]): Tensor => numbers(shape, "f64", 0.3, 1.7)
const signed = (...shape: number[]): Tensor => numbers(shape, "f64", -2, 2)
const i32 = (low: number, high: number, ...shape: number[]): Tensor => numbers(shape, "i32", low, high)
const bool = (...shape: number[]): Tensor => numbers(shape, "bool", 0, 2)
const places = (...values: number[]): Tensor => tensor(values, { dtype: "i32" })
const f64 = (values: any): Tensor => tensor(values, { dtype: "f64" })

const lines: Line[] = []
const line =
  (discrete: boolean) =>
  (prim: Primitive, name: string, f: Fn, ...args: readonly Tensor[]) => {
    lines.push({ prim, name, f, args, discrete })
  }
const smooth = line(false)
const discrete = line(true)

// base
smooth(p.fullP, "times a constant", x => p.mul(x, p.fullLike(x.aval, 2)), x(3))
discrete(p.fullP, "alone", () => p.full([2, 3], 4, "f64"))
smooth(p.iotaP, "times positions", x => p.mul(p.sin(x), p.cast(p.iota(3), "f64")), x(3))
discrete(p.iotaP, "alone", () => p.iota(5))
smooth(p.permuteP, "a 3-cycle", x => p.permute(x, [2, 0, 1]), x(2, 3, 4))
smooth(p.permuteP, "matrix", x => p.permute(x, [1, 0]), x(1, 3))
discrete(p.permuteP, "bool", x => p.permute(x, [1, 0]), bool(2, 3))
smooth(p.broadcastP, "in front", x => p.broadcast(x, [2, 3], [0]), x(3))
smooth(p.broadcastP, "two axes of a scalar", x => p.broadcast(x, [2, 3], [0, 1]), x())
smooth(p.broadcastP, "inside", x => p.broadcast(x, [2, 4, 3, 1], [1, 3]), x(2, 3))
smooth(p.broadcastP, "nothing", x => p.broadcast(x, [0, 3], [0]), x(3))
discrete(p.broadcastP, "i32", x => p.broadcast(x, [2, 3], [1]), i32(-5, 5, 2))
smooth(p.sumP, "rows", x => p.sum(x, [1]), x(2, 3))
smooth(p.sumP, "all of 3-d", x => p.sum(x, [0, 1, 2]), x(2, 3, 4))
smooth(p.sumP, "outer axes", x => p.sum(x, [0, 2]), x(2, 3, 4))
smooth(p.sumP, "long", x => p.sum(x, [0]), x(77))
smooth(p.sumP, "of nothing", x => p.sum(x, [1]), x(2, 0, 3))
smooth(p.sumP, "axis of length 1", x => p.sum(x, [1]), x(4, 1))
discrete(p.sumP, "i32", x => p.sum(x, [0]), i32(-5, 5, 4, 3))
smooth(p.addP, "vectors", p.add, x(3), x(3))
smooth(p.addP, "a value and itself", x => p.add(x, x), x(2, 1, 3))
smooth(p.addP, "empty", p.add, x(0), x(0))
discrete(p.addP, "i32", p.add, i32(-5, 5, 4), i32(-5, 5, 4))

// convolution
const steps = (stride: number[], dilation: number[], flip = false) => ({ stride, dilation, flip })
smooth(p.convP, "1-d", (x, w) => p.conv(x, w, steps([1], [1])), x(2, 5, 1, 2), x(3, 1, 2, 2))
smooth(p.convP, "2-d, strides and groups", (x, w) => p.conv(x, w, steps([2, 1], [1, 2])), x(1, 4, 4, 2, 1), x(2, 2, 2, 1, 2))
smooth(p.convP, "backwards", (x, w) => p.conv(x, w, steps([1], [2], true)), x(1, 5, 2, 1), x(2, 2, 1, 2))
smooth(p.convWeightP, "1-d", (x, y) => p.convWeight(x, y, steps([1], [1]), [3]), x(2, 5, 1, 2), x(2, 3, 1, 2))
smooth(
  p.convWeightP,
  "2-d, strides, groups, backwards",
  (x, y) => p.convWeight(x, y, steps([2, 1], [1, 2], true), [2, 2]),
  x(1, 4, 4, 2, 1),
  x(1, 2, 2, 2, 2),
)

// elementwise
const half = (x: Tensor): Tensor => p.mul(x, p.fullLike(x.aval, 0.4))
const unary: readonly [Primitive, (x: Tensor) => Tensor][] = [
  [p.negP, p.neg],
  [p.absP, p.abs],
  [p.expP, p.exp],
  [p.expm1P, p.expm1],
  [p.sinP, p.sin],
  [p.cosP, p.cos],
  [p.tanhP, p.tanh],
  [p.sigmoidP, p.sigmoid],
  [p.softplusP, p.softplus],
  [p.logP, p.log],
  [p.log1pP, p.log1p],
  [p.sqrtP, p.sqrt],
  [p.exp2P, p.exp2],
  [p.log2P, p.log2],
  [p.log10P, p.log10],
  [p.cbrtP, p.cbrt],
  [p.tanP, x => p.tan(half(x))],
  [p.asinP, x => p.asin(half(x))],
  [p.acosP, x => p.acos(half(x))],
  [p.atanP, p.atan],
  [p.sinhP, p.sinh],
  [p.coshP, p.cosh],
  [p.asinhP, p.asinh],
  [p.acoshP, x => p.acosh(p.add(x, p.fullLike(x.aval, 1)))],
  [p.atanhP, x => p.atanh(half(x))],
  [p.erfP, p.erf],
  [p.erfcP, p.erfc],
  [p.erfinvP, x => p.erfinv(half(x))],
]
const wantsPositive = new Set<Primitive>([p.logP, p.log1pP, p.sqrtP, p.log2P, p.log10P, p.cbrtP, p.acoshP])
for (const [prim, f] of unary) {
  const numbers = wantsPositive.has(prim) ? x : signed
  smooth(prim, "3-d", f, numbers(2, 1, 5))
  smooth(prim, "scalar", f, numbers())
  smooth(prim, "empty", f, numbers(2, 0, 3))
}
discrete(p.negP, "i32", p.neg, i32(-5, 5, 6))
discrete(p.absP, "i32", p.abs, i32(-5, 5, 6))
smooth(p.subP, "matrices", p.sub, x(2, 3), x(2, 3))
smooth(p.subP, "scalars", p.sub, x(), x())
smooth(p.mulP, "matrices", p.mul, x(2, 3), x(2, 3))
smooth(p.mulP, "a square", x => p.mul(x, x), signed(5))
discrete(p.mulP, "i32", p.mul, i32(-5, 5, 4), i32(-5, 5, 4))
smooth(p.mulNoNanP, "vectors", p.mulNoNan, signed(4), x(4))
smooth(p.divP, "vectors", p.div, signed(4), x(4))
smooth(p.divP, "scalars", p.div, x(), x())
smooth(p.powP, "vectors", p.pow, x(4), signed(4))
smooth(p.maximumP, "vectors", p.maximum, signed(7), signed(7))
smooth(p.minimumP, "vectors", p.minimum, signed(7), signed(7))
smooth(p.atan2P, "vectors", p.atan2, signed(7), x(7))
smooth(p.hypotP, "vectors", p.hypot, signed(7), signed(7))
smooth(p.logaddexpP, "vectors", p.logaddexp, signed(7), signed(7))
smooth(p.logaddexpP, "of equals", x => p.logaddexp(x, x), signed(3))
smooth(p.remainderP, "vectors", (x, y) => p.remainder(x, p.add(y, p.fullLike(y.aval, 3))), signed(7), x(7))
discrete(p.remainderP, "i32", p.remainder, i32(-9, 9, 20), i32(-4, 4, 20))
discrete(p.roundP, "f64", p.round, signed(6))
discrete(p.maximumP, "i32", p.maximum, i32(-5, 5, 7), i32(-5, 5, 7))
discrete(p.minimumP, "i32", p.minimum, i32(-5, 5, 7), i32(-5, 5, 7))
discrete(p.signP, "f64", p.sign, signed(6))
discrete(p.signP, "i32", p.sign, i32(-2, 2, 6))
discrete(p.floorP, "f64", p.floor, signed(6))
for (const [prim, f] of [
  [p.ltP, p.lt],
  [p.leP, p.le],
  [p.eqP, p.eq],
] as const) {
  discrete(prim, "f64", f, signed(6), signed(6))
  discrete(prim, "i32", f, i32(-2, 2, 2, 8), i32(-2, 2, 2, 8))
  discrete(prim, "bool", f, bool(8), bool(8))
}
for (const [prim, f] of [
  [p.andP, p.and],
  [p.orP, p.or],
  [p.xorP, p.xor],
] as const) {
  discrete(prim, "bool", f, bool(4, 4), bool(4, 4))
  discrete(prim, "i32", f, i32(-99, 99, 9), i32(-99, 99, 9))
}
discrete(p.notP, "bool", p.not, bool(9))
discrete(p.notP, "i32", p.not, i32(-99, 99, 9))
discrete(p.shiftRightP, "i32", p.shiftRight, i32(-99, 99, 9), i32(0, 40, 9))
discrete(p.stopGradientP, "f64", p.stopGradient, x(3))
smooth(p.selectP, "between two", (c, x, y) => p.select(c, x, p.mul(y, y)), bool(5), x(5), x(5))
smooth(p.selectP, "by itself", x => p.select(p.lt(x, p.fullLike(x.aval, 1)), p.sin(x), x), x(2, 4))
discrete(p.selectP, "bool", p.select, bool(5), bool(5), bool(5))
discrete(p.selectP, "i32", p.select, bool(5), i32(-5, 5, 5), i32(-5, 5, 5))
// wide enough for second derivatives: rounding to f32 would spoil differences, so the value stays in f64
smooth(p.castP, "i32 to f64", (i, x) => p.mul(p.cast(i, "f64"), x), i32(-5, 5, 4), x(4))
smooth(p.castP, "bool to f64", (b, x) => p.mul(p.cast(b, "f64"), x), bool(4), x(4))
discrete(p.castP, "f64 to i32", x => p.cast(p.mul(x, p.fullLike(x.aval, 10)), "i32"), signed(6))
discrete(p.castP, "f64 to bool", x => p.cast(p.sub(x, x), "bool"), signed(6))

// structure
smooth(p.reshapeP, "matrix", x => p.reshape(x, [3, 2]), x(2, 3))
smooth(p.reshapeP, "to 3-d after a permutation", x => p.reshape(p.permute(x, [1, 0]), [2, 3, 2]), x(4, 3))
smooth(p.reshapeP, "sizes that do not divide", x => p.reshape(p.permute(x, [1, 0]), [4, 3]), x(2, 6))
smooth(p.reshapeP, "to a scalar", x => p.reshape(x, []), x(1, 1))
smooth(p.reshapeP, "empty", x => p.reshape(x, [0, 5]), x(2, 0, 3))
discrete(p.reshapeP, "i32", x => p.reshape(x, [6]), i32(-5, 5, 2, 3))
smooth(p.sliceP, "columns", x => p.slice(x, { start: [0, 1], shape: [2, 2] }), x(2, 4))
smooth(p.sliceP, "3-d box", x => p.slice(x, { start: [1, 0, 2], shape: [1, 3, 2] }), x(2, 3, 4))
smooth(p.sliceP, "nothing", x => p.slice(x, { start: [1], shape: [0] }), x(3))
discrete(p.sliceP, "bool", x => p.slice(x, { start: [1], shape: [2] }), bool(4))
smooth(p.padP, "one side", x => p.pad(x, { start: [1, 0], shape: [4, 3] }), x(2, 3))
smooth(p.padP, "all sides", x => p.pad(p.sin(x), { start: [1, 2, 0], shape: [4, 5, 3] }), x(2, 1, 2))
smooth(p.padP, "around nothing", x => p.pad(x, { start: [1], shape: [3] }), x(0))
discrete(p.padP, "i32", x => p.pad(x, { start: [1], shape: [5] }), i32(1, 5, 2))
smooth(p.flipP, "rows", x => p.flip(x, [0]), x(3, 2))
smooth(p.flipP, "long, both axes", x => p.flip(p.sin(x), [0, 1]), x(5, 37))
smooth(p.flipP, "laid out flat", x => p.reshape(p.flip(x, [1]), [4, 3]), x(2, 6))
smooth(p.flipP, "empty", x => p.flip(x, [0, 1]), x(2, 0))
discrete(p.flipP, "bool", x => p.flip(x, [0]), bool(9))
smooth(p.concatP, "columns", (x, y) => p.concat([x, y], 1), x(2, 3), x(2, 1))
smooth(p.concatP, "three of 3-d, one twice", (x, y) => p.concat([x, y, x], 1), x(2, 2, 3), x(2, 1, 3))
smooth(p.concatP, "with a constant", x => p.concat([p.full([2], 1, "f64"), p.sin(x)], 0), x(3))
smooth(p.concatP, "with nothing", (x, y) => p.concat([x, y], 0), x(0, 2), x(2, 2))
smooth(p.concatP, "of one", x => p.concat([x], 0), x(2))
discrete(p.concatP, "bool", (x, y) => p.concat([x, y], 0), bool(3), bool(2))

// contraction
smooth(p.matmulP, "matrices", p.matmul, x(2, 3), x(3, 4))
smooth(p.matmulP, "batches", p.matmul, x(2, 2, 3), x(2, 3, 1))
smooth(p.matmulP, "a Gram matrix", x => p.matmul(p.permute(x, [1, 0]), x), x(3, 2))
smooth(p.matmulP, "sum of nothing", p.matmul, x(2, 0), x(0, 3))
smooth(p.matmulP, "no rows", p.matmul, x(0, 2), x(2, 3))
smooth(p.matmulP, "larger than a tile", p.matmul, x(9, 17), x(17, 11))
discrete(p.matmulP, "i32", p.matmul, i32(-5, 5, 2, 3), i32(-5, 5, 3, 2))

// reduce
smooth(p.maxP, "rows", x => p.max(x, [1]), signed(3, 5))
smooth(p.maxP, "outer axes", x => p.max(x, [0, 2]), signed(2, 3, 4))
smooth(p.maxP, "of one", x => p.max(x, [0]), signed(1))
smooth(p.minP, "columns", x => p.min(x, [0]), signed(3, 5))
smooth(p.minP, "all, long", x => p.min(x, [0]), signed(41))
discrete(p.maxP, "i32", x => p.max(x, [0]), i32(-5, 5, 9, 2))
discrete(p.minP, "i32", x => p.min(x, [1]), i32(-5, 5, 2, 9))
discrete(p.argmaxP, "rows", x => p.argmax(x, 1), signed(3, 5))
discrete(p.argmaxP, "middle axis", x => p.argmax(x, 1), i32(0, 3, 2, 5, 3))
discrete(p.argminP, "columns", x => p.argmin(x, 0), signed(3, 5))
discrete(p.argmaxP, "of a transposed matrix laid out flat", x => p.argmax(p.reshape(p.permute(x, [1, 0]), [15]), 0), signed(3, 5))
discrete(p.argminP, "of one", x => p.argmin(x, 0), signed(1))

// indexing
smooth(p.gatherP, "rows", x => p.gather(x, places(2, 0, 2), 0), x(3, 2))
smooth(p.gatherP, "columns, indices of rank 2", (x, i) => p.gather(x, i, 1), x(2, 4), i32(0, 4, 3, 2))
smooth(p.gatherP, "middle axis, indices given", (x, i) => p.gather(p.sin(x), i, 1), x(2, 3, 2), i32(0, 3, 4))
smooth(p.gatherP, "indices of rank 0", (x, i) => p.gather(x, i, 0), x(3, 2), i32(0, 3))
smooth(p.gatherP, "no indices", (x, i) => p.gather(x, i, 0), x(3, 2), i32(0, 3, 0))
discrete(p.gatherP, "i32, some outside", (x, i) => p.gather(x, i, 0), i32(1, 5, 4), i32(-3, 7, 9))
discrete(p.gatherP, "bool", (x, i) => p.gather(x, i, 0), bool(4), i32(-3, 7, 9))
smooth(p.scatterAddP, "rows, one twice", (x, u) => p.scatterAdd(x, places(2, 0, 2), u, 0), x(3, 2), x(3, 2))
smooth(p.scatterAddP, "columns, places given", (x, i, u) => p.scatterAdd(x, i, u, 1), x(2, 4), i32(0, 4, 3), x(2, 3))
smooth(p.scatterAddP, "rank 2, some outside", (x, i, u) => p.scatterAdd(x, i, p.sin(u), 1), x(2, 3, 2), i32(-1, 4, 2, 2), x(2, 2, 2, 2))
smooth(p.scatterAddP, "nothing to add", (x, i, u) => p.scatterAdd(x, i, u, 0), x(3), i32(0, 3, 0), x(0))
discrete(p.scatterAddP, "i32", (x, i, u) => p.scatterAdd(x, i, u, 0), i32(0, 9, 4), i32(-1, 5, 6), i32(0, 9, 6))

// random
discrete(p.randomBitsP, "matrix", k => p.randomBits(k, [3, 5]), i32(0, 99, 2))
discrete(p.randomBitsP, "keys", k => p.randomBits(k, [4]), i32(0, 99, 3, 2))
discrete(p.foldInP, "one", p.foldIn, i32(0, 99, 2), i32(0, 99))
discrete(p.foldInP, "many", p.foldIn, i32(0, 99, 3, 2), i32(0, 99, 3))

// calls
const square = composite("square", {}, (x: Tensor) => p.mul(x, x))
const sinAndSum = composite("sinAndSum", {}, (x: Tensor, y: Tensor) => ({ sin: p.sin(p.mul(x, y)), sum: p.sum(x, [0]) }))
smooth(callP, "one result", x => p.sum(square(x), [0]), signed(4))
smooth(callP, "several results, one used", (x, y) => sinAndSum(x, y).sin, x(3), x(3))
smooth(callP, "several results", sinAndSum, x(3), x(3))
smooth(
  callP,
  "nested",
  composite("outer", {}, (x: Tensor) => square(square(x))),
  x(3),
)
smooth(callP, "softmax", x => softmax(x), signed(2, 3))
smooth(callP, "logSoftmax", x => logSoftmax(x, { axis: 0 }), signed(2, 3))
const floored = composite("floored", {}, (x: Tensor) => p.floor(x))
discrete(callP, "no derivative", x => floored(x), signed(4))

// loops; tests/scan.test.ts has many more
smooth(
  scanP,
  "a carry and rows",
  (c, x) => scan((c: Tensor, x: Tensor) => [p.sin(p.mul(c, x)), p.add(c, x)], c, x),
  signed(2),
  signed(3, 2),
)
smooth(
  scanP,
  "backwards, matrices and a constant",
  (w, h, x) => scan((h: Tensor, x: Tensor) => [p.tanh(p.add(p.matmul(h, w), x)), null], h, x, { reverse: true })[0],
  signed(2, 2),
  signed(1, 2),
  signed(3, 1, 2),
)
discrete(
  scanP,
  "i32",
  (c, x) => scan((c: Tensor, x: Tensor) => [p.add(p.mul(c, c), x), p.lt(c, x)], c, x)[1],
  i32(-5, 5, 2),
  i32(-5, 5, 4, 2),
)

// storage; tests/dtypes.test.ts has every number of 16 bits
discrete(p.decodeP, "u8", p.decode, numbers([300], "u8", 0, 256))
const halves = p.convert(x(5), "f16")
smooth(p.decodeP, "f16, a constant", x => p.mul(p.cast(p.decode(halves), "f64"), x), x(5))
discrete(p.encodeP, "u8", x => p.convert(x, "u8"), i32(-300, 600, 50))
// the normal distribution, and x times shares of it
for (const [prim, f] of [
  [p.normalCdfP, p.normalCdf],
  [p.normalCdfByTanhP, p.normalCdfByTanh],
  [p.geluP, p.gelu],
  [p.geluByTanhP, p.geluByTanh],
  [p.swishP, p.swish],
  [p.mishP, p.mish],
] as const) {
  smooth(prim, "3-d", f, signed(2, 1, 5))
  smooth(prim, "scalar", f, signed())
  smooth(prim, "empty", f, signed(2, 0, 3))
}

const isPrimitive = (v: unknown): v is Primitive => typeof v === "object" && v !== null && "meaning" in v
const all = [...Object.values(p).filter(isPrimitive), callP, scanP]
const to = (dtype: "f32" | "f64", xs: readonly Tensor[]): Tensor[] => xs.map(x => (x.dtype === "f64" ? p.cast(x, dtype) : x))

describe.each(all.map(prim => [prim.name, prim] as const))("%s", (_name, prim) => {
  const own = lines.filter(l => l.prim === prim)
  test("has a line here", () => expect(own.length).toBeGreaterThan(0))
  test.each(own.map(l => [l.name, l] as const))("%s", (_name, { f, args, discrete }) => {
    expect(recorded(f, args).graph.nodes.map(n => n.prim.name)).toContain(prim.name)
    if (discrete) {
      if (args.length) checkGrads(f, args, { modes: ["vmap", "jit"], order: 1 })
      withoutDerivative(f, args)
      enginesAgree(f, args)
      return
    }
    checkGrads(f, args)
    const y = f(...args)
    const pull: Fn = (...xs) => vjp(f, ...xs)[1](y)
    enginesAgree(f, args)
    enginesAgree(pull, args)
    // a line may hold f64 constants of its own; all others run in f32 too
    if (!/constant|positions|to f64/.test(_name)) enginesAgree(f, to("f32", args))
  })
})

/** Forward and reverse mode give zeros. */
function withoutDerivative(f: Fn, args: readonly Tensor[]): void {
  const tangents = args.map(a => p.fullLike(a.aval, 1))
  const [y, dy] = jvp(f, args as Tensor[], tangents)
  expect(dy.values().every((v: number) => v === 0)).toBe(true)
  const [, pull] = vjp(f, ...args)
  for (const ct of pull(p.fullLike(y.aval, 1)) as Tensor[]) expect([...ct.values()].every(v => v === 0)).toBe(true)
}

/** -0 is 0 here. */
const list = (t: Tensor): unknown => p.add(t, p.zeros(t.aval)).toArray()
/** Inside a branch of `where` that is not taken, these are infinite or undefined. */
describe("where traps: the branch not taken sends back 0, not NaN", () => {
  const positive = (x: Tensor) => p.lt(p.zeros(x.aval), x)
  const one = (x: Tensor) => p.fullLike(x.aval, 1)
  const half = (x: Tensor) => p.fullLike(x.aval, 0.5)
  const cases: readonly [string, (x: Tensor) => Tensor, (x: number) => number][] = [
    ["log", p.log, x => 1 / x],
    ["sqrt", p.sqrt, x => 0.5 / Math.sqrt(x)],
    ["1 / x", x => p.div(one(x), x), x => -1 / x ** 2],
    ["x / x", x => p.div(x, x), () => 0],
    ["x^0.5", x => p.pow(x, half(x)), x => 0.5 / Math.sqrt(x)],
    ["x^x", x => p.pow(x, x), x => x ** x * (1 + Math.log(x))],
    ["log1p(x - 1)", x => p.log1p(p.sub(x, one(x))), x => 1 / x],
    ["log(log(x))", x => p.log(p.log(p.add(x, x))), x => 1 / (x * Math.log(2 * x))],
  ]
  test.each(cases)("%s", (_name, f, derivative) => {
    const guarded = (x: Tensor) => p.sum(p.select(positive(x), f(x), p.zeros(x.aval)), [0])
    const first = grad(guarded)(f64([0, 2]))
    expect(first.values()[0]).toBe(0)
    expect(first.values()[1]).toBeCloseTo(derivative(2), 12)
    const second = grad((x: Tensor) => p.sum(grad(guarded)(x), [0]))(f64([0, 2]))
    expect([...second.values()].every(Number.isFinite)).toBe(true)
    const [, forward] = jvp(guarded, [f64([0, 2])], [f64([1, 1])])
    expect(forward.item()).toBeCloseTo(derivative(2), 12)
  })
})

describe("equals share the derivative", () => {
  // biome-ignore format: a case a line
  const cases: readonly [string, (x: Tensor) => Tensor, any, any][] = [
    ["max of a tie", x => p.max(x, [0]), [1, 3, 3, 2], [0, 0.5, 0.5, 0]],
    ["min of three", x => p.min(x, [0]), [1, 1, 1, 2], [1 / 3, 1 / 3, 1 / 3, 0]],
    ["max of rows", x => p.sum(p.max(x, [1]), [0]), [[1, 1], [2, 1]], [[0.5, 0.5], [1, 0]]],
    ["maximum with itself", x => p.sum(p.maximum(x, x), [0]), [1, 2], [1, 1]],
    ["minimum with a constant", x => p.sum(p.minimum(x, p.fullLike(x.aval, 2)), [0]), [1, 2, 3], [1, 0.5, 0]],
  ]
  test.each(cases)("%s", (_name, f, at, wanted) => expect(list(grad(f)(f64(at)))).toEqual(wanted))
})

describe("infinities and NaN", () => {
  const [inf, nan] = [Infinity, Number.NaN]
  // biome-ignore format: a case a line
  const cases: readonly [string, (x: Tensor) => Tensor, any, any][] = [
    ["relu", x => relu(x), [nan, -inf, inf, -0, -1, 2], [nan, 0, inf, 0, 0, 2]],
    ["max sees NaN", x => max(x), [1, nan, 3], nan],
    ["max of -inf", x => max(x), [-inf, -inf], -inf],
    ["argmax finds the first NaN", x => p.argmax(x, 0), [1, nan, 3, nan], 1],
    ["argmax of a tie", x => p.argmax(x, 0), [1, 3, 3], 1],
    ["argmax across rows", x => p.argmax(p.reshape(p.permute(x, [1, 0]), [6]), 0), [[0, 1, 2], [3, 9, 4]], 3],
    ["argmin of -inf", x => p.argmin(x, 0), [1, -inf, -inf], 1],
    ["argmax of -inf alone", x => p.argmax(x, 0), [-inf, -inf], 0],
    ["sign", x => p.sign(x), [nan, -inf, inf, 0], [nan, -1, 1, 0]],
    ["softmax of large numbers", x => softmax(x), [1000, 1000], [0.5, 0.5]],
    ["softmax with a mask", x => softmax(x), [0, -inf, 0], [0.5, 0, 0.5]],
    ["logsumexp of large numbers", x => logsumexp(x), [1000, 1000], 1000 + Math.LN2],
    ["logsumexp of -inf", x => logsumexp(x), [-inf, -inf], -inf],
    ["logsumexp of inf", x => logsumexp(x), [1, inf], inf],
    ["logsumexp of NaN", x => logsumexp(x), [1, nan], nan],
    ["a gather outside", x => p.gatherOrNaN(x, places(0, 2, -1), 0), [1, 2], [1, nan, nan]],
    ["0 by mulNoNan", x => p.mulNoNan(p.zeros(x.aval), x), [inf, nan, 1], [0, 0, 0]],
    ["cast saturates", x => p.cast(x, "i32"), [1e10, -1e10, nan, -1.5], [2147483647, -2147483648, 0, -1]],
  ]
  test.each(cases)("%s", (_name, f, at, wanted) => {
    expect(list(f(f64(at)))).toEqual(wanted)
    enginesAgree(f, [f64(at)])
    enginesAgree(f, [p.cast(f64(at), "f32")])
  })
  const gradients: readonly [string, (x: Tensor) => Tensor, any, any][] = [
    ["relu at its kink", x => sum(relu(x)), [-1, 0, 1], [0, 0, 1]],
    ["clip at its bounds, as PyTorch", x => sum(clip(x, -1, 1)), [nan, -2, -1, 0, 1, 2], [0, 0, 1, 1, 1, 0]],
    ["clip to one number", x => sum(clip(x, 1, 1)), [0, 1, 2], [0, 1, 0]],
    ["abs at its kink", x => sum(p.abs(x)), [-1, 0, 1], [-1, 0, 1]],
    ["masked softmax", x => p.sum(p.slice(softmax(x), { start: [0], shape: [1] }), [0]), [0, -inf, 0], [0.25, 0, -0.25]],
    ["logsumexp with a mask", x => logsumexp(x), [0, -inf], [1, 0]],
    ["x^0 at 0", x => sum(p.pow(x, p.zeros(x.aval))), [0, 1], [0, 0]],
    ["x^1 at 0", x => sum(p.pow(x, p.fullLike(x.aval, 1))), [0, 1], [1, 1]],
    ["x^2 below 0", x => sum(p.pow(x, p.fullLike(x.aval, 2))), [-3, 3], [-6, 6]],
    ["softplus far out", x => sum(p.softplus(x)), [-1000, 1000], [0, 1]],
    ["sigmoid far out", x => sum(p.sigmoid(x)), [-1000, 1000], [0, 0]],
    ["tanh far out", x => sum(p.tanh(x)), [-1000, 1000], [0, 0]],
    ["where by a sum of nothing", x => sum(where(p.lt(x, x), p.log(x), 0)), [0, 0], [0, 0]],
  ]
  test.each(gradients)("gradient: %s", (_name, f, at, wanted) => expect(list(grad(f)(f64(at)))).toEqual(wanted))
})
