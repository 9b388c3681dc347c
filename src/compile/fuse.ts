// Graph -> kernels: a kernel is an expression, put together from the meanings of its applications by substitution.
import { heldAs } from "../core/dtype.ts"
import type { Loop } from "../core/primitive.ts"
import { type Apply, type Graph, Node } from "../graph/graph.ts"
import { axisIndex, type Index, newAxis, ravel, sameIndex } from "../ir/affine.ts"
import { simplifier } from "../ir/algebra.ts"
import type { Expr, MemoryType, Read } from "../ir/expr.ts"
import { avalsOf, type Group, group } from "./group.ts"
import { type Kernel, storesOf, withStores } from "./kernel.ts"

/** A task of a program, and the values it works on. */
interface Common {
  readonly outs: readonly Node[]
  readonly reads: readonly Node[]
  /** The operation whose result it stores, and where in the user's program that stands. */
  readonly name: string
  readonly scope: readonly string[]
}
export interface Launch extends Common {
  readonly k: "kernel"
  readonly kernel: Kernel
}
/** A loop over a program. Its first results hold the initial carry when it starts, its operands are without that. */
export interface Repeat extends Common {
  readonly k: "loop"
  readonly loop: Loop
}

/** The kernels and loops of a graph in execution order, and its outputs: each a value of its own, none of them an input. */
export function fuse(g: Graph): { tasks: (Launch | Repeat)[]; outputs: Node[] } {
  const groups = group(g)
  const producer = new Map(g.nodes.flatMap(n => n.outs.map(o => [o, n] as const)))
  const tasks: (Launch | Repeat)[] = []
  const done = new Set<Group>()
  const isInput = (o: Node): boolean => g.inputs.includes(o)
  /** Results that are inputs or other results too, and what they are copies of. */
  const copies = new Map<Node, Node>()
  const outputs = g.outputs.map((o, i) => {
    if (!isInput(o) && g.outputs.indexOf(o) === i) return o
    const copy = new Node(o.aval)
    copies.set(copy, o)
    return copy
  })

  const launch = (
    { name, scope }: Pick<Launch, "name" | "scope">,
    outs: readonly Node[],
    make: (read: (a: Node) => Read) => Omit<Kernel, "loads">,
  ): void => {
    const reads: Node[] = []
    // one expression for each value and index vector, so that what is shared stays shared
    const made = new Map<Node, { readonly idx: readonly Index[]; readonly e: Expr }[]>()
    const slot = (a: Node): number => {
      const i = reads.indexOf(a)
      return i >= 0 ? i : reads.push(a) - 1
    }
    const isStored = (a: Node): boolean => !outs.includes(a) && (groups.has(a) || !producer.has(a))
    const read =
      (a: Node): Read =>
      idx => {
        let known = made.get(a)
        if (!known) made.set(a, (known = []))
        const twin = known.find(k => k.idx.every((i, d) => sameIndex(i, idx[d]!)))
        if (twin) return twin.e
        const e: Expr = isStored(a) ? { k: "load", t: heldAs(a.aval.dtype), slot: slot(a), at: ravel(idx, a.aval.shape) } : element(a, idx)
        known.push({ idx, e })
        return e
      }
    const element = (a: Node, idx: readonly Index[]): Expr => {
      const n = producer.get(a)!
      const { meaning } = n.prim
      if (!("at" in meaning) || meaning.kind === "scatter") throw new Error(`fuse: ${n.prim.name} has no elements`)
      return meaning.at(n.args.map(read), idx, n.params, avalsOf(n))
    }
    const kernel = make(read)
    const simplify = simplifier()
    const stores = storesOf(kernel as Kernel).map(s => ({ ...s, body: simplify(s.body) }))
    for (const r of reads) ready(r)
    tasks.push({ k: "kernel", kernel: withStores({ ...kernel, loads: reads.map(r => r.aval.dtype) }, stores), outs, reads, name, scope })
  }
  const store = (t: MemoryType, at: Index): Kernel["out"] => ({ t, at, mode: "store", bounds: [] })
  /** A kernel over the elements of `outs`, which have one shape. */
  const elements = (of: Pick<Launch, "name" | "scope">, outs: readonly Node[], from: readonly Node[] = outs): void =>
    launch(of, outs, read => {
      const { shape } = outs[0]!.aval
      const axes = shape.map(newAxis)
      const idx = axes.map(axisIndex)
      const stores = outs.map((o, i) => ({ out: store(o.aval.dtype, ravel(idx, shape)), body: read(from[i]!)(idx) }))
      return { axes, ...stores[0]!, ...(stores.length > 1 && { also: stores.slice(1) }) }
    })

  /** Puts the group that stores `a` before what comes next. */
  function ready(a: Node): void {
    const home = groups.get(a)
    if (!home || done.has(home)) return
    done.add(home)
    const { root, stores } = home
    const of = { name: root.prim.name, scope: root.scope }
    const { meaning } = root.prim
    if (meaning.kind === "loop") repeat(of, root, meaning.loop(root.params))
    else if (meaning.kind !== "scatter") {
      const own = stores.flatMap(n => n.outs)
      const [outs, from] = [[...own], [...own]]
      // a result that is returned twice is stored twice
      for (const [copy, o] of copies) {
        if (!own.includes(o)) continue
        outs.push(copy)
        from.push(o)
        copies.delete(copy)
      }
      elements(of, outs, from)
    } else {
      const [out] = root.outs as readonly [Node]
      elements(of, [out], [root.args[meaning.target]!])
      launch(of, [out], read => {
        const axes = meaning.loop(avalsOf(root), root.params).map(newAxis)
        const { to, bounds, value } = meaning.at(root.args.map(read), axes.map(axisIndex), root.params, avalsOf(root))
        return { axes, out: { t: out.aval.dtype, at: ravel(to, out.aval.shape), mode: "add", bounds }, body: value }
      })
    }
  }
  /** A loop works on its carry in place: the results are filled with the initial one first. */
  function repeat(of: Pick<Launch, "name" | "scope">, { args, outs }: Apply, loop: Loop): void {
    const [from, to] = [loop.constants, loop.constants + loop.carry]
    for (const a of args) ready(a)
    outs.slice(0, loop.carry).forEach((o, i) => {
      elements(of, [o], [args[from + i]!])
    })
    tasks.push({ k: "loop", loop, outs, reads: [...args.slice(0, from), ...args.slice(to)], ...of })
  }

  const copyAll = (which: (o: Node) => boolean): void => {
    for (const [copy, o] of copies) if (which(o)) elements({ name: "copy", scope: [] }, [copy], [o])
  }
  // inputs first: results may take their place
  copyAll(isInput)
  for (const n of g.nodes) for (const o of n.outs) ready(o)
  copyAll(o => !isInput(o))
  return { tasks, outputs }
}
