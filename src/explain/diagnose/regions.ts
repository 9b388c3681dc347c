// What the operations of a run are to a person: activations, softmax, layers.
import { sameShape } from "../../core/aval.ts"
import { bind, type Tensor } from "../../core/tensor.ts"
import { paths, type Tree } from "../../core/tree.ts"
import * as ops from "../../ops/index.ts"
import { grad } from "../../transforms/grad.ts"
import { type Backward, like, numbers } from "../reverse.ts"
import type { Cell, Step } from "../tape.ts"

/** A function of one number, applied to each element of `from`. */
export interface Region {
  readonly from: Cell
  readonly to: Cell
  /** The activation it is, as its numbers show, or the operation. */
  readonly name: string
  /** How many operations it is made of. */
  readonly steps: number
  /** Whether it only adds and multiplies by what does not depend on the arguments. */
  readonly linear: boolean
  /** Its derivative at each element, were these what goes in; undefined where it has none. */
  slopeAt(x: Tensor): Tensor | undefined
}

/** Functions that are recognised by their numbers. */
export const ACTIVATIONS: Readonly<Record<string, { of(x: Tensor): Tensor; slope(x: Tensor): Tensor; ofOutput?(y: Tensor): Tensor }>> = {
  sigmoid: { of: ops.sigmoid, slope: x => slopeOfSigmoid(ops.sigmoid(x)), ofOutput: y => slopeOfSigmoid(y) },
  tanh: { of: ops.tanh, slope: x => slopeOfTanh(ops.tanh(x)), ofOutput: y => slopeOfTanh(y) },
  relu: { of: ops.relu, slope: x => like(x, i => (numbers(x)[i]! > 0 ? 1 : 0)) },
}
const slopeOfSigmoid = (y: Tensor): Tensor => y.mul(ops.sub(1, y))
const slopeOfTanh = (y: Tensor): Tensor => ops.sub(1, y.mul(y))

const ELEMENTWISE = new Set(
  "neg add sub mul mulNoNan div abs exp log expm1 log1p sin cos tanh sqrt sigmoid softplus pow maximum minimum select cast exp2 log2 log10 cbrt tan asin acos atan sinh cosh asinh acosh atanh erf erfc logaddexp hypot".split(
    " ",
  ),
)
/** A region has at most so many values on its way, and so many operations. */
const LONGEST = 8

const close = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-5): boolean => {
  for (let i = 0; i < a.length; i++) if (!(Math.abs(a[i]! - b[i]!) <= tolerance * Math.max(1, Math.abs(a[i]!)))) return false
  return true
}

/** All pairs of values of which the second is a function of the first alone, element by element. */
export function regionsOf(b: Backward): Region[] {
  const before = new Map<Cell, Cell>()
  const chain = (c: Cell): Cell[] => {
    const out = [c]
    for (let at = before.get(c); at && out.length < LONGEST; at = before.get(at)) out.push(at)
    return out
  }
  const regions: Region[] = []
  for (const step of [...b.steps].reverse()) {
    const [to] = step.outs
    if (!to || !b.active.has(to) || !ELEMENTWISE.has(step.prim.name)) continue
    const sources = [...new Set(step.args.filter(a => b.active.has(a)))]
    if (sources.some(s => !sameShape(s.aval.shape, to.aval.shape))) continue
    // the last value that all ways lead through
    const [first, ...others] = sources.map(chain)
    const common = first?.find(c => others.every(o => o.includes(c)))
    if (!common) continue
    before.set(to, common)
    for (const from of chain(to).slice(1)) regions.push(region(b, from, to))
  }
  return regions
}

function region(b: Backward, from: Cell, to: Cell): Region {
  const steps = inside(b, from, to)
  return {
    from,
    to,
    name: activationName(from, to) ?? (steps.length === 1 ? steps[0]!.prim.name : scopeName(steps)),
    steps: steps.length,
    linear: steps.every(p => isLinear(b, p)),
    slopeAt: x => slopeThrough(b, steps, from, to, x),
  }
}
/** Whether an operation is linear in what depends on the arguments. */
function isLinear(b: Backward, { prim, args }: Step): boolean {
  if (["neg", "add", "sub", "cast"].includes(prim.name)) return true
  return (
    (prim.name === "mul" || prim.name === "div") &&
    args.filter(a => b.active.has(a)).length === 1 &&
    !(prim.name === "div" && b.active.has(args[1]!))
  )
}
const scopeName = (steps: readonly Step[]): string => steps.at(-1)?.scope.at(-1) ?? steps.at(-1)?.prim.name ?? ""

export function activationName(from: Cell, to: Cell): string | undefined {
  return Object.keys(ACTIVATIONS).find(name => close(numbers(ACTIVATIONS[name]!.of(from.value)), numbers(to.value)))
}

function inside(b: Backward, from: Cell, to: Cell): Step[] {
  const steps = new Set<Step>()
  const walk = [to]
  for (let c = walk.pop(); c; c = walk.pop()) {
    if (c === from || !c.maker || steps.has(c.maker)) continue
    steps.add(c.maker)
    walk.push(...c.maker.args.filter(a => b.active.has(a)))
  }
  return [...steps].sort((a, b) => a.index - b.index)
}

/** The derivative of a region at `x`: its operations done again on a pair of value and slope. */
function slopeThrough(b: Backward, steps: readonly Step[], from: Cell, to: Cell, x: Tensor): Tensor | undefined {
  const values = new Map<Cell, Tensor>([[from, x]])
  const f = (x: Tensor): Tensor => {
    values.set(from, x)
    // comparisons inside of it (the mask of a relu) follow the new numbers too
    for (const s of needed(b, steps)) {
      const ys = bind(
        s.prim,
        s.args.map(a => values.get(a) ?? a.value),
        s.params,
      )
      s.outs.forEach((o, i) => values.set(o, ys[i]!))
    }
    return ops.sum(values.get(to)!)
  }
  try {
    return grad(f)(x) as Tensor
  } catch {
    return undefined
  }
}
/** The operations of a region, and those without a derivative that they read and that read it: masks. */
function needed(b: Backward, steps: readonly Step[]): readonly Step[] {
  const all = new Set(steps)
  const add = (s: Step): void => {
    for (const a of s.args)
      if (a.maker && !b.active.has(a) && !all.has(a.maker)) {
        all.add(a.maker)
        add(a.maker)
      }
  }
  for (const s of steps) add(s)
  return [...all].filter(s => s.args.length > 0).sort((a, b) => a.index - b.index)
}

/** softmax(z), or its logarithm, found by its numbers however it is written. */
export interface Softmax {
  readonly from: Cell
  readonly to: Cell
  readonly isLog: boolean
  readonly probabilities: Tensor
}
export function softmaxesOf(b: Backward): Softmax[] {
  const out: Softmax[] = []
  for (const step of b.steps) {
    const [to] = step.outs
    if (!to || !b.active.has(to) || !isRows(to)) continue
    const isLog = isDistribution(ops.exp(to.value))
    if (!isLog && !isDistribution(to.value)) continue
    const from = ancestors(b, to).find(z => sameShape(z.aval.shape, to.aval.shape) && agreesWithSoftmax(z, to, isLog))
    if (from) out.push({ from, to, isLog, probabilities: softmax(from.value) })
  }
  return out
}
export const isRows = (c: Cell): boolean => c.aval.shape.length > 0 && c.aval.shape.at(-1)! > 1
export const softmax = (z: Tensor): Tensor => ops.softmax(z)
function isDistribution(x: Tensor): boolean {
  const values = numbers(x)
  const n = x.shape.at(-1)!
  for (let r = 0; r < values.length; r += n) {
    let total = 0
    for (let i = r; i < r + n; i++) {
      if (!(values[i]! >= 0 && values[i]! <= 1)) return false
      total += values[i]!
    }
    if (Math.abs(total - 1) > 1e-5) return false
  }
  return values.length > 0
}
function agreesWithSoftmax(z: Cell, to: Cell, isLog: boolean): boolean {
  const s = numbers(softmax(z.value))
  return close(numbers(isLog ? ops.exp(to.value) : to.value), s)
}
/** Active values that `c` is made from, the nearest first. */
function ancestors(b: Backward, c: Cell): Cell[] {
  const out: Cell[] = []
  const seen = new Set<Cell>([c])
  for (let level: Cell[] = [c]; level.length; ) {
    level = level.flatMap(x => (x.maker?.args ?? []).filter(a => b.active.has(a) && !seen.has(a) && seen.add(a)))
    out.push(...level)
  }
  // of equal ones (a shift by the largest changes nothing) the first in the program is the one that was meant
  return out.reverse()
}

// Places and their names

/** Names of the arguments' leaves: the parameters of `forward` where its text shows plain names, else `argument 0`. */
export function leafNames(forward: Function, inputs: readonly unknown[], names?: readonly string[]): string[] {
  const heads = names ?? parameterNames(forward, inputs.length)
  return inputs.flatMap((x, i) => paths(x as Tree).map(path => (path ? `${heads[i]}.${path}` : heads[i]!)))
}
function parameterNames(f: Function, n: number): string[] {
  const list = /^(?:async\s+)?(?:function\b[^(]*)?\(([^)]*)\)|^([\w$]+)\s*=>/.exec(String(f))
  const names = (list?.[1] ?? list?.[2] ?? "").split(",").map(s => s.trim())
  const plain = names.filter(Boolean).length >= n && names.slice(0, n).every(s => /^[A-Za-z_$][\w$]*$/.test(s))
  return Array.from({ length: n }, (_, i) => (plain ? names[i]! : `argument ${i}`))
}

/** The parameters that a value is made from, not looking through activations. */
export function ownersOf(b: Backward, c: Cell, borders: ReadonlySet<Cell>): Cell[] {
  const found = new Set<Cell>()
  const look = (from: Cell, through: boolean): void => {
    const seen = new Set<Cell>()
    const walk = [from]
    for (let x = walk.pop(); x; x = walk.pop()) {
      if (seen.has(x) || !b.active.has(x)) continue
      seen.add(x)
      if (b.leaves.includes(x)) found.add(x)
      else if (x === from || through || !borders.has(x)) walk.push(...(x.maker?.args ?? []))
    }
  }
  look(c, false)
  if (found.size === 0) look(c, true)
  return b.leaves.filter(x => found.has(x))
}
