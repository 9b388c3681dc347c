import { expect, test } from "vitest"
import { Bytes, type Code, WasmModule } from "./wasm-bytes.ts"

declare const WebAssembly: any

/** Runs one function of no parameters and gives the memory. */
function run(write: (code: Code) => void): DataView {
  const module = new WasmModule()
  module.function("f", [], write)
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
  new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } }).exports.f()
  return new DataView(memory.buffer)
}

test("numbers of variable length (the examples of the DWARF standard, 7.6)", () => {
  const written = (write: (b: Bytes) => void): number[] => {
    const b = new Bytes()
    write(b)
    return [...b.bytes()]
  }
  const unsigned: readonly [number, number[]][] = [
    [2, [2]],
    [127, [127]],
    [128, [128, 1]],
    [12857, [57 + 128, 100]],
    [2 ** 32 - 1, [255, 255, 255, 255, 15]],
  ]
  for (const [n, bytes] of unsigned) expect(written(b => b.unsigned(n))).toEqual(bytes)
  const signed: readonly [number, number[]][] = [
    [2, [2]],
    [-2, [126]],
    [127, [255, 0]],
    [-127, [129, 127]],
    [128, [128, 1]],
    [-128, [128, 127]],
  ]
  for (const [n, bytes] of signed) {
    expect(written(b => b.signed(n))).toEqual(bytes)
    expect(written(b => b.long(BigInt(n)))).toEqual(bytes)
  }
})

test("constants arrive as they were", () => {
  for (const n of [0, -1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31), 0x12345678]) {
    expect(run(c => c.i32(0).i32(n).memory("i32.store")).getInt32(0, true)).toBe(n)
  }
  for (const x of [0, -0, 0.1, -Infinity, NaN, 5e-324]) {
    expect(run(c => c.i32(8).f64(x).memory("f64.store", 16)).getFloat64(24, true)).toBe(x)
    expect(run(c => c.i32(0).f32(x).memory("f32.store")).getFloat32(0, true)).toBe(Math.fround(x))
  }
  const view = run(c =>
    c
      .i32(0)
      .v128("i32", [1, -2, 2 ** 31 - 1, -(2 ** 31)])
      .memory("v128.store"),
  )
  expect([0, 4, 8, 12].map(at => view.getInt32(at, true))).toEqual([1, -2, 2 ** 31 - 1, -(2 ** 31)])
})

test("locals of several types, loops and functions that call others", () => {
  const module = new WasmModule()
  const add = module.import("add", ["i32", "i32"])
  const twice = module.function(undefined, ["i32"], c => c.get(0, 0).call(add).get(0, 0).call(add))
  module.function("f", ["i32"], c => {
    const [i, x, j] = [c.local("i32"), c.local("f64"), c.local("i32")]
    c.f64(2.5).set(x)
    c.for(i, 0, 2, () => c.for(j, i, 1, () => c.get(i).call(twice)))
    c.i32(0).get(x).memory("f64.store")
  })
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
  const calls: number[] = []
  const lib = { add: (a: number, b: number) => calls.push(a + b) }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory }, lib })
  exports.f(5)
  expect(calls).toEqual([4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8]) // i = 0, 2, 4, each i times twice
  expect(new DataView(memory.buffer).getFloat64(0, true)).toBe(2.5)
  calls.length = 0
  exports.f(0)
  expect(calls).toEqual([])
})
