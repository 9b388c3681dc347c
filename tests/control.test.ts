// Derivatives by rules of one's own, branches, loops without a fixed length, checkpoints, and solutions of equations.
import { describe, expect, test } from "vitest"
import { program } from "../src/explain/program.ts"
import type { Tensor } from "../src/index.ts"
import * as a from "../src/index.ts"
import {
  checkGrads,
  checkpoint,
  cond,
  customJvp,
  customVjp,
  fixedPoint,
  grad,
  jit,
  jvp,
  root,
  tensor,
  vmap,
  whileLoop,
} from "../src/index.ts"
import { enginesAgree } from "./engines.ts"

const { add, exp, greater, less, matmul, mul, sigmoid, sin, softplus, sum, tanh } = a
const f64 = (x: Parameters<typeof tensor>[0]): Tensor => tensor(x, { dtype: "f64" })
const close = (got: Tensor, wanted: Tensor | readonly number[] | number, tolerance = 1e-12): void => {
  const w =
    typeof wanted === "number"
      ? [wanted]
      : [
          ...("values" in wanted && typeof wanted.values === "function" && "aval" in wanted
            ? (wanted as Tensor).values()
            : (wanted as readonly number[])),
        ]
  const g = [...got.values()]
  expect(g.length).toBe(w.length)
  g.forEach((x, i) => expect(Math.abs(x - w[i]!), `${g} is not ${w}`).toBeLessThanOrEqual(tolerance * (1 + Math.abs(w[i]!))))
}
const x3 = f64([0.3, -1.2, 2.5])

describe("customJvp", () => {
  const log1pexp = customJvp(
    (x: Tensor) => exp(x).add(1).log(),
    ([x], [t]) => [softplus(x), sigmoid(x).mul(t)],
  )
  test("forwards, backwards, again, batched, compiled", () => {
    checkGrads(log1pexp, [x3])
    close(grad((x: Tensor) => sum(log1pexp(x)))(f64([800])), [1])
    close(jit(vmap(grad(log1pexp)))(x3), vmap(grad(softplus))(x3))
  })
  test("trees, integers and numbers from outside", () => {
    const scale = f64(3)
    const f = customJvp(
      ({ w, n }: { w: Tensor; n: Tensor }, x: Tensor) => ({ y: w.mul(x).mul(scale), n }),
      ([{ w, n }, x], [dt, dx]) => [
        { y: w.mul(x).mul(scale), n },
        { y: add(dt.w.mul(x), w.mul(dx)).mul(scale), n: null as unknown as Tensor },
      ],
    )
    checkGrads((w: Tensor, x: Tensor) => f({ w, n: tensor(2, { dtype: "i32" }) }, x).y, [x3, f64([1, 2, 3])])
  })
})

describe("customVjp", () => {
  const square = customVjp(
    (x: Tensor, y: Tensor) => x.mul(x).mul(y),
    (x, y) => [x.mul(x).mul(y), { x, y }],
    ({ x, y }, ct) => [ct.mul(x).mul(y).mul(2), ct.mul(x).mul(x)],
  )
  test("all modes follow from a rule that is right", () => {
    checkGrads(square, [x3, f64([1, -2, 0.5])])
    close(jit(vmap(grad(square), { inAxes: [0, null] }))(x3, f64(2)), x3.mul(4))
    // shared by all examples: the sum of their cotangents
    const loss = (y: Tensor): Tensor => sum(vmap(square, { inAxes: [0, null] })(x3, y))
    close(grad(loss)(f64(2)), sum(x3.mul(x3)))
  })
  test("the rule is what counts, linear or not", () => {
    const clipped = customVjp(
      (x: Tensor) => x,
      x => [x, null],
      (_, ct) => [a.clip(ct, -1, 1)],
    )
    close(grad((x: Tensor) => sum(clipped(x).mul(f64([5, 0.5, -7]))))(x3), [1, 0.5, -1])
    close(jit(grad((x: Tensor) => sum(clipped(x).mul(f64([5, 0.5, -7])))))(x3), [1, 0.5, -1])
    // where it is the last operation, too
    const last = customVjp(
      (x: Tensor) => sum(x),
      x => [sum(x), x],
      (x, ct) => [a.sign(x).mul(a.clip(ct, -1, 1))],
    )
    for (const g of [grad(last), jit(grad(last)), (x: Tensor) => a.vjp(last, x)[1](f64(9))[0]]) close(g(x3), a.sign(x3))
    close(vmap(grad(last))(a.stack([x3, x3.mul(-1)])), a.stack([a.sign(x3), a.sign(x3.mul(-1))]))
    const straight = customVjp(
      (x: Tensor) => a.floor(x),
      x => [a.floor(x), null],
      (_, ct) => [ct],
    )
    close(grad((x: Tensor) => sum(straight(x).mul(x)))(x3), a.floor(x3).add(x3))
  })
  test("no gradient for an argument, integers, several results", () => {
    const f = customVjp(
      (x: Tensor, n: Tensor) => [x.mul(2), a.cast(n, "f64")] as const,
      (x, n) => [[x.mul(2), a.cast(n, "f64")] as const, x],
      (x, [ct]) => [ct.mul(x), null],
    )
    close(grad((x: Tensor) => sum(f(x, tensor([1, 2, 3], { dtype: "i32" }))[0]))(x3), x3)
  })
  test.each<[string, () => unknown, RegExp]>([
    ["no list of cotangents", () => grad(customVjp((x: Tensor) => x, x => [x, null], (_, ct) => ct as any))(f64(1)), /backward must return a list with 1 entries/],
    ["no pair", () => grad(customVjp((x: Tensor) => x, x => x as any, (_, ct) => [ct]))(f64(1)), /forward must return \[value, residuals\]/],
    ["another value", () => grad(customVjp((x: Tensor) => x, x => [a.stack([x, x]), null], (_, ct) => [ct]))(f64(1)), /the value that forward returns must be f64\[\], as f returns it; got f64\[2\]/],
    ["a cotangent of another shape", () => grad(customVjp((x: Tensor) => x, x => [x, null], (_, ct) => [a.stack([ct, ct])]))(f64(1)), /the cotangent of argument 0 must be like f64\[\]/],
    ["a traced value from outside", () => grad((w: Tensor) => customVjp((x: Tensor) => x.mul(w), x => [x.mul(w), null], (_, ct) => [ct])(f64(1)))(f64(2)), /uses a traced value f64\[\] from outside/],
  ])("throws: %s", (_name, f, message) => expect(f).toThrow(message)) // biome-ignore format: one line each
})

describe("cond", () => {
  const f = (x: Tensor): Tensor =>
    cond(
      greater(sum(x), 0),
      (x: Tensor) => sin(x).mul(x),
      (x: Tensor) => exp(x),
      x,
    )
  test.each([
    ["yes", x3],
    ["no", x3.neg()],
  ])("derivatives of the branch taken: %s", (_name, x) => {
    checkGrads(f, [x])
  })
  test("examples take their own branches", () => {
    const rows = a.stack([x3, x3.neg()])
    close(vmap(f)(rows), a.stack([f(x3), f(x3.neg())]))
    close(jit(vmap(grad((x: Tensor) => sum(f(x)))))(rows), a.stack([x3, x3.neg()].map(grad((x: Tensor) => sum(f(x))))))
  })
  test("what is taken from outside is differentiated too", () => {
    const g = (w: Tensor, x: Tensor): Tensor =>
      cond(
        greater(x, 0),
        () => w.mul(x),
        () => w.mul(w),
      )
    close(grad(g)(f64(3), f64(2)), 2)
    close(grad(g)(f64(3), f64(-2)), 6)
    checkGrads(g, [f64(3), f64(2)])
  })
  test("engines agree", () => {
    enginesAgree(
      grad((x: Tensor) => sum(f(x))),
      [x3],
    )
    enginesAgree(f, [x3.neg()])
  })
  test.each<[string, () => unknown, RegExp]>([
    ["a number as the condition", () => cond(1 as any, () => f64(1), () => f64(2)), /the condition is a bool scalar/],
    ["a condition for each element", () => cond(greater(x3, 0), () => f64(1), () => f64(2)), /where\(condition, x, y\)/],
    ["other structures", () => cond(greater(f64(1), 0), () => [f64(1)] as any, () => f64(2)), /the same structure/],
    ["other shapes", () => cond(greater(f64(1), 0), () => x3, () => f64(2)), /result 0 differs/],
    ["other dtypes", () => cond(greater(f64(1), 0), () => tensor(1), () => f64(2)), /result 0 differs/],
  ])("throws: %s", (_name, f, message) => expect(f).toThrow(message)) // biome-ignore format: one line each
})

describe("whileLoop", () => {
  const doubled = (x: Tensor): Tensor =>
    whileLoop(
      (x: Tensor) => less(x, 100),
      x => x.mul(2),
      x,
    )
  test("as long as the condition holds, not at all where it does not", () => {
    close(doubled(f64(3)), 192)
    close(doubled(f64(300)), 300)
    close(jit(doubled)(f64(3)), 192)
    enginesAgree(doubled, [f64(3)])
  })
  test("forward mode, and each example until its own end", () => {
    const [y, dy] = jvp(doubled, [f64(3)], [f64(1)])
    close(y, 192)
    close(dy, 64)
    close(vmap(doubled)(f64([3, 300, 50, 1])), [192, 300, 100, 128])
    close(jit(vmap(doubled))(f64([3, 300, 50, 1])), [192, 300, 100, 128])
  })
  test("Collatz, with a tree as the carry", () => {
    const steps = (n: number): Tensor =>
      whileLoop(
        ({ n }: { n: Tensor; k: Tensor }) => greater(n, 1),
        ({ n, k }) => ({ n: a.where(a.equal(n.sub(a.mul(a.floor(n.div(2)), 2)), 0), n.div(2), n.mul(3).add(1)), k: k.add(1) }),
        { n: f64(n), k: tensor(0, { dtype: "i32" }) },
      ).k
    expect([1, 6, 27].map(n => steps(n).item())).toEqual([0, 8, 111])
  })
  test("what does not work says so", () => {
    expect(() => grad(doubled)(f64(3))).toThrow(/whileLoop has no derivative in reverse mode.*fixedPoint/)
    expect(() =>
      whileLoop(
        (x: Tensor) => x,
        x => x,
        f64(1),
      ),
    ).toThrow(/must return a bool scalar/)
    expect(() =>
      whileLoop(
        (x: Tensor) => less(sum(x), 1),
        () => x3,
        f64(0),
      ),
    ).toThrow(/must stay f64\[\]/)
  })
})

describe("checkpoint", () => {
  const layer = (w: Tensor, x: Tensor): Tensor => sin(tanh(matmul(x, w)).mul(2)).add(sigmoid(x))
  const weights = (n: number, d = 4): Tensor[] =>
    Array.from({ length: n }, (_, i) => a.random.normal(a.random.key(i), [d, d], { dtype: "f64" }).mul(0.5))
  const net = (wrap: (f: typeof layer) => typeof layer) => {
    const g = wrap(layer)
    return (ws: Tensor[], x: Tensor): Tensor => sum(ws.reduce((h, w) => g(w, h), x))
  }
  const x = a.random.normal(a.random.key(9), [3, 4], { dtype: "f64" })
  test.each(["nothing", "products"] as const)("the same bits, saving %s", save => {
    const [plain, saving] = [net(f => f), net(f => checkpoint(f, { save }))]
    const wanted = jit(grad(plain))(weights(4), x)
    for (const got of [grad(saving)(weights(4), x), jit(grad(saving))(weights(4), x)])
      wanted.forEach((w: Tensor, i: number) => expect([...got[i].values()]).toEqual([...w.values()]))
    checkGrads(saving, [weights(2), x])
    checkGrads(
      vmap((x: Tensor) => checkpoint(layer, { save })(weights(1)[0]!, x)),
      [x],
    )
    enginesAgree(grad(saving), [weights(3), x])
  })
  test("less memory", () => {
    const ws = weights(16, 64)
    const x = a.zeros([256, 64], { dtype: "f64" })
    const deep = (w: Tensor, x: Tensor): Tensor => [1, 2, 3, 4, 5, 6].reduce(h => sin(tanh(matmul(h, w)).mul(2)), x)
    const memoryOf = (wrap: (f: typeof deep) => typeof deep): number =>
      program(
        grad((ws: Tensor[], x: Tensor) => sum(ws.reduce((h, w) => wrap(deep)(w, h), x))),
        [ws, x],
      ).memory.temporaries
    const [plain, none, products] = [memoryOf(f => f), memoryOf(f => checkpoint(f)), memoryOf(f => checkpoint(f, { save: "products" }))]
    expect(plain / none).toBeGreaterThan(3)
    expect(products).toBeLessThan(plain)
    expect(none).toBeLessThan(products)
  })
  test("a wrong policy", () =>
    expect(() => checkpoint(layer, { save: "all" as any })).toThrow(/`save` must be "nothing" or "products"; got "all"/))
})

describe("fixedPoint", () => {
  const w = a.random.normal(a.random.key(1), [5, 5], { dtype: "f64" }).mul(0.2)
  const x = a.random.normal(a.random.key(2), [5], { dtype: "f64" })
  const relax = (w: Tensor, x: Tensor) => (h: Tensor) => tanh(add(matmul(h, w), x))
  const solved = (w: Tensor, x: Tensor): Tensor => fixedPoint(relax(w, x), a.zeros([5], { dtype: "f64" }))
  const unrolled = (w: Tensor, x: Tensor): Tensor =>
    Array.from({ length: 200 }).reduce((h: Tensor) => relax(w, x)(h), a.zeros([5], { dtype: "f64" }))
  test("its gradient is that of the unrolled loop, in both modes and twice", () => {
    const loss = (f: typeof solved) => (w: Tensor, x: Tensor) => sum(f(w, x).mul(f64([1, 2, 3, 4, 5])))
    close(solved(w, x), unrolled(w, x), 1e-11)
    for (const argnums of [0, 1]) {
      const [got, wanted] = [solved, unrolled].map(f => grad(loss(f), { argnums })(w, x))
      close(got, wanted, 1e-9)
      close(jit(grad(loss(solved), { argnums }))(w, x), wanted, 1e-9)
    }
    close(a.jacfwd((x: Tensor) => solved(w, x))(x), a.jacrev((x: Tensor) => unrolled(w, x))(x), 1e-9)
    close(a.hessian((x: Tensor) => loss(solved)(w, x))(x), a.hessian((x: Tensor) => loss(unrolled)(w, x))(x), 1e-8)
    checkGrads((w: Tensor, x: Tensor) => loss(solved)(w, x), [w, x])
  })
  test("batched, and on all engines", () => {
    const xs = a.stack([x, x.mul(2), x.neg()])
    close(vmap(solved, { inAxes: [null, 0] })(w, xs), a.stack([x, x.mul(2), x.neg()].map(x => solved(w, x))), 1e-10)
    close(
      vmap(grad((x: Tensor) => sum(solved(w, x))))(xs),
      a.stack([x, x.mul(2), x.neg()].map(grad((x: Tensor) => sum(solved(w, x))))),
      1e-10,
    )
    enginesAgree(
      grad((w: Tensor, x: Tensor) => sum(solved(w, x))),
      [w, x],
    )
  })
  test("memory does not depend on the number of turns", () => {
    const memory = (maxTurns: number): number =>
      program(
        grad((w: Tensor, x: Tensor) => sum(fixedPoint(relax(w, x), a.zeros([5], { dtype: "f64" }), { maxTurns }))),
        [w, x],
      ).memory.temporaries
    expect(memory(10)).toBe(memory(100000))
  })
  test.each<[string, () => unknown, RegExp]>([
    ["integers", () => fixedPoint((x: Tensor) => x, tensor([1], { dtype: "i32" })), /floating-point tensors; got i32\[1\]/],
    ["another shape", () => fixedPoint((x: Tensor) => a.stack([x, x]), f64(1)), /must be like x, which is f64\[\]/],
    ["a tolerance below 0", () => fixedPoint((x: Tensor) => x, f64(1), { tolerance: -1 }), /tolerance >= 0/],
  ])("throws: %s", (_name, f, message) => expect(f).toThrow(message)) // biome-ignore format: one line each
})

describe("root", () => {
  const cube = (y: Tensor): Tensor => root((x: Tensor) => x.mul(x).mul(x).sub(y), f64(1))
  test("a scalar equation", () => {
    close(cube(f64(8)), 2, 1e-11)
    close(grad(cube)(f64(8)), 1 / 12, 1e-11)
    close(grad(grad(cube))(f64(8)), -1 / 144, 1e-10)
    close(jit(grad(cube))(f64(8)), 1 / 12, 1e-11)
    checkGrads(cube, [f64(8)])
  })
  test("a system with a tree", () => {
    const m = f64([
      [4, 1, 0],
      [-1, 3, 0.5],
      [0.2, 0, 2],
    ])
    const solve = (m: Tensor, b: Tensor): Tensor =>
      root(({ x }: { x: Tensor }) => ({ x: add(matmul(m, x), mul(x, mul(x, 0.1))).sub(b) }), { x: f64([0, 0, 0]) }).x
    checkGrads((m: Tensor, b: Tensor) => sum(solve(m, b).mul(x3)), [m, f64([1, 2, 3])])
    close(
      vmap(solve, { inAxes: [null, 0] })(
        m,
        f64([
          [1, 2, 3],
          [0, 1, 0],
        ]),
      ),
      a.stack([solve(m, f64([1, 2, 3])), solve(m, f64([0, 1, 0]))]),
      1e-10,
    )
  })
})
