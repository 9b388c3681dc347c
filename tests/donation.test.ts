// In place: results that take over the memory of arguments are right whatever is read when, on every engine.
import { afterAll, describe, expect, test } from "vitest"
import type { Concrete } from "../src/core/concrete.ts"
import type { Dtype } from "../src/core/dtype.ts"
import type { Tensor } from "../src/core/tensor.ts"
import { leaves } from "../src/core/tree.ts"
import * as a from "../src/index.ts"
import { Resident } from "../src/runtime/heap.ts"
import { Compiler, compiler, installCompiler } from "../src/runtime/program.ts"
import { engines, firstDifference, made, randomNumbers } from "./engines.ts"

const { add, concat, div, jit, matmul, mul, sub, sum, tensor, transpose } = a
type Fn = (...xs: any[]) => any
const [SIZE, ROUNDS] = [6, 4]

const placesIn = (x: Tensor): Tensor => a.clip(a.cast(mul(x, 9), "i32"), 0, SIZE * SIZE - 1)

/** Functions whose results have the kinds of their arguments, all of shape [6, 6], so that they can be run again on them. */
// biome-ignore format: a case a line
const cases: readonly [string, Fn][] = [
  ["one step", x => add(mul(x, 2), 1)],
  ["nothing changes", (x, y) => [x, y]],
  ["swap", (x, y) => [y, x]],
  ["cycle of three", (x, y, z) => [y, z, x]],
  ["each reads the other", (x, y) => [add(x, y), sub(x, y)]],
  ["the second reads what the first replaces", (x, y) => [mul(x, 3), add(y, x)]],
  ["the first is read after it is ready", (x, y) => [add(x, 1), add(y, sum(x))]],
  ["reads its own result", (x, y) => { const x2 = add(x, y); return [x2, mul(x2, y)] }],
  ["transposed", x => transpose(x)],
  ["transposed and itself", x => add(x, transpose(x))],
  ["shifted", x => concat([x.slice([1, SIZE]), x.slice([0, 1])])],
  ["reversed rows by gather", x => a.take(x, a.sub(SIZE - 1, a.arange(SIZE)))],
  ["another argument at places from itself", (x, y) => [add(x, a.take(y.reshape(-1), placesIn(x))), y]],
  ["itself at places from itself", x => a.take(x.reshape(-1), placesIn(x))],
  ["cumulative", x => add(x, sum(x, { axis: 0, keepdims: true }))],
  ["matrix product with itself", x => div(matmul(x, x), 10)],
  ["softmax", x => a.softmax(x)],
  ["a tree by path, keys in another order", t => ({ b: mul(t.a, t.b), a: add(t.a, t.b) })],
  ["one result twice", x => { const y = add(x, 1); return [y, y] }],
  ["by another argument", (x, y) => [y, sub(y, x)]],
]
/** How often each function is called with how many arguments. */
const argumentsOf: Record<string, number> = { "cycle of three": 3 }

const numbers = (dtype: Dtype, seed: number): Concrete => {
  const next = randomNumbers(seed)
  return made({ shape: [SIZE, SIZE], dtype }, () => (dtype === "i32" ? Math.floor(20 * next()) - 10 : 2 * next() - 1))
}
const given = (name: string, f: Fn, dtype: Dtype): any[] => {
  if (name.includes("tree")) return [{ a: numbers(dtype, 1), b: numbers(dtype, 2) }]
  const n = argumentsOf[name] ?? (name === "one result twice" ? 1 : f.length)
  return Array.from({ length: n }, (_, i) => numbers(dtype, i + 1))
}
const values = (t: any) => leaves(t).map(x => (x as Tensor).values().slice())
const again = (result: any): any[] => (Array.isArray(result) ? result : [result])

const before = compiler()
afterAll(() => installCompiler(before))

describe.each(engines.map(e => [e.name, e] as const))("%s", (_name, engine) => {
  const use = (): void => installCompiler(new Compiler(engine, engine))
  describe.each(["f32", "f64", "i32"] as const)("%s", dtype => {
    const possible = cases.filter(([name]) => dtype !== "i32" || !/product|softmax/.test(name))
    test.each(possible)("%s", (name, f) => {
      use()
      const donate = given(name, f, dtype).map((_, i) => i)
      const [plain, donating] = [jit(f), jit(f, { donate })]
      let [x, y] = [given(name, f, dtype), given(name, f, dtype)]
      for (let round = 0; round < ROUNDS; round++) {
        const old = leaves(y)
        const [wanted, got] = [plain(...x), donating(...y)]
        expect(firstDifference(values(got), values(wanted))).toBeNull()
        for (const t of old) expect(() => (t as Tensor).values()).toThrow(a.DonatedTensorError)
        x = again(wanted).slice(0, x.length)
        y = again(got).slice(0, y.length)
      }
    })
  })

  test("an argument used so often that it moves into the engine's memory", () => {
    use()
    const f = jit((x: Tensor, y: Tensor) => add(mul(x, 2), y))
    const [x, y] = [tensor([1, 2, 3]), tensor([10, 20, 30])]
    const read = x.values()
    for (let i = 0; i < 6; i++) expect([...f(x, y).values()]).toEqual([12, 24, 36])
    expect([...y.values()]).toEqual([10, 20, 30])
    expect(x.values()).toBe(read)
    // its memory is taken over like any other, and what has been read stays
    const inPlace = jit((x: Tensor) => add(x, 1), { donate: [0] })
    expect([...inPlace(inPlace(x)).values()]).toEqual([3, 4, 5])
    expect([...read]).toEqual([1, 2, 3])
    expect(() => x.values()).toThrow(a.DonatedTensorError)
    expect([...f(y, y).values()]).toEqual([30, 60, 90])
  })

  test("a scatter into a donated table", () => {
    use()
    const f: Fn = (x, ids) => [a.add(a.take(x, ids), x.slice([0, 3])), x.at(0)]
    const ids = tensor([2, 0, 2], { dtype: "i32" })
    const wanted = jit(f)(numbers("f32", 1), ids)
    expect(firstDifference(values(jit(f, { donate: [0] })(numbers("f32", 1), ids)), values(wanted))).toBeNull()
  })
  test("bool and mixed dtypes, some without a successor", () => {
    use()
    const f: Fn = (t, x) => [{ mask: a.greater(x, 0), n: add(t.n, 1) }, sum(x)]
    const made = () => [{ mask: tensor([true, false, true]), n: tensor([1, 2], { dtype: "i32" }), gone: tensor([1]) }, tensor([1, -1, 0])]
    const wanted = jit(f)(...made())
    expect(firstDifference(values(jit(f, { donate: [0] })(...made())), values(wanted))).toBeNull()
  })
  test("what waits for a donated tensor is computed before", () => {
    use()
    const x = tensor([1, 2, 3])
    const later = mul(add(x, 1), 2)
    const y = jit((x: Tensor) => mul(x, 0), { donate: [0] })(x)
    expect(later.toArray()).toEqual([4, 6, 8])
    expect(y.toArray()).toEqual([0, 0, 0])
  })
  test("numbers that were read stay what they are", () => {
    use()
    const x = tensor([1, 2, 3])
    const seen = x.values()
    const y = jit((x: Tensor) => add(x, 1), { donate: [0] })(x)
    const seenToo = y.values()
    jit((x: Tensor) => mul(x, 10), { donate: [0] })(y)
    expect([...seen]).toEqual([1, 2, 3])
    expect([...seenToo]).toEqual([2, 3, 4])
  })
  test("a reshaped tensor and its origin do not share memory", () => {
    use()
    const x = tensor([1, 2, 3, 4])
    const view = x.reshape(2, 2)
    jit((x: Tensor) => mul(x, 0), { donate: [0] })(x)
    expect(view.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
  })
  test("one tensor donated and given again throws and donates nothing", () => {
    use()
    const x = tensor([1, 2])
    const f = jit((x: Tensor, y: Tensor) => add(x, y), { donate: [0] })
    expect(() => f(x, x)).toThrow(/given a second time/)
    expect(x.toArray()).toEqual([1, 2])
  })
  test("a step that fails donates nothing", () => {
    use()
    const [x, gone] = [tensor([1, 2]), tensor([3, 4])]
    jit((x: Tensor) => add(x, 1), { donate: [0] })(gone)
    expect(() => jit((x: Tensor, y: Tensor) => add(x, y), { donate: [0] })(x, gone)).toThrow(a.DonatedTensorError)
    expect(x.toArray()).toEqual([1, 2])
  })
})

describe("state in WebAssembly", () => {
  const [wasm] = engines.filter(e => e.name === "wasm")
  test("stays where it is over many steps, and the memory does not grow", () => {
    installCompiler(new Compiler(wasm!, wasm!))
    const step = jit((s: any, x: Tensor) => ({ w: sub(s.w, mul(x, 0.1)), v: add(s.v, s.w) }), { donate: [0] })
    let s: any = { w: numbers("f32", 1), v: numbers("f32", 2) }
    const x = numbers("f32", 3)
    s = step(s, x)
    const places = (): number[] => [s.w, s.v].map((t: Concrete) => (t.storage as Resident).at)
    expect((s.w as Concrete).storage).toBeInstanceOf(Resident)
    const first = places()
    const bytes = (s.w.storage.view() as Float32Array).buffer.byteLength
    for (let i = 0; i < 1000; i++) s = step(s, x)
    expect(places()).toEqual(first)
    expect((s.w.storage.view() as Float32Array).buffer.byteLength).toBe(bytes)
  })
})
