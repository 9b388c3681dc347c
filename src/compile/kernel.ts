// The one form that every engine turns into code.
import type { Atom, Axis, Index } from "../ir/affine.ts"
import { type Bound, children, type Expr, type MemoryType, valuesOf } from "../ir/expr.ts"

/** An element that a turn stores. */
export interface Store {
  readonly out: {
    readonly t: MemoryType
    /** Where the element goes. */
    readonly at: Index
    /** "add": the element is added to what is there, turn by turn in loop order (scatter). */
    readonly mode: "store" | "add"
    /** Turns outside of these bounds store nothing. */
    readonly bounds: readonly Bound[]
  }
  readonly body: Expr
}

/**
 * A loop nest that stores one element a turn, or one in each of several results. Buffers reach it as arguments, so that a kernel
 * does not know where its operands lie and equal kernels of all programs are compiled once.
 */
export interface Kernel extends Store {
  /** Outermost first. */
  readonly axes: readonly Axis[]
  /** What else a turn stores, without bounds. A turn reads everything before it stores anything. */
  readonly also?: readonly Store[]
  /** What the operands are, by slot. */
  readonly loads: readonly MemoryType[]
}

export const storesOf = (k: Kernel): readonly Store[] => (k.also ? [k, ...k.also] : [k])
/** The kernel with other elements to store, as many as before. */
export const withStores = <K extends Kernel>(k: K, [first, ...also]: readonly Store[]): K => ({
  ...k,
  out: first!.out,
  body: first!.body,
  ...(k.also && { also }),
})

/** Where a turn stores, and what the bounds of that are about. */
export const placesOf = (k: Kernel): Index[] => storesOf(k).flatMap(({ out }) => [out.at, ...out.bounds.map(b => b.i)])
/** All that a turn computes: what it stores, and data that say where. */
export const rootsOf = (k: Kernel): Expr[] => [...storesOf(k).map(s => s.body), ...placesOf(k).flatMap(valuesOf)]

/** How often the inside of loops runs. */
export const turns = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * a.n, 1)
/** Scalar operations of one run. */
export function workOf(k: Kernel): number {
  const seen = new Set<Expr>()
  const cost = (e: Expr): number => {
    if (seen.has(e)) return 0
    seen.add(e)
    const inside = children(e).reduce((n, part) => n + cost(part), 0)
    if (e.k === "op") return 1 + inside
    return e.k === "reduce" ? turns(e.over) * (1 + inside) : inside
  }
  const all = storesOf(k).reduce((n, s) => n + cost(s.body), 0)
  return turns(k.axes) * Math.max(1, all)
}

/** A text that equal kernels share, whatever the identity of their axes and expressions. */
export function keyOf(k: Kernel): string {
  const axes = new Map<number, number>()
  const exprs = new Map<Expr, number>()
  let text = `${k.loads}`
  const axis = (a: Axis): string => {
    let n = axes.get(a.id)
    if (n === undefined) axes.set(a.id, (n = axes.size))
    return `${n}x${a.n}`
  }
  const atom = (a: Atom): string => (a.k === "axis" ? axis(a.axis) : a.k === "value" ? `#${expr(a.expr)}` : `${a.k}${a.by}(${index(a.of)})`)
  const index = (i: Index): string => i.terms.map(([a, c]) => `${c}*${atom(a)}`).join("+") + `+${i.constant}`
  const bounds = (list: readonly Bound[]): string => list.map(b => `${index(b.i)}<${b.n}`).join("&")
  /** Writes down an expression once; afterwards its number stands for it. */
  const expr = (e: Expr): number => {
    const known = exprs.get(e)
    if (known !== undefined) return known
    const parts =
      e.k === "op"
        ? `${e.op} ${e.args.map(expr)}`
        : e.k === "const"
          ? Object.is(e.value, -0)
            ? "-0"
            : e.value
          : e.k === "guard"
            ? `${bounds(e.bounds)}?${expr(e.body)}:${e.otherwise}`
            : e.k === "reduce"
              ? `${e.op}${e.lanes} ${e.over.map(axis)} ${expr(e.body)}`
              : e.k === "load"
                ? `${e.slot}[${index(e.at)}]`
                : index(e.at)
    const n = exprs.size
    exprs.set(e, n)
    text += `;${e.k} ${e.t} ${parts}`
    return n
  }
  text += `;${k.axes.map(axis)}`
  for (const { out, body } of storesOf(k)) {
    // ahead of the line that names them: what they read is written down on the way
    const [value, at, inside] = [expr(body), index(out.at), bounds(out.bounds)]
    text += `;${out.mode} ${out.t} ${at} ${inside}=${value}`
  }
  return text
}
