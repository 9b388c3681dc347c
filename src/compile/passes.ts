// The compiler from top to bottom: each pass takes what the one above it returns.
import type { Graph, Node } from "../graph/graph.ts"
import { fuse, type Launch } from "./fuse.ts"
import { inline } from "./inline.ts"
import { workOf } from "./kernel.ts"
import { loops } from "./loops.ts"
import { simplify } from "./simplify.ts"

/** A program as kernels, before memory is given to it. */
export interface Lowered {
  readonly inputs: readonly Node[]
  readonly launches: readonly Launch[]
  /** Each a value of its own, none of them an input. */
  readonly outputs: readonly Node[]
  /** Scalar operations of one run. */
  readonly work: number
}

/** Graph -> kernels in order. An engine then plans their memory (plan.ts) and emits their code (emit/). */
export function lower(graph: Graph): Lowered {
  const flat = simplify(inline(graph))
  const fused = fuse(flat)
  const launches = fused.launches.map(l => ({ ...l, kernel: loops(l.kernel) }))
  const work = launches.reduce((n, l) => n + workOf(l.kernel), 0)
  return { inputs: flat.inputs, launches, outputs: fused.outputs, work }
}
