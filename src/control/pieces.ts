// A loop in pieces: what the backward pass keeps of each, and how far back in time it goes.
import type { Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree, treeMap } from "../core/tree.ts"
import { stopGradient } from "../primitives/elementwise.ts"
import { concat, reshape, slice } from "../primitives/structure.ts"
import { checkpoint } from "./checkpoint.ts"

type Body<C, X, Y> = (carry: C, x: X) => readonly [C, Y]
interface Turns {
  readonly length: number
  readonly reverse: boolean
}
export interface Pieces extends Turns {
  /** Turns in a piece; the last one may be shorter. */
  readonly size: number
  /** Whether no derivative goes from a piece to the one before it. */
  readonly cut: boolean
  /** Whether the backward pass computes the insides of a piece again. */
  readonly again: boolean
}

/** `run(f, init, xs)` as a loop over pieces, each of them a loop. */
export function inPieces<C, X, Y>(
  run: (f: Body<any, any, any>, init: any, xs: any, turns: Turns) => [any, any],
  f: Body<C, X, Y>,
  init: C,
  xs: X,
  { length, reverse, size, cut, again }: Pieces,
): [C, Y] {
  const stretches: Tree[] = []
  let carry = init
  let done = 0
  /** So many turns as a piece. */
  const piece = (turns: number, isCut: boolean): Body<C, X, Y> => {
    const inside: Body<C, X, Y> = (carry, xs) =>
      run(f, isCut ? treeMap(stopGradient, carry as Tree) : carry, xs, { length: turns, reverse })
    return again ? checkpoint(inside) : inside
  }
  const go = (pieces: number, turns: number, isCut: boolean): void => {
    const count = pieces * turns
    if (count === 0) return
    const part = rows(xs as Tree, reverse ? length - done - count : done, count)
    let ys: Tree
    if (pieces === 1) [carry, ys] = piece(turns, isCut)(carry, part) as readonly [any, Tree]
    else {
      const parts = each(part, x => reshape(x, [pieces, turns, ...x.shape.slice(1)]))
      ;[carry, ys] = run(piece(turns, isCut), carry, parts, { length: pieces, reverse })
      ys = each(ys, y => reshape(y, [count, ...y.shape.slice(2)]))
    }
    stretches.push(ys)
    done += count
  }
  const whole = Math.floor(length / size)
  // the initial carry keeps its derivative: the first piece is not cut off from it
  const first = cut ? Math.min(1, whole) : 0
  go(first, size, false)
  go(whole - first, size, cut)
  go(1, length - whole * size, cut && whole > 0)
  if (reverse) stretches.reverse()
  return [carry, stretches.length === 1 ? stretches[0] : join(stretches)] as [C, Y]
}

const each = (t: Tree, f: (x: Tensor) => Tensor): Tree => rebuild(t, leaves(t).map(f))
/** Turns of all stacked leaves. */
const rows = (xs: Tree, from: number, n: number): any =>
  each(xs, x => slice(x, { start: [from, ...x.shape.slice(1).fill(0)], shape: [n, ...x.shape.slice(1)] }))
const join = (parts: readonly Tree[]): Tree => {
  const columns = parts.map(leaves)
  return rebuild(
    parts[0]!,
    columns[0]!.map((_, i) =>
      concat(
        columns.map(c => c[i]!),
        0,
      ),
    ),
  )
}
