// The public functions against values worked out by hand (and what NumPy gives).
import { describe, expect, it } from "vitest"
import * as a from "../js.ts"

const { tensor } = a
const m = tensor([
  [1, 2, 3],
  [4, 5, 6],
])
const v = tensor([1, -2, 3])
const i = tensor([0, 2, -1], { dtype: "i32" })
const t = tensor([true, true, false, false])
const u = tensor([true, false, true, false])

type Row = readonly [name: string, got: () => a.Tensor, wanted: unknown, dtype?: a.Dtype]
const tables: Readonly<Record<string, readonly Row[]>> = {
  arithmetic: [
    [
      "broadcast rows",
      () => a.add(m, v),
      [
        [2, 0, 6],
        [5, 3, 9],
      ],
    ],
    [
      "broadcast columns",
      () => a.mul(m, tensor([[10], [100]])),
      [
        [10, 20, 30],
        [400, 500, 600],
      ],
    ],
    ["a number on the left", () => a.sub(10, v), [9, 12, 7]],
    [
      "quotient",
      () => a.div(m, 2),
      [
        [0.5, 1, 1.5],
        [2, 2.5, 3],
      ],
    ],
    ["i32 stays i32", () => a.mul(i, 3), [0, 6, -3], "i32"],
    ["two numbers", () => a.add(1, 2), 3, "f32"],
    ["power, whole", () => a.pow(v, 3), [1, -8, 27]],
    ["power, negative", () => a.pow(tensor([2, 4]), -2), [0.25, 0.0625]],
    ["power, root", () => a.pow(tensor([4, 9]), 0.5), [2, 3]],
    ["power, tensor", () => a.pow(tensor([2, 3]), tensor([3, 2])), [8, 9]],
    ["clip", () => a.clip(v, -1, 2), [1, -1, 2]],
    ["maximum", () => a.maximum(v, 0), [1, 0, 3]],
    ["minimum", () => a.minimum(v, 0), [0, -2, 0]],
    ["sign", () => a.sign(tensor([-3, 0, 2])), [-1, 0, 1]],
    ["floor", () => a.floor(tensor([-1.5, 1.5])), [-2, 1]],
    ["square", () => a.square(v), [1, 4, 9]],
    ["where", () => a.where(a.greater(v, 0), v, 0), [1, 0, 3]],
    [
      "where aligns its condition",
      () => a.where(tensor([[true], [false]]), m, -1),
      [
        [1, 2, 3],
        [-1, -1, -1],
      ],
    ],
    ["cast truncates", () => a.cast(tensor([1.9, -1.9]), "i32"), [1, -1], "i32"],
    ["cast saturates", () => a.cast(tensor([1e20, Number.NaN]), "i32"), [2147483647, 0], "i32"],
  ],
  comparison: [
    ["less", () => a.less(v, 1), [0, 1, 0], "bool"],
    ["lessEqual", () => a.lessEqual(v, 1), [1, 1, 0], "bool"],
    ["greater", () => a.greater(v, 1), [0, 0, 1], "bool"],
    ["greaterEqual", () => a.greaterEqual(v, 1), [1, 0, 1], "bool"],
    ["equal", () => a.equal(v, 1), [1, 0, 0], "bool"],
    ["notEqual", () => a.notEqual(v, 1), [0, 1, 1], "bool"],
    ["NaN equals nothing", () => a.equal(tensor([Number.NaN]), Number.NaN), [0], "bool"],
    ["and", () => a.logicalAnd(t, u), [1, 0, 0, 0], "bool"],
    ["or", () => a.logicalOr(t, u), [1, 1, 1, 0], "bool"],
    ["xor", () => a.logicalXor(t, u), [0, 1, 1, 0], "bool"],
    ["not", () => a.logicalNot(t), [0, 0, 1, 1], "bool"],
  ],
  reduction: [
    ["sum", () => a.sum(m), 21],
    ["sum of rows", () => a.sum(m, { axis: 1 }), [6, 15]],
    ["sum, last axis kept", () => a.sum(m, { axis: -1, keepdims: true }), [[6], [15]]],
    ["mean", () => a.mean(m, { axis: 0 }), [2.5, 3.5, 4.5]],
    ["variance", () => a.variance(m, { axis: 1 }), [2 / 3, 2 / 3]],
    ["max", () => a.max(m, { axis: [0, 1] }), 6],
    ["min", () => a.min(m, { axis: 0 }), [1, 2, 3]],
    ["argmax", () => a.argmax(v), 2, "i32"],
    [
      "argmax of the first of equals",
      () =>
        a.argmax(
          tensor([
            [1, 3, 3],
            [5, 5, 0],
          ]),
          { axis: 1 },
        ),
      [1, 0],
      "i32",
    ],
    ["argmin", () => a.argmin(m, { axis: 0 }), [0, 0, 0], "i32"],
    ["logsumexp of large numbers", () => a.logsumexp(tensor([1000, 1000])), 1000 + Math.log(2)],
    ["logsumexp of nothing likely", () => a.logsumexp(tensor([-Infinity, -Infinity])), -Infinity],
  ],
  shape: [
    [
      "reshape",
      () => a.reshape(m, [3, -1]),
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    [
      "transpose",
      () => a.transpose(m),
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    ["ravel", () => a.ravel(m), [1, 2, 3, 4, 5, 6]],
    ["expandDims", () => a.expandDims(v, -1), [[1], [-2], [3]]],
    ["squeeze", () => a.squeeze(tensor([[[1], [2]]])), [1, 2]],
    ["squeeze one axis", () => a.squeeze(tensor([[[1], [2]]]), 0), [[1], [2]]],
    [
      "concat",
      () => a.concat([m, m], { axis: 1 }),
      [
        [1, 2, 3, 1, 2, 3],
        [4, 5, 6, 4, 5, 6],
      ],
    ],
    [
      "stack",
      () => a.stack([v, v], { axis: 1 }),
      [
        [1, 1],
        [-2, -2],
        [3, 3],
      ],
    ],
    ["pad", () => a.pad(v, [[1, 2]]), [0, 1, -2, 3, 0, 0]],
    [
      "slice",
      () => a.slice(m, ":", [1, null]),
      [
        [2, 3],
        [5, 6],
      ],
    ],
    ["slice from the end", () => a.slice(m, -1, [-2]), [5, 6]],
    ["at", () => a.at(m, -1), [4, 5, 6]],
    ["take", () => a.take(v, i), [1, 3, 3]],
    [
      "take columns",
      () => a.take(m, tensor([2, 0], { dtype: "i32" }), { axis: 1 }),
      [
        [3, 1],
        [6, 4],
      ],
    ],
    ["take outside", () => a.take(v, tensor([7], { dtype: "i32" })), [Number.NaN]],
    [
      "broadcastTo",
      () => a.broadcastTo(v, [2, 3]),
      [
        [1, -2, 3],
        [1, -2, 3],
      ],
    ],
    [
      "matmul",
      () => a.matmul(m, a.transpose(m)),
      [
        [14, 32],
        [32, 77],
      ],
    ],
    ["matrix times vector", () => a.matmul(m, v), [6, 12]],
    ["vector times vector", () => a.matmul(v, v), 14],
    [
      "batches share a matrix",
      () => a.matmul(a.stack([m, m]), tensor([[1], [0], [0]])),
      [
        [[1], [4]],
        [[1], [4]],
      ],
    ],
  ],
  creation: [
    ["zeros", () => a.zeros([2, 1]), [[0], [0]], "f32"],
    ["ones", () => a.ones([2], { dtype: "f64" }), [1, 1], "f64"],
    ["full", () => a.full([2], 7, { dtype: "i32" }), [7, 7], "i32"],
    ["arange", () => a.arange(3), [0, 1, 2], "i32"],
    [
      "eye",
      () => a.eye(2),
      [
        [1, 0],
        [0, 1],
      ],
      "f32",
    ],
    [
      "oneHot",
      () => a.oneHot(tensor([2, 0], { dtype: "i32" }), 3),
      [
        [0, 0, 1],
        [1, 0, 0],
      ],
      "f32",
    ],
    ["nothing", () => a.zeros([0, 3]), []],
  ],
  activations: [
    ["relu keeps NaN", () => a.relu(tensor([-1, 0, 2, Number.NaN])), [0, 0, 2, Number.NaN]],
    ["sigmoid far out", () => a.sigmoid(tensor([-1000, 0, 1000])), [0, 0.5, 1]],
    ["softplus far out", () => a.softplus(tensor([-1000, 1000])), [0, 1000]],
    ["softmax of large numbers", () => a.softmax(tensor([[1e4, 1e4]])), [[0.5, 0.5]]],
    [
      "softmax over columns",
      () =>
        a.softmax(
          tensor([
            [0, 0],
            [0, 0],
          ]),
          { axis: 0 },
        ),
      [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
    ],
  ],
}

describe.each(Object.entries(tables))("%s", (_name, rows) => {
  it.each(rows.map(([name, ...rest]) => ({ name, rest })))("$name", ({ rest: [got, wanted, dtype] }) => {
    const y = got()
    if (dtype) expect(y.dtype).toBe(dtype)
    const close = (x: unknown, w: unknown): void => {
      if (Object.is(x, w)) return
      if (!Array.isArray(w)) expect(x).toBeCloseTo(w as number, 4)
      else {
        expect(x).toHaveLength(w.length)
        w.forEach((e, k) => close((x as unknown[])[k], e))
      }
    }
    close(y.toArray(), wanted)
  })
})

it("sorts long axes, stable, compiled or not, one by one or in batches", () => {
  const x = a.cast(a.random.uniform(a.random.key(1), [3, 1500], { high: 500 }), "i32")
  const rows = x.toArray() as number[][]
  const wanted = rows.map(r => r.map((_, k) => k).sort((k, l) => r[k]! - r[l]! || k - l))
  expect(a.argsort(x).toArray()).toEqual(wanted)
  expect(
    a
      .jit((x: a.Tensor) => a.argsort(x))(x)
      .toArray(),
  ).toEqual(wanted)
  expect(
    a
      .vmap((r: a.Tensor) => a.argsort(r))(x)
      .toArray(),
  ).toEqual(wanted)
  expect(a.sort(x).toArray()).toEqual(rows.map(r => [...r].sort((k, l) => k - l)))
})

it("places may differ from example to example", () => {
  const places = tensor([[0, 2, 0], [1, 1, -1]], { dtype: "i32" }) // biome-ignore format: one line
  const each = (f: (x: a.Tensor, i: a.Tensor) => a.Tensor) => {
    const [x, y] = [a.at(m, 0), a.at(m, 1)]
    const wanted = [f(x, a.at(places, 0)).toArray(), f(y, a.at(places, 1)).toArray()]
    expect(a.vmap(f)(m, places).toArray()).toEqual(wanted)
    const same = [f(x, a.at(places, 0)).toArray(), f(x, a.at(places, 1)).toArray()]
    expect(
      a
        .vmap(f, { inAxes: [null, 0] })(x, places)
        .toArray(),
    ).toEqual(same)
  }
  each((x, i) => a.takeAlongAxis(x, i))
  each((x, i) => a.scatterAdd(x, i, tensor([10, 20, 30])))
  each((x, i) => a.scatterSet(x, i, tensor([10, 20, 30])))
  each((x, i) => a.segmentSum(x, i, 3))
  each((x, i) => a.searchsorted(x, a.cast(i, "f32")))
})

it("random numbers are functions of their key, with the distribution asked for", () => {
  const { bernoulli, fold, key, normal, split, uniform } = a.random
  const n = 20_000
  expect(uniform(key(1), [5]).toArray()).toEqual(uniform(key(1), [5]).toArray())
  expect(uniform(key(1), [5]).toArray()).not.toEqual(uniform(key(2), [5]).toArray())
  const [k, l] = split(key(3))
  expect(k!.toArray()).toEqual(fold(key(3), 0).toArray())
  expect(l!.toArray()).toEqual(fold(key(3), 1).toArray())
  for (const dtype of ["f32", "f64"] as const) {
    const x = uniform(key(4), [n], { dtype, low: -1, high: 3 })
    expect(x.min().item()).toBeGreaterThanOrEqual(-1)
    expect(x.max().item()).toBeLessThan(3)
    expect(Math.abs(x.mean().item() - 1)).toBeLessThan(0.03)
    const g = normal(key(5), [n], { dtype })
    expect(Math.abs(g.mean().item())).toBeLessThan(0.03)
    expect(Math.abs(a.variance(g).item() - 1)).toBeLessThan(0.04)
  }
  expect(
    Math.abs(
      a
        .cast(bernoulli(key(6), 0.3, [n]), "f32")
        .mean()
        .item() - 0.3,
    ),
  ).toBeLessThan(0.02)
})

it("the bits are Threefry's", () => {
  // known answers of Random123 for 20 rounds; a counter (0, 0) is that of the first element
  const word = (x: number): string => (x >>> 0).toString(16).padStart(8, "0")
  const [hi, lo] = a.random.fold(tensor([0, 0], { dtype: "i32" }), 0).toArray() as [number, number]
  expect([word(hi), word(lo)]).toEqual(["6b200159", "99ba4efe"])
  expect(word(a.random.bits(tensor([0, 0], { dtype: "i32" }), [1]).values()[0]!)).toBe(word(0x6b200159 ^ 0x99ba4efe))
})
