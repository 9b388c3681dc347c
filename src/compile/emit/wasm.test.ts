import { describe, expect, test } from "vitest"
import { LONG } from "../../../tests/long.ts"
import { axisIndex, div, type Index, int, newAxis, offset, plus, range, times, valueIndex } from "../../ir/affine.ts"
import {
  type Combiner,
  cast,
  constant,
  type Dtype,
  type Expr,
  guard,
  index,
  type MemoryType,
  op,
  reduce,
  type ScalarOp,
  typed,
} from "../../ir/expr.ts"
import type { Kernel } from "../kernel.ts"
import { emitJs } from "./js.ts"
import { interpret, type Operand } from "./testing/interpret.ts"
import { memory, randomKernel, randomNumbers } from "./testing/random-kernels.ts"
import { runWasm, runWasmAll } from "./testing/run-wasm.ts"
import { kernelKind } from "./wasm.ts"

const dtypes: readonly Dtype[] = ["f32", "f64", "i32", "bool"]
const lengths = [1, 3, 4, 5, 8, 17, 35] as const

/** Numbers of all kinds, so that lanes differ and special cases meet. */
function data(t: MemoryType, length: number, seed = 1): Operand {
  const rng = randomNumbers(seed)
  const special = [0, -0, 1, -1, 0.5, -2.5, 1.5, NaN, Infinity, -Infinity, 2147483648, -2147483649, 1e-40, 3e38]
  const x = memory(t, length)
  for (let i = 0; i < length; i++) {
    const one = rng() < 0.2 ? special[Math.floor(rng() * special.length)]! : (rng() * 2 - 1) * 50
    x[i] = t === "bool" ? Number(rng() < 0.5) : t === "i32" && rng() < 0.1 ? [2 ** 31 - 1, -(2 ** 31)][Math.floor(rng() * 2)]! : one
  }
  return x
}

/** Runs on memory as large as the indices say, and expects what the interpreter and JavaScript give. */
function check(kernel: Kernel, sizes: readonly number[], operands = kernel.loads.map((t, slot) => data(t, sizes[slot]!, slot + 1))): void {
  const out = data(kernel.out.t, range(kernel.out.at)[1] + 1, 9)
  const want = out.slice()
  interpret(kernel, operands, want)
  expect(runWasm(kernel, operands, out)).toEqual(want)
  new Function(emitJs(kernel))()(out, ...operands)
  expect(out).toEqual(want)
}

const load = (t: Dtype, slot: number, at: Index): Expr => ({ k: "load", t, slot, at })
const store = (t: Dtype, at: Index, mode: "store" | "add" = "store"): Kernel["out"] => ({ t, at, mode, bounds: [] })

/** out[i, j] = body(i, j), side by side along j. */
function grid(rows: number, n: number, make: (i: Index, j: Index, at: Index) => Expr, loads: readonly Dtype[]): Kernel {
  const axes = [newAxis(rows), newAxis(n)]
  const [i, j] = axes.map(axisIndex) as [Index, Index]
  const at = plus(times(i, n), j)
  const body = make(i, j, at)
  return { axes, out: store(body.t, at), body, loads }
}

describe("operations, side by side and one by one", () => {
  const floats = ["f32", "f64"] as const
  const numbers = [...floats, "i32"] as const
  const table: readonly [ScalarOp, readonly Dtype[], arity: number][] = [
    ["add", dtypes, 2],
    ["sub", numbers, 2],
    ["mul", dtypes, 2],
    ["div", numbers, 2],
    ["neg", numbers, 1],
    ["abs", numbers, 1],
    ["sqrt", floats, 1],
    ["floor", numbers, 1],
    ["nearest", numbers, 1],
    ["min", dtypes, 2],
    ["max", dtypes, 2],
    ["and", ["i32", "bool"], 2],
    ["or", ["i32", "bool"], 2],
    ["xor", ["i32", "bool"], 2],
    ["not", ["i32", "bool"], 1],
    ["exp", floats, 1],
    ["log", floats, 1],
    ["sigmoid", floats, 1],
    ["sin", floats, 1],
    ["cos", floats, 1],
    ["tanh", floats, 1],
    ["pow", floats, 2],
  ]
  test.each(table)("%s", (name, types, arity) => {
    for (const t of types) {
      for (const n of lengths) {
        const kernel = grid(2, n, (i, _, at) => op(name, ...[load(t, 0, at), load(t, 1, i)].slice(0, arity)), [t, t])
        check(kernel, [2 * n, 2])
        const width = t === "f64" || (name === "pow" && t === "f32") ? 2 : 4
        const wide = n >= width && !(name === "div" && t === "i32")
        expect(kernelKind(kernel), `${t} ${n}`).toBe(wide ? "vector" : "scalar")
        check(
          grid(2, n, (_, j, at) => op(name, ...[load(t, 0, at), load(t, 1, j)].slice(0, arity)), [t, t]),
          [2 * n, n],
        )
      }
    }
  })
  test("a guard on data alone keeps its lanes together", () => {
    for (const t of floats) {
      for (const n of lengths) {
        const make = (other: number) =>
          grid(
            2,
            n,
            (_, j, at) => {
              const x = load(t, 0, at)
              const i = valueIndex(op("select", typed("bool", "lt", constant(t, 1), x), constant("i32", 0), constant("i32", 1)))
              const whole = valueIndex(typed("i32", "cast", x))
              const body = op("mul", x, other === 0 ? x : load(t, 1, j))
              return op(
                "add",
                guard([{ i, n: 1 }], body, 7),
                guard(
                  [
                    { i: whole, n: 20 },
                    { i, n: 1 },
                  ],
                  body,
                  -3,
                ),
              )
            },
            [t, t],
          )
        check(make(0), [2 * n, n])
        check(make(1), [2 * n, n])
        expect(kernelKind(make(0)), `${t} ${n}`).toBe(n >= (t === "f64" ? 2 : 4) ? "vector" : "scalar")
        expect(kernelKind(make(1)), "reads what its bounds do not").toBe("scalar")
      }
    }
  })
  test.each(["lt", "le", "eq", "ne"] as const)("%s", name => {
    for (const t of dtypes) {
      for (const n of lengths)
        check(
          grid(2, n, (_, j, at) => typed("bool", name, load(t, 0, at), load(t, 1, j)), [t, t]),
          [2 * n, n],
        )
    }
  })
  test("select", () => {
    for (const t of dtypes) {
      for (const other of dtypes) {
        const make = (_: Index, j: Index, at: Index): Expr =>
          op("select", typed("bool", "lt", load(other, 2, at), load(other, 3, j)), load(t, 0, at), load(t, 1, j))
        for (const n of lengths) check(grid(2, n, make, [t, t, other, other]), [2 * n, n, 2 * n, n])
      }
    }
  })
  test("cast", () => {
    for (const t of dtypes) {
      for (const from of dtypes)
        for (const n of lengths)
          check(
            grid(2, n, (_i, _j, at) => cast(t, load(from, 0, at)), [from]),
            [2 * n],
          )
    }
  })
  test.each(["shl", "shr"] as const)("%s", name => {
    for (const n of lengths) {
      check(
        grid(2, n, (i, _, at) => op(name, load("i32", 0, at), load("i32", 1, i)), ["i32", "i32"]),
        [2 * n, 2],
      )
      check(
        grid(2, n, (_, j, at) => op(name, load("i32", 0, at), load("i32", 1, j)), ["i32", "i32"]),
        [2 * n, n],
      )
    }
  })
  test("min and max with constants", () => {
    for (const t of floats) {
      for (const c of [0, -0, 1, -2.5, Infinity, -Infinity, NaN]) {
        for (const name of ["min", "max"] as const) {
          check(
            grid(2, 17, (_i, _j, at) => op(name, load(t, 0, at), constant(t, c)), [t]),
            [34],
          )
          check(
            grid(2, 17, (_i, _j, at) => op(name, constant(t, c), load(t, 0, at)), [t]),
            [34],
          )
        }
      }
    }
  })
  test("exponent, mantissa and pow2", () => {
    const line = (t: Dtype, name: ScalarOp): Kernel => grid(1, 9, (_i, _j, at) => op(name, load(t, 0, at)), [t])
    for (const t of floats) {
      const x = data(t, 9)
      x.set([1, 2, 3.7, 1e-30, 1e30, 0.1, 4095.9, 2 ** -126, 1.5])
      for (const name of ["exponent", "mantissa"] as const) check(line(t, name), [], [x])
      x.set([0, 1, -1, 5, -126, 127, 23, -23, 100])
      check(line(t, "pow2"), [], [x])
    }
  })
})

describe("reductions", () => {
  const combiners: readonly Combiner[] = ["sum", "max", "min", "argmax", "argmin"]
  const types = (name: Combiner): readonly Dtype[] => (name === "sum" ? ["f32", "f64", "i32"] : dtypes)
  /** out[i] = combiner over k of body */
  function reduction(name: Combiner, t: Dtype, rows: number, n: number, lanes: number, across: boolean): Kernel {
    const [i, k] = [newAxis(rows), newAxis(n)]
    const at = across ? plus(times(axisIndex(i), n), axisIndex(k)) : plus(times(axisIndex(k), rows), axisIndex(i))
    const body = { ...(reduce(name, [k], load(t, 0, at)) as Expr & { k: "reduce" }), lanes }
    return { axes: [i], out: store(body.t, axisIndex(i)), body, loads: [t] }
  }
  test.each(combiners)("%s", name => {
    for (const t of types(name)) {
      for (const lanes of [1, 2, 4, 8, 16]) {
        for (const n of lengths) {
          for (const across of [true, false]) check(reduction(name, t, across ? 2 : 9, n, lanes, across), [9 * n])
        }
      }
    }
  })
  test("run side by side where their order allows it", () => {
    expect(kernelKind(reduction("sum", "f32", 2, 40, 8, true))).toBe("reduce")
    expect(kernelKind(reduction("sum", "f32", 2, 40, 1, true))).toBe("scalar")
    expect(kernelKind(reduction("max", "f32", 2, 40, 1, true))).toBe("reduce")
    expect(kernelKind(reduction("sum", "f32", 40, 40, 1, false))).toBe("vector")
    expect(kernelKind(reduction("argmax", "f64", 40, 40, 1, false))).toBe("vector")
  })
  test("over several axes, of mixed types, and over nothing", () => {
    const [i, p, q] = [newAxis(3), newAxis(4), newAxis(13)]
    const at = plus(plus(times(axisIndex(i), 52), axisIndex(p), 13), axisIndex(q))
    const product = op("mul", cast("f64", load("f32", 0, at)), cast("f64", load("i32", 1, axisIndex(q))))
    for (const lanes of [1, 4, 8]) {
      const sum = { ...(reduce("sum", [p, q], product) as Expr & { k: "reduce" }), lanes }
      const body = op("add", cast("f32", sum), load("f32", 2, axisIndex(i)))
      check({ axes: [i], out: store("f32", axisIndex(i)), body, loads: ["f32", "i32", "f32"] }, [156, 13, 3])
    }
    for (const name of combiners) {
      const body = reduce(name, [newAxis(0)], load("f32", 0, axisIndex(i)))
      check({ axes: [i], out: store(body.t, axisIndex(i)), body, loads: ["f32"] }, [3])
    }
  })
  test("a softmax in one kernel: what a row shares is computed once a row", () => {
    const [n, width] = [3, 21]
    const kernel = grid(
      n,
      width,
      (i, _, at) => {
        const k = newAxis(width)
        const x = (j: Index): Expr => load("f32", 0, plus(times(i, width), j))
        const top = reduce("max", [k], x(axisIndex(k)))
        const total = { ...reduce("sum", [k], op("exp", op("sub", x(axisIndex(k)), top))), lanes: 8 } as Expr
        return op("div", op("exp", op("sub", load("f32", 0, at), top)), total)
      },
      ["f32"],
    )
    check(kernel, [n * width], [Float32Array.from({ length: n * width }, (_, i) => Math.fround(((i * 37) % 11) / 3))])
    expect(kernelKind(kernel)).toBe("vector")
  })
})

describe("where elements come from and go to", () => {
  const rows = newAxis(4)
  const columns = newAxis(11)
  const [i, j] = [axisIndex(rows), axisIndex(columns)]
  const at = plus(times(i, 11), j)
  const kinds: Record<string, { kernel: Kernel; kind: string; operands?: Operand[] }> = {
    "a loop variable as data": {
      kernel: { axes: [rows, columns], out: store("i32", at), body: op("mul", index(at), index(plus(int(3), j, -2))), loads: [] },
      kind: "vector",
    },
    "a constant": { kernel: { axes: [rows, columns], out: store("f32", at), body: constant("f32", 1.5), loads: [] }, kind: "vector" },
    "a transpose": {
      kernel: { axes: [rows, columns], out: store("f32", at), body: load("f32", 0, plus(times(j, 4), i)), loads: ["f32"] },
      kind: "vector",
    },
    "a row backwards": {
      kernel: {
        axes: [rows, columns],
        out: store("f64", at),
        body: load("f64", 0, plus(plus(times(i, 11), j, -1), int(10))),
        loads: ["f64"],
      },
      kind: "vector",
    },
    "rows by number": {
      kernel: {
        axes: [rows, columns],
        out: store("f32", at),
        body: load("f32", 0, plus(times(valueIndex(load("i32", 1, i)), 11), j)),
        loads: ["f32", "i32"],
      },
      kind: "vector",
      operands: [data("f32", 44), Int32Array.of(2, 0, 3, 2)],
    },
    "rows added by number": {
      kernel: {
        axes: [rows, columns],
        out: store("f32", plus(times(valueIndex(load("i32", 1, i)), 11), j), "add"),
        body: load("f32", 0, at),
        loads: ["f32", "i32"],
      },
      kind: "vector",
      operands: [data("f32", 44), Int32Array.of(2, 0, 3, 2)],
    },
    "elements added to one": {
      kernel: { axes: [rows, columns], out: store("f32", i, "add"), body: load("f32", 0, at), loads: ["f32"] },
      kind: "scalar",
    },
    "every third": {
      kernel: { axes: [rows, columns], out: store("f32", at), body: load("f32", 0, div(at, 3)), loads: ["f32"] },
      kind: "scalar",
    },
    "rows that are not there": {
      kernel: {
        axes: [rows, columns],
        out: store("f32", at),
        body: guard([{ i: offset(i, -1), n: 2 }], load("f32", 0, offset(at, -11)), 7),
        loads: ["f32"],
      },
      kind: "vector",
    },
    "columns that are not there": {
      kernel: {
        axes: [rows, columns],
        out: store("f32", at),
        body: guard([{ i: offset(j, -2), n: 7 }], load("f32", 0, plus(times(i, 7), offset(j, -2))), 7),
        loads: ["f32"],
      },
      kind: "vector",
    },
    "a sum over neighbours, zeros beyond the ends": {
      kernel: (() => {
        const k = newAxis(3)
        const x = offset(plus(j, axisIndex(k)), -1)
        const inside = guard([{ i: x, n: 11 }], load("f32", 0, plus(times(i, 11), x)))
        const body = reduce("sum", [k], op("mul", inside, load("f32", 1, axisIndex(k))))
        return { axes: [rows, columns], out: store("f32", at), body, loads: ["f32", "f32"] as const }
      })(),
      kind: "vector",
    },
    "every second, within nested bounds": {
      kernel: (() => {
        const x = plus(int(-3), j, 2)
        const inner = guard([{ i: offset(j, -4), n: 4 }], load("f64", 0, x), 2)
        const body = op("add", guard([{ i: x, n: 13 }], op("mul", load("f64", 0, x), inner), 1), cast("f64", load("f32", 1, j)))
        return { axes: [rows, columns], out: store("f64", at), body, loads: ["f64", "f32"] as const }
      })(),
      kind: "vector",
    },
    "rows that are not stored": {
      kernel: {
        axes: [rows, columns],
        out: { ...store("bool", offset(at, -11)), bounds: [{ i: offset(i, -1), n: 3 }] },
        body: load("bool", 0, offset(at, -11)),
        loads: ["bool"],
      },
      kind: "vector",
    },
  }
  test.each(Object.entries(kinds))("%s", (_, { kernel, kind, operands }) => {
    expect(kernelKind(kernel)).toBe(kind)
    const given = operands ?? kernel.loads.map((t, slot) => data(t, 44, slot + 1))
    const out = data(kernel.out.t, 44, 9)
    const want = out.slice()
    interpret(kernel, given, want)
    expect(runWasm(kernel, given, out)).toEqual(want)
  })
})

test("random kernels equal the interpreter bit for bit", () => {
  for (let seed = 1; seed <= (LONG ? 150 : 60); seed++) {
    const { kernel, operands, outs } = randomKernel(randomNumbers(seed))
    const want = outs.map(o => o.slice())
    interpret(kernel, operands, ...want)
    expect(runWasmAll(kernel, operands, outs), `seed ${seed}`).toEqual(want)
  }
})
