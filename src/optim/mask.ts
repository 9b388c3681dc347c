// Some of the parameters: what a transformation or an optimizer works on.
import { Tensor } from "../core/tensor.ts"
import { leaves, paths, rebuild, type Tree } from "../core/tree.ts"
import type { Optimizer } from "./optimizer.ts"
import type { OptimizerState, Transformation } from "./transformation.ts"

/**
 * Which parameters: all or none, those whose path (such as `layers.0.w`) has a pattern, those for which a function says so, or a
 * tree like the parameters, whose branches may be any of these.
 */
export type Mask = boolean | RegExp | ((path: string, param: Tensor) => boolean) | readonly Mask[] | { readonly [key: string]: Mask }

/**
 * A mask: parameters with at least two axes, so no biases and no gains. Weight decay is often wanted for these alone.
 *
 * @example
 * matrices("layers.0.w", zeros([2, 3]))  // true
 */
export const matrices = (_path: string, param: Tensor): boolean => param.ndim >= 2

/** For each parameter whether the mask chooses it. */
function chosen(params: Tree, mask: Mask, path = ""): boolean[] {
  const below = (key: string): string => (path && key ? `${path}.${key}` : path || key)
  const xs = leaves(params)
  if (typeof mask === "boolean") return xs.map(() => mask)
  if (mask instanceof RegExp) return paths(params).map(p => below(p).search(mask) >= 0)
  if (typeof mask === "function") return paths(params).map((p, i) => mask(below(p), xs[i]!))
  if (!xs.length) return []
  if (params instanceof Tensor || typeof mask !== "object" || mask === null)
    throw new TypeError(`mask: ${path || "the mask"} must be true, false, a pattern, a function, or a tree of these; got ${typeof mask}`)
  const unknown = Object.keys(mask).find(key => !(key in (params as object)))
  if (unknown !== undefined) throw new TypeError(`mask: there is no parameter ${below(unknown)}`)
  return Object.entries(params as object).flatMap(([key, p]) => chosen(p, (mask as Record<string, Mask>)[key]!, below(key)))
}

/** A tree with nothing in the places that are not chosen. */
const only = (tree: unknown, which: readonly boolean[]): any =>
  rebuild(
    tree as Tree,
    // an empty object, which checkpoints can hold; null they cannot
    leaves(tree as Tree).map((x, i) => (which[i] ? x : {})),
  )
/** `tree` with the leaves of `some` in the places that are chosen. */
function merge(which: readonly boolean[], some: unknown, tree: unknown): any {
  const xs = leaves(some as Tree)
  let next = 0
  return rebuild(
    tree as Tree,
    leaves(tree as Tree).map((x, i) => (which[i] ? xs[next++]! : x)),
  )
}

type Choose = (params: Tree) => boolean[]
function restrict<T extends Transformation>(part: T, choose: Choose): Transformation {
  return {
    init: params => part.init(only(params, choose(params as Tree))),
    update(updates, state, params) {
      const which = choose(params as Tree)
      const n = leaves(updates as Tree).length
      if (n !== which.length)
        throw new TypeError(`masked: updates must be a tree like the parameters, which have ${which.length} leaves; got ${n}`)
      const [some, next] = part.update(only(updates, which), state, only(params, which))
      // an optimizer returns parameters
      return [merge(which, some, "config" in part ? params : updates), next]
    },
  }
}

/**
 * A transformation of some updates, the others pass through it; or an optimizer of some parameters, the others stay as they are.
 *
 * State: that for a tree that has only the chosen parameters. Throws TypeError for a mask that does not fit the parameters.
 *
 * @example
 * // all other layers are frozen
 * const head = masked(adam(1e-3), /^layers\.4\./)
 * const decay = masked(addDecayedWeights(0.1), (path, w) => w.ndim > 1)
 */
export function masked(part: Optimizer, mask: Mask): Optimizer
export function masked(part: Transformation, mask: Mask): Transformation
export function masked(part: Transformation | Optimizer, mask: Mask): Transformation | Optimizer {
  const some = restrict(part, params => chosen(params, mask))
  return "config" in part ? { ...some, config: { kind: "masked", optimizer: part.config } } : some
}

/** Parameters and the optimizer for them. */
export interface Group {
  /** Which parameters, of those that no group before this one has. Default: all. */
  readonly match?: Mask
  readonly optimizer: Optimizer
}

/**
 * Different optimizers for different parameters: each parameter belongs to the first group that matches.
 *
 * State: the list of the groups' states. Throws TypeError for a parameter that no group matches.
 *
 * @example
 * const optimizer = groups([
 *   { match: /^layers\.0\./, optimizer: frozen() },
 *   { match: (path, w) => w.ndim < 2, optimizer: adamw(1e-3, { weightDecay: 0 }) },
 *   { optimizer: adamw(1e-3, { weightDecay: 0.1 }) },
 * ])
 */
export function groups(list: readonly Group[]): Optimizer {
  if (!Array.isArray(list) || !list.length || !list.every(g => typeof g?.optimizer?.update === "function"))
    throw new TypeError(
      "groups: wants a list of { match, optimizer }, such as [{ match: /w$/, optimizer: adam() }, { optimizer: frozen() }]",
    )
  const groupOf = (params: Tree): number[] => {
    const hits = list.map(({ match = true }) => chosen(params, match))
    return paths(params).map((path, i) => {
      const group = hits.findIndex(hit => hit[i])
      if (group < 0) throw new TypeError(`groups: no group matches ${path || "the parameter"}; add { optimizer: frozen() } for the rest`)
      return group
    })
  }
  const parts = list.map(({ optimizer }, k) => restrict(optimizer, params => groupOf(params).map(group => group === k)))
  return {
    config: { kind: "groups", optimizers: list.map(g => g.optimizer.config) },
    init: params => parts.map(p => p.init(params)),
    update(grads, state, params) {
      let out = params
      const next = parts.map((p, i) => {
        const [after, s] = p.update(grads, (state as readonly OptimizerState[])[i]!, out)
        out = after
        return s
      })
      return [out, next]
    },
  }
}

/**
 * The optimizer of parameters that stay as they are.
 *
 * @example
 * const w = tensor([1, -2])
 * const rule = frozen()
 * const [next] = rule.update(tensor([0.5, 0.1]), rule.init(w), w)  // [1, -2]
 */
export const frozen = (): Optimizer => ({
  config: { kind: "frozen" },
  init: () => ({}),
  update: (_grads, state, params) => [params, state],
})
