// Layers one after the other, with widths checked in the editor where they are literals.
import type { Shape } from "../core/aval.ts"
import { scope } from "../core/tensor.ts"
import { fold } from "../ops/random.ts"
import { type InWidth, type Layer, nameOf, type OutWidth, type Params, widthError } from "./layer.ts"

/** Layers one after the other; itself a layer. Parameters are `{ layers: [...] }`, and so is state. */
export interface Model<In extends InWidth = InWidth, Out extends OutWidth = OutWidth> extends Layer<In, Out> {
  readonly kind: "sequential"
  readonly layers: readonly Layer[]
}

/** The width after layer L when it is W before. */
type After<L extends Layer, W> = L["out"] extends "same" ? W : L["out"]
/** A literal width that differs is a mismatch; widths known only at run time are checked there. */
type Fits<L extends Layer, W> = W extends number
  ? L["in"] extends number
    ? number extends W
      ? true
      : number extends L["in"]
        ? true
        : W extends L["in"]
          ? true
          : false
    : true
  : true
type Sentence<
  L extends Layer,
  W,
> = `${string extends L["kind"] ? "layer" : L["kind"]} expects ${Extract<L["in"], number>} inputs, gets ${Extract<W, number>}`
/** The input width is that of the first layer that wants one, unless the width has changed before it. */
type First<L extends Layer, W, In> = In extends "any" ? (W extends "same" ? L["in"] : In) : In

/** The model, or the first mismatch and its position. Tail recursive, so that long stacks stay cheap. */
export type Walk<Ls extends readonly unknown[], W = "same", In = "any", Done extends readonly unknown[] = []> = Ls extends readonly [
  infer L extends Layer,
  ...infer Rest,
]
  ? Fits<L, W> extends true
    ? Walk<Rest, After<L, W>, First<L, W, In>, [...Done, L]>
    : { at: Done["length"]; error: Sentence<L, W> }
  : Ls extends readonly []
    ? Model<Extract<In, InWidth>, Extract<W, OutWidth>>
    : Model // a list of a length that the compiler does not know

/** The layers themselves, with the sentence in the place of the layer that does not fit. */
export type Checked<Ls extends readonly Layer[], R> = R extends { at: infer At extends number; error: infer E }
  ? { [K in keyof Ls]: K extends `${At}` ? E : Ls[K] }
  : Ls

/**
 * Layers one after the other. A layer whose literal width does not fit is an error in the editor; all widths are checked at run time,
 * here and in `init` and `apply`, and the error names the layer.
 *
 * Operations of layer i carry the scope `layers.i`; its random keys are `random.fold(key, i)`.
 * Throws TypeError for widths that do not fit and for arguments that are no layers.
 *
 * @example
 * // Model<784, 10>
 * const model = sequential(dense(784, 128), relu(), dense(128, 10))
 * const { params, state } = model.init(random.key(1), [784])
 * const [logits] = model.apply(params, state, zeros([32, 784]))  // f32[32,10]
 */
export function sequential<const Ls extends readonly Layer[]>(
  ...layers: Checked<Ls, Walk<Ls>>
): Walk<Ls> extends infer M extends Model ? M : never
export function sequential(...layers: readonly Layer[]): Model {
  const widths = checkWidths(layers)
  const each = <T>(f: (layer: Layer, i: number) => T): T[] => layers.map((layer, i) => scope(`layers.${i}`, () => f(layer, i)))
  return {
    kind: "sequential",
    ...widths,
    layers,
    config: { kind: "sequential", layers: layers.map(l => l.config) },
    init(key, inShape) {
      let shape = inShape
      const made = each((layer, i) => {
        const part = layer.init(fold(key, i), shape)
        shape = layer.outShape(shape)
        return part
      })
      return { params: { layers: made.map(m => m.params) }, state: { layers: made.map(m => m.state) } }
    },
    apply(params, state, x, { key, training = false } = {}) {
      const [ps, states] = [partsOf("sequential", "params", params, layers.length), partsOf("sequential", "state", state, layers.length)]
      let y = x
      const next = each((layer, i) => {
        const options = { training, key: training && key ? fold(key, i) : undefined }
        const [out, after] = layer.apply(ps[i]!, states[i]!, y, options)
        y = out
        return after
      })
      return [y, { layers: next }]
    },
    outShape(inShape) {
      let shape: Shape = inShape
      each(layer => (shape = layer.outShape(shape)))
      return shape
    },
  }
}

/** The parts of params or state of layers made of layers. */
export function partsOf(kind: string, what: string, tree: Params, n: number): readonly Params[] {
  const parts = tree?.layers
  if (Array.isArray(parts) && parts.length === n) return parts
  throw new TypeError(
    `${nameOf(kind)}: ${what} must be { layers: [...] } with ${n} entries, as init returns it; got ${
      Array.isArray(parts) ? `${parts.length} entries` : tree === null ? "null" : typeof tree
    }`,
  )
}

/** Throws TypeError for arguments that are no layers. */
export function wantLayers(kind: string, layers: readonly unknown[]): void {
  layers.forEach((layer, i) => {
    const { init, apply } = (layer ?? {}) as Partial<Layer>
    if (typeof init !== "function" || typeof apply !== "function")
      throw new TypeError(`${kind}: argument ${i} must be a layer, such as dense(2, 3) or relu(); got ${typeof layer}`)
  })
}

/** The widths of the whole, found as the types above find them. */
function checkWidths(layers: readonly Layer[]): { in: InWidth; out: OutWidth } {
  let [first, width]: [InWidth, OutWidth] = ["any", "same"]
  wantLayers("sequential", layers)
  layers.forEach((layer, i) => {
    if (typeof width === "number" && typeof layer.in === "number" && layer.in !== width)
      throw widthError(`layers.${i} (${layer.kind})`, layer.in, width)
    if (first === "any" && width === "same") first = layer.in
    if (layer.out !== "same") width = layer.out
  })
  return { in: first, out: width }
}
