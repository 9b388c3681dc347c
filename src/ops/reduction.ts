// Functions that combine the elements of axes.
import type { Shape } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { axesOf, axisOf, lift, type Operand, wantFloating, wantNumbers, wantOptions } from "./align.ts"

export interface ReduceOptions {
  /** Which axes to combine, counted from the back if negative. Default: all. */
  readonly axis?: number | readonly number[]
  /** Keeps the combined axes with length 1. Default: false. */
  readonly keepdims?: boolean
}

type Reduce = (x: Operand, options?: ReduceOptions) => Tensor
export const reduction =
  (name: string, f: (x: Tensor, axes: Shape) => Tensor): Reduce =>
  (operand, options = {}) => {
    wantOptions(name, options)
    const { axis, keepdims = false } = options
    const x = lift(name, operand)
    const axes = axesOf(name, x, axis)
    const y = f(x, axes)
    return keepdims
      ? p.reshape(
          y,
          x.shape.map((n, d) => (axes.includes(d) ? 1 : n)),
        )
      : y
  }
/** How many elements each result combines. */
export const count = (x: Tensor, axes: Shape): number => axes.reduce((n, d) => n * x.shape[d]!, 1)

/** The sum over `axis`. @example sum(tensor([[1, 2], [3, 4]]), { axis: 0 })  // [4, 6] */
export const sum: Reduce = /*@__PURE__*/ reduction("sum", p.sum)
/** The mean over `axis`. @example mean(tensor([1, 2, 6]))  // 3 */
export const mean: Reduce = /*@__PURE__*/ reduction("mean", (x, axes) => {
  wantFloating("mean", x)
  const s = p.sum(x, axes)
  return p.div(s, p.fullLike(s.aval, count(x, axes)))
})
/**
 * The product over `axis`, in pairs. Its derivative has no division, so that it is right where elements are 0.
 *
 * @example
 * prod(tensor([1, 2, 6]))  // 12
 */
export const prod: Reduce = /*@__PURE__*/ reduction("prod", (x, axes) => {
  wantNumbers("prod", x)
  const rest = p.without(x.shape, axes)
  const front = p.permute(x, [...axes, ...p.allAxes(x).filter(d => !axes.includes(d))])
  let y = p.reshape(front, [count(x, axes), ...rest])
  if (y.shape[0] === 0) return p.fullLike({ ...x.aval, shape: rest }, 1)
  for (let n = y.shape[0]!; n > 1; n = y.shape[0]!) {
    const half = n >> 1
    const pairs = p.mul(rows(y, 0, half), rows(y, half, 2 * half))
    y = n % 2 ? p.concat([pairs, rows(y, n - 1, n)], 0) : pairs
  }
  return p.reshape(y, rest)
})
const rows = (x: Tensor, from: number, to: number): Tensor =>
  p.slice(x, { start: x.shape.map((_, d) => (d ? 0 : from)), shape: [to - from, ...x.shape.slice(1)] })
/**
 * The largest element over `axis`. The derivative is shared equally among equals.
 *
 * @example
 * max(tensor([[1, 5], [3, 4]]), { axis: 1, keepdims: true })  // [[5], [4]]
 */
export const max: Reduce = /*@__PURE__*/ reduction("max", p.max)
/**
 * The smallest element over `axis`. The derivative is shared equally among equals.
 *
 * @example
 * min(tensor([[1, 5], [3, 4]]), { axis: 1 })  // [1, 3]
 */
export const min: Reduce = /*@__PURE__*/ reduction("min", p.min)
/** log(sum(exp(x))) over `axis`, without overflow. @example logsumexp(tensor([1000, 1000]))  // 1000.69 */
export const logsumexp: Reduce = (operand, options = {}) => {
  const x = lift("logsumexp", operand)
  const top = p.stopGradient(max(x, { ...options, keepdims: true }))
  // an infinite maximum would make inf - inf
  const shift = p.select(p.lt(p.abs(top), p.fullLike(top.aval, Infinity)), top, p.zeros(top.aval))
  const s = sum(p.exp(p.sub(x, broadcastLike(shift, x))), options)
  // nothing but -inf has no sum, and derivative 0
  return p.select(p.eq(s, p.zeros(s.aval)), p.fullLike(s.aval, -Infinity), p.add(p.log(s), p.reshape(shift, s.shape)))
}
export function broadcastLike(x: Tensor, like: Tensor): Tensor {
  const axes = x.shape.flatMap((n, d) => (n === like.shape[d] ? [] : [d]))
  return p.broadcast(p.reshape(x, p.without(x.shape, axes)), like.shape, axes)
}

const position =
  (name: string, f: (x: Tensor, axis: number) => Tensor) =>
  (operand: Tensor, options: { readonly axis?: number } = {}): Tensor => {
    wantOptions(name, options)
    const { axis } = options
    const x = lift(name, operand)
    return axis === undefined ? f(p.reshape(x, [x.size]), 0) : f(x, axisOf(name, x, axis))
  }
/**
 * The place of the first largest element along `axis` (of the flattened tensor by default), as i32; that of the first NaN if there is one.
 *
 * @example
 * argmax(tensor([[1, 5], [3, 4]]), { axis: -1 })  // [1, 1]
 */
export const argmax = /*@__PURE__*/ position("argmax", p.argmax)
/** The place of the first smallest element along `axis`. @example argmin(tensor([3, 1, 2]))  // 1 */
export const argmin = /*@__PURE__*/ position("argmin", p.argmin)
