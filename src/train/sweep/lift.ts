// Programs that differ in their numbers alone, as one program that takes these numbers as arguments. So a learning rate, a weight decay or a
// dropout rate that is a constant for one network is a vector for many, whatever part of the program reads it.
import { keyOf, size } from "../../core/aval.ts"
import { type Concrete, fromArray, storedOf } from "../../core/concrete.ts"
import { allocate } from "../../core/dtype.ts"
import type { Tensor } from "../../core/tensor.ts"
import { type Apply, type Graph, Node } from "../../graph/graph.ts"
import { idOf, paramsKey } from "../../graph/key.ts"
import { broadcastP, fullP } from "../../primitives/base.ts"

/** A recorded function without calls in it, and the outer values that it reads. */
export interface Variant {
  readonly graph: Graph
  readonly captured: readonly Tensor[]
}
/** One function for all variants: its last inputs are what differs. */
export interface Lifted {
  readonly graph: Graph
  /** What goes into the last inputs. */
  readonly extra: readonly { readonly value: Tensor; readonly mapped: boolean }[]
}

/** A program as text, without the values of its constants: variants of one form can be one program. */
export function formOf({ inputs, nodes, outputs }: Graph): string {
  const numbers = new Map<Node, number>()
  const name = (n: Node): number => {
    if (!numbers.has(n)) numbers.set(n, numbers.size)
    return numbers.get(n)!
  }
  const parts = inputs.map(n => `${name(n)}:${keyOf(n.aval)}`)
  for (const { prim, params, args, outs } of nodes) {
    const known = prim === fullP ? { ...params, value: null } : params
    parts.push(`${outs.map(name)}=${idOf(prim)} ${paramsKey(known)} ${args.map(name)}`)
  }
  return [...parts, outputs.map(name)].join(";")
}

/** Joins variants of one form; `of` says for each member which variant is its own. */
export function lift(variants: readonly Variant[], of: readonly number[], last = false): Lifted {
  const [first] = variants as readonly [Variant]
  const { inputs, nodes, outputs } = first.graph
  const given = inputs.slice(0, inputs.length - first.captured.length)
  const extra: { value: Tensor; mapped: boolean }[] = first.captured.map((x, i) => {
    const same = variants.every(v => v.captured[i] === x)
    return same
      ? { value: x, mapped: false }
      : {
          value: stack(
            of.map(v => variants[v]!.captured[i]!),
            last,
          ),
          mapped: true,
        }
  })
  const added: Node[] = inputs.slice(given.length)
  const known = new Map<string, Node>()
  const replace = (n: Apply, at: number): Apply => {
    if (n.prim !== fullP) return n
    const values = variants.map(v => v.graph.nodes[at]!.params.value as number)
    if (values.every(x => Object.is(x, values[0]))) return n
    const { shape, dtype } = n.params
    const key = `${dtype} ${values}`
    let input = known.get(key)
    if (!input) {
      known.set(key, (input = new Node({ shape: [], dtype })))
      added.push(input)
      const column = allocate(dtype, of.length)
      of.forEach((v, member) => (column[member] = values[v]!))
      extra.push({ value: fromArray(column, { shape: [of.length], dtype }), mapped: true })
    }
    // of a scalar there is nothing to copy: it is moved as it is
    return { ...n, prim: broadcastP, args: [input], params: { shape, axes: shape.map((_: number, i: number) => i) } }
  }
  const replaced = nodes.map(replace)
  return { graph: { inputs: [...given, ...added], nodes: replaced, outputs }, extra }
}

/** Tensors of one kind along a new axis of members, the first one or the last. */
export function stack(xs: readonly Tensor[], last = false): Tensor {
  const { shape, dtype } = xs[0]!.aval
  const [n, members] = [size(shape), xs.length]
  const all = allocate(dtype, n * members)
  xs.forEach((x, m) => {
    const values = storedOf(x as Concrete)
    if (!last) all.set(values, m * n)
    else for (let i = 0; i < n; i++) all[i * members + m] = values[i]!
  })
  return fromArray(all, { shape: last ? [...shape, members] : [members, ...shape], dtype })
}

/** What belongs to member `m` of a stack, apart from it. */
export function entry(x: Tensor, m: number, last = false): Tensor {
  const { shape, dtype } = x.aval
  const members = shape.at(last ? -1 : 0)!
  const n = size(shape) / members
  const all = storedOf(x as Concrete)
  const own = last ? allocate(dtype, n).map((_: number, i: number) => all[i * members + m]!) : all.slice(m * n, (m + 1) * n)
  return fromArray(own, { shape: last ? shape.slice(0, -1) : shape.slice(1), dtype })
}
