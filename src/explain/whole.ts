// The whole function in f64: its value, its gradient by reverse mode, and its value with other inputs.
import { fromArray } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Graph } from "../graph/graph.ts"
import { replay } from "../graph/record.ts"
import { reshape } from "../primitives/structure.ts"
import { jit } from "../runtime/jit.ts"
import { grad, jvp } from "../transforms/grad.ts"

export class Whole {
  readonly graph: Graph
  readonly values: readonly Tensor[]
  private readonly run: (...xs: Tensor[]) => Tensor
  constructor(graph: Graph, values: readonly Tensor[]) {
    this.graph = graph
    this.values = values
    this.run = jit((...xs: Tensor[]) => reshape(replay(graph, xs)[0]!, []))
  }

  error(values = this.values): number {
    return this.run(...values).item()
  }
  /** The error with another number in one element of one input. */
  errorWith(leaf: number, element: number, x: number): number {
    const { aval } = this.values[leaf]!
    const numbers = Float64Array.from(this.values[leaf]!.values())
    numbers[element] = x
    return this.error(this.values.with(leaf, fromArray(numbers, aval)))
  }

  /** dE/dinput, by reverse mode; by forward mode where the function has no other (`whileLoop`). */
  gradient(leaf: number): ArrayLike<number> {
    const x = this.values[leaf]!
    const f = (x: Tensor): Tensor => reshape(replay(this.graph, this.values.with(leaf, x))[0]!, [])
    try {
      return (jit(grad(f))(x) as Tensor).values()
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      return Array.from({ length: x.size }, (_, i) => this.slope(f, x, i))
    }
  }
  private slope(f: (x: Tensor) => Tensor, x: Tensor, element: number): number {
    const one = Float64Array.from({ length: x.size }, (_, i) => Number(i === element))
    return jvp(f, [x], [fromArray(one, x.aval)])[1].item()
  }
}
