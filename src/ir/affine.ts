// Index notation: where an element is, as an affine form over loop variables. Reshapes come out as splits and merges of
// loops; a division stays only where sizes do not divide.
import type { Expr } from "./expr.ts"

/** A loop variable that runs over 0 <= i < n. */
export interface Axis {
  readonly id: number
  readonly n: number
}

/** A loop variable, or an index computed from data (gather, scatter). */
export type Leaf = { readonly k: "axis"; readonly axis: Axis } | { readonly k: "value"; readonly expr: Expr }
/** What an affine form is made of. */
export type Atom = Leaf | { readonly k: "div" | "mod"; readonly of: Index; readonly by: number }

/** `constant + sum of coefficient * atom`, no atom twice, no coefficient 0. */
export interface Index {
  readonly constant: number
  readonly terms: readonly (readonly [Atom, number])[]
}

let fresh = 0
export const newAxis = (n: number): Axis => ({ id: fresh++, n })

export const int = (constant: number): Index => ({ constant, terms: [] })
const atom = (a: Atom): Index => ({ constant: 0, terms: [[a, 1]] })
/** The loop variable as an index; a loop of one turn is the number 0. */
export const axisIndex = (axis: Axis): Index => (axis.n === 1 ? int(0) : atom({ k: "axis", axis }))
/** An index read from data; `expr` is i32. */
export const valueIndex = (expr: Expr): Index => (expr.k === "index" ? expr.at : atom({ k: "value", expr }))

function sameAtom(a: Atom, b: Atom): boolean {
  if (a.k === "axis") return b.k === "axis" && a.axis.id === b.axis.id
  if (a.k === "value") return b.k === "value" && a.expr === b.expr
  return a.k === b.k && a.by === b.by && sameIndex(a.of, b.of)
}
export const sameIndex = (a: Index, b: Index): boolean =>
  a === b ||
  (a.constant === b.constant &&
    a.terms.length === b.terms.length &&
    a.terms.every(([x, c]) => b.terms.some(([y, d]) => c === d && sameAtom(x, y))))

/** `a + scale * b`. */
export function plus(a: Index, b: Index, scale = 1): Index {
  const terms = [...a.terms]
  for (const [x, c] of b.terms) {
    const i = terms.findIndex(([y]) => sameAtom(x, y))
    if (i < 0) terms.push([x, c * scale])
    else terms[i] = [x, terms[i]![1] + c * scale]
  }
  return { constant: a.constant + b.constant * scale, terms: terms.filter(([, c]) => c !== 0) }
}
export const offset = (a: Index, n: number): Index => (n === 0 ? a : { ...a, constant: a.constant + n })
export const times = (a: Index, n: number): Index => plus(int(0), a, n)

/** Smallest and largest value; unbounded where data decide. */
export function range(i: Index): readonly [number, number] {
  let [lo, hi] = [i.constant, i.constant]
  for (const [a, c] of i.terms) {
    const [l, h] = atomRange(a)
    lo += c * (c > 0 ? l : h)
    hi += c * (c > 0 ? h : l)
  }
  return [lo, hi]
}
function atomRange(a: Atom): readonly [number, number] {
  if (a.k === "axis") return [0, a.axis.n - 1]
  if (a.k === "value") return [-Infinity, Infinity]
  const [lo, hi] = range(a.of)
  if (a.k === "div") return [Math.floor(lo / a.by), Math.floor(hi / a.by)]
  return [0, a.by - 1]
}

/** Quotient and remainder by `n` as far as they can be told apart without dividing: i = n * whole + rest. */
function split(i: Index, n: number): { whole: Index; rest: Index } {
  const constant = Math.floor(i.constant / n)
  const whole = i.terms.filter(([, c]) => c % n === 0)
  const rest = i.terms.filter(([, c]) => c % n !== 0)
  return {
    whole: { constant, terms: whole.map(([a, c]) => [a, c / n]) },
    rest: { constant: i.constant - constant * n, terms: rest },
  }
}
const within = (i: Index, n: number): boolean => {
  const [lo, hi] = range(i)
  return lo >= 0 && hi < n
}
/** Floor of `i / n` for i >= 0. */
export function div(i: Index, n: number): Index {
  const { whole, rest } = split(i, n)
  if (within(rest, n)) return whole
  return plus(whole, atom({ k: "div", of: rest, by: n }))
}
/** `i mod n` for i >= 0. */
export function mod(i: Index, n: number): Index {
  const { rest } = split(i, n)
  return within(rest, n) ? rest : atom({ k: "mod", of: rest, by: n })
}

/** The position in row-major order. */
export function ravel(idx: readonly Index[], shape: readonly number[]): Index {
  let stride = 1
  let flat = int(0)
  for (let d = shape.length - 1; d >= 0; d--) {
    flat = plus(flat, idx[d]!, stride)
    stride *= shape[d]!
  }
  return recombine(flat)
}

/** `n * (i div n) + (i mod n)` is `i`: a reshape that reads memory in order leaves no division. */
function recombine(i: Index): Index {
  for (const [a, c] of i.terms) {
    if (a.k !== "mod") continue
    const whole = i.terms.find(([b, d]) => b.k === "div" && b.by === a.by && d === c * a.by && sameIndex(b.of, a.of))
    if (!whole) continue
    const rest = i.terms.filter(t => t[0] !== a && t !== whole)
    return recombine(plus({ constant: i.constant, terms: rest }, a.of, c))
  }
  return i
}

/** The index vector of row-major position `flat`. */
export function unravel(flat: Index, shape: readonly number[]): Index[] {
  const out: Index[] = []
  let rest = flat
  for (let d = shape.length - 1; d >= 0; d--) {
    out.unshift(d === 0 ? rest : mod(rest, shape[d]!))
    rest = div(rest, shape[d]!)
  }
  return out
}

/** `i` with something else for its loop variables and data; quotients and remainders are simplified again. */
export function substitute(i: Index, f: (a: Leaf) => Index): Index {
  const image = (a: Atom): Index => ("of" in a ? (a.k === "div" ? div : mod)(substitute(a.of, f), a.by) : f(a))
  return recombine(i.terms.reduce((sum, [a, c]) => plus(sum, image(a), c), int(i.constant)))
}

/** Coefficient of `axis` where `i` is affine in it, `undefined` where it also sits inside a division or in data. */
export function stride(i: Index, axis: Axis): number | undefined {
  const others = i.terms.filter(([a]) => a.k !== "axis")
  return dependsOn({ terms: others }, axis) ? undefined : coefficient(i, axis)
}
/** Coefficient of `axis` itself, wherever else it sits. */
export const coefficient = (i: Index, axis: Axis): number => i.terms.find(([a]) => a.k === "axis" && a.axis.id === axis.id)?.[1] ?? 0
/** Whether `i` may be another one at the next turn of the loop: data may be read anywhere. */
export const dependsOn = (i: Pick<Index, "terms">, axis: Axis): boolean =>
  atomsOf(i).some(a => a.k === "value" || (a.k === "axis" && a.axis.id === axis.id))
/** What `i` is made of, quotients and what they divide. */
export function atomsOf(i: Pick<Index, "terms">, to: Atom[] = []): readonly Atom[] {
  for (const [a] of i.terms) {
    to.push(a)
    if ("of" in a) atomsOf(a.of, to)
  }
  return to
}
