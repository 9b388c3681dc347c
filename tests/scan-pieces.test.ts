// Loops in pieces: truncated and checkpointed backpropagation through time.
import { describe, expect, test } from "vitest"
import { program } from "../src/explain/program.ts"
import {
  checkGrads,
  grad,
  jit,
  matmul,
  random,
  type ScanOptions,
  scan,
  stopGradient,
  sum,
  type Tensor,
  tanh,
  tensor,
  vmap,
  zeros,
} from "../src/index.ts"

type Params = { readonly w: Tensor; readonly u: Tensor; readonly h: Tensor }
const [T, n] = [11, 4]
const key = random.key(3)
const normal = (i: number, shape: number[], dtype: "f32" | "f64" = "f64"): Tensor => random.normal(random.fold(key, i), shape, { dtype })
const params: Params = { w: normal(1, [n, n]).mul(0.6), u: normal(2, [3, n]), h: normal(3, [n]) }
const xs = normal(4, [T, 3])
const turn = (p: Params) => (h: Tensor, x: Tensor) => {
  const next = tanh(matmul(h, p.w).add(matmul(x, p.u)))
  return [next, next] as const
}
const loss =
  (options: ScanOptions) =>
  (p: Params): Tensor => {
    const [last, ys] = scan(turn(p), p.h, xs, options)
    return sum(last).add(sum(ys.mul(ys)))
  }
/** The same in JavaScript: the carry is detached before each piece but the first. */
const plainLoss =
  (size: number, reverse: boolean) =>
  (p: Params): Tensor => {
    let h = p.h
    let total = tensor(0, { dtype: "f64" })
    for (let t = 0; t < T; t++) {
      if (t > 0 && t % size === 0) h = stopGradient(h)
      ;[h] = turn(p)(h, xs.at(reverse ? T - 1 - t : t))
      total = total.add(sum(h.mul(h)))
    }
    return total.add(sum(h))
  }
const numbers = (p: Params): number[] => [p.w, p.u, p.h].flatMap(x => [...x.values()])

describe.each([1, 2, 3, 5, 10, 11, 40])("pieces of %i of 11 turns", size => {
  test.each([false, true])("values are those of one loop, reverse: %s", reverse => {
    const wanted = scan(turn(params), params.h, xs, { reverse })
    for (const options of [{ truncate: size }, { checkpoint: size }, { truncate: size, checkpoint: true }]) {
      const [last, ys] = scan(turn(params), params.h, xs, { reverse, ...options })
      expect(last.toArray()).toEqual(wanted[0].toArray())
      expect(ys.toArray()).toEqual(wanted[1].toArray())
    }
  })
  test.each([false, true])("a truncated gradient is that of the detached carry, reverse: %s", reverse => {
    const wanted = numbers(grad(plainLoss(size, reverse))(params))
    for (const options of [{}, { checkpoint: true }, { checkpoint: size }])
      numbers(jit(grad(loss({ truncate: size, reverse, ...options })))(params)).forEach((x, i) => expect(x).toBeCloseTo(wanted[i]!, 12))
  })
  test.each([false, true])("a checkpointed gradient is the whole one, reverse: %s", reverse => {
    const wanted = numbers(grad(loss({ reverse }))(params))
    numbers(grad(loss({ checkpoint: size, reverse }))(params)).forEach((x, i) => expect(x).toBeCloseTo(wanted[i]!, 12))
  })
})

test("turn by turn the gradient has the same bits where it is no sum over turns", () => {
  const end = (options: ScanOptions) => (p: { h: Tensor; xs: Tensor }) => sum(scan(turn(params), p.h, p.xs, options)[0])
  const bits = (options: ScanOptions) => {
    const { h, xs: inputs } = grad(end(options))({ h: params.h, xs })
    return [h.toArray(), inputs.toArray()]
  }
  expect(bits({ checkpoint: true })).toEqual(bits({}))
})

test("derivatives of second order, batches, loops without xs", () => {
  expect(() => checkGrads(loss({ checkpoint: 3 }), [params])).not.toThrow()
  const batch = (options: ScanOptions) => (h: Tensor) => loss(options)({ ...params, h })
  const hs = normal(5, [6, n])
  const all = vmap(grad(batch({ checkpoint: 4 })))(hs).toArray()
  expect(all).toEqual(vmap(grad(batch({ checkpoint: 4 })))(hs).toArray())
  ;(all as number[][]).forEach((row, i) => {
    const one = grad(batch({}))(hs.at(i)).toArray() as number[]
    row.forEach((x, j) => expect(x).toBeCloseTo(one[j]!, 12))
  })
  const powers = (x: Tensor): Tensor => scan((c: Tensor) => [c.mul(x), null], x, null, { length: 4, checkpoint: 3 })[0]
  expect(grad(powers)(tensor(2)).item()).toBe(5 * 2 ** 4)
  expect(scan((c: Tensor) => [c, c], tensor(1), null, { length: 0, truncate: 2 })[1].shape).toEqual([0])
})

test("pieces of about the square root of the turns take far less memory", () => {
  const turn = (w: Tensor) => (h: Tensor, x: Tensor) => {
    const next = tanh(matmul(tanh(matmul(tanh(matmul(h, w)), w)), w).add(x))
    return [next, null] as const
  }
  const energy = (options: ScanOptions) => (w: Tensor, xs: Tensor) => sum(scan(turn(w), zeros([8, 16]), xs, options)[0])
  const bytes = (options: ScanOptions): number => program(grad(energy(options)), [zeros([16, 16]), zeros([256, 8, 16])]).memory.temporaries
  const whole = bytes({})
  expect(whole / bytes({ checkpoint: 16 })).toBeGreaterThan(5)
  expect(whole / bytes({ checkpoint: true })).toBeGreaterThan(2)
  expect(whole / bytes({ truncate: 16, checkpoint: 16 })).toBeGreaterThan(5)
})

const wrong: readonly [string, object, string][] = [
  ["no turns in a piece", { truncate: 0 }, "scan: `truncate` is a whole number of turns from 1; got 0"],
  ["half a turn", { checkpoint: 2.5 }, "scan: `checkpoint` is a whole number of turns from 1, true or false; got 2.5"],
  ["two sizes", { truncate: 2, checkpoint: 3 }, "must name pieces of one size; got 2 and 3"],
]
test.each(wrong)("%s", (_name, options, message) => {
  expect(() => scan(turn(params), params.h, xs, options)).toThrow(message)
})
