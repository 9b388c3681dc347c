// The derivative of any function by any scalar, taken apart into paths.
import { recordCall } from "../control/call.ts"
import { differentiable, show, size } from "../core/aval.ts"
import { leaves, type Tree } from "../core/tree.ts"
import type { Graph } from "../graph/graph.ts"
import { replay } from "../graph/record.ts"
import { AdjointGraph } from "./adjoint-graph.ts"
import { explained, labelsOf, type Open } from "./applications.ts"
import { bestPaths } from "./best-paths.ts"
import { type Chosen, choose } from "./chosen.ts"
import { centralDifference } from "./digits.ts"
import { ProblemError } from "./errors.ts"
import type { Explanation, Factor, Path } from "./explanation.ts"
import { FactorWriter } from "./factors.ts"
import type { Cotangents } from "./given-rules.ts"
import { LocalDerivatives } from "./local.ts"
import { say } from "./messages/index.ts"
import { Backward } from "./reverse.ts"
import { counted, Sums } from "./sums.ts"
import { holdsRule, record, type Tape } from "./tape.ts"
import { type OptimizerStep, updateOf } from "./update.ts"
import { Whole } from "./whole.ts"
import { inDouble, widen } from "./widen.ts"

export interface ExplainOptions extends OptimizerStep {
  /**
   * The scalar: a path into the inputs and an index, such as `layers.0.w[3,1]`. The arguments are searched in order; a number in front
   * chooses one: `1[0,3]`, `0.layers.0.w[3,1]`.
   */
  readonly of: string
  /** How many paths are shown one by one. Default: 8. */
  readonly paths?: number
  /**
   * Which composites (layers, losses, softmax, attention) open down to the operations that they consist of: all of them, or those with
   * one of these names, or within one of these scopes, such as `["softmax", "layers.2"]`. Default: none, each is one factor. Loops and
   * branches are always written out, turn by turn; a gradient that the user gave (`customVjp`) always stays whole.
   */
  readonly open?: Open
}

/**
 * The chains of derivatives from the error, which is the scalar that `f` returns, to one scalar of its inputs:
 *
 *     dE/dw = sum over paths w = v_0 -> v_1 -> ... -> v_n = E of dv_n/dv_(n-1) ... dv_1/dv_0
 *
 * where the v are numbers that the program computes. `f` is recorded on the inputs and evaluated in f64. Each factor comes with its
 * formula, its number by the rule of the operation and its measurement by central differences of that operation alone. The largest
 * paths are shown; the others are counted and added up by dynamic programming over what branches off. The sum is held against `grad`,
 * and against differences of the whole.
 *
 * Throws ProblemError if `f` does not return one finite number, or if there is no input `of`. Paths through a computational graph: Bauer,
 * Computational graphs and rounding error (1974).
 *
 * @example
 * const loss = (w: Tensor, x: Tensor) => sum(tanh(matmul(x, w)))
 * const explanation = explain(loss, [tensor([[0.5], [0.2]]), tensor([[1, 3]])], { of: "0[1,0]" })
 * explanation.sumOfPaths  // 1.078
 * const text = renderText(explanation)
 */
export function explain(f: (...args: any[]) => any, inputs: readonly unknown[], options: ExplainOptions): Explanation {
  const { graph, captured } = recordCall(f, inputs as readonly Tree[])
  wantScalar(graph)
  const chosen = choose(inputs, options.of)
  const values = [...inputs.flatMap(x => leaves(x as Tree)), ...captured].map(inDouble)
  const whole = new Whole(widen(graph), values)
  return new Explainer(whole, chosen, options).explanation(inputs)
}

function wantScalar({ outputs }: Graph): void {
  const [out] = outputs
  if (outputs.length === 1 && size(out!.aval.shape) === 1 && differentiable(out!.aval)) return
  throw new ProblemError(
    `the function must return one floating-point number, the error; it returned ${outputs.map(o => show(o.aval)).join(", ") || "nothing"}`,
  )
}
const SHOWN = 8

class Explainer {
  private readonly whole: Whole
  private readonly chosen: Chosen
  private readonly options: ExplainOptions
  private readonly tape: Tape
  private readonly local: LocalDerivatives
  private readonly labels: readonly string[]
  private readonly graph: AdjointGraph
  private readonly before: number

  constructor(whole: Whole, chosen: Chosen, options: ExplainOptions) {
    this.whole = whole
    this.chosen = chosen
    this.options = options
    this.tape = record((...xs) => replay(whole.graph, xs), whole.values, explained(options.open ?? false))
    this.labels = labelsOf(this.tape.steps)
    const isStart = whole.values.map((_, i) => i === chosen.leaf)
    let cotangents: Cotangents | undefined
    this.local = new LocalDerivatives(() => (cotangents ??= new Backward(this.tape, isStart).cotangents()))
    const start = { cell: this.tape.inputs[chosen.leaf]!, element: chosen.element }
    this.before = start.cell.value.values()[start.element]!
    this.graph = new AdjointGraph(this.tape, this.local, start, this.tape.outputs[0]!)
  }

  explanation(inputs: readonly unknown[]): Explanation {
    const { whole, chosen, graph, options } = this
    const error = whole.error()
    if (!Number.isFinite(error)) throw new ProblemError(`the error is ${error}, which has no slope`)
    const best = bestPaths(graph, options.paths ?? SHOWN)
    const sums = new Sums(graph, this.local, this.labels)
    const rest = sums.rest(best)
    const writer = new FactorWriter(this.local, graph, this.labels, chosen.name)
    const paths = best.map((p): Path => ({ contribution: p.contribution, factors: p.edges.map(e => writer.factor(e)).reverse() }))
    const gradient = whole.gradient(chosen.leaf)[chosen.element]! + 0 // not -0
    const sumOfPaths = paths.reduce((sum, p) => sum + p.contribution, rest.contribution)
    const finiteDifference = centralDifference(xs => xs.map(x => whole.errorWith(chosen.leaf, chosen.element, x)), this.before)
    const verdict = this.verdict(
      error,
      { sumOfPaths, gradient, finiteDifference },
      paths.flatMap(p => p.factors),
    )
    const update = updateOf(whole, chosen, inputs, options)
    return {
      of: { name: chosen.name, value: this.before },
      error,
      gradient,
      sumOfPaths,
      finiteDifference,
      numberOfPaths: counted(graph.paths[0]!),
      paths,
      rest,
      ...sums.all(writer),
      ...(update && { update }),
      ...verdict,
    }
  }

  private verdict(
    error: number,
    { sumOfPaths, gradient, finiteDifference }: { sumOfPaths: number; gradient: number; finiteDifference: number },
    factors: readonly Factor[],
  ): { agrees: boolean; verdict: string } {
    // where paths cancel, their sum is as exact as the sum of their sizes; and factors close to 0 are differences of larger numbers
    const scale = Math.max(Math.abs(gradient), this.graph.size[0]!, 1e-3 * Math.max(1, Math.abs(error)))
    const sums = Math.abs(sumOfPaths - gradient) <= 1e-10 * scale
    const whole = near(sumOfPaths, finiteDifference, error)
    const odd = factors.find(f => !near(f.value, f.check, f.result.value))
    const agrees = sums && whole && !odd
    const reached = [...new Set([...this.graph.step, ...this.graph.stops.map(s => s.step.index)])].map(i => this.tape.steps[i]!)
    const given = (odd ? [this.tape.steps[odd.application]!] : reached).find(holdsRule)?.name
    const unasked = sums ? undefined : reached.find(step => this.local.sendsUnasked(step))?.name
    return { agrees, verdict: say.chains.verdict({ sums, whole, factor: odd?.operation, given, unasked }) }
  }
}

/** Differences are as exact as the number that they are taken of. */
const near = (a: number, b: number, of: number): boolean =>
  Math.abs(a - b) <= 1e-6 * Math.max(1e-3 * Math.max(1, Math.abs(of)), Math.abs(a))
