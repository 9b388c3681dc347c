// Products that are sums of products, as convolutions are: the innermost of these sums becomes part of k, if operand A walks on through it as
// memory does. Operand B is packed for that once and for all calls, in the order of the longer k, whatever way it goes through memory itself.

import { blockColumns, blockK, type Library, packedBytes } from "./gemm.ts"
import type { Gemm, GemmAxis } from "./gemm-match.ts"
import { panelBytes, panelLanes } from "./gemm-pack.ts"
import type { Code, Local } from "./wasm-bytes.ts"
import { byteSize } from "./wasm-ops.ts"

/** A product with a longer k, whose operand B is where it was packed. */
export interface Prepared {
  readonly gemm: Gemm
  /** Bytes of the packed operand B. */
  readonly bytes: number
  /** How far the pieces of B lie apart that are packed one after the other, and where to, in bytes. */
  readonly parts: readonly { readonly from: number; readonly to: number; readonly lanes: number }[]
}

/** More parts than that would be much code, and B too large to be packed anew in each run. */
const PARTS = 64
const BYTES = 64 * 1024

export function prepare(gemm: Gemm): Prepared | undefined {
  const { t, k, n, loops, sums } = gemm
  const inner = sums.at(-1)
  if (!inner || gemm.a.slot === gemm.b.slot || inner.a !== k.n * k.a || n.dealt !== undefined || loops.some(axis => axis.b !== 0))
    return undefined
  const size = byteSize(t)
  const longer: GemmAxis = { n: inner.n * k.n, a: k.a, b: 0, c: 0 }
  if (longer.n > blockK || n.n > blockColumns(t)) return undefined
  const outer = sums.slice(0, -1)
  const each = packedBytes({ ...gemm, k: longer })
  const count = outer.reduce((product, axis) => product * axis.n, 1)
  const panels = Math.ceil(n.n / panelLanes(t))
  if (count * each > BYTES || count * inner.n * panels > PARTS) return undefined
  // the turns of the outer sums find their part of B one behind the other
  let apart = count * each
  const steps = outer.map((axis): GemmAxis => ({ ...axis, b: (apart /= axis.n) / size }))
  const parts = Array.from({ length: count }, (_, turn) => {
    let [rest, from] = [turn, gemm.b.start]
    for (const axis of outer.toReversed()) {
      from += (rest % axis.n) * axis.b
      rest = Math.floor(rest / axis.n)
    }
    return Array.from({ length: panels * inner.n }, (_, i) => {
      const [panel, tap] = [Math.floor(i / inner.n), i % inner.n]
      return {
        from: size * (from + tap * inner.b + panel * panelLanes(t) * n.b),
        to: turn * each + panelBytes * (panel * longer.n + tap * k.n),
        lanes: Math.min(panelLanes(t), n.n - panel * panelLanes(t)),
      }
    })
  }).flat()
  return { gemm: { ...gemm, b: { ...gemm.b, start: 0 }, k: longer, sums: steps }, bytes: count * each, parts }
}

/** Packs B, at the address `b`, to `to`. */
export function writePrepare({ parts }: Prepared, { t, k, n }: Gemm, b: Local, to: Local, library: Library, code: Code): void {
  const size = byteSize(t)
  for (const part of parts) {
    code.i32(part.lanes).i32(k.n).get(b).i32(part.from).op("i32.add")
    code.i32(k.b * size).i32(n.b * size)
    code.get(to).i32(part.to).op("i32.add").call(library.pack)
  }
}
