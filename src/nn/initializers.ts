// Random values for new weights. `fanIn` and `fanOut` are the numbers of inputs and outputs that one weight's unit is joined to.
import type { Shape } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { mul } from "../ops/arithmetic.ts"
import { zeros as zerosOf } from "../ops/create.ts"
import { normal, uniform } from "../ops/random.ts"

export type FloatDtype = "f32" | "f64"

/** New weights of `shape`, [..., in, out], from a random key. */
export type Initializer = (key: Tensor, shape: Shape, options?: { readonly dtype?: FloatDtype }) => Tensor

/** Of [..., in, out]; leading axes are those of a convolution's window and count for both. */
function fans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2) throw new TypeError(`initializer: wants a shape [..., in, out]; got [${shape}]`)
  const window = shape.slice(0, -2).reduce((a, b) => a * b, 1)
  return { fanIn: window * shape.at(-2)!, fanOut: window * shape.at(-1)! }
}
type Variance = (fans: { fanIn: number; fanOut: number }) => number
const uniformOf =
  (variance: Variance): Initializer =>
  (key, shape, { dtype = "f32" } = {}) => {
    const limit = Math.sqrt(3 * variance(fans(shape)))
    return uniform(key, shape, { dtype, low: -limit, high: limit })
  }
const normalOf =
  (variance: Variance): Initializer =>
  (key, shape, { dtype = "f32" } = {}) =>
    mul(normal(key, shape, { dtype }), Math.sqrt(variance(fans(shape))))

const glorot: Variance = ({ fanIn, fanOut }) => 2 / (fanIn + fanOut)
const he: Variance = ({ fanIn }) => 2 / fanIn
const lecun: Variance = ({ fanIn }) => 1 / fanIn

/**
 * Uniform in [-a, a), a = sqrt(6 / (fanIn + fanOut)): variance 2 / (fanIn + fanOut), for logistic and tanh units.
 * Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010), equation 16.
 */
export const glorotUniform: Initializer = /*@__PURE__*/ uniformOf(glorot)
/** Normal with variance 2 / (fanIn + fanOut). Glorot and Bengio (2010), equation 12. */
export const glorotNormal: Initializer = /*@__PURE__*/ normalOf(glorot)
/**
 * Uniform in [-a, a), a = sqrt(6 / fanIn): variance 2 / fanIn, for rectified units.
 * He et al., Delving deep into rectifiers (2015), equation 10.
 */
export const heUniform: Initializer = /*@__PURE__*/ uniformOf(he)
/** Normal with variance 2 / fanIn. He et al. (2015), equation 10. */
export const heNormal: Initializer = /*@__PURE__*/ normalOf(he)
/**
 * Uniform in [-a, a), a = sqrt(3 / fanIn): variance 1 / fanIn.
 * LeCun, Bottou, Orr and Müller, Efficient BackProp (1998), section 4.6.
 */
export const lecunUniform: Initializer = /*@__PURE__*/ uniformOf(lecun)
/** Normal with variance 1 / fanIn. LeCun et al. (1998), section 4.6. */
export const lecunNormal: Initializer = /*@__PURE__*/ normalOf(lecun)
/** All weights 0: equal units stay equal for ever, so this is for biases and for linear models. */
export const zeros: Initializer = (_key, shape, options) => zerosOf(shape, options)

/** The initializers by the names that layers and saved models use; `glorot`, `he` and `lecun` are the uniform ones. */
export const initializers = {
  glorot: glorotUniform,
  he: heUniform,
  lecun: lecunUniform,
  glorotUniform,
  glorotNormal,
  heUniform,
  heNormal,
  lecunUniform,
  lecunNormal,
  zeros,
} as const
export type InitializerName = keyof typeof initializers

const CUSTOM = "custom"
/** Name and function of the initializer of a layer of this kind; a function that is not one of ours has no name that could be saved. */
export function namedInitializer(kind: string, given: unknown): { name: string; init: Initializer } {
  if (typeof given === "function") {
    const name = Object.entries(initializers).find(([, f]) => f === given)?.[0]
    return { name: name ?? CUSTOM, init: given as Initializer }
  }
  if (given === CUSTOM)
    return {
      name: CUSTOM,
      init() {
        throw new TypeError(
          `${kind}: its initializer was a function, which a saved model does not hold; use the saved parameters instead of init`,
        )
      },
    }
  if (typeof given === "string" && Object.hasOwn(initializers, given)) return { name: given, init: initializers[given as InitializerName] }
  const known = Object.keys(initializers).join(", ")
  throw new TypeError(`${kind}: init must be a function or one of ${known}; got ${JSON.stringify(given)}`)
}
