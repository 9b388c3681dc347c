// The factors of a path as they are shown: named, with formula, numbers and measurement.
import { same } from "../core/aval.ts"
import type { AdjointGraph } from "./adjoint-graph.ts"
import { centralDifference, inFormula, tidy } from "./digits.ts"
import type { Factor, Scalar } from "./explanation.ts"
import type { LocalDerivatives } from "./local.ts"
import { type Rule, ruleOf } from "./rules.ts"
import type { Step, Tape, ValueId } from "./tape.ts"

export class FactorWriter {
  private readonly tape: Tape
  private readonly local: LocalDerivatives
  private readonly graph: AdjointGraph
  private readonly scalarName: string
  private readonly made = new Map<number, Factor>()
  constructor(tape: Tape, local: LocalDerivatives, graph: AdjointGraph, scalarName: string) {
    this.tape = tape
    this.local = local
    this.graph = graph
    this.scalarName = scalarName
  }

  /** `layers.1/relu[0,5]` */
  nameOf(v: number): string {
    const { value, element } = this.graph.places[v]!
    const origin = this.tape.origins[value]
    if (v === 0 || !origin) return this.scalarName
    const { shape } = this.tape.aval(value)
    return `${origin[0].label}${shape.length ? `[${indexOf(element, shape)}]` : ""}`
  }
  scalar(v: number): Scalar {
    const { value, element } = this.graph.places[v]!
    return { name: this.nameOf(v), value: this.tape.numbers(value)[element]! }
  }

  /** The factor of an edge, measured once however many paths take it. */
  factor(e: number): Factor {
    let factor = this.made.get(e)
    if (!factor) this.made.set(e, (factor = this.write(e)))
    return factor
  }
  private write(e: number): Factor {
    const { graph: g, local } = this
    const step = g.stepOf(e)
    const operand = g.operand[e]!
    const [by, result] = [this.scalar(g.from[e]!), this.scalar(g.to[e]!)]
    const [from, to] = [g.places[g.from[e]!]!, g.places[g.to[e]!]!]
    const out = step.outs.indexOf(to.value)
    const value = g.derivative[e]!
    const check = centralDifference(xs => local.measured(step, operand, from.element, out, to.element, xs), by.value)
    const rule = ruleOf(step.name, operand, step.args.length, step.params?.attributes)
    const numbers = this.numbers(rule, step, to.element, result.value)
    return {
      application: step.id,
      operation: step.name,
      scope: step.scope,
      operand,
      result,
      by,
      formula: rule.formula,
      latex: rule.latex,
      ...(numbers !== undefined && { numbers }),
      value,
      check,
      difference: Math.abs(value - check),
      copy: local.reads(step)?.copy === true,
    }
  }
  /** Formulas of a few numbers belong to operations on elements: operands are read where the result is. */
  private numbers({ numbers }: Rule, step: Step, element: number, out: number): string | undefined {
    const aval = (v: ValueId) => this.tape.aval(v)
    if (!numbers || !step.args.every(a => same(aval(a), aval(step.outs[0]!)))) return undefined
    return tidy(numbers(k => inFormula(this.tape.numbers(step.args[k]!)[element]!), inFormula(out)))
  }
}

/** Row-major position as an index. */
function indexOf(element: number, shape: readonly number[]): number[] {
  const out: number[] = []
  for (let rest = element, d = shape.length - 1; d >= 0; d--) {
    out.unshift(rest % shape[d]!)
    rest = Math.floor(rest / shape[d]!)
  }
  return out
}
