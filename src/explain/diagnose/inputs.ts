// The inputs as the functions are asked for them: in one precision, and at places nearby.
import { filled } from "../../check/arrays.ts"
import { isFloating } from "../../core/dtype.ts"
import type { Tensor } from "../../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../../core/tree.ts"

/** The leaves replaced. */
export const mapLeaves = (inputs: readonly unknown[], f: (x: Tensor) => Tensor): unknown[] =>
  inputs.map(input => rebuild(input as Tree, leaves(input as Tree).map(f)))

export const converted = (inputs: readonly unknown[], dtype: "f32" | "f64"): unknown[] =>
  mapLeaves(inputs, x => {
    if (!isFloating(x.dtype) || x.dtype === dtype) return x
    const values = x.values()
    return filled(x.shape, dtype, i => values[i]!)
  })

/** Numbers close by that are still what they were: shares stay shares, labels stay labels. */
export function near(x: Tensor, random: () => number): Tensor {
  if (!isFloating(x.dtype)) return x
  const values = [...x.values()]
  const isLabel = values.includes(1) && values.every(v => v === 0 || v === 1)
  const n = x.shape.at(-1) ?? 1
  const rows = values.filter((_, i) => i % n === 0).map((_, r) => values.slice(r * n, (r + 1) * n))
  const isShares = n > 1 && values.every(v => v >= 0) && rows.every(row => Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-5)
  if (isLabel || isShares) return x
  const isProbability = values.some(v => v > 0) && values.every(v => v >= 0 && v <= 1)
  const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  const signed = largest === 0 || values.some(v => v < 0)
  return filled(x.shape, x.dtype, i => {
    const [v, u] = [values[i]!, 2 * random() - 1]
    if (isProbability) return v + 0.2 * u * Math.min(v, 1 - v)
    return v * (1 + 0.2 * u) + (signed ? 0.1 * (largest || 1) * (2 * random() - 1) : 0)
  })
}
/** mulberry32 by Tommy Ettinger. */
export function mulberry(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
