// Fusion, splitting and merging of loops, lanes, memory: on random programs all engines and all ways of running agree.
import { describe, expect, test } from "vitest"
import { inline } from "../src/compile/inline.ts"
import type { Tensor } from "../src/core/tensor.ts"
import type { Graph } from "../src/graph/graph.ts"
import { print } from "../src/graph/print.ts"
import { grad, jvp, vmap } from "../src/index.ts"
import { blasOn, findBlas } from "../src/platform/node/blas.ts"
import { startWorker } from "../src/platform/node/host.ts"
import * as p from "../src/primitives/index.ts"
import { Heap } from "../src/runtime/heap.ts"
import { Threads } from "../src/runtime/threads.ts"
import { WasmEngine } from "../src/runtime/wasm-engine.ts"
import { exact, firstDifference, firstFar, made, randomNumbers, recorded, relaxed, runOn, runUnfused } from "./engines.ts"
import { LONG } from "./long.ts"
import { type RandomProgram, randomProgram } from "./random-programs.ts"

const COUNT = Number(process.env.PROGRAMS ?? (LONG ? 500 : 24))
const FIRST = Number(process.env.SEED ?? 1)
/** Programs in one test, so that a failure does not hide the others. */
const GROUP = 50

/** Where the machine has a BLAS: all products by it that it can do, however small, in two threads. Elsewhere none. */
function byBlas(): WasmEngine[] {
  if (process.env.ADJOINT_BLAS === "off") delete process.env.ADJOINT_BLAS
  if (!findBlas().found) return []
  const heap = new Heap({ shared: true })
  const threads = new Threads(heap, { count: 2, start: startWorker, warm: 0 })
  return [new WasmEngine(heap, { relaxed: () => false, threads, blas: () => ({ ...blasOn(heap.memory)!, least: 1 }), blasFrom: 1 })]
}
const rounded = [...relaxed, ...byBlas()]

const [reference, ...others] = exact as [(typeof exact)[0], ...typeof exact]

/** All engines give the bits of the first one; one program for each node gives the same but for rounding. */
function agree(graph: Graph, inputs: readonly Tensor[], precise: boolean): void {
  const wanted = runOn(reference, graph, inputs)
  for (const engine of others) same(engine.name, firstDifference(runOn(engine, graph, inputs), wanted))
  const tolerance = precise ? 1e-9 : 1e-3
  same("one program for each node", firstFar(runUnfused(reference, inline(graph), inputs), wanted, tolerance))
  for (const engine of rounded) same(engine.name, firstFar(runOn(engine, graph, inputs), wanted, tolerance))
}
function same(what: string, difference: string | null): void {
  if (difference) throw new Error(`${what} differs from ${reference.name}: ${difference}`)
}

const isFloat = (x: Tensor): boolean => x.dtype === "f64" || x.dtype === "f32"
/** The sum of all elements of all floating-point results, each weighted differently. */
function scalar(f: RandomProgram["f"]): (...xs: Tensor[]) => Tensor {
  return (...xs) =>
    f(...xs)
      .filter(isFloat)
      .map((y, k) => p.sum(p.mul(p.sin(y), p.fullLike(y.aval, 1 + k)), p.allAxes(y)))
      .reduce((a, b) => p.add(a, b), p.full([], 0, "f64"))
}
const close = (what: string, a: number, b: number, scale: number): void => {
  if (!Object.is(a, b) && !(Math.abs(a - b) <= scale)) throw new Error(`${what}: ${a} and ${b}`)
}

/** Gradients agree with directional derivatives, those with differences, batches with loops. */
function differentiate({ f, args, smooth }: RandomProgram, seed: number): void {
  const next = randomNumbers(seed)
  const loss = scalar(f)
  const ts = args.map(x => made(x.aval, () => (isFloat(x) ? 2 * next() - 1 : 0)))
  const [, dy] = jvp(loss, args, ts)
  let sum = 0
  let scale = 1
  const gradient = (...xs: Tensor[]): Tensor[] =>
    args.flatMap((x, argnums) => (isFloat(x) ? [grad(loss, { argnums })(...xs) as Tensor] : []))
  const gs = gradient(...args)
  ts.filter(isFloat).forEach((t, k) => {
    const [a, b] = [t.values(), gs[k]!.values()]
    for (let i = 0; i < a.length; i++) {
      sum += a[i]! * b[i]!
      scale += Math.abs(a[i]! * b[i]!)
    }
  })
  close("gradient and directional derivative", sum, dy.item(), 1e-9 * scale)
  const backward = recorded(gradient, args)
  agree(backward.graph, backward.inputs, true)
  if (!smooth) return
  const at = (h: number): number =>
    loss(
      ...args.map((x, k) =>
        isFloat(x)
          ? made(
              x.aval,
              each(i => x.values()[i]! + h * ts[k]!.values()[i]!),
            )
          : x,
      ),
    ).item()
  const h = 1e-3
  const difference = (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h)
  close("directional derivative and differences", dy.item(), difference, 1e-5 * scale + 1e-9 * Math.abs(at(0)))
  batched(f, args)
}
const each = (f: (i: number) => number): (() => number) => {
  let i = 0
  return () => f(i++)
}
function batched(f: RandomProgram["f"], args: readonly Tensor[]): void {
  const examples = [args, args.map(x => (isFloat(x) ? p.sin(x) : x))]
  const stacked = args.map((_, k) =>
    p.concat(
      examples.map(e => p.reshape(e[k]!, [1, ...e[k]!.shape])),
      0,
    ),
  )
  const got = vmap(f)(...stacked)
  const loop = examples.map(e => f(...e))
  got.forEach((y, k) => {
    const wanted = p.concat(
      loop.map(ys => p.reshape(ys[k]!, [1, ...ys[k]!.shape])),
      0,
    )
    same("vmap", firstFar([y.values()], [wanted.values()], 1e-9))
  })
}

function check(seed: number): { differentiated: boolean } {
  const program = randomProgram(seed)
  const { graph, inputs } = recorded(program.f, program.args)
  try {
    agree(graph, inputs, program.precise)
    const differentiated = program.precise && graph.outputs.some(o => o.aval.dtype === "f64")
    if (differentiated) differentiate(program, seed)
    return { differentiated }
  } catch (e) {
    throw new Error(`seed ${seed}: ${(e as Error).message}\n${print(graph)}`, { cause: e })
  }
}

describe("random programs", () => {
  const groups = Array.from({ length: Math.ceil(COUNT / GROUP) }, (_, g) => FIRST + g * GROUP)
  test.each(groups)("from seed %i", first => {
    let differentiated = 0
    const end = Math.min(first + GROUP, FIRST + COUNT)
    for (let seed = first; seed < end; seed++) if (check(seed).differentiated) differentiated++
    expect(differentiated).toBeGreaterThan((end - first) / 5 - 1)
  })
  const once: readonly [seed: number, why: string][] = [
    [50494, "a reshape of nothing inside a pad divides by 0"],
    [71904, "argmin along an axis that is read through a quotient"],
  ]
  test.each(once)("seed %i: %s", seed => void check(seed))
})
