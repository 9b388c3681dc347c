import type { Shape } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Tree } from "../core/tree.ts"

/** What can be trained: a layer, a model, or anything that keeps to the same two functions. */
export interface Trainable {
  /** What it is as plain JSON, from which it can be made again; needed to save it. */
  readonly config?: unknown
  /** First parameters and state for rows of shape `inShape`. */
  init(key: Tensor, inShape: Shape): { readonly params: any; readonly state: any }
  /** Outputs [batch, ...] for inputs [batch, ...], and the new state. */
  apply(params: any, state: any, x: Tensor, context: { readonly key?: Tensor; readonly training: boolean }): readonly [Tensor, any]
}

/** The mean loss of a batch, a scalar. */
export type Loss = (output: Tensor, target: Tensor) => Tensor

/** How gradients become new parameters. */
export interface Optimizer {
  readonly config?: unknown
  init(params: any): Tree
  /** `[new parameters, new state]`. */
  update(grads: any, state: any, params: any): readonly [any, any]
}
