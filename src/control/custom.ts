// Derivatives that the user gives: a rule forwards, or a rule backwards.
import { type Aval, differentiable, same, sameShape, show, tangentOf } from "../core/aval.ts"
import type { Maybe, Primitive } from "../core/primitive.ts"
import { bind, bottom, Tensor } from "../core/tensor.ts"
import { leaves, rebuild, type Tree, wantFunction } from "../core/tree.ts"
import { avals, type Graph, memo } from "../graph/graph.ts"
import { intern } from "../graph/key.ts"
import { derive, record, replay } from "../graph/record.ts"
import { spread, sum, toFront, zeros } from "../primitives/base.ts"
import { cast } from "../primitives/elementwise.ts"
import { instantiate, present, scatter } from "../transforms/jvp.ts"
import { transposeGraph } from "../transforms/transpose.ts"
import { batchGraph } from "../transforms/vmap.ts"
import { callP } from "./call.ts"

type Fn = (...args: any[]) => any

/** A function recorded for these inputs; what it takes from outside must be numbers, since a rule says nothing of anything else. */
function recorded(call: string, f: (xs: readonly Tensor[]) => readonly Tensor[], ins: readonly Aval[]) {
  const { graph, captured } = record(f, ins)
  const traced = captured.find(x => x.trace !== bottom())
  if (traced)
    throw new TypeError(
      `${call} uses a traced value ${show(traced.aval)} from outside, whose gradient the rule cannot say; hand it in as an argument`,
    )
  return { graph: intern(graph), captured }
}

/** The leaves of `given`, each made to fit its aval; zeros for integers and where nothing was given. */
function fitted(call: string, given: readonly Maybe[], wanted: readonly Aval[]): Tensor[] {
  if (given.length !== wanted.length)
    throw new TypeError(
      `${call} must be like ${wanted.map(show).join(", ") || "nothing"}; got ${given.map(t => (t ? show(t.aval) : "null")).join(", ") || "nothing"}`,
    )
  return wanted.map((a, i) => {
    const x = given[i]
    if (!x || !differentiable(a)) return zeros(a)
    if (x.aval.weak && sameShape(x.shape, a.shape)) return cast(x, a.dtype)
    if (!same(x.aval, a)) throw new TypeError(`${call} must be like ${wanted.map(show).join(", ")}; number ${i} is ${show(x.aval)}`)
    return x
  })
}

// Rules backwards

interface CustomVjp {
  /** [arguments, captured] -> results */
  readonly graph: Graph
  /** [arguments, captured] -> [results, residuals] */
  readonly forward: Graph
  /** [residuals, captured, cotangents of the results] -> cotangents of the arguments */
  readonly backward: Graph
  /** How many operands are arguments; then come what the three graphs have captured. */
  readonly args: number
  readonly captured: readonly [number, number, number]
  readonly name: string
}
/** The operands of one of the graphs: the arguments or residuals, and what it has captured. */
const capturedOf = (xs: readonly Tensor[], { args, captured: [f, forward] }: CustomVjp, which: 0 | 1 | 2): readonly Tensor[] => {
  const from = args + [0, f, f + forward][which]!
  return xs.slice(from, which === 2 ? undefined : from + [f, forward][which]!)
}

/**
 * The derivative of a function with a rule backwards, as a linear operation: operands [tangents, known values of `backward`]. Its
 * transpose is the rule itself, which therefore need not be linear; what it does forwards is the rule's transpose, if there is one.
 */
const pushP: Primitive<{ readonly backward: Graph; readonly which: readonly boolean[]; readonly known: number }> = {
  name: "customVjp push",
  shape: (_ins, { backward, known }) => avals(backward.inputs.slice(known)),
  meaning: { kind: "call" },
  body: p => ({
    // made when it is asked for: a rule that is not linear has a name, but no transpose
    get graph() {
      return forwards(p.backward, [...p.which], p.known)
    },
    name: "",
  }),
  jvp(xs, ts, p) {
    return callP.jvp(xs, ts, { name: "", form: "linear", graph: forwards(p.backward, [...p.which], p.known) })
  },
  transpose(cts, operands, { backward, which, known }) {
    const values = operands.slice(operands.length - known) as readonly Tensor[]
    const full = backward.inputs.slice(known).map(({ aval }, i) => cts[i] ?? zeros(aval))
    const back = bind(callP, [...values, ...full], { name: "", form: "backward", graph: backward }).filter((_, i) => which[i])
    return operands.map((x, i) => (x instanceof Tensor ? null : back[i]!))
  },
  batch(xs, axes, p, n) {
    const graph = forwards(p.backward, [...p.which], p.known)
    return callP.batch(xs, axes, { name: "", form: "linear", graph }, n)
  },
}
/** [tangents of `which`, known] -> tangents of the results */
const forwards = memo((backward: Graph, which: boolean[], known: number): Graph => {
  const linear = backward.inputs.map((_, i) => i >= known)
  const { inputs, ...rest } = transposeGraph(backward, linear, which)
  return { ...rest, inputs: [...inputs.slice(known), ...inputs.slice(0, known)] }
})

const customVjpP: Primitive<CustomVjp> = {
  name: "customVjp",
  shape: (_ins, p) => avals(p.graph.outputs),
  meaning: { kind: "call" },
  body: p => p,
  jvp(xs, ts, p) {
    const n = p.graph.outputs.length
    const outs = bind(callP, [...xs.slice(0, p.args), ...capturedOf(xs, p, 1)], { name: p.name, form: "primal", graph: p.forward })
    const which = ts.slice(0, p.args).map(t => t !== null)
    const known = [...outs.slice(n), ...capturedOf(xs, p, 2)]
    const dys = bind(pushP, [...present(ts), ...known], { backward: p.backward, which, known: known.length })
    return [outs.slice(0, n), dys.map((dy, i) => (differentiable(p.graph.outputs[i]!.aval) ? dy : null))]
  },
  transpose() {
    throw new Error("customVjp: the function itself is not linear")
  },
  batch(xs, axes, p, n) {
    const which = axes.map(a => a !== null)
    const { params, mapped } = batched(p, which, n)
    const front = xs.map((x, i) => toFront(x, axes[i]!))
    return [bind(customVjpP, front, params), mapped.map(m => (m ? 0 : null))]
  },
}
/** The three graphs over `n` examples; a cotangent of what all examples share is the sum of theirs. */
function batched(p: CustomVjp, which: readonly boolean[], n: number): { params: CustomVjp; mapped: readonly boolean[] } {
  const whichOf = (k: 0 | 1 | 2): boolean[] => capturedOf(which as any, p, k) as any
  const args = which.slice(0, p.args)
  const outputs = p.graph.outputs.length
  const first = batchGraph(p.graph, [...args, ...whichOf(0)], n, [])
  const forward = batchGraph(p.forward, [...args, ...whichOf(1)], n, first.mapped)
  const mapped = forward.mapped.slice(0, outputs)
  const graph = batchGraph(p.graph, [...args, ...whichOf(0)], n, mapped).graph
  const back = batchGraph(p.backward, [...forward.mapped.slice(outputs), ...whichOf(2), ...mapped], n, [])
  const backward = derive(
    xs =>
      replay(back.graph, xs).map((ct, i) => {
        if (!args[i]) return back.mapped[i] ? sum(ct, [0]) : ct
        return spread(ct, back.mapped[i]!, n)
      }),
    avals(back.graph.inputs),
  )
  return { params: { ...p, graph, forward: forward.graph, backward }, mapped }
}

/**
 * `f` with a gradient of your own: `forward(...args)` returns `[value, residuals]`, and `backward(residuals, ct)` the cotangents of
 * the arguments, a list with an entry for each of them: a tree like the argument, or null for none.
 *
 * The rule may say what it likes (clip, scale, replace a gradient); forward mode needs one that is linear in `ct`. The value and what
 * `backward` returns are differentiated by the usual rules if a second derivative is asked for. What the three functions take from
 * outside must be plain numbers and tensors: pass anything that is differentiated as an argument.
 *
 * Throws TypeError if `forward` returns no pair or another value than f, and if the cotangents do not fit the arguments.
 *
 * @example
 * const clipped = customVjp((x: Tensor) => x, x => [x, null], (_, ct) => [clip(ct, -1, 1)])
 * grad((x: Tensor) => clipped(x).mul(5).sum())(tensor([1, 2]))  // [1, 1]
 */
export function customVjp<A extends readonly any[], R, S>(
  f: (...args: A) => R,
  forward: (...args: A) => readonly [R, S],
  backward: (residuals: S, ct: R) => readonly unknown[],
): (...args: A) => R {
  for (const [part, g] of Object.entries({ f, forward, backward })) wantFunction(`customVjp: ${part}`, g)
  const name = f.name || "customVjp"
  return (...args) => {
    const trees = args as unknown as readonly Tree[]
    const xs = trees.flatMap(leaves)
    const ins = xs.map(x => x.aval)
    let value!: Tree
    let residuals!: Tree
    const call = (g: Fn, given: readonly Tensor[]): any => g(...rebuild(trees, given))
    const first = recorded("customVjp: f", given => leaves((value = call(f, given))), ins)
    const outs = avals(first.graph.outputs)
    const second = recorded(
      "customVjp: forward",
      given => {
        const pair = call(forward, given)
        if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError("customVjp: forward must return [value, residuals]")
        residuals = pair[1]
        return [...fitting("customVjp: the value that forward returns", leaves(pair[0]), outs), ...leaves(residuals)]
      },
      ins,
    )
    const nResiduals = second.graph.outputs.length - outs.length
    const third = recorded(
      "customVjp: backward",
      given => {
        const cts = backward(rebuild(residuals, given) as S, rebuild(value, given.slice(nResiduals)) as R)
        if (!Array.isArray(cts) || cts.length !== trees.length)
          throw new TypeError(`customVjp: backward must return a list with ${trees.length} entries, one for each argument of f`)
        return cts.flatMap((ct, i) => {
          const wanted = leaves(trees[i]!).map(x => tangentOf(x.aval))
          const given = ct === null || ct === undefined ? wanted.map(() => null) : leaves(ct)
          return fitted(`customVjp: the cotangent of argument ${i}`, given, wanted)
        })
      },
      [...avals(second.graph.outputs.slice(outs.length)), ...outs.map(tangentOf)],
    )
    // what backward has captured comes before the cotangents
    const { inputs } = third.graph
    const order = [
      ...inputs.slice(0, nResiduals),
      ...inputs.slice(nResiduals + outs.length),
      ...inputs.slice(nResiduals, nResiduals + outs.length),
    ]
    const p: CustomVjp = {
      graph: first.graph,
      forward: second.graph,
      backward: intern({ ...third.graph, inputs: order }),
      args: xs.length,
      captured: [first.captured.length, second.captured.length, third.captured.length],
      name,
    }
    const operands = [...xs, ...first.captured, ...second.captured, ...third.captured]
    return rebuild(value, bind(customVjpP, operands, p)) as R
  }
}
/** As `fitted`, but nothing may be missing. */
const fitting = (call: string, given: readonly Tensor[], wanted: readonly Aval[]): Tensor[] => {
  if (given.length !== wanted.length || given.some((x, i) => !sameShape(x.shape, wanted[i]!.shape) || x.dtype !== wanted[i]!.dtype))
    throw new TypeError(`${call} must be ${wanted.map(show).join(", ")}, as f returns it; got ${given.map(x => show(x.aval)).join(", ")}`)
  return [...given]
}

// Rules forwards

interface CustomJvp {
  /** [arguments, captured] -> results */
  readonly graph: Graph
  /** [arguments, tangents of the floating-point ones, captured] -> [results, tangents of the floating-point ones] */
  readonly rule: Graph
  readonly args: number
  readonly captured: readonly [number, number]
  readonly name: string
}

const customJvpP: Primitive<CustomJvp> = {
  name: "customJvp",
  shape: (_ins, p) => avals(p.graph.outputs),
  meaning: { kind: "call" },
  body: p => p,
  jvp(xs, ts, p) {
    const args = xs.slice(0, p.args)
    const all = args.map(() => true)
    const tangents = instantiate(ts.slice(0, p.args), args, all)
    // not as one call: what depends on the values alone must stay apart from what is linear in the tangents
    const outs = replay(p.rule, [...args, ...present(tangents), ...xs.slice(p.args + p.captured[0])])
    const n = p.graph.outputs.length
    const which = p.graph.outputs.map(o => differentiable(o.aval))
    return [outs.slice(0, n), scatter(which, outs.slice(n))]
  },
  transpose() {
    throw new Error("customJvp: the function itself is not linear")
  },
  batch(xs, axes, p, n) {
    const which = axes.map(a => a !== null)
    const [args, first, second] = [which.slice(0, p.args), which.slice(p.args, p.args + p.captured[0]), which.slice(p.args + p.captured[0])]
    const floats = p.graph.inputs.slice(0, p.args).map(x => differentiable(x.aval))
    const before = batchGraph(p.rule, [...args, ...args.filter((_, i) => floats[i]), ...second], n, [])
    const value = batchGraph(p.graph, [...args, ...first], n, [])
    const outputs = p.graph.outputs
    const mapped = outputs.map((_, i) => value.mapped[i]! || before.mapped[i]!)
    const isFloat = outputs.map(o => differentiable(o.aval))
    const force = [...mapped, ...mapped.filter((_, i) => isFloat[i])]
    const rule = batchGraph(p.rule, [...args, ...args.filter((_, i) => floats[i]), ...second], n, force).graph
    const graph = batchGraph(p.graph, [...args, ...first], n, mapped).graph
    const front = xs.map((x, i) => toFront(x, axes[i]!))
    return [bind(customJvpP, front, { ...p, graph, rule }), mapped.map(m => (m ? 0 : null))]
  },
}

/**
 * `f` with a derivative of your own: `rule(primals, tangents)` returns `[value, tangent]`; both arguments are lists like those of f,
 * the tangents of integers are null. Forward and reverse mode follow from it, since the tangent is linear in the tangents.
 *
 * Throws TypeError if the rule returns no pair or another value than f.
 *
 * @example
 * const log1pexp = customJvp((x: Tensor) => x.exp().add(1).log(), ([x], [t]) => [softplus(x), sigmoid(x).mul(t)])
 * grad(log1pexp)(tensor(100))  // 1
 */
export function customJvp<A extends readonly any[], R>(
  f: (...args: A) => R,
  rule: (primals: A, tangents: A) => readonly [R, R],
): (...args: A) => R {
  for (const [part, g] of Object.entries({ f, rule })) wantFunction(`customJvp: ${part}`, g)
  const name = f.name || "customJvp"
  return (...args) => {
    const trees = args as unknown as readonly Tree[]
    const xs = trees.flatMap(leaves)
    const ins = xs.map(x => x.aval)
    const floats = ins.map(differentiable)
    let value!: Tree
    const first = recorded("customJvp: f", given => leaves((value = f(...(rebuild(trees, given) as unknown as A)) as Tree)), ins)
    const outs = avals(first.graph.outputs)
    const second = recorded(
      "customJvp: rule",
      given => {
        const ts = scatter(floats, given.slice(xs.length))
        const pair = rule(rebuild(trees, given) as unknown as A, rebuild(trees, ts as readonly Tensor[]) as unknown as A)
        if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError("customJvp: rule must return [value, tangent]")
        const ys = fitting("customJvp: the value that rule returns", leaves(pair[0] as Tree), outs)
        const dys = leaves(pair[1] as Tree)
        // integers have none, however it is said
        const left = dys.length === outs.length ? dys.filter((_, i) => differentiable(outs[i]!)) : dys
        return [...ys, ...fitted("customJvp: the tangent that rule returns", left, outs.filter(differentiable).map(tangentOf))]
      },
      [...ins, ...ins.filter(differentiable).map(tangentOf)],
    )
    const p: CustomJvp = {
      graph: first.graph,
      rule: second.graph,
      args: xs.length,
      captured: [first.captured.length, second.captured.length],
      name,
    }
    return rebuild(value, bind(customJvpP, [...xs, ...first.captured, ...second.captured], p)) as R
  }
}
