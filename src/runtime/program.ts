import { lower } from "../compile/passes.ts"
import type { Graph } from "../graph/graph.ts"
import type { Engine, Run } from "./engine.ts"

/** Below this many scalar operations a call into WebAssembly and the copies there cost more than they gain. */
const SMALL = 4096

/** What has been compiled so far in this process; for tests and for finding out why something was compiled again. */
export const stats = { programs: 0, runs: 0 }

/** Picks an engine for each program: `small` for little work, `main` for the rest. */
export class Compiler {
  readonly main: Engine
  private readonly small: Engine
  constructor(main: Engine, small: Engine) {
    this.main = main
    this.small = small
  }
  compile(graph: Graph, donated: readonly number[] = graph.outputs.map(() => -1)): Run {
    stats.programs++
    const program = lower(graph)
    const run = (program.work < SMALL ? this.small : this.main).compile(program, donated)
    return inputs => {
      stats.runs++
      return run(inputs)
    }
  }
}

let current: Compiler | undefined
export const installCompiler = (c: Compiler): void => void (current = c)
export const hasCompiler = (): boolean => current !== undefined
export const compiler = (): Compiler => {
  if (!current) throw new Error('no engine is installed: import from "adjoint" or "adjoint/js"')
  return current
}
