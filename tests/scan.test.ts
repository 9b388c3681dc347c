// Loops as one operation: values against plain loops, every derivative, batches, and what the backward pass keeps.
import { describe, expect, test } from "vitest"
import { recordCall } from "../src/control/call.ts"
import { countedScan, type Scan, scanP } from "../src/control/scan.ts"
import { type Aval, show } from "../src/core/aval.ts"
import type { Tensor } from "../src/core/tensor.ts"
import { leaves } from "../src/core/tree.ts"
import type { Apply, Graph } from "../src/graph/graph.ts"
import { derive, record, replay } from "../src/graph/record.ts"
import * as a from "../src/index.ts"
import { checkGrads, scan } from "../src/index.ts"
import { stats } from "../src/runtime/program.ts"
import { transposeGraph } from "../src/transforms/transpose.ts"
import { made, randomNumbers } from "./engines.ts"
import { unroll } from "./unroll.ts"

const { grad, jit, jvp, vjp, vmap, tensor, add, mul, sub, sin, tanh, sigmoid, exp, sum, matmul, concat } = a
type Fn = (...xs: any[]) => any

const f64 = (data: any): Tensor => tensor(data, { dtype: "f64" })
const i32 = (data: any): Tensor => tensor(data, { dtype: "i32" })
let seed = 100
const rand = (...shape: number[]): Tensor => {
  const next = randomNumbers(++seed)
  return made({ shape, dtype: "f64" }, () => 1.6 * next() - 0.8)
}
const numbers = (t: any): number[] => {
  if (t === null || t === undefined) return []
  if (typeof t === "number") return [t]
  if (typeof t === "object" && "toArray" in t) return [...t.values()]
  return Object.values(t).flatMap(numbers)
}
function close(got: any, wanted: any, digits = 11): void {
  const [g, w] = [numbers(got), numbers(wanted)]
  expect(g.length).toBe(w.length)
  g.forEach((x, i) => expect(x).toBeCloseTo(w[i]!, digits))
}

/** What scan means, without it: `f` is called once a turn. */
const plain =
  (f: Fn) =>
  (init: any, xs: any, { length, reverse = false }: { length?: number; reverse?: boolean } = {}): any => {
    const slice = (t: any, i: number): any => (t === null ? null : "aval" in t ? t.at(i) : a.treeMap(x => x.at(i), t))
    const first = (t: any): Tensor => ("aval" in t ? t : first(Object.values(t)[0]))
    const n = length ?? first(xs).shape[0]!
    const ys: any[] = []
    let carry = init
    for (let k = 0; k < n; k++) {
      const t = reverse ? n - 1 - k : k
      ;[carry, ys[t]] = f(carry, slice(xs, t))
    }
    return [carry, ys[0] === null ? null : a.treeMap((...rows) => a.stack(rows), ys[0], ...ys.slice(1))]
  }

/** A body, its init and xs, and options. Everything a body may do is somewhere in here. */
interface Case {
  readonly name: string
  readonly f: Fn
  readonly init: any
  readonly xs: any
  readonly options?: { length?: number; reverse?: boolean }
}
const outer = rand(2)
const cases: readonly Case[] = [
  {
    name: "sum and product",
    f: (c, x) => [mul(c, sin(x)), add(c, x)],
    init: rand(2),
    xs: rand(3, 2),
  },
  {
    name: "trees",
    f: (c, x) => [
      { h: tanh(add(c.h, x.u)), n: [mul(c.n[0], x.v[0])] },
      { both: mul(c.h, c.n[0]), more: [x.v[0]] },
    ],
    init: { h: rand(2), n: [rand()] },
    xs: { u: rand(3, 2), v: [rand(3)] },
  },
  { name: "reverse", f: (c, x) => [sin(add(mul(c, 0.5), x)), mul(c, x)], init: rand(2), xs: rand(4, 2), options: { reverse: true } },
  { name: "no xs", f: c => [mul(sin(c), 1.2), exp(c)], init: rand(2), xs: null, options: { length: 3 } },
  { name: "no ys", f: (c, x) => [mul(c, exp(x)), null], init: rand(), xs: rand(3) },
  { name: "no carry", f: (c, x) => [c, mul(sin(x), x)], init: null, xs: rand(3) },
  { name: "one turn", f: (c, x) => [mul(c, x), sin(c)], init: rand(2), xs: rand(1, 2) },
  { name: "a captured constant", f: (c, x) => [tanh(mul(add(c, outer), x)), mul(c, outer)], init: rand(2), xs: rand(3, 2) },
  {
    name: "an integer in the carry",
    f: (c, x) => [{ i: add(c.i, 1), s: add(mul(c.s, a.cast(c.i, "f64")), x) }, c.s],
    init: { i: i32(1), s: rand() },
    xs: rand(3),
  },
  {
    name: "a carry that is handed on untouched",
    f: (c, x) => [[c[0], mul(c[1], add(c[0], x))], c[0]],
    init: [rand(), rand()],
    xs: rand(3),
  },
  { name: "carries that change places", f: (c, x) => [[c[1], c[2], mul(c[0], x)], c[0]], init: [rand(), rand(), rand()], xs: rand(4) },
  {
    name: "a tangent that comes in a later turn",
    f: (c, x) => [[mul(c[1], 2), add(c[1], x), c[2]], mul(c[0], c[2])],
    init: [f64(0.1), f64(0.2), f64(0.3)],
    xs: rand(3),
  },
  {
    name: "no derivative through some of the carry",
    f: (c, x) => [[a.floor(c[1]), mul(c[1], add(x, c[0]))], a.floor(c[1])],
    init: [rand(), add(2, rand())],
    xs: rand(3),
  },
  {
    name: "nested",
    f: (c, row) => {
      const [last, all] = scan((d: any, x: any) => [mul(sin(d), add(x, c)), mul(d, x)], add(c, 0.5), row)
      return [last, sum(all)]
    },
    init: rand(),
    xs: rand(3, 2),
  },
  {
    name: "work that is the same in each turn",
    f: (c, x) => [tanh(matmul(c, exp(matmul(a.reshape(outer, [2, 1]), a.reshape(outer, [1, 2]))))), [mul(c, x), exp(outer), outer]],
    init: rand(2),
    xs: rand(3, 2),
  },
  {
    name: "composites in the body",
    f: (c, x) => [a.softmax(mul(c, x)), a.logSoftmax(add(c, x))],
    init: rand(3),
    xs: rand(2, 3),
  },
  { name: "ys that are xs, and one y twice", f: (c, x) => [mul(c, x), [x, sin(c), c, c]], init: rand(), xs: rand(3) },
]
const args = (c: Case): readonly unknown[] => [c.init, c.xs]

describe.each(cases.map(c => [c.name, c] as const))("%s", (_name, c) => {
  const f: Fn = (init, xs) => scan(c.f, init, xs, c.options)
  const wanted: Fn = (init, xs) => plain(c.f)(init, xs, c.options)
  test("values, un-jitted and inside jit", () => {
    const w = wanted(c.init, c.xs)
    close(f(c.init, c.xs), w)
    close(jit(f)(c.init, c.xs), w)
  })
  test("every mode and second order", () => {
    checkGrads(f, args(c))
  })
  test("the gradient is that of the plain loop", () => {
    const pull = (g: Fn): any => {
      const [y, back] = vjp(g, c.init, c.xs)
      return back(y)
    }
    close(pull(f), pull(wanted))
  })
})

describe("transformations together", () => {
  const f: Fn = (w, h, xs) => sum(scan((h: any, x: any) => [tanh(add(mul(h, w), x)), mul(h, h)], h, xs)[1])
  const [w, h, xs] = [rand(2), rand(2), rand(3, 2)]
  const batch = rand(4, 3, 2)
  const rows = [0, 1, 2, 3].map(i => batch.at(i))
  const pairs: readonly [string, () => any, () => any][] = [
    ["vmap is a loop over examples", () => vmap(f, { inAxes: [null, null, 0] })(w, h, batch), () => rows.map(x => f(w, h, x))],
    ["vmap of grad", () => vmap(grad(f), { inAxes: [null, null, 0] })(w, h, batch), () => rows.map(x => grad(f)(w, h, x))],
    [
      "grad of vmap",
      () => grad((w: any) => sum(vmap(f, { inAxes: [null, null, 0] })(w, h, batch)))(w),
      () => rows.map(x => grad(f)(w, h, x)).reduce((s, g) => add(s, g)),
    ],
    ["vmap over the carry alone", () => vmap(f, { inAxes: [null, 0, null] })(w, batch.at(0), xs), () => [0, 1, 2].map(i => f(w, batch.at(0).at(i), xs))],
    ["vmap over a constant alone", () => vmap(f, { inAxes: [0, null, null] })(batch.at(0), h, xs), () => [0, 1, 2].map(i => f(batch.at(0).at(i), h, xs))],
    ["jit of grad", () => jit(grad(f))(w, h, xs), () => grad(f)(w, h, xs)],
    ["grad of jit", () => grad(jit(f))(w, h, xs), () => grad(f)(w, h, xs)],
    ["Hessian-vector product", () => a.hvp(f, [w, h, xs], h), () => matmul(a.hessian(f)(w, h, xs), h)],
    [
      "reverse over reverse",
      () => grad((w: any) => sum(mul(grad(f)(w, h, xs), h)))(w),
      () => a.hvp(f, [w, h, xs], h),
    ],
    [
      "an outer grad's value as constant, differentiated inside and outside",
      () => grad((s: any) => mul(s, grad((r: any) => scan((c: any, x: any) => [mul(c, add(mul(s, r), x)), null], r, xs.at(0))[0])(s)))(f64(0.7)),
      () => grad((s: any) => mul(s, grad((r: any) => plain((c: any, x: any) => [mul(c, add(mul(s, r), x)), null])(r, xs.at(0))[0])(s)))(f64(0.7)),
    ],
    ["inside vmap, a batched value as constant", () => vmap((w: any) => f(w, h, xs))(batch.at(0)), () => [0, 1, 2].map(i => f(batch.at(0).at(i), h, xs))],
    ["grad in the body", () => scan((c: any, x: any) => [sub(c, mul(0.1, grad((v: any) => sum(mul(mul(v, v), x)))(c))), null], h, xs), () => plain((c, x) => [mul(c, sub(1, mul(0.2, x))), null])(h, xs)],
    ["linearize: one linear function, twice", () => {
      const [, push] = a.linearize((h: any) => f(w, h, xs), h)
      return [push(w), push(h)]
    }, () => [jvp((h: any) => f(w, h, xs), [h], [w])[1], jvp((h: any) => f(w, h, xs), [h], [h])[1]]],
  ] // biome-ignore format: one line each
  test.each(pairs)("%s", (_name, got, wanted) => close(got(), wanted()))

  const states: Fn = (w, h, xs) => scan((h: any, x: any) => [tanh(add(mul(h, w), x)), mul(h, h)], h, xs)[1]
  test.each([
    ["a constant", (w: any) => states(w, h, xs), w],
    ["the carry", (h: any) => states(w, h, xs), h],
    ["xs", (xs: any) => states(w, h, xs), xs],
  ] as const)("jacfwd is jacrev: by %s", (_name, g, x) => close(a.jacfwd(g)(x), a.jacrev(g)(x)))

  test("inner products: <ct, J t> = <ct J, t>", () => {
    const at = [w, h, xs] as const
    const [ts, ct] = [[rand(2), rand(2), rand(3, 2)] as const, rand(3, 2)]
    const forward = sum(mul(jvp(states, at as any, ts as any)[1], ct))
    const back = vjp(states, ...at)[1](ct) as unknown as Tensor[]
    close(
      forward,
      back.map((b, i) => sum(mul(b, ts[i]!))).reduce((s, x) => add(s, x)),
    )
  })
  test("scan in a composite, a composite in scan", () => {
    const cell = a.composite("cell", {}, (h: Tensor, x: Tensor, w: Tensor) => tanh(add(mul(h, w), x)))
    const loop = a.composite("loop", {}, (w: Tensor, h: Tensor, xs: Tensor) =>
      scan((h: Tensor, x: Tensor) => [cell(h, x, w), mul(h, h)] as const, h, xs),
    )
    const g: Fn = (w, h, xs) => sum(loop(w, h, xs)[1])
    close(g(w, h, xs), f(w, h, xs))
    checkGrads(g, [w, h, xs])
  })
})

const rnn: Fn = (p, h, xs) =>
  scan(
    (h: any, x: any) => {
      const next = tanh(add(add(matmul(h, p.w), matmul(x, p.u)), p.b))
      return [next, next]
    },
    h,
    xs,
  )
/** Hochreiter and Schmidhuber 1997, with forget gates (Gers, Schmidhuber, Cummins 2000). */
const lstmCell: Fn = (p, { c, h }, x) => {
  const all = add(matmul(concat([x, h], { axis: 1 }), p.w), p.b)
  const n = h.shape[1]
  const [i, f, o] = [0, 1, 2].map(k => sigmoid(all.slice(":", [k * n, (k + 1) * n])))
  const next = add(mul(f!, c), mul(i!, tanh(all.slice(":", [3 * n, 4 * n]))))
  const out = mul(o!, tanh(next))
  return [{ c: next, h: out }, out]
}
const lstm: Fn = (p, state, xs) => scan((s: any, x: any) => lstmCell(p, s, x), state, xs)
describe("recurrent networks: all parameters", () => {
  test("tanh RNN", () => {
    const p = { w: rand(3, 3), u: rand(2, 3), b: rand(3) }
    checkGrads((p, h, xs) => sum(mul(rnn(p, h, xs)[1], 2)), [p, rand(2, 3), rand(3, 2, 2)])
  })
  test("LSTM", () => {
    const p = { w: rand(4, 8), b: rand(8) }
    const loss: Fn = (p, s, xs) => {
      const [{ c }, hs] = lstm(p, s, xs)
      return add(sum(mul(hs, hs)), sum(c))
    }
    checkGrads(loss, [p, { c: rand(2, 2), h: rand(2, 2) }, rand(3, 2, 2)])
    const [s, xs] = [{ c: rand(2, 2), h: rand(2, 2) }, rand(3, 2, 2)]
    close(lstm(p, s, xs), plain((s: any, x: any) => lstmCell(p, s, x))(s, xs))
  })
})

describe("number of turns", () => {
  const f: Fn = (w, c, xs) => scan((c: any, x: any) => [mul(c, add(w, x)), mul(c, x)], c, xs)
  const none = tensor(new Float64Array(0), { shape: [0, 2] })
  test("none: the carry is init, ys are empty", () => {
    const [c, ys] = f(f64(2), f64([1, 2]), none)
    close(c, [1, 2])
    expect(show(ys.aval)).toBe("f64[0,2]")
    close(grad((w: any, c: any) => sum(f(w, c, none)[0]))(f64(2), f64([1, 2])), 0)
    close(grad((w: any, c: any) => sum(f(w, c, none)[0]), { argnums: 1 })(f64(2), f64([1, 2])), [1, 1])
    close(jvp((c: any) => f(f64(2), c, none)[0], [f64([1, 2])], [f64([3, 4])])[1], [3, 4])
    close(
      vmap((c: any) => f(f64(2), c, none)[0])(
        f64([
          [1, 2],
          [3, 4],
        ]),
      ),
      [
        [1, 2],
        [3, 4],
      ],
    )
  })
  test("many", () => {
    const xs = rand(200)
    const decay: Fn = (c, x) => [add(mul(c, 0.9), x), c]
    close(scan(decay as any, f64(1), xs), plain(decay)(f64(1), xs))
  })
  test("given beside xs it must be theirs", () => close(scan((c: any, x: any) => [add(c, x), c], f64(0), f64([1, 2]), { length: 2 })[0], 3))
})

describe("dtypes", () => {
  test("a number as init takes the dtype of the first turn", () => {
    const [last, ys] = scan((c: any, x: any) => [add(mul(c, 2), x), c], 1 as any, tensor([1, 2, 3]))
    expect([show(last.aval), show(ys.aval)]).toEqual(["f32[]", "f32[3]"])
    close([last, ys], [19, 1, 3, 8])
  })
  test("several numbers that depend on each other", () => {
    const [last] = scan((c: any, x: any) => [[c[1], add(c[0], x)], null], [1, 2] as any, f64([10, 20]))
    expect(last.map((t: Tensor) => show(t.aval))).toEqual(["f64[]", "f64[]"])
    close(last, [11, 22])
  })
  test("a number returned as carry takes the dtype that the carry has", () => {
    const [last, ys] = scan((c: any, x: any) => [3, add(c, x)] as any, tensor(1), tensor([1, 2]))
    expect(show(last.aval)).toBe("f32[]")
    close([last, ys], [3, 2, 5])
  })
  test("bool and i32", () => {
    const [[seen, n], ys] = scan(
      ([seen, n]: any, x: any) => [[a.logicalOr(seen, a.equal(x, 2)), add(n, x)], seen],
      [tensor(false), i32(0)],
      i32([1, 2, 3]),
    ) as any
    expect([seen.item(), n.item(), ys.toArray()]).toEqual([1, 6, [0, 0, 1]])
  })
})

/** A body of random operations on [2]: its carries, ys and what it captures are picked from all that it computes. */
function randomBody(seed: number): { f: (...constants: Tensor[]) => Fn; constants: Tensor[]; init: Tensor[]; xs: Tensor[] } {
  const next = randomNumbers(seed)
  const below = (n: number): number => Math.floor(n * next())
  const [nConstants, nCarry, nXs, nOps, nYs] = [below(3), 1 + below(3), below(3), 2 + below(7), below(3)]
  const picks = Array.from({ length: 4 * nOps + nCarry + nYs }, () => next())
  const ops: Fn[] = [
    add,
    sub,
    mul,
    (x, y) => sin(add(x, y)),
    x => tanh(x),
    x => sigmoid(mul(x, 2)),
    x => a.stopGradient(x),
    (x, y) => a.broadcastTo(sum(mul(x, y)), [2]),
    (x, y) => a.where(a.less(x, y), x, mul(y, 0.5)),
    (x, y) => matmul(a.broadcastTo(x, [2, 2]), mul(y, 0.4)),
    () => a.full([2], 0.3, { dtype: "f64" }),
    (x, y) => scan((c: any, z: any) => [mul(add(c, z), 0.5), mul(c, y)], x, a.stack([y, x]))[1].at(1),
    (x, y) => a.softmax(add(x, mul(y, 0.5))),
  ]
  const f =
    (...constants: Tensor[]): Fn =>
    (carry: Tensor[], xs: Tensor[]) => {
      const values = [...constants, ...carry, ...xs]
      let k = 0
      const pick = <T>(list: readonly T[]): T => list[Math.floor(picks[k++]! * list.length)]!
      for (let i = 0; i < nOps; i++) values.push(tanh(pick(ops)(pick(values), pick(values)))) // keeps numbers small
      const late = values.slice(-nOps - nCarry)
      return [carry.map(() => pick(late)), Array.from({ length: nYs }, () => pick(values))]
    }
  const list = (n: number, ...shape: number[]): Tensor[] =>
    Array.from({ length: n }, () => made({ shape, dtype: "f64" }, () => 1.6 * next() - 0.8))
  return { f, constants: list(nConstants, 2), init: list(nCarry, 2), xs: list(nXs, 3, 2) }
}
describe("random bodies: loops and what is derived from them are what plain loops give", () => {
  const COUNT = Number(process.env.PROGRAMS ?? 500) / 25
  test.each(Array.from({ length: Math.ceil(COUNT / 10) }, (_, i) => 1 + 10 * i))("from seed %i", from => {
    for (let seed = from; seed < from + 10; seed++) {
      const { f, constants, init, xs } = randomBody(seed)
      const options = { length: 3, reverse: seed % 2 === 0 }
      const n = constants.length
      const of =
        (loop: Fn): Fn =>
        (...all) =>
          leaves(loop(f(...all.slice(0, n)), all.slice(n, n + init.length), all.slice(n + init.length), options))
      const [looped, wanted] = [of(scan as Fn), of((f, init, xs, options) => plain(f)(init, xs, options))]
      const at = [...constants, ...init, ...xs]
      const next = randomNumbers(-seed)
      const like = (x: Tensor): Tensor => made(x.aval, () => 2 * next() - 1)
      const ts = at.map(like)
      const cts = wanted(...at).map(like)
      const pull =
        (g: Fn): Fn =>
        (...all) =>
          vjp(g, ...all)[1](cts as any)
      const batched = at.map((x, i) => (i % 2 ? a.stack([x, mul(x, 0.5)]) : x))
      const inAxes = at.map((_, i) => (i % 2 ? 0 : null))
      const ways: [string, (g: Fn) => unknown][] = [
        ["values", g => g(...at)],
        ["jvp", g => jvp(g, at, ts)[1]],
        ["vjp", g => pull(g)(...at)],
        ["jvp of vjp", g => jvp(pull(g), at, ts)[1]],
        ["vjp of vjp", g => vjp(pull(g), ...at)[1](ts as any)],
        ["vmap", g => (at.length > 1 ? vmap(g, { inAxes })(...batched) : null)],
        ["vmap of vjp", g => (at.length > 1 ? vmap(pull(g), { inAxes })(...batched) : null)],
      ]
      for (const [name, way] of ways) {
        const [got, want] = [looped, wanted].map(g => numbers(jit(() => way(g))()))
        const odd = want!.findIndex((w, i) => !(Math.abs(w - got![i]!) <= 1e-10 * Math.max(1, Math.abs(w))))
        if (odd >= 0 || got!.length !== want!.length)
          throw new Error(`seed ${seed}, ${name}, element ${odd}: ${got![odd]}, not ${want![odd]}`)
      }
    }
  })
})

const aval = (...shape: number[]): Aval => ({ shape, dtype: "f64" })
const loops = (g: Graph): (Apply & { params: Scan })[] => g.nodes.filter(n => n.prim === scanP)
const recorded = (f: Fn, ...ins: Aval[]): Graph => record(xs => [f(...xs)].flat(), ins).graph

describe("what the loops of a derivative look like", () => {
  test("a tanh RNN saves its outputs and the incoming states, nothing else", () => {
    const loss: Fn = (w, u, b, h, xs) => sum(rnn({ w, u, b }, h, xs)[1])
    const g = recorded(grad(loss), aval(3, 3), aval(2, 3), aval(3), aval(4, 3), aval(5, 4, 2))
    const [forward, backward, ...more] = loops(g)
    expect(more).toEqual([])
    const { graph, carry, constants } = forward!.params
    const [last, y, saved, ...others] = graph.outputs
    expect(others).toEqual([])
    expect(y).toBe(last)
    expect(saved).toBe(graph.inputs[constants])
    expect(carry).toBe(1)
    // the backward loop carries the cotangent of the state and reads three stacks
    expect(backward!.params).toMatchObject({ constants: 1, carry: 1, reverse: true })
    expect(backward!.args.map(n => show(n.aval))).toEqual(["f64[3,3]", "f64[4,3]", "f64[5,4,3]", "f64[5,4,3]"])
  })
  const cell = a.composite("lstm", {}, lstmCell)
  test.each([
    ["written out", lstm],
    ["with its cell as a composite", (p: any, s: any, xs: any) => scan((s: any, x: any) => cell(p, s, x), s, xs)],
  ] as [string, Fn][])("an LSTM %s saves seven stacks", (_name, network) => {
    const loss: Fn = (w, b, c, h, xs) => sum(network({ w, b }, { c, h }, xs)[1])
    const g = recorded(grad(loss), aval(5, 8), aval(8), aval(4, 2), aval(4, 2), aval(6, 4, 3))
    // [c, h]; i, f, o and tanh of the gates, c and tanh c, and h: what 1 - i is and [x, h] is made again, and nobody reads ys
    expect(
      loops(g)[0]!
        .outs.slice(2)
        .map(n => show(n.aval)),
    ).toEqual(Array.from({ length: 7 }, () => "f64[6,4,2]"))
  })
  test("moves and small arithmetic on what is at hand are made again, constants are not stacked", () => {
    const loss: Fn = (w, h, xs) =>
      sum(scan((h: any, x: any) => [h, sin(mul(matmul(a.broadcastTo(sub(1, x), [7, 7]), w), add(h, x)))], h, xs)[1])
    const [forward, ...more] = loops(recorded(grad(loss), aval(7, 7), aval(), aval(5)))
    // the cosine: h is a constant; the matrix and the sum are made from x again, and nothing has to be done turn by turn
    expect(forward!.outs.map(n => show(n.aval))).toEqual(["f64[5,7,7]"])
    expect(more).toEqual([])
  })
  test("a sum is saved, not what it is made from; a row is, not the matrix made from it", () => {
    const saved = (next: Fn): string[] => {
      const f: Fn = (c, w, xs) => sum(scan((c: any, x: any) => [next(c, w, x), null], c, xs)[0])
      const [forward] = loops(recorded(grad(f), aval(2), aval(2, 2), aval(9, 2)))
      return forward!.outs.slice(1).map(n => show(n.aval))
    }
    expect(saved((c, w, x) => add(matmul(c, w), matmul(x, w)).square())).toEqual(["f64[9,2]"])
    // the row that matmul makes, and the sum
    const spread: Fn = (c, w) => a.broadcastTo(matmul(c, w), [7, 2]).square()
    expect(saved((c, w, x) => sum(mul(spread(c, w), sum(x)), { axis: 0 }))).toEqual(["f64[9,1,2]", "f64[9]"])
  })
  test("a carry that does not change is a constant, and so is its tangent", () => {
    const f: Fn = (s, c, xs) => scan(([s, c]: any, x: any) => [[s, mul(c, add(s, x))], null], [s, c], xs)[0][1]
    const [loop] = loops(recorded(f, aval(), aval(), aval(3)))
    expect(loop!.params).toMatchObject({ constants: 1, carry: 1 })
    const pushed = recorded((s, c, xs, ds) => jvp((s: any) => f(s, c, xs), [s], [ds])[1], aval(), aval(), aval(3), aval())
    expect(loops(pushed)[0]!.params).toMatchObject({ constants: 2, carry: 2 })
  })
  describe("sums over the turns leave the loop", () => {
    const z: Fn = (h, x) => tanh(add(h, x))
    const turns: readonly [string, Fn, any, { carried: number; stacks: string[]; after: string[] }][] = [
      [
        "a product of each turn becomes one over all, of what is stacked for it",
        (w, h, x) => z(matmul(h, w), x),
        rand(4, 4),
        { carried: 1, stacks: ["[5,3,4]"], after: ["matmul [4,15] [15,4]"] },
      ],
      [
        "one stack serves several sums",
        ({ u, w, b }, h, x) => z(add(matmul(h, w), a.broadcastTo(b, [3, 4])), matmul(x, u)),
        { u: rand(4, 4), w: rand(4, 4), b: rand(4) },
        { carried: 1, stacks: ["[5,3,4]"], after: ["matmul [4,15] [15,4]", "sum [5,3,4]", "sum [3,4]", "matmul [4,15] [15,4]"] },
      ],
      [
        "moves of a weight and sums of its uses come after the product",
        (w, h, x) => z(add(matmul(h, a.transpose(w.slice([1, 5]))), matmul(sin(x), w.slice([0, 4]))), h),
        rand(5, 4),
        {
          carried: 1,
          stacks: ["[5,3,4]"],
          after: ["matmul [4,15] [15,4]", "pad [4,4]", "matmul [4,15] [15,4]", "pad [4,4]", "add [5,4] [5,4]"],
        },
      ],
      [
        "what one would have to stack for it alone stays a sum of the loop",
        (w, h, x) => z(mul(h, w), x),
        rand(3, 4),
        { carried: 2, stacks: [], after: [] },
      ],
      [
        "so does a small sum of products of large operands",
        (w, h, x) => z(matmul(a.reshape(h, [12, 1]), w).reshape(3, 4), x),
        rand(1, 1),
        { carried: 2, stacks: [], after: [] },
      ],
    ]
    test.each(turns)("%s", (_name, next, w, wanted) => {
      const of =
        (loop: Fn): Fn =>
        (w, h, xs) =>
          sum(loop((h: any, x: any) => [next(w, h, x), null], h, xs)[0])
      const [h, xs] = [rand(3, 4), rand(5, 3, 4)]
      const { nodes } = recordCall((w: any) => grad(of(scan))(w, h, xs) as any, [w]).graph
      const shapes = (nodes: readonly { aval: Aval }[]): string[] => nodes.map(n => `[${n.aval.shape}]`)
      const at = nodes.findLastIndex(n => n.prim === scanP)
      const { params, outs } = nodes[at]!
      const after = nodes.slice(at + 1).filter(n => !["permute", "reshape"].includes(n.prim.name))
      expect({
        carried: params.carry,
        stacks: shapes(outs.slice(params.carry)),
        after: after.map(n => [n.prim.name, ...shapes(n.args)].join(" ")),
      }).toEqual(wanted)
      const want = grad(of((f, h, xs) => plain(f)(h, xs)))(w, h, xs)
      for (const g of [grad(of(scan)), jit(grad(of(scan)))]) close(g(w, h, xs), want)
    })
  })
  test("values that are shared many times over are looked at once", () => {
    const grow = (x: any): any => Array.from({ length: 60 }).reduce((y: any) => mul(add(y, y), 0.5), x)
    const f: Fn = (w, c, xs) => sum(scan((c: any, x: any) => [tanh(matmul(grow(mul(c, w)), grow(add(w, x)))), null], c, xs)[0])
    const [w, c, xs] = [rand(2, 2), rand(2, 2), rand(3)]
    close(grad(f)(w, c, xs), grad((w: any) => sum(plain((c, x) => [tanh(matmul(mul(c, w), add(w, x))), null])(c, xs)[0]))(w))
  })
  test("nothing is carried where nothing flows", () => {
    // ys do not depend on the carry: its cotangent is zero in all turns, and the sum for w needs no loop
    const loss: Fn = (w, c, xs) => sum(scan((c: any, x: any) => [mul(c, x), sin(mul(w, x))], c, xs)[1])
    expect(loops(recorded(grad(loss), aval(), aval(), aval(3)))).toHaveLength(1)
    // and an integer has none at all
    const counter: Fn = (c, xs) => scan(([i, c]: any, x: any) => [[add(i, 1), mul(c, x)], null], [i32(0), c], xs)[0][1]
    expect(loops(recorded(grad(counter), aval(), aval(3))).at(-1)!.params).toMatchObject({ carry: 1 })
  })
  test("what is the same in each turn is done once, outside", () => {
    const f: Fn = (w, c, xs) => scan((c: any, x: any) => [matmul(c, add(exp(w), 1)), x], c, xs)
    const g = recorded(f, aval(2, 2), aval(2), aval(3))
    expect(g.nodes.map(n => n.prim.name)).toEqual(["exp", "scan"])
    expect(loops(g)[0]!.outs).toHaveLength(1)
  })
  test("nor is it stacked for the backward loop, if it is part of a composite", () => {
    const cell = a.composite("cell", {}, (w: Tensor, c: Tensor) => sin(matmul(c, exp(w))))
    const of =
      (loop: (f: Fn) => Fn): Fn =>
      (w, c) =>
        sum(loop((c: any) => [cell(w, c), null])(c, null, { length: 9 })[0])
    const f = of(f => (init, xs, options) => scan(f as any, init, xs, options))
    const [, backward] = loops(recorded(grad(f, { argnums: 1 }), aval(2, 2), aval(2)))
    expect(backward!.args.map(n => show(n.aval)).sort()).toEqual(["f64[2,2]", "f64[2]", "f64[9,2]"])
    const [w, c] = [
      f64([
        [0.1, -0.2],
        [0.3, -0.4],
      ]),
      f64([0.5, 0.6]),
    ]
    for (const argnums of [0, 1]) close(grad(f, { argnums })(w, c), grad(of(plain), { argnums })(w, c))
  })
  test("results that nobody reads are not computed, and carries that feed only themselves neither", () => {
    const f: Fn = (a0, b0, c0, xs) =>
      scan(
        ([a, b, c]: any, x: any) => [
          [sin(a), mul(b, a), add(c, mul(b, x))],
          [exp(c), mul(c, c), a],
        ],
        [a0, b0, c0],
        xs,
      )
    const left = (pick: Fn): unknown => {
      const [loop] = loops(recorded((...xs) => pick(f(...xs)), aval(), aval(), aval(), aval(4)))
      const { constants, carry, graph } = loop!.params
      return [constants, carry, loop!.args.length, loop!.outs.length, graph.nodes.map((n: any) => n.prim.name).join(" ")]
    }
    expect(left(([[a]]) => a)).toEqual([0, 1, 1, 1, "sin"])
    expect(left(([[, b]]) => b)).toEqual([0, 2, 2, 2, "sin mul"])
    expect(left(([, ys]) => ys[2])).toEqual([0, 1, 1, 2, "sin"])
    expect(left(([, ys]) => ys[1])).toEqual([0, 3, 4, 4, "sin mul mul add mul"])
    // in loops within loops too
    const nested: Fn = (...at) =>
      scan(
        ([s, r]: any) => {
          const [[a, b, c], ys] = f(s, r, r, at[3])
          return [[a, add(b, c)], ys]
        },
        [at[0], at[1]],
        null,
        { length: 3 },
      )[0][0]
    const [whole] = loops(recorded(nested, aval(), aval(), aval(), aval(4)))
    expect([whole!.args.length, ...loops(whole!.params.graph).map(n => n.args.length)]).toEqual([1, 1])
    const [a0, b0, c0, xs] = [rand(), rand(), rand(), rand(4)]
    close(nested(a0, b0, c0, xs), jit(nested)(a0, b0, c0, xs))
  })
  test("derived loops are derived once", () => {
    const f: Fn = (w, c, xs) => scan((c: any, x: any) => [sin(mul(c, w)), x], c, xs)[0]
    const bodies = [0, 1].map(() => loops(recorded(grad(f), aval(), aval(), aval(3))).map(n => n.params.graph))
    expect(bodies[0]).toHaveLength(2)
    bodies[0]!.forEach((g, i) => expect(bodies[1]![i]).toBe(g))
  })
  test("un-jitted loops are compiled once, also where the body is a new function each time", () => {
    const step = (w: Tensor): Tensor => grad((w: any) => scan((c: any, x: any) => [sin(mul(c, w)), mul(c, x)], f64(0.5), f64([1, 2]))[0])(w)
    const first = step(f64(0.3)).item()
    const { programs } = stats
    expect(step(f64(0.3)).item()).toBe(first)
    expect(step(f64(0.4)).item()).not.toBe(first)
    expect(stats.programs).toBe(programs)
  })
})

test("transposing a loop that is linear in part of its carry runs the rest forwards first", () => {
  // s[t + 1] = k[t] s[t] + k[t] x[t], k[t + 1] = 2 k[t] + c[t]: linear in s and x, with k known
  const linear: Fn = (s, xs, k, cs) =>
    scan(([k, s]: any, [x, c]: any) => [[add(mul(k, 2), c), add(mul(s, k), mul(x, k))], mul(s, c)], [k, s], [xs, cs])
  const at = (s: any, xs: any, k: any, cs: any): Tensor[] => {
    const [[, last], ys] = linear(s, xs, k, cs)
    return [last, ys]
  }
  const graph = derive(([s, xs, k, cs]) => at(s, xs, k, cs), [aval(), aval(3), aval(), aval(3)])
  const [k, cs] = [f64(0.5), f64([1, -1, 2])]
  const back = transposeGraph(graph, [true, true, false, false], [true, true])
  expect(loops(back).map(n => n.params.reverse)).toEqual([false, true])
  const [s, xs, last, ys] = [f64(0.3), f64([1, 2, 3]), f64(0.7), f64([0.1, 0.2, 0.3])]
  const [ctS, ctXs] = replay(back, [k, cs, last, ys])
  const forward = at(s, xs, k, cs)
  close(add(mul(ctS!, s), sum(mul(ctXs!, xs))), add(mul(forward[0]!, last), sum(mul(forward[1]!, ys))))
  const [wantS, wantXs] = vjp((s: any, xs: any) => at(s, xs, k, cs), s, xs)[1]([last, ys] as any) as any
  close([ctS, ctXs], [wantS, wantXs])
})

describe("a number of turns that is known at run time only", () => {
  const f = (n: any, c: any, xs: any) => countedScan((c: any, x: any) => [add(mul(c, 2), x), c], c, xs, n, { length: 4 })
  const xs = f64([1, 2, 3, 4])
  test.each([0, 1, 3, 4])("%i of 4", n => {
    const [want, wantYs] = plain((c: any, x: any) => [add(mul(c, 2), x), c])(f64(1), xs, { length: n || 1 })
    for (const g of [f, jit(f)]) {
      const [last, ys] = g(i32(n), f64(1), xs)
      close(last, n ? want : 1)
      if (n) close(ys.slice([0, n]), wantYs)
    }
  })
  test("jit compiles it once", () => {
    const g = jit(f)
    g(i32(1), f64(1), xs)[0].item()
    const { programs } = stats
    close(g(i32(2), f64(1), xs)[0], 8)
    expect(stats.programs).toBe(programs)
  })
  const says = /number of turns is known only when it runs/
  test.each([
    ["jvp", () => jvp((c: any) => f(i32(2), c, xs)[0], [f64(1)], [f64(1)])],
    ["grad", () => grad((c: any) => f(i32(2), c, xs)[0])(f64(1))],
    ["vmap", () => vmap((c: any) => f(i32(2), c, xs)[0])(f64([1, 2]))],
  ])("%s says that it cannot", (_name, call) => expect(call).toThrow(says))
  test("the body may be differentiated", () => {
    const descent = (w: any, n: any) =>
      countedScan((w: any) => [sub(w, mul(0.1, grad((w: any) => mul(w, w))(w))), null], w, null, n, { length: 9 })[0]
    close(jit(descent)(f64(1), i32(5)), 0.8 ** 5)
  })
})

test("a loop written out has no loop in it, and as many slices as turns", () => {
  const [loop] = loops(recorded((c, xs) => scan((c: any, x: any) => [sin(add(c, x)), null], c, xs)[0], aval(), aval(5)))
  const g = unroll(loop!.params)
  expect(g.nodes.filter(n => n.prim.name === "sin")).toHaveLength(5)
  expect(loops(g)).toEqual([])
})
