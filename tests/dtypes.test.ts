// What is only stored: u8, f16, bf16. Conversions bit by bit, moves, derivatives, training and files.
import { readFileSync } from "node:fs"
import { inflateSync } from "node:zlib"
import { describe, expect, test } from "vitest"
import { type Concrete, fromArray, storedOf } from "../src/core/concrete.ts"
import type { Dtype } from "../src/core/dtype.ts"
import { leaves } from "../src/core/tree.ts"
import * as a from "../src/index.ts"
import { readSafetensors, writeSafetensors } from "../src/io/safetensors.ts"
import { crossEntropy } from "../src/losses.ts"
import { dense, lambda, relu, sequential } from "../src/nn.ts"
import { adam } from "../src/optim.ts"
import { formOf, restore, tensorsOf } from "../src/train/forms.ts"
import { fit, rowsOf } from "../src/train.ts"
import { enginesAgree, exact, made, randomNumbers, recorded, runOn } from "./engines.ts"

const { cast, grad, jit, sum, tensor, vmap } = a
type T = a.Tensor

const golden: Record<"decode" | "ties" | "random", string> = JSON.parse(
  readFileSync(new URL("golden/dtypes.json", import.meta.url), "utf8"),
)
/** Bits of the file, which holds the difference of each to the one before. */
function goldenBits<A extends Uint16Array | Uint32Array>(name: keyof typeof golden, Kind: new (bytes: ArrayBuffer) => A): A {
  const steps = new Kind(new Uint8Array(inflateSync(Buffer.from(golden[name], "base64"))).buffer)
  for (let i = 1; i < steps.length; i++) steps[i]! += steps[i - 1]!
  return steps
}
const bitsOf = (x: ArrayLike<number>): Uint32Array => new Uint32Array(Float32Array.from(x).buffer)
const floatsOf = (bits: ArrayLike<number>): Float32Array => new Float32Array(Uint32Array.from(bits).buffer)
const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i)
const stored = (bits: Uint16Array | Uint8Array, dtype: Dtype, shape: readonly number[] = [bits.length]): T =>
  fromArray(bits, { shape, dtype })
const f32 = (x: ArrayLike<number>): T => tensor(Float32Array.from(x))
/** The index of the first difference; all NaN are one. */
const differs = (got: ArrayLike<number>, wanted: ArrayLike<number>): string | null => {
  if (got.length !== wanted.length) return `${got.length} elements, not ${wanted.length}`
  for (let i = 0; i < got.length; i++) if (!Object.is(got[i], wanted[i])) return `[${i}] is ${got[i]}, not ${wanted[i]}`
  return null
}
/** The result on each engine as it lies in memory. */
const onEngines = (f: (x: T) => T, x: T): { name: string; array: ArrayLike<number> }[] => {
  const { graph, inputs } = recorded(f, [x])
  return exact.map(e => ({ name: e.name, array: runOn(e, graph, inputs)[0]! }))
}
function expectOnEngines(f: (x: T) => T, x: T, wanted: ArrayLike<number>): void {
  for (const { name, array } of onEngines(f, x)) expect([name, differs(array, wanted)]).toEqual([name, null])
}

/** The upper 16 bits of an f32, rounded to nearest, ties to even. */
const upperHalf = (bits: number): number => {
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}
/** f32 half way between neighbours of float16 from 0 to 2^16, the ones below and above. */
const ties = (): Float32Array => {
  const ascending = [...floatsOf(goldenBits("decode", Uint32Array).subarray(0, 0x7c00)), 65536]
  const middle = Float32Array.from(ascending.slice(1), (x, i) => (x + ascending[i]!) / 2)
  return floatsOf([...bitsOf(middle)].flatMap(b => [b, b - 1, b + 1]))
}
const random = (n: number): Float32Array => {
  const next = randomNumbers(1)
  return floatsOf(Array.from({ length: n }, () => next() * 2 ** 32))
}

describe("all numbers of 16 bits", () => {
  test("f16 is NumPy's float16", () => {
    const wanted = floatsOf(goldenBits("decode", Uint32Array))
    expectOnEngines(x => cast(x, "f32"), stored(patterns, "f16"), wanted)
    expectOnEngines(x => cast(x, "f64"), stored(patterns, "f16"), Float64Array.from(wanted))
    expect(differs(stored(patterns, "f16").values(), wanted)).toBe(null)
  })
  test("bf16 is the upper half of an f32", () => {
    const wanted = floatsOf([...patterns].map(b => b * 65536))
    expectOnEngines(x => cast(x, "f32"), stored(patterns, "bf16"), wanted)
  })
  test.each(["f16", "bf16"] as const)("%s comes back from f32 and f64 as it was", dtype => {
    const quiet = { f16: 0x7e00, bf16: 0x7fc0 }[dtype]
    const wanted = patterns.map((b, i) => (Number.isNaN(stored(patterns.subarray(i, i + 1), dtype).values()[0]!) ? quiet : b))
    for (const wide of ["f32", "f64"] as const) expectOnEngines(x => cast(cast(x, wide), dtype), stored(patterns, dtype), wanted)
  })
})

describe("rounding", () => {
  test("f16, at and beside all ties, is NumPy's", () => {
    const x = ties()
    expectOnEngines(x => cast(x, "f16"), f32(x), goldenBits("ties", Uint16Array))
    expectOnEngines(
      x => cast(x, "f16"),
      f32(x.map(v => -v)),
      goldenBits("ties", Uint16Array).map(b => b | 0x8000),
    )
    expectOnEngines(x => cast(cast(x, "f64"), "f16"), f32(x), goldenBits("ties", Uint16Array))
  })
  test("f16 of random bits is NumPy's", () => {
    const x = random(16384)
    // the sign of NaN is not kept
    const wanted = goldenBits("random", Uint16Array).map((b, i) => (Number.isNaN(x[i]!) ? 0x7e00 : b))
    expectOnEngines(x => cast(x, "f16"), f32(x), wanted)
  })
  test("bf16 is the definition at ties, beside them and for random bits", () => {
    const low = [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff]
    const x = floatsOf([...[...patterns].filter(b => b % 7 < 2).flatMap(b => low.map(l => b * 65536 + l)), ...bitsOf(random(65536))])
    expectOnEngines(x => cast(x, "bf16"), f32(x), Uint16Array.from(bitsOf(x), upperHalf))
  })
  test("f64 is rounded once", () => {
    // as f32 these are ties, which go the other way
    const x = tensor(
      new Float64Array([1 + 2 ** -11 + 2 ** -40, 1 + 3 * 2 ** -11 - 2 ** -40, 2 ** -25 + 2 ** -60, 1e300, -1e-300, 65519.999]),
    )
    expectOnEngines(x => cast(x, "f16"), x, [0x3c01, 0x3c01, 1, 0x7c00, 0x8000, 0x7bff])
    const y = tensor(new Float64Array([1 + 2 ** -8 + 2 ** -40, 1 + 3 * 2 ** -8 - 2 ** -40, 3.397e38, 1e300, -1e-300]))
    expectOnEngines(x => cast(x, "bf16"), y, [0x3f81, 0x3f81, 0x7f80, 0x7f80, 0x8000])
  })
  test("integers and bool are rounded once too", () => {
    expectOnEngines(x => cast(cast(x, "f16"), "i32"), tensor(new Int32Array([-3, 2049, 2051, 65519])), [-3, 2048, 2052, 65504])
    expectOnEngines(x => cast(cast(x, "bf16"), "f64"), tensor(new Int32Array([2 ** 24 + 2 ** 16 + 1, 257])), [2 ** 24 + 2 ** 17, 256])
    expectOnEngines(x => cast(x, "f16"), tensor([true, false]), [0x3c00, 0])
    expectOnEngines(x => cast(cast(x, "bf16"), "bool"), tensor([0.5, -0, Number.NaN]), [1, 0, 1])
  })
})

describe("u8", () => {
  // biome-ignore format: a case a line
  const cases: [string, T, number[]][] = [
    ["f32 truncates and saturates", tensor([0, 1.9, 254.99, 255, 256, 1e10, Infinity, -0.9, -1, -Infinity, Number.NaN]), [0, 1, 254, 255, 255, 255, 255, 0, 0, 0, 0]],
    ["f64", tensor(new Float64Array([2.5, 3.5, 255.5, -1e300, 1e300])), [2, 3, 255, 0, 255]],
    ["i32 saturates", tensor(new Int32Array([-1, 0, 255, 256, 2 ** 31 - 1, -(2 ** 31)])), [0, 0, 255, 255, 255, 0]],
    ["bool", tensor([true, false]), [1, 0]],
    ["f16", tensor([1.5, 300, -2], { dtype: "f16" }), [1, 255, 0]],
  ]
  test.each(cases)("from %s", (_, x, wanted) => expectOnEngines(x => cast(x, "u8"), x, wanted))
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  test.each(["f32", "f64", "i32", "f16"] as const)("to %s and back", dtype => {
    expectOnEngines(x => cast(cast(x, dtype), "u8"), stored(bytes, "u8"), bytes)
    expect([...cast(stored(bytes, "u8"), dtype).values()]).toEqual([...bytes])
  })
  test("is what a Uint8Array becomes", () => {
    const x = tensor(bytes, { shape: [16, 16] })
    expect([x.dtype, x.shape]).toEqual(["u8", [16, 16]])
    expect(a.countNonzero(x).item()).toBe(255)
  })
})

describe("tensors and what people see of them", () => {
  test("numbers, not bits", async () => {
    for (const dtype of ["f16", "bf16"] as const) {
      const x = tensor(
        [
          [1.5, -2],
          [Infinity, 0.1],
        ],
        { dtype },
      )
      const tenth = { f16: 0.0999755859375, bf16: 0.10009765625 }[dtype]
      expect(x.toArray()).toEqual([
        [1.5, -2],
        [Infinity, tenth],
      ])
      expect(x.values()).toEqual(Float32Array.of(1.5, -2, Infinity, tenth))
      expect(await x.data()).toEqual(x.values())
      expect(x.at(0).at(1).item()).toBe(-2)
      expect(String(x)).toBe(`Tensor ${dtype}[2,2] [[1.5, -2], [Infinity, ${dtype === "f16" ? "0.09998" : "0.1001"}]]`)
      expect(storedOf(x as Concrete)).toBeInstanceOf(Uint16Array)
      expect(x.values()).not.toBe(x.values())
    }
    expect(String(tensor([1, 2], { dtype: "u8" }))).toBe("Tensor u8[2] [1, 2]")
  })
  test("typed arrays hold numbers", () => {
    expect(tensor(new Float32Array([1, 2.5]), { dtype: "f16" }).toArray()).toEqual([1, 2.5])
    expect(tensor(new Uint8Array([1, 255]), { dtype: "bf16" }).toArray()).toEqual([1, 255])
    expect(tensor(new Uint8Array([1, 255]), { dtype: "f32" }).toArray()).toEqual([1, 255])
    expect(tensor([], { dtype: "f16" }).shape).toEqual([0])
  })
  test("they are made and read where everything is recorded", () => {
    const ten = tensor([10], { dtype: "f16" })
    expect(jit((x: T) => x.mul(ten.item()).add(cast(tensor([0.5], { dtype: "bf16" }), "f32")))(tensor([2])).toArray()).toEqual([20.5])
  })
  test.each(["u8", "f16", "bf16"] as const)("%s is filled, counted and joined", dtype => {
    expect(a.full([2], 2.5, { dtype }).toArray()).toEqual(dtype === "u8" ? [2, 2] : [2.5, 2.5])
    expect(a.ones([2], { dtype }).toArray()).toEqual([1, 1])
    expect(a.zeros([2], { dtype }).toArray()).toEqual([0, 0])
    expect(a.onesLike(a.zeros([2], { dtype })).toArray()).toEqual([1, 1])
    expect(a.zerosLike(a.ones([2], { dtype })).dtype).toBe(dtype)
    expect(a.arange(3, { dtype }).toArray()).toEqual([0, 1, 2])
    expect(a.eye(2, { dtype }).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ])
    expect(a.oneHot(tensor(1, { dtype: "i32" }), 3, { dtype }).toArray()).toEqual([0, 1, 0])
    expect(a.linspace(0, 4, 3, { dtype }).toArray()).toEqual([0, 2, 4])
  })
})

// biome-ignore format: a case a line
const moves: [string, (x: T) => T][] = [
  ["reshape", x => x.reshape(4, -1)],
  ["transpose", x => x.transpose()],
  ["transpose of 3 axes", x => a.transpose(x.reshape(6, 2, -1), [2, 0, 1])],
  ["slice", x => x.slice([1, 5], [0, 3])],
  ["at", x => x.at(-1)],
  ["concat", x => a.concat([x, x.slice([2, 4])])],
  ["concat of rows", x => a.concat([x, x], { axis: 1 })],
  ["stack", x => a.stack([x, x], { axis: 1 })],
  ["split", x => a.concat(a.split(x, 2).toReversed())],
  ["take", x => x.take(tensor([3, 0, 3, -1], { dtype: "i32" }))],
  ["takeAlongAxis", x => a.takeAlongAxis(x, a.zeros([12, 1], { dtype: "i32" }), { axis: 1 })],
  ["broadcast", x => a.broadcastTo(x, [3, ...x.shape])],
  ["pad", x => a.pad(x, [[1, 2], [0, 3]])],
  ["flip", x => a.flip(x)],
  ["flip of rows", x => a.flip(x, { axis: 1 })],
  ["roll", x => a.roll(x, 3)],
  ["tile", x => a.tile(x, [2, 2])],
  ["repeat", x => a.repeat(x, 2)],
  ["where", x => a.where(tensor([true, false]).reshape(2, 1, 1), x, a.flip(x))],
  ["where with a number", x => a.where(tensor([true, false]).reshape(2, 1, 1), x, 2)],
  ["tril", x => a.tril(x)],
  ["diagonal", x => a.diagonal(x)],
  ["diag", x => a.diag(x.at(0))],
  ["stopGradient", x => a.stopGradient(x)],
  ["scan", x => a.scan((c: T, row: T) => [row, c], x.at(0), x)[1]],
  ["scan backwards", x => a.scan((c: T, row: T) => [row, c], x.at(0), x, { reverse: true })[1]],
  ["cond", x => a.cond(tensor(true), (x: T) => a.flip(x), (x: T) => x, x)],
  ["vmap", x => vmap((row: T) => a.flip(row))(x)],
]
describe.each(["u8", "f16", "bf16"] as const)("moves of %s", dtype => {
  const next = randomNumbers(3)
  // 77 columns: vectors and what they leave over
  const x = made({ shape: [12, 77], dtype }, () => Math.floor(next() * (dtype === "u8" ? 256 : 65536)))
  /** The same bits as i32; 2 stands for itself. */
  const wide = tensor(Int32Array.from(storedOf(x)), { shape: x.shape })
  const two = storedOf(a.full([], 2, { dtype }) as Concrete)[0]!
  test.each(moves)("%s", (name, f) => {
    enginesAgree(f, [x])
    const got = f(x)
    const bits = name === "where with a number" ? a.where(tensor([true, false]).reshape(2, 1, 1), wide, two) : f(wide)
    expect([got.dtype, got.shape]).toEqual([dtype, bits.shape])
    expect([...storedOf(got as Concrete)]).toEqual([...bits.values()])
    expect([...storedOf(jit(f)(x) as Concrete)]).toEqual([...bits.values()])
  })
  test("a place outside gives NaN where there is one", () => {
    const outside = x.take(tensor([99], { dtype: "i32" }))
    expect(new Set(outside.values())).toEqual(new Set([dtype === "u8" ? 0 : Number.NaN]))
  })
})

describe("kernels of several types", () => {
  const next = randomNumbers(5)
  const bytes = made({ shape: [100, 37], dtype: "u8" }, () => Math.floor(next() * 256))
  const half = cast(
    made({ shape: [100, 37], dtype: "f32" }, () => 8 * next() - 4),
    "f16",
  )
  const w = made({ shape: [37, 50], dtype: "f32" }, () => next() - 0.5)
  const v = made({ shape: [37], dtype: "f64" }, () => next() - 0.5)
  // biome-ignore format: a case a line
  const cases: [string, (...xs: any[]) => any, T[]][] = [
    ["u8 and f16 in, bf16 and u8 out", (x, y) => [cast(cast(x, "f32").mul(cast(y, "f32")), "bf16"), cast(cast(y, "i32"), "u8")], [bytes, half]],
    ["with f64 beside", (x, y, v) => cast(cast(x, "f64").mul(v).add(cast(y, "f64")), "f16"), [bytes, half, v]],
    ["sums over rows", x => sum(cast(x, "f32"), { axis: 1 }), [bytes]],
    ["sums over columns", x => sum(cast(x, "f32"), { axis: 0 }), [half]],
    ["read across", x => cast(x.transpose(), "f32").mul(2), [bytes]],
    ["read across, f16", x => cast(x.transpose(), "f32").mul(2), [half]],
    [
      "a product, rounded and kept",
      (x, w) =>
        cast(
          cast(x, "f32")
            .mul(1 / 255)
            .matmul(w)
            .tanh(),
          "f16",
        ),
      [bytes, w],
    ],
    ["a product with f16 behind", (y, w) => y.matmul(w).add(cast(cast(y, "bf16"), "f32").matmul(w)), [cast(half, "f32"), w]],
    ["a batch", x => vmap((row: T) => cast(cast(row, "f32").sum(), "f16"))(x), [bytes]],
    ["a scan that keeps f16", y => a.scan((c: T, row: T) => { const n = cast(cast(c, "f32").mul(0.5).add(cast(row, "f32")), "f16"); return [n, n] }, y.at(0), y), [half]],
    ["sums in a loop over u8", x => a.scan((c: T, row: T) => [c.add(cast(row, "f32")), null], a.zeros([37]), x)[0], [bytes]],
  ]
  /** What relaxed arithmetic rounds otherwise is another number of 16 bits. */
  const exactAgree = (f: (...xs: any[]) => any, args: readonly T[]): void => {
    const { graph, inputs } = recorded(f, args)
    const [wanted, ...others] = exact.map(e => runOn(e, graph, inputs))
    for (const got of others) expect(got.map((g, i) => differs(g, wanted![i]!))).toEqual(got.map(() => null))
  }
  test.each(cases)("%s", (name, f, args) => (name.includes("product, rounded") ? exactAgree : enginesAgree)(f, args))
  test("a large product ends in f16 and reads u8 behind", () => {
    const [x, w, mask] = [
      [600, 300],
      [300, 256],
      [600, 256],
    ].map((shape, i) => made({ shape, dtype: i < 2 ? "f32" : "u8" }, () => (i < 2 ? next() - 0.5 : Math.floor(256 * next()))))
    exactAgree((x, w, mask) => cast(x.matmul(w).mul(cast(mask, "f32")), "f16"), [x!, w!, mask!])
  })
  test("donated memory is taken over by results of the type", () => {
    const decay = jit((x: T) => cast(cast(x, "f32").mul(0.5), "bf16"), { donate: [0] })
    let x: T = a.ones([100, 100], { dtype: "bf16" })
    for (let i = 0; i < 3; i++) x = decay(x)
    expect(new Set(x.values())).toEqual(new Set([0.125]))
    const bytes = jit((x: T) => cast(cast(x, "i32").add(1), "u8"), { donate: [0] })
    expect(bytes(bytes(tensor([254, 0], { dtype: "u8" }))).toArray()).toEqual([255, 2])
  })
})

describe("derivatives pass through, not rounded", () => {
  const x = tensor([0.1, -1.7, 3])
  const w = tensor([0.3, 0.7, 1.1])
  const rounded = (dtype: Dtype) => (x: T) => cast(cast(x, dtype), "f32")
  describe.each(["f16", "bf16"] as const)("%s", dtype => {
    const f = (x: T): T => sum(rounded(dtype)(x.mul(x)).mul(w))
    const wanted = x.mul(2).mul(w).values()
    // biome-ignore format: a case a line
    const cases: [string, (x: T) => T][] = [
      ["grad", x => grad(f)(x)],
      ["grad in jit", x => jit(grad(f))(x)],
      ["grad of jit", x => grad(jit(f))(x)],
      ["jacfwd", x => a.jacfwd(f)(x)],
      ["jvp", x => vmap((t: T) => a.jvp(f, [x], [t])[1])(a.eye(3))],
      ["checkpoint", x => grad((x: T) => sum(a.checkpoint(rounded(dtype))(x.mul(x)).mul(w)))(x)],
      ["composite", x => grad((x: T) => sum(a.composite("half", {}, rounded(dtype))(x.mul(x)).mul(w)))(x)],
      ["moves of f16", x => grad((x: T) => sum(cast(a.flip(a.concat([cast(x.mul(x), dtype), a.zeros([2], { dtype })])), "f32").slice([2, 5]).mul(a.flip(w))))(x)],
      ["an f16 argument has an f32 gradient", x => grad((h: T) => sum(cast(h, "f32").mul(x.mul(2).mul(w))))(cast(x, dtype))],
      ["jacrev by an f16 argument", x => sum(a.jacrev((h: T) => cast(h, "f32").mul(x.mul(2).mul(w)))(cast(x, dtype)), { axis: 0 })],
      ["an f16 result", x => a.vjp((x: T) => cast(x.mul(x), dtype), x)[1](w)[0] as T],
      ["an f16 carry", x => grad((x: T) => sum(cast(a.scan((c: T, k: T) => [cast(cast(c, "f32").add(k), dtype), null], cast(x.mul(x), dtype), a.zeros([4, 3]))[0], "f32").mul(w)))(x)],
      ["a branch", x => grad((x: T) => sum(cast(a.cond(tensor(true), (h: T) => h, (h: T) => a.flip(h), cast(x.mul(x), dtype)), "f32").mul(w)))(x)],
      ["customVjp over f16", x => grad((x: T) => sum(cast(a.customVjp((h: T) => a.flip(h), (h: T) => [a.flip(h), null], (_: null, ct: T) => [a.flip(ct)])(cast(x.mul(x), dtype)), "f32").mul(a.flip(w))))(x)],
      ["customJvp over f16", x => grad((x: T) => sum(cast(a.customJvp((h: T) => a.flip(h), ([h], [t]) => [a.flip(h), a.flip(t)])(cast(x.mul(x), dtype)), "f32").mul(a.flip(w))))(x)],
    ]
    test.each(cases)("%s", (_, g) => {
      const got = g(x)
      expect(got.dtype).toBe("f32")
      got.values().forEach((v, i) => {
        expect(v).toBeCloseTo(wanted[i]!, 6)
      })
    })
    test("the value is rounded, the second derivative is that of the function", () => {
      expect(f(x).item()).not.toBe(sum(x.mul(x).mul(w)).item())
      const second = a.hessian(f)(x)
      expect(a.diagonal(second).toArray()).toEqual(w.mul(2).toArray())
    })
  })
  test("u8 has none, like i32", () => {
    expect(grad((x: T) => sum(cast(cast(x, "u8"), "f32").mul(x)))(tensor([2.5, 300])).toArray()).toEqual([2, 255])
    expect(() => grad((x: T) => sum(cast(x, "f32")))(tensor([1], { dtype: "u8" }))).toThrow("must hold floating-point tensors; it is u8[1]")
  })
})

describe("nothing is computed with them", () => {
  const halves = tensor([1, 2], { dtype: "f16" })
  const bytes = tensor([1, 2], { dtype: "u8" })
  // biome-ignore format: a case a line
  const cases: [string, () => unknown, string][] = [
    ["add", () => halves.add(halves), "add: wants numbers (f32, f64 or i32); got f16[2], f16[2]. Convert with cast(x, dtype)"],
    ["mul", () => bytes.mul(bytes), "mul: wants numbers (f32, f64 or i32); got u8[2], u8[2]. Convert with cast(x, dtype)"],
    ["a number", () => bytes.div(255), "div: the number 255 does not fit u8; got u8[2]. Convert with cast(x, dtype)"],
    ["two dtypes", () => bytes.add(tensor([1, 2])), "add: operands must have one dtype; got u8[2], f32[2]. Convert with cast(x, dtype)"],
    ["a number in jit", () => jit((x: T, s: any) => a.add(x, s))(halves, 2), "known only at run time does not fit f16"],
    ["exp", () => halves.exp(), "exp: wants floating point; got f16[2]. Convert with cast(x, dtype)"],
    ["sum", () => halves.sum(), "sum: wants numbers (f32, f64 or i32); got f16[2]. Convert with cast(x, dtype)"],
    ["max", () => bytes.max(), "max: wants numbers (f32, f64 or i32); got u8[2]. Convert with cast(x, dtype)"],
    ["argmax", () => bytes.argmax(), "argmax: wants numbers (f32, f64 or i32); got u8[2]. Convert with cast(x, dtype)"],
    ["less", () => halves.less(halves), "lt: wants numbers (f32, f64 or i32) or bool; got f16[2], f16[2]. Convert with cast(x, dtype)"],
    ["equal", () => bytes.equal(bytes), "eq: wants numbers (f32, f64 or i32) or bool; got u8[2], u8[2]. Convert with cast(x, dtype)"],
    ["logicalAnd", () => a.logicalAnd(bytes, bytes), "and: wants bool or i32; got u8[2], u8[2]. Convert with cast(x, dtype)"],
    ["matmul", () => halves.matmul(halves), "matmul: operands must be numbers of one dtype; got f16[1,2], f16[2,1]"],
    ["scatterAdd", () => a.scatterAdd(halves, tensor([0], { dtype: "i32" }), halves.slice([0, 1])), "scatterAdd: wants numbers (f32, f64 or i32); got f16[2]. Convert with cast(x, dtype)"],
    ["pow", () => halves.pow(2), "pow: wants numbers (f32, f64 or i32); got f16[2]. Convert with cast(x, dtype)"],
    ["pow 0", () => halves.pow(0), "pow: wants numbers (f32, f64 or i32); got f16[2]. Convert with cast(x, dtype)"],
    ["sort", () => a.sort(halves), "Convert with cast(x, dtype)"],
    ["cumsum", () => a.cumsum(halves), "Convert with cast(x, dtype)"],
    ["softmax", () => a.softmax(halves), "Convert with cast(x, dtype)"],
    ["mean", () => a.mean(bytes), "Convert with cast(x, dtype)"],
    ["var", () => a.variance(halves), "Convert with cast(x, dtype)"],
    ["einsum", () => a.einsum("i,i->", halves, halves), "Convert with cast(x, dtype)"],
    ["a carry of another type", () => a.scan((c: T) => [cast(c, "f32"), null], halves, null, { length: 2 }), "f16[2]"],
    [
      "a layer",
      () => dense(2, 3).apply(dense(2, 3).init(a.random.key(0), [2]).params, {}, bytes.reshape(1, 2) as never),
      'dense: the input must be f32, as the parameters are; got u8[1,2]. Convert it with cast(x, "f32")',
    ],
    ["rowsOf", () => rowsOf([1, 2], [1], { dtype: "f16" }), "rowsOf: make f16 with tensor(array, { shape, dtype })"],
    ["rowsOf with a scale", () => rowsOf([1, 2], [1], { dtype: "u8", scale: 0.5 }), "rowsOf: u8 cannot be scaled; scale in the model"],
    ["a wrong name", () => cast(halves, "fp16" as never), '"i32" or "bool", or for storage "u8", "f16" or "bf16"; got "fp16"'],
  ]
  test.each(cases)("%s", (_, f, message) => {
    expect(f).toThrow(TypeError)
    expect(f).toThrow(message)
  })
  test("but all, any and countNonzero look at any dtype", () => {
    expect(a.countNonzero(tensor([0, -0, 3], { dtype: "f16" })).item()).toBe(1)
    expect([a.any(bytes).item(), a.all(tensor([0, 1], { dtype: "u8" })).item()]).toEqual([1, 0])
  })
})

const numbersOf = (tree: any): unknown => leaves(tree).map(x => x.values())
const treeText = (tree: Record<string, T>): unknown => Object.entries(tree).map(([k, x]) => [k, String(x), storedOf(x as Concrete)])
describe("training", () => {
  const next = randomNumbers(11)
  const [n, width] = [96, 24]
  const pixels = Uint8Array.from({ length: n * width }, () => Math.floor(256 * next()))
  const labels = Int32Array.from({ length: n }, (_, i) => Math.floor((3 * pixels[i * width]!) / 256))
  const y = tensor(labels)
  const model = (convert: boolean) =>
    sequential(
      lambda(x => (convert ? cast(x, "f32") : x).mul(1 / 255)),
      dense(width, 16),
      relu(),
      dense(16, 3),
    )
  const options = { loss: crossEntropy, optimizer: adam(1e-2), epochs: 3, batchSize: 20, validation: 0.2 }
  async function losses(x: any, convert: boolean) {
    const run = fit(model(convert), { x, y }, options)
    const seen: unknown[] = []
    for await (const e of run) if (e.event === "epoch") seen.push([e.loss, e.validation])
    return { seen, trained: await run.result }
  }
  test("fit on u8 gives the bits of fit on f32", async () => {
    const wanted = await losses(tensor(Float32Array.from(pixels), { shape: [n, width] }), false)
    const images = tensor(pixels, { shape: [n, width] })
    expect(images.dtype).toBe("u8")
    for (const x of [images, rowsOf(pixels, [width], { dtype: "u8" })]) {
      const got = await losses(x, true)
      expect(got.seen).toEqual(wanted.seen)
      expect(numbersOf(got.trained.params)).toEqual(numbersOf(wanted.trained.params))
      expect(got.trained.predict(images).toArray()).toEqual(wanted.trained.predict(cast(images, "f32")).toArray())
    }
  })
  test("batches of f16 too", async () => {
    const halves = cast(tensor(pixels, { shape: [n, width] }), "f16")
    const got = await losses(halves, true)
    expect(got.seen).toEqual((await losses(cast(halves, "f32"), false)).seen)
  })
  test("f16, bf16 and u8 are saved and loaded as they are", () => {
    const tree = {
      h: tensor([0.1, 3], { dtype: "f16" }),
      b: tensor([[-0, Number.NaN]], { dtype: "bf16" }),
      u: tensor([7], { dtype: "u8" }),
    }
    const file = writeSafetensors(tensorsOf(tree))
    const header = Buffer.from(file).toString("latin1")
    for (const kind of ["F16", "BF16", "U8"]) expect(header).toContain(`"dtype":"${kind}"`)
    const { tensors } = readSafetensors(file)
    expect(tensors.h).toEqual({ dtype: "f16", shape: [2], data: Uint16Array.of(0x2e66, 0x4200) })
    const read = restore(formOf(tree), tensors)
    expect(treeText(read)).toEqual(treeText(tree))
  })
})
