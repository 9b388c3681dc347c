// Which sums over the turns of a loop are computed after it, at once, from what the turns have stacked.
import type { Aval } from "../core/aval.ts"
import type { Axis } from "../core/primitive.ts"
import { bind, scope, type Tensor } from "../core/tensor.ts"
import { type Apply, avals, type Graph, type Node } from "../graph/graph.ts"
import { derive } from "../graph/record.ts"
import { children, type Expr } from "../ir/expr.ts"
import { spread, sum, toFront } from "../primitives/base.ts"
import { bytes, elementOf, isCheap } from "./residuals.ts"

/** A sum that stays in the loop is read and written in each turn, and so is what is added to it; a stack is written and read once. */
const WORTH = 2

/** Whether an application is linear in those operands that vary, all of them together. */
function isLinear(n: Apply, varies: readonly boolean[]): boolean {
  const isFixed = (e: Expr): boolean => (e.k === "load" ? !varies[e.slot] : children(e).every(isFixed))
  const visit = (e: Expr): boolean => {
    if (e.k === "load") return varies[e.slot]! && e.at.terms.every(([a]) => a.k !== "value")
    if (e.k === "guard") return e.otherwise === 0 && visit(e.body)
    if (e.k === "reduce") return e.op === "sum" && visit(e.body)
    if (e.k !== "op") return false
    const [x, y] = e.args
    if (e.op === "mul") return (visit(x!) && isFixed(y!)) || (isFixed(x!) && visit(y!))
    return ["add", "sub", "neg"].includes(e.op) && e.args.every(visit)
  }
  const e = elementOf(n)
  return e !== undefined && visit(e)
}

export interface Totals {
  /** Which of the shares are summed after the loop. */
  readonly leave: boolean[]
  /** What the turns stack for that, beside what is stacked anyway. */
  readonly extra: readonly Node[]
  /** [fixed, stacks, stacks of `extra`] -> the sums */
  readonly after: Graph
}

/**
 * What a loop of `length` turns adds up are the `shares` of a turn, outputs of `g`. A sum leaves the loop if it can be computed from
 * `fixed`, which is the same in each turn, and stacks: `stacked` is at hand anyway; more is stacked where that moves fewer bytes than
 * carrying the sum, and takes no more memory than the stacks at hand. Products become one product over all turns.
 */
export function totals(g: Graph, shares: readonly Node[], fixed: readonly Node[], stacked: readonly Node[], length: number): Totals {
  const makers = new Map(g.nodes.flatMap(n => n.outs.map(o => [o, n] as const)))
  const varying = new Set(g.inputs.filter(n => !fixed.includes(n)))
  for (const n of g.nodes) if (n.args.some(a => varying.has(a))) for (const o of n.outs) varying.add(o)
  const varies = (n: Node): boolean => varying.has(n)
  const atHand = new Set(stacked)

  /** Whether a stack of the values of all turns can be had, or cheaply made, from what is at hand. */
  const isFree = (n: Node): boolean => {
    if (!varies(n) || atHand.has(n)) return true
    const maker = makers.get(n)
    return maker !== undefined && isCheap(maker) && maker.args.every(isFree)
  }
  /** The value whose stack stands for that of another one: what it is made from at little cost, if that is no larger. */
  const origin = (n: Node): Node => {
    const maker = makers.get(n)
    if (atHand.has(n) || !maker || !isCheap(maker)) return n
    const [from, ...others] = maker.args.filter(varies)
    return from && others.length === 0 && bytes([from]) <= bytes([n]) ? origin(from) : n
  }
  const parts = (n: Node): Apply | undefined => {
    const maker = makers.get(n)
    return !isFree(n) && maker && isLinear(maker, maker.args.map(varies)) ? maker : undefined
  }
  /** The stacks that the sum of a value over all turns is made from; `undefined` if that is no better than to sum it up in the loop. */
  const wants = (n: Node): Node[] | undefined => {
    if (isFree(n)) return []
    const maker = makers.get(n)
    const each = parts(n)?.args.filter(varies).map(wants) ?? [maker?.prim.total && maker.args.filter(varies).map(origin)]
    return each.every(w => w !== undefined) ? each.flat() : undefined
  }

  const extra: Node[] = []
  const leaving = new Set<Node>()
  const room = bytes(stacked)
  for (const s of [...new Set(shares)].filter(varies).sort((a, b) => bytes([b]) - bytes([a]))) {
    const wanted = wants(s)?.filter(n => !atHand.has(n))
    const more = new Set(wanted?.filter(n => !isFree(n)))
    if (!wanted || bytes(more) > WORTH * bytes([s]) || bytes(new Set([...extra, ...wanted])) > room) continue
    leaving.add(s)
    for (const n of more) {
      atHand.add(n)
      extra.push(n)
    }
  }

  const leave = shares.map(s => leaving.has(s))
  const stacks = [...stacked, ...extra]
  const stackedAval = ({ aval }: Node): Aval => ({ ...aval, shape: [length, ...aval.shape] })
  const after = derive(
    values => {
      const made = new Map<Node, readonly [Tensor, Axis]>()
      fixed.forEach((n, i) => made.set(n, [values[i]!, null]))
      stacks.forEach((n, i) => made.set(n, [values[fixed.length + i]!, 0]))
      /** The values of all turns, and along which axis they differ. */
      const all = (n: Node): readonly [Tensor, Axis] => {
        const maker = makers.get(n)
        if (made.has(n) || !maker) return made.get(n)!
        const args = maker.args.map(all)
        const [xs, axes] = [args.map(([x]) => x), args.map(([, axis]) => axis)]
        const { prim, params } = maker
        const [ys, out] = scope(maker.scope, () =>
          axes.every(a => a === null) ? [bind(prim, xs, params), []] : prim.batch(xs, axes, params, length),
        )
        maker.outs.forEach((o, i) => made.set(o, [ys[i]!, out[i] ?? null]))
        return made.get(n)!
      }
      const stack = (n: Node): Tensor => {
        const [x, axis] = all(n)
        return spread(toFront(x, axis), axis !== null, length)
      }
      const total = (n: Node): Tensor => {
        const maker = makers.get(n)
        const linear = parts(n)
        if (linear) {
          const args = linear.args.map(a => (varies(a) ? total(a) : all(a)[0]))
          return scope(linear.scope, () => bind(linear.prim, args, linear.params)[0]!)
        }
        if (isFree(n)) return sum(stack(n), [0])
        const { prim, args, params } = maker!
        return scope(maker!.scope, () => prim.total!(args.map(stack), params))
      }
      return shares.filter((_, i) => leave[i]).map(total)
    },
    [...avals(fixed), ...stacks.map(stackedAval)],
  )
  return { leave, extra, after }
}
