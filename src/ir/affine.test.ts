import { expect, test } from "vitest"
import {
  type Atom,
  type Axis,
  axisIndex,
  div,
  type Index,
  int,
  mod,
  newAxis,
  plus,
  range,
  ravel,
  sameIndex,
  stride,
  substitute,
  unravel,
} from "./affine.ts"

type Values = ReadonlyMap<Axis, number>
const evaluate = (i: Index, at: Values): number => i.terms.reduce((s, [a, c]) => s + c * value(a, at), i.constant)
function value(a: Atom, at: Values): number {
  if (a.k === "axis") return at.get(a.axis) ?? 0
  if (a.k === "value") throw new Error("no data here")
  const of = evaluate(a.of, at)
  return a.k === "div" ? Math.floor(of / a.by) : of % a.by
}
/** All values of all axes. */
function* points(axes: readonly Axis[]): Generator<Values> {
  const total = axes.reduce((n, a) => n * a.n, 1)
  for (let k = 0; k < total; k++) {
    let rest = k
    yield new Map(axes.map(a => [a, (rest % a.n) + 0 * (rest = Math.floor(rest / a.n))]))
  }
}

const shapes: readonly (readonly [to: readonly number[], from: readonly number[]])[] = [
  [[6, 4], [24]],
  [[24], [6, 4]],
  [
    [6, 4],
    [4, 6],
  ],
  [
    [2, 3, 4],
    [6, 4],
  ],
  [
    [5, 7],
    [7, 5],
  ],
  [
    [1, 6, 1],
    [2, 3],
  ],
]
test.each(shapes)("a reshape of %j to %j reads the right elements", (to, from) => {
  const axes = to.map(newAxis)
  const idx = axes.map(axisIndex)
  const inner = unravel(ravel(idx, to), from)
  for (const at of points(axes)) {
    const flat = axes.reduce((k, a, d) => k * to[d]! + at.get(a)!, 0)
    const want = from.map((_, d) => Math.floor(flat / from.slice(d + 1).reduce((n, m) => n * m, 1)) % from[d]!)
    expect(inner.map(i => evaluate(i, at))).toEqual(want)
  }
})

test("what reads memory in order leaves no quotient", () => {
  const idx = [6, 4].map(n => axisIndex(newAxis(n)))
  const there = unravel(ravel(idx, [6, 4]), [3, 2, 4])
  const back = ravel(there, [3, 2, 4])
  expect(sameIndex(back, ravel(idx, [6, 4]))).toBe(true)
  expect(back.terms.every(([a]) => a.k === "axis")).toBe(true)
})

test("quotients and remainders are taken apart where they can be", () => {
  const [i, j] = [newAxis(5), newAxis(4)]
  const whole = plus(plus(int(0), axisIndex(i), 4), axisIndex(j))
  expect(sameIndex(div(whole, 4), axisIndex(i))).toBe(true)
  expect(sameIndex(mod(whole, 4), axisIndex(j))).toBe(true)
  expect(div(whole, 3).terms[0]![0].k).toBe("div")
  expect(range(whole)).toEqual([0, 19])
  expect(stride(whole, i)).toBe(4)
  expect(stride(div(whole, 3), i)).toBeUndefined()
})

test("a loop of one turn is the number 0, and other loops can take a loop's place", () => {
  expect(axisIndex(newAxis(1))).toEqual(int(0))
  const [i, outer, inner] = [newAxis(12), newAxis(3), newAxis(4)]
  const quotient = div(axisIndex(i), 4)
  const split = substitute(quotient, () => plus(plus(int(0), axisIndex(outer), 4), axisIndex(inner)))
  expect(sameIndex(split, axisIndex(outer))).toBe(true)
})
