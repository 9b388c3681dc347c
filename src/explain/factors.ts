// The factors of a path as they are shown: named, with formula, numbers and measurement.
import { indexOf } from "../check/arrays.ts"
import { same } from "../core/aval.ts"
import type { AdjointGraph } from "./adjoint-graph.ts"
import { centralDifference, inFormula, tidy } from "./digits.ts"
import type { Factor, Scalar } from "./explanation.ts"
import type { LocalDerivatives } from "./local.ts"
import { GIVEN, type Rule, ruleOf } from "./rules.ts"
import type { Step } from "./tape.ts"

export class FactorWriter {
  private readonly local: LocalDerivatives
  private readonly graph: AdjointGraph
  private readonly scalarName: string
  private readonly labels: readonly string[]
  private readonly made = new Map<number, Factor>()
  constructor(local: LocalDerivatives, graph: AdjointGraph, labels: readonly string[], scalarName: string) {
    this.local = local
    this.graph = graph
    this.labels = labels
    this.scalarName = scalarName
  }

  /** `layers.1/relu[0,5]` */
  nameOf(v: number): string {
    const { cell, element } = this.graph.places[v]!
    if (v === 0 || !cell.maker) return this.scalarName
    const { shape } = cell.aval
    return `${this.labels[cell.maker.index]}${shape.length ? `[${indexOf(element, shape)}]` : ""}`
  }
  scalar(v: number): Scalar {
    const { cell, element } = this.graph.places[v]!
    return { name: this.nameOf(v), value: cell.value.values()[element]! }
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
    const out = step.outs.indexOf(to.cell)
    const value = g.derivative[e]!
    const check = centralDifference(xs => local.measured(step, operand, from.element, out, to.element, xs), by.value)
    const rule = local.followsCotangent(step, operand) ? GIVEN : ruleOf(step.name, operand, step.args.length, step.params?.attributes)
    const numbers = this.numbers(rule, step, to.element, result.value)
    return {
      application: step.index,
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
    if (!numbers || !step.args.every(a => same(a.aval, step.outs[0]!.aval))) return undefined
    return tidy(numbers(k => inFormula(step.args[k]!.value.values()[element]!), inFormula(out)))
  }
}
