import { composite } from "../control/call.ts"
import type { Tensor } from "../core/tensor.ts"
import { add } from "../ops/arithmetic.ts"
import { zeros } from "../ops/create.ts"
import { matmul } from "../ops/shape.ts"
import { type FloatDtype, type Initializer, type InitializerName, initializers } from "./initializers.ts"
import { type Layer, nameOf, wantTensor, widthError } from "./layer.ts"

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

const CUSTOM = "custom"
const afterSaving: Initializer = () => {
  throw new TypeError("dense: its initializer was a function, which a saved model does not hold; use the saved parameters instead of init")
}

/** Name and function of an initializer; a function that is not one of ours has no name that could be saved. */
function initializerOf(given: unknown): { name: string; init: Initializer } {
  if (typeof given === "function") {
    const name = Object.entries(initializers).find(([, f]) => f === given)?.[0]
    return { name: name ?? CUSTOM, init: given as Initializer }
  }
  if (given === CUSTOM) return { name: CUSTOM, init: afterSaving }
  if (typeof given === "string" && Object.hasOwn(initializers, given)) return { name: given, init: initializers[given as InitializerName] }
  const known = Object.keys(initializers).join(", ")
  throw new TypeError(`dense: init must be a function or one of ${known}; got ${JSON.stringify(given)}`)
}

function wantWidth(what: string, n: unknown): void {
  if (!Number.isInteger(n) || (n as number) < 1) throw new TypeError(`dense: ${what} must be a whole number >= 1; got ${JSON.stringify(n)}`)
}

/**
 * A fully connected layer: y = x w + b, with x [batch, in], w [in, out], b [out] and y [batch, out]; x may have more leading axes.
 *
 * Parameters: `{ w, b }`, or `{ w }` without bias. Throws TypeError for widths that are not whole numbers and for unknown initializers.
 *
 * @example
 * const model = sequential(dense(784, 128, { init: "he" }), relu(), dense(128, 10))
 */
export function dense<const In extends number, const Out extends number>(
  inputs: In,
  outputs: Out,
  { bias = true, init = "glorot", dtype = "f32" }: DenseOptions = {},
): Dense<In, Out> {
  wantWidth("inputs", inputs)
  wantWidth("outputs", outputs)
  if (typeof bias !== "boolean") throw new TypeError(`dense: bias must be true or false; got ${JSON.stringify(bias)}`)
  if (dtype !== "f32" && dtype !== "f64") throw new TypeError(`dense: dtype must be "f32" or "f64"; got ${JSON.stringify(dtype)}`)
  const initializer = initializerOf(init)
  const config = { kind: "dense", inputs, outputs, bias, init: initializer.name, dtype } as const
  const affine = composite("dense", { inputs, outputs, bias }, (w: Tensor, b: Tensor | null, x: Tensor) =>
    b ? add(matmul(x, w), b) : matmul(x, w),
  )
  return {
    kind: "dense",
    in: inputs,
    out: outputs,
    config,
    init: (key, inShape) => {
      wantInputs(inputs, inShape)
      const w = initializer.init(key, [inputs, outputs], { dtype })
      return { params: bias ? { w, b: zeros([outputs], { dtype }) } : { w }, state: {} }
    },
    apply: ({ w, b }, state, x) => {
      const name = nameOf("dense")
      wantTensor(name, "the input", x)
      wantInputs(inputs, x.shape)
      wantTensor(name, "params.w", w)
      if (bias) wantTensor(name, "params.b", b)
      return [affine(w, bias ? (b as Tensor) : null, x), state]
    },
    outShape: inShape => {
      wantInputs(inputs, inShape)
      return [...inShape.slice(0, -1), outputs]
    },
  }
}

function wantInputs(inputs: number, shape: readonly number[]): void {
  if (shape.at(-1) !== inputs) throw widthError(nameOf("dense"), inputs, shape.at(-1))
}
