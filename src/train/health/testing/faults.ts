// Trainings with one planted fault each, in two architectures. What counts as found is written beside it.

import type { Shape } from "../../../core/aval.ts"
import {
  add,
  cast,
  div,
  exp,
  expandDims,
  less,
  log,
  mul,
  neg,
  pow,
  slice,
  sqrt,
  stopGradient,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
} from "../../../index.ts"
import { binaryCrossEntropy, crossEntropy, hinge, squaredError } from "../../../losses.ts"
import {
  conv2d,
  dense,
  flatten,
  gelu,
  gru,
  hardTanh,
  initializers,
  type Layer,
  lambda,
  logistic,
  lstm,
  relu,
  rnn,
  sequential,
  softmax,
  tanh,
} from "../../../nn.ts"
import { adam, adamw, momentum, sgd } from "../../../optim.ts"
import type { FitOptions } from "../../fit.ts"
import type { Dataset } from "../../rows.ts"
import type { Cause, FindingKind } from "../findings.ts"
import { classes, images, numbers, oneHots, sequences, yesNo } from "./data.ts"
import type { Case } from "./healthy.ts"

export interface Fault {
  readonly name: string
  /** Kinds of which one names the fault. */
  readonly kinds: readonly FindingKind[]
  readonly causes: readonly Cause[]
  /** In each architecture: the layer that must be named, or several that may be; absent where the whole training is meant. */
  readonly layers?: readonly [string | RegExp, string | RegExp]
  readonly make: readonly [(seed: number) => Case, (seed: number) => Case]
}

const cross = (optimizer: FitOptions["optimizer"] = adam(0.01), epochs = 20): FitOptions => ({ loss: crossEntropy, optimizer, epochs })
const square = (optimizer: FitOptions["optimizer"] = adam(0.01), epochs = 20): FitOptions => ({ loss: squaredError, optimizer, epochs })

type Given = Parameters<typeof dense>[2]
/** Glorot weights times a factor. */
const times = (factor: number): Given => ({ init: (key, shape, options) => mul(initializers.glorotUniform(key, shape, options), factor) })
const constant = (value: number): Given => ({
  init: (_key, shape) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value), { shape: [...shape] }),
})
/** The model with other first parameters at some paths, such as `layers.0.b`. */
function started<M extends Layer>(model: M, changes: Readonly<Record<string, (x: Tensor) => Tensor>>): M {
  const change = (tree: any, path: string): any => {
    if (changes[path]) return changes[path](tree)
    if (Array.isArray(tree)) return tree.map((t, i) => change(t, `${path}.${i}`))
    if (Object.getPrototypeOf(tree) !== Object.prototype) return tree
    return Object.fromEntries(Object.entries(tree).map(([k, t]) => [k, change(t, path ? `${path}.${k}` : k)]))
  }
  return {
    ...model,
    init(key: Tensor, inShape: Shape) {
      const { params, state } = model.init(key, inShape)
      return { params: change(params, ""), state }
    },
  }
}
const he = { init: "he" } as const
const deep = (n: number, act: () => Layer, given: Given, out: number): any =>
  sequential(
    ...([dense(6, 8, given), act(), ...Array.from({ length: n - 1 }, () => [dense(8, 8, given), act()]).flat(), dense(8, out)] as any),
  )
const mlp = (out = 3) => sequential(dense(6, 24, he), relu(), dense(24, 16, he), relu(), dense(16, out))
const tanhs = (out = 1) => sequential(dense(6, 24), tanh(), dense(24, 16), tanh(), dense(16, out))
const convs = () => sequential(conv2d(1, 8, 3, he), relu(), flatten(), dense(288, 2))

/** The thresholds were chosen with these and the healthy trainings only. */
export const FIRST: readonly Fault[] = [
  {
    name: "30 layers of logistic units",
    kinds: ["vanishing"],
    causes: ["activation derivative"],
    layers: ["layers.0", "layers.0"],
    make: [
      seed => ({ model: deep(30, logistic, {}, 3), data: classes(seed), options: cross() }),
      seed => ({ model: deep(30, logistic, { init: "lecunNormal" }, 1), data: numbers(seed), options: square(momentum(0.03)) }),
    ],
  },
  {
    name: "weights of one layer x 100",
    kinds: ["weights too large"],
    causes: ["weight"],
    layers: ["layers.2", "layers.0"],
    make: [
      seed => ({ model: started(mlp(), { "layers.2.w": w => mul(w, 100) }), data: classes(seed), options: cross() }),
      seed => ({ model: started(tanhs(), { "layers.0.w": w => mul(w, 100) }), data: numbers(seed), options: square() }),
    ],
  },
  {
    name: "weights x 0.001",
    kinds: ["weights too small"],
    causes: ["weight"],
    layers: ["layers.2", "layers.0"],
    make: [
      seed => ({ model: started(mlp(), { "layers.2.w": w => mul(w, 0.001) }), data: classes(seed), options: cross() }),
      seed => ({ model: started(convs(), { "layers.0.w": w => mul(w, 0.001) }), data: images(seed), options: cross(adam(0.01), 10) }),
    ],
  },
  {
    name: "rate too high",
    kinds: ["rate too high", "divergence"],
    causes: ["learning rate"],
    make: [
      seed => ({ model: mlp(), data: classes(seed), options: cross(adam(2)) }),
      seed => ({ model: tanhs(), data: numbers(seed), options: square(sgd(3)) }),
    ],
  },
  {
    name: "rate too low",
    kinds: ["rate too low"],
    causes: ["learning rate"],
    make: [
      seed => ({ model: mlp(), data: classes(seed), options: cross(adam(1e-7)) }),
      seed => ({ model: tanhs(), data: numbers(seed), options: square(sgd(1e-7)) }),
    ],
  },
  {
    name: "dead rectified units",
    kinds: ["dead units"],
    causes: ["bias"],
    layers: ["layers.1", "layers.1"],
    make: [
      seed => ({ model: started(mlp(), { "layers.0.b": b => sub(b, 30) }), data: classes(seed), options: cross() }),
      seed => ({ model: started(convs(), { "layers.0.b": b => sub(b, 10) }), data: images(seed), options: cross(adam(0.01), 10) }),
    ],
  },
  {
    name: "inputs not standardised",
    kinds: ["input scale"],
    causes: ["input scale"],
    layers: ["layers.0", "layers.0"],
    make: [
      seed => ({ model: mlp(), data: classes(seed, x => x.map(r => r.map(v => 300 * v))), options: cross() }),
      seed => ({ model: tanhs(), data: numbers(seed, x => x.map(r => r.map((v, i) => (i === 2 ? 2000 + v : v)))), options: square() }),
    ],
  },
  {
    name: "logarithm of 0",
    kinds: ["not finite"],
    causes: ["operation"],
    layers: ["layers.2", /^$/],
    make: [
      seed => ({
        model: sequential(
          dense(6, 16, he),
          relu(),
          lambda(x => log(x)),
          dense(16, 3),
        ),
        data: classes(seed),
        options: cross(),
      }),
      seed => ({
        model: sequential(dense(6, 16, he), relu(), dense(16, 1), logistic()),
        data: yesNo(seed, 0, 1, x => x.map(r => r.map(v => 8 * v))),
        options: { ...cross(adam(0.5), 30), loss: (o, t) => neg(sum(add(mul(t, log(o)), mul(sub(1, t), log(sub(1, o)))))) },
      }),
    ],
  },
  {
    name: "root at 0",
    kinds: ["not finite"],
    causes: ["operation"],
    layers: ["layers.3", "layers.1"],
    make: [
      // the length of a vector that is 0
      seed => ({
        model: sequential(
          dense(6, 16, he),
          relu(),
          dense(16, 8, { init: "zeros" }),
          lambda(x => sqrt(sum(mul(x, x), { axis: -1, keepdims: true }))),
          dense(1, 3),
        ),
        data: classes(seed),
        options: cross(),
      }),
      seed => ({
        model: sequential(
          dense(6, 16),
          lambda(x => sqrt(sub(x, x))),
          dense(16, 1),
        ),
        data: numbers(seed),
        options: square(),
      }),
    ],
  },
  {
    name: "softmax by hand overflows",
    kinds: ["not finite"],
    causes: ["operation"],
    layers: ["layers.3", /^$/],
    make: [
      seed => ({
        model: sequential(
          dense(6, 16, he),
          relu(),
          dense(16, 3),
          lambda(x => div(exp(x), sum(exp(x), { axis: -1, keepdims: true }))),
        ),
        data: classes(seed, x => x.map(r => r.map(v => 9 * v))),
        options: { ...cross(adam(0.5), 60), loss: (o, t) => crossEntropy(log(add(o, 1e-7)), t) },
      }),
      seed => ({
        model: sequential(dense(6, 3)),
        data: classes(seed, x => x.map(r => r.map(v => 9 * v))),
        options: {
          ...cross(adam(2), 60),
          loss: (o, t) => neg(sum(mul(log(div(exp(o), sum(exp(o), { axis: -1, keepdims: true }))), oneHotOf(t)))),
        },
      }),
    ],
  },
  {
    name: "softmax before a loss from logits",
    kinds: ["wrong loss"],
    causes: ["loss"],
    layers: ["layers.5", "layers.4"],
    make: [
      seed => ({
        model: sequential(dense(6, 24, he), relu(), dense(24, 16, he), relu(), dense(16, 3), softmax()),
        data: classes(seed),
        options: cross(),
      }),
      seed => ({
        model: sequential(conv2d(1, 8, 3, he), relu(), flatten(), dense(288, 2), softmax()),
        data: images(seed),
        options: cross(adam(0.01), 10),
      }),
    ],
  },
  {
    name: "a column that never changes",
    kinds: ["constant input"],
    causes: ["inputs"],
    layers: ["layers.0", "layers.0"],
    make: [
      seed => ({ model: mlp(), data: classes(seed, x => x.map(r => r.with(1, 5))), options: cross() }),
      seed => ({ model: tanhs(), data: numbers(seed, x => x.map(r => r.with(4, 0))), options: square() }),
    ],
  },
  {
    name: "exploding through time",
    kinds: ["exploding", "weights too large"],
    causes: ["weight"],
    layers: ["layers.0", "layers.0"],
    make: [
      seed => ({
        model: started(sequential(lstm(2, 16), dense(16, 2)), { "layers.0.wh": w => mul(w, 30) }),
        data: sequences(seed),
        options: cross(),
      }),
      seed => ({
        model: started(sequential(rnn(2, 16, { activation: "relu" }), dense(16, 2)), { "layers.0.wh": w => mul(w, 8) }),
        data: sequences(seed),
        options: cross(sgd(0.001)),
      }),
    ],
  },
  {
    name: "all weights 0",
    kinds: ["symmetry"],
    causes: ["weight"],
    layers: ["layers.0", /^layers\.[02]$/],
    make: [
      seed => ({
        model: sequential(dense(6, 16, { init: "zeros" }), tanh(), dense(16, 3, { init: "zeros" })),
        data: classes(seed),
        options: cross(),
      }),
      seed => ({
        model: sequential(
          dense(6, 16, { init: "zeros" }),
          relu(),
          dense(16, 16, { init: "zeros" }),
          relu(),
          dense(16, 1, { init: "zeros" }),
        ),
        data: numbers(seed),
        options: square(),
      }),
    ],
  },
  {
    name: "tanh saturated by inputs",
    kinds: ["saturation", "paralysis"],
    causes: ["input scale"],
    layers: ["layers.1", "layers.1"],
    make: [
      seed => ({ model: tanhs(3), data: classes(seed, x => x.map(r => r.map(v => 40 * v))), options: cross() }),
      seed => ({
        model: sequential(dense(6, 16), logistic(), dense(16, 1)),
        data: numbers(seed, x => x.map(r => r.map(v => 100 * v))),
        options: square(),
      }),
    ],
  },
]

/** Written after the thresholds. */
export const SECOND: readonly Fault[] = [
  {
    name: "logistic output for targets out of its reach",
    kinds: ["wrong loss"],
    causes: ["targets"],
    layers: ["layers.3", "layers.5"],
    make: [
      seed => ({ model: sequential(dense(6, 16), tanh(), dense(16, 1), logistic()), data: numbers(seed), options: square() }),
      seed => ({
        model: sequential(dense(6, 16, he), gelu(), dense(16, 8), tanh(), dense(8, 1), tanh()),
        data: numbers(
          seed,
          x => x,
          y => 3 * y,
        ),
        options: square(),
      }),
    ],
  },
  {
    name: "binary cross-entropy of -1 and 1",
    kinds: ["wrong loss"],
    causes: ["targets"],
    make: [
      seed => ({ model: tanhs(), data: yesNo(seed, -1, 1), options: { ...cross(), loss: binaryCrossEntropy } }),
      seed => ({ model: mlp(1), data: yesNo(seed, 1, 2), options: { ...cross(), loss: binaryCrossEntropy } }),
    ],
  },
  {
    name: "a missing number in the inputs",
    kinds: ["not finite"],
    causes: ["inputs"],
    layers: ["input", "input"],
    make: [
      seed => ({ model: mlp(), data: classes(seed, x => x.map((r, i) => (i === 100 ? r.with(2, Number.NaN) : r))), options: cross() }),
      seed => ({
        model: tanhs(),
        data: numbers(seed, x => x.map((r, i) => (i === 7 ? r.with(0, Number.POSITIVE_INFINITY) : r))),
        options: square(),
      }),
    ],
  },
  {
    name: "classes counted from 1",
    kinds: ["wrong loss"],
    causes: ["targets"],
    make: [
      seed => ({ model: mlp(), data: fromOne(classes(seed)), options: cross() }),
      seed => ({ model: convs(), data: fromOne(images(seed)), options: cross(adam(0.01), 10) }),
    ],
  },
  {
    name: "targets not standardised",
    kinds: ["target scale"],
    causes: ["targets"],
    make: [
      seed => ({
        model: mlp(1),
        data: numbers(
          seed,
          x => x,
          y => 1e4 * y,
        ),
        options: square(),
      }),
      seed => ({
        model: tanhs(),
        data: numbers(
          seed,
          x => x,
          y => 250 + y,
        ),
        options: square(sgd(0.01)),
      }),
    ],
  },
  {
    name: "all weights equal",
    kinds: ["symmetry"],
    causes: ["weight"],
    layers: ["layers.0", "layers.2"],
    make: [
      seed => ({
        model: sequential(dense(6, 16, constant(0.3)), tanh(), dense(16, 1, constant(0.2))),
        data: numbers(seed),
        options: square(),
      }),
      seed => ({
        model: sequential(dense(6, 16, he), relu(), dense(16, 16, constant(0.1)), relu(), dense(16, 3, constant(0.1))),
        data: classes(seed),
        options: cross(),
      }),
    ],
  },
  {
    name: "rectified units killed by a step",
    kinds: ["dead units", "rate too high", "divergence"],
    causes: ["learning rate"],
    make: [
      seed => ({ model: mlp(1), data: numbers(seed), options: square(momentum(1)) }),
      seed => ({ model: convs(), data: images(seed), options: cross(sgd(30), 10) }),
    ],
  },
  {
    name: "gradient cut off",
    kinds: ["vanishing"],
    causes: ["weight", "activation derivative", "operation"],
    layers: ["layers.2", "layers.1"],
    make: [
      seed => ({
        model: sequential(
          dense(6, 16),
          tanh(),
          lambda(x => stopGradient(x)),
          dense(16, 3),
        ),
        data: classes(seed),
        options: cross(),
      }),
      seed => ({
        model: sequential(
          lstm(2, 12),
          lambda(x => mul(x, 0)),
          dense(12, 2),
        ),
        data: sequences(seed),
        options: cross(),
      }),
    ],
  },
  {
    name: "gradient explodes by weights x 3",
    kinds: ["exploding", "weights too large"],
    causes: ["weight"],
    layers: [/^layers\.\d+$/, /^layers\.\d+$/],
    make: [
      seed => ({ model: deep(10, relu, times(4), 3), data: classes(seed), options: cross() }),
      seed => ({ model: deep(12, () => lambda(x => mul(x, 1)), times(3), 1), data: numbers(seed), options: square(sgd(1e-9)) }),
    ],
  },
  {
    name: "gradient vanishes by weights x 0.2",
    kinds: ["vanishing"],
    causes: ["weight"],
    layers: ["layers.0", "layers.0"],
    make: [
      seed => ({ model: deep(10, relu, times(0.2), 3), data: classes(seed), options: cross() }),
      seed => ({ model: deep(10, tanh, times(0.2), 1), data: numbers(seed), options: square() }),
    ],
  },
  {
    name: "division by 0",
    kinds: ["not finite"],
    causes: ["operation"],
    layers: ["layers.2", "layers.0"],
    make: [
      // shares of a sum that is 0
      seed => ({
        model: started(
          sequential(
            dense(6, 16, he),
            relu(),
            lambda(x => div(x, sum(x, { axis: -1, keepdims: true }))),
            dense(16, 3),
          ),
          { "layers.0.b": b => sub(b, 30) },
        ),
        data: classes(seed),
        options: cross(),
      }),
      seed => ({
        model: sequential(
          lambda(x => div(1, x)),
          dense(12, 8),
          tanh(),
          dense(8, 3),
        ),
        data: oneHots(seed),
        options: cross(),
      }),
    ],
  },
  {
    name: "exp overflows",
    kinds: ["not finite"],
    causes: ["operation"],
    layers: ["layers.1", "layers.3"],
    make: [
      seed => ({
        model: sequential(
          dense(6, 16, he),
          lambda(x => exp(mul(x, 60))),
          dense(16, 3),
        ),
        data: classes(seed),
        options: cross(),
      }),
      seed => ({
        model: sequential(
          dense(6, 16),
          tanh(),
          dense(16, 1),
          lambda(x => exp(mul(x, 200))),
        ),
        data: numbers(seed),
        options: square(),
      }),
    ],
  },
  {
    name: "power of negative numbers",
    kinds: ["not finite"],
    causes: ["operation"],
    layers: ["layers.1", "layers.3"],
    make: [
      seed => ({
        model: sequential(
          dense(6, 16),
          lambda(x => pow(x, 0.5)),
          dense(16, 3),
        ),
        data: classes(seed),
        options: cross(),
      }),
      seed => ({
        model: sequential(
          dense(6, 16),
          tanh(),
          dense(16, 16),
          lambda(x => pow(x, 1.5)),
          dense(16, 1),
        ),
        data: numbers(seed),
        options: square(),
      }),
    ],
  },
  {
    name: "weight decay far too strong",
    kinds: ["weights too small"],
    causes: ["weight decay"],
    layers: [/^layers\.\d+$/, /^layers\.\d+$/],
    make: [
      seed => ({ model: mlp(), data: classes(seed), options: cross(adamw(0.01, { weightDecay: 20 }), 30) }),
      seed => ({ model: tanhs(), data: numbers(seed), options: square(sgd(0.05, { weightDecay: 3 }), 30) }),
    ],
  },
  {
    name: "tiny inputs",
    kinds: ["input scale"],
    causes: ["input scale"],
    layers: ["layers.0", "layers.0"],
    make: [
      seed => ({ model: mlp(), data: classes(seed, x => x.map(r => r.map(v => v / 1e4))), options: cross() }),
      seed => ({ model: convs(), data: images(seed, p => p / 255), options: cross(adam(0.01), 10) }),
    ],
  },
  {
    name: "cross-entropy of one class",
    kinds: ["wrong loss"],
    causes: ["loss", "targets"],
    make: [
      seed => ({ model: mlp(1), data: { ...classes(seed), y: mul(classes(seed).y as Tensor, 0) }, options: cross() }),
      seed => ({ model: tanhs(1), data: yesNo(seed), options: cross() }),
    ],
  },
  {
    name: "logits behind an activation",
    kinds: ["wrong loss"],
    causes: ["loss"],
    layers: ["layers.3", "layers.2"],
    make: [
      seed => ({ model: sequential(dense(6, 16, he), relu(), dense(16, 3), relu()), data: classes(seed), options: cross() }),
      seed => ({
        model: sequential(gru(2, 8), dense(8, 1), logistic()),
        data: { ...sequences(seed), y: asNumbers(sequences(seed).y as Tensor) },
        options: { ...cross(), loss: binaryCrossEntropy },
      }),
    ],
  },
  {
    name: "no rate at all",
    kinds: ["rate too low"],
    causes: ["learning rate"],
    make: [
      seed => ({ model: mlp(), data: classes(seed), options: cross(adam(0)) }),
      seed => ({ model: convs(), data: images(seed), options: cross(sgd(0), 20) }),
    ],
  },
  {
    name: "saturated by biases",
    kinds: ["saturation", "paralysis"],
    causes: ["bias"],
    layers: ["layers.1", "layers.3"],
    make: [
      seed => ({ model: started(tanhs(3), { "layers.0.b": b => add(b, 12) }), data: classes(seed), options: cross() }),
      seed => ({
        model: started(sequential(dense(6, 16), hardTanh(), dense(16, 16), logistic(), dense(16, 1)), { "layers.2.b": b => sub(b, 20) }),
        data: numbers(seed),
        options: square(),
      }),
    ],
  },
  {
    name: "wrong sign of the loss",
    kinds: ["divergence"],
    causes: ["loss"],
    make: [
      seed => ({ model: mlp(), data: classes(seed), options: { ...cross(adam(0.03)), loss: (o, t) => neg(crossEntropy(o, t)) } }),
      seed => ({ model: tanhs(), data: numbers(seed), options: { ...square(adam(0.1), 40), loss: (o, t) => neg(squaredError(o, t)) } }),
    ],
  },
  {
    name: "several classes at once with cross-entropy",
    kinds: ["wrong loss"],
    causes: ["targets"],
    make: [
      seed => ({ model: mlp(), data: several(seed), options: cross() }),
      seed => ({ model: tanhs(3), data: several(seed), options: cross() }),
    ],
  },
  {
    name: "hinge of 0 and 1",
    kinds: ["wrong loss"],
    causes: ["targets"],
    make: [
      seed => ({ model: tanhs(), data: yesNo(seed), options: { ...cross(), loss: hinge } }),
      seed => ({ model: mlp(1), data: yesNo(seed), options: { ...cross(), loss: hinge } }),
    ],
  },
]
const fromOne = ({ x, y }: Dataset): Dataset => ({ x, y: add(y as Tensor, 1) })
const asNumbers = (y: Tensor): Tensor => cast(expandDims(y, -1), "f32")
/** Three answers of yes or no to each row. */
function several(seed: number): Dataset {
  const { x } = classes(seed)
  return { x, y: cast(less(0, slice(x as Tensor, ":", [0, 3])), "f32") }
}
/** One-hot rows of three classes. */
function oneHotOf(t: Tensor): Tensor {
  return take(tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]]), t) // biome-ignore format: a matrix
}
