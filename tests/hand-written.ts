// Backward passes in plain JavaScript, right ones and wrong ones: what people write by hand.
import { add, log, matmul, mean, mul, relu, sigmoid, softmax, softplus, square, sub, sum, type Tensor, tanh, tensor } from "../src/index.ts"

export type Matrix = number[][]
export type ActivationName = "sigmoid" | "tanh" | "relu" | "softplus" | "linear"
export type LossName = "meanSquared" | "halfSumSquared" | "crossEntropy" | "binaryCrossEntropy"

/** Reproducible numbers in (-1, 1): mulberry32 by Tommy Ettinger. */
export function numbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1
  }
}

// Matrices

export const zip = (a: Matrix, b: Matrix, f: (x: number, y: number) => number): Matrix => a.map((r, i) => r.map((x, j) => f(x, b[i]![j]!)))
export const each = (a: Matrix, f: (x: number) => number): Matrix => a.map(r => r.map(f))
export const turned = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map(r => r[j]!))
export const times = (a: Matrix, b: Matrix): Matrix => a.map(r => b[0]!.map((_, j) => r.reduce((s, x, k) => s + x * b[k]![j]!, 0)))
export const columns = (a: Matrix): number[] => a[0]!.map((_, j) => a.reduce((s, r) => s + r[j]!, 0))

export const f: Record<ActivationName, (a: number) => number> = {
  sigmoid: a => 1 / (1 + Math.exp(-a)),
  tanh: Math.tanh,
  relu: a => (a > 0 ? a : 0),
  softplus: a => Math.log1p(Math.exp(a)),
  linear: a => a,
}
export const slope: Record<ActivationName, (a: number) => number> = {
  sigmoid: a => f.sigmoid(a) * (1 - f.sigmoid(a)),
  tanh: a => 1 - Math.tanh(a) ** 2,
  relu: a => (a > 0 ? 1 : 0),
  softplus: f.sigmoid,
  linear: () => 1,
}
export const softmaxOf = (row: readonly number[]): number[] => {
  const e = row.map(Math.exp)
  const total = e.reduce((a, b) => a + b, 0)
  return e.map(x => x / total)
}

// Networks

export interface Net {
  readonly sizes: readonly number[]
  readonly activation: ActivationName
  readonly loss: LossName
  readonly rows: number
  readonly bias: boolean
}
/** One step of the way back, by layer; what a mistake changes. */
export interface Steps {
  /** The first delta, from outputs before and after the last activation. */
  delta(a: Matrix, y: Matrix, t: Matrix, net: Net): Matrix
  /** What comes to the layer before, from delta and weights of layer l. */
  back(delta: Matrix, w: Matrix, l: number): Matrix
  /** Through the activation of layer l. */
  through(ct: Matrix, a: Matrix, z: Matrix, l: number): Matrix
  weights(input: Matrix, delta: Matrix, l: number, before: Matrix): unknown
  bias(delta: Matrix, l: number, ct: Matrix): unknown
  last(gradients: unknown[]): unknown[]
}
export const right = ({ activation }: Net): Steps => ({
  delta(a, y, t, { loss, rows }) {
    const k = y[0]!.length
    switch (loss) {
      case "meanSquared":
        return zip(
          zip(y, t, (y, t) => (2 * (y - t)) / (rows * k)),
          a,
          (d, a) => d * slope.sigmoid(a),
        )
      case "halfSumSquared":
        return zip(y, t, (y, t) => y - t)
      default:
        return zip(y, t, (y, t) => (y - t) / rows)
    }
  },
  back: (delta, w) => times(delta, turned(w)),
  through: (ct, a) => zip(ct, a, (c, a) => c * slope[activation](a)),
  weights: (input, delta) => times(turned(input), delta),
  bias: delta => columns(delta),
  last: g => g,
})

/** The loss in adjoint's language: sigmoid outputs for the mean square, linear ones for half of the sum, and logits. */
export function forwardOf({ activation, loss, bias, rows, sizes }: Net) {
  const h = { sigmoid, tanh, relu, softplus, linear: (x: Tensor) => x }[activation]
  const layers = sizes.length - 1
  return (...args: Tensor[]): Tensor => {
    const [x, t] = args.slice(-2) as [Tensor, Tensor]
    let z = x
    for (let l = 0; l < layers; l++) {
      const w = args[bias ? 2 * l : l]!
      const a = bias ? add(matmul(z, w), args[2 * l + 1]!) : matmul(z, w)
      z = l < layers - 1 ? h(a) : a
    }
    switch (loss) {
      case "meanSquared":
        return mean(square(sub(sigmoid(z), t)))
      case "halfSumSquared":
        return mul(sum(square(sub(z, t))), 0.5)
      case "crossEntropy":
        return mul(sum(mul(t, log(softmax(z)))), -1 / rows)
      case "binaryCrossEntropy": {
        const y = sigmoid(z)
        const each = add(mul(t, log(y)), mul(sub(1, t), log(sub(1, y))))
        return mul(sum(each), -1 / rows)
      }
    }
  }
}

/** Gradients by hand, with steps of which some may be wrong. */
export function backwardOf(net: Net, wrong: Partial<Steps> = {}) {
  const s = { ...right(net), ...wrong }
  const { sizes, bias, activation, loss } = net
  const layers = sizes.length - 1
  return (...args: Tensor[]): unknown[] => {
    const m = args.map(x => x.toArray()) as any[]
    const [x, t] = m.slice(-2) as [Matrix, Matrix]
    const as: Matrix[] = []
    const zs: Matrix[] = [x]
    for (let l = 0; l < layers; l++) {
      const product = times(zs[l]!, m[bias ? 2 * l : l])
      as.push(bias ? product.map(r => r.map((v, j) => v + m[2 * l + 1][j])) : product)
      zs.push(l < layers - 1 ? each(as[l]!, f[activation]) : as[l]!)
    }
    const last = as[layers - 1]!
    const y = loss === "halfSumSquared" ? last : loss === "crossEntropy" ? last.map(softmaxOf) : each(last, f.sigmoid)
    let delta = s.delta(last, y, t, net)
    let ct = delta
    const gradients: unknown[] = []
    for (let l = layers - 1; l >= 0; l--) {
      gradients.unshift(s.weights(zs[l]!, delta, l, l ? as[l - 1]! : x), ...(bias ? [s.bias(delta, l, ct)] : []))
      if (l === 0) break
      ct = s.back(delta, m[bias ? 2 * l : l], l)
      delta = s.through(ct, as[l - 1]!, zs[l]!, l)
    }
    return [...s.last(gradients), null, null]
  }
}

export function inputsOf({ sizes, loss, rows, bias }: Net, seed: number): Tensor[] {
  const next = numbers(seed)
  const array = (...shape: number[]): any => {
    const [n, ...rest] = shape
    return n === undefined ? next() : Array.from({ length: n }, () => array(...rest))
  }
  const k = sizes.at(-1)!
  const params = sizes.slice(1).flatMap((n, l) => [array(sizes[l]!, n), ...(bias ? [array(n)] : [])])
  const label = (): number[] => {
    const at = Math.floor(((next() + 1) / 2) * k)
    return Array.from({ length: k }, (_, i) => (loss === "crossEntropy" ? Number(i === at) : Number(next() > 0)))
  }
  const targets = loss.endsWith("Entropy") ? Array.from({ length: rows }, label) : array(rows, k)
  return [...params, array(rows, sizes[0]!), targets].map(a => tensor(a))
}
export const namesOf = ({ sizes, bias }: Net): string[] => [
  ...sizes.slice(1).flatMap((_, l) => [`W${l + 1}`, ...(bias ? [`b${l + 1}`] : [])]),
  "x",
  "t",
]
