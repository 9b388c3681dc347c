import { describe, expect, test } from "vitest"
import { type Axis, axisIndex, type Index, int, newAxis, offset, ravel } from "../../ir/affine.ts"
import { type Expr, type FloatType, op, reduce } from "../../ir/expr.ts"
import type { Kernel } from "../kernel.ts"
import { interpret, type Operand } from "./testing/interpret.ts"
import { memory, randomNumbers } from "./testing/random-kernels.ts"
import { runWasm } from "./testing/run-wasm.ts"
import { kernelKind } from "./wasm.ts"

/** Sizes by letter; several letters of a kind are several axes: "xy" batch, "mn" rows and columns, "k" summed. */
type Sizes = Readonly<Record<string, number>>

/** The product whose operands and result lie in memory in the order of the letters. */
function product(t: FloatType, sizes: Sizes, a: string, b: string, c: string, shift = 0): Kernel {
  const axes = new Map<string, Axis>(Object.entries(sizes).map(([letter, n]) => [letter, newAxis(n)]))
  const axis = (letter: string): Axis => axes.get(letter)!
  const at = (letters: string): Index => {
    const dims = [...letters].map(axis)
    return dims.length === 0
      ? int(0)
      : offset(
          ravel(
            dims.map(axisIndex),
            dims.map(x => x.n),
          ),
          shift,
        )
  }
  const load = (slot: number, letters: string): Expr => ({ k: "load", t, slot, at: at(letters) })
  const summed = [...new Set(a + b)].filter(letter => !c.includes(letter)).sort()
  const body = reduce("sum", summed.map(axis), op("mul", load(0, a), load(1, b)))
  return { axes: [...c].map(axis), out: { t, at: at(c), mode: "store", bounds: [] }, body, loads: [t, t] }
}

function filled(t: FloatType, length: number, seed: number): Operand {
  const rng = randomNumbers(seed)
  const x = memory(t, length)
  for (let i = 0; i < length; i++) x[i] = rng() * 2 - 1
  return x
}
const count = (sizes: Sizes, letters: string): number => [...letters].reduce((n, letter) => n * sizes[letter]!, 1)

function operands(t: FloatType, sizes: Sizes, a: string, b: string, c: string, shift = 0): [Operand, Operand, Operand] {
  const sized = (letters: string, seed: number): Operand => filled(t, count(sizes, letters) + shift, seed)
  return [sized(a, 1), sized(b, 2), sized(c, 3)]
}

const types = ["f32", "f64"] as const

describe("plain products equal the sum in order, bit for bit", () => {
  const layouts: readonly [a: string, b: string, c: string][] = [
    ["mk", "kn", "mn"],
    ["km", "kn", "mn"],
    ["mk", "nk", "mn"],
    ["km", "nk", "mn"],
    ["nk", "mk", "mn"],
    ["mk", "kn", "nm"],
    ["km", "nk", "nm"],
  ]
  const sizes: readonly [m: number, n: number, k: number][] = [
    [1, 1, 1],
    [1, 1, 9],
    [1, 7, 5],
    [7, 1, 5],
    [2, 3, 4],
    [4, 8, 16],
    [5, 9, 4],
    [8, 4, 1],
    [17, 13, 31],
    [3, 40, 33],
    [40, 3, 33],
    [131, 9, 4],
    [5, 9, 515],
    [5, 521, 4],
  ]
  for (const t of types) {
    test.each(layouts)(`${t} %s, %s -> %s`, (a, b, c) => {
      for (const [m, n, k] of sizes) {
        for (const shift of [0, 3]) {
          const kernel = product(t, { m, n, k }, a, b, c, shift)
          const [x, y, out] = operands(t, { m, n, k }, a, b, c, shift)
          const want = out.slice()
          interpret(kernel, [x, y], want)
          expect(runWasm(kernel, [x, y], out), `${m} x ${n} x ${k}`).toEqual(want)
        }
      }
    })
  }
})

describe("batches and axes that do not merge", () => {
  const cases: readonly [a: string, b: string, c: string][] = [
    ["xmk", "xkn", "xmn"],
    ["mxk", "kxn", "mxn"],
    ["xymk", "yxnk", "xymn"],
    ["xmk", "kn", "xmn"],
    ["mxk", "kn", "xmn"],
    ["xkm", "kn", "xmn"],
    ["mk", "xkn", "xmn"],
    ["mk", "kxn", "mxn"],
    ["mkl", "kln", "mn"],
    ["mlk", "kln", "mn"],
    ["lkm", "nkl", "mn"],
  ]
  const sizes: Sizes = { x: 3, y: 2, m: 12, n: 18, k: 10, l: 11 }
  for (const t of types) {
    test.each(cases)(`${t} %s, %s -> %s`, (a, b, c) => {
      const used = Object.fromEntries(Object.entries(sizes).filter(([letter]) => (a + b).includes(letter)))
      const kernel = product(t, used, a, b, c)
      const [x, y, out] = operands(t, used, a, b, c)
      const want = out.slice()
      interpret(kernel, [x, y], want)
      expect(kernelKind(kernel)).toBe("gemm")
      expect(runWasm(kernel, [x, y], out)).toEqual(want)
    })
  }
})

describe("what is a product, and what loops do as well", () => {
  const kinds: readonly [kind: string, sizes: Sizes, a: string, b: string, c: string][] = [
    ["gemm", { m: 64, n: 10, k: 128 }, "mk", "kn", "mn"],
    ["gemm", { m: 64, k: 128 }, "mk", "k", "m"],
    ["vector", { n: 64, k: 128 }, "k", "kn", "n"],
    ["scalar", { k: 128 }, "k", "k", ""],
    // one or two rows read B without packing it
    ["vector", { m: 2, n: 64, k: 128 }, "mk", "kn", "mn"],
    ["gemm", { m: 3, n: 64, k: 128 }, "mk", "kn", "mn"],
    ["gemm", { m: 2, n: 64, k: 128 }, "mk", "nk", "mn"],
    ["gemm", { m: 64, n: 2, k: 128 }, "mk", "kn", "mn"],
    // outer products
    ["vector", { m: 64, n: 64, k: 1 }, "mk", "kn", "mn"],
    ["gemm", { m: 64, n: 64, k: 2 }, "mk", "kn", "mn"],
    // few products
    ["vector", { m: 8, n: 8, k: 8 }, "mk", "kn", "mn"],
    ["gemm", { m: 8, n: 8, k: 8 }, "mk", "nk", "mn"],
    ["scalar", { m: 4, n: 4, k: 4 }, "mk", "nk", "mn"],
  ]
  test.each(kinds)("%s: %o, %s, %s -> %s", (kind, sizes, a, b, c) => {
    expect(kernelKind(product("f32", sizes, a, b, c))).toBe(kind)
  })
  test("sums in another order and additions to memory are none", () => {
    const sum = product("f32", { m: 16, n: 16, k: 16 }, "mk", "kn", "mn")
    expect(kernelKind(sum)).toBe("gemm")
    expect(kernelKind({ ...sum, out: { ...sum.out, mode: "add" } })).not.toBe("gemm")
    expect(kernelKind({ ...sum, body: { ...(sum.body as Expr & { k: "reduce" }), lanes: 8 } })).not.toBe("gemm")
  })
})
