// Layers made of layers, other than one after the other.
import { sameShape } from "../core/aval.ts"
import { scope } from "../core/tensor.ts"
import { add } from "../ops/arithmetic.ts"
import { fold } from "../ops/random.ts"
import { concat } from "../ops/shape.ts"
import { type InWidth, type Layer, type LayerOf, nameOf, type OutWidth, type Params, wantTensor, widthError } from "./layer.ts"
import { type Checked, type Model, partsOf, sequential, type Walk, wantLayers } from "./sequential.ts"

/** x + f(x) keeps the width, whatever the width is. */
type Kept<In> = In extends number ? In : "same"
/** The layers themselves, or in the place of the last one a sentence that says why they cannot be added to their input. */
type Closed<Ls extends readonly Layer[], M> =
  M extends Model<infer In, infer Out>
    ? In extends number
      ? Out extends number
        ? number extends In | Out
          ? Ls
          : Out extends In
            ? Ls
            : readonly `residual must keep its width ${In}, ends with ${Out}`[]
        : Ls
      : Ls
    : Checked<Ls, M>

/**
 * x + f(x), with f the layers one after the other, which have to keep the shape.
 *
 * Parameters and state are those of `sequential`. Throws TypeError where the layers do not keep the shape, and what `sequential`
 * throws. He et al., arXiv:1512.03385.
 *
 * @example
 * sequential(dense(4, 8), residual(layerNorm(8), dense(8, 8), relu()), dense(8, 1)).outShape([4])  // [1]
 */
export function residual<const Ls extends readonly Layer[]>(
  ...layers: Closed<Ls, Walk<Ls>>
): Walk<Ls> extends Model<infer In, OutWidth> ? LayerOf<"residual", In, Kept<In>> & { readonly layers: readonly Layer[] } : never
export function residual(...layers: readonly Layer[]): Layer & { readonly layers: readonly Layer[] } {
  const inner = sequential(...layers) as Model
  if (typeof inner.in === "number" && typeof inner.out === "number" && inner.in !== inner.out)
    throw new TypeError(`residual: the layers must keep the width ${inner.in}; they end with ${inner.out}`)
  const wantSame = (before: readonly number[], after: readonly number[]): void => {
    if (!sameShape(before, after))
      throw new TypeError(`${nameOf("residual")}: the layers must keep the shape [${before}]; they end with [${after}]`)
  }
  return {
    ...inner,
    kind: "residual",
    out: inner.in === "any" ? "same" : inner.in,
    config: { kind: "residual", layers: inner.config.layers! },
    apply(params, state, x, options) {
      const [y, next] = inner.apply(params, state, x, options)
      wantSame(x.shape, y.shape)
      return [add(x, y), next]
    },
    outShape(inShape) {
      wantSame(inShape, inner.outShape(inShape))
      return inShape
    },
  }
}

/**
 * Several layers that read the same input; their outputs are joined along the last axis: [..., in] to [..., sum of widths].
 *
 * Parameters and state are `{ layers: [...] }`, random keys `random.fold(key, i)`. Throws TypeError for no layers, for layers of
 * different input widths, and for outputs whose other axes differ.
 *
 * @example
 * const both = parallel(lstm(8, 16), lstm(8, 16, { reverse: true }))
 * both.outShape([20, 8])  // [32]
 */
export function parallel<const Ls extends readonly [Layer, ...Layer[]]>(...layers: Ls): LayerOf<"parallel", Ls[0]["in"], number | "any"> {
  wantLayers("parallel", layers)
  if (!layers.length) throw new TypeError("parallel: wants at least one layer")
  const wide = layers.map(l => l.in).filter(w => typeof w === "number")
  const odd = layers.findIndex(l => typeof l.in === "number" && l.in !== wide[0])
  if (odd >= 0) throw widthError(`layers.${odd} (${layers[odd]!.kind})`, layers[odd]!.in as number, wide[0])
  const out = layers.every(l => typeof l.out === "number") ? layers.reduce((n, l) => n + (l.out as number), 0) : "any"
  const each = <T>(f: (layer: Layer, i: number) => T): T[] => layers.map((layer, i) => scope(`layers.${i}`, () => f(layer, i)))
  const wantAligned = (shapes: readonly (readonly number[])[]): void => {
    const before = shapes.map(s => s.slice(0, -1))
    if (shapes.some((s, i) => s.length === 0 || !sameShape(before[i]!, before[0]!)))
      throw new TypeError(
        `${nameOf("parallel")}: outputs must agree in all axes but the last; got ${shapes.map(s => `[${s}]`).join(" and ")}`,
      )
  }
  return {
    kind: "parallel",
    in: (wide[0] ?? "any") as Ls[0]["in"] & InWidth,
    out,
    config: { kind: "parallel", layers: layers.map(l => l.config) },
    init(key, inShape) {
      const made = each((layer, i) => layer.init(fold(key, i), inShape))
      return { params: { layers: made.map(m => m.params) }, state: { layers: made.map(m => m.state) } }
    },
    apply(params, state, x, { key, training = false } = {}) {
      wantTensor(nameOf("parallel"), "the input", x)
      const kind = "parallel"
      const [ps, states] = [partsOf(kind, "params", params, layers.length), partsOf(kind, "state", state, layers.length)]
      const made = each((layer, i) => layer.apply(ps[i]!, states[i]!, x, { training, key: training && key ? fold(key, i) : undefined }))
      const ys = made.map(([y]) => y)
      wantAligned(ys.map(y => y.shape))
      return [concat(ys, { axis: -1 }), { layers: made.map(([, next]) => next as Params) }]
    },
    outShape(inShape) {
      const shapes = each(layer => layer.outShape(inShape))
      wantAligned(shapes)
      return [...shapes[0]!.slice(0, -1), shapes.reduce((n, s) => n + s.at(-1)!, 0)]
    },
  }
}
