import { composite } from "../control/call.ts"
import { sameShape } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { add } from "../ops/arithmetic.ts"
import { zeros } from "../ops/create.ts"
import { matmul, reshape } from "../ops/shape.ts"
import { wantFlag, wantFloat, wantWidth } from "./checks.ts"
import { type FloatDtype, type Initializer, type InitializerName, namedInitializer } from "./initializers.ts"
import { type Layer, nameOf, wantLast, wantLike, wantTensor } from "./layer.ts"

export interface DenseOptions {
  /** Adds a bias, which starts at 0. Default: true. */
  readonly bias?: boolean
  /**
   * How weights start: a name ("glorot", "he", "lecun", "heNormal", ...) or a function. Default: "glorot", that is, Glorot uniform, as
   * in Keras; it suits logistic and tanh units. Choose "he" for rectified units. PyTorch's default, uniform within 1 / sqrt(in), is
   * narrower than all of these.
   */
  readonly init?: InitializerName | Initializer
  /** Default: "f32". */
  readonly dtype?: FloatDtype
}

/** A fully connected layer. */
export interface Dense<In extends number = number, Out extends number = number> extends Layer<In, Out> {
  readonly kind: "dense"
}

/**
 * A fully connected layer: y = x w + b, with x [batch, in], w [in, out], b [out] and y [batch, out]; x may have more leading axes.
 *
 * Parameters: `{ w, b }`, or `{ w }` without bias. Throws TypeError for widths that are not whole numbers and for unknown initializers.
 *
 * @example
 * const layer = dense(2, 1)
 * layer.apply({ w: tensor([[1], [2]]), b: tensor([10]) }, {}, tensor([[3, 4]]))[0]  // [[21]]
 * const model = sequential(dense(784, 128, { init: "he" }), relu(), dense(128, 10))
 */
export function dense<const In extends number, const Out extends number>(
  inputs: In,
  outputs: Out,
  { bias = true, init = "glorot", dtype = "f32" }: DenseOptions = {},
): Dense<In, Out> {
  wantWidth("dense", "inputs", inputs)
  wantWidth("dense", "outputs", outputs)
  wantFlag("dense", "bias", bias)
  wantFloat("dense", dtype)
  const initializer = namedInitializer("dense", init)
  const config = { kind: "dense", inputs, outputs, bias, init: initializer.name, dtype } as const
  const affine = composite("dense", { inputs, outputs, bias }, (w: Tensor, b: Tensor | null, x: Tensor) => product(x, w, b))
  return {
    kind: "dense",
    in: inputs,
    out: outputs,
    config,
    init: (key, inShape) => {
      wantLast("dense", inputs, inShape)
      const w = initializer.init(key, [inputs, outputs], { dtype })
      return { params: bias ? { w, b: zeros([outputs], { dtype }) } : { w }, state: {} }
    },
    apply: (params, state, x) => {
      const name = nameOf("dense")
      const { w, b } = params ?? {}
      wantTensor(name, "the input", x)
      wantLast("dense", inputs, x.shape)
      wantTensor(name, "params.w", w)
      if (bias) wantTensor(name, "params.b", b)
      wantLike("dense", x, w)
      if (!sameShape(w.shape, [inputs, outputs]))
        throw new TypeError(`${name}: params.w must be [${inputs},${outputs}], [in, out]; got [${w.shape}]`)
      return [affine(w, bias ? (b as Tensor) : null, x), state]
    },
    outShape: inShape => {
      wantLast("dense", inputs, inShape)
      return [...inShape.slice(0, -1), outputs]
    },
  }
}

/** x w + b for x [..., in] and w [in, out]: one product of matrices, however many axes are in front; the bias belongs to it. */
export function product(x: Tensor, w: Tensor, b?: Tensor | null): Tensor {
  const rows = x.ndim > 2 ? reshape(x, [-1, x.shape.at(-1)!]) : x
  const y = matmul(rows, w)
  const z = b ? add(y, b) : y
  return x.ndim > 2 ? reshape(z, [...x.shape.slice(0, -1), w.shape[1]!]) : z
}
