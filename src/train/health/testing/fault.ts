// A planted fault, in two architectures, and what they are built of. What counts as found is written beside it.
import type { Shape } from "../../../core/aval.ts"
import { add, mul, type Tensor, tensor } from "../../../index.ts"
import { crossEntropy, squaredError } from "../../../losses.ts"
import { conv2d, dense, flatten, initializers, type Layer, relu, sequential, tanh } from "../../../nn.ts"
import { adam } from "../../../optim.ts"
import type { FitOptions } from "../../options.ts"
import type { Dataset } from "../../rows.ts"
import type { Cause, FindingKind } from "../finding.ts"
import type { Change } from "./data.ts"
import type { Case } from "./healthy.ts"

interface Planted {
  /** The layer that must be named, or several that may be; absent where the whole training is meant. */
  readonly layer?: string | RegExp
  readonly make: (seed: number) => Case
}
export interface Fault {
  readonly name: string
  /** Kinds of which one names the fault. */
  readonly kinds: readonly FindingKind[]
  readonly causes: readonly Cause[]
  readonly architectures: readonly [Planted, Planted]
  /** The thresholds were chosen without it. */
  readonly heldOut: boolean
}
type Making = (
  name: string,
  kinds: readonly FindingKind[],
  causes: readonly Cause[],
  ...architectures: readonly [Planted, Planted]
) => Fault
/** One of those that, with the healthy trainings, the thresholds were chosen by. */
export const fault: Making = (name, kinds, causes, ...architectures) => ({ name, kinds, causes, architectures, heldOut: false })
/** One that was written after the thresholds. */
export const heldOut: Making = (...given) => ({ ...fault(...given), heldOut: true })

type Data = (seed: number) => Dataset
/** A fault of a layer. */
export const at = (layer: string | RegExp, model: Layer, data: Data, options: FitOptions): Planted => ({
  ...throughout(model, data, options),
  layer,
})
/** A fault of the whole training. */
export const throughout = (model: Layer, data: Data, options: FitOptions): Planted => ({
  make: seed => ({ model, data: data(seed), options }),
})

// Models

export const he = { init: "he" } as const
export const mlp = (out = 3) => sequential(dense(6, 24, he), relu(), dense(24, 16, he), relu(), dense(16, out))
export const tanhs = (out = 1) => sequential(dense(6, 24), tanh(), dense(24, 16), tanh(), dense(16, out))
export const convs = () => sequential(conv2d(1, 8, 3, he), relu(), flatten(), dense(288, 2))
export const deep = (n: number, act: () => Layer, given: Given, out: number): any =>
  sequential(
    ...([dense(6, 8, given), act(), ...Array.from({ length: n - 1 }, () => [dense(8, 8, given), act()]).flat(), dense(8, out)] as any),
  )

type Given = Parameters<typeof dense>[2]
/** Glorot weights times a factor. */
export const times = (factor: number): Given => ({
  init: (key, shape, options) => mul(initializers.glorotUniform(key, shape, options), factor),
})
export const constant = (value: number): Given => ({
  init: (_key, shape) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value), { shape: [...shape] }),
})
/** The model with other first parameters at a path, such as `layers.0.b`. */
function started(model: Layer, where: string, change: (x: Tensor) => Tensor): Layer {
  const changed = (tree: any, path: string): any => {
    if (path === where) return change(tree)
    if (Array.isArray(tree)) return tree.map((t, i) => changed(t, `${path}.${i}`))
    if (Object.getPrototypeOf(tree) !== Object.prototype) return tree
    return Object.fromEntries(Object.entries(tree).map(([k, t]) => [k, changed(t, path ? `${path}.${k}` : k)]))
  }
  return {
    ...model,
    init(key: Tensor, inShape: Shape) {
      const { params, state } = model.init(key, inShape)
      return { params: changed(params, ""), state }
    },
  }
}
export const multiplied = (model: Layer, where: string, factor: number): Layer => started(model, where, x => mul(x, factor))
export const shifted = (model: Layer, where: string, by: number): Layer => started(model, where, x => add(x, by))

// Data

/** Rows whose inputs the network sees changed. */
export const seen =
  (data: (seed: number, change: Change) => Dataset, change: Change): Data =>
  seed =>
    data(seed, change)
export const scaled =
  (factor: number): Change =>
  x =>
    x.map(row => row.map(v => factor * v))

// Options

type Optimizer = FitOptions["optimizer"]
export const by = (loss: FitOptions["loss"], optimizer: Optimizer = adam(0.01), epochs = 20): FitOptions => ({ loss, optimizer, epochs })
export const cross = (optimizer?: Optimizer, epochs?: number): FitOptions => by(crossEntropy, optimizer, epochs)
export const square = (optimizer?: Optimizer, epochs?: number): FitOptions => by(squaredError, optimizer, epochs)
/** Cross-entropy with fewer epochs, as images take longer. */
export const ofImages = (optimizer?: Optimizer): FitOptions => cross(optimizer, 10)
