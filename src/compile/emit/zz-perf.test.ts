import { test } from "vitest"
import { axisIndex, newAxis, plus, times } from "../../ir/affine.ts"
import { op, reduce } from "../../ir/expr.ts"
import { place } from "./testing/run-wasm.ts"

test("perf", () => {
  for (const relaxed of [true, false])
    for (const [M, N, K, ta, tb] of [
      [256, 1024, 1024, 0, 0],
      [64, 128, 784, 0, 0],
      [784, 128, 64, 1, 0],
      [64, 128, 64, 0, 1],
      [64, 10, 128, 0, 0],
      [256, 1024, 1024, 0, 1],
      [1024, 1024, 256, 1, 0],
      [256, 256, 256, 0, 0],
      [64, 1024, 1024, 0, 1],
    ] as const) {
      const [m, n, k] = [newAxis(M), newAxis(N), newAxis(K)]
      const [i, j, l] = [m, n, k].map(axisIndex) as any
      const a = { k: "load", t: "f32", slot: 0, at: ta ? plus(times(l, M), i) : plus(times(i, K), l) } as any,
        b = { k: "load", t: "f32", slot: 1, at: tb ? plus(times(j, K), l) : plus(times(l, N), j) } as any
      const kernel = {
        axes: [m, n],
        out: { t: "f32", at: plus(times(i, N), j), mode: "store", bounds: [] },
        body: reduce("sum", [k], op("mul", a, b)),
        loads: ["f32", "f32"],
      } as any
      const rnd = (n: number) => Float32Array.from({ length: n }, () => Math.random() - 0.5)
      const { run } = place([kernel], new Float32Array(M * N), [rnd(M * K), rnd(K * N)], { relaxed })
      const t = Math.max(1, Math.round(2e7 / (2 * M * N * K)))
      for (let r = 0; r < (30 * t) / 10 + 3; r++) run()
      let best = 1e9
      for (let s = 0; s < 8; s++) {
        const t0 = performance.now()
        for (let r = 0; r < t; r++) run()
        best = Math.min(best, (performance.now() - t0) / t)
      }
      console.log(
        relaxed ? "relaxed" : "plain",
        M,
        N,
        K,
        ta ? "T" : "N",
        tb ? "T" : "N",
        ((2 * M * N * K) / best / 1e6).toFixed(1),
        "GFLOP/s",
        (best * 1000).toFixed(1),
        "us",
      )
    }
})
