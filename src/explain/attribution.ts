// Which inputs an answer comes from: attributions by gradients.
import { type Shape, size } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import { allocate, isFloating } from "../core/dtype.ts"
import { Tensor } from "../core/tensor.ts"
import { cast, mul } from "../ops/arithmetic.ts"
import { sum } from "../ops/reduction.ts"
import { reshape } from "../ops/shape.ts"
import { jit } from "../runtime/jit.ts"
import type { TrainedModel } from "../train/trained.ts"
import { grad } from "../transforms/grad.ts"
import { gaussLegendre } from "./quadrature.ts"

/** Outputs [batch, ...] of inputs [batch, ...], each row by itself: a trained model, or a function. */
export type Attributed = Pick<TrainedModel, "model" | "params" | "state"> | ((x: Tensor) => Tensor)

/** What attributions may be told. */
export interface AttributionOptions {
  /**
   * The output that is attributed, its place among the outputs of a row from 0; a list has one for each row. Default: each row's largest one, which
   * of logits is the predicted class.
   */
  readonly target?: number | ArrayLike<number>
}
export interface IntegratedGradientsOptions extends AttributionOptions {
  /** What the inputs are compared with: like x, or like one row of it. Default: zeros. */
  readonly baseline?: Tensor
  /** Gradients between baseline and input. Default: 50. */
  readonly steps?: number
}

/** What each input contributes. */
export interface Attributions {
  /** Of the shape of x, in the unit of the output. */
  readonly attributions: Tensor
  /** [batch] the outputs that are attributed, as places among the outputs of a row. */
  readonly targets: Int32Array
  /** [batch] f(x) */
  readonly outputs: Float64Array
  /** [batch] f(baseline) */
  readonly baselines: Float64Array
  /** [batch] sum of attributions - (f(x) - f(baseline)): how far the attributions are from adding up. */
  readonly gap: Float64Array
}

/**
 * The gradient of an output times the input: a_i = x_i df(x)/dx_i.
 *
 * It is what the output would lose if x_i went to 0 along the tangent. For a linear function it adds up exactly; where units are saturated it
 * misses what integrated gradients find. The gap is against a baseline of zeros.
 *
 * Source: Shrikumar, Greenside, Shcherbina, Kundaje 2016, "Not just a black box"; Ancona et al. 2018 compare the methods.
 *
 * @param x [batch, ...] inputs of a floating dtype
 * @throws TypeError for inputs without gradients, RangeError for a target that is no output.
 *
 * @example
 * const f = (x: Tensor) => matmul(x, tensor([[3], [-1]]))
 * gradientTimesInput(f, tensor([[2, 5]])).attributions  // [[6, -5]]
 */
export function gradientTimesInput(model: Attributed, x: Tensor, options: AttributionOptions = {}): Attributions {
  const f = new Outputs("gradientTimesInput", model, x, options)
  const zeros = new Float64Array(x.size)
  return f.attributed(f.gradient(f.x), zeros)
}

/**
 * Integrated gradients: a_i = (x_i - b_i) times the mean of df/dx_i along the straight line from a baseline b to x.
 *
 * The attributions add up to f(x) - f(b); `gap` says how far the numerical integral is from that, so more `steps` can be asked for. The rule is
 * Gauss-Legendre: on smooth networks a few nodes reach rounding errors, where the trapezoid rule with as many gradients is off by 1 / steps². With
 * kinks (relu) both are off by about 1 / steps.
 *
 * Source: Sundararajan, Taly, Yan 2017, "Axiomatic attribution for deep networks", equations 1 and 3.
 *
 * @param x [batch, ...] inputs of a floating dtype
 * @throws TypeError for inputs without gradients or a baseline of another form, RangeError for a target that is no output, or steps below 1.
 *
 * @example
 * const product = (x: Tensor) => prod(x, { axis: 1 })
 * integratedGradients(product, tensor([[2, 5]])).attributions  // [[5, 5]]
 */
export function integratedGradients(model: Attributed, x: Tensor, options: IntegratedGradientsOptions = {}): Attributions {
  const { steps = 50, baseline } = options
  if (!Number.isInteger(steps) || steps < 1) throw new RangeError(`integratedGradients: steps must be a whole number from 1; got ${steps}`)
  const f = new Outputs("integratedGradients", model, x, options)
  const base = baselineOf(x, baseline)
  const { nodes, weights } = gaussLegendre(steps)
  const mean = new Float64Array(x.size)
  const at = new Float64Array(x.size)
  for (let k = 0; k < steps; k++) {
    for (let i = 0; i < at.length; i++) at[i] = base[i]! + nodes[k]! * (f.x[i]! - base[i]!)
    const slopes = f.gradient(at)
    for (let i = 0; i < mean.length; i++) mean[i]! += weights[k]! * slopes[i]!
  }
  return f.attributed(mean, base)
}

/** [x.size] the baseline for all rows. */
function baselineOf(x: Tensor, baseline: Tensor | undefined): Float64Array {
  const whole = new Float64Array(x.size)
  if (baseline === undefined) return whole
  const row = x.size / x.shape[0]!
  const given = baseline instanceof Tensor ? baseline.shape.join() : ""
  const each = given === x.shape.slice(1).join() || given === [1, ...x.shape.slice(1)].join()
  if (!(baseline instanceof Tensor) || !(each || given === x.shape.join()))
    throw new TypeError(`integratedGradients: the baseline must be a tensor of shape [${x.shape}] or [${x.shape.slice(1)}]; got [${given}]`)
  const values = baseline.values()
  for (let i = 0; i < whole.length; i++) whole[i] = Number(values[values.length === whole.length ? i : i % row])
  return whole
}

/** The outputs of a model that are attributed, as functions of the inputs. */
class Outputs {
  /** The inputs as numbers. */
  readonly x: Float64Array
  private readonly shape: Shape
  private readonly dtype: Tensor["dtype"]
  private readonly targets: Int32Array
  private readonly mask: Tensor
  private readonly forward: (x: Tensor) => Tensor
  private readonly slope: (x: Tensor) => Tensor

  constructor(name: string, model: Attributed, x: Tensor, { target }: AttributionOptions) {
    if (!(x instanceof Tensor) || !isFloating(x.dtype) || x.ndim < 2)
      throw new TypeError(
        `${name}: x must be a tensor of numbers with gradients, [batch, ...]; got ${x instanceof Tensor ? `${x.dtype}[${x.shape}]` : typeof x}`,
      )
    this.x = Float64Array.from(x.values() as ArrayLike<number>)
    ;[this.shape, this.dtype] = [x.shape, x.dtype]
    const batch = x.shape[0]!
    const f = typeof model === "function" ? jit(model) : applied(model)
    this.forward = (x: Tensor): Tensor => {
      const y = f(x)
      return reshape(y, [batch, size(y.shape) / batch])
    }
    const outputs = this.forward(x)
    const width = outputs.shape[1]!
    this.targets = targetsOf(name, target, outputs.values() as ArrayLike<number>, batch, width)
    const mask = new Float32Array(batch * width)
    this.targets.forEach((t, row) => (mask[row * width + t] = 1))
    this.mask = fromArray(mask, { shape: [batch, width], dtype: "f32" })
    // rows do not depend on each other, so one backward pass of the sum has the gradients of all
    this.slope = jit(grad((x: Tensor) => sum(mul(this.forward(x), cast(this.mask, outputs.dtype)))))
  }

  private tensor(values: Float64Array): Tensor {
    const array = allocate(this.dtype, values.length)
    array.set(values)
    return fromArray(array, { shape: this.shape, dtype: this.dtype })
  }
  /** [x.size] df/dx of the targets at other inputs. */
  gradient(at: Float64Array): ArrayLike<number> {
    return this.slope(this.tensor(at)).values() as ArrayLike<number>
  }
  private at(x: Float64Array): Float64Array {
    const y = this.forward(this.tensor(x))
    const values = y.values()
    return Float64Array.from(this.targets, (t, row) => Number(values[row * y.shape[1]! + t]))
  }

  /** Mean gradients between a baseline and x as attributions. */
  attributed(mean: ArrayLike<number>, base: Float64Array): Attributions {
    const each = this.x.map((x, i) => (x - base[i]!) * mean[i]!)
    const [outputs, baselines] = [this.at(this.x), this.at(base)]
    const row = each.length / outputs.length
    const gap = outputs.map((y, r) => each.subarray(r * row, (r + 1) * row).reduce((a, b) => a + b, 0) - (y - baselines[r]!))
    return { attributions: this.tensor(each), targets: this.targets, outputs, baselines, gap }
  }
}

function applied({ model, params, state }: Exclude<Attributed, (x: Tensor) => Tensor>): (x: Tensor) => Tensor {
  const f = jit((params: any, state: any, x: Tensor): Tensor => model.apply(params, state, x, { training: false })[0])
  return x => f(params, state, x)
}

/** [batch] the outputs that were asked for, or the largest ones. */
function targetsOf(
  name: string,
  target: AttributionOptions["target"],
  outputs: ArrayLike<number>,
  batch: number,
  width: number,
): Int32Array {
  const listed = typeof target === "object" ? target : undefined
  if (listed && listed.length !== batch)
    throw new RangeError(`${name}: target must have one output for each of ${batch} rows; got ${listed.length}`)
  return Int32Array.from({ length: batch }, (_, row) => {
    const t = listed?.[row] ?? (target as number | undefined) ?? largest(outputs, row, width)
    if (!Number.isInteger(t) || t < 0 || t >= width)
      throw new RangeError(`${name}: target must be an output, from 0 to ${width - 1}; got ${t}`)
    return t
  })
}
function largest(outputs: ArrayLike<number>, row: number, width: number): number {
  let best = 0
  for (let k = 1; k < width; k++) if (outputs[row * width + k]! > outputs[row * width + best]!) best = k
  return best
}
