// A program mapped over members with their axis last: neighbouring members lie side by side in memory, so that every operation of tiny networks,
// products of matrices too, is done for four of them by one instruction. `vmap` puts the axis first, where the library of matrix products wants it.
import { type Aval, shaped, size } from "../../core/aval.ts"
import type { Primitive } from "../../core/primitive.ts"
import { bind, scope } from "../../core/tensor.ts"
import type { Graph, Node } from "../../graph/graph.ts"
import { derive } from "../../graph/record.ts"
import { broadcast } from "../../primitives/base.ts"

interface Across {
  readonly inner: any
  /** Which operands have the axis. */
  readonly mapped: readonly boolean[]
  readonly n: number
}

const never = (): never => {
  throw new Error("a program of members is neither differentiated nor mapped again")
}
const without = ({ shape, ...a }: Aval): Aval => ({ ...a, shape: shape.slice(0, -1) })
const known = new Map<Primitive, Primitive<Across>>()

/** The operation on members side by side: its own meaning at each of them. Undefined where its elements are not given by indices. */
function acrossMembers(prim: Primitive): Primitive<Across> | undefined {
  const { meaning } = prim
  if (meaning.kind !== "map" && meaning.kind !== "reduce" && meaning.kind !== "contraction") return undefined
  const made = known.get(prim)
  if (made) return made
  const own = (avals: readonly Aval[], mapped: readonly boolean[]): Aval[] => avals.map((a, i) => (mapped[i] ? without(a) : a))
  const across: Primitive<Across> = {
    name: prim.name,
    shape: (ins, { inner, mapped, n }) => prim.shape(own(ins, mapped), inner).map(a => shaped([...a.shape, n], a)),
    meaning: {
      kind: meaning.kind,
      at(ins, idx, { inner, mapped }, avals) {
        const member = idx.at(-1)!
        const reads = ins.map((read, i) => (mapped[i] ? (at: Parameters<typeof read>[0]) => read([...at, member]) : read))
        return meaning.at(reads, idx.slice(0, -1), inner, own(avals, mapped))
      },
    },
    ...{ jvp: never, transpose: never, batch: never },
  }
  known.set(prim, across)
  return across
}

/** As `batchGraph`, with the axis of members last, for programs that `suitsAcross`. */
export function graphAcross(
  g: Graph,
  which: readonly boolean[],
  n: number,
  force: readonly boolean[],
): { graph: Graph; mapped: boolean[] } {
  const isMapped = new Map<Node, boolean>(g.inputs.map((x, i) => [x, which[i]!]))
  for (const { args, outs } of g.nodes)
    for (const o of outs)
      isMapped.set(
        o,
        args.some(a => isMapped.get(a)),
      )
  const ins = g.inputs.map((x, i) => (which[i] ? shaped([...x.aval.shape, n], x.aval) : x.aval))
  const mapped = g.outputs.map((o, i) => isMapped.get(o)! || force[i] === true)
  const graph = derive(xs => {
    const env = new Map(g.inputs.map((x, i) => [x, xs[i]!]))
    for (const { prim, params, args, outs, scope: names } of g.nodes) {
      const operands = args.map(a => env.get(a)!)
      const has = args.map(a => isMapped.get(a)!)
      const ys = scope(names, () =>
        has.includes(true) ? bind(acrossMembers(prim)!, operands, { inner: params, mapped: has, n }) : bind(prim, operands, params),
      )
      outs.forEach((o, i) => env.set(o, ys[i]!))
    }
    return g.outputs.map((o, i) => {
      const y = env.get(o)!
      return mapped[i] && !isMapped.get(o) ? broadcast(y, [...y.shape, n], [y.ndim]) : y
    })
  }, ins)
  return { graph, mapped }
}

/** Most multiplications of a member's matrix product that loops over members do; larger ones are for the library (compile/emit/gemm-match.ts). */
const SMALL_PRODUCT = 2047

/** Whether a program can be mapped with members side by side, and all its products of matrices are so small that it should be. */
export const suitsAcross = (g: Graph): boolean =>
  g.nodes.every(({ prim, args, outs }) => {
    if (!acrossMembers(prim)) return false
    if (prim.meaning.kind !== "contraction") return true
    const [a, b] = args.map(x => size(x.aval.shape)) as [number, number]
    // sqrt(mk kn mn) = mkn
    return Math.sqrt(a * b * size(outs[0]!.aval.shape)) <= SMALL_PRODUCT
  })
