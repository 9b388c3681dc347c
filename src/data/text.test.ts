import { describe, expect, test } from "vitest"
import { characters, readText, textWindows } from "../data.ts"
import { DataError } from "./errors.ts"

const text = "to be, or not to be — 𝔞 question"
describe("characters", () => {
  test("are sorted by code point, and go there and back", () => {
    const { symbols, encode, decode } = characters(text)
    expect(symbols.slice(0, 3)).toEqual([" ", ",", "b"])
    expect(symbols.slice(-2)).toEqual(["—", "𝔞"])
    expect(characters("\uFFFD𝔞a").symbols).toEqual(["a", "\uFFFD", "𝔞"]) // by code unit it were otherwise
    expect(decode(encode(text))).toBe(text)
    expect(characters(symbols).symbols).toEqual(symbols)
    expect(() => encode("z")).toThrow(DataError)
    expect(() => decode([99])).toThrow(RangeError)
    expect(() => characters("")).toThrow(DataError)
  })
})

describe("windows", () => {
  const codes = Int32Array.from({ length: 20 }, (_, i) => i)
  const cases: [number, number | undefined, number][] = [
    [4, undefined, 4],
    [19, undefined, 1],
    [4, 1, 16],
    [4, 7, 3],
    [3, 3, 6],
  ]
  test.each(cases)("length %i, stride %s: %i", async (length, stride, rows) => {
    const all = textWindows(codes, { length, ...(stride && { stride }) })
    expect(all.rows).toBe(rows)
    const { x, y } = await all.load(Int32Array.of(rows - 1, 0), 1)
    const start = (rows - 1) * (stride ?? length)
    expect([...x.subarray(0, length)]).toEqual(Array.from({ length }, (_, k) => start + k))
    expect([...y]).toEqual([...x].map(code => Number(code) + 1))
    expect(start + length).toBeLessThan(20)
    expect(start + (stride ?? length) + length).toBeGreaterThanOrEqual(20)
  })
  test("parts by position", async () => {
    const part = textWindows(codes, { length: 4 }).slice(2)
    expect(part.rows).toBe(2)
    expect([...(await part.slice(1, 2).load(Int32Array.of(0), 1)).x]).toEqual([12, 13, 14, 15])
    expect(() => part.slice(2)).toThrow(RangeError)
  })
  test("what makes no sense", () => {
    expect(() => textWindows(codes, { length: 0 })).toThrow(TypeError)
    expect(() => textWindows(codes, { length: 4, stride: 0.5 })).toThrow(TypeError)
    expect(() => textWindows(codes, { length: 20 })).toThrow(DataError)
  })
})

test("a file is read piece by piece as the text is", async () => {
  const long = text.repeat(40_000) // characters of several bytes lie across pieces
  const { codes, characters: found } = await readText(new Blob([long]))
  const { symbols, encode } = characters(text)
  expect(found.symbols).toEqual(symbols)
  const one = encode(text)
  expect(codes.length).toBe(one.length * 40_000)
  expect(codes.every((code, i) => code === one[i % one.length])).toBe(true)
  await expect(readText(new Blob([]), { name: "t" })).rejects.toThrow("t is empty")
  await expect(readText(new Blob([Uint8Array.of(97, 0xe9)]))).rejects.toThrow(DataError)
})
