// Norms and shares of what a probe has read.
import type { TypedArray } from "../../core/dtype.ts"
import type { Tensor } from "../../core/tensor.ts"
import { leaves, paths, type Tree } from "../../core/tree.ts"
import type { LayerConfig } from "../../nn/index.ts"
import type { Readings, Site } from "./probe.ts"

/** A layer at one step. */
export interface SiteVitals {
  readonly place: string
  readonly kind: string
  /** The site whose output it reads; -1 is the input of the model. */
  readonly from: number
  readonly inner: boolean
  /** Root mean square of its outputs. */
  readonly rms: number
  /** L2 norm of the derivative of the loss by the output of one example. */
  readonly gradient: number
  readonly finite: boolean
  /** Share of elements at which the activation's derivative is nearly 0; absent for layers that are no activations. */
  readonly flat?: number
  /** Units at which it is nearly 0 for all examples. */
  readonly stuck?: readonly boolean[]
  /** Norm of the derivative by the input of the first time step over that of the last; for recurrent layers. */
  readonly growth?: number
}
/** A parameter at one step. */
export interface LeafVitals {
  /** Such as `layers.0.w`. */
  readonly path: string
  /** The layer's place, such as `layers.0`. */
  readonly place: string
  readonly shape: readonly number[]
  readonly rms: number
  readonly gradient: number
  /** What the optimizer adds; NaN where it is not known. */
  readonly update: number
  /** Whether there is a NaN or infinity in the gradient. */
  readonly finite: boolean
  /** All units have equal weights. */
  readonly equal: boolean
}
export interface Vitals {
  readonly step: number
  readonly loss: number
  readonly sites: readonly SiteVitals[]
  readonly leaves: readonly LeafVitals[]
  readonly output: OutputVitals
}
export interface OutputVitals {
  readonly rms: number
  readonly low: number
  readonly high: number
  /** Outputs are distributions: not negative, with sum 1. */
  readonly distributions: boolean
  /** Length of the last axis. */
  readonly units: number
}

/** Where the derivative of an activation is more than about a twentieth of its largest: pre-activations between these. */
const ALIVE: Readonly<Record<string, (config: LayerConfig) => readonly [low: number, high: number]>> = {
  logistic: () => [-4, 4],
  tanh: () => [-2.2, 2.2],
  softsign: () => [-3.5, 3.5],
  hardTanh: c => [c.low as number, c.high as number],
  hardSigmoid: () => [-3, 3],
  relu: () => [0, Infinity],
  relu6: () => [0, 6],
  hardSwish: () => [-3, Infinity],
  gelu: () => [-2.5, Infinity],
  swish: () => [-5, Infinity],
  mish: () => [-5, Infinity],
  softplus: c => [-3 / (c.beta as number), Infinity],
  elu: () => [-3, Infinity],
  selu: () => [-3, Infinity],
  celu: c => [-3 * (c.alpha as number), Infinity],
  logSigmoid: () => [-Infinity, 3],
}
/** Flat on both sides; the others are flat on one side and never saturate above. */
export const BOUNDED: ReadonlySet<string> = new Set(["logistic", "tanh", "softsign", "hardTanh", "hardSigmoid"])
export const isActivation = (kind: string): boolean => Object.hasOwn(ALIVE, kind)

/** Root mean square, in f64: gradients of deep networks have squares below what f32 can hold. */
export function rmsOf(x: TypedArray): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * x[i]!
  return Math.sqrt(sum / Math.max(1, x.length))
}

export function vitalsOf(
  step: number,
  sites: readonly Site[],
  readings: Readings,
  params: Tree,
  before: readonly TypedArray[],
  after: readonly TypedArray[] | undefined,
  inputs: TypedArray | null,
): Vitals {
  const values = readings.values.map(x => x.values())
  const seen = sites.map((site, i): SiteVitals => {
    const { place, layer, from, inner, features } = site
    const rms = rmsOf(values[i]!)
    const x = from < 0 ? inputs : values[from]!
    const time = readings.times[i]?.values()
    return {
      ...{ place, kind: layer.kind, from, inner, rms, finite: Number.isFinite(rms) },
      gradient: rmsOf(readings.cotangents[i]!.values()) * Math.sqrt(features),
      ...(isActivation(layer.kind) && x && flatness(x, readings.values[i]!.shape.at(-1)!, ALIVE[layer.kind]!(layer.config))),
      ...(time && time.length > 1 && { growth: growthOf(time, layer.config.reverse === true) }),
    }
  })
  const [names, tensors, grads] = [paths(params), leaves(params), leaves(readings.grads)]
  return {
    step,
    loss: readings.loss.item(),
    sites: seen,
    leaves: names.map((path, i) => leafVitals(path, tensors[i]!, before[i]!, after?.[i], grads[i]!.values())),
    output: outputVitals(readings.output),
  }
}

function flatness(x: TypedArray, units: number, [low, high]: readonly [number, number]): { flat: number; stuck: boolean[] } {
  const alive = new Uint8Array(units)
  let flat = 0
  for (let i = 0; i < x.length; i++) {
    if (x[i]! > low && x[i]! < high) alive[i % units] = 1
    else flat++
  }
  return { flat: flat / x.length, stuck: Array.from(alive, a => a === 0) }
}

/** The first of the steps through which the gradient has come last, over those through which it has come first. */
function growthOf(squares: TypedArray, reverse: boolean): number {
  const [first, last] = reverse ? [squares.at(-1)!, squares[0]!] : [squares[0]!, squares.at(-1)!]
  return last > 0 ? Math.sqrt(first / last) : 1
}

function leafVitals(path: string, { shape }: Tensor, before: TypedArray, after: TypedArray | undefined, grads: TypedArray): LeafVitals {
  let sum = after ? 0 : Number.NaN
  if (after) for (let i = 0; i < before.length; i++) sum += (after[i]! - before[i]!) ** 2
  const gradient = rmsOf(grads)
  return {
    ...{ path, place: placeOf(path), shape, rms: rmsOf(before), gradient },
    update: Math.sqrt(sum / Math.max(1, before.length)),
    finite: Number.isFinite(gradient),
    equal: equalColumns(before, shape),
  }
}

/** `layers.2.layers.0.w` is a parameter of `layers.2/layers.0`. */
export const placeOf = (path: string): string => (path.match(/^(layers\.\d+\.)+/)?.[0] ?? "").slice(0, -1).replaceAll(".layers", "/layers")

/** Whether all columns [.., units] are alike. */
function equalColumns(x: TypedArray, shape: readonly number[]): boolean {
  const units = shape.at(-1) ?? 1
  if (shape.length < 2 || units < 2) return false
  for (let i = 0; i < x.length; i++) if (x[i] !== x[i - (i % units)]) return false
  return true
}

function outputVitals(output: Tensor): OutputVitals {
  const [x, units] = [output.values(), output.shape.at(-1)!]
  let [low, high, off] = [Infinity, -Infinity, 0]
  for (let i = 0; i < x.length; i += units) {
    let sum = 0
    for (let j = i; j < i + units; j++) {
      low = Math.min(low, x[j]!)
      high = Math.max(high, x[j]!)
      sum += x[j]!
    }
    off = Math.max(off, Math.abs(sum - 1))
  }
  return { rms: rmsOf(x), low, high, distributions: units > 1 && low >= 0 && off < 1e-3, units }
}
