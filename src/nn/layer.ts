// What a layer is. Layers are values: parameters, state and random keys go in as arguments and come out as results.
import type { Shape } from "../core/aval.ts"
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
  /** Whether the model is being trained, which switches on dropout. Default: false. */
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

/** The layer in words, for errors: by its place in the model where it stands in one. */
export const nameOf = (kind: string): string => (currentScope().length ? `${currentScope().join("/")} (${kind})` : kind)

export const widthError = (name: string, expected: number, got: number | undefined): TypeError =>
  new TypeError(`${name}: expects ${expected} inputs, gets ${got ?? "a scalar"}`)

/** Throws unless `x` is a tensor; layers are called from plain JavaScript too. */
export function wantTensor(name: string, what: string, x: unknown): asserts x is Tensor {
  if (!(x instanceof Tensor)) throw new TypeError(`${name}: ${what} must be a tensor; got ${x === null ? "null" : typeof x}`)
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
