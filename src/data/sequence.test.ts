import { describe, expect, test } from "vitest"
import { type Sequence, sequence } from "./sequence.ts"

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
const collected = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
/** Gives its elements in order only. */
const stream = (n: number) =>
  sequence(async function* () {
    for (let i = 0; i < n; i++) yield i
  })

describe("what sequences give", () => {
  const cases: [string, Sequence<unknown>, unknown[], number | undefined][] = [
    ["a list", sequence([1, 2]), [1, 2], 2],
    ["a typed array", sequence(Int32Array.of(1, 2)), [1, 2], 2],
    ["a set", sequence(new Set([1, 2])), [1, 2], undefined],
    ["a function", sequence(epoch => [epoch]), [0], undefined],
    ["map, also where it waits", sequence([1, 2]).map(async x => x * 2), [2, 4], 2],
    ["filter", sequence([1, 2, 3]).filter(x => x !== 2), [1, 3], undefined],
    ["take", stream(5).take(2), [0, 1], undefined],
    ["take none", stream(5).take(0), [], undefined],
    ["take of a list", sequence([1, 2]).take(5), [1, 2], 2],
    ["skip", stream(5).skip(3), [3, 4], undefined],
    ["skip of a list", sequence([1, 2, 3]).skip(1), [2, 3], 2],
    ["batch", sequence(upTo(5)).batch(2), [[0, 1], [2, 3], [4]], 3],
    ["prefetch", stream(5).prefetch(3), upTo(5), undefined],
    [
      "all of nothing",
      sequence<number>([])
        .map(x => x)
        .shuffle({ seed: 1 })
        .batch(2)
        .prefetch(2),
      [],
      0,
    ],
  ]
  test.each(cases)("%s", async (_, s, wanted, length) => {
    expect(await s.toArray()).toEqual(wanted)
    expect(s.length).toBe(length)
  })
})

describe("shuffle", () => {
  const kinds: [string, Sequence<number>][] = [
    ["of a list", sequence(upTo(200)).shuffle({ seed: 5 })],
    [
      "behind map",
      sequence(upTo(200))
        .map(x => x)
        .shuffle({ seed: 5 }),
    ],
    ["with a buffer", stream(200).shuffle({ seed: 5, buffer: 32 })],
    ["with a buffer for all", stream(200).shuffle({ seed: 5, buffer: 1000 })],
  ]
  test.each(kinds)("%s: all elements, another order each epoch, the same one again", async (_, s) => {
    const orders = await Promise.all([1, 2, 1].map(epoch => collected(s.epoch(epoch))))
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(upTo(200))
    expect(orders[0]).toEqual(orders[2])
    expect(orders[0]).not.toEqual(orders[1])
    expect(orders[0]).not.toEqual(upTo(200))
  })
  test("of a list: every order is equally likely", async () => {
    const seen = new Map<string, number>()
    const s = sequence([0, 1, 2]).shuffle({ seed: 3 })
    for (let epoch = 0; epoch < 3000; epoch++) {
      const order = (await collected(s.epoch(epoch))).join()
      seen.set(order, (seen.get(order) ?? 0) + 1)
    }
    expect(seen.size).toBe(6)
    // 500 wanted; the standard deviation is 20
    for (const n of seen.values()) expect(Math.abs(n - 500)).toBeLessThan(100)
  })
  test("a buffer of n lets no element wait for more than two rounds", async () => {
    const order = await collected(stream(1000).shuffle({ seed: 1, buffer: 10 }))
    order.forEach((x, at) => expect(Math.abs(x - at)).toBeLessThanOrEqual(30))
  })
  test("wants a buffer where the order is given", () => expect(() => stream(5).shuffle({ seed: 1 })).toThrow(/in order only.*buffer/))
})

describe("laziness", () => {
  let made = 0
  const count = (x: number): number => {
    made++
    return x
  }
  test("nothing is made before it is asked for, nor more than that", async () => {
    made = 0
    const s = sequence(upTo(100)).map(count)
    expect(made).toBe(0)
    for await (const x of s) if (x === 2) break
    expect(made).toBe(3)
  })
  test("prefetch makes ahead, and no more than it was told to", async () => {
    made = 0
    const s = sequence(upTo(100))
      .map(async x => count(x))
      .prefetch(4)
    for await (const x of s) {
      await new Promise(resolve => setTimeout(resolve, 1))
      expect(made).toBeGreaterThan(x + 1)
      expect(made).toBeLessThanOrEqual(x + 5)
      if (x === 5) break
    }
  })
  test("who stops early closes the source, also through prefetch", async () => {
    const closed: string[] = []
    const source = sequence(async function* () {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        closed.push("closed")
      }
    })
    for await (const _ of source.map(x => x).batch(2)) break
    for await (const _ of source.prefetch(3)) break
    expect(closed).toEqual(["closed", "closed"])
  })
  test("an error comes in its turn", async () => {
    const s = sequence([1, 2, 3]).map(x => {
      if (x === 3) throw new Error("three")
      return x
    })
    for (const t of [s, s.prefetch(3), s.batch(1)]) {
      const seen: unknown[] = []
      await expect(async () => {
        for await (const x of t) seen.push(x)
      }).rejects.toThrow("three")
      expect(seen.length).toBe(2)
    }
  })
})

describe("refused", () => {
  const cases: [string, () => unknown, RegExp][] = [
    ["a generator, which can be read once", () => sequence(upTo(2)[Symbol.iterator]()), /give a function that makes it/],
    ["a number", () => sequence(3 as never), /wants a list or a function; got number/],
    ["batch(0)", () => sequence([1]).batch(0), /batch wants a whole number from 1; got 0/],
    ["take(-1)", () => sequence([1]).take(-1), /take wants a whole number from 0; got -1/],
    ["no seed", () => sequence([1]).shuffle({} as never), /`seed` wants a whole number from 0; got undefined/],
  ]
  test.each(cases)("%s", (_, f, message) => expect(f).toThrow(message))
})
