// Which sums over the turns of a loop are computed after it, at once, from what the turns have stacked.
import { type Aval, shaped } from "../core/aval.ts"
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
  const isFixed = (e: Expr, seen = new Set<Expr>()): boolean => {
    if (seen.has(e)) return true
    seen.add(e)
    return e.k === "load" ? !varies[e.slot] : children(e).every(c => isFixed(c, seen))
  }
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
  const cheap = new Set(g.nodes.filter(isCheap))
  const atHand = new Set(stacked)
  /** Values whose stacks can be had, or cheaply made, from what is at hand. */
  const findFree = (): Set<Node> => {
    const free = new Set([...fixed, ...atHand])
    for (const n of g.nodes)
      if (!n.outs.some(varies) || (cheap.has(n) && n.args.every(a => free.has(a)))) for (const o of n.outs) free.add(o)
    return free
  }
  let free = findFree()

  /** The value whose stack stands for that of another one: what it is made from at little cost, if that is no larger. */
  const origin = (n: Node): Node => {
    const maker = makers.get(n)
    if (atHand.has(n) || !maker || !cheap.has(maker)) return n
    const [from, ...others] = maker.args.filter(varies)
    return from && others.length === 0 && bytes([from]) <= bytes([n]) ? origin(from) : n
  }
  /** What makes a value whose sum is made of the sums of its operands. */
  const parts = (n: Node): Apply | undefined => {
    const maker = makers.get(n)
    return !free.has(n) && maker && isLinear(maker, maker.args.map(varies)) ? maker : undefined
  }
  /** The stacks that the sum of a value over all turns is made from; `undefined` if that is no better than to sum it up in the loop. */
  const wants = (root: Node): Set<Node> | undefined => {
    const found = new Set<Node>()
    const seen = new Set<Node>()
    const visit = (n: Node): boolean => {
      if (free.has(n) || seen.has(n)) return true
      seen.add(n)
      const linear = parts(n)
      if (linear) return linear.args.filter(varies).every(visit)
      const maker = makers.get(n)
      if (!maker?.prim.total) return false
      for (const a of maker.args.filter(varies)) found.add(origin(a))
      return true
    }
    return visit(root) ? found : undefined
  }

  const extra: Node[] = []
  const leaving = new Set<Node>()
  const room = bytes(stacked)
  for (const s of [...new Set(shares)].filter(varies).sort((a, b) => bytes([b]) - bytes([a]))) {
    const wanted = wants(s)
    if (!wanted) continue
    const more = [...wanted].filter(n => !free.has(n))
    const made = [...wanted].filter(n => !atHand.has(n))
    if (bytes(more) > WORTH * bytes([s]) || bytes(new Set([...extra, ...made])) > room) continue
    leaving.add(s)
    for (const n of more) {
      atHand.add(n)
      extra.push(n)
    }
    free = findFree()
  }

  const leave = shares.map(s => leaving.has(s))
  const stacks = [...stacked, ...extra]
  const stackedAval = ({ aval }: Node): Aval => shaped([length, ...aval.shape], aval)
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
      const summed = new Map<Node, Tensor>()
      const total = (n: Node): Tensor => {
        let t = summed.get(n)
        if (!t) summed.set(n, (t = makeTotal(n)))
        return t
      }
      const makeTotal = (n: Node): Tensor => {
        if (free.has(n)) return sum(stack(n), [0])
        const { prim, args, params, scope: at } = makers.get(n)!
        const xs = args.map(parts(n) ? a => (varies(a) ? total(a) : all(a)[0]) : stack)
        return scope(at, () => (parts(n) ? bind(prim, xs, params)[0]! : prim.total!(xs, params)))
      }
      return shares.filter((_, i) => leave[i]).map(total)
    },
    [...avals(fixed), ...stacks.map(stackedAval)],
  )
  return { leave, extra, after }
}
