import { describe, expect, test } from "vitest"
import { DataError } from "./errors.ts"
import { kFold, shuffle, splitRows } from "./split.ts"

describe("shuffle", () => {
  test("the bits are fixed: these orders are part of every saved result", () => {
    expect([...shuffle(10, 1, 0)]).toMatchInlineSnapshot(`
      [
        1,
        9,
        4,
        8,
        3,
        7,
        6,
        5,
        0,
        2,
      ]
    `)
    expect([...shuffle(10, 2 ** 40 + 1, 3)]).toMatchInlineSnapshot(`
      [
        2,
        3,
        7,
        9,
        1,
        6,
        0,
        5,
        4,
        8,
      ]
    `)
  })
  test("seed and epoch both matter, and every number occurs once", () => {
    const orders = [shuffle(100, 1, 0), shuffle(100, 1, 1), shuffle(100, 2, 0), shuffle(100, 1 + 2 ** 32, 0)]
    expect(new Set(orders.map(String)).size).toBe(4)
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual([...Array(100).keys()])
    expect([...shuffle(0, 1, 0)]).toEqual([])
  })
  test("every order of four is equally likely", () => {
    const counts = new Map<string, number>()
    const draws = 24_000
    for (let epoch = 0; epoch < draws; epoch++) {
      const order = String(shuffle(4, 7, epoch))
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    const chiSquared = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
    expect(counts.size).toBe(24)
    expect(chiSquared).toBeLessThan(49.7) // the 0.1 % point at 23 degrees of freedom
  })
})

describe("splitRows", () => {
  test("parts have their sizes, no common row, and ascend", () => {
    const { train, validation, test: held } = splitRows(150, { test: 0.2, validation: 0.1, seed: 1 })
    expect([train.length, validation.length, held.length]).toEqual([105, 15, 30])
    expect([...train, ...validation, ...held].sort((a, b) => a - b)).toEqual([...Array(150).keys()])
    for (const part of [train, validation, held]) expect([...part]).toEqual([...part].sort((a, b) => a - b))
  })
  test("the seed decides", () => {
    const part = (seed: number) => String(splitRows(150, { test: 0.2, seed }).test)
    expect(part(1)).toBe(part(1))
    expect(part(1)).not.toBe(part(2))
  })
  test("stratified parts hold every class in proportion", () => {
    const classes = Int32Array.from({ length: 200 }, (_, i) => (i < 150 ? 0 : i < 190 ? 1 : 2))
    const split = splitRows(200, { test: 0.2, validation: 0.1, seed: 5, stratify: classes })
    const counts = (rows: Int32Array) => [0, 1, 2].map(c => rows.filter(row => classes[row] === c).length)
    expect([counts(split.train), counts(split.validation), counts(split.test)]).toEqual([
      [105, 28, 7],
      [15, 4, 1],
      [30, 8, 2],
    ])
  })
  test("a part asked for is never empty", () => {
    expect(splitRows(3, { test: 0.01, validation: 0.01, seed: 1 })).toMatchObject({ test: { length: 1 }, validation: { length: 1 } })
    expect(splitRows(3, { seed: 1 }).train).toEqual(new Int32Array([0, 1, 2]))
  })
  test("refuses what cannot be", () => {
    expect(() => splitRows(2, { test: 0.1, validation: 0.1, seed: 1 })).toThrow(DataError)
    expect(() => splitRows(10, { test: 0.5, validation: 0.5, seed: 1 })).toThrow(RangeError)
    expect(() => splitRows(10, { test: Number.NaN, seed: 1 })).toThrow(RangeError)
  })
})

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
const sorted = (...parts: Int32Array[]) => parts.flatMap(part => [...part]).sort((a, b) => a - b)

describe("groups and times", () => {
  const groups = upTo(300).map(i => `patient ${(i * 7) % 40}`)
  test("no group is in two parts, and the shares are near", () => {
    for (const seed of upTo(20)) {
      const { train, validation, test } = splitRows(300, { test: 0.2, validation: 0.1, seed, groups })
      expect(sorted(train, validation, test)).toEqual(upTo(300))
      const [a, b, c] = [train, validation, test].map(part => new Set(Array.from(part, row => groups[row])))
      expect(a!.size + b!.size + c!.size).toBe(40)
      // at most one group of eight rows more
      expect(test.length).toSatisfy((n: number) => n >= 60 && n < 68)
      expect(validation.length).toSatisfy((n: number) => n >= 30 && n < 38)
    }
  })
  test("the latest rows are the test, those before them validation", () => {
    const times = upTo(100).map(i => (i * 37) % 100)
    const { train, validation, test } = splitRows(100, { test: 0.2, validation: 0.1, seed: 1, times })
    const of = (part: Int32Array) => Array.from(part, row => times[row]!)
    expect(Math.min(...of(test))).toBe(80)
    expect([Math.min(...of(validation)), Math.max(...of(validation))]).toEqual([70, 79])
    expect(Math.max(...of(train))).toBe(69)
  })
  const bad: [string, () => unknown, string][] = [
    [
      "two at once",
      () => splitRows(2, { seed: 1, groups: [1, 2], times: [1, 2] }),
      "at most one of stratify, groups and times; got groups and times",
    ],
    ["too few entries", () => splitRows(3, { seed: 1, groups: [1, 2] }), "`groups` has 2 entries; wanted one for each of the 3 rows"],
    ["a time that is none", () => splitRows(2, { seed: 1, times: [1, Number.NaN] }), "Row 1 (counted from 0) has the time NaN"],
    ["one group for all", () => splitRows(4, { seed: 1, test: 0.25, groups: [1, 1, 1, 1] }), "leave none for training"],
    ["more folds than rows", () => kFold(2, 3, { seed: 1 }), "2 rows are too few for 3 folds"],
    ["more folds than groups", () => kFold(4, 3, { seed: 1, groups: [1, 1, 2, 2] }), "2 groups are too few for 3 folds"],
    ["one fold", () => kFold(4, 1, { seed: 1 }), "at least 2 folds; got 1"],
    ["no seed", () => kFold(4, 2, {} as never), "`seed` must be a whole number"],
  ]
  test.each(bad)("refused: %s", (_, f, message) => expect(f).toThrow(message))
})

describe("kFold", () => {
  const classes = Int32Array.from({ length: 103 }, (_, i) => (i % 5 === 0 ? 1 : 0))
  const groups = upTo(103).map(i => i % 13)
  test.each([{}, { stratify: classes }, { groups }])("each row is validated once: %#", more => {
    const folds = kFold(103, 5, { seed: 3, ...more })
    expect(sorted(...folds.map(fold => fold.validation))).toEqual(upTo(103))
    for (const { train, validation } of folds) expect(sorted(train, validation)).toEqual(upTo(103))
    expect(kFold(103, 5, { seed: 3, ...more })).toEqual(folds)
    expect(kFold(103, 5, { seed: 4, ...more })).not.toEqual(folds)
  })
  test("folds are of one size, have their share of every class, or whole groups", () => {
    for (const { validation } of kFold(103, 5, { seed: 3 })) expect(Math.abs(validation.length - 20.6)).toBeLessThan(1)
    for (const { validation } of kFold(103, 5, { seed: 3, stratify: classes })) {
      const ones = validation.reduce((n, row) => n + classes[row]!, 0)
      expect(Math.abs(ones - 4.2)).toBeLessThanOrEqual(1.2)
    }
    const seen = kFold(103, 5, { seed: 3, groups }).map(fold => new Set(Array.from(fold.validation, row => groups[row])))
    expect(seen.reduce((n, set) => n + set.size, 0)).toBe(13)
  })
  test("two equal classes in turn do not fall into one fold each", () => {
    for (const { validation } of kFold(100, 2, { seed: 1, stratify: Int32Array.from({ length: 100 }, (_, i) => i % 2) }))
      expect(validation.reduce((n, row) => n + (row % 2), 0)).toBe(25)
  })
})
