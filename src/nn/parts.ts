import { ShapeError } from "../core/errors.ts"
import type { Tensor } from "../core/tensor.ts"
import { slice } from "../ops/shape.ts"

/** `n` equal parts of the last axis. */
export function lastParts(name: string, x: Tensor, n: number): Tensor[] {
  const width = x.shape.at(-1)! / n
  if (!Number.isInteger(width))
    throw new ShapeError(name, `takes the last axis apart into ${n} parts, so that its length must be a multiple of ${n}`, [x.aval])
  const before = x.shape.slice(0, -1).map(() => ":" as const)
  return Array.from({ length: n }, (_, i) => slice(x, ...before, [i * width, (i + 1) * width]))
}
