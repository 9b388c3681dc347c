// Small problems that small networks learn in a hundred steps.
import { type Tensor, tensor } from "../../../index.ts"
import type { Dataset } from "../../rows.ts"

/** Random numbers for tests: 32 bits of state (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed * 7919 + 17
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
/** Nearly normal, standardised. */
function normal(seed: number): () => number {
  const u = uniform(seed)
  return () => u() + u() + u() + u() + u() + u() + u() + u() + u() + u() + u() + u() - 6
}
const ROWS = 192
const FEATURES = 6
const rows = <T>(f: (i: number) => T): T[] => Array.from({ length: ROWS }, (_, i) => f(i))
const argmax = (xs: readonly number[]): number => xs.indexOf(Math.max(...xs))

type Matrix = number[][]
export type Change = (x: Matrix) => Matrix
const inputs = (seed: number): Matrix => {
  const next = normal(seed)
  return rows(() => Array.from({ length: FEATURES }, next))
}
const classesOf = (x: Matrix): number[] => x.map(r => argmax([r[0]! + r[3]!, r[1]! - r[4]!, r[2]! + r[5]!]))
const numbersOf = (x: Matrix): number[] => x.map(r => r[0]! - 0.1 * r[0]! ** 3 + 0.5 * r[1]! * r[2]! + 0.3 * r[3]!)

/** Three classes of six standardised features; `change` makes what the network sees. */
export function classes(seed: number, change: Change = x => x): Dataset {
  const x = inputs(seed)
  return { x: tensor(change(x)), y: tensor(classesOf(x), { dtype: "i32" }) }
}
/** A number of about unit size from six standardised features; `target` changes it. */
export function numbers(seed: number, change: Change = x => x, target: (y: number) => number = y => y): Dataset {
  const x = inputs(seed)
  return { x: tensor(change(x)), y: tensor(numbersOf(x).map(y => [target(y)])) }
}
/** Yes or no, as 0 and 1 or other numbers. */
export function yesNo(seed: number, no = 0, yes = 1, change: Change = x => x): Dataset {
  const x = inputs(seed)
  return { x: tensor(change(x)), y: tensor(x.map(r => [r[0]! + r[1]! > 0 ? yes : no])) }
}
/** Images 8 x 8 with one channel and a black margin, a bar across or along: class 0 or 1. */
export function images(seed: number, change: (pixel: number) => number = p => p): { x: Tensor; y: Tensor } {
  const u = uniform(seed)
  const labels = rows(() => (u() < 0.5 ? 0 : 1))
  const pixels = labels.flatMap(label => {
    const at = 1 + Math.floor(u() * 6)
    return Array.from({ length: 64 }, (_, p) => {
      const [r, c] = [p >> 3, p & 7]
      const margin = r === 0 || c === 0 || r === 7 || c === 7
      return change(margin ? 0 : (label ? r : c) === at ? 0.7 + 0.3 * u() : 0)
    })
  })
  return { x: tensor(pixels, { shape: [ROWS, 8, 8, 1] }), y: tensor(labels, { dtype: "i32" }) }
}
/** The same as vectors of 64 pixels. */
export const pixels = (seed: number): Dataset => {
  const { x, y } = images(seed)
  return { x: x.reshape(ROWS, 64), y }
}
/** Sequences of 8 steps of 2 features; whether the first feature's sum is positive. */
export function sequences(seed: number, scale = 1): Dataset {
  const next = normal(seed)
  const xs = rows(() => Array.from({ length: 8 }, () => [next() * scale, next() * scale]))
  return {
    x: tensor(xs),
    y: tensor(
      xs.map(s => (s.reduce((a, [v]) => a + v!, 0) > 0 ? 1 : 0)),
      { dtype: "i32" },
    ),
  }
}
/** Texts of 6 symbols out of 10; whether there are two of the symbols 0, 1 and 2. */
export function symbols(seed: number): Dataset {
  const u = uniform(seed)
  const xs = rows(() => Array.from({ length: 6 }, () => Math.floor(u() * 10)))
  return {
    x: tensor(xs, { dtype: "i32" }),
    y: tensor(
      xs.map(s => (s.filter(v => v < 3).length > 1 ? 1 : 0)),
      { dtype: "i32" },
    ),
  }
}
/** One of 12 symbols as one-hot vector, one of them never; its class is its number modulo 3. */
export function oneHots(seed: number): Dataset {
  const u = uniform(seed)
  const xs = rows(() => Math.floor(u() * 11))
  const labels = xs.map(v => v % 3)
  return { x: tensor(xs.map(v => Array.from({ length: 12 }, (_, i) => (i === v ? 1 : 0)))), y: tensor(labels, { dtype: "i32" }) }
}
