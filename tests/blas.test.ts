// Products by a BLAS of the machine: near the engine's own in all layouts, in pieces that do not depend on the number of threads.
import { describe, expect, test } from "vitest"
import { lower } from "../src/compile/passes.ts"
import { type Concrete, Host, storedOf } from "../src/core/concrete.ts"
import { cast, grad, matmul, mean, random, relu, square, type Tensor } from "../src/index.ts"
import { blasOn, findBlas } from "../src/platform/node/blas.ts"
import { startWorker } from "../src/platform/node/host.ts"
import { Heap } from "../src/runtime/heap.ts"
import { JsEngine } from "../src/runtime/js-engine.ts"
import { Threads } from "../src/runtime/threads.ts"
import { WasmEngine } from "../src/runtime/wasm-engine.ts"
import { firstDifference, firstFar, recorded, runOn } from "./engines.ts"

// other tests compute without
if (process.env.ADJOINT_BLAS === "off") delete process.env.ADJOINT_BLAS
const { found, reason } = findBlas()
const key = random.key(1)
const made = (i: number, ...shape: readonly number[]): Tensor => random.normal(random.fold(key, i), shape)

/** An engine that asks the BLAS, and how often it did. */
function engine(threads?: { readonly count: number }) {
  const heap = new Heap({ shared: (threads?.count ?? 1) > 1 })
  const calls = { f32: 0, f64: 0 }
  const blas = () => {
    const { blas_f32, blas_f64, ...rest } = blasOn(heap.memory)!
    return {
      ...rest,
      blas_f32: (...args: Parameters<typeof blas_f32>) => {
        calls.f32++
        blas_f32(...args)
      },
      blas_f64: (...args: Parameters<typeof blas_f64>) => {
        calls.f64++
        blas_f64(...args)
      },
    }
  }
  const own = new Threads(heap, { count: threads?.count ?? 1, start: startWorker, warm: 0 })
  return { calls, threads: own, engine: new WasmEngine(heap, { relaxed: () => false, blas, threads: own }) }
}

describe.skipIf(!found)(`a BLAS (skipped: ${reason})`, () => {
  const products: [string, (a: Tensor, b: Tensor) => Tensor, Tensor, Tensor][] = [
    ["a b", matmul, made(1, 64, 96), made(2, 96, 80)],
    ["a' b", (a, b) => matmul(a.transpose(), b), made(3, 96, 64), made(4, 96, 80)],
    ["a b'", (a, b) => matmul(a, b.transpose()), made(5, 64, 96), made(6, 80, 96)],
    ["a' b'", (a, b) => matmul(a.transpose(), b.transpose()), made(7, 96, 64), made(8, 80, 96)],
    ["of a slice", (a, b) => matmul(a.slice([0, 70], [3, 93]), b), made(9, 80, 100), made(10, 90, 77)],
    ["many", matmul, made(11, 5, 48, 40), made(12, 5, 40, 33)],
    ["with bias and relu", (a, b) => relu(matmul(a, b).add(b.at(0))), made(13, 128, 64), made(14, 64, 96)],
  ]
  test.each(products.flatMap(([name, f, a, b]) => (["f32", "f64"] as const).map(t => [`${name}, ${t}`, f, a, b, t] as const)))(
    "%s",
    (_name, f, a, b, t) => {
      const { graph, inputs } = recorded(f, [cast(a, t), cast(b, t)])
      const { engine: asking, calls } = engine()
      const got = runOn(asking, graph, inputs)
      expect(firstFar(got, runOn(new JsEngine(), graph, inputs), t === "f32" ? 1e-5 : 1e-13)).toBeNull()
      expect(calls[t]).toBeGreaterThan(0)
    },
  )

  test("small products, and those of strange strides, stay with the engine", () => {
    const { engine: asking, calls } = engine()
    /** Every other column of x: neither rows nor columns are contiguous. */
    const halved = (x: Tensor, y: Tensor): Tensor => matmul(x.reshape(64, 96, 2).slice(":", ":", 0), y)
    for (const [f, x, y] of [
      [matmul, made(1, 8, 8), made(2, 8, 8)],
      [halved, made(3, 64, 192), made(4, 96, 80)],
    ] as const) {
      const { graph, inputs } = recorded(f, [x, y])
      runOn(asking, graph, inputs)
    }
    expect(calls).toEqual({ f32: 0, f64: 0 })
  })

  test("one, two and four threads give the same bits", async () => {
    const loss = (w: Tensor, x: Tensor) => mean(square(relu(matmul(x, w))))
    const { graph, inputs } = recorded(grad(loss), [made(1, 300, 160), made(2, 1000, 300)])
    const run = (on: WasmEngine) => {
      const compiled = on.compile(lower(graph), [-1])
      return () => compiled((inputs as readonly Concrete[]).map(x => new Host(storedOf(x).slice()))).map(r => r.read().slice())
    }
    const one = engine()
    const wanted = run(one.engine)()
    expect(one.calls.f32).toBeGreaterThan(2)
    for (const count of [2, 4]) {
      const many = engine({ count })
      const again = run(many.engine)
      for (let i = 0; i < 30; i++) {
        expect(firstDifference(again(), wanted)).toBeNull()
        await new Promise(resolve => setTimeout(resolve, 3))
      }
      await many.threads.end()
    }
  })
})
