// The compiler from top to bottom: each pass takes what the one above it returns.
import type { Graph, Node } from "../graph/graph.ts"
import { fuse, type Launch, type Repeat } from "./fuse.ts"
import { inline } from "./inline.ts"
import { workOf } from "./kernel.ts"
import { loops } from "./loops.ts"
import { simplify } from "./simplify.ts"

export type Task = Launch | (Repeat & { readonly body: Lowered })

/** A program as kernels and loops over programs, before memory is given to it. */
export interface Lowered {
  readonly inputs: readonly Node[]
  readonly tasks: readonly Task[]
  /** Each a value of its own, none of them an input. */
  readonly outputs: readonly Node[]
  /** Scalar operations of one run. */
  readonly work: number
}

/** Graph -> tasks in order. An engine then plans their memory (plan.ts) and emits their code (emit/). */
export function lower(graph: Graph): Lowered {
  const flat = simplify(inline(graph))
  const fused = fuse(flat)
  const tasks = fused.tasks.map(
    (t): Task => (t.k === "kernel" ? { ...t, kernel: loops(t.kernel) } : { ...t, body: lower(t.loop.graph as Graph) }),
  )
  const work = tasks.reduce((n, t) => n + (t.k === "kernel" ? workOf(t.kernel) : t.loop.length * t.body.work), 0)
  return { inputs: flat.inputs, tasks, outputs: fused.outputs, work }
}
