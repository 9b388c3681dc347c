// What has come together along an axis so far.
import type { Tensor } from "../core/tensor.ts"
import * as p from "../primitives/index.ts"
import { axisOf, lift, type Operand, wantNumbers, wantOptions } from "./align.ts"

type Cumulative = (x: Operand, options?: { readonly axis?: number }) => Tensor
/**
 * log2(n) passes over all elements, each of which combines what lies 1, 2, 4, ... places apart: W. D. Hillis and G. L. Steele, "Data
 * parallel algorithms", Communications of the ACM 29 (1986). Rounding errors grow like log n, and no derivative has a division.
 */
const cumulative =
  (name: string, combine: (before: Tensor, x: Tensor) => Tensor): Cumulative =>
  (operand, options = {}) => {
    wantOptions(name, options)
    const { axis } = options
    let x = lift(name, operand)
    wantNumbers(name, x)
    if (axis === undefined) x = p.reshape(x, [x.size])
    const d = axis === undefined ? 0 : axisOf(name, x, axis)
    const n = x.shape[d]!
    const part = (from: number, to: number): Tensor =>
      p.slice(x, { start: x.shape.map((_, i) => (i === d ? from : 0)), shape: x.shape.with(d, to - from) })
    for (let s = 1; s < n; s *= 2) x = p.concat([part(0, s), combine(part(0, n - s), part(s, n))], d)
    return x
  }

/** x[0], x[0] + x[1], ... along `axis` (of the flattened tensor by default). @example cumsum(tensor([1, 2, 3]))  // [1, 3, 6] */
export const cumsum: Cumulative = /*@__PURE__*/ cumulative("cumsum", p.add)
/**
 * x[0], x[0] x[1], ... along `axis` (of the flattened tensor by default). The derivative is right where elements are 0.
 *
 * @example
 * cumprod(tensor([1, 2, 3]))  // [1, 2, 6]
 */
export const cumprod: Cumulative = /*@__PURE__*/ cumulative("cumprod", p.mul)
/**
 * The largest element so far along `axis` (of the flattened tensor by default). Equals share the derivative.
 *
 * @example
 * cummax(tensor([1, 3, 2]))  // [1, 3, 3]
 */
export const cummax: Cumulative = /*@__PURE__*/ cumulative("cummax", p.maximum)
/**
 * The smallest element so far along `axis` (of the flattened tensor by default). Equals share the derivative.
 *
 * @example
 * cummin(tensor([3, 1, 2]))  // [3, 1, 1]
 */
export const cummin: Cumulative = /*@__PURE__*/ cumulative("cummin", p.minimum)
