// Where a NaN or infinity comes from: a step is run once more, operation by operation.
import type { TypedArray } from "../../core/dtype.ts"
import { bind, type Tensor } from "../../core/tensor.ts"
import { type Flat, leaves, type Tree } from "../../core/tree.ts"
import { type Graph, type Node, scopeOf } from "../../graph/graph.ts"
import { record } from "../../graph/record.ts"
import { valueAndGrad } from "../../transforms/grad.ts"
import type { Carry } from "../step.ts"
import type { Loss, Optimizer, Trainable } from "../trainable.ts"

/** The operation that made a number that is not finite from finite ones. */
export interface Origin {
  /** Name of the operation, such as `log`. */
  readonly operation: string
  /** `layers.2`, or "" outside of layers. */
  readonly layer: string
  readonly phase: "forward" | "backward" | "update"
  /** Smallest and largest of each operand. */
  readonly operands: readonly (readonly [low: number, high: number])[]
}

/** An operation as it was run. */
interface Done {
  readonly operation: string
  readonly scope: readonly string[]
  readonly args: readonly Value[]
}
interface Value {
  readonly tensor: Tensor
  /** 0: finite, 1: infinite, 2: NaN. */
  readonly bad: 0 | 1 | 2
  readonly by?: Done
}

/** What made the loss of a step, or a parameter after it, NaN or infinite; undefined where nothing did. */
export function originOf(
  { model, loss, optimizer }: { readonly model: Trainable; readonly loss: Loss; readonly optimizer: Optimizer },
  { params, state, optimizer: now }: Carry,
  x: Tensor,
  y: Tensor,
  key: Tensor,
): Origin | undefined {
  const lossOf = (params: Tree): Tensor => loss(model.apply(params, state, x, { key, training: true })[0], y)
  const given = leaves(params)
  const step: Flat = () => {
    const [value, grads] = valueAndGrad(lossOf)(params)
    const [next] = optimizer.update(grads, now, params)
    return [value, ...leaves(grads), ...leaves(next)]
  }
  const { graph, captured } = record(step, [])
  const results = runAll(graph, captured.map(valued), [])
  // the loss, else the gradients, else the new parameters; of these the last layer, where a backward pass begins
  const bad = [results[0]!, ...results.slice(1, given.length + 1).reverse(), ...results.slice(given.length + 1)].find(v => v.bad)
  return bad && walkBack(bad, (optimizer.config as { readonly kind?: string } | undefined)?.kind)
}

const valued = (tensor: Tensor): Value => ({ tensor, bad: badness(tensor.values()) })

function badness(x: TypedArray): 0 | 1 | 2 {
  let bad: 0 | 1 = 0
  for (const v of x) {
    if (Number.isNaN(v)) return 2
    if (!Number.isFinite(v)) bad = 1
  }
  return bad
}

/** The values of a graph's outputs; calls are gone into, loops are run as a whole. */
function runAll(graph: Graph, inputs: readonly Value[], outside: readonly string[]): Value[] {
  const env = new Map<Node, Value>(graph.inputs.map((n, i) => [n, inputs[i]!]))
  for (const n of graph.nodes) {
    const args = n.args.map(a => env.get(a)!)
    const scope = [...outside, ...scopeOf(n)]
    if (n.prim.meaning.kind === "call") {
      const results = runAll(n.prim.body!(n.params).graph as Graph, args, scope)
      n.outs.forEach((o, i) => env.set(o, results[i]!))
      continue
    }
    const by = { operation: n.prim.name, scope, args }
    const ys = bind(
      n.prim,
      args.map(a => a.tensor),
      n.params,
    )
    n.outs.forEach((o, i) => env.set(o, { ...valued(ys[i]!), by }))
  }
  return graph.outputs.map(o => env.get(o)!)
}

/** From a value that is not finite to the operation whose operands still are. */
function walkBack(value: Value, optimizer: unknown): Origin | undefined {
  let at = value
  for (;;) {
    if (!at.by) return undefined // it was given so
    const worst = at.by.args.reduce<Value | undefined>((a, v) => (v.bad > (a?.bad ?? 0) ? v : a), undefined)
    // an infinity that stands in the program as a constant, such as a mask, is no mistake by itself
    if (worst === undefined || worst.by?.args.length === 0) return origin(at.by, optimizer)
    at = worst
  }
}

/** Scopes outside of the model are those of the loss and of the optimizer, which is named by its kind. */
function origin({ operation, scope, args }: Done, optimizer: unknown): Origin {
  const layers = scope.filter(name => /^layers\.\d+$/.test(name))
  const updates = optimizer !== undefined && scope[0] === optimizer
  const phase = scope.includes("backward") ? "backward" : updates ? "update" : "forward"
  return { operation, layer: layers.join("/"), phase, operands: args.map(a => range(a.tensor.values())) }
}

function range(x: TypedArray): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity]
  for (const v of x) {
    if (v < low) low = v
    if (v > high) high = v
  }
  return [low, high]
}
