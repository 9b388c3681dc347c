import { type Aval, differentiable, same, sameShape, shaped, show } from "../core/aval.ts"
import { DtypeError, ShapeError } from "../core/errors.ts"
import type { Axis, Loop, Maybe, Operand, Primitive } from "../core/primitive.ts"
import { bind, Tensor } from "../core/tensor.ts"
import { describe, leaves, paths, rebuild, type Tree, wantFunction } from "../core/tree.ts"
import { avals, type Graph, memo } from "../graph/graph.ts"
import { intern } from "../graph/key.ts"
import { derive, record, replay } from "../graph/record.ts"
import { broadcast, moveAxis, spread, toFront, zeros } from "../primitives/base.ts"
import { cast, eq, not, select } from "../primitives/elementwise.ts"
import { max } from "../primitives/reduce.ts"
import { instantiate, present, scatter } from "../transforms/jvp.ts"
import type { Source } from "../transforms/linearize.ts"
import { batchGraph } from "../transforms/vmap.ts"
import { checkpoint } from "./checkpoint.ts"
import { backwardBody, batchBody, count, jvpBody, linearBody, narrowBody, parts, splitBody, tidy } from "./loop.ts"
import { inPieces } from "./pieces.ts"

/** See Loop in core/primitive.ts. */
export interface Scan extends Loop {
  readonly graph: Graph
}

const stacked = (a: Aval, n: number): Aval => shaped([n, ...a.shape], a)
const turns: Aval = { shape: [], dtype: "i32" }
const isLinear = (x: Operand): x is Aval => !(x instanceof Tensor)
const isKnown = (x: Operand): x is Tensor => x instanceof Tensor

interface Result {
  readonly value: Tensor
  /** The value is that of every turn and is not stacked. */
  readonly every: boolean
}
/** The results of a loop; what can be said without it is. */
function results(operands: readonly Tensor[], p: Scan): Result[] {
  const t = tidy(p.graph, p.constants, p.carry, p.conditional)
  const pick = (places: readonly number[]): Tensor[] => places.map(i => operands[i]!)
  const hoisted = replay(t.hoisted, operands)
  const constants = [...pick(t.constants), ...hoisted]
  const sizes = { constants: constants.length, carry: t.carry.length }
  const all = [...constants, ...pick(t.carry), ...pick(t.xs), ...(p.counted ? operands.slice(-1) : [])]
  const loop = t.graph.outputs.length ? bind(scanP, all, { ...p, ...sizes, graph: t.graph }) : []
  const from = { loop, operands, hoisted }
  return t.results.map(({ of, i, every }) => ({ value: from[of][i]!, every }))
}
const stackedOf =
  ({ length }: Scan) =>
  ({ value, every }: Result): Tensor =>
    every ? broadcast(value, [length, ...value.shape], [0]) : value
const run = (operands: readonly Tensor[], p: Scan): Tensor[] => results(operands, p).map(stackedOf(p))

function wantFixed(p: Scan, backwards = true): void {
  if (p.conditional && backwards)
    throw new TypeError(
      "whileLoop has no derivative in reverse mode: how many turns a backward pass would have to remember is not known beforehand. " +
        "Use scan, whose length is fixed; fixedPoint or root, whose gradients do not depend on the way there; or forward mode (jvp, jacfwd)",
    )
  if (p.counted)
    throw new TypeError(
      "a loop whose number of turns is known only when it runs can be neither differentiated nor batched; " +
        "use scan, whose length is fixed, or differentiate inside of the loop",
    )
}

/**
 * A loop that hands a carry from turn to turn and reads and writes slices along axis 0. Derivatives and batches of a loop are
 * loops: forward mode carries tangents beside their values; reverse mode runs the other way over what the forward loop has saved.
 */
export const scanP: Primitive<Scan> = {
  name: "scan",
  shape(ins, p) {
    const wanted = p.graph.inputs.map(({ aval }, i) => (i < p.constants + p.carry ? aval : stacked(aval, p.length)))
    if (p.counted) wanted.push(turns)
    if (ins.length !== wanted.length || ins.some((a, i) => !same(a, wanted[i]!)))
      throw new ShapeError("scan", `operands must be ${wanted.map(show).join(", ") || "none"}`, ins)
    const outs = avals(p.graph.outputs)
    const carry = wanted.slice(p.constants, p.constants + p.carry)
    if (carry.some((a, i) => !same(a, outs[i]!)))
      throw new ShapeError("scan", `the carry must stay ${carry.map(show).join(", ")}`, outs.slice(0, p.carry))
    return outs.map((a, i) => (i < p.carry ? a : stacked(a, p.length)))
  },
  meaning: { kind: "loop", loop: p => p },
  narrow(n, used) {
    const { params: p, args, outs } = n
    // what says whether to go on is always used
    const kept = used.map((u, i) => u || (p.conditional && i === 0))
    const { operands, results, ...body } = narrowBody(p.graph, p.constants, p.carry, kept)
    const left = [...operands.map(i => args[i]!), ...(p.counted ? args.slice(-1) : [])]
    return { ...n, params: { ...p, ...body }, args: left, outs: results.map(i => outs[i]!) }
  },
  jvp(xs, ts, p) {
    wantFixed(p, false)
    const which = ts.map(t => t !== null)
    const { graph, carry, tangents } = jvpBody(p.graph, p.constants, p.carry, which)
    const [constants, first, stacks] = parts(xs, p.constants, p.carry)
    const [dConstants, dFirst, dStacks] = parts(ts, p.constants, p.carry)
    const fixed = [...constants, ...present(dConstants)]
    const start = [...first, ...present(instantiate(dFirst, first, carry))]
    const operands = [...fixed, ...start, ...stacks, ...present(dStacks)]
    const outs = run(operands, { ...p, constants: fixed.length, carry: start.length, graph })
    const [last, dLast, rest] = parts(outs, p.carry, start.length - p.carry)
    const [, ys, dYs] = parts(rest, 0, p.graph.outputs.length - p.carry)
    return [[...last, ...ys], scatter(tangents, [...dLast, ...dYs])]
  },
  linearize(xs, which, p) {
    wantFixed(p)
    const { primal, graph, carry, tangents, constants, stacked } = linearBody(p.graph, p.constants, p.carry, [...which])
    const once = results(xs, { ...p, graph: primal })
    const outs = once.map(stackedOf(p))
    const find = (s: Source): Tensor => (s.of === "input" ? xs : outs)[s.i]!
    const same = (s: Source): Tensor => (s.of === "input" ? xs[s.i]! : once[s.i]!.value)
    const push = (ts: readonly Maybe[]): Maybe[] => {
      const [dConstants, dFirst, dStacks] = parts(ts, p.constants, p.carry)
      const fixed = [...present(dConstants), ...constants.map(same)]
      const start = present(instantiate(dFirst, xs.slice(p.constants), carry))
      const operands = [...fixed, ...start, ...present(dStacks), ...stacked.map(find)]
      return scatter(tangents, run(operands, { ...p, constants: fixed.length, carry: start.length, graph }))
    }
    return [outs.slice(0, p.graph.outputs.length), push]
  },
  transpose(cts, operands, p) {
    wantFixed(p)
    const linear = operands.map(isLinear)
    const { carry, known, rest } = splitBody(p.graph, p.constants, p.carry, linear)
    const [constants, first, xs] = parts(operands, p.constants, p.carry)
    const [lConstants, , lXs] = parts(linear, p.constants, p.carry)
    const fixed = constants.filter(isKnown)
    // what of the carry is known runs forwards first
    const state = first.filter(isKnown).filter((_, i) => !carry[i])
    const incoming = state.length
      ? run([...fixed, ...state, ...xs.filter(isKnown)], { ...p, constants: fixed.length, carry: state.length, graph: known })
      : []
    const nCarry = count(carry)
    const [ctLast, , ctYs] = parts([...cts.slice(0, p.carry).filter((_, i) => carry[i]), ...cts.slice(p.carry)], nCarry, 0)
    const isLinearNow = [...lConstants, ...carry.filter(Boolean), ...lXs, ...state.map(() => false)]
    const given = [...ctLast, ...ctYs].map(ct => ct !== null)
    const back = backwardBody(rest, p.constants, nCarry, isLinearNow, given, p.length)

    const start = present(instantiate(ctLast, rest.outputs, back.carry))
    const sums = constants.filter((_, i) => back.sums[i]).map(x => zeros(x as Aval))
    const stacks = [...present(ctYs), ...xs.filter(isKnown), ...incoming.slice(state.length)]
    const outs = run([...fixed, ...start, ...sums, ...stacks], {
      ...p,
      constants: fixed.length,
      carry: start.length + sums.length,
      reverse: !p.reverse,
      graph: back.graph,
    })
    const [ctFirst, ctSums, rows] = parts(outs, start.length, sums.length)
    const [, ctXs, more] = parts(rows, 0, count(back.xs))
    const ctTotals = scatter(back.totals, replay(back.after, [...fixed, ...stacks, ...ctXs, ...more]))
    const ctCarry = scatter(back.carry, ctFirst).values()
    return [
      ...scatter(back.sums, ctSums).map((ct, i) => ct ?? ctTotals[i]!),
      ...carry.map(c => (c ? ctCarry.next().value! : null)),
      ...scatter(back.xs, ctXs).slice(0, xs.length),
    ]
  },
  batch(xs, axes, p, n) {
    wantFixed(p, false)
    const which = axes.map(a => a !== null)
    const { graph, carry, mapped } = batchBody(p.graph, p.constants, p.carry, which, n)
    if (p.conditional && carry[0]) return batchWhile(xs, axes, p, n)
    const operands = xs.map((x, i) => {
      const axis = axes[i]!
      const k = i - p.constants
      if (k < 0) return toFront(x, axis)
      if (k < p.carry) return spread(toFront(x, axis), axis !== null || !carry[k], n)
      return axis === null ? x : moveAxis(x, axis, 1) // axis 0 is that of the turns
    })
    const ys = run(operands, { ...p, graph })
    return [ys, mapped.map((m, i) => (m ? (i < p.carry ? 0 : 1) : null))]
  },
}

/** Examples that end at different turns: the loop goes on while any of them does, and those that have ended stay what they are. */
function batchWhile(xs: readonly Tensor[], axes: readonly Axis[], p: Scan, n: number): [Tensor[], Axis[]] {
  const { graph, carry } = batchedWhile(
    p.graph,
    p.constants,
    axes.slice(0, p.constants).map(a => a !== null),
    n,
  )
  const front = xs.map((x, i) => (i < p.constants ? toFront(x, axes[i]!) : spread(toFront(x, axes[i]!), axes[i] !== null, n)))
  const first = [anyOf(front[p.constants]!), ...front.slice(p.constants)]
  const outs = run([...front.slice(0, p.constants), ...first], { ...p, carry, graph })
  return [outs.slice(1), outs.slice(1).map(() => 0)]
}
const anyOf = (go: Tensor): Tensor => max(go, [0])
/** [constants, whether any example goes on, the carry of all examples] -> the last two */
const batchedWhile = memo((g: Graph, nConstants: number, which: boolean[], n: number) => {
  const nCarry = g.outputs.length
  const all = g.outputs.map(() => true)
  const body = batchGraph(g, [...which, ...all], n, all).graph
  const [constants, carry] = [avals(body.inputs.slice(0, nConstants)), avals(body.inputs.slice(nConstants))]
  const graph = derive(
    xs => {
      const before = xs.slice(nConstants + 1)
      const after = replay(body, [...xs.slice(0, nConstants), ...before])
      const going = not(eq(before[0]!, zeros(before[0]!.aval)))
      const next = after.map((x, i) => select(broadcast(going, x.shape, x.shape.map((_, d) => d).slice(1)), x, before[i]!))
      return [anyOf(next[0]!), ...next]
    },
    [...constants, { shape: [], dtype: "i32" }, ...carry],
  )
  return { graph: { ...graph, inputs: graph.inputs }, carry: nCarry + 1 }
})

export interface ScanOptions {
  /** Number of turns. Default: the length of axis 0 of `xs`; needed where there are none. */
  readonly length?: number
  /** From the last slice to the first; ys[i] still belongs to xs[i]. Default: false. */
  readonly reverse?: boolean
  /**
   * Truncated backpropagation through time: derivatives go back to the beginning of each piece of so many turns and no further, except
   * that the first piece reaches `init`. Default: through all turns.
   */
  readonly truncate?: number
  /**
   * What the backward pass needs is computed again instead of saved, turn by turn (`true`) or for pieces of so many turns, of which only
   * the carry at the beginning is kept: about sqrt(length) takes the least memory. The same values in the same bits; gradients that
   * are sums over turns (of what `f` takes from outside) are added in another order. Default: false.
   */
  readonly checkpoint?: boolean | number
}

/**
 * A loop as one operation: `f` hands a carry from turn to turn, reads slices of `xs` and stacks what it makes.
 *
 *     carry[0] = init, [carry[t + 1], ys[t]] = f(carry[t], xs[t]), result [carry[length], ys]
 *
 * Carry, x and y are any trees. The leaves of `xs` are [length, ...] and f sees [...]; `xs` may be null, then `length` says how
 * many turns. The carry keeps structure, shapes and dtypes. `f` is recorded, not run: its body is compiled once, whatever the
 * length, and the backward pass keeps only what it needs of each turn. What `f` takes from outside is the same in all turns.
 *
 * Throws TypeError if f does not return a pair, if the structure of the carry changes and if the number of turns is not known;
 * ShapeError and DtypeError if a carry becomes another one or if xs have no axis 0 of one length.
 *
 * @example
 * const decay = (sum: Tensor, x: Tensor) => { const next = sum.mul(0.5).add(x); return [next, next] as const }
 * scan(decay, tensor(0), tensor([1, 2, 3]))  // [4.25, [1, 2.5, 4.25]]
 */
export function scan<C, X, Y>(f: (carry: C, x: X) => readonly [C, Y], init: C, xs: X, options: ScanOptions = {}): [C, Y] {
  const { truncate, checkpoint: again = false, ...rest } = options
  if (again === true) return scan(checkpoint(f), init, xs, { ...rest, ...(truncate !== undefined && { truncate }) })
  const size = sizeOfPieces(truncate, again)
  const length = size === undefined ? 0 : lengthOf(leaves(xs as Tree), rest)
  if (length > 0)
    return inPieces(scan, f, init, xs, {
      length,
      reverse: !!rest.reverse,
      size: size!,
      cut: truncate !== undefined,
      again: again !== false,
    })
  const { operands, p, result } = recordScan(f, init as Tree, xs as Tree, options)
  return result(run(operands, p))
}

/**
 * As `scan`, for as many turns as `turns` (i32[]) says at run time, `length` at most; what ys hold beyond is not defined.
 * It has no derivative, since what a backward pass would have to keep is not known beforehand.
 */
export function countedScan<C, X, Y>(
  f: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  turns: Tensor,
  options: Pick<ScanOptions, "length"> = {},
): [C, Y] {
  const { operands, p, result } = recordScan(f, init as Tree, xs as Tree, options)
  return result(run([...operands, turns], { ...p, counted: true }))
}

/**
 * A loop that goes on while `condition(carry)` holds: `carry <- body(carry)`, as one operation.
 *
 * The carry is any tree and keeps its structure, shapes and dtypes; `condition` returns a bool scalar. With `vmap` the loop goes on
 * until all examples have ended. Forward mode works; reverse mode throws TypeError, since what it would have to remember is
 * not known beforehand: see `scan`, `fixedPoint` and `root`.
 *
 * Throws TypeError if the condition is no bool scalar, and what `scan` throws of a carry.
 *
 * @example
 * // the first of 3, 6, 12, ... that is not less than 100
 * whileLoop((x: Tensor) => less(x, 100), x => x.mul(2), tensor(3))  // 192
 */
export function whileLoop<C>(condition: (carry: C) => Tensor, body: (carry: C) => C, init: C): C {
  for (const f of [condition, body]) wantFunction("whileLoop", f)
  const goes = (carry: C): Tensor => {
    const go = condition(carry)
    if (!(go instanceof Tensor) || go.dtype !== "bool" || go.ndim > 0)
      throw new TypeError(`whileLoop: the condition must return a bool scalar, such as greater(error, 1e-6); it returned ${kindOf(go)}`)
    return cast(go, "i32")
  }
  const step = ([, carry]: readonly [Tensor, C]): readonly [readonly [Tensor, C], null] => {
    const next = body(carry)
    wantStructure("whileLoop: body", init as Tree, next as Tree)
    return [[goes(next), next], null]
  }
  const { operands, p, result } = recordScan(step, [goes(init), init] as Tree, null, { length: MOST_TURNS }, "whileLoop")
  const [[, last]] = result(run(operands, { ...p, conditional: true }))
  return last
}
const MOST_TURNS = 2 ** 31 - 1

type Body = (carry: any, x: any) => readonly [any, any]

function recordScan(
  f: Body,
  init: Tree,
  xs: Tree,
  options: ScanOptions,
  call: "scan" | "whileLoop" = "scan",
): { operands: Tensor[]; p: Scan; result: (outs: readonly Tensor[]) => any } {
  if (typeof f !== "function") throw new TypeError(`scan: the first argument is a function of carry and x; got ${kindOf(f)}`)
  const stacks = leaves(xs)
  const length = lengthOf(stacks, options)
  const slices = stacks.map(({ aval }) => shaped(aval.shape.slice(1), aval))
  const first = leaves(init)
  // a while loop hands on its condition, too
  const names = paths(init).map(path => (call === "scan" ? path : path.replace(/^1\.?/, "")))
  let out!: readonly [Tree, Tree]
  const body = (ins: readonly Tensor[]): Tensor[] => {
    out = f(rebuild(init, ins), rebuild(xs, ins.slice(first.length)))
    wantPair(out)
    wantStructure("scan: f", init, out[0])
    return [...leaves(out[0]).map((x, i) => settle(call, x, first[i]!.aval, names[i]!)), ...leaves(out[1])]
  }
  for (;;) {
    const { graph, captured } = record(body, [...first.map(x => x.aval), ...slices])
    // a number as init takes the dtype that the first turn gives it
    const odd = first.findIndex((x, i) => x.aval.weak && !graph.outputs[i]!.aval.weak)
    if (odd >= 0) {
      first[odd] = cast(first[odd]!, graph.outputs[odd]!.aval.dtype)
      continue
    }
    const n = first.length + stacks.length
    const inputs = [...graph.inputs.slice(n), ...graph.inputs.slice(0, n)]
    const sizes = { constants: captured.length, carry: first.length }
    return {
      operands: [...captured, ...first, ...stacks],
      p: { graph: intern({ ...graph, inputs }), length, ...sizes, reverse: options.reverse ?? false, counted: false, conditional: false },
      result: outs => rebuild(out, outs),
    }
  }
}

function sizeOfPieces(truncate: number | undefined, again: number | false): number | undefined {
  const size = truncate ?? (again === false ? undefined : again)
  for (const [name, n] of Object.entries({ truncate, checkpoint: again || undefined }))
    if (n !== undefined && !(Number.isInteger(n) && n >= 1))
      throw new TypeError(`scan: \`${name}\` is a whole number of turns from 1${name === "checkpoint" ? ", true or false" : ""}; got ${n}`)
  if (again !== false && again !== size)
    throw new TypeError(`scan: \`truncate\` and \`checkpoint\` must name pieces of one size; got ${truncate} and ${again}`)
  return size
}

function lengthOf(stacks: readonly Tensor[], { length }: ScanOptions): number {
  const given = stacks.map(x => x.aval)
  const scalar = given.find(a => a.shape.length === 0)
  if (scalar)
    throw new ShapeError("scan", "xs are read in slices along axis 0, which a scalar does not have; let f take it from outside", [scalar])
  if (length !== undefined && !(Number.isInteger(length) && length >= 0))
    throw new TypeError(`scan: length is a whole number >= 0; got ${length}`)
  const n = length ?? given[0]?.shape[0]
  if (n === undefined) throw new TypeError("scan: without xs the number of turns must be given, as in scan(f, init, null, { length: 10 })")
  if (given.some(a => a.shape[0] !== n))
    throw new ShapeError(
      "scan",
      length === undefined ? "xs must have one length along axis 0" : `xs must have length ${n} along axis 0`,
      given,
    )
  return n
}

const kindOf = (x: unknown): string => {
  if (x instanceof Tensor) return show(x.aval)
  if (Array.isArray(x)) return `an array of ${x.length}`
  return x instanceof Promise ? "a Promise" : x === null ? "null" : typeof x
}
function wantPair(out: unknown): void {
  if (Array.isArray(out) && out.length === 2) return
  throw new TypeError(
    `scan: f must return [carry, y]; it returned ${kindOf(out)}. ` +
      (out instanceof Promise ? "It must not be async" : "Where there is nothing to stack, return [carry, null]"),
  )
}

/** The tree without what its leaves are. */
export const structure = (t: Tree): string => {
  const blank = leaves(t).map(() => 0)
  return describe(rebuild(t, blank))
}
function wantStructure(call: string, init: Tree, carry: Tree): void {
  if (structure(carry) !== structure(init))
    throw new TypeError(`${call} must return a carry with the structure of init, ${describe(init)}; it returned ${describe(carry)}`)
}

/** The carry that goes on, as it came in; numbers take its dtype. */
function settle(call: string, x: Tensor, wanted: Aval, path: string): Tensor {
  const carry = path ? `the carry ${path}` : "the carry"
  const text = `${carry} must stay ${show(wanted)} in every turn`
  if (!sameShape(x.shape, wanted.shape)) throw new ShapeError(call, `${text}; make init of the shape that f returns`, [x.aval])
  if (x.aval.weak && !wanted.weak && differentiable(wanted)) return cast(x, wanted.dtype)
  if (x.dtype !== wanted.dtype && !(wanted.weak && differentiable(x.aval))) throw new DtypeError(call, text, [x.aval])
  return x
}
