// Layers that read a sequence step by step. Formulas and the order of gates are PyTorch's.
import { composite } from "../control/call.ts"
import { scan } from "../control/scan.ts"
import type { Tensor } from "../core/tensor.ts"
import { relu, sigmoid } from "../ops/activations.ts"
import { add, mul, sub, tanh } from "../ops/arithmetic.ts"
import { zeros } from "../ops/create.ts"
import { fold, uniform } from "../ops/random.ts"
import { matmul, transpose } from "../ops/shape.ts"
import { wantFlag, wantFloat, wantOneOf, wantWidth } from "./checks.ts"
import { product } from "./dense.ts"
import type { FloatDtype } from "./initializers.ts"
import { type LayerOf, nameOf, pick, wantLast, wantSequence, wantTensor } from "./layer.ts"
import { lastParts } from "./parts.ts"

export interface RecurrentOptions {
  /** Gives the state after each step, [batch, time, out], instead of the last one, [batch, out]. Default: false. */
  readonly returnSequences?: boolean
  /** Reads from the last step to the first; outputs stay at the steps that they belong to. Default: false. */
  readonly reverse?: boolean
  /** Default: true. */
  readonly bias?: boolean
  /** Default: "f32". */
  readonly dtype?: FloatDtype
}
export interface RnnOptions extends RecurrentOptions {
  /** Default: "tanh". */
  readonly activation?: "tanh" | "relu"
}

type Weights = Readonly<Record<string, Tensor>>
interface Cell {
  /** How many times the width of the state the input is brought to. */
  readonly gates: number
  /** How many tensors are handed from step to step; the first is the output. */
  readonly carry: number
  /** Biases beside `b` [gates out], of width [out]. */
  readonly biases?: readonly string[]
  /** The next carry from what the input brings, x wx + b, and the last carry. */
  step(brought: Tensor, carry: readonly Tensor[], weights: Weights): readonly Tensor[]
}

/**
 * h <- tanh(x wx + h wh + b), from h = 0: [batch, time, in] to the last state [batch, out], or all states [batch, time, out].
 *
 * Parameters: `{ wx, wh, b }`, [in, out], [out, out] and [out], uniform within 1 / sqrt(out) as in PyTorch, whose two biases are one.
 * Throws TypeError for wrong options, where the width does not fit, and for inputs without axis of time. Elman (1990).
 *
 * @example
 * sequential(rnn(8, 16), dense(16, 2)).outShape([20, 8])  // [2]
 */
export function rnn<const In extends number, const Out extends number>(
  inputs: In,
  outputs: Out,
  { activation = "tanh", ...options }: RnnOptions = {},
): LayerOf<"rnn", In, Out> {
  wantOneOf("rnn", "activation", activation, ["tanh", "relu"])
  const f = activation === "tanh" ? tanh : relu
  const cell: Cell = { gates: 1, carry: 1, step: (brought, [h], { wh }) => [f(add(brought, matmul(h!, wh!)))] }
  return recurrent("rnn", inputs, outputs, cell, options, { activation })
}

/**
 * Long short-term memory: [batch, time, in] to the last h [batch, out], or all [batch, time, out], from h = c = 0:
 *
 *     [i, f, g, o] = x wx + h wh + b,  c <- sigmoid(f) c + sigmoid(i) tanh(g),  h <- sigmoid(o) tanh(c)
 *
 * Parameters: `{ wx, wh, b }`, [in, 4 out], [out, 4 out] and [4 out], uniform within 1 / sqrt(out) as in PyTorch, whose two biases are
 * one. Throws TypeError for wrong options, where the width does not fit, and for inputs without axis of time.
 * Hochreiter and Schmidhuber (1997); Gers, Schmidhuber and Cummins (2000).
 *
 * @example
 * sequential(embedding(1000, 32), lstm(32, 64), dense(64, 2)).outShape([20])  // [2]
 * // in both directions
 * parallel(lstm(8, 16), lstm(8, 16, { reverse: true })).outShape([20, 8])  // [32]
 */
export function lstm<const In extends number, const Out extends number>(
  inputs: In,
  outputs: Out,
  options: RecurrentOptions = {},
): LayerOf<"lstm", In, Out> {
  return recurrent("lstm", inputs, outputs, lstmCell, options)
}
const lstmCell: Cell = {
  gates: 4,
  carry: 2,
  step(brought, [h, c], { wh }) {
    const [i, f, g, o] = lastParts("lstm", add(brought, matmul(h!, wh!)), 4) as [Tensor, Tensor, Tensor, Tensor]
    const next = add(mul(sigmoid(f), c!), mul(sigmoid(i), tanh(g)))
    return [mul(sigmoid(o), tanh(next)), next]
  },
}

/**
 * Gated recurrent unit: [batch, time, in] to the last h [batch, out], or all [batch, time, out], from h = 0:
 *
 *     r = sigmoid(x wxr + h whr + br),  z = sigmoid(x wxz + h whz + bz)
 *     n = tanh(x wxn + bn + r (h whn + bh)),  h <- (1 - z) n + z h
 *
 * Parameters: `{ wx, wh, b, bh }`, [in, 3 out], [out, 3 out], [3 out] and [out], gates in the order r, z, n, uniform within
 * 1 / sqrt(out) as in PyTorch, whose other biases are sums. Throws TypeError for wrong options, where the width does not fit, and for
 * inputs without axis of time. Cho et al., arXiv:1406.1078, in the form of PyTorch and cuDNN.
 *
 * @example
 * sequential(embedding(1000, 32), gru(32, 64), dense(64, 2)).outShape([20])  // [2]
 */
export function gru<const In extends number, const Out extends number>(
  inputs: In,
  outputs: Out,
  options: RecurrentOptions = {},
): LayerOf<"gru", In, Out> {
  return recurrent("gru", inputs, outputs, gruCell, options)
}
const gruCell: Cell = {
  gates: 3,
  carry: 1,
  biases: ["bh"],
  step(brought, [h], { wh, bh }) {
    const [xr, xz, xn] = lastParts("gru", brought, 3) as [Tensor, Tensor, Tensor]
    const [hr, hz, hn] = lastParts("gru", matmul(h!, wh!), 3) as [Tensor, Tensor, Tensor]
    const z = sigmoid(add(xz, hz))
    const n = tanh(add(xn, mul(sigmoid(add(xr, hr)), bh ? add(hn, bh) : hn)))
    return [add(mul(sub(1, z), n), mul(z, h!))]
  },
}

/** The axis `from` moved to `to`, both counted from the front. */
function move(x: Tensor, from: number, to: number): Tensor {
  const axes = x.shape.map((_, d) => d)
  return from === to ? x : transpose(x, axes.toSpliced(from, 1).toSpliced(to, 0, from))
}

function recurrent<const Kind extends string, In extends number, Out extends number>(
  kind: Kind,
  inputs: In,
  outputs: Out,
  { gates, carry, biases = [], step }: Cell,
  { returnSequences = false, reverse = false, bias = true, dtype = "f32" }: RecurrentOptions,
  own: Readonly<Record<string, string>> = {},
): LayerOf<Kind, In, Out> {
  wantWidth(kind, "inputs", inputs)
  wantWidth(kind, "outputs", outputs)
  for (const [name, x] of Object.entries({ returnSequences, reverse, bias })) wantFlag(kind, name, x)
  wantFloat(kind, dtype)
  const options = { inputs, outputs, ...own, returnSequences, reverse, bias, dtype }
  const shapes: Record<string, readonly number[]> = { wx: [inputs, gates * outputs], wh: [outputs, gates * outputs] }
  if (bias) shapes.b = [gates * outputs]
  if (bias) for (const name of biases) shapes[name] = [outputs]

  const whole = composite(kind, options, (weights: Weights, x: Tensor) => {
    const time = x.ndim - 2
    const xs = move(x, time, 0)
    // what the inputs bring to the gates is one product for all steps
    const brought = product(xs, weights.wx!, weights.b)
    const first = Array.from({ length: carry }, () => zeros([...xs.shape.slice(1, -1), outputs], { dtype: x.dtype }))
    const turn = (state: readonly Tensor[], x: Tensor): readonly [readonly Tensor[], Tensor | null] => {
      const next = step(x, state, weights)
      return [next, returnSequences ? next[0]! : null]
    }
    const [last, all] = scan(turn, first as readonly Tensor[], brought, { reverse })
    return all ? move(all, 0, time) : last[0]!
  })
  const check = (shape: readonly number[]): void => {
    wantLast(kind, inputs, shape)
    wantSequence(kind, shape)
  }
  return {
    kind,
    in: inputs,
    out: outputs,
    config: { kind, ...options },
    init(key, inShape) {
      check(inShape)
      const limit = 1 / Math.sqrt(outputs)
      const made = Object.entries(shapes).map(([name, shape], i) => [
        name,
        uniform(fold(key, i), shape, { dtype, low: -limit, high: limit }),
      ])
      return { params: Object.fromEntries(made), state: {} }
    },
    apply(params, state, x) {
      wantTensor(nameOf(kind), "the input", x)
      check(x.shape)
      const names = Object.keys(shapes)
      const weights = pick(kind, "params", params, names)
      return [whole(Object.fromEntries(names.map((n, i) => [n, weights[i]!])), x), state]
    },
    outShape(inShape) {
      check(inShape)
      return [...inShape.slice(0, returnSequences ? -1 : -2), outputs]
    },
  }
}
