// Which number of the inputs is meant.

import { differentiable, show } from "../core/aval.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves, paths, type Tree } from "../core/tree.ts"
import { closest } from "../data/names.ts"
import { ProblemError } from "./errors.ts"

/** An element of a leaf of the inputs. */
export interface Chosen {
  /** Number of the leaf among all of the inputs. */
  readonly leaf: number
  readonly element: number
  /** Number of the argument that it belongs to. */
  readonly argument: number
  readonly name: string
}
interface Leaf {
  readonly argument: number
  readonly path: string
  readonly x: Tensor
}
const leavesOf = (inputs: readonly unknown[]): Leaf[] =>
  inputs.flatMap((tree, argument) => {
    const names = paths(tree as Tree)
    return leaves(tree as Tree).map((x, i) => ({ argument, path: names[i]!, x }))
  })
/** `0.layers.0.w`, the argument first. */
const full = ({ argument, path }: Leaf): string => (path ? `${argument}.${path}` : `${argument}`)

/**
 * The scalar at a path such as `layers.0.w[3,1]`. Paths are looked for in the arguments in order; with the argument's number in front,
 * as `1[0,3]` or `0.layers.0.w[3,1]`, in that argument alone. Throws ProblemError where there is none.
 */
export function choose(inputs: readonly unknown[], of: string): Chosen {
  const [, path, indices] = /^(.*?)(?:\[([\d,]*)\])?$/.exec(of.replaceAll(" ", ""))!
  const all = leavesOf(inputs)
  const leaf = all.findIndex(l => full(l) === path || (l.path !== "" && l.path === path))
  if (leaf < 0) throw unknown(of, path!, all)
  const { x, argument } = all[leaf]!
  if (!differentiable(x.aval))
    throw new ProblemError(`${path} holds ${x.dtype}, by which nothing is differentiated; choose a floating-point tensor`)
  const place = indices === undefined || indices === "" ? [] : indices.split(",").map(Number)
  const fits = place.length === x.ndim && place.every((i, d) => i < x.shape[d]!)
  if (!fits && !(indices === undefined && x.size === 1))
    throw new ProblemError(
      `${path} is ${show(x.aval)}; name one element of it, from ${path}[${x.shape.map(() => 0)}] to ${path}[${x.shape.map(n => n - 1)}]; got ${JSON.stringify(of)}`,
    )
  const element = fits ? place.reduce((flat, i, d) => flat * x.shape[d]! + i, 0) : 0
  return { leaf, element, argument, name: of.replaceAll(" ", "") }
}

function unknown(of: string, path: string, all: readonly Leaf[]): ProblemError {
  const known = all.filter(l => differentiable(l.x.aval)).map(l => `${l.path || full(l)} ${show(l.x.aval)}`)
  const meant = closest(
    path,
    all.map(l => l.path || full(l)),
  )
  const list = known.length > 12 ? `${known.slice(0, 12).join(", ")} and ${known.length - 12} more` : known.join(", ") || "nothing"
  return new ProblemError(`there is no input ${JSON.stringify(of)}; there are ${list}${meant ? `. Did you mean ${meant}?` : ""}`)
}
