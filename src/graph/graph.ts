// A program as immutable data.
import type { Aval } from "../core/aval.ts"
import type { Primitive, Program } from "../core/primitive.ts"

/** One value of a graph. */
export class Node {
  readonly aval: Aval
  constructor(aval: Aval) {
    this.aval = aval
  }
}
/** One application of a primitive. */
export interface Apply {
  readonly prim: Primitive
  readonly args: readonly Node[]
  readonly params: any
  readonly outs: readonly Node[]
  /** Names of layers and functions, outermost first, relative to the graph. */
  readonly scope: readonly string[]
}
/** A closed program, applications in execution order. It holds no values: constants are applications or inputs. */
export interface Graph extends Program {
  readonly inputs: readonly Node[]
  readonly nodes: readonly Apply[]
  readonly outputs: readonly Node[]
}
/** Where in the program an application stands, its own name included if it stands for a sub-program. */
export function scopeOf(n: Apply): readonly string[] {
  const name = n.prim.body?.(n.params).name
  return name ? [...n.scope, name] : n.scope
}
export const avals = (nodes: readonly Node[]): Aval[] => nodes.map(n => n.aval)

/** Drops applications that no output needs, and of those that stay the outputs that can be left out. */
export function prune(g: Graph): Graph {
  const live = new Set(g.outputs)
  const nodes: Apply[] = []
  for (let i = g.nodes.length - 1; i >= 0; i--) {
    const n = g.nodes[i]!
    const used = n.outs.map(o => live.has(o))
    if (!used.includes(true)) continue
    const left = (used.includes(false) && n.prim.narrow?.(n, used)) || n
    for (const a of left.args) live.add(a)
    nodes.push(left)
  }
  nodes.reverse()
  return g.nodes.every((n, i) => n === nodes[i]) ? g : { ...g, nodes }
}

/** Derived graphs are kept with the graph they come from, so that each is derived and compiled once. */
export function memo<K extends readonly unknown[], T>(make: (g: Graph, ...key: K) => T): (g: Graph, ...key: K) => T {
  const cache = new WeakMap<Graph, Map<string, T>>()
  return (g, ...key) => {
    let entries = cache.get(g)
    if (!entries) cache.set(g, (entries = new Map()))
    const k = JSON.stringify(key)
    let made = entries.get(k)
    if (made === undefined) entries.set(k, (made = make(g, ...key)))
    return made
  }
}
