import { afterAll, expect, test } from "vitest"
import { dealing } from "../compile/emit/deal.ts"
import { leaves } from "../core/tree.ts"
import { configure, random, type Tensor, zeros } from "../index.ts"
import { crossEntropy } from "../losses.ts"
import { dense, relu, sequential } from "../nn.ts"
import { adam } from "../optim.ts"
import { startWorker } from "../platform/node/host.ts"
import { Heap } from "../runtime/heap.ts"
import { JsEngine } from "../runtime/js-engine.ts"
import { Compiler, installCompiler } from "../runtime/program.ts"
import { dyingWorker } from "../runtime/testing/dying-worker.ts"
import { type StartWorker, Threads } from "../runtime/threads.ts"
import { WasmEngine } from "../runtime/wasm-engine.ts"
import { fit } from "../train.ts"

afterAll(() => configure({}))
dealing.piece = 4096

const key = random.key(1)
const data = {
  x: random.normal(key, [1500, 64]),
  y: random.categorical(random.fold(key, 1), zeros([1500, 10])),
}
const model = sequential(dense(64, 96), relu(), dense(96, 10))
const train = async (): Promise<Tensor[]> => {
  const options = { loss: crossEntropy, optimizer: adam(1e-3), epochs: 40, batchSize: 64, seed: 3, validation: 0.1 }
  return leaves((await fit(model, data, options).result).params)
}
const bits = (all: readonly Tensor[]): string => all.map(t => t.values().join()).join(";")

test("fit loses a thread and goes on from its copy: the bits of a training in one thread", { timeout: 60_000 }, async () => {
  const use = (heap: Heap, threads?: Threads): void =>
    installCompiler(new Compiler(new WasmEngine(heap, { relaxed: () => false, ...(threads && { threads }) }), new JsEngine()))
  use(new Heap())
  const wanted = bits(await train())
  const heap = new Heap({ shared: true })
  let started = 0
  // the first three die in the midst of a piece, one after the other
  const start: StartWorker = (...args) => (started++ < 3 ? dyingWorker : startWorker)(...args)
  const threads = new Threads(heap, { count: 2, start, warm: 0 })
  use(heap, threads)
  expect(bits(await train())).toBe(wanted)
  expect(started).toBe(4)
  await threads.end()
})
