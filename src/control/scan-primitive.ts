// A loop as a primitive: what it gives, its derivatives and its batches, which are loops over bodies derived in loop.ts.
import { type Aval, same, shaped, show } from "../core/aval.ts"
import { ShapeError } from "../core/errors.ts"
import type { Axis, Loop, Maybe, Operand, Primitive } from "../core/primitive.ts"
import { bind, Tensor } from "../core/tensor.ts"
import { avals, type Graph, memo } from "../graph/graph.ts"
import { derive, replay } from "../graph/record.ts"
import { broadcast, moveAxis, spread, toFront, zeros } from "../primitives/base.ts"
import { eq, not, select } from "../primitives/elementwise.ts"
import { max } from "../primitives/reduce.ts"
import { instantiate, present, scatter } from "../transforms/jvp.ts"
import type { Source } from "../transforms/linearize.ts"
import { batchGraph } from "../transforms/vmap.ts"
import { backwardBody, batchBody, count, jvpBody, linearBody, narrowBody, parts, splitBody, tidy } from "./loop.ts"

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
/** The results of a loop, stacked. */
export const runLoop = (operands: readonly Tensor[], p: Scan): Tensor[] => results(operands, p).map(stackedOf(p))

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
    const outs = runLoop(operands, { ...p, constants: fixed.length, carry: start.length, graph })
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
      return scatter(tangents, runLoop(operands, { ...p, constants: fixed.length, carry: start.length, graph }))
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
      ? runLoop([...fixed, ...state, ...xs.filter(isKnown)], { ...p, constants: fixed.length, carry: state.length, graph: known })
      : []
    const nCarry = count(carry)
    const [ctLast, , ctYs] = parts([...cts.slice(0, p.carry).filter((_, i) => carry[i]), ...cts.slice(p.carry)], nCarry, 0)
    const isLinearNow = [...lConstants, ...carry.filter(Boolean), ...lXs, ...state.map(() => false)]
    const given = [...ctLast, ...ctYs].map(ct => ct !== null)
    const back = backwardBody(rest, p.constants, nCarry, isLinearNow, given, p.length)

    const start = present(instantiate(ctLast, rest.outputs, back.carry))
    const sums = constants.filter((_, i) => back.sums[i]).map(x => zeros(x as Aval))
    const stacks = [...present(ctYs), ...xs.filter(isKnown), ...incoming.slice(state.length)]
    const outs = runLoop([...fixed, ...start, ...sums, ...stacks], {
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
    const ys = runLoop(operands, { ...p, graph })
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
  const outs = runLoop([...front.slice(0, p.constants), ...first], { ...p, carry, graph })
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
