// The library's matrix products at the shapes of training, in GFLOP/s: the best time of many, in one process. After `npm run build`,
// on a quiet machine:
//   node --experimental-wasm-relaxed-simd bench/gemm.mjs [path of another generator's module]
// The other module exports Mod and genGemm, which writes a product of fixed sizes; it is measured in turns with the library.
import { createRequire } from "node:module"
import { resolve } from "node:path"
import { emitLibrary, relaxedSupported } from "../dist/compile/emit/wasm.js"

/** Rows, columns and sum of C; whether A and B lie transposed. */
const shapes = {
  "784-128-64-10, batch 64": [
    ["forward 1", 64, 128, 784, "NN"],
    ["forward 2", 64, 64, 128, "NN"],
    ["forward 3", 64, 10, 64, "NN"],
    ["weights 1", 784, 128, 64, "TN"],
    ["weights 2", 128, 64, 64, "TN"],
    ["weights 3", 64, 10, 64, "TN"],
    ["inputs 2", 64, 128, 64, "NT"],
    ["inputs 3", 64, 64, 10, "NT"],
  ],
  "784-1024-1024-10, batch 256": [
    ["forward 1", 256, 1024, 784, "NN"],
    ["forward 2", 256, 1024, 1024, "NN"],
    ["forward 3", 256, 10, 1024, "NN"],
    ["weights 1", 784, 1024, 256, "TN"],
    ["weights 2", 1024, 1024, 256, "TN"],
    ["inputs 2", 256, 1024, 1024, "NT"],
    ["inputs 3", 256, 1024, 10, "NT"],
  ],
  "LSTM of 128, batch 32": [
    ["all x", 1024, 512, 64, "NN"],
    ["h", 32, 512, 128, "NN"],
    ["h backward", 32, 128, 512, "NT"],
    ["weights", 128, 512, 32, "TN"],
  ],
  "attention, one head": [
    ["scores", 64, 64, 32, "NT"],
    ["values", 64, 32, 64, "NN"],
  ],
}
const [A, B, C, scratch] = [1, 24, 48, 64].map(mib => mib << 20)
const memory = new WebAssembly.Memory({ initial: 1024 + 256, maximum: 65536 })
const library = relaxed => new WebAssembly.Instance(new WebAssembly.Module(emitLibrary({ relaxed })), { env: { memory } }).exports

/** Best milliseconds of one call of each function, called in turns. */
function best(functions) {
  const turns = functions.map(f => {
    const start = performance.now()
    let n = 0
    for (; performance.now() - start < 60; n++) f()
    return { f, calls: Math.max(1, Math.round(n / 40)), ms: Infinity }
  })
  for (const end = performance.now() + 400; performance.now() < end; ) {
    for (const t of turns) {
      const start = performance.now()
      for (let i = 0; i < t.calls; i++) t.f()
      t.ms = Math.min(t.ms, (performance.now() - start) / t.calls)
    }
  }
  return turns.map(t => t.ms)
}

function product(f, size, m, n, k, form) {
  const [aRow, aColumn] = form[0] === "T" ? [size, m * size] : [k * size, size]
  const [bRow, bColumn] = form[1] === "T" ? [size, k * size] : [n * size, size]
  return () => f(m, n, k, A, aRow, aColumn, B, bRow, bColumn, C, n * size, size, scratch, 0)
}

const other = process.argv[2] && createRequire(import.meta.url)(resolve(process.argv[2]))
function generated(m, n, k, form, relaxed) {
  const module = new other.Mod({ min: 1024, max: 65536 })
  const [ta, tb] = [...form].map(letter => Number(letter === "T"))
  other.genGemm(module, "product", { M: m, N: n, K: k, ta, tb, MR: 4, KC: 384, unroll: 1, relaxed })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { e: { m: memory } })
  return () => instance.exports.product(A, B, C, scratch, scratch)
}

for (const relaxed of relaxedSupported() ? [true, false] : [false]) {
  const { gemm_f32, gemm_f64 } = library(relaxed)
  for (const [model, list] of Object.entries(shapes)) {
    console.log(`\n${model}, ${relaxed ? "relaxed" : "plain"}, Node ${process.versions.node}`)
    for (const [name, m, n, k, form] of list) {
      const gflops = ms => ((2 * m * n * k) / ms / 1e6).toFixed(1).padStart(5)
      new Float32Array(memory.buffer).fill(0.1)
      const [f32, reference] = best([product(gemm_f32, 4, m, n, k, form), ...(other ? [generated(m, n, k, form, relaxed)] : [])])
      new Float64Array(memory.buffer).fill(0.1)
      const [f64] = best([product(gemm_f64, 8, m, n, k, form)])
      const compared = other ? `  other f32 ${gflops(reference)}  ratio ${(reference / f32).toFixed(2)}` : ""
      console.log(`${name.padEnd(11)} ${form} ${`${m}x${k}x${n}`.padEnd(14)} f32 ${gflops(f32)}  f64 ${gflops(f64)}${compared}`)
    }
  }
}
