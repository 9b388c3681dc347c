// Which applications become one kernel. A map is computed where it is read if nothing is computed twice by that; moves of elements
// always are. What has to be stored joins a kernel that reads it element by element, if there is one.
import { type Aval, sameShape, size } from "../core/aval.ts"
import { heldAs } from "../core/dtype.ts"
import type { Apply, Graph, Node } from "../graph/graph.ts"
import { axisIndex, type Index, int, newAxis, range, sameIndex } from "../ir/affine.ts"
import { type Bound, type Expr, type Read, valuesOf } from "../ir/expr.ts"

/** More operations than this in one kernel only make it slow to compile. */
const MAX_MELTED = 96
/** A map of fewer axes than its reader is computed ahead of the reader's inner loops, one by one: fewer turns there are not worth it. */
const MIN_INNER = 16

/** A kernel in the making. */
export interface Group {
  /** Its loops are those of the root's elements. */
  readonly root: Apply
  /** Applications whose results it stores. */
  readonly stores: Apply[]
  /** Groups whose results it reads. */
  readonly reads: Set<Group>
  melted: number
  has: "reduce" | "contraction" | null
}

/** Where an element is read, seen from the loops of a group: a root axis by its number, `null` for index 0, or another index. */
type At = readonly (number | null | Index)[]
/** For each group that computes or reads a value: at which elements; "several" if at more than one. */
type Places = Map<Group, At | "several">

/** How an application reads its operands, found by running its meaning on stand-ins. */
interface Probe {
  /** The index vectors at which each operand is read. */
  readonly reads: readonly (readonly (readonly Index[])[])[]
  readonly idx: readonly Index[]
  /** It computes nothing: each element is an element of an operand, a constant or a position. */
  readonly moves: boolean
  /** It is another way to count an operand's elements: nothing is looked up, and nothing lies outside. */
  readonly views: boolean
  /** At how many of its elements it reads at all: padding reads inside of bounds only. */
  readonly turns: number
}
function probe(n: Apply): Probe {
  const { meaning } = n.prim
  const reads: (readonly Index[])[][] = n.args.map(() => [])
  const idx = n.outs[0]!.aval.shape.map(d => axisIndex(newAxis(d)))
  const all = size(shapeOf(n))
  const nothing = { reads, idx, moves: false, views: false }
  if (meaning.kind === "call" || meaning.kind === "loop") return { ...nothing, turns: Infinity }
  // the target is copied as it is; the other operands are read in loops of another shape
  if (meaning.kind === "scatter") {
    const turns = size(meaning.loop(avalsOf(n), n.params))
    return { ...nothing, reads: reads.map((_, i) => [i === meaning.target ? idx : [int(i + 1)]]), turns }
  }
  const ins = n.args.map(
    (a, i): Read =>
      at => {
        reads[i]!.push(at)
        return { k: "load", t: heldAs(a.aval.dtype), slot: i, at: { constant: 0, terms: [] } }
      },
  )
  const body = meaning.at(ins, idx, n.params, avalsOf(n))
  const turns =
    meaning.kind === "contraction" ? Infinity : meaning.kind === "reduce" ? Math.max(...n.args.map(a => size(a.aval.shape))) : all
  const views = isMove(body) && body.k !== "guard" && reads.every(vectors => vectors.every(at => at.every(i => valuesOf(i).length === 0)))
  return { reads, idx, moves: isMove(body), views, turns: body.k === "guard" ? Math.round(turns * inside(body.bounds)) : turns }
}
/** The share of all turns that lies inside of the bounds. */
const inside = (bounds: readonly Bound[]): number =>
  bounds.reduce((share, { i, n }) => {
    const [low, high] = range(i)
    return share * Math.min(1, n / (high - low + 1))
  }, 1)
const isMove = (e: Expr): boolean => e.k === "load" || e.k === "const" || e.k === "index" || (e.k === "guard" && isMove(e.body))
export const avalsOf = (n: Apply): Aval[] => n.args.map(a => a.aval)

const shapeOf = (n: Apply): readonly number[] => n.outs[0]!.aval.shape
const isZero = (i: Index): boolean => i.constant === 0 && i.terms.length === 0
/** An index vector of an operand, seen from the group: `at` is where the reader stands. */
const seen = (at: At, idx: readonly Index[], read: readonly Index[]): At =>
  read.map(i => {
    if (isZero(i)) return null
    const d = idx.findIndex(own => sameIndex(own, i))
    return d < 0 ? i : at[d]!
  })
const sameAt = (a: At | "several", b: At): boolean => a !== "several" && a.length === b.length && a.every((x, d) => x === b[d])
/** Whether `n` is read element by element as the root's own elements are computed. */
const isOwn = (n: Apply, at: At, g: Group): boolean =>
  sameShape(shapeOf(n), shapeOf(g.root)) && at.every((x, d) => x === (shapeOf(g.root)[d] === 1 ? null : d))
/** How many turns of the group's loops share an element that depends on the outer loops alone; `undefined` for other elements. */
function innerTurns(at: At, g: Group): number | undefined {
  const axes = shapeOf(g.root).flatMap((n, d) => (n === 1 ? [] : [d]))
  const used = new Set(at.filter(x => x !== null))
  const outer = axes.slice(0, used.size)
  if (outer.length < used.size || !outer.every(d => used.has(d))) return undefined
  return axes.slice(used.size).reduce((n, d) => n * shapeOf(g.root)[d]!, 1)
}

/** The group that stores each value, but for inputs of the graph. All other values are computed where they are read. */
export function group(g: Graph): Map<Node, Group> {
  // a loop finds its operands in memory; its initial carry is copied first
  const operands = g.nodes.flatMap(({ prim: { meaning }, params, args }) => {
    if (meaning.kind !== "loop") return []
    const { constants, carry } = meaning.loop(params)
    return args.toSpliced(constants, carry)
  })
  const kept = new Set([...g.outputs, ...operands])
  const groups = new Map<Node, Group>()
  const places = new Map<Node, Places>()
  // values that would be computed several times for the same element
  const again = new Set<Node>()

  /** Whether `n` may be computed in the group, where it is read at `at`. */
  function fits(n: Apply, out: Node, to: Group, at: At | "several" | undefined): boolean {
    if (at === undefined || at === "several" || again.has(out) || to.melted >= MAX_MELTED) return false
    const { kind } = n.prim.meaning
    const root = to.root.prim.meaning.kind
    if (root === "loop" || root === "scatter") return kind === "map" && root === "scatter"
    const inner = innerTurns(at, to)
    if (kind === "map") return inner === undefined || inner === 1 || inner >= MIN_INNER
    // computed ahead of the inner loops, never inside of another reduction
    if (kind === "reduce") return to.has !== "contraction" && inner !== undefined
    return kind === "contraction" && to.has === null && isOwn(n, at, to) && root === "map"
  }
  /** Whether the group reads, by way of others, what a reader of `out` stores. */
  const isBehind = (to: Group, readers: Places): boolean => {
    const done = new Set<Group>()
    const visit = (x: Group): boolean => {
      if (done.has(x)) return false
      done.add(x)
      return (x !== to && readers.has(x)) || [...x.reads].some(visit)
    }
    return visit(to)
  }

  for (const n of g.nodes.toReversed()) {
    const p = probe(n)
    const [out] = n.outs as readonly [Node]
    const readers: Places = places.get(out) ?? new Map()
    const isKept = n.outs.some(o => kept.has(o))
    const isMap = n.prim.meaning.kind === "map"
    let here: Places
    const [only] = readers.size === 1 ? [...readers] : []
    if (!isKept && isMap && (p.views || (p.moves && !again.has(out)))) here = readers
    else if (!isKept && n.outs.length === 1 && only && fits(n, out, ...only)) here = readers
    else {
      const joined = [...readers].find(
        ([to, at]) =>
          at !== "several" && isOwn(n, at, to) && fits(n, out, to, at) && !isBehind(to, readers) && to.root.prim.meaning.kind !== "scatter",
      )?.[0]
      const home: Group = joined ?? { root: n, stores: [], reads: new Set(), melted: 0, has: null }
      home.stores.push(n)
      for (const o of n.outs) {
        groups.set(o, home)
        for (const [reader] of places.get(o) ?? []) if (reader !== home) reader.reads.add(home)
      }
      here = new Map([[home, shapeOf(home.root).map((d, i) => (d === 1 ? null : i))]])
    }
    for (const [to] of here) {
      to.melted++
      const { kind } = n.prim.meaning
      if (kind === "reduce" || kind === "contraction") to.has = kind
    }
    const isStored = groups.has(out)
    n.args.forEach((a, i) => {
      if (!isStored && p.moves && again.has(out)) again.add(a)
      const before: Places = places.get(a) ?? new Map()
      places.set(a, before)
      const vectors = p.reads[i]!.length ? p.reads[i]! : [[]]
      for (const [to, at] of here) {
        for (const read of vectors) {
          // a loop reads its operands as it likes
          const next: At | "several" = at === "several" || p.reads[i]!.length === 0 ? "several" : seen(at, p.idx, read)
          const had = before.get(to)
          before.set(to, had === undefined || (next !== "several" && sameAt(had, next)) ? next : "several")
          const outerOnly = next !== "several" && innerTurns(next, to) !== undefined
          if (!outerOnly && p.turns > size(a.aval.shape)) again.add(a)
        }
      }
    })
  }
  return groups
}
