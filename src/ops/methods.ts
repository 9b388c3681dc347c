// The closed list of methods. Everything here exists as a function too; what is not here is a function only.
import { Tensor } from "../core/tensor.ts"
import { relu, sigmoid } from "./activations.ts"
import type { Operand } from "./align.ts"
import {
  abs,
  add,
  cos,
  div,
  equal,
  exp,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  mul,
  neg,
  pow,
  sin,
  sqrt,
  square,
  sub,
  tanh,
} from "./arithmetic.ts"
import { argmax, max, mean, min, type ReduceOptions, sum } from "./reduction.ts"
import { at, matmul, type Part, reshape, slice, take, transpose } from "./shape.ts"

/** What tensors do; each method is the function of its name with the tensor as first argument. */
export interface Methods {
  add(y: Operand): Tensor
  sub(y: Operand): Tensor
  mul(y: Operand): Tensor
  div(y: Operand): Tensor
  pow(y: Operand): Tensor
  neg(): Tensor
  less(y: Operand): Tensor
  lessEqual(y: Operand): Tensor
  greater(y: Operand): Tensor
  greaterEqual(y: Operand): Tensor
  equal(y: Operand): Tensor
  abs(): Tensor
  exp(): Tensor
  log(): Tensor
  sin(): Tensor
  cos(): Tensor
  tanh(): Tensor
  sqrt(): Tensor
  square(): Tensor
  sigmoid(): Tensor
  relu(): Tensor
  sum(options?: ReduceOptions): Tensor
  mean(options?: ReduceOptions): Tensor
  max(options?: ReduceOptions): Tensor
  min(options?: ReduceOptions): Tensor
  argmax(options?: { readonly axis?: number }): Tensor
  matmul(y: Tensor): Tensor
  reshape(...shape: readonly number[] | [readonly number[]]): Tensor
  /** The axes in the order of `axes`; reversed by default. */
  transpose(...axes: readonly number[] | [readonly number[]]): Tensor
  /** Entry `i` of axis 0. */
  at(i: number): Tensor
  slice(...parts: readonly Part[]): Tensor
  take(indices: Tensor, options?: { readonly axis?: number }): Tensor
  /** Walks axis 0. */
  [Symbol.iterator](): IterableIterator<Tensor>
}
declare module "../core/tensor.ts" {
  interface Tensor extends Methods {}
}

const list = (xs: readonly number[] | [readonly number[]]): readonly number[] => (Array.isArray(xs[0]) ? xs[0] : (xs as readonly number[]))
const functions = {
  ...{ add, sub, mul, div, pow, neg, less, lessEqual, greater, greaterEqual, equal, abs, exp, log, sin, cos, tanh, sqrt, square },
  ...{ sigmoid, relu, sum, mean, max, min, argmax, matmul, at, slice, take },
  reshape: (x: Tensor, ...shape: readonly number[] | [readonly number[]]) => reshape(x, list(shape)),
  transpose: (x: Tensor, ...axes: readonly number[] | [readonly number[]]) => transpose(x, axes.length ? list(axes) : undefined),
}

/** Called by the presets: attaching methods is an effect, and modules here have none. */
export function installMethods(): void {
  for (const [name, f] of Object.entries(functions) as [string, (...args: any[]) => unknown][])
    Object.defineProperty(Tensor.prototype, name, {
      configurable: true,
      writable: true,
      value: function (this: Tensor, ...args: unknown[]) {
        return f(this, ...args)
      },
    })
  Object.defineProperty(Tensor.prototype, Symbol.iterator, {
    configurable: true,
    value: function* (this: Tensor) {
      if (this.ndim === 0) throw new TypeError("a scalar tensor cannot be iterated; read it with item()")
      for (let i = 0; i < this.shape[0]!; i++) yield at(this, i)
    },
  })
}
