// Identity of programs as text.
import { keyOf } from "../core/aval.ts"
import type { Graph, Node } from "./graph.ts"

const ids = new WeakMap<object, number>()
let next = 0
/** A number for an object that stays the same as long as the object lives. */
export function idOf(x: object): number {
  let id = ids.get(x)
  if (id === undefined) ids.set(x, (id = next++))
  return id
}

const isGraph = (v: object): boolean => "inputs" in v && "nodes" in v

/** Parameters of a node as text; graphs by identity. */
export const paramsKey = (params: unknown): string => (params === null || params === undefined ? "" : text(params))
function text(v: unknown): string {
  if (typeof v === "number") return Object.is(v, -0) ? "-0" : `${v}`
  if (typeof v !== "object" || v === null) return typeof v === "string" ? JSON.stringify(v) : `${v as boolean | null | undefined}`
  if (Array.isArray(v)) return `[${v.map(text)}]`
  if (isGraph(v)) return `#${idOf(v)}`
  let s = "{"
  for (const [key, value] of Object.entries(v as object)) s += `${key}:${text(value)},`
  return `${s}}`
}

/** Whether parameters, avals, ... are the same, graphs by identity. Eager code asks at every operation, so nothing is allocated. */
export function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || isGraph(a) || isGraph(b)) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!sameData(a[i], b[i])) return false
    return true
  }
  let left = 0
  for (const key in a) {
    if (!(key in b) || !sameData(a[key as never], b[key as never])) return false
    left++
  }
  for (const _ in b) left--
  return left === 0
}

const MAX_GRAPHS = 1024
const graphs = new Map<string, Graph>()
/** The graph of the same structure that was seen before, if there is one: what was derived from it and compiled is used again. */
export function intern(g: Graph): Graph {
  const numbers = new Map<Node, number>()
  const name = (n: Node): number => {
    if (!numbers.has(n)) numbers.set(n, numbers.size)
    return numbers.get(n)!
  }
  let key = g.inputs.map(n => `${name(n)}:${keyOf(n.aval)}`).join()
  for (const n of g.nodes)
    key += `;${n.outs.map(name)}=${idOf(n.prim)} ${paramsKey(n.params)} ${n.args.map(name)} ${JSON.stringify(n.scope)}`
  key += `;${g.outputs.map(name)}`
  const known = graphs.get(key) ?? g
  graphs.delete(key) // the one used last goes to the end
  graphs.set(key, known)
  if (graphs.size > MAX_GRAPHS) graphs.delete(graphs.keys().next().value!)
  return known
}
