import { setFlagsFromString } from "node:v8"
import { describe, expect, test } from "vitest"
import { enough } from "../../../tests/long.ts"
import type { FloatType } from "../../ir/expr.ts"
import { gemmScratch, packedBytes } from "./gemm.ts"
import type { Gemm, GemmAxis } from "./gemm-match.ts"
import { randomNumbers } from "./testing/random-kernels.ts"
import { emitLibrary } from "./wasm.ts"

setFlagsFromString("--experimental-wasm-relaxed-simd") // Node 20 has it behind a flag

declare const WebAssembly: any
const page = 65536
const types = ["f32", "f64"] as const

type Shape = readonly [m: number, n: number, k: number]
/** Where element (i, j) of a matrix is: start + i * row + j * column. */
interface Layout {
  readonly start: number
  readonly row: number
  readonly column: number
}
const layouts = {
  rows: (_m: number, n: number): Layout => ({ start: 0, row: n, column: 1 }),
  columns: (m: number, _n: number): Layout => ({ start: 0, row: 1, column: m }),
  "rows with gaps": (_m: number, n: number): Layout => ({ start: 0, row: n + 3, column: 1 }),
  "spread rows": (_m: number, n: number): Layout => ({ start: 0, row: 2 * n, column: 2 }),
  "rows from the last": (m: number, n: number): Layout => ({ start: (m - 1) * n, row: -n, column: 1 }),
  backwards: (m: number, n: number): Layout => ({ start: m * n - 1, row: -n, column: -1 }),
  "one row": (): Layout => ({ start: 0, row: 0, column: 1 }),
  "one column": (): Layout => ({ start: 0, row: 1, column: 0 }),
  "one element": (): Layout => ({ start: 0, row: 0, column: 0 }),
}
type LayoutName = keyof typeof layouts
const operandLayouts = Object.keys(layouts) as LayoutName[]
const resultLayouts = operandLayouts.filter(name => !name.startsWith("one "))

/** The library in a memory that it shares with nobody. */
function library(relaxed: boolean) {
  const env = { memory: new WebAssembly.Memory({ initial: 160, maximum: page }) }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(emitLibrary({ relaxed })), { env })
  return { relaxed, exports, buffer: env.memory.buffer as ArrayBuffer }
}
type Library = ReturnType<typeof library>
const relaxedWorks = WebAssembly.validate(emitLibrary({ relaxed: true }))
const plain = library(false)

const axis = (n: number): GemmAxis => ({ n, a: 0, b: 0, c: 0 })
const scratchOf = (t: FloatType, [m, n, k]: Shape): number => gemmScratch({ t, m: axis(m), n: axis(n), k: axis(k) } as unknown as Gemm)

/**
 * The product of random matrices, computed by the library in the middle of a memory in which nothing else may change. What is wanted
 * is the sum in the order of k, every operation rounded; of relaxed products that each element is what it is as a product of its own.
 */
function multiply(
  lib: Library,
  t: FloatType,
  shape: Shape,
  names: readonly [LayoutName, LayoutName, LayoutName],
  adds: 0 | 1,
  packed = false,
) {
  const [m, n, k] = shape
  const size = t === "f32" ? 4 : 8
  const [gemm, pack] = [lib.exports[`gemm_${t}`], lib.exports[`pack_${t}`]]
  let end = 64 + size // no address is a multiple of a vector
  const place = (name: LayoutName, rows: number, columns: number): Layout => {
    const { start, row, column } = layouts[name](rows, columns)
    const across = [0, (rows - 1) * row, (columns - 1) * column, (rows - 1) * row + (columns - 1) * column].map(x => x + start)
    const base = end / size - Math.min(...across)
    end += (Math.max(...across) - Math.min(...across) + 3) * size
    return { start: base + start, row, column }
  }
  const [a, b, c] = [place(names[0], m, k), place(names[1], k, n), place(names[2], m, n)]
  const scratch = Math.ceil(end / 16) * 16
  const panels = scratch + scratchOf(t, shape)
  const spare = panels + (packed ? packedBytes({ t, n: axis(n), k: axis(k) } as unknown as Gemm) : 0)
  const data = new (t === "f32" ? Float32Array : Float64Array)(lib.buffer, 0, (spare + 64) / size)
  const rng = randomNumbers(m + 31 * n + 997 * k)
  for (let i = 0; i < data.length; i++) data[i] = rng() * 2 - 1
  const want = data.slice()

  const run = (m: number, n: number, from: Layout, by: Layout, to: Layout): void =>
    gemm(m, n, k, ...[from, by, to].flatMap(x => [x.start * size, x.row * size, x.column * size]), scratch, adds, packed ? panels : 0)
  const round = t === "f32" ? Math.fround : (x: number) => x
  const inOrder = (from: number, by: number, start: number): number => {
    let sum = start
    for (let l = 0; l < k; l++) sum = round(sum + round(want[from + l * a.column]! * want[by + l * b.row]!))
    return sum
  }
  const alone = (from: number, by: number, start: number): number => {
    const to = { start: spare / size, row: 1, column: 1 }
    data[to.start] = start
    run(1, 1, { ...a, start: from }, { ...b, start: by }, to)
    return data[to.start]!
  }
  const at = (i: number, j: number): number => c.start + i * c.row + j * c.column
  const element = lib.relaxed ? alone : inOrder
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) want[at(i, j)] = element(a.start + i * a.row, b.start + j * b.column, adds ? want[at(i, j)]! : 0)
  }
  data[spare / size] = want[spare / size]!
  if (packed) pack(n, k, b.start * size, b.row * size, b.column * size, panels)
  run(m, n, a, b, c)
  for (const x of [data, want]) x.fill(0, scratch / size, spare / size)
  const elements = Array.from({ length: m * n }, (_, i) => data[at(Math.floor(i / n), i % n)]!)
  return { equal: Buffer.compare(bytesOf(data), bytesOf(want)) === 0, elements }
}
const bytesOf = (x: Float32Array | Float64Array): Uint8Array => new Uint8Array(x.buffer, x.byteOffset, x.byteLength)

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const every = (ms: readonly number[], ns: readonly number[], ks: readonly number[]): Shape[] =>
  ms.flatMap(m => ns.flatMap(n => ks.map((k): Shape => [m, n, k])))

/** NN, TN, NT, TT */
const transposes: readonly [LayoutName, LayoutName][] = [
  ["rows", "rows"],
  ["columns", "rows"],
  ["rows", "columns"],
  ["columns", "columns"],
]
const shapes: Readonly<Record<string, readonly Shape[]>> = {
  "all small sizes": every(range(1, 9), range(1, 9), range(1, 9)),
  "around whole tiles": every([15, 16, 17], [15, 16, 17], [15, 16, 17]),
  "around many tiles": every([63, 65], [63, 64, 65], [63, 64]),
  "around blocks of k": every([9], [10, 17], [255, 256, 257, 512, 513, 521]),
  "around blocks of columns": every([3, 9], [127, 129, 255, 257, 521], [5, 257]),
  primes: [
    [31, 37, 41],
    [127, 11, 13],
    [11, 131, 2],
    [2, 3, 1009],
  ],
}

describe.each(types)("plain %s is the sum in order, bit for bit", t => {
  for (const [name, list] of Object.entries(shapes)) {
    test(name, () => {
      for (const shape of list) {
        for (const [a, b] of transposes) {
          for (const adds of [0, 1] as const) {
            const { equal } = multiply(plain, t, shape, [a, b, "rows"], adds)
            if (!equal) expect.fail(`${shape.join(" x ")}, a in ${a}, b in ${b}, adds ${adds}`)
          }
        }
      }
    })
  }
  test("with b packed before", () => {
    for (const shape of [shapes["around many tiles"]!, shapes["around blocks of columns"]!, shapes.primes!].flat()) {
      for (const b of enough(operandLayouts, 5)) {
        for (const adds of [0, 1] as const) {
          const { equal } = multiply(plain, t, shape, ["rows", b, "rows"], adds, true)
          if (!equal) expect.fail(`${shape.join(" x ")}, b in ${b}, adds ${adds}`)
        }
      }
    }
  })
  test.each(operandLayouts)("a: %s", a => {
    for (const shape of [...every([5, 9], [7, 20], [3, 9]), [13, 25, 300] as const]) {
      for (const b of enough(operandLayouts, 5)) {
        for (const c of resultLayouts) {
          for (const adds of [0, 1] as const) {
            const { equal } = multiply(plain, t, shape, [a, b, c], adds)
            if (!equal) expect.fail(`${shape.join(" x ")}, b: ${b}, c: ${c}, adds ${adds}`)
          }
        }
      }
    }
  })
})

describe.skipIf(!relaxedWorks).each(types)("relaxed %s (skipped where relaxed SIMD is not accepted)", t => {
  const relaxed = relaxedWorks ? library(true) : plain
  const sizes: readonly Shape[] = [
    [13, 21, 260],
    [64, 10, 64],
    [3, 40, 33],
    [17, 4, 9],
    [65, 131, 300],
  ]
  test("agrees with the plain sum to rounding", () => {
    for (const shape of sizes) {
      const [got, want] = [relaxed, plain].map(lib => multiply(lib, t, shape, ["rows", "rows", "rows"], 0).elements)
      for (const [i, x] of got!.entries()) expect(Math.abs(x - want![i]!)).toBeLessThan(t === "f32" ? 1e-4 : 1e-13)
    }
  })
  test("every element is what it is as a product of its own, bit for bit", () => {
    for (const shape of [...every(range(1, 9), range(1, 9), [1, 7, 8]), ...sizes]) {
      for (const [a, b] of transposes) {
        for (const adds of [0, 1] as const) {
          const { equal } = multiply(relaxed, t, shape, [a, b, "rows"], adds)
          if (!equal) expect.fail(`${shape.join(" x ")}, a in ${a}, b in ${b}, adds ${adds}`)
        }
      }
    }
  })
})

test("scratch memory is bounded", () => {
  expect(scratchOf("f32", [4, 5, 6])).toBe(32 * (6 + 8) + 6 * 8 * 4)
  for (const t of types) expect(scratchOf(t, [4096, 4096, 4096])).toBeLessThan(300 * 1024)
})
