import { availableParallelism } from "node:os"
import { expect, test } from "vitest"
import { firstDifference, recorded } from "../../tests/engines.ts"
import { LONG } from "../../tests/long.ts"
import { dealing } from "../compile/emit/deal.ts"
import { control } from "../compile/emit/threads.ts"
import { lower } from "../compile/passes.ts"
import { Host, type Settled, storedOf } from "../core/concrete.ts"
import type { TypedArray } from "../core/dtype.ts"
import { add, grad, matmul, mean, random, relu, sum, type Tensor, tanh } from "../index.ts"
import { startWorker, threadsHere } from "../platform/node/host.ts"
import { Heap } from "./heap.ts"
import { dyingWorker } from "./testing/dying-worker.ts"
import { type StartWorker, Threads, WorkerLostError } from "./threads.ts"
import { WasmEngine } from "./wasm-engine.ts"

dealing.piece = 4096
const key = random.key(3)
const [x, w, v] = [
  random.normal(key, [96, 160]),
  random.normal(random.fold(key, 1), [160, 64]),
  random.normal(random.fold(key, 2), [64, 24]),
]
type Weights = { w: Tensor; v: Tensor }
const loss = ({ w, v }: Weights, x: Tensor): Tensor => mean(sum(tanh(matmul(relu(matmul(x, w)), v)), { axis: 1 }))
/** A step of training: products in all three layouts with epilogues, maps and reductions. */
const step = ({ w, v }: Weights, x: Tensor): Tensor[] => {
  const g = grad(loss)({ w, v }, x)
  return [add(w, g.w.mul(-0.1)), add(v, g.v.mul(-0.1))]
}

/** An engine with threads, and what its workers have done. */
function engine(count: number, start: StartWorker = startWorker) {
  const heap = new Heap({ shared: true })
  const threads = new Threads(heap, { count, start, warm: 0 })
  const words = new Int32Array(heap.memory.buffer)
  return { heap, threads, words, engine: new WasmEngine(heap, { relaxed: () => false, threads }) }
}
const { graph, inputs } = recorded(step, [{ w, v }, x])
const arrays = inputs.map(i => storedOf(i).slice())
/** Which argument each result may take over. */
const weights = graph.outputs.map(o => graph.inputs.findIndex(n => n.aval.shape.join() === o.aval.shape.join()))
/** The step compiled once; each run gets copies. */
function compiled(on: WasmEngine): () => TypedArray[] {
  const run = on.compile(lower(graph), [-1, -1])
  return () => run(fresh()).map(r => r.read().slice())
}
const fresh = (): Settled[] => arrays.map(a => new Host(a.slice()))
const wanted = compiled(new WasmEngine(new Heap(), { relaxed: () => false }))()
const ready = async (words: Int32Array, workers: number): Promise<void> => {
  while (Atomics.load(words, control.workers / 4) < workers) await new Promise(resolve => setTimeout(resolve, 2))
}

test.for([2, 3, 5])("%i threads: same bits as one, and workers take part", async count => {
  const { engine: threaded, words, threads } = engine(count)
  const run = compiled(threaded)
  expect(firstDifference(run(), wanted)).toBeNull() // nobody is there yet
  await ready(words, count - 1)
  let shared = 0
  for (let i = 0; i < 200; i++) {
    expect(firstDifference(run(), wanted)).toBeNull()
    shared += Atomics.load(words, control.done / 4)
  }
  expect(shared).toBeGreaterThan(0)
  await threads.end()
})

test("as many threads as the machine runs at a time, unless ADJOINT_THREADS says otherwise", () => {
  const { ADJOINT_THREADS: given } = process.env
  try {
    delete process.env.ADJOINT_THREADS
    expect(threadsHere()).toBe(availableParallelism())
    process.env.ADJOINT_THREADS = "3"
    expect(threadsHere()).toBe(3)
    process.env.ADJOINT_THREADS = "many"
    expect(threadsHere).toThrow('ADJOINT_THREADS: wanted a whole number from 1 on, got "many"')
  } finally {
    if (given !== undefined) process.env.ADJOINT_THREADS = given
  }
})

test("where no worker starts, everything runs in one thread", () => {
  const { engine: alone, words } = engine(4, () => undefined)
  const run = compiled(alone)
  for (let i = 0; i < 3; i++) expect(firstDifference(run(), wanted)).toBeNull()
  expect(Atomics.load(words, control.workers / 4)).toBe(0)
})

// A worker may be gone at any moment: asleep, between two pieces, in the midst of one. Pieces that nobody has claimed are done by the
// others; one that was claimed is lost, and that is said within a second, not waited for.
const kills = LONG ? 200 : 20
test(`${kills} killed workers: the same bits or an error within a second`, { timeout: 240_000 }, async () => {
  const handles: { terminate(): void }[] = []
  const {
    engine: threaded,
    words,
    threads,
  } = engine(3, (start, ended) => {
    const handle = startWorker(start, ended)!
    handles.push(handle)
    return handle
  })
  const run = compiled(threaded)
  let slowest = 0
  const attempt = (): void => {
    const from = performance.now()
    try {
      expect(firstDifference(run(), wanted)).toBeNull()
    } catch (e) {
      if (!(e instanceof WorkerLostError)) throw e
    }
    slowest = Math.max(slowest, performance.now() - from)
  }
  for (let killed = 0; killed < kills; killed++) {
    attempt()
    await ready(words, 2)
    for (let i = killed % 7; i >= 0; i--) attempt()
    handles.at(-1 - (killed % 2))!.terminate()
    for (let i = 0; i < 20; i++) attempt()
    await threads.end()
    expect(Atomics.load(words, control.workers / 4)).toBe(0)
  }
  expect(firstDifference(run(), wanted)).toBeNull()
  expect(slowest).toBeLessThan(1000)
  expect(handles.length).toBe(2 * kills + 2)
  await threads.end()
})

test("a worker that is lost while it has nothing to do gets a successor", async () => {
  const handles: { terminate(): void }[] = []
  const { words, threads, ...on } = engine(3, (...start) => handles[handles.push(startWorker(...start)!) - 1])
  const run = compiled(on.engine)
  run()
  await ready(words, 2)
  handles[0]!.terminate()
  while (Atomics.load(words, control.workers / 4) > 1) await new Promise(resolve => setTimeout(resolve, 2))
  expect(firstDifference(run(), wanted)).toBeNull()
  await ready(words, 2)
  expect(handles).toHaveLength(3)
  expect(firstDifference(run(), wanted)).toBeNull()
  await threads.end()
})

test("steps are measured one by one with threads too", async () => {
  const { words, threads, ...on } = engine(3)
  const lowered = lower(graph)
  const seen = new Set<unknown>()
  const run = on.engine.timed(lowered, (step, from, to) => {
    expect(to).toBeGreaterThanOrEqual(from)
    seen.add(step)
  })
  run(fresh())
  await ready(words, 2)
  const steps = seen.size
  const results = run(fresh()).map(r => r.read().slice())
  expect(firstDifference(results, wanted)).toBeNull()
  expect([steps, seen.size]).toEqual([steps, steps])
  expect(steps).toBeGreaterThan(2)
  await threads.end()
})

test("a worker that dies in the midst of a piece is missed, and what was to be overwritten cannot be read", async () => {
  let thief = true
  const {
    engine: threaded,
    words,
    threads,
  } = engine(2, (start, ended) => {
    return thief ? dyingWorker(start, ended) : startWorker(start, ended)
  })
  const run = threaded.compile(lower(graph), weights)
  const step = (state: Settled[]): Settled[] => run(fresh().map((s, i) => (weights.includes(i) ? state[weights.indexOf(i)]! : s)))
  let state = run(fresh()) // nobody is there yet
  await ready(words, 1)
  let from = 0
  const untilLost = (): void => {
    for (;;) {
      from = performance.now()
      state = step(state)
    }
  }
  expect(untilLost).toThrow(WorkerLostError)
  expect(performance.now() - from).toBeLessThan(1000)
  expect(() => state[0]!.read()).toThrow("these numbers are gone")
  expect(() => run(fresh())).toThrow("a worker thread was lost, and the others have not ended yet")
  thief = false
  await threads.settled()
  const again = (): TypedArray[] => run(fresh()).map(r => r.read())
  expect(firstDifference(again(), wanted)).toBeNull()
  await ready(words, 1)
  expect(firstDifference(again(), wanted)).toBeNull()
  await threads.end()
})
