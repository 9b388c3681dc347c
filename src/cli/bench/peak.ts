// What the processor can do at most with the instructions that the engine has: multiply-adds on registers, and nothing else.
import { WasmModule } from "../../compile/emit/wasm-bytes.ts"
import { rounded } from "./result.ts"

/** Independent sums: enough to keep two units with a latency of four busy, and few enough for sixteen registers. */
const SUMS = 12
const LANES = 4
const TURNS = 20_000
const FLOPS = 2 * SUMS * LANES * TURNS
const MS = 300

/** One function, "peak": sum <- sum a + b in every register, `turns` times. */
function emitPeak(relaxed: boolean): Uint8Array<ArrayBuffer> {
  const module = new WasmModule()
  module.function("peak", ["i32"], code => {
    const [turns, i] = [0, code.local("i32")]
    const [a, b] = [code.local("v128"), code.local("v128")]
    const sums = Array.from({ length: SUMS }, () => code.local("v128"))
    // the sums go towards 2: neither tiny nor infinite numbers slow them down
    code.f32(0.5).op("f32x4.splat").set(a).f32(1).op("f32x4.splat").set(b)
    sums.forEach((sum, n) => void code.f32(n).op("f32x4.splat").set(sum))
    code.for(i, turns, 1, () => {
      for (const sum of sums) {
        if (relaxed) code.get(sum, a, b).op("f32x4.relaxed_madd").set(sum)
        else code.get(sum, a).op("f32x4.mul").get(b).op("f32x4.add").set(sum)
      }
    })
    sums.forEach(
      (sum, n) =>
        void code
          .i32(16 * n)
          .get(sum)
          .memory("v128.store"),
    )
  })
  return module.bytes()
}

export interface Peak {
  readonly gflops: number
  /** What the multiply-add is here. */
  readonly simd: "relaxed" | "plain"
}

/** The largest rate of some hundred calls, each short: a running loop never changes to better code. */
export function measurePeak(relaxed: boolean): Peak {
  const env = { memory: new WebAssembly.Memory({ initial: 1, maximum: 65536 }) }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(emitPeak(relaxed)), { env })
  const peak = instance.exports.peak as (turns: number) => void
  let best = Number.POSITIVE_INFINITY
  for (const start = performance.now(); performance.now() - start < MS; ) {
    const before = performance.now()
    peak(TURNS)
    best = Math.min(best, performance.now() - before)
  }
  return { gflops: rounded(FLOPS / best / 1e6, 4), simd: relaxed ? "relaxed" : "plain" }
}
