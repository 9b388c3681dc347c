// Threads in a page that may share memory between them: same bits as without, and workers do take part.
import { expect, test } from "vitest"
import { hasChromium, resultsOf, unlessAbsent } from "./chromium.ts"

const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }

/** Twenty steps of a network, then its weights; between the runs the page's event loop turns, so that workers get to start. */
const PROGRAM = `
import { configure, grad, jit, matmul, mean, random, relu, square } from "/src/index.ts"
import { compiler } from "/src/runtime/program.ts"
import { control } from "/src/compile/emit/threads.ts"
configure({ deterministic: true })
const key = random.key(5)
const x = random.normal(key, [256, 200])
const loss = ({ w, v }) => mean(square(matmul(relu(matmul(x, w)), v)))
const step = jit(p => { const g = grad(loss)(p); return { w: p.w.sub(g.w.mul(0.01)), v: p.v.sub(g.v.mul(0.01)) } }, { donate: [0] })
function train() {
  let p = { w: random.normal(random.fold(key, 1), [200, 128]).mul(0.1), v: random.normal(random.fold(key, 2), [128, 32]).mul(0.1) }
  for (let i = 0; i < 20; i++) p = step(p)
  return [...p.w.values(), ...p.v.values()].join()
}
globalThis.result = (async () => {
  const threads = compiler().main.threads
  const first = train()
  if (threads.count === 1) return { isolated: crossOriginIsolated, first, same: true, workers: 0, shared: 0 }
  const words = new Int32Array(threads.heap.memory.buffer)
  const end = performance.now() + 20000
  let [same, shared] = [true, 0]
  while (performance.now() < end && shared === 0) {
    await new Promise(resolve => setTimeout(resolve, 20))
    same &&= train() === first
    shared += words[control.done / 4]
  }
  return { isolated: crossOriginIsolated, first, same, workers: words[control.workers / 4], shared }
})()
`

test.skipIf(!hasChromium)(
  `an isolated page computes in threads, with the bits of one that is not ${unlessAbsent}`,
  { timeout: 120_000 },
  async () => {
    const [isolated, alone] = (await resultsOf(PROGRAM, [ISOLATED, {}])) as Record<string, unknown>[]
    expect(isolated).toMatchObject({ isolated: true, same: true })
    expect(isolated!.workers).toBeGreaterThan(0)
    expect(isolated!.shared).toBeGreaterThan(0)
    expect(alone).toMatchObject({ isolated: false, workers: 0 })
    expect(isolated!.first === alone!.first).toBe(true)
  },
)
