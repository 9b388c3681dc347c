// Convolutions and pooling as layers. Examples are [...places, channels]: channels last.
import { composite } from "../control/call.ts"
import type { Shape } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { add } from "../ops/arithmetic.ts"
import * as ops from "../ops/convolution.ts"
import { zeros } from "../ops/create.ts"
import { wantFlag, wantFloat, wantWidth } from "./checks.ts"
import { type FloatDtype, type Initializer, type InitializerName, namedInitializer } from "./initializers.ts"
import { type Layer, type LayerConfig, type LayerOf, nameOf, pick, wantLast, wantLike, wantTensor } from "./layer.ts"

interface Weights {
  /** Adds a bias for each output channel, which starts at 0. Default: true. */
  readonly bias?: boolean
  /** How weights start, as for `dense`; "he" suits rectified units. Default: "glorot". */
  readonly init?: InitializerName | Initializer
  /** Default: "f32". */
  readonly dtype?: FloatDtype
}
export interface ConvLayerOptions extends ops.ConvOptions, Weights {}
export interface ConvTransposeLayerOptions extends ops.ConvTransposeOptions, Weights {}

/** A constructor that gives its widths to the type of the layer. */
type Constructor<Kind extends string, Options> = <const In extends number, const Out extends number>(
  inputs: In,
  outputs: Out,
  window: ops.Each,
  options?: Options,
) => LayerOf<Kind, In, Out>

/** How many places are left of `places`. */
type Places<Options> = (call: string, places: Shape, window: Shape, options: Options) => Shape

/** Layers over the operation `op`, which takes the options that are not about weights, for examples of `rank` places and channels. */
const convolution =
  <const Kind extends string, Options extends ConvLayerOptions | ConvTransposeLayerOptions>(
    kind: Kind,
    rank: number,
    op: (x: Tensor, w: Tensor, options: Options) => Tensor,
    places: Places<Options>,
  ): Constructor<Kind, Options> =>
  (inputs, outputs, size, options = {} as Options) => {
    const { bias = true, init = "glorot", dtype = "f32", ...own } = options
    const rest = own as unknown as Options
    const window = windowOf(kind, size, rank)
    const groups = rest.groups ?? 1
    wantWidth(kind, "inputs", inputs)
    wantWidth(kind, "outputs", outputs)
    for (const n of window) wantWidth(kind, "window", n)
    wantWidth(kind, "groups", groups)
    if (inputs % groups || outputs % groups)
      throw new TypeError(`${kind}: ${groups} groups must divide ${inputs} inputs and ${outputs} outputs`)
    wantFlag(kind, "bias", bias)
    wantFloat(kind, dtype)
    const initializer = namedInitializer(kind, init)
    const config = { kind, inputs, outputs, window, ...rest, bias, init: initializer.name, dtype } as LayerConfig
    const run = (w: Tensor, b: Tensor | null, x: Tensor): Tensor => (b ? add(op(x, w, rest), b) : op(x, w, rest))
    const whole = composite(kind, config, run)
    const outShape = (shape: Shape): Shape => {
      wantLast(kind, inputs, shape)
      if (shape.length !== rank + 1)
        throw new TypeError(`${nameOf(kind)}: wants examples [${rank === 1 ? "length" : "height, width"}, channels]; got shape [${shape}]`)
      return [...wantWindows(kind, places(kind, shape.slice(0, -1), window, rest), shape, window), outputs]
    }
    outShape([...window, inputs]) // options that make no sense are errors here, not in training
    return {
      kind,
      in: inputs,
      out: outputs,
      config,
      init(key, inShape) {
        outShape(inShape)
        const w = initializer.init(key, [...window, inputs / groups, outputs], { dtype })
        return { params: bias ? { w, b: zeros([outputs], { dtype }) } : { w }, state: {} }
      },
      apply(params, state, x) {
        wantTensor(nameOf(kind), "the input", x)
        outShape(x.shape.slice(1))
        const [w, b = null] = pick(kind, "params", params, bias ? ["w", "b"] : ["w"]) as [Tensor, Tensor?]
        wantLike(kind, x, w)
        return [whole(w, b, x), state]
      },
      outShape,
    }
  }
/** A layer that leaves no place has nothing to say: the window is too large. */
function wantWindows(kind: string, places: Shape, shape: Shape, window: ops.Each): Shape {
  if (places.some(n => n < 1))
    throw new TypeError(`${nameOf(kind)}: no window of [${window}] fits into examples of shape [${shape}]; make it smaller or add padding`)
  return places
}
const windowOf = (kind: string, window: ops.Each, rank: number): Shape => {
  const all = typeof window === "number" ? Array<number>(rank).fill(window) : window
  if (all?.length !== rank) throw new TypeError(`${kind}: window must be a number or ${rank} of them; got ${JSON.stringify(window)}`)
  return all
}

/**
 * A convolution of sequences: [batch, length, in] to [batch, windows, out], y = conv1d(x, w) + b; `window` says how many places.
 *
 * Parameters: `{ w, b }`, w [window, in / groups, out], or `{ w }` without bias. Options: `stride padding dilation groups` as of the function
 * `conv1d`, and `bias init dtype`. Throws TypeError for options out of range and inputs of another shape.
 *
 * @example
 * sequential(conv1d(8, 16, 5, { padding: "same" }), relu(), globalAveragePool(), dense(16, 2)).outShape([100, 8])  // [2]
 */
export const conv1d = /*@__PURE__*/ convolution<"conv1d", ConvLayerOptions>("conv1d", 1, ops.conv1d, ops.windowsAlong)
/**
 * A convolution of images: [batch, height, width, in] to [batch, windows, windows, out]; see `conv1d`. LeCun et al., Gradient-based learning
 * applied to document recognition (1998).
 *
 * @example
 * sequential(conv2d(1, 8, 5), relu(), maxPool(2), flatten(), dense(1152, 10)).outShape([28, 28, 1])  // [10]
 */
export const conv2d = /*@__PURE__*/ convolution<"conv2d", ConvLayerOptions>("conv2d", 2, ops.conv2d, ops.windowsAlong)

/**
 * The transpose of a convolution of sequences, which makes them longer; see `conv1d` and the function `convTranspose1d`.
 *
 * @example
 * convTranspose1d(16, 1, 2, { stride: 2 }).outShape([50, 16])  // [100, 1]
 */
export const convTranspose1d = /*@__PURE__*/ convolution<"convTranspose1d", ConvTransposeLayerOptions>(
  "convTranspose1d",
  1,
  ops.convTranspose1d,
  ops.placesOfTransposed,
)
/**
 * The transpose of a convolution of images, which makes them larger; see `conv2d` and the function `convTranspose2d`.
 *
 * @example
 * convTranspose2d(16, 1, 2, { stride: 2 }).outShape([14, 14, 16])  // [28, 28, 1]
 */
export const convTranspose2d = /*@__PURE__*/ convolution<"convTranspose2d", ConvTransposeLayerOptions>(
  "convTranspose2d",
  2,
  ops.convTranspose2d,
  ops.placesOfTransposed,
)

type PoolRun = (x: Tensor, window: ops.Each, options: ops.PoolOptions) => Tensor
function pooling(kind: string, run: PoolRun, window: ops.Each, options: ops.AveragePoolOptions): Layer<"any", "same"> {
  const whole = composite(kind, { window, ...options }, (x: Tensor) => run(x, window, options))
  const places = (shape: Shape): Shape => {
    if (shape.length < 2) throw new TypeError(`${nameOf(kind)}: wants examples [...places, channels]; got shape [${shape}]`)
    const { stride = window, padding = "valid" } = options
    const counts = ops.windowsAlong(kind, shape.slice(0, -1), window, { stride, padding })
    return [...wantWindows(kind, counts, shape, window), shape.at(-1)!]
  }
  places([...[window].flat(), 1]) // options that make no sense are errors here
  return {
    kind,
    in: "any",
    out: "same",
    config: { kind, window, ...options } as LayerConfig,
    init: (_key, inShape) => {
      places(inShape)
      return { params: {}, state: {} }
    },
    apply(_params, state, x) {
      wantTensor(nameOf(kind), "the input", x)
      places(x.shape.slice(1))
      return [whole(x), state]
    },
    outShape: places,
  }
}
/**
 * The largest element of each window of places: [batch, ...places, channels] to [batch, ...windows, channels]; windows follow each other
 * unless `stride` says otherwise. Options as of the function `maxPool`.
 *
 * @example
 * maxPool(2).outShape([28, 28, 8])  // [14, 14, 8]
 */
export const maxPool = (window: ops.Each, options: ops.PoolOptions = {}): Layer<"any", "same"> =>
  pooling("maxPool", ops.maxPool, window, options)
/**
 * The mean of each window of places; see `maxPool` and the function `avgPool`.
 *
 * @example
 * avgPool(2).outShape([28, 28, 8])  // [14, 14, 8]
 */
export const avgPool = (window: ops.Each, options: ops.AveragePoolOptions = {}): Layer<"any", "same"> =>
  pooling("avgPool", ops.avgPool, window, options)
