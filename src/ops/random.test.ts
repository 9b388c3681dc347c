import { describe, expect, test } from "vitest"
import { jit, random, softmax, type Tensor, tensor, vmap, zeros } from "../index.ts"

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

test.each<[string, () => unknown, RegExp]>([
  ["no key", () => random.gumbel(1 as any, [2]), /random.gumbel: the first argument is a key/],
  ["integers as logits", () => random.categorical(key, tensor([1, 2], { dtype: "i32" })), /logits must be a floating-point tensor; got i32\[2\]/],
  ["a scalar", () => random.permutation(key, zeros([])), /a tensor with an axis; got a scalar/],
  ["less than nothing", () => random.permutation(key, -1), /got -1/],
])("throws: %s", (_name, f, message) => expect(f).toThrow(message)) // biome-ignore format: one line each
