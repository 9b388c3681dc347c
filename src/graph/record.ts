import { type Aval, show } from "../core/aval.ts"
import type { Primitive } from "../core/primitive.ts"
import { alive, bind, currentScope, scope, Tensor, Trace, withTrace } from "../core/tensor.ts"
import type { Flat } from "../core/tree.ts"
import { type Apply, avals, type Graph, Node, prune } from "./graph.ts"

/** A value that is being recorded. */
class Traced extends Tensor {
  readonly trace: Recorder
  readonly node: Node
  constructor(trace: Recorder, node: Node) {
    super()
    this.trace = trace
    this.node = node
  }
  get aval(): Aval {
    return this.node.aval
  }
  override toString(): string {
    return `Traced ${show(this.aval)}`
  }
}

/** Opened as a stage it takes everything; opened on operands alone (linear) only what depends on its inputs. */
class Recorder extends Trace {
  readonly nodes: Apply[] = []
  readonly captured = new Map<Tensor, Node>()
  private readonly base = currentScope().length

  /** The node of a value; an outer value becomes an extra input. */
  refer(x: Tensor): Node {
    if (x instanceof Traced && x.trace === this) return x.node
    let n = this.captured.get(alive(x))
    if (!n) this.captured.set(x, (n = new Node(x.aval)))
    return n
  }
  process<P>(prim: Primitive<P>, values: readonly Tensor[], params: P): Tensor[] {
    const args = values.map(v => this.refer(v))
    const outs = prim.shape(avals(args), params).map(a => new Node(a))
    this.nodes.push({ prim, args, params, outs, scope: currentScope().slice(this.base) })
    return outs.map(n => new Traced(this, n))
  }
}

/** Runs `f` on stand-ins and writes down what it does. `captured` are the values of the inputs after `ins`. */
export function record(f: Flat, ins: readonly Aval[], kind: "stage" | "operands" = "stage"): { graph: Graph; captured: Tensor[] } {
  return withTrace(
    kind,
    level => new Recorder(level),
    r => {
      const given = ins.map(a => new Node(a))
      const outputs = f(given.map(n => new Traced(r, n))).map(x => r.refer(x))
      const graph = prune({ inputs: [...given, ...r.captured.values()], nodes: r.nodes, outputs })
      return { graph, captured: [...r.captured.keys()] }
    },
  )
}

/** As `record`, for a function of its arguments alone: the rules that derive one graph from another. */
export function derive(f: Flat, ins: readonly Aval[]): Graph {
  const { graph, captured } = record(f, ins)
  if (captured.length) throw new Error(`a derived graph must not capture values; it captured ${captured.map(v => show(v.aval)).join(", ")}`)
  return graph
}

/** Runs a graph again, through whatever traces its arguments carry. */
export function replay(g: Graph, xs: readonly Tensor[]): Tensor[] {
  const env = new Map(g.inputs.map((n, i) => [n, xs[i]!]))
  for (const n of g.nodes) {
    const ys = scope(n.scope, () =>
      bind(
        n.prim,
        n.args.map(a => env.get(a)!),
        n.params,
      ),
    )
    n.outs.forEach((o, i) => env.set(o, ys[i]!))
  }
  return g.outputs.map(o => env.get(o)!)
}
