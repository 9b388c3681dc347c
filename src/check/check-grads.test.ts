// The checker finds what is wrong, and says where.
import { describe, expect, test } from "vitest"
import type { Primitive } from "../core/primitive.ts"
import { bind1, type Tensor } from "../core/tensor.ts"
import { abs, add, argmax, checkGrads, concat, floor, GradientError, mul, sign, sin, sub, sum, take, tanh, tensor } from "../index.ts"
import { op } from "../ir/expr.ts"
import { definePrimitive, type Short } from "../primitives/define.ts"
import * as p from "../primitives/index.ts"

const x = tensor([0.5, 1, 2])
const half = (t: Tensor): Tensor => mul(t, 0.5)

/** x^2 elementwise, with some rules replaced by wrong ones. */
function square(wrong: Partial<Short<null>>): (x: Tensor) => Tensor {
  const prim: Primitive<null> = definePrimitive<null>({
    name: "square",
    shape: ([a]) => a!,
    at: ([x], idx) => op("mul", x!(idx), x!(idx)),
    push: [(t, [x]) => mul(mul(t, x!), 2)],
    batch: ([x]) => bind1(prim, [x!], null),
    ...wrong,
  })
  return x => bind1(prim, [x], null)
}
/** 2 x elementwise. */
function double(wrong: Partial<Short<null>>): (x: Tensor) => Tensor {
  const prim: Primitive<null> = definePrimitive<null>({
    name: "double",
    shape: ([a]) => a!,
    at: ([x], idx) => op("add", x!(idx), x!(idx)),
    push: [t => bind1(prim, [t], null)],
    pull: [ct => mul(ct, 2)],
    batch: ([x]) => bind1(prim, [x!], null),
    ...wrong,
  })
  return x => bind1(prim, [x], null)
}
const mistaken = (f: (...args: any[]) => any, args: readonly unknown[], options = {}): GradientError => {
  try {
    checkGrads(f, args, options)
  } catch (e) {
    expect(e).toBeInstanceOf(GradientError)
    return e as GradientError
  }
  throw new Error("nothing was found")
}

test("right rules pass, and the report says how well", () => {
  for (const f of [square({}), double({})]) {
    const { checks, worst } = checkGrads(f, [x])
    expect(checks).toBeGreaterThan(10)
    expect(Object.keys(worst).sort()).toEqual(["forward", "jit", "reverse", "vmap"])
    expect(worst.forward).toBeLessThan(1e-8)
    expect(worst.reverse).toBeLessThan(1e-14)
    expect([worst.jit, worst.vmap]).toEqual([0, 0])
  }
})

describe("what is found", () => {
  const cases: readonly [string, (x: Tensor) => Tensor, Partial<GradientError>][] = [
    ["a wrong factor", square({ push: [(t, [x]) => mul(t, x!)] }), { mode: "forward", order: 1, leaf: "argument 0" }],
    ["no derivative", square({ push: [null] }), { mode: "forward", order: 1, got: 0 }],
    ["a wrong second derivative", square({ push: [(t, [x]) => mul(mul(t, p.stopGradient(x!)), 2)] }), { mode: "forward", order: 2 }],
    ["a wrong transposition", double({ pull: [half] }), { mode: "reverse", order: 1, leaf: "argument 0" }],
    ["a wrong batch", square({ batch: ([x]) => mul(x!, 3) }), { mode: "vmap", order: 1, leaf: "result" }],
  ]
  test.each(cases)("%s", (_name, f, wanted) => expect(mistaken(f, [x])).toMatchObject(wanted))
  test("only of the element that is wrong", () => {
    const wrong = square({ push: [null] })
    const f = (x: Tensor): Tensor => concat([sin(x.slice([0, 2])), wrong(x.slice([2, 3]))])
    expect(mistaken(f, [x])).toMatchObject({ mode: "forward", leaf: "argument 0", index: [2], got: 0 })
  })
  test("only of the argument that is wrong, by its path", () => {
    const f = (q: { layers: { w: Tensor }[] }, x: Tensor): Tensor => sum(mul(tanh(x), double({ pull: [half] })(q.layers[1]!.w)))
    const e = mistaken(f, [{ layers: [{ w: x }, { w: x }] }, x])
    expect(e).toMatchObject({ mode: "reverse", leaf: "argument 0.layers.1.w", index: [0] })
    expect(e.message).toMatch(
      /^checkGrads: reverse mode differs from forward mode .*: for argument 0\.layers\.1\.w at \[0\] wanted .*, got /,
    )
  })
  test("a compiled function that differs", () => {
    let runs = 0
    const f = (x: Tensor): Tensor => mul(x, runs++ ? 2 : 3)
    expect(mistaken(f, [x], { modes: ["jit"], order: 1 }).mode).toBe("jit")
  })
  test("a kink under the point", () => {
    expect(mistaken((x: Tensor) => abs(sub(x, 1.0001)), [tensor([1])]).mode).toBe("forward")
  })
})

describe("what has no derivative is declared", () => {
  const integers = tensor([2, 0], { dtype: "i32" })
  const cases: readonly [string, (...xs: any[]) => unknown, Tensor[], string[]][] = [
    ["nothing", x => sin(x), [x], []],
    ["places", (x, i) => take(x, i), [x, integers], ["argument 1, i32[2]: not differentiable: declared (integers have no tangents)"]],
    [
      "floor",
      x => floor(x),
      [add(x, 0.25)],
      [
        "argument 0, f64[3]: not differentiable: declared (no tangent of it reaches a result)",
        "result, f64[3]: not differentiable: declared (no tangent reaches it)",
      ],
    ],
    [
      "one of two",
      (x, y) => ({ value: mul(x, sign(y)), place: argmax(x) }),
      [x, x],
      [
        "argument 1, f64[3]: not differentiable: declared (no tangent of it reaches a result)",
        "result place, i32[]: not differentiable: declared (integers have no tangents)",
      ],
    ],
    ["a product with 0, which has a derivative", x => mul(x, 0), [x], []],
  ]
  test.each(cases)("%s", (_name, f, args, wanted) => expect(checkGrads(f, args).notDifferentiable).toEqual(wanted))
})

test("NaN is never agreement", () => {
  const nan = square({ push: [t => p.mul(t, p.fullLike(t.aval, Number.NaN))] })
  expect(mistaken(nan, [x]).difference).toBe(Infinity)
})

test("modes, order and dtype are chosen", () => {
  const wrong = square({ batch: ([x]) => mul(x!, 3) })
  expect(checkGrads(wrong, [x], { modes: ["forward", "reverse", "jit"] }).worst.vmap).toBeUndefined()
  const dtypes = new Set<string>()
  const f = (x: Tensor): Tensor => {
    dtypes.add(x.dtype)
    return sin(x)
  }
  checkGrads(f, [x], { dtype: "f32" })
  expect([...dtypes]).toEqual(["f32"])
  checkGrads(f, [x])
  expect([...dtypes]).toEqual(["f32", "f64"])
})
