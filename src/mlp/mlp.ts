// A perceptron of logistic layers in two calls, as guides to backpropagation have it. What comes out is plain data.
import { whileLoop } from "../control/scan.ts"
import { tensor } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { treeMap } from "../core/tree.ts"
import { halfSquaredError } from "../losses/regression.ts"
import { product } from "../nn/dense.ts"
import { namedInitializer } from "../nn/initializers.ts"
import { greater, less, logicalAnd, sigmoid, zeros } from "../ops/index.ts"
import * as random from "../ops/random.ts"
import { jit } from "../runtime/jit.ts"
import { valueAndGrad } from "../transforms/grad.ts"
import { type Chain, chainOf } from "./chain.ts"
import { type TrainOptions, wantInputs, wantTraining } from "./wants.ts"

/** What `MLP.train` returns: numbers and lists of numbers, so that it can be kept as JSON. */
export interface TrainedMLP {
  /** Widths of all layers, from the inputs to the outputs. */
  readonly sizes: readonly number[]
  /** Connections between units, the sum of products of neighbouring widths. */
  readonly numberOfWeights: number
  /** `w` [in][out] and `b` [out] of each layer, first layer first; `b` is absent without biases. */
  readonly layers: readonly { readonly w: readonly (readonly number[])[]; readonly b?: readonly number[] }[]
  /** dE/dw at the end of the training for each matrix of weights, the last layer first, taken apart into its factors. */
  readonly derivativeChain: readonly Chain[]
  /** E at the end: the half squared error, summed over the outputs, the mean over the examples. */
  readonly error: number
  /** Outputs for the examples at the end, [example][output]. */
  readonly predictions: readonly (readonly number[])[]
  readonly elapsedIter: number
  readonly maxIter: number
  readonly learningRate: number
  /** Why it ended: the error came down to `tolerance`, or `maxIter` steps were done. */
  readonly stopped: "tolerance" | "maxIter"
  readonly trainingTimeSec: number
}

type Params = readonly { readonly w: Tensor; readonly b: Tensor | null }[]
interface Progress {
  readonly params: Params
  readonly slopes: Params
  readonly error: Tensor
  readonly iteration: Tensor
}

/** Iterations between two lines of `debug`. */
const REPORT = 100

function train(options: TrainOptions): TrainedMLP {
  const begin = performance.now()
  const { x, y, netArch, maxIter, learningRate, tolerance, bias, seed, debug } = wantTraining(options)
  const sizes = [x[0]!.length, ...netArch, y[0]!.length]
  const inputs = matrix(x)
  const targets = matrix(y)
  const examples = x.length
  const slopesOf = valueAndGrad((params: Params) => halfSquaredError(forward(params, inputs), targets, { reduction: "sum" }).div(examples))
  const at = (params: Params, iteration: Tensor): Progress => {
    const [error, slopes] = slopesOf(params)
    return { params, slopes, error, iteration }
  }
  const moved = (w: Tensor, g: Tensor): Tensor => w.sub(g.mul(learningRate))
  const stepped = (p: Progress): Progress => at(treeMap(moved, p.params, p.slopes), p.iteration.add(1))
  const goes = (p: Progress, until: Tensor): Tensor => logicalAnd(greater(p.error, tolerance), less(p.iteration, until))
  const run = jit((p: Progress, until: Tensor) => whileLoop(now => goes(now, until), stepped, p))

  let now = at(started(sizes, bias, seed), tensor(0, { dtype: "i32" }))
  for (let until = 0; until < maxIter && now.error.item() > tolerance; ) {
    until = Math.min(maxIter, until + REPORT)
    now = run(now, tensor(until, { dtype: "i32" }))
    if (debug) console.log(`iteration ${now.iteration.item()} of ${maxIter}: error ${now.error.item().toPrecision(6)}`)
  }

  const error = now.error.item()
  return {
    sizes,
    numberOfWeights: sizes.slice(1).reduce((n, width, l) => n + width * sizes[l]!, 0),
    layers: now.params.map(({ w, b }) => ({ w: w.toArray() as number[][], ...(b && { b: b.toArray() as number[] }) })),
    derivativeChain: chainOf(activations(now.params, inputs), now.params, now.slopes, targets),
    error,
    predictions: forward(now.params, inputs).toArray() as number[][],
    elapsedIter: now.iteration.item(),
    maxIter,
    learningRate,
    stopped: error <= tolerance ? "tolerance" : "maxIter",
    trainingTimeSec: (performance.now() - begin) / 1000,
  }
}

/** Half of Glorot's uniform weights: a trained unit then answers much the same to other inputs as to those it has seen. Biases are 0. */
function started(sizes: readonly number[], bias: boolean, seed: number): Params {
  const { init } = namedInitializer("MLP.train", "glorot")
  return sizes.slice(1).map((width, l) => ({
    w: init(random.fold(random.key(seed), l), [sizes[l]!, width], { dtype: "f64" }).mul(0.5),
    b: bias ? zeros([width], { dtype: "f64" }) : null,
  }))
}
/** The inputs and what each layer makes of them, [example, unit]. */
function activations(params: Params, x: Tensor): readonly Tensor[] {
  const all = [x]
  for (const { w, b } of params) all.push(sigmoid(product(all.at(-1)!, w, b)))
  return all
}
const forward = (params: Params, x: Tensor): Tensor => activations(params, x).at(-1)!
const matrix = (rows: readonly (readonly number[])[]): Tensor => tensor(rows as number[][], { dtype: "f64" })

function predict(trained: TrainedMLP, x: readonly number[]): readonly number[]
function predict(trained: TrainedMLP, x: readonly (readonly number[])[]): readonly (readonly number[])[]
function predict({ sizes, layers }: TrainedMLP, x: readonly number[] | readonly (readonly number[])[]): unknown {
  const { rows, single } = wantInputs("MLP.predict", x, sizes[0]!)
  const params = layers.map(({ w, b }) => ({ w: matrix(w), b: b ? tensor(b as number[], { dtype: "f64" }) : null }))
  const y = forward(params, matrix(rows))
  return single ? y.at(0).toArray() : y.toArray()
}

/**
 * A perceptron whose units are all logistic, trained by gradient descent on all examples at once, in f64.
 *
 * `train` takes one example or a list of them: `x` [inputs], `y` a number or [outputs], or lists of these; `netArch`, the widths of the
 * hidden layers alone; `learningRate` (default 0.7), `maxIter` (default 500), `tolerance` of the error (default 0), `bias` (default true),
 * `seed` (default 0) and `debug`, which prints the error every 100 iterations. `predict` gives [outputs] for one example, or
 * [example][output].
 *
 * Throws TypeError for lists that do not fit together, for inputs of another width than those trained on and for targets outside of
 * (0, 1), which a logistic unit never reaches.
 *
 * @example
 * const trained = MLP.train({ x: [0.1, 0.4, 4.1], y: [0.2], netArch: [7, 5, 4], maxIter: 500, learningRate: 0.7 })
 * MLP.predict(trained, [0.2, 3.1, 1.7]).map(y => y.toFixed(2))  // ["0.20"]
 * const [last] = trained.derivativeChain
 * last?.factors.map(factor => factor.symbol)  // ["dE/dy", "dy/ds4", "ds4/dw4"]
 */
export const MLP = { train, predict } as const
