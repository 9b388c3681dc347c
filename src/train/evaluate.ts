import { type Shape, size } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { jit } from "../runtime/jit.ts"
import type { Metric } from "./metrics.ts"
import { BatchReader, type Dataset, pair } from "./rows.ts"
import type { Loss, Trainable } from "./trainable.ts"

export type Measured = { readonly loss: number } & { readonly [metric: string]: number }

/** Ranges of at most `size` out of 0 ... n - 1. */
export function* batches(n: number, size: number): Generator<readonly [from: number, to: number]> {
  for (let from = 0; from < n; from += size) yield [from, Math.min(from + size, n)]
}

/** Rows that are computed at a time: fewer where one has many elements, since a layer may make several times as many of them. */
export const rowsAtOnce = (shape: Shape): number => Math.max(1, Math.min(1000, Math.floor(2 ** 24 / size(shape))))

/** A compiled function from parameters, state and a data set to mean loss and metrics over all its rows. */
export function evaluator(
  model: Trainable,
  loss: Loss,
  metrics: Readonly<Record<string, Metric>>,
): (params: any, state: any, data: Dataset, batchSize?: number) => Measured {
  const names = Object.keys(metrics)
  const measure = jit((params: any, state: any, x: Tensor, y: Tensor): Tensor[] => {
    const [output] = model.apply(params, state, x, { training: false })
    return [loss(output, y), ...names.map(name => metrics[name]!(output, y))]
  })
  return (params, state, data, batchSize) => {
    const { x, y } = pair(data, "evaluate")
    batchSize ??= rowsAtOnce(x.shape)
    const [xs, ys] = [new BatchReader(x), new BatchReader(y)]
    const totals = new Float64Array(names.length + 1)
    for (const [from, to] of batches(x.rows, batchSize)) {
      const rows = Int32Array.from({ length: to - from }, (_, i) => from + i)
      const [bx, by] = [xs.read(rows), ys.read(rows)]
      const values = measure(params, state, fromArray(bx.array, bx.aval), fromArray(by.array, by.aval))
      values.forEach((v, i) => (totals[i]! += v.item() * rows.length))
    }
    const [first, ...rest] = totals
    return { loss: first! / x.rows, ...Object.fromEntries(names.map((name, i) => [name, rest[i]! / x.rows])) }
  }
}
