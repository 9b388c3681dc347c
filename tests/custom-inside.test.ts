// Derivatives of one's own, inside of whatever records functions: they are what the rule says, not what the body would have.
import { describe, expect, test } from "vitest"
import { composite } from "../src/control/call.ts"
import * as a from "../src/index.ts"

const { checkpoint, cond, customJvp, customVjp, fixedPoint, grad, jit, jvp, mul, root, scan, sum, tensor, vmap } = a
type Tensor = a.Tensor
type F = (x: Tensor) => Tensor

/** 2 x, whose derivative is said to be 100. */
const backwards = customVjp(
  (x: Tensor) => mul(x, 2),
  x => [mul(x, 2), null],
  (_, ct) => [mul(ct, 100)],
) as F
const forwards = customJvp(
  (x: Tensor) => mul(x, 2),
  ([x], [t]) => [mul(x, 2), mul(t, 100)],
) as F

const places: readonly [string, (f: F) => F, turns: number][] = [
  ["by itself", f => f, 1],
  ["in a composite", f => composite("twice", {}, (x: Tensor) => f(f(x))), 2],
  ["in jit", f => jit((x: Tensor) => f(x)), 1],
  ["in a checkpoint", f => checkpoint((x: Tensor) => f(x)), 1],
  ["in a checkpoint that keeps products", f => checkpoint((x: Tensor) => f(x), { save: "products" }), 1],
  ["in a scan", f => x => scan((c: Tensor) => [f(c), null], x, null, { length: 3 })[0], 3],
  ["in a scan in pieces", f => x => scan((c: Tensor) => [f(c), null], x, null, { length: 3, checkpoint: 2 })[0], 3],
  ["in a composite in a scan", f => x => scan((c: Tensor) => [composite("f", {}, f)(c), null], x, null, { length: 2 })[0], 2],
  [
    "in a scan in a scan",
    f => x => scan((c: Tensor) => [scan((d: Tensor) => [f(d), null], c, null, { length: 2 })[0], null], x, null, { length: 2 })[0],
    4,
  ],
  [
    "in a branch",
    f => x =>
      cond(
        tensor(true),
        (x: Tensor) => f(x),
        (x: Tensor) => x,
        x,
      ),
    1,
  ],
]

describe.each(places)("%s", (_name, place, turns) => {
  const wanted = 100 ** turns
  test("the gradient is the rule's", () => {
    expect(grad(place(backwards))(tensor(1)).item()).toBe(wanted)
    expect(jit(grad(place(forwards)))(tensor(1)).item()).toBe(wanted)
    expect(vmap(grad(place(backwards)))(tensor([1, 2])).toArray()).toEqual([wanted, wanted])
  })
  test("and so is the tangent", () => {
    expect(jvp(place(forwards), [tensor(1)], [tensor(1)])[1].item()).toBe(wanted)
  })
})

test("equations in loops keep their derivatives", () => {
  const f64 = (x: number): Tensor => tensor(x, { dtype: "f64" })
  // x = cos(x) w solved in each turn, and the square root of what comes in
  const dottie: F = w => fixedPoint((x: Tensor) => a.cos(x).mul(w), f64(0.5))
  const squareRoot: F = x => root((y: Tensor) => y.mul(y).sub(x), f64(1))
  for (const f of [dottie, squareRoot]) {
    const twice: F = x => scan((c: Tensor) => [f(c), null], x, null, { length: 2 })[0]
    const plain: F = x => f(f(x))
    expect(grad(twice)(f64(0.7)).item()).toBeCloseTo(grad(plain)(f64(0.7)).item(), 9)
    expect(jvp(twice, [f64(0.7)], [f64(1)])[1].item()).toBeCloseTo(grad(plain)(f64(0.7)).item(), 9)
  }
})

test("a checkpoint in a loop gives the same bits", () => {
  const deep: F = x => [1, 2, 3, 4, 5, 6].reduce((y, k) => a.sin(mul(y, k)), x)
  const loss = (f: F) => (x: Tensor) => sum(scan((c: Tensor) => [f(c), null], x, null, { length: 50 })[0])
  expect(grad(loss(checkpoint(deep)))(tensor([0.1, 0.2])).toArray()).toEqual(grad(loss(deep))(tensor([0.1, 0.2])).toArray())
})
