import { describe, expect, test } from "vitest"
import { DataError } from "./errors.ts"
import { shuffle, splitRows } from "./split.ts"

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
