import { describe, expect, test } from "vitest"
import { LONG } from "../../../tests/long.ts"
import { type Axis, axisIndex, div, type Index, mod, newAxis, offset, plus, times, valueIndex } from "../../ir/affine.ts"
import { compare, constant, type Dtype, type Expr, guard, index, op, reduce, typed } from "../../ir/expr.ts"
import type { Kernel } from "../kernel.ts"
import { emitJs } from "./js.ts"
import { interpret, type Operand } from "./testing/interpret.ts"
import { memory, randomKernel, randomNumbers } from "./testing/random-kernels.ts"

/** The kernel's output by JavaScript, found to be the interpreter's. */
function run(kernel: Kernel, operands: readonly Operand[], ...before: readonly Operand[]): number[] {
  const [got, want] = [before.map(x => x.slice()), before.map(x => x.slice())]
  interpret(kernel, operands, ...want)
  const source = emitJs(kernel)
  new Function(source)()(...got, ...operands)
  expect(got, source).toEqual(want)
  return Array.from(got[0]!)
}
const load = (t: Dtype, slot: number, at: Index): Expr => ({ k: "load", t, slot, at })
/** out[i] = body over one axis. */
const map = (axis: Axis, body: Expr, loads: readonly Dtype[]): Kernel => ({
  axes: [axis],
  out: { t: body.t, at: axisIndex(axis), mode: "store", bounds: [] },
  body,
  loads,
})
const filled = (t: Dtype, xs: readonly number[]): Operand => {
  const data = memory(t, xs.length)
  data.set(xs)
  return data
}
/** A function of elements, applied. */
function applied(t: Dtype, f: (x: Expr, y: Expr) => Expr, xs: readonly number[], ys: readonly number[] = xs): number[] {
  const i = newAxis(xs.length)
  const body = f(load(t, 0, axisIndex(i)), load(t, 1, axisIndex(i)))
  return run(map(i, body, [t, t]), [filled(t, xs), filled(t, ys)], memory(body.t, i.n))
}

describe("operations", () => {
  const x: readonly [string, Dtype, (x: Expr, y: Expr) => Expr, number[], number[], number[]][] = [
    ["f32 rounds each operation", "f32", (x, y) => op("sub", op("add", x, y), x), [2 ** 24], [1], [0]],
    ["f64 does not", "f64", (x, y) => op("sub", op("add", x, y), x), [2 ** 24], [1], [1]],
    [
      "nearest, ties to even",
      "f64",
      x => op("nearest", x),
      [0.5, 1.5, 2.5, -0.5, -0.2, -0, NaN, 1e300],
      [],
      [0, 2, 2, -0, -0, -0, NaN, 1e300],
    ],
    ["min", "f32", (x, y) => op("min", x, y), [0, -0, NaN, 1], [-0, 0, 1, NaN], [-0, -0, NaN, NaN]],
    ["max", "f32", (x, y) => op("max", x, y), [0, -0, NaN, 1], [-0, 0, 1, NaN], [0, 0, NaN, NaN]],
    ["i32 wraps", "i32", (x, y) => op("add", x, y), [2 ** 31 - 1, -(2 ** 31)], [1, -1], [-(2 ** 31), 2 ** 31 - 1]],
    ["i32 products wrap", "i32", (x, y) => op("mul", x, y), [65537, 2 ** 31 - 1], [65537, 3], [131073, 2147483645]],
    ["negation and size of the least i32", "i32", x => op("neg", op("abs", x)), [-(2 ** 31), -5], [], [-(2 ** 31), -5]],
    ["shl, low 5 bits of the count", "i32", (x, y) => op("shl", x, y), [3, 3, -1], [31, 33, 4], [-(2 ** 31), 6, -16]],
    ["shr fills with zeros", "i32", (x, y) => op("shr", x, y), [-1, -1, 8], [28, 32, 1], [15, -1, 4]],
    ["bits", "i32", (x, y) => op("xor", op("and", x, y), op("not", op("or", x, y))), [12], [10], [-7]],
    [
      "float to i32",
      "f32",
      x => typed("i32", "cast", x),
      [2.9, -2.9, 3e9, -3e9, NaN, Infinity],
      [],
      [2, -2, 2 ** 31 - 1, -(2 ** 31), 0, 2 ** 31 - 1],
    ],
    ["i32 to f32", "i32", x => typed("f32", "cast", x), [16777217], [], [16777216]],
    ["to bool", "f64", x => typed("bool", "cast", x), [0, -0, NaN, 0.1], [], [0, 0, 1, 1]],
    ["from bool", "bool", x => typed("f32", "cast", op("not", x)), [0, 1], [], [1, 0]],
    ["comparisons", "f32", (x, y) => op("or", compare("lt", x, y), compare("ne", x, y)), [1, 1, NaN], [1, 2, NaN], [0, 1, 1]],
    ["exponent", "f32", x => op("exponent", x), [1, 0.75, 12], [], [0, -1, 3]],
    ["mantissa", "f64", x => op("mantissa", x), [1, 0.75, 12], [], [1, 1.5, 1.5]],
    ["pow2", "f32", x => op("pow2", x), [0, -126, 127], [], [1, 2 ** -126, 2 ** 127]],
  ]
  test.each(x)("%s", (_name, t, f, xs, ys, want) => {
    expect(applied(t, f, xs, ys.length > 0 ? ys : xs)).toEqual(want)
  })
})

describe("reductions", () => {
  /** The reduction of one row. */
  const reduced = (t: Dtype, name: Parameters<typeof reduce>[0], xs: number[], lanes = 1): number => {
    const k = newAxis(xs.length)
    const body = { ...reduce(name, [k], load(t, 0, axisIndex(k))), lanes } as Expr
    return run(map(newAxis(1), body, [t]), [filled(t, xs)], memory(body.t, 1))[0]!
  }
  test("argmax is the first of the largest, or the first NaN", () => {
    expect(reduced("f32", "argmax", [1, 3, 3, 2])).toBe(1)
    expect(reduced("f32", "argmax", [1, NaN, 3, NaN])).toBe(1)
    expect(reduced("f32", "argmin", [-Infinity, -Infinity])).toBe(0)
    expect(reduced("bool", "argmax", [0, 0, 1])).toBe(2)
    expect(reduced("f32", "argmax", [-Infinity, -Infinity, -Infinity], 4)).toBe(0)
  })
  test("over nothing", () => {
    expect(reduced("f32", "sum", [])).toBe(0)
    expect(reduced("f32", "max", [])).toBe(-Infinity)
    expect(reduced("i32", "min", [])).toBe(2 ** 31 - 1)
    expect(reduced("f64", "argmax", [])).toBe(0)
  })
  test("lanes fix the order: accumulators in turn, then halves", () => {
    const big = 2 ** 24
    // One after the other: 2^24 + 1 rounds down each time. In 2 lanes the ones meet each other first.
    expect(reduced("f32", "sum", [big, 1, 0, 1, 0, 1, 0, 1])).toBe(big)
    expect(reduced("f32", "sum", [big, 1, 0, 1, 0, 1, 0, 1], 2)).toBe(big + 4)
  })
  test.each([1, 2, 4, 8, 16, 32])("%i lanes, rows of all lengths, small and large bodies", lanes => {
    const random = randomNumbers(lanes)
    for (const n of [1, 2, 3, 7, 8, 9, 31, 32, 33, 65]) {
      const [i, j, k] = [newAxis(2), newAxis(3), newAxis(n)]
      const row = plus(plus(times(axisIndex(i), 3 * n), axisIndex(j), n), axisIndex(k))
      const x = load("f32", 0, row)
      const polynomial = Array.from({ length: 12 }, (_, d) => constant("f32", d - 5)).reduce((p, c) => op("add", op("mul", p, x), c), x)
      for (const body of [x, polynomial]) {
        const sum: Expr = { k: "reduce", t: "f32", op: "sum", over: [j, k], lanes, body }
        const data = filled(
          "f32",
          Array.from({ length: 6 * n }, () => random() * 2 - 1),
        )
        run(map(i, sum, ["f32"]), [data], memory("f32", 2))
      }
    }
  })
})

describe("indices", () => {
  test("division and remainder, below 0 too", () => {
    const i = newAxis(12)
    const at = offset(axisIndex(i), -6)
    const sum = plus(times(div(at, 5), 100), mod(at, 5))
    expect(run(map(i, index(sum), []), [], memory("i32", 12))).toEqual([-196, -100, -99, -98, -97, -96, 0, 1, 2, 3, 4, 100])
  })
  test("gather, its index read within bounds only", () => {
    const i = newAxis(4)
    const row = valueIndex(load("i32", 1, axisIndex(i)))
    const body = guard([{ i: row, n: 3 }], load("f32", 0, row), -1)
    const operands = [filled("f32", [10, 20, 30]), filled("i32", [2, 0, -1, 3])]
    expect(run(map(i, body, ["f32", "i32"]), operands, memory("f32", 4))).toEqual([30, 10, -1, -1])
  })
  test("scatter adds turn by turn and leaves out what is out of bounds", () => {
    const i = newAxis(5)
    const target = valueIndex(load("i32", 1, axisIndex(i)))
    const kernel: Kernel = {
      axes: [i],
      out: { t: "f32", at: target, mode: "add", bounds: [{ i: target, n: 3 }] },
      body: load("f32", 0, axisIndex(i)),
      loads: ["f32", "i32"],
    }
    const operands = [filled("f32", [1, 2, 4, 8, 16]), filled("i32", [0, 2, 0, 3, -1])]
    expect(run(kernel, operands, filled("f32", [100, 100, 100]))).toEqual([105, 100, 102])
  })
  test("an axis of no turns stores nothing", () => {
    const i = newAxis(0)
    expect(run(map(i, load("f32", 0, axisIndex(i)), ["f32"]), [filled("f32", [1])], filled("f32", [7]))).toEqual([7])
  })
})

describe("the source", () => {
  const count = (source: string, part: string): number => source.split(part).length - 1
  /** exp(x[i, k] - max over l of x[i, l]), summed over k: the stable denominator of softmax. */
  const softmax = (): Kernel => {
    const [i, k, l] = [newAxis(3), newAxis(4), newAxis(4)]
    const x = (a: Axis): Expr => load("f32", 0, plus(times(axisIndex(i), 4), axisIndex(a)))
    return map(i, reduce("sum", [k], op("exp", op("sub", x(k), reduce("max", [l], x(l))))), ["f32"])
  }
  test("is the same for kernels that differ in nothing but their axes", () => {
    expect(emitJs(softmax())).toBe(emitJs(softmax()))
  })
  test("has what a loop does not change outside of it", () => {
    const source = emitJs(softmax())
    expect(source.indexOf("Math.max")).toBeLessThan(source.indexOf("exp_f32(f("))
    expect(source.slice(source.indexOf("return (out"))).toMatchInlineSnapshot(`
      "return (out,r0)=>{
      for(let i0=0;i0<3;i0++){
      let s1=0
      const a3=4*i0
      let s4=(-Infinity)
      for(let i5=0;i5<4;i5++){
      s4=Math.max(s4,r0[a3+i5])
      }
      for(let i2=0;i2<4;i2++){
      s1=f(s1+exp_f32(f(r0[a3+i2]-s4)))
      }
      out[i0]=s1
      }
      }"
    `)
    run(softmax(), [filled("f32", [1, 2, 3, 4, 5, 6, 7, 8, -9, 10, -11, 12])], memory("f32", 3))
  })
  test("computes once what is needed inside and outside of a guard, and nothing ahead of a guard alone", () => {
    const i = newAxis(6)
    const at = offset(axisIndex(i), -2)
    const root = op("sqrt", load("f64", 0, axisIndex(i)))
    const inside = op("abs", load("f64", 1, at)) // may not be read outside
    const guarded = guard([{ i: at, n: 3 }], op("add", op("mul", inside, inside), op("mul", root, root)))
    const kernel = map(i, op("add", guarded, root), ["f64", "f64"])
    const source = emitJs(kernel)
    expect(count(source, "Math.sqrt")).toBe(1)
    expect(source.indexOf("Math.sqrt")).toBeLessThan(source.indexOf("if("))
    expect(source.indexOf("Math.abs")).toBeGreaterThan(source.indexOf("if("))
    run(kernel, [filled("f64", [1, 4, 9, 16, 25, 36]), filled("f64", [1, -2, 3])], memory("f64", 6))
  })
  test("has a value that two guards share in both of them", () => {
    const i = newAxis(6)
    const shared = op("sqrt", load("f64", 0, axisIndex(i)))
    const twice = op("mul", shared, shared)
    const low = guard([{ i: axisIndex(i), n: 2 }], twice)
    const high = guard([{ i: offset(axisIndex(i), -4), n: 2 }], op("add", twice, shared))
    const kernel = map(i, op("add", low, high), ["f64"])
    expect(count(emitJs(kernel), "Math.sqrt")).toBe(2)
    run(kernel, [filled("f64", [1, 4, 9, 16, 25, 36])], memory("f64", 6))
  })
  test("says which axis has no loop", () => {
    const lost = map(newAxis(2), load("f32", 0, axisIndex(newAxis(3))), ["f32"])
    expect(() => emitJs(lost)).toThrow(/used outside of the loop/)
  })
  test("says that formulas are of floats", () => {
    const kernel = map(newAxis(2), typed("i32", "exp", constant("i32", 1)), [])
    expect(() => emitJs(kernel)).toThrow(/exp is defined for f32 and f64/)
  })
})

describe("random kernels equal the interpreter bit for bit", () => {
  test.each([
    ["machine operations", { formulas: [], depth: 5 }, 1200],
    ["formulas", { depth: 3 }, 400],
    ["f32 alone", { dtypes: ["f32"], formulas: [], depth: 4 }, 300],
  ] as const)("%s", (_name, options, n) => {
    for (let seed = 1; seed <= (LONG ? n : n / 4); seed++) {
      const { kernel, operands, outs } = randomKernel(randomNumbers(seed), options)
      run(kernel, operands, ...outs)
    }
  })
})
