import { inline } from "../compile/inline.ts"
import { simplify } from "../compile/simplify.ts"
import { recordCall } from "../control/call.ts"
import { leaves, type Tree } from "../core/tree.ts"
import { print } from "../graph/print.ts"

export interface ProgramOptions {
  /** Puts the bodies of composites and jitted functions in their place, as the compiler sees them. Default: false. */
  readonly inlined?: boolean
}

/**
 * What `f` does with arguments like these, as text: one line for each operation, and behind `//` the layer or function that it
 * belongs to; `backward` marks what reverse mode has written. Nothing is computed. JAX calls this a jaxpr.
 *
 * @example
 * console.log(printProgram(grad(loss), [params, x]))
 */
export function printProgram(f: (...args: any[]) => any, args: readonly unknown[], { inlined = false }: ProgramOptions = {}): string {
  const { graph } = recordCall(f, args as readonly Tree[])
  const values = args.flatMap(a => leaves(a as Tree)).length
  const text = print(inlined ? simplify(inline(graph)) : graph)
  const captured = graph.inputs.length - values
  return captured ? `${text}\n  // the last ${captured} inputs are tensors that the function uses from outside` : text
}
