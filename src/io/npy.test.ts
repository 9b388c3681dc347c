import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { FormatError } from "./errors.ts"
import { type NpyArray, readNpy, writeNpy } from "./npy.ts"
import { readNpz, writeNpz } from "./npz.ts"

const arrays: [string, NpyArray][] = [
  ["f32", { dtype: "f32", shape: [2], data: new Float32Array([1, -0]) }],
  ["f64", { dtype: "f64", shape: [], data: new Float64Array([5e-324]) }],
  ["f16, as bits", { dtype: "f16", shape: [1], data: new Uint16Array([0x3c00]) }],
  ["c64", { dtype: "c64", shape: [1], data: new Float32Array([1, 2]) }],
  ["c128", { dtype: "c128", shape: [1], data: new Float64Array([1, 2]) }],
  ["i8", { dtype: "i8", shape: [1, 2, 1], data: new Int8Array([-1, 1]) }],
  ["u8", { dtype: "u8", shape: [0, 7], data: new Uint8Array(0) }],
  ["i16", { dtype: "i16", shape: [1], data: new Int16Array([-300]) }],
  ["u16", { dtype: "u16", shape: [1], data: new Uint16Array([65535]) }],
  ["i32", { dtype: "i32", shape: [2], data: new Int32Array([-5, 5]) }],
  ["u32", { dtype: "u32", shape: [1], data: new Uint32Array([4e9]) }],
  ["i64", { dtype: "i64", shape: [1], data: new BigInt64Array([-(2n ** 63n)]) }],
  ["u64", { dtype: "u64", shape: [1], data: new BigUint64Array([2n ** 64n - 1n]) }],
  ["bool", { dtype: "bool", shape: [3], data: new Uint8Array([1, 0, 1]) }],
]
test.each(arrays)("what was written is read again: %s", (_, array) => {
  const bytes = writeNpy(array)
  expect(readNpy(bytes)).toEqual(array)
  expect(bytes.length - array.data.byteLength).toSatisfy(start => (start as number) % 64 === 0)
  const within = new Uint8Array(bytes.length + 3) // a view at an odd place of a larger buffer
  within.set(bytes, 3)
  expect(readNpy(within.subarray(3))).toEqual(array)
  expect(readNpy(Buffer.from(bytes))).toEqual(array) // its slice() copies nothing
})

test("three axes in Fortran order", () => {
  const bytes = writeNpy({ dtype: "u8", shape: [2, 3, 2], data: new Uint8Array([0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]) })
  const text = Buffer.from(bytes).toString("latin1").replace("False", " True")
  // element [i, j, k] lies at i + 2 j + 6 k
  expect([...(readNpy(Buffer.from(text, "latin1")).data as Uint8Array)]).toEqual(
    [0, 1, 4, 5, 8, 9, 6, 7, 10, 11, 2, 3].map((_, at) => {
      const [i, j, k] = [Math.floor(at / 6), Math.floor(at / 2) % 3, at % 2]
      return [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11][i + 2 * j + 6 * k]!
    }),
  )
})

test("archives: the same arrays give the same bytes, stored or compressed, and names are nothing but names", () => {
  const some = { "a/b": arrays[0]![1], "../c": arrays[1]![1], __proto__x: arrays[2]![1] }
  for (const compressed of [true, false]) {
    const bytes = writeNpz(some, { compressed })
    expect(writeNpz(some, { compressed })).toEqual(bytes)
    expect({ ...readNpz(bytes) }).toEqual(some)
  }
})

describe("refused", () => {
  const file = (header: string, data = 8) =>
    Buffer.concat([
      Buffer.from("\x93NUMPY\x01\x00", "latin1"),
      Buffer.of(header.length & 255, header.length >> 8),
      Buffer.from(header),
      Buffer.alloc(data),
    ])
  const header = (descr: string, shape: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`
  test("but not this", () => expect(readNpy(file(header("'<f4'", "(2,)"))).shape).toEqual([2]))
  const cases: [string, Uint8Array, string][] = [
    ["a key twice", file(`{'shape': (2,), ${header("'<f4'", "(2,)").slice(1)}`), "names shape twice"],
    ["no byte order", file(header("'|f4'", "(2,)")), 'its elements are "|f4"'],
    ["a kind that is a method of objects", file(header("'<constructor'", "(2,)")), "its elements are"],
    ["text", file(header("'<U1'", "(2,)")), "text; wanted numbers"],
    ["objects", file(header("'|O'", "(2,)")), "objects of Python"],
    ["records", file(header("[('a', '<f4')]", "(2,)")), "records of several fields"],
    ["an axis beyond 2^53", file(header("'<f4'", "(0, 99999999999999999999)"), 0), "longer than any array"],
    ["a number as shape", file(header("'<f4'", "(2)")), "wanted a tuple"],
    ["bytes behind it", file(header("'<f4'", "(2,)"), 9), "bytes, but it has"],
  ]
  test.each(cases)("%s", (_, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(FormatError)
    expect(() => readNpy(bytes)).toThrow(message)
  })
  test("bf16 cannot be written", () =>
    expect(() => writeNpy({ dtype: "bf16", shape: [1], data: new Uint16Array(1) })).toThrow("NumPy has no name for bf16"))
  test("a shape that does not fit cannot be written", () =>
    expect(() => writeNpy({ dtype: "f32", shape: [3], data: new Float32Array(2) })).toThrow("of 12 bytes, got Float32Array of 8"))
})

const folder = "../shared/material/numpy/npy"
type Case = {
  file: string
  numpy: string
  dtype?: string
  shape?: number[]
  values?: (string | number)[]
  arrays?: Record<string, unknown>
}
// JSON.parse would round 64-bit integers
const quoted = (text: string): string => text.replace(/(?<=[[\s])-?\d{16,}(?=[\s\],])/g, '"$&"')
const cases: Case[] = existsSync(folder) ? JSON.parse(quoted(readFileSync(`${folder}/cases.json`, "utf8"))) : []
// Here NumPy is laxer, or reads what is no array of numbers; see the docstrings of readNpy and readNpz.
const STRICTER = new Set(["ok_str.npy", "ok_struct.npy", "x_extra_data.npy", "x_dup_member.npz", "x_bomb_64MB.npz"])
const NAMES: Record<string, string> = { bool: "|b1", f16: "<f2", f32: "4", f64: "8", c64: "8", c128: "16" }

describe.skipIf(cases.length === 0)(`NumPy's verdicts (skipped where ${folder} is absent)`, () => {
  test.each(cases)("$file: $numpy", ({ file, numpy, dtype, shape, values, arrays }) => {
    const bytes = new Uint8Array(readFileSync(`${folder}/${file}`))
    const read = () => (file.endsWith(".npz") ? readNpz(bytes) : readNpy(bytes))
    if (numpy !== "accept" || STRICTER.has(file)) {
      expect(read).toThrow(FormatError)
      return
    }
    if (arrays) {
      expect(Object.entries(readNpz(bytes)).map(([name, array]) => [name, array.shape])).toEqual(
        Object.entries(arrays).map(([name, [, shape]]: any) => [name, shape]),
      )
      return
    }
    const array = readNpy(bytes)
    expect(array.shape).toEqual(shape)
    if (NAMES[array.dtype]) expect(dtype).toContain(NAMES[array.dtype]!)
    const found = array.dtype === "f16" ? [...array.data].map(halfOf) : [...(array.data as Iterable<number | bigint>)]
    const text = (x: unknown) => (Object.is(x, -0) ? "-0" : String(x))
    const wanted = (x: string | number) =>
      ({ nan: "NaN", inf: "Infinity", "-inf": "-Infinity", "-0.0": "-0" })[x] ?? (/^-?\d+$/.test(`${x}`) ? `${x}` : text(Number(x)))
    if (values) expect(found.map(text)).toEqual(values.map(wanted))
  })
  test("an archive that unpacks to a thousand times its size, if asked for", () => {
    const bytes = new Uint8Array(readFileSync(`${folder}/x_bomb_64MB.npz`))
    expect(() => readNpz(bytes)).toThrow("maxBytes")
    expect(readNpz(bytes, { maxBytes: 2 ** 27 }).w!.shape).toEqual([2 ** 26])
  })
  test("objects of Python in all forms", () => {
    for (const file of ["py2-np0-objarr.npy", "py2-objarr.npy", "py3-objarr.npy"])
      expect(() => readNpy(readFileSync(`${folder}/${file}`))).toThrow("objects of Python")
    for (const file of ["py2-objarr.npz", "py3-objarr.npz"]) expect(() => readNpz(readFileSync(`${folder}/${file}`))).toThrow(FormatError)
  })
})

/** For small whole numbers. */
function halfOf(bits: number): number {
  return bits === 0 ? 0 : 2 ** ((bits >> 10) - 15) * (1 + (bits & 1023) / 1024)
}
