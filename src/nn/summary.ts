// A model in numbers.
import { leaves } from "../core/tree.ts"
import type { Layer, Params } from "./layer.ts"
import type { Model } from "./sequential.ts"

/**
 * The number of parameters: elements of all tensors in the tree.
 *
 * @example
 * countParameters(dense(784, 10).init(random.key(1), [784]).params)  // 7850
 */
export const countParameters = (params: Params): number => leaves(params).reduce((n, x) => n + x.size, 0)

/**
 * A table of the layers with their widths and numbers of parameters.
 *
 * @example
 * console.log(summary(model, params))
 * // layers.0  dense  784 -> 128  100480
 * // layers.1  relu                    0
 * // layers.2  dense  128 -> 10     1290
 * // total                        101770
 */
export function summary(model: Layer, params: Params): string {
  const rows: [place: string, kind: string, widths: string, count: number][] = []
  const visit = (layer: Layer, params: Params, place: string): void => {
    if (!isModel(layer)) {
      const widths = typeof layer.in === "number" ? `${layer.in} -> ${layer.out}` : ""
      rows.push([place, layer.kind, widths, countParameters(params)])
      return
    }
    const parts = params.layers as readonly Params[]
    layer.layers.forEach((l, i) => visit(l, parts[i]!, `${place}${place && "/"}layers.${i}`))
  }
  visit(model, params, "")
  rows.push(["total", "", "", countParameters(params)])
  const width = (column: number): number => Math.max(...rows.map(r => String(r[column]).length))
  const widths = [0, 1, 2, 3].map(width)
  return rows
    .map(([place, kind, io, n]) =>
      [place.padEnd(widths[0]!), kind.padEnd(widths[1]!), io.padEnd(widths[2]!), String(n).padStart(widths[3]!)].join("  "),
    )
    .join("\n")
}
const isModel = (layer: Layer): layer is Model => "layers" in layer
