// Gradients taken apart: paths, counts and sums, against an enumeration that knows no rule of differentiation.
import { describe, expect, test } from "vitest"
import type { Primitive } from "../src/core/primitive.ts"
import { bind1 } from "../src/core/tensor.ts"
import { leaves, paths as pathsOf } from "../src/core/tree.ts"
import { type Explanation, explain } from "../src/explain.ts"
import { add, grad, matmul, random, scan, sum, type Tensor, tanh, tensor } from "../src/index.ts"
import { op } from "../src/ir/expr.ts"
import { crossEntropy, squaredError } from "../src/losses/index.ts"
import { conv2d, dense, flatten, layerNorm, relu, sequential, transformerBlock } from "../src/nn/index.ts"
import { definePrimitive } from "../src/primitives/define.ts"
import { elementwise, mul, unary } from "../src/primitives/index.ts"
import { chainProgram } from "./chain-programs.ts"
import { enumeratePaths } from "./enumerate-paths.ts"

/** The leaf and the element that `of` names, found without `explain`. */
function find(inputs: readonly any[], of: string): { leaf: number; element: number } {
  const [, path, idx] = /^(.*)\[(.*)\]$/.exec(of)!
  const all = inputs.flatMap((x, i) => pathsOf(x).map((p, k) => ({ names: [p, p ? `${i}.${p}` : `${i}`], x: leaves(x)[k]! })))
  const leaf = all.findIndex(({ names }) => names.includes(path!))
  const element = idx!.split(",").reduce((flat, i, d) => flat * all[leaf]!.x.shape[d]! + Number(i), 0)
  return { leaf, element }
}

describe("200 random programs", () => {
  const totals = { paths: 0, most: 0 }
  test.each(Array.from({ length: 20 }, (_, block) => block))("block %i", block => {
    for (let seed = 10 * block; seed < 10 * block + 10; seed++) {
      const { f, inputs, of, open, kind } = chainProgram(seed)
      const { leaf, element } = find(inputs, of)
      const what = `program ${seed} (${kind}${open ? ", open" : ""})`
      const all = enumeratePaths(f, inputs, leaf, element, { open, most: 100_000 })
      totals.paths += all.length
      totals.most = Math.max(totals.most, all.length)
      const e = explain(f, inputs, { of, open, paths: Number.POSITIVE_INFINITY })
      expect(e.numberOfPaths, what).toBe(all.length)
      expect(e.rest, what).toMatchObject({ count: 0, contribution: 0 })
      const byKey = (a: { key: string; contribution: number }, b: { key: string; contribution: number }): number =>
        a.key < b.key ? -1 : a.key > b.key ? 1 : a.contribution - b.contribution
      const shown = e.paths.map(p => ({
        contribution: p.contribution,
        key: p.factors
          .toReversed()
          .filter(x => !x.copy)
          .map(x => ` ${x.result.name}<${x.operand}`)
          .join(""),
      }))
      const [mine, theirs] = [shown.sort(byKey), all.sort(byKey)]
      expect(
        mine.map(p => p.key),
        what,
      ).toEqual(theirs.map(p => p.key))
      const largest = theirs.reduce((most, p) => Math.max(most, Math.abs(p.contribution)), 0)
      mine.forEach((p, i) => {
        const scale = Math.max(1, largest)
        expect(Math.abs(p.contribution - theirs[i]!.contribution) / scale, `${what}: ${p.key}`).toBeLessThan(1e-6)
      })
      const slope = (leaves(grad((xs: any) => f(...xs))([...inputs])) as any)[leaf].values()[element]
      expect(Math.abs(e.sumOfPaths - slope), what).toBeLessThanOrEqual(1e-10 * Math.max(1, Math.abs(slope)))
      expect(e.verdict, what).toContain("agree")
      expect(e.agrees, `${what}: ${e.verdict}`).toBe(true)
    }
  })
  test("have many paths", () => {
    expect(totals.paths).toBeGreaterThan(3000)
    expect(totals.most).toBeGreaterThan(1000)
  })
})

describe("a wrong rule", () => {
  const xs = [tensor([0.3, -0.7], { dtype: "f64" })]
  const of = "0[1]"
  test("forwards: differences of its application and of the whole say no", () => {
    const wrongP = elementwise("badTanh", { at: ([x]) => op("tanh", x!), push: [(t, _xs, y) => mul(t, y)] })
    const e = explain((x: Tensor) => sum(tanh(unary(wrongP)(x))), xs, { of })
    expect(e.agrees).toBe(false)
    expect(e.verdict).toContain("The derivative of badTanh is not what differences measure")
    expect(e.sumOfPaths).toBeCloseTo(e.gradient, 12)
    expect(Math.abs(e.sumOfPaths - e.finiteDifference)).toBeGreaterThan(0.1)
  })
  test("whose transpose is another: the sum of the paths is not the gradient", () => {
    const wrongP: Primitive<null> = definePrimitive<null>({
      name: "badDouble",
      shape: ([x]) => x!,
      at: ([x], idx) => op("add", x!(idx), x!(idx)),
      push: [t => bind1(wrongP, [t], null)],
      pull: [ct => ct],
    })
    const e = explain((x: Tensor) => sum(tanh(bind1(wrongP, [x], null))), xs, { of })
    expect(e.agrees).toBe(false)
    expect(e.verdict).toContain("The sum of the paths and adjoint's grad disagree")
    expect(e.sumOfPaths).toBeCloseTo(2 * e.gradient, 12)
    expect(e.sumOfPaths).toBeCloseTo(e.finiteDifference, 8)
  })
})

describe("as many paths as an independent count", () => {
  /** Shown and grouped. */
  const counted = (e: Explanation): bigint => BigInt(e.paths.length) + BigInt(e.rest.count)
  const shownAndRest = (e: Explanation): number => e.paths.reduce((total, p) => total + p.contribution, e.rest.contribution)
  function holds(e: Explanation, wanted: bigint): void {
    expect(counted(e)).toBe(wanted)
    expect(BigInt(e.numberOfPaths)).toBe(wanted)
    expect(e.verdict).toContain("agree,")
    expect(e.agrees).toBe(true)
    expect(Math.abs(shownAndRest(e) - e.gradient)).toBeLessThan(1e-10 * Math.max(1, Math.abs(e.gradient)))
    const branches = e.rest.branches.largest.reduce((n, b) => n + BigInt(b.count), BigInt(e.rest.branches.others?.count ?? 0))
    expect(branches).toBe(BigInt(e.rest.count))
  }
  const make = (model: any, inShape: number[], seed = 1): any => model.init(random.key(seed), inShape)
  const numbers = (shape: number[], seed: number): Tensor => random.normal(random.key(seed), shape, { dtype: "f64" })

  test("784-128-10, three rows: through each row whose unit is alive, and each of 10 outputs", () => {
    const model = sequential(dense(784, 128, { dtype: "f64" }), relu(), dense(128, 10, { dtype: "f64" })) as any
    const { params, state } = make(model, [784])
    const x = numbers([3, 784], 2)
    const loss = (p: any, x: Tensor): Tensor => crossEntropy(model.apply(p, state, x)[0], tensor([3, 1, 4], { dtype: "i32" }))
    const s = add(matmul(x, params.layers[0].w), params.layers[0].b).toArray() as number[][]
    const unit = s[0]!.findIndex((_, j) => s.filter(row => row[j]! > 0).length === 2)
    const e = explain(loss, [params, x], { of: `layers.0.w[400,${unit}]`, paths: 7 })
    holds(e, 20n)
    expect(e.paths).toHaveLength(7)
  })

  test("a convolutional network", () => {
    const [h, c1, c2] = [8, 3, 4]
    const f64 = { dtype: "f64" } as const
    const model = sequential(
      conv2d(1, c1, 3, f64),
      relu(),
      conv2d(c1, c2, 3, f64),
      relu(),
      flatten(),
      dense(c2 * (h - 4) ** 2, 10, f64),
    ) as any
    const { params, state } = make(model, [h, h, 1])
    const x = numbers([1, h, h, 1], 3)
    const loss = (p: any, x: Tensor): Tensor => crossEntropy(model.apply(p, state, x)[0], tensor([3], { dtype: "i32" }))
    const until = (n: number): number[] => {
      const first = sequential(...(model.layers.slice(0, n) as [any])) as any
      return [...first.apply({ layers: params.layers.slice(0, n) }, { layers: state.layers.slice(0, n) }, x)[0].values()]
    }
    const [alive1, alive2] = [until(2), until(4)].map(y => y.map(v => v > 0)) as [boolean[], boolean[]]
    const [channel, m, n] = [alive1.slice(0, c1).includes(true) ? 0 : 1, h - 2, h - 4]
    // a place of the second layer reads 9 places of the first, of which those of the channel and alive depend on the weight
    let ways = 0
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        for (let o = 0; o < c2; o++) {
          if (!alive2[(i * n + j) * c2 + o]) continue
          for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) ways += Number(alive1[((i + a) * m + j + b) * c1 + channel])
        }
    expect(ways).toBeGreaterThan(50)
    holds(explain(loss, [params, x], { of: `layers.0.w[1,2,0,${channel}]` }), BigInt(10 * ways))
  })

  test("a transformer of four blocks, more paths than doubles can count", () => {
    const [t, d, heads, blocks] = [4, 8, 2, 4]
    const model = sequential(
      ...Array.from({ length: blocks }, () => transformerBlock(d, heads, { dtype: "f64" })),
      layerNorm(d, { dtype: "f64" }),
    ) as any
    const { params, state } = make(model, [t, d])
    const [x, y] = [numbers([1, t, d], 4), numbers([1, t, d], 5)]
    const loss = (p: any, x: Tensor): Tensor => squaredError(model.apply(p, state, x)[0], y)
    // paths to each element: norm and dense mix a row, sums have two ways
    const all = (c: bigint[]): bigint => c.reduce((a, b) => a + b, 0n)
    const rows = (c: bigint[], width: number, out: number): bigint[] =>
      Array.from({ length: t * out }, (_, i) => all(c.slice(Math.floor(i / out) * width, (Math.floor(i / out) + 1) * width)))
    // an element of a head reads the head's query in its own row, its keys in all rows, and one element of the values of each row
    const perHead = BigInt(d / heads)
    const attended = (c: bigint[]): bigint[] => {
      const each = Array.from({ length: t }, (_, row) => c[row * d]!)
      return c.map((_, i) => perHead * each[Math.floor(i / d)]! + (perHead + 1n) * all(each))
    }
    let c: bigint[] = Array.from({ length: t * d }, (_, i) => BigInt(i === 0 ? 1 : 0))
    for (let b = 0; b < blocks; b++) {
      const mixed = rows(attended(rows(rows(c, d, d), d, d)), d, d)
      c = c.map((n, i) => n + mixed[i]!)
      const inner = rows(rows(rows(c, d, d), d, 4 * d), 4 * d, d)
      c = c.map((n, i) => n + inner[i]!)
    }
    const wanted = all(rows(c, d, d))
    expect(wanted).toBeGreaterThan(2n ** 53n)
    const e = explain(loss, [params, x], { of: "1[0,0,0]", paths: 20 })
    holds(e, wanted)
    expect(e.numberOfPaths).toBe(wanted.toString())
  })

  test("sixty turns of a loop", () => {
    const f = (w: Tensor, x: Tensor): Tensor =>
      sum(scan((h: Tensor, x: Tensor) => [tanh(matmul(h, w).add(x)), null] as const, x.slice([0, 1]).reshape([1, 2]), x)[0])
    const x = numbers([60, 1, 2], 6)
    const w = tensor(
      [
        [0.5, -0.9],
        [0.8, 0.3],
      ],
      { dtype: "f64" },
    )
    // ways from the unit that the weight enters in turn t, in 2 by 2 steps, to the sum of both
    let wanted = 0n
    for (let t = 0; t < 60; t++) wanted += 2n ** BigInt(59 - t)
    const e = explain(f, [w, x], { of: "0[0,1]", paths: 5 })
    holds(e, wanted)
    expect(e.uses.largest.length + (e.uses.others?.shares ?? 0)).toBe(60)
  })
})
