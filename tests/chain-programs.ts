// Small random programs whose gradients are taken apart, for tests: dense, convolution, attention, loops, shared weights. The seed
// determines everything.

import { composite } from "../src/control/call.ts"
import { random } from "../src/index.ts"
import {
  abs,
  add,
  concat,
  conv1d,
  conv2d,
  cos,
  div,
  exp,
  log1p,
  matmul,
  maximum,
  mul,
  pow,
  relu,
  reshape,
  scan,
  sigmoid,
  sin,
  softmax,
  softplus,
  sqrt,
  sub,
  sum,
  swish,
  type Tensor,
  take,
  tanh,
  tensor,
  transpose,
} from "../src/js.ts"
import { crossEntropy, halfSquaredError, squaredError } from "../src/losses/index.ts"
import { dense, gru, layerNorm, lstm, multiHeadAttention, rnn, sequential } from "../src/nn/index.ts"
import { randomNumbers } from "./engines.ts"

export interface ChainProgram {
  readonly kind: string
  readonly f: (...xs: any[]) => Tensor
  readonly inputs: readonly unknown[]
  /** What is explained. */
  readonly of: string
  readonly open: boolean
}

type Next = () => number
const pick = <T>(next: Next, xs: readonly T[]): T => xs[Math.floor(next() * xs.length)]!
const among = (next: Next, low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
/** Numbers from -1.5 to 1.5 without those close to 0, where kinks are. */
function numbers(next: Next, ...shape: number[]): Tensor {
  const one = (): number => (next() < 0.5 ? -1 : 1) * (0.1 + 1.4 * next())
  const n = shape.reduce((a, b) => a * b, 1)
  return tensor(Float64Array.from({ length: n }, one), { shape })
}
const place = (next: Next, x: Tensor): string => (x.ndim ? `[${x.shape.map(n => among(next, 0, n - 1))}]` : "")

/** By tanh, written out: opened it has many paths, and far from 0 its derivative is 0, where differences see none either. */
const gelu = composite("gelu", { approximate: "tanh" }, (x: Tensor) =>
  mul(mul(x, 0.5), add(tanh(mul(add(x, mul(mul(mul(x, x), x), 0.044715)), 0.7978845608028654)), 1)),
)
const smooth: readonly ((x: Tensor) => Tensor)[] = [tanh, sigmoid, softplus, swish, gelu, sin, x => mul(x, x)]
const activations = [...smooth, relu]

function denseNet(next: Next): Omit<ChainProgram, "kind" | "open"> {
  const widths = Array.from({ length: among(next, 2, 4) }, () => among(next, 1, 3))
  const rows = among(next, 1, 2)
  const ws = widths.slice(1).map((n, l) => numbers(next, widths[l]!, n))
  const bs = widths.slice(1).map(n => numbers(next, n))
  const acts = ws.map(() => pick(next, activations))
  const classes = Array.from({ length: rows }, () => among(next, 0, widths.at(-1)! - 1))
  const target = numbers(next, rows, widths.at(-1)!)
  const loss = pick(next, [
    (y: Tensor) => squaredError(y, target),
    (y: Tensor) => halfSquaredError(y, target, { reduction: "sum" }),
    (y: Tensor) => crossEntropy(y, tensor(classes, { dtype: "i32" })),
  ])
  const f = (p: { w: Tensor[]; b: Tensor[] }, x: Tensor): Tensor => {
    let y = x
    p.w.forEach((w, l) => (y = acts[l]!(add(matmul(y, w), p.b[l]!))))
    return loss(y)
  }
  const l = among(next, 0, ws.length - 1)
  const of = next() < 0.7 ? `w.${l}${place(next, ws[l]!)}` : `b.${l}${place(next, bs[l]!)}`
  return { f, inputs: [{ w: ws, b: bs }, numbers(next, rows, widths[0]!)], of }
}

function convolution(next: Next): Omit<ChainProgram, "kind" | "open"> {
  const isFlat = next() < 0.5
  const [c, o] = [among(next, 1, 2), among(next, 1, 2)]
  const x = isFlat ? numbers(next, 1, 5, c) : numbers(next, 1, 3, 3, c)
  const w = isFlat ? numbers(next, 2, c, o) : numbers(next, 2, 2, c, o)
  const v = isFlat ? numbers(next, 2, o, 1) : numbers(next, 2, 2, o, 1)
  const [first, second] = [pick(next, activations), pick(next, smooth)]
  const conv = isFlat ? conv1d : conv2d
  const stride = among(next, 1, 2)
  const f = (w: Tensor, v: Tensor, x: Tensor): Tensor => sum(second(conv(first(conv(x, w, { padding: "same", stride })), v)))
  return {
    f: stride === 1 || isFlat ? f : (w, v, x) => sum(second(conv(first(conv(x, w)), v))),
    inputs: [w, v, x],
    of: `0${place(next, w)}`,
  }
}

function attention(next: Next): Omit<ChainProgram, "kind" | "open"> {
  const [t, d] = [2, 2]
  if (next() < 0.3) {
    const layer = multiHeadAttention(2, 1, { dtype: "f64" })
    const { params, state } = layer.init(random.key(among(next, 1, 1e6)), [t, d])
    const f = (p: any, x: Tensor): Tensor => sum(tanh(layer.apply(p, state, x)[0]))
    return { f, inputs: [params, numbers(next, 1, t, d)], of: `1[0,${among(next, 0, t - 1)},${among(next, 0, d - 1)}]` }
  }
  const shared = next() < 0.5
  const [q, k, v] = [numbers(next, d, d), numbers(next, d, d), numbers(next, d, d)]
  const norm = layerNorm(d, { dtype: "f64" })
  const { params, state } = norm.init(random.key(1), [d])
  const useNorm = next() < 0.3
  const f = (q: Tensor, k: Tensor, v: Tensor, x: Tensor): Tensor => {
    const keys = matmul(x, shared ? q : k)
    const scores = softmax(mul(matmul(matmul(x, q), transpose(keys)), 1 / Math.sqrt(d)))
    const y = add(x, matmul(scores, matmul(x, v)))
    return sum(
      mul(
        useNorm ? norm.apply(params, state, y)[0] : y,
        tensor(
          [
            [1, 0.5],
            [-0.3, 0.8],
          ],
          { dtype: "f64" },
        ),
      ),
    )
  }
  const which = among(next, 0, 3)
  return { f, inputs: [q, k, v, numbers(next, t, d)], of: `${which}${place(next, [q, k, v, numbers(next, t, d)][which]!)}` }
}

function loop(next: Next): Omit<ChainProgram, "kind" | "open"> {
  const turns = among(next, 2, 3)
  const kind = next()
  if (kind < 0.35) {
    const make = pick(next, [rnn, gru, lstm]) as typeof rnn
    const model = sequential(make(1, 2, { dtype: "f64" }), dense(2, 1, { dtype: "f64" })) as any
    const { params, state } = model.init(random.key(among(next, 1, 1e6)), [turns, 1])
    const f = (p: any, x: Tensor): Tensor => sum(model.apply(p, state, x)[0])
    const wh = params.layers[0].wh as Tensor
    return { f, inputs: [params, numbers(next, 1, turns, 1)], of: `layers.0.wh${place(next, wh)}` }
  }
  const n = among(next, 1, 2)
  const act = pick(next, smooth.slice(0, 6))
  const reverse = next() < 0.3
  const stacked = next() < 0.5
  const f = (w: Tensor, u: Tensor, xs: Tensor): Tensor => {
    const [last, ys] = scan(
      (h: Tensor, x: Tensor) => {
        const next = act(add(matmul(h, w), mul(x, u)))
        return [next, mul(next, u)] as const
      },
      reshape(take(xs, tensor([0], { dtype: "i32" }), { axis: 0 }), [1, n]),
      xs,
      { reverse },
    )
    return stacked ? sum(mul(ys, ys)) : sum(last)
  }
  const inputs = [mul(numbers(next, n, n), 0.7), numbers(next, 1, n), numbers(next, turns, 1, n)]
  const which = among(next, 0, 2)
  return { f, inputs, of: `${which}${place(next, inputs[which]!)}` }
}

/** A weight that is read here and there. */
function shared(next: Next): Omit<ChainProgram, "kind" | "open"> {
  const n = among(next, 1, 2)
  const steps = Array.from({ length: among(next, 3, 6) }, () => [among(next, 0, 12), next(), next(), among(next, 0, 6)] as const)
  const f = (w: Tensor, x: Tensor): Tensor => {
    const pool: Tensor[] = [w, mul(w, x), x]
    for (const [kind, i, j, act] of steps) {
      const a = pool[Math.floor(i * pool.length)]!
      const b = pool[Math.floor(j * pool.length)]!
      const one = (): Tensor => smooth[act % 6]!(a)
      const all: (() => Tensor)[] = [
        one,
        () => add(a, b),
        () => sub(mul(a, 1.5), b),
        () => mul(tanh(a), b),
        () => div(a, add(mul(b, b), 1)),
        () => exp(tanh(a)),
        () => pow(add(mul(a, a), 0.5), tanh(b)),
        () => log1p(mul(a, a)),
        () => sqrt(add(mul(a, a), 0.5)),
        () => maximum(a, sub(b, 0.37)),
        () => mul(cos(a), abs(b)),
        () =>
          take(
            concat([a, b]),
            tensor(
              Array.from({ length: n }, (_, k) => (k === 0 ? n : 0)),
              { dtype: "i32" },
            ),
            { axis: 0 },
          ),
        () => matmul(reshape(a, [n, 1]), reshape(b, [1, n])).sum({ axis: 0 }),
      ]
      pool.push(all[kind]!())
    }
    return sum(add(pool.at(-1)!, mul(pool.at(-2)!, w)))
  }
  return { f, inputs: [numbers(next, n), numbers(next, n)], of: `0[${among(next, 0, n - 1)}]` }
}

const kinds = { denseNet, convolution, attention, loop, shared }

export function chainProgram(seed: number): ChainProgram {
  const next = randomNumbers(seed + 1)
  for (let i = 0; i < 3; i++) next()
  const [kind, make] = Object.entries(kinds)[seed % 5]!
  return { kind, open: next() < 0.4, ...make(next) }
}
