// The optimizer's arithmetic: from a gradient to a new weight, and what the error makes of it.
import { fromArray } from "../core/concrete.ts"
import type { Tensor } from "../core/tensor.ts"
import { leaves, paths, rebuild, type Tree } from "../core/tree.ts"
import type { Optimizer, OptimizerConfig } from "../optim/optimizer.ts"
import type { OptimizerState } from "../optim/transformation.ts"
import type { Chosen } from "./chosen.ts"
import { digits, inFormula } from "./digits.ts"
import type { Change, Line, Update } from "./explanation.ts"
import type { Whole } from "./whole.ts"
import { inDouble } from "./widen.ts"

export interface OptimizerStep {
  /** Shows its arithmetic from the gradient to the new weight; it updates the argument that the scalar belongs to. */
  readonly optimizer?: Optimizer
  /** Of the optimizer, before the step. Default: that of its first step. */
  readonly state?: OptimizerState
}

export function updateOf(
  whole: Whole,
  chosen: Chosen,
  inputs: readonly unknown[],
  { optimizer, state }: OptimizerStep,
): Update | undefined {
  if (!optimizer) return undefined
  const step = new OneStep(whole, chosen, inputs, optimizer, state)
  return step.update()
}

/** One number of the state that belongs to the weight, or to all. */
interface Memory {
  readonly symbol: string
  readonly before: number
  readonly after: number
}

class OneStep {
  private readonly whole: Whole
  private readonly chosen: Chosen
  private readonly config: OptimizerConfig
  /** Numbers of the leaves that are updated. */
  private readonly updated: readonly number[]
  private readonly gradients: readonly ArrayLike<number>[]
  private readonly next: readonly Tensor[]
  private readonly memories: readonly Memory[]

  constructor(whole: Whole, chosen: Chosen, inputs: readonly unknown[], optimizer: Optimizer, state: OptimizerState | undefined) {
    this.whole = whole
    this.chosen = chosen
    this.config = optimizer.config
    const tree = inputs[chosen.argument] as Tree
    const first = inputs.slice(0, chosen.argument).flatMap(x => leaves(x as Tree)).length
    this.updated = leaves(tree).map((_, i) => first + i)
    const params = this.updated.map(i => whole.values[i]!)
    this.gradients = this.updated.map(i => whole.gradient(i))
    const grads = params.map((p, i) => fromArray(Float64Array.from(this.gradients[i]!), p.aval))
    const before = inDoubles(state ?? optimizer.init(rebuild(tree, params)))
    const [next, after] = optimizer.update(rebuild(tree, grads) as Tree, before, rebuild(tree, params) as Tree)
    this.next = leaves(next)
    this.memories = this.remembered(before, after, paths(tree)[chosen.leaf - first]!)
  }

  /** What the state holds at the weight's own path, and of scalars. */
  private remembered(before: Tree, after: Tree, path: string): Memory[] {
    const [xs, ys, names] = [leaves(before), leaves(after), paths(after)]
    const weight = this.whole.values[this.chosen.leaf]!
    return names.flatMap((name, i): Memory[] => {
      const owner = path === "" ? name : name.slice(0, -path.length - 1)
      const isOwn = (path === "" || name.endsWith(`.${path}`)) && ys[i]!.size === weight.size && ys[i]!.ndim === weight.ndim
      const isShared = ys[i]!.ndim === 0 && !isOwn
      if (!isOwn && !isShared) return []
      const symbol = (isOwn ? owner : name).split(".").at(-1)!
      const at = isOwn ? this.chosen.element : 0
      return [{ symbol, before: xs[i]!.values()[at]!, after: ys[i]!.values()[at]! }]
    })
  }

  update(): Update {
    const { leaf, element } = this.chosen
    const own = this.updated.indexOf(leaf)
    const before = this.whole.values[leaf]!.values()[element]!
    const after = this.next[own]!.values()[element]!
    const gradient = this.gradients[own]![element]!
    const error = this.whole.error()
    const alone: Change = { predicted: gradient * (after - before), actual: this.whole.errorWith(leaf, element, after) - error }
    return {
      optimizer: this.config.kind,
      lines: this.lines(gradient, before, after),
      before,
      after,
      alone,
      all: { predicted: this.predicted(), actual: this.whole.error(this.stepped()) - error },
    }
  }
  private stepped(): Tensor[] {
    const values = [...this.whole.values]
    for (const [i, leaf] of this.updated.entries()) values[leaf] = this.next[i]!
    return values
  }
  private predicted(): number {
    let sum = 0
    for (const [i, leaf] of this.updated.entries()) {
      const [before, after] = [this.whole.values[leaf]!.values(), this.next[i]!.values()]
      for (let j = 0; j < before.length; j++) sum += this.gradients[i]![j]! * (after[j]! - before[j]!)
    }
    return sum
  }

  private lines(gradient: number, before: number, after: number): Line[] {
    const g: Line = { symbol: "g", formula: "dE/dw", value: gradient }
    const memories = this.memories.map((m): Line => ({ symbol: m.symbol, formula: this.formula(m, gradient), value: m.after }))
    const change = after - before
    return [
      g,
      ...memories,
      ...this.corrected(),
      { symbol: "Δw", formula: this.changeFormula(), value: change },
      { symbol: "w", formula: `${digits(before)} + ${inFormula(change)}`, value: after },
    ]
  }
  private setting(name: string): number | undefined {
    const value = this.config[name]
    return typeof value === "number" ? value : undefined
  }
  /** How a number of the state comes about, where that is known; else what it was before. */
  private formula({ symbol, before }: Memory, g: number): string {
    const [b1, b2, momentum] = ["b1", "b2", "momentum"].map(name => this.setting(name))
    if (symbol === "step") return `${before} + 1`
    if (this.setting("weightDecay") === 0 || this.config.kind === "adamw") {
      if (symbol === "m" && b1 !== undefined) return `${b1}·${inFormula(before)} + ${digits(1 - b1)}·${inFormula(g)}`
      if (symbol === "v" && b2 !== undefined) return `${b2}·${inFormula(before)} + ${digits(1 - b2)}·${inFormula(g)}^2`
      if (symbol === "v" && momentum) return `${momentum}·${inFormula(before)} + ${inFormula(g)}`
    }
    return `after ${digits(before)}`
  }
  /** Adam's averages corrected for starting at 0. */
  private corrected(): Line[] {
    if (!this.config.kind.startsWith("adam")) return []
    const at = (symbol: string): number | undefined => this.memories.find(m => m.symbol === symbol)?.after
    const [m, v, t] = [at("m"), at("v"), at("step")]
    const [b1, b2] = [this.setting("b1"), this.setting("b2")]
    if (m === undefined || v === undefined || t === undefined || b1 === undefined || b2 === undefined) return []
    return [
      { symbol: "m'", formula: `${inFormula(m)} / (1 - ${b1}^${t})`, value: m / (1 - b1 ** t) },
      { symbol: "v'", formula: `${inFormula(v)} / (1 - ${b2}^${t})`, value: v / (1 - b2 ** t) },
    ]
  }
  private changeFormula(): string {
    const { kind } = this.config
    const rate = this.setting("learningRate")
    if (rate === undefined) return "by the optimizer"
    if (kind === "adam" && this.config.amsgrad === false && !this.setting("weightDecay"))
      return `-${rate}·m' / (sqrt(v') + ${this.setting("eps")})`
    if (kind === "sgd" && !this.setting("momentum") && !this.setting("weightDecay")) return `-${rate}·g`
    if (kind === "sgd" && this.setting("momentum") && this.config.nesterov === false && !this.setting("weightDecay")) return `-${rate}·v`
    return "by the optimizer"
  }
}

/** A tree with f64 in the place of f32. */
function inDoubles(t: Tree): Tree {
  return rebuild(t, leaves(t).map(inDouble)) as Tree
}
