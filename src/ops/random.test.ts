import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { enginesAgree } from "../../tests/engines.ts"
import type { Primitive } from "../core/primitive.ts"
import { bind1 } from "../core/tensor.ts"
import { jit, random, softmax, type Tensor, tensor, vmap, zeros } from "../index.ts"
import { int } from "../ir/affine.ts"
import { compare, constant, index, op } from "../ir/expr.ts"
import { threefry } from "../ir/threefry.ts"
import { definePrimitive } from "../primitives/define.ts"

const key = random.key(7)
const mean = (xs: ArrayLike<number>): number => Array.from(xs).reduce((s, x) => s + x, 0) / xs.length

describe("gumbel", () => {
  test.each(["f32", "f64"] as const)("%s: finite, with the mean and variance of the distribution", dtype => {
    const xs = random.gumbel(key, [40_000], { dtype }).values()
    expect(xs.every(Number.isFinite)).toBe(true)
    const m = mean(xs)
    // the mean is Euler's constant, the variance pi^2 / 6; four standard errors
    expect(Math.abs(m - 0.5772156649)).toBeLessThan(4 * Math.sqrt(1.645 / 40_000))
    expect(Math.abs(mean(xs.map(x => (x - m) ** 2)) - Math.PI ** 2 / 6)).toBeLessThan(0.08)
  })
})

describe("categorical", () => {
  const logits = tensor([0, 1, -1, 0.5])
  const draw = (k: Tensor): Tensor => random.categorical(k, logits)
  test("classes come as often as softmax says", () => {
    const n = 20_000
    const drawn = jit(vmap(draw))(random.split(key, n)).values()
    softmax(logits).values().forEach((p, c) => {
      const share = drawn.filter(x => x === c).length / n
      expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n))
    }) // biome-ignore format: one thought
  })
  test("along any axis", () => {
    const certain = tensor([[9e3, 0, 0], [0, 9e3, 9e3]]) // biome-ignore format: a matrix
    expect(random.categorical(key, certain, { axis: 0 }).toArray()).toEqual([0, 1, 1])
    expect(random.categorical(key, certain).shape).toEqual([2])
  })
})

describe("permutation", () => {
  test("each once, in another order for another key", () => {
    const [a, b] = [key, random.key(8)].map(k => [...random.permutation(k, 100).values()])
    expect(a).not.toEqual(b)
    expect(a!.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })
  test("every order of three comes as often", () => {
    const n = 12_000
    const drawn = vmap((k: Tensor) => random.permutation(k, 3))(random.split(key, n)).toArray() as number[][]
    const counts = new Map<string, number>()
    for (const d of drawn) counts.set(`${d}`, (counts.get(`${d}`) ?? 0) + 1)
    expect(counts.size).toBe(6)
    for (const c of counts.values()) expect(Math.abs(c / n - 1 / 6)).toBeLessThan(4 * Math.sqrt(5 / 36 / n))
  })
  test("rows of a tensor, nothing, one", () => {
    const rows = random.permutation(key, tensor([[1, 10], [2, 20], [3, 30]])).toArray() as number[][] // biome-ignore format: a matrix
    expect(rows.every(([a, b]) => b === 10 * a!)).toBe(true)
    expect(rows.map(r => r[0]).toSorted()).toEqual([1, 2, 3])
    expect([0, 1].map(n => [...random.permutation(key, n).values()])).toEqual([[], [0]])
  })
})

// Known answers of Random123, as JAX tests them. A key here is any two words; counters are made public by `fold`, which has the counter
// (0, data), so that the answers to others are those of the formula that all random functions go through.
const answers = "../shared/material/prng/kat.json"
describe.skipIf(!existsSync(answers))(`Threefry's known answers (skipped where ${answers} is absent)`, () => {
  interface Answer {
    readonly key: readonly [string, string]
    readonly ctr: readonly [string, string]
    readonly out: readonly [string, string]
  }
  const cases: readonly Answer[] = existsSync(answers) ? JSON.parse(readFileSync(answers, "utf8")).threefry2x32_20.cases : []
  const words = (hex: readonly string[]): Tensor => tensor(Int32Array.from(hex, Number))
  const hex = (x: Tensor): string[] => Array.from(x.values(), v => `0x${(v >>> 0).toString(16).padStart(8, "0")}`)
  const both: Primitive<null> = definePrimitive<null>({
    name: "threefry",
    shape: ([key]) => key!,
    at: ([key, counter], [i]) => {
      const [a, b] = threefry([key!([int(0)]), key!([int(1)])], [counter!([int(0)]), counter!([int(1)])])
      return op("select", compare("eq", index(i!), constant("i32", 0)), a, b)
    },
    push: [null, null],
    batch: () => {
      throw new Error("not batched here")
    },
  })
  test("there are three", () => expect(cases.length).toBe(3))
  test.each(cases)("key $key, counter $ctr", ({ key, ctr, out }) => {
    const f = (key: Tensor, counter: Tensor): Tensor => bind1(both, [key, counter], null)
    expect(hex(f(words(key), words(ctr)))).toEqual(out)
    enginesAgree(f, [words(key), words(ctr)])
    if (Number(ctr[0]) !== 0) return
    const k = words(key)
    const at = Number(ctr[1])
    expect(hex(random.fold(k, at))).toEqual(out)
    expect(hex(random.split(k, at + 1).at(-1))).toEqual(out)
    // one word for an element, and of it the upper 23 bits for a number in [0, 1)
    const word = (Number(out[0]) ^ Number(out[1])) >>> 0
    expect(random.bits(k, [at + 1]).values()[at]).toBe(word | 0)
    expect(random.uniform(k, [at + 1]).values()[at]).toBe((word >>> 9) * 2 ** -23)
  })
})

test.each<[string, () => unknown, RegExp]>([
  ["no key", () => random.gumbel(1 as any, [2]), /random.gumbel: the first argument is a key/],
  ["integers as logits", () => random.categorical(key, tensor([1, 2], { dtype: "i32" })), /logits must be a floating-point tensor; got i32\[2\]/],
  ["a scalar", () => random.permutation(key, zeros([])), /a tensor with an axis; got a scalar/],
  ["less than nothing", () => random.permutation(key, -1), /got -1/],
])("throws: %s", (_name, f, message) => expect(f).toThrow(message)) // biome-ignore format: one line each
