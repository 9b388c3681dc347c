// A model in numbers.
import type { Shape } from "../core/aval.ts"
import { leaves } from "../core/tree.ts"
import { key } from "../ops/random.ts"
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
 * A table of the layers with their widths and numbers of parameters. Given the shape of one input, it shows the shapes of outputs.
 *
 * @example
 * const model = sequential(dense(784, 128), relu(), dense(128, 10))
 * console.log(summary(model, model.init(random.key(1), [784]).params))
 * // layers.0  dense  784 -> 128  100480
 * // layers.1  relu                    0
 * // layers.2  dense  128 -> 10     1290
 * // total                        101770
 *
 * // with shapes of outputs in the place of widths
 * console.log(summary(model, [784]))
 * // layers.0  dense  [128]  100480
 * // layers.1  relu   [128]       0
 * // layers.2  dense  [10]     1290
 * // total                   101770
 */
export function summary(model: Layer, of: Params | Shape): string {
  if (typeof of !== "object" || of === null)
    throw new TypeError(
      `summary: wants the shape of one example, such as [784], or the model's parameters; got ${of === null ? "null" : typeof of}`,
    )
  const inShape = isShape(of) ? of : undefined
  const all = isShape(of) ? model.init(key(0), of).params : of
  const rows: [place: string, kind: string, sizes: string, count: number][] = []
  const sizes = (layer: Layer, shape: Shape | undefined): string =>
    shape ? `[${layer.outShape(shape).join(", ")}]` : typeof layer.in === "number" ? `${layer.in} -> ${layer.out}` : ""
  const visit = (layer: Layer, params: Params, place: string, inShape: Shape | undefined): void => {
    if (!isModel(layer)) {
      rows.push([place, layer.kind, sizes(layer, inShape), countParameters(params)])
      return
    }
    const parts = params.layers as readonly Params[]
    let shape = inShape
    layer.layers.forEach((l, i) => {
      visit(l, parts[i]!, `${place}${place && "/"}layers.${i}`, shape)
      shape = shape && l.outShape(shape)
    })
  }
  visit(model, all, "", inShape)
  rows.push(["total", "", "", countParameters(all)])
  const width = (column: number): number => Math.max(...rows.map(r => String(r[column]).length))
  const widths = [0, 1, 2, 3].map(width)
  return rows
    .map(([place, kind, io, n]) =>
      [place.padEnd(widths[0]!), kind.padEnd(widths[1]!), io.padEnd(widths[2]!), String(n).padStart(widths[3]!)].join("  "),
    )
    .join("\n")
}
const isShape = (x: Params | Shape): x is Shape => Array.isArray(x)
/** A layer that is made of layers one after the other. */
const isModel = (layer: Layer): layer is Model => "layers" in layer
