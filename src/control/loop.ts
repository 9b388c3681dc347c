// Bodies of loops, and bodies derived from them. Each is kept with the body it comes from, so that it is derived and compiled once.
import type { Maybe } from "../core/primitive.ts"
import { bind, scope, type Tensor } from "../core/tensor.ts"
import { type Apply, avals, type Graph, memo, type Node, prune, scopeOf } from "../graph/graph.ts"
import { derive, replay } from "../graph/record.ts"
import { add, zeros } from "../primitives/base.ts"
import { jvpGraph, present, scatter } from "../transforms/jvp.ts"
import { linearizeGraph, type Source } from "../transforms/linearize.ts"
import { transpose } from "../transforms/transpose.ts"
import { batchGraph } from "../transforms/vmap.ts"
import { callP } from "./call.ts"
import { isCheap, lean } from "./residuals.ts"
import { totals } from "./totals.ts"

/** A list in its three parts: constants, carry, slices; or of results, with no constants: carry, ys. */
export const parts = <T>(list: readonly T[], constants: number, carry: number): [T[], T[], T[]] => [
  list.slice(0, constants),
  list.slice(constants, constants + carry),
  list.slice(constants + carry),
]
export const count = (list: readonly boolean[]): number => list.filter(Boolean).length
const not = (list: readonly boolean[]): boolean[] => list.map(x => !x)
const where = <T>(list: readonly T[], which: readonly boolean[]): T[] => list.filter((_, i) => which[i])

/** Which carries have a property (a tangent, a batch axis, a cotangent): those that start with it or get it in some turn. */
function fixedPoint<T>(start: readonly boolean[], step: (carry: boolean[]) => { carry: readonly boolean[]; result: T }): [boolean[], T] {
  let carry = [...start]
  for (;;) {
    const next = step(carry)
    const grown = carry.map((c, i) => c || next.carry[i]!)
    if (count(grown) === count(carry)) return [carry, next.result]
    carry = grown
  }
}

/** Where a result of a loop is found: among those of the tidy loop, or without it. `every`: it is the same in each turn, not stacked. */
interface From {
  readonly of: "loop" | "operands" | "hoisted"
  readonly i: number
  readonly every: boolean
}
interface Tidy {
  readonly graph: Graph
  /** All operands -> values that are the same in each turn and not worth computing again; they follow the constants. */
  readonly hoisted: Graph
  /** The operands that are left, by number. */
  readonly constants: readonly number[]
  readonly carry: readonly number[]
  readonly xs: readonly number[]
  readonly results: readonly From[]
}

/**
 * A body that does the same with less: carries that do not change are constants, work that is the same in each turn is done
 * once outside, operands that nothing reads and ys that are known without the loop are gone. The first carry of a `conditional` loop stays.
 */
export const tidy = memo((g: Graph, nConstants: number, nCarry: number, conditional: boolean): Tidy => {
  const number = new Map(g.inputs.map((n, i) => [n, i]))
  const [constants, carry, xs] = parts(g.inputs, nConstants, nCarry)
  const [next, ys] = [g.outputs.slice(0, nCarry), g.outputs.slice(nCarry)]
  const changes = carry.map((c, i) => next[i] !== c || (conditional && i === 0))
  const steady = [...constants, ...where(carry, not(changes))]

  const same = new Set<Node>(steady)
  const outside: Apply[] = []
  const inside: Apply[] = []
  const outer = new Set<Node>()
  for (const n of g.nodes) {
    const hoist = n.args.every(a => same.has(a))
    if (hoist) for (const o of n.outs) same.add(o)
    if (hoist) outside.push(n)
    // what is cheap stays, so that it can be part of the kernel that reads it
    if (!hoist || isCheap(n)) inside.push(n)
    else for (const o of n.outs) outer.add(o)
  }
  const everywhere = (y: Node): boolean => outer.has(y) || steady.includes(y)
  const made = [...new Set(ys.filter(y => !everywhere(y) && !xs.includes(y)))]
  const body = prune({ inputs: g.inputs, nodes: inside, outputs: [...where(next, changes), ...made] })
  const read = new Set([...body.nodes.flatMap(n => n.args), ...body.outputs])
  const shared = [...outer].filter(n => read.has(n) || ys.includes(n))
  const left = { constants: steady.filter(n => read.has(n)), carry: where(carry, changes), xs: xs.filter(n => read.has(n)) }
  const nChanged = left.carry.length
  const place = (n: Node): number => number.get(n)!
  const from = (y: Node): From => {
    if (outer.has(y)) return { of: "hoisted", i: shared.indexOf(y), every: true }
    if (steady.includes(y) || xs.includes(y)) return { of: "operands", i: place(y), every: !xs.includes(y) }
    return { of: "loop", i: nChanged + made.indexOf(y), every: false }
  }
  return {
    graph: { ...body, inputs: [...left.constants, ...shared, ...left.carry, ...left.xs] },
    hoisted: prune({ inputs: g.inputs, nodes: outside, outputs: shared }),
    constants: left.constants.map(place),
    carry: left.carry.map(place),
    xs: left.xs.map(place),
    results: [
      ...carry.map(
        (c, i): From => ({ ...(changes[i] ? { of: "loop", i: left.carry.indexOf(c) } : { of: "operands", i: place(c) }), every: false }),
      ),
      ...ys.map(from),
    ],
  }
})

/**
 * What is left of a body when only some of a loop's results are `used`. A carry goes too if nothing but itself reads it. `operands`
 * and `results` are those that stay, by number.
 */
export const narrowBody = memo((g: Graph, nConstants: number, nCarry: number, used: boolean[]) => {
  const isCarry = (i: number): boolean => i >= nConstants && i < nConstants + nCarry
  const [kept, { body, read }] = fixedPoint(used, kept => {
    const body = prune({ ...g, outputs: where(g.outputs, kept) })
    const read = new Set([...body.nodes.flatMap(n => n.args), ...body.outputs])
    return { carry: g.outputs.map((_, i) => i < nCarry && read.has(g.inputs[nConstants + i]!)), result: { body, read } }
  })
  const numbers = (list: readonly boolean[]): number[] => list.flatMap((k, i) => (k ? [i] : []))
  const operands = numbers(g.inputs.map((n, i) => (isCarry(i) ? kept[i - nConstants]! : read.has(n))))
  const results = numbers(kept)
  const constants = operands.filter(i => i < nConstants).length
  const carry = operands.filter(isCarry).length
  return { graph: { ...body, inputs: operands.map(i => g.inputs[i]!) }, constants, carry, operands, results }
})

/** [constants, their tangents, carry, its tangents, x, its tangents] -> [carry, its tangents, y, its tangents] */
export const jvpBody = memo((g: Graph, nConstants: number, nCarry: number, which: boolean[]) => {
  const [wConstants, wFirst, wXs] = parts(which, nConstants, nCarry)
  const [carry, { graph, tangents }] = fixedPoint(wFirst, carry => {
    const result = jvpGraph(g, [...wConstants, ...carry, ...wXs], carry)
    return { carry: result.tangents.slice(0, nCarry), result }
  })
  const [c, s, x] = parts(graph.inputs.slice(0, which.length), nConstants, nCarry)
  const [dc, ds, dx] = parts(graph.inputs.slice(which.length), count(wConstants), count(carry))
  const [, sOut, y] = parts(graph.outputs.slice(0, g.outputs.length), 0, nCarry)
  const [, dsOut, dy] = parts(graph.outputs.slice(g.outputs.length), 0, count(carry))
  const body: Graph = { ...graph, inputs: [...c, ...dc, ...s, ...ds, ...x, ...dx], outputs: [...sOut, ...dsOut, ...y, ...dy] }
  return { graph: body, carry, tangents }
})

/**
 * The graph with calls replaced by what they do, so that what each of its values costs can be seen; their names stay in the scopes.
 * Calls with derivatives of their own (custom rules, checkpoints, equations) stay closed: opened, they would have those of their bodies.
 */
export function open(g: Graph): Graph {
  const isOpen = (n: Apply): boolean => n.prim === callP
  if (!g.nodes.some(isOpen)) return g
  const go = (g: Graph, xs: readonly Tensor[]): Tensor[] => {
    const env = new Map(g.inputs.map((n, i) => [n, xs[i]!]))
    for (const n of g.nodes) {
      const args = n.args.map(a => env.get(a)!)
      const run = (): readonly Tensor[] => (isOpen(n) ? go(n.params.graph, args) : bind(n.prim, args, n.params))
      const ys = scope(isOpen(n) ? scopeOf(n) : n.scope, run)
      n.outs.forEach((o, i) => env.set(o, ys[i]!))
    }
    return g.outputs.map(o => env.get(o)!)
  }
  return derive(xs => go(g, xs), avals(g.inputs))
}

/**
 * `primal` gives the outputs and what else the linear loop needs. `graph`:
 * [tangents of constants, residuals that are the same in each turn, tangents of the carry, tangents of x, residuals of the turn] -> tangents
 */
export const linearBody = memo((g: Graph, nConstants: number, nCarry: number, which: boolean[]) => {
  const [wConstants, wFirst, wXs] = parts(which, nConstants, nCarry)
  // constants need not be stacked, xs and ys are stacked already; of the carry each turn's value must be saved
  const have = {
    inputs: which.map((_, i) => i < nConstants || i >= nConstants + nCarry),
    outputs: g.outputs.map((_, i) => i >= nCarry),
  }
  const body = open(g)
  const [carry, all] = fixedPoint(wFirst, carry => {
    const result = linearizeGraph(body, [...wConstants, ...carry, ...wXs], carry, have)
    return { carry: result.tangents.slice(0, nCarry), result }
  })
  const { primal, linear, tangents, sources } = lean(all, g.outputs.length, have)
  const n = linear.inputs.length - sources.length
  const [dc, ds, dx] = parts(linear.inputs.slice(0, n), count(wConstants), count(carry))
  const { results } = tidy(primal, nConstants, nCarry, false)
  const isConstant = sources.map(s => (s.of === "input" ? s.i < nConstants : results[s.i]!.every))
  const residuals = linear.inputs.slice(n)
  const inputs = [...dc, ...where(residuals, isConstant), ...ds, ...dx, ...where(residuals, not(isConstant))]
  const constants: Source[] = where(sources, isConstant)
  const stacked: Source[] = where(sources, not(isConstant))
  return { primal, graph: { ...linear, inputs }, carry, tangents, constants, stacked }
})

/**
 * A body whose carry is linear in part, as two: `known` [known constants, known carry, known x] -> [known carry, stacked: the same as
 * it comes in], and `rest` [constants, linear carry, x, known carry of the turn] -> [linear carry, y].
 */
export const splitBody = memo((g: Graph, nConstants: number, nCarry: number, linear: boolean[]) => {
  const [lConstants, lFirst, lXs] = parts(linear, nConstants, nCarry)
  const [carry] = fixedPoint(lFirst, carry => {
    const depends = new Set(where(g.inputs, [...lConstants, ...carry, ...lXs]))
    for (const n of g.nodes) if (n.args.some(a => depends.has(a))) for (const o of n.outs) depends.add(o)
    return { carry: g.outputs.slice(0, nCarry).map(o => depends.has(o)), result: null }
  })
  const [constants, state, xs] = parts(g.inputs, nConstants, nCarry)
  const [next, ys] = [g.outputs.slice(0, nCarry), g.outputs.slice(nCarry)]
  const isKnown = not(carry)
  const incoming = where(state, isKnown)
  const known = prune({
    inputs: [...where(constants, not(lConstants)), ...incoming, ...where(xs, not(lXs))],
    nodes: g.nodes,
    outputs: [...where(next, isKnown), ...incoming],
  })
  const rest: Graph = { ...g, inputs: [...constants, ...where(state, carry), ...xs, ...incoming], outputs: [...where(next, carry), ...ys] }
  return { carry, known, rest }
})

/**
 * [known constants, cotangents of `carry`, sums so far of `sums`, cotangents of the y given, known x]
 * -> [cotangents of `carry`, sums, cotangents of `xs`, more stacks]; only what anything flows into. The carry is linear.
 * The cotangents of the constants in `totals` are the results of `after`:
 * [known constants, stacks: cotangents of the y given, known x, cotangents of `xs`, the rest] -> sums
 */
export const backwardBody = memo((g: Graph, nConstants: number, nCarry: number, linear: boolean[], given: boolean[], length: number) => {
  const [lConstants] = parts(linear, nConstants, nCarry)
  const [, last, ys] = parts(given, 0, nCarry)
  const known = where(g.inputs, not(linear))
  const nKnown = count(not(lConstants))
  const [carry, { pulled, flows }] = fixedPoint(last, carry => {
    let flows!: boolean[]
    const which = [...carry, ...ys]
    const pulled = derive(
      values => {
        const [operands, cts] = [values.slice(0, known.length), values.slice(known.length)]
        const all: Maybe[] = transpose(g, scatter(not(linear), operands), scatter(which, cts), [])
        const back = all.map((ct, i) => (linear[i] ? ct : null))
        flows = back.map(ct => ct !== null)
        return present(back)
      },
      avals([...known, ...where(g.outputs, which)]),
    )
    return { carry: flows.slice(nConstants, nConstants + nCarry), result: { pulled, flows } }
  })
  const [toConstants, , xs] = parts(flows, nConstants, nCarry)
  const [shares, , ctXs] = parts(pulled.outputs, count(toConstants), count(flows.slice(nConstants, nConstants + nCarry)))
  const [fixed, stacks] = [pulled.inputs.slice(0, nKnown), pulled.inputs.slice(nKnown)]
  const [kXs, , ctYs] = parts(stacks, known.length - nKnown, count(carry))
  const { leave, extra, after } = totals(pulled, shares, fixed, [...ctYs, ...kXs, ...ctXs], length)
  const leaves = leave.values()
  const totaled = toConstants.map(c => c && leaves.next().value!)
  const sums = toConstants.map((c, i) => c && !totaled[i])

  const [constants, state] = parts(g.inputs, nConstants, nCarry)
  const ins = [...fixed, ...where(state, carry), ...where(constants, sums), ...where(g.outputs.slice(nCarry), ys), ...kXs]
  const all: Graph = { ...pulled, outputs: [...pulled.outputs, ...extra] }
  const graph = derive(values => {
    const [kConstants, turn, step] = parts(values, nKnown, count(carry) + count(sums))
    const [, cts, soFar] = parts(turn, 0, count(carry))
    const [, ctYs, kXs] = parts(step, 0, count(ys))
    const outs = replay(all, [...kConstants, ...kXs, ...cts, ...ctYs])
    const [shares, ctCarry, ctXs] = parts(scatter(flows, outs), nConstants, nCarry)
    return [
      ...where(ctCarry, carry).map((ct, i) => ct ?? zeros(cts[i]!.aval)),
      ...where(shares, sums).map((s, i) => add(soFar[i]!, s!)),
      ...present(ctXs),
      ...outs.slice(pulled.outputs.length),
    ]
  }, avals(ins))
  return { graph, carry, sums, xs, totals: totaled, after }
})

/** A body over `n` examples; carries that get a batch axis in some turn have it from the start. */
export const batchBody = memo((g: Graph, nConstants: number, nCarry: number, which: boolean[], n: number) => {
  const [wConstants, wFirst, wXs] = parts(which, nConstants, nCarry)
  const [carry, { graph, mapped }] = fixedPoint(wFirst, carry => {
    const result = batchGraph(g, [...wConstants, ...carry, ...wXs], n, carry)
    return { carry: result.mapped.slice(0, nCarry), result }
  })
  return { graph, carry, mapped }
})
