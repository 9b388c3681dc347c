// What quantities are called on the board.
import type { Network } from "./network.ts"

/** Symbols of layers l, units j and inputs i, all counted from 0. */
export interface Names {
  x(i: number): string
  /** Pre-activation. */
  s(l: number, j: number): string
  /** Output of a unit. */
  y(l: number, j: number): string
  w(l: number, i: number, j: number): string
  b(l: number, j: number): string
  t(j: number): string
  /** Probability that the loss makes of an output that is a logit. */
  p(j: number): string
}

export const pathOf = (network: Network, l: number): string => network.layers[l]!.path ?? `layers.${l}`

/** `w1`, `x1`, `s`, `y` for a single neuron, as in textbooks; else the code's own indices: `w0[3,1]` is `layers.0.w[3,1]`. */
export function namesOf(network: Network): Names {
  const { layers } = network
  const width = (l: number): number => layers[l]!.w[0]!.length
  const inputs = layers[0]!.w.length
  const last = layers.length - 1
  if (last === 0 && width(0) === 1) {
    const nth = (name: string, i: number): string => (inputs === 1 ? name : `${name}${i + 1}`)
    return { x: i => nth("x", i), w: (_, i) => nth("w", i), b: () => "b", s: () => "s", y: () => "y", t: () => "t", p: () => "p" }
  }
  const label = (l: number): string => pathOf(network, l).match(/\d+/g)?.join("_") ?? `${l}`
  const unit = (name: string, n: number, j: number): string => (n === 1 ? name : `${name}[${j}]`)
  const outputs = width(last)
  return {
    x: i => unit("x", inputs, i),
    s: (l, j) => unit(`s${label(l)}`, width(l), j),
    y: (l, j) => (l === last ? unit("y", outputs, j) : unit(`h${label(l)}`, width(l), j)),
    w: (l, i, j) => `w${label(l)}[${i},${j}]`,
    b: (l, j) => unit(`b${label(l)}`, width(l), j),
    t: j => unit("t", outputs, j),
    p: j => unit("p", outputs, j),
  }
}
