// What a layer is. Layers are values: parameters, state and random keys go in as arguments and come out as results.
import { type Shape, show } from "../core/aval.ts"
import type { Json } from "../core/json.ts"
import { currentScope, Tensor } from "../core/tensor.ts"

export type { Json }

/** What a layer is made of, as plain data; `fromConfig` makes the layer again. */
export type LayerConfig = { readonly kind: string; readonly [option: string]: Json }

/** Parameters, or state, of layers: tensors by name, nested as the layers are. */
export interface Params {
  readonly [name: string]: Tensor | Params | readonly Params[]
}

export interface ApplyOptions {
  /** A random key for this call, such as `random.fold(seedKey, step)`; only layers with randomness need it, and only in training. */
  readonly key?: Tensor | undefined
  /** Whether the model is being trained, which switches on dropout and the statistics of batches. Default: false. */
  readonly training?: boolean | undefined
}

/** A width known to the compiler, or "any" where every width fits. */
export type InWidth = number | "any"
/** A width known to the compiler, "same" for that of the input, or "any" where only the shapes of a run can tell. */
export type OutWidth = number | "same" | "any"

/**
 * A function of parameters, state and input. The width is the length of the last axis; the editor checks it where it is a literal.
 *
 * @example
 * const layer = dense(3, 2)
 * const { params, state } = layer.init(random.key(1), [3])
 * const [y] = layer.apply(params, state, tensor([[1, 2, 3]]))  // f32[1,2]
 */
export interface Layer<In extends InWidth = InWidth, Out extends OutWidth = OutWidth> {
  readonly kind: string
  readonly in: In
  readonly out: Out
  readonly config: LayerConfig
  /** New parameters and state for examples of `inShape` (without the batch axis). Throws TypeError where the width does not fit. */
  init(key: Tensor, inShape: Shape): { readonly params: Params; readonly state: Params }
  /** Output [batch, ...] and next state for input [batch, ...]. Throws TypeError where the width does not fit. */
  apply(params: Params, state: Params, x: Tensor, options?: ApplyOptions): [y: Tensor, state: Params]
  /** The shape of one output for an input of `inShape`, both without the batch axis. Throws TypeError where the width does not fit. */
  outShape(inShape: Shape): Shape
}

/** A layer that says in its type what it is, so that errors in the editor name it. */
export interface LayerOf<Kind extends string, In extends InWidth, Out extends OutWidth> extends Layer<In, Out> {
  readonly kind: Kind
}

/** The layer in words, for errors: by its place in the model where it stands in one. */
export const nameOf = (kind: string): string => (currentScope().length ? `${currentScope().join("/")} (${kind})` : kind)

export const widthError = (name: string, expected: number, got: number | undefined): TypeError =>
  new TypeError(`${name}: expects ${expected} inputs, gets ${got ?? "a scalar"}`)

/** Throws unless the last axis of `shape` is as long as the layer is wide. */
export function wantLast(kind: string, expected: number, shape: Shape): void {
  if (!Array.isArray(shape))
    throw new TypeError(
      `${nameOf(kind)}: wants the shape of one example, such as [${expected}], as in init(key, [${expected}]); got ${typeof shape}`,
    )
  if (shape.at(-1) !== expected) throw widthError(nameOf(kind), expected, shape.at(-1))
}

/** Throws unless `shape` ends with an axis of time and one of features. */
export function wantSequence(kind: string, shape: Shape): void {
  if (shape.length < 2) throw new TypeError(`${nameOf(kind)}: wants sequences [time, features]; got shape [${shape}]`)
}

/** Throws unless `x` is a tensor; layers are called from plain JavaScript too. */
export function wantTensor(name: string, what: string, x: unknown): asserts x is Tensor {
  if (!(x instanceof Tensor)) throw new TypeError(`${name}: ${what} must be a tensor; got ${x === null ? "null" : typeof x}`)
}

/** Throws unless the input has the dtype of the parameters. */
export function wantLike(kind: string, x: Tensor, w: Tensor): void {
  if (x.dtype !== w.dtype)
    throw new TypeError(
      `${nameOf(kind)}: the input must be ${w.dtype}, as the parameters are; got ${show(x.aval)}. Convert it with cast(x, "${w.dtype}")`,
    )
}

/** A layer without parameters and state that keeps the shape. */
export const elementwise = (config: LayerConfig, f: (x: Tensor, options: ApplyOptions) => Tensor): Layer<"any", "same"> => ({
  kind: config.kind,
  in: "any",
  out: "same",
  config,
  init: () => ({ params: {}, state: {} }),
  apply(_params, state, x, options = {}) {
    wantTensor(nameOf(config.kind), "the input", x)
    return [f(x, options), state]
  },
  outShape: shape => shape,
})

/** The tensors of these names; throws where one is missing. */
export function pick(kind: string, what: string, tree: Params, names: readonly string[]): Tensor[] {
  return names.map(n => {
    const x: unknown = tree?.[n]
    wantTensor(nameOf(kind), `${what}.${n}`, x)
    return x
  })
}

/** What layers as wide as their input have in common: [..., width] to [..., width]. */
export function keepsWidth<const Kind extends string, Width extends number>(
  kind: Kind,
  width: Width,
  options: Readonly<Record<string, Json>>,
  init: (key: Tensor, inShape: Shape) => { readonly params: Params; readonly state: Params },
  apply: (params: Params, state: Params, x: Tensor, options: ApplyOptions) => [Tensor, Params],
): LayerOf<Kind, Width, Width> {
  return {
    kind,
    in: width,
    out: width,
    config: { kind, ...options },
    init(key, inShape) {
      wantLast(kind, width, inShape)
      return init(key, inShape)
    },
    apply(params, state, x, options = {}) {
      wantTensor(nameOf(kind), "the input", x)
      wantLast(kind, width, x.shape)
      return apply(params, state, x, options)
    },
    outShape(shape) {
      wantLast(kind, width, shape)
      return shape
    },
  }
}
