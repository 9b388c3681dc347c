// Transformations together: nested, over trees and closures, in loops and under jit.
import { describe, expect, test } from "vitest"
import { inline } from "../src/compile/inline.ts"
import { callP } from "../src/control/call.ts"
import type { Aval } from "../src/core/aval.ts"
import { number } from "../src/core/concrete.ts"
import { scope, type Tensor } from "../src/core/tensor.ts"
import type { Graph } from "../src/graph/graph.ts"
import { print } from "../src/graph/print.ts"
import { record } from "../src/graph/record.ts"
import * as a from "../src/index.ts"
import { checkGrads } from "../src/index.ts"
import { stats } from "../src/runtime/program.ts"
import { made, randomNumbers } from "./engines.ts"

const { grad, jit, jvp, vjp, vmap, tensor, add, mul, sub, sin, sum, matmul, softmax, tanh } = a
type Fn = (...xs: any[]) => any

const f64 = (data: any): Tensor => tensor(data, { dtype: "f64" })
let seed = 0
const rand = (...shape: number[]): Tensor => {
  const next = randomNumbers(++seed)
  return made({ shape, dtype: "f64" }, () => 2 * next() - 1)
}
const list = (t: any): any => (typeof t === "object" && "toArray" in t ? t.toArray() : t)
/** Equal to 12 digits. */
function close(got: any, wanted: any): void {
  const flat = (x: any): number[] => [list(x)].flat(9)
  expect(flat(got).length).toBe(flat(wanted).length)
  flat(got).forEach((x, i) => expect(x).toBeCloseTo(flat(wanted)[i]!, 11))
}

const cube: Fn = x => mul(x, mul(x, x))
const rosenbrock = (v: Tensor): Tensor => {
  const [x, y] = [v.at(0), v.at(1)]
  return add(sub(1, x).square(), mul(100, sub(y, x.square()).square()))
}
const mlp: Fn = (w1, w2, x) => sum(mul(softmax(tanh(matmul(x, w1))), matmul(x, w2)))

describe("composition and trees", () => {
  test("a network, every mode and second order", () => {
    checkGrads(mlp, [rand(3, 4), rand(3, 4), rand(5, 3)])
  })
  test("trees of arguments and results", () => {
    const f: Fn = (p, x) => ({ y: [mul(p.layers[0].w, x), sum(mul(p.scale, x))], none: null })
    checkGrads(f, [{ layers: [{ w: rand(2) }], scale: rand() }, rand(2)])
  })
  const loss: Fn = (p, x) => sum(mul(p.layers[0].w, mul(x, p.scale)))
  const at = (): [any, any] => [{ layers: [{ w: f64([1, 2]) }], scale: f64(3) }, f64([4, 5])]
  test("the gradient is a tree like the argument", () => {
    const d = grad(loss)(...at())
    close(d.layers[0].w, [12, 15])
    close(d.scale, 14)
    close(grad(loss, { argnums: 1 })(...at()), [3, 6])
  })
  test("auxiliary results", () => {
    const [[y, aux], g] = a.valueAndGrad((x: Tensor) => [sum(mul(x, x)), { twice: mul(x, 2), n: 3 }] as any, { hasAux: true })(
      f64([1, 2]),
    ) as any
    close(y, 5)
    close(aux.twice, [2, 4])
    close(g, [2, 4])
    const [g2, aux2] = grad((x: Tensor) => [sum(x), x] as any, { hasAux: true })(f64([1, 2]))
    close(g2, [1, 1])
    close(aux2, [1, 2])
  })
  test("integers take part in trees but have no derivative", () => {
    const f: Fn = (p, x) => sum(mul(a.take(p.table, p.ids), x))
    const p = { table: f64([1, 2, 3]), ids: tensor([2, 0], { dtype: "i32" }) }
    const [, pull] = vjp(f, p, f64([10, 20]))
    const [dp, dx] = pull(f64(1)) as any
    close(dp.table, [20, 0, 10])
    close(dx, [3, 1])
    expect(dp.ids.dtype).toBe("i32")
    close(dp.ids, [0, 0])
  })
  test("numbers as primals, tangents and cotangents", () => {
    const [y, dy] = jvp((x: any) => mul(x, x), [f64(3)], [1])
    close(y, 9)
    close(dy, 6)
    expect(jvp((x: any) => mul(x, x), [tensor(3)], [1])[1].dtype).toBe("f32")
    close(vjp((x: any) => mul(x, x), f64(3))[1](1 as any)[0], 6)
    expect(vjp((x: any) => mul(x, x), tensor(3))[1](1 as any)[0].dtype).toBe("f32")
    close(grad((x: any) => mul(x, mul(x, x)))(2), 12)
  })
})

describe("derivatives of derivatives", () => {
  test("third derivative", () => close(grad(grad(grad(cube)))(f64(2)), 6))
  test("Rosenbrock: the Hessian at the minimum, exactly", () => {
    expect(
      a
        .hessian(rosenbrock)(f64([1, 1]))
        .toArray(),
    ).toEqual([
      [802, -400],
      [-400, 200],
    ])
  })
  const g = (x: Tensor): Tensor =>
    sin(
      mul(
        matmul(
          f64([
            [1, 2],
            [3, 4],
            [5, 6],
          ]),
          x,
        ),
        0.1,
      ),
    )
  test("jacfwd is jacrev", () => {
    close(a.jacfwd(g)(f64([1, 2])), a.jacrev(g)(f64([1, 2])))
    expect(a.jacrev(g)(f64([1, 2])).shape).toEqual([3, 2])
  })
  test("jacfwd of a loop with a condition, which has no reverse mode, and of what does not depend on the input", () => {
    const doubled = (x: Tensor): Tensor =>
      a.whileLoop(
        (x: Tensor) => a.less(sum(x), 100),
        (x: Tensor) => mul(x, 2),
        x,
      )
    close(a.jacfwd(doubled)(f64([1, 2])), f64([[64, 0], [0, 64]])) // biome-ignore format: a matrix
    expect(() => a.jacrev(doubled)(f64([1, 2]))).toThrow("forward mode")
    close(a.jacfwd((_: Tensor) => f64([3, 4, 5]))(f64([1, 2])), f64([[0, 0], [0, 0], [0, 0]])) // biome-ignore format: a matrix
  })
  test("Jacobian of matrices has all axes", () => {
    const h = (x: Tensor): Tensor => matmul(x, x.transpose())
    const x = rand(2, 3)
    expect(a.jacrev(h)(x).shape).toEqual([2, 2, 2, 3])
    close(a.jacrev(h)(x), a.jacfwd(h)(x))
  })
  test("Hessian-vector product, forward over reverse and reverse over reverse", () => {
    const [x, v] = [f64([0.5, -1]), f64([2, 3])]
    const full = matmul(a.hessian(rosenbrock)(x), v)
    close(a.hvp(rosenbrock, [x], v), full)
    close(grad((x: Tensor) => sum(mul(grad(rosenbrock)(x), v)))(x), full)
  })
  test("linearize: one linear function, used several times", () => {
    const [y, push] = a.linearize((x: Tensor) => mul(sin(x), x), f64([1, 2]))
    close(y, [Math.sin(1), 2 * Math.sin(2)])
    const d = [Math.sin(1) + Math.cos(1), Math.sin(2) + 2 * Math.cos(2)]
    close(push(f64([1, 0])), [d[0], 0])
    close(push(f64([0, 2])), [0, 2 * d[1]!])
    checkGrads((t: Tensor) => push(t), [f64([1, 2])])
  })
  test("a pullback can be differentiated, batched and jitted", () => {
    const [, pull] = vjp((x: Tensor) => mul(x, sin(x)), f64([1, 2]))
    checkGrads((ct: Tensor) => pull(ct)[0], [f64([0.3, 0.4])])
  })
})

describe("nesting", () => {
  test("perturbations are not confused", () => {
    // d/dx (x * d/dy (x + y)) = 1
    close(grad((x: any) => mul(x, grad((y: any) => add(x, y))(f64(3))))(f64(1)), 1)
    const inner: Fn = x => jvp((y: any) => add(x, y), [f64(3)], [f64(1)])[1]
    close(jvp((x: any) => mul(x, inner(x)), [f64(1)], [f64(1)])[1], 1)
    close(grad((x: any) => mul(x, jvp((y: any) => mul(x, y), [f64(3)], [f64(1)])[1]))(f64(2)), 4)
  })
  // biome-ignore format: a case a line
  const cases: readonly [string, () => unknown, unknown][] = [
    ["jit over an outer dual", () => grad((x: any) => jit((y: any) => mul(x, mul(y, y)))(x))(f64(2)), 12],
    ["vmap over an outer dual", () => grad((x: any) => sum(vmap((y: any) => mul(x, y))(f64([1, 2, 3]))))(f64(2)), 6],
    ["jit over a batched value", () => vmap((x: any) => jit((y: any) => mul(x, y))(x))(f64([1, 2, 3])), [1, 4, 9]],
    ["grad in vmap", () => vmap((x: any) => grad((y: any) => mul(x, mul(y, y)))(x))(f64([1, 2, 3])), [2, 8, 18]],
    ["vmap in vmap", () => vmap((x: any) => vmap((y: any) => mul(x, y))(f64([1, 2])))(f64([3, 4])), [[3, 6], [4, 8]]],
    ["jit of vmap of grad of jit", () => jit(vmap(grad(jit(cube))))(f64([1, 2, 3])), [3, 12, 27]],
    ["vmap of hessian", () => vmap(a.hessian(cube as any))(f64([1, 2])), [6, 12]],
    ["grad of vmap of grad", () => grad((w: any) => sum(vmap(grad((x: any) => mul(w, mul(x, x))))(f64([1, 2]))))(f64(5)), 6],
    ["a jitted function of a closed-over tensor", () => (w => jit((x: any) => mul(w, x))(f64(2)))(f64(3)), 6],
    ["a result that does not depend on the argument", () => grad((_: any) => f64(3))(f64(2)), 0],
    ["a batched result that does not depend on the argument", () => vmap((_: any) => f64(3))(f64([1, 2])), [3, 3]],
    ["identity under jit", () => jit((x: any) => x)(f64([1, 2])), [1, 2]],
    ["one argument returned twice by jit", () => jit((x: any) => [x, x, add(x, 1)])(f64(1))[1], 1],
    ["a constant under jit", () => jit(() => f64(4))(), 4],
  ]
  test.each(cases)("%s", (_name, run, wanted) => close(run(), wanted))

  test("grad inside jit", () => {
    close(jit((x: any) => add(grad((y: any) => mul(y, mul(x, 3)))(x), x))(f64(2)), 8)
  })
  test("values are known inside grad: branches, loops", () => {
    const abs: Fn = x => (x.item() > 0 ? x : a.neg(x))
    close(grad(abs)(f64(-2)), -1)
    const power: Fn = x => {
      let y = x
      while (y.item() < 100) y = mul(y, x)
      return y
    }
    close(grad(power)(f64(3)), 5 * 81)
    close(grad(grad(power))(f64(3)), 20 * 27)
  })
  test("caches do not keep tracers: one jitted closure over two of them", () => {
    let outer: any
    const f = jit((y: any) => mul(outer, y))
    const both = grad((x: any) => {
      outer = x
      const inner = grad((z: any) => f((outer = z)))(f64(5))
      outer = x
      return add(f(x), inner)
    })
    close(both(f64(3)), 6)
  })
  test("iterating and destructuring walk axis 0, inside grad and jit too", () => {
    const f: Fn = x => {
      const [p, q] = x
      return mul(p, q)
    }
    close(grad(f)(f64([2, 3])), [3, 2])
    close(jit((x: any) => [...x].reduce(add))(f64([1, 2, 3])), 6)
  })
})

describe("vmap: axes in and out", () => {
  const x = f64([
    [1, 2, 3],
    [4, 5, 6],
  ])
  // biome-ignore format: a case a line
  const cases: readonly [string, () => unknown, unknown][] = [
    ["axis 1", () => vmap((v: any) => sum(v), { inAxes: 1 })(x), [5, 7, 9]],
    ["axis -1", () => vmap((v: any) => sum(v), { inAxes: -1 })(x), [5, 7, 9]],
    ["to axis 1", () => vmap((v: any) => mul(v, 2), { outAxis: 1 })(x), [[2, 8], [4, 10], [6, 12]]],
    ["to axis -1, not mapped", () => vmap((_: any, c: any) => c, { inAxes: [0, null], outAxis: -1 })(x, f64([7, 8])), [[7, 7], [8, 8]]],
    ["one operand", () => vmap((v: any, w: any) => sum(mul(v, w)), { inAxes: [0, null] })(x, f64([1, 0, 2])), [7, 16]],
    ["different axes", () => vmap((v: any, w: any) => sum(mul(v, w)), { inAxes: [0, 1] })(x, f64([[1, 0], [1, 0], [0, 1]])), [3, 6]],
    ["a tree", () => vmap((t: any) => add(t.a, t.b[0]))({ a: f64([1, 2]), b: [f64([10, 20])] }), [11, 22]],
    ["a batch of none", () => vmap((v: any) => sum(v))(tensor(new Float64Array(0), { shape: [0, 3] })), []],
  ]
  test.each(cases)("%s", (_name, run, wanted) => close(run(), wanted))
})

describe("jit: what is recorded again", () => {
  test("numbers are run-time arguments; shapes, structure and statics are not", () => {
    const count = { traces: 0 }
    const step = jit(
      (p: any, rate: any, kind: any) => {
        count.traces++
        return { w: sub(p.w, mul(rate, grad((w: any) => sum(kind === "square" ? mul(w, w) : w))(p.w))) }
      },
      { static: [2] },
    )
    const w = f64([1, 2])
    close(step({ w }, 0.1, "square").w, [0.8, 1.6])
    const { programs } = stats
    close(step({ w }, 0.25, "square").w, [0.5, 1])
    expect(count.traces).toBe(1)
    expect(stats.programs).toBe(programs)
    close(step({ w }, 0.25, "linear").w, [0.75, 1.75])
    expect(count.traces).toBe(2)
    step({ w: f64([1, 2, 3]) }, 0.1, "square")
    expect(count.traces).toBe(3)
    step({ w: tensor([1, 2]) }, 0.1, "square")
    expect(count.traces).toBe(4)
    step({ w, more: null } as any, 0.1, "square")
    expect(count.traces).toBe(5)
    close(step({ w }, f64(0.25), "square").w, [0.5, 1])
    expect(count.traces).toBe(6)
  })
  test("a number takes the dtype of the tensor it meets", () => {
    expect(jit((x: any, s: any) => mul(x, s))(tensor([1, 2]), 0.5).dtype).toBe("f32")
    expect(jit((x: any, s: any) => mul(x, s))(f64([1, 2]), 0.5).dtype).toBe("f64")
  })
  test("derivatives of one jitted function are compiled once", () => {
    const g = jit(grad(jit(mlp)))
    const args = [rand(3, 4), rand(3, 4), rand(5, 3)] as const
    const first = g(...args).toArray()
    const { programs } = stats
    expect(g(...args).toArray()).toEqual(first)
    expect(stats.programs).toBe(programs)
  })
})

const aval = (...shape: number[]): Aval => ({ shape, dtype: "f64" })
const model: Fn = (w, x) => {
  const h = scope("layers.0", () => tanh(matmul(x, w)))
  return sum(scope("layers.1", () => mul(softmax(h), h)))
}
describe("scopes and composites survive transformations", () => {
  const paths = (g: Graph): string[] => [...new Set(g.nodes.map(n => n.scope.join("/")))].sort()
  const calls = (g: Graph): string[] => g.nodes.filter(n => n.prim === callP).map(n => `${n.params.name}.${n.params.form}`)
  const forward = record(([w, x]) => [model(w, x)], [aval(3, 2), aval(4, 3)]).graph
  const gradient = record(([w, x]) => [grad(model)(w!, x!)], [aval(3, 2), aval(4, 3)]).graph
  const batched = record(([w, x]) => [vmap(model, { inAxes: [null, 0] })(w!, x!)], [aval(3, 2), aval(5, 4, 3)]).graph
  const pushed = record(([w, x, t]) => [jvp((w: any) => model(w, x), [w!], [t!])[1]], [aval(3, 2), aval(4, 3), aval(3, 2)]).graph
  const twice = record(([w, x]) => [grad((w: any) => sum(grad(model)(w, x)))(w!)], [aval(3, 2), aval(4, 3)]).graph
  // a scope open around grad is not written twice
  const outer = record(([w, x]) => [scope("train", () => grad(model)(w!, x!))], [aval(3, 2), aval(4, 3)]).graph
  const cases: readonly [string, Graph, string[], string[]][] = [
    ["recorded", forward, ["softmax.original"], ["", "layers.0", "layers.1"]],
    ["inlined", inline(forward), [], ["", "layers.0", "layers.1", "layers.1/softmax"]],
    ["batched", batched, ["softmax.batched"], ["", "layers.0", "layers.1"]],
    ["pushed forward", pushed, ["softmax.jvp"], ["", "layers.0", "layers.1"]],
    [
      "gradient",
      gradient,
      ["softmax.primal", "softmax.backward"],
      ["backward", "layers.0", "layers.0/backward", "layers.1", "layers.1/backward"],
    ],
    [
      "gradient in a scope",
      outer,
      ["softmax.primal", "softmax.backward"],
      ["train/backward", "train/layers.0", "train/layers.0/backward", "train/layers.1", "train/layers.1/backward"],
    ],
  ]
  test.each(cases)("%s", (_name, graph, wantedCalls, wantedPaths) => {
    expect(calls(graph)).toEqual(wantedCalls)
    expect(paths(graph)).toEqual(wantedPaths)
  })
  test("an inlined gradient keeps forward and backward apart", () => {
    expect(paths(inline(gradient)).filter(p => p.includes("softmax"))).toEqual(["layers.1/softmax", "layers.1/softmax/backward"])
  })
  test("attributes stay with the original form only", () => {
    const attributes = (g: Graph): unknown[] => g.nodes.filter(n => n.prim === callP).map(n => n.params.attributes)
    expect(attributes(forward)).toEqual([{ axis: -1 }])
    for (const g of [gradient, batched, pushed, twice]) expect(attributes(g).every(x => x === undefined)).toBe(true)
  })
  test("how the gradient is computed", () => {
    expect(print(record(([x]) => [grad((x: Tensor) => sum(sin(mul(x, x))))(x!)], [aval(3)]).graph)).toMatchInlineSnapshot(`
      "(%0: f64[3]) =>
        %1: f64[3] = mul %0 %0
        %2: f64[3] = cos %1
        %3: f64[] = full {"shape":[],"value":1,"dtype":"f64"}  // backward
        %4: f64[3] = broadcast {"shape":[3],"axes":[0]} %3  // backward
        %5: f64[3] = mul %4 %2  // backward
        %6: f64[3] = mul %0 %5  // backward
        %7: f64[3] = mul %5 %0  // backward
        %8: f64[3] = add %6 %7  // backward
        return %8"
    `)
  })
})

describe("what a recorder takes", () => {
  test("a stage records operations without operands, a linear recorder does not", () => {
    const stage = record(([x]) => [mul(x!, a.cast(a.arange(3), "f64"))], [aval(3)])
    expect([stage.captured.length, stage.graph.nodes.length]).toEqual([0, 3])
    const constant = record(() => [a.exp(a.full([], 2))], [])
    expect(constant.graph.nodes.map(n => n.prim.name)).toEqual(["full", "exp"])
    const linear = record(([t]) => [mul(t!, sin(a.full([], 2, { dtype: "f64" })))], [aval()], "operands")
    expect([linear.captured.length, linear.graph.nodes.length]).toEqual([1, 1])
  })
  test("weak numbers stay inputs", () => expect(number(3).aval.weak).toBe(true))
})

describe("tracers that leak", () => {
  const transforms: readonly [string, (f: Fn) => Fn][] = [
    ["grad", f => grad(f)],
    ["jit", f => jit(f)],
    ["vmap", f => vmap(f)],
    ["jvp", f => x => jvp(f, [x], [x])],
    ["vjp", f => x => vjp(f, x)],
    ["jit of grad", f => jit(grad(f))],
  ]
  test.each(transforms)("%s", (_name, transform) => {
    let leak: any
    transform(x => sum((leak = mul(x, 2))))(f64([1, 2]))
    const leaked = (f: () => unknown): void => expect(f).toThrow(a.LeakedTracerError)
    leaked(() => add(leak, 1))
    leaked(() => grad((x: any) => sum(mul(leak, x)))(f64([1, 2])))
    leaked(() => jit((_: any) => leak)(f64([1, 2])))
    leaked(() => jvp((_: any) => leak, [f64(1)], [f64(1)]))
    leaked(() => vmap((_: any) => leak)(f64([1, 2])))
  })
})
