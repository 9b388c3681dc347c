// A jitted product beside a direct call of the same library on the same memory, and beside the engine's own: which sizes gain by a call,
// and what adjoint adds to it.
//
// After `npm run build`: node bench/blas.mjs

import { emitLibrary, emitWasm, relaxedSupported } from "../dist/compile/emit/wasm.js"
import { lower } from "../dist/compile/passes.js"
import { record } from "../dist/graph/record.js"
import { matmul } from "../dist/index.js"
import { blasOn, findBlas } from "../dist/platform/node/blas.js"
import { allowRelaxedSimd } from "../dist/platform/node/relaxed.js"
import { Heap } from "../dist/runtime/heap.js"

const { found, reason } = findBlas()
if (!found) {
  console.error(`no BLAS: ${reason}`)
  process.exit(1)
}
allowRelaxedSimd()
const MS = 60
const REPEATS = 7
const median = xs => xs.toSorted((a, b) => a - b)[xs.length >> 1]

/** Nanoseconds of a call. */
function time(f) {
  let n = 1
  for (;;) {
    const from = performance.now()
    for (let i = 0; i < n; i++) f()
    const ms = performance.now() - from
    if (ms > MS) return (ms * 1e6) / n
    n = Math.ceil(n * Math.min(10, (1.2 * MS) / Math.max(ms, 0.01)))
  }
}

const shapes = [
  [8, 8, 8],
  [16, 16, 16],
  [32, 32, 32],
  [64, 64, 10],
  [64, 64, 64],
  [32, 128, 512],
  [64, 784, 128],
  [128, 128, 128],
  [256, 256, 256],
  [256, 1024, 1024],
]
console.log(`${found.name} (${found.path}); Node ${process.versions.node}\n`)
console.log(
  "| rows x sum x columns | products | own, GFLOP/s | BLAS by a kernel | BLAS directly | BLAS / own | kernel / direct |\n|---|---:|---:|---:|---:|---:|---:|",
)
for (const [m, k, n] of shapes) {
  // kernels as programs have them: three steps in one program, so that the fixed cost of a run is small beside them
  const heap = new Heap()
  const blas = { ...blasOn(heap.memory), least: 0 }
  const a = heap.allocate(4 * m * k)
  const b = heap.allocate(4 * k * n)
  const c = heap.allocate(4 * m * n)
  for (const [at, size] of [
    [a, m * k],
    [b, k * n],
  ])
    heap.view("f32", at, size).forEach((_, i, all) => (all[i] = Math.sin(i)))
  const graph = record(
    ([x, y]) => [matmul(x, y)],
    [
      { shape: [m, k], dtype: "f32" },
      { shape: [k, n], dtype: "f32" },
    ],
  ).graph
  const { kernel } = lower(graph).tasks[0]
  const scratch = heap.allocate(4 << 20)
  const env = { memory: heap.memory }
  const lib = {
    ...new WebAssembly.Instance(new WebAssembly.Module(emitLibrary({ relaxed: relaxedSupported() })), { env }).exports,
    blas_f32: blas.blas_f32,
    blas_f64: blas.blas_f64,
  }
  const kernelOf = asks => {
    const bytes = emitWasm(new Map([["k", kernel]]), undefined, { blas: () => asks })
    const f = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env, lib }).exports.k
    return () => f(c, a, b, scratch, 0)
  }
  const ways = [kernelOf(false), kernelOf(true), () => blas.blas_f32(0, 0, m, n, k, a, k, b, n, 0, c, n)]
  const all = Array.from({ length: REPEATS }, () => ways.map(time))
  const [own, called, direct] = ways.map((_, i) => median(all.map(times => times[i])))
  const gflops = ns => ((2 * m * k * n) / ns).toFixed(1)
  const ratio = (i, j) => median(all.map(times => times[j] / times[i])).toFixed(2)
  console.log(
    `| ${m}x${k}x${n} | ${m * k * n} | ${gflops(own)} | ${gflops(called)} | ${gflops(direct)} | ${ratio(1, 0)} | ${ratio(2, 1)} |`,
  )
}
