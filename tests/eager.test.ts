// Code outside of jit in a long synchronous loop: memory stays flat, programs are compiled once, nothing has to be read.
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, test } from "vitest"
import * as a from "../src/index.ts"
import type { Engine } from "../src/runtime/engine.ts"
import { Compiler, compiler, installCompiler, stats } from "../src/runtime/program.ts"
import { LONG } from "./long.ts"

const { add, matmul, mul, random, sub, sum, tanh, tensor, valueAndGrad } = a
type Tensor = a.Tensor

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void
/** Megabytes that are really needed. */
function memory(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 2 ** 20
}

const x = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])
const y = tensor([[0], [1], [1], [0]])
type Params = readonly [Tensor, Tensor]
const start = (): Params => [random.normal(random.key(1), [2, 4]), random.normal(random.key(2), [4, 1])]
const loss = ([w1, w2]: Params): Tensor => sum(sub(matmul(tanh(matmul(x, w1)), w2), y).square())
const both = valueAndGrad(loss)
/** The rate is another number at every step. */
function step(p: Params, i: number): [Tensor, Params] {
  const [value, g] = both(p)
  return [value, [sub(p[0], mul(g[0], 0.1 + i * 1e-9)), sub(p[1], mul(g[1], 0.1))]]
}

describe("training without jit", () => {
  const cases: readonly [string, steps: number, read: boolean][] = [
    [`${LONG ? "100,000" : "25,000"} steps, nothing is read`, LONG ? 100_000 : 25_000, false],
    ["20,000 steps, the loss is read at every one", 20_000, true],
  ]
  test.each(cases)("%s", { timeout: 120_000 }, (_name, steps, read) => {
    const programs = stats.programs
    const cpu = [process.cpuUsage().user]
    let p = start()
    let value = loss(p)
    const first = value.item()
    let half = 0
    for (let i = 0; i < steps; i++) {
      ;[value, p] = step(p, i)
      if (read && !(value.item() < 100)) throw new Error(`the loss is ${value.item()} at step ${i}`)
      if (i === steps / 2) {
        half = memory()
        cpu.push(process.cpuUsage().user)
      }
    }
    cpu.push(process.cpuUsage().user)
    expect(memory() - half).toBeLessThan(1)
    expect(stats.programs - programs).toBeLessThan(10)
    expect(value.item()).toBeLessThan(first / 1000)
    // a step takes as long at the end as at the beginning, whatever the machine
    const [before, between, after] = cpu as [number, number, number]
    expect(after - between).toBeLessThan(1.5 * (between - before))
    expect((after - before) / 1e6).toBeLessThan(25)
  })
})

describe("what is compiled", () => {
  const compiled = (f: () => unknown): number => {
    const { programs } = stats
    f()
    return stats.programs - programs
  }
  const v = tensor([1, 2, 3])
  test("other numbers are not another program", () => {
    const f = (c: number): Tensor => add(mul(v, c), c * 2)
    f(1).values()
    expect(compiled(() => [2, 3.5, -0, Number.NaN, Infinity].map(c => f(c).values()))).toBe(0)
    expect(f(3).toArray()).toEqual([9, 12, 15])
    expect(f(-1).toArray()).toEqual([-3, -4, -5])
  })
  test("other tensors of the same shape and dtype are not another program, other shapes are", () => {
    const f = (x: Tensor): unknown => add(mul(x, x), 1).values()
    f(v)
    expect(compiled(() => f(tensor([4, 5, 6])))).toBe(0)
    expect(compiled(() => f(tensor([4, 5])))).toBe(1)
    expect(compiled(() => f(tensor([4, 5, 6], { dtype: "f64" })))).toBe(1)
  })
  test("operands in other places are another program", () => {
    const w = tensor([10, 20, 30])
    const values = [sub(v, w), sub(w, v), sub(v, v)].map(t => [...t.values()])
    expect(values).toEqual([
      [-9, -18, -27],
      [9, 18, 27],
      [0, 0, 0],
    ])
  })
  test("parameters are told apart: axes, starts, infinities, -0", () => {
    const m = tensor([
      [1, 2],
      [3, 4],
    ])
    expect([sum(m, { axis: 0 }), sum(m, { axis: 1 })].map(t => t.toArray())).toEqual([
      [4, 6],
      [3, 7],
    ])
    expect([v.at(0), v.at(1), v.at(2)].map(t => t.item())).toEqual([1, 2, 3])
    expect([0, -0, Infinity, -Infinity].map(c => a.div(1, a.full([], c)).item())).toEqual([Infinity, -Infinity, 0, -0])
  })
})

describe("pending work", () => {
  test("a thousand operations in a row, read once", () => {
    let t = tensor([0, 1])
    for (let i = 0; i < 1000; i++) t = add(t, 1)
    expect(t.toArray()).toEqual([1000, 1001])
  })
  test("read in another order than made", () => {
    const v = tensor([1, 2])
    const [p, q] = [add(v, 1), mul(v, 10)]
    const r = add(p, q)
    expect([r, q, p].map(t => t.toArray())).toEqual([
      [12, 23],
      [10, 20],
      [2, 3],
    ])
  })
  test("large results do not wait for one another", () => {
    const big = a.ones([1 << 20])
    let total = tensor(0)
    for (let i = 0; i < 40; i++) total = add(total, sum(mul(big, i)).mul(1 / (1 << 20)))
    expect(total.item()).toBe((40 * 39) / 2)
  })
  test("when a program fails, reading says so each time and later work goes on", () => {
    const before = compiler()
    const failing: Engine = {
      name: "failing",
      compile: () => {
        throw new RangeError("out of memory")
      },
    }
    const lost = add(tensor([1, 2]), 1)
    installCompiler(new Compiler(failing, failing))
    expect(() => lost.values()).toThrow("out of memory")
    installCompiler(before)
    expect(() => lost.values()).toThrow("f32[2] does not exist, because the program that makes it has failed")
    expect(() => add(lost, 1).values()).toThrow("has failed before")
    expect(add(tensor([1, 2]), 1).toArray()).toEqual([2, 3])
  })
  test("an operation that throws leaves the others usable", () => {
    const kept = add(tensor([1, 2]), 1)
    expect(() => add(kept, tensor([1, 2, 3]))).toThrow(a.ShapeError)
    expect(kept.toArray()).toEqual([2, 3])
  })
})
