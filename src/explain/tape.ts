// A run of a function written down: its applications one after the other with all their values. `explain`, `diagnose` and `findOrigin`
// read it; they differ in which composites they open, and in what they call turns and branches.
import { filled } from "../check/arrays.ts"
import { condP } from "../control/cond.ts"
import type { Aval } from "../core/aval.ts"
import type { TypedArray } from "../core/dtype.ts"
import type { Loop, Primitive } from "../core/primitive.ts"
import { alive, bottom, currentScope, scope, Tensor, Trace, withTrace } from "../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../core/tree.ts"
import { type Graph, memo } from "../graph/graph.ts"
import { replay } from "../graph/record.ts"
import { concat, reshape, slice } from "../primitives/index.ts"

/** One value of a run. */
export class Cell {
  readonly value: Tensor
  /** The application that made it; none for the arguments and for what comes from outside. */
  readonly maker: Step | undefined
  readonly uses: { readonly step: Step; readonly operand: number }[] = []
  constructor(value: Tensor, maker?: Step) {
    this.value = value
    this.maker = maker
  }
  get aval(): Aval {
    return this.value.aval
  }
}

/** One application of a primitive. */
export interface Step {
  /** Place in the order of execution, counted from 0. */
  readonly index: number
  readonly prim: Primitive
  readonly params: any
  readonly args: readonly Cell[]
  readonly outs: readonly Cell[]
  /** Names of layers, composites and turns around it, outermost first. */
  readonly scope: readonly string[]
  /** Of the primitive, or of the composite that it stands for. */
  readonly name: string
  /** Its stack says where the application was asked for; the text is made only when it is read. */
  readonly asked: Error
}

/** An application that stands for a program. */
export interface Composite {
  readonly prim: Primitive
  readonly name: string
  /** Names around it, and its own. */
  readonly path: readonly string[]
  readonly body: Graph
}
/** What is written down. */
export interface Detail {
  /** Whether what a composite consists of is written down in its place. */
  opens(c: Composite): boolean
  /** Loops are written turn by turn as long as they come to so many operations; longer ones stay one application. */
  readonly unrolled: number
  /** The scope of a turn, and that of the branch that is taken; "" for none. */
  turn(t: number): string
  readonly branch: string
}
/** The operations of the function that was written: calls are opened, and rules of the user's too if `rules`. */
export const operations = ({ rules = false, unrolled = 20_000 } = {}): Detail => ({
  opens: ({ prim }) => prim.name === "call" || prim.name === "checkpoint" || (rules && isRule(prim)),
  unrolled,
  turn: t => `turn ${t}`,
  branch: "",
})
/** Derivatives that the user gave. */
export const isRule = ({ name }: Primitive): boolean => name === "customVjp" || name === "customJvp"
/** Whether a rule of the user's is part of an application. */
export const holdsRule = ({ prim, params }: Pick<Step, "prim" | "params">): boolean => isRule(prim) || within(prim.body?.(params).graph)
const within = (g: unknown): boolean => g !== undefined && hasRule(g as Graph)
const hasRule: (g: Graph) => boolean = memo(g => g.nodes.some(holdsRule))

export interface Tape {
  readonly steps: readonly Step[]
  /** The leaves of the arguments, in order. */
  readonly inputs: readonly Cell[]
  /** The leaves of the value, in order. */
  readonly outputs: readonly Cell[]
}

// frames of the library lie between an operation and the line that asked for it
const FRAMES = 60

/** Runs `f` and writes down what it does. Branches are opened always, as they are taken. */
export function record(f: (...args: any[]) => any, inputs: readonly unknown[], detail: Detail): Tape {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = FRAMES
  try {
    return withTrace(
      "stage",
      level => new Recorder(level, detail),
      trace => {
        const given = leaves(inputs as Tree).map(x => new Cell(x))
        const args = rebuild(
          inputs as Tree,
          given.map(c => new Taped(trace, c)),
        )
        const outputs = leaves(f(...args) as Tree).map(y => trace.refer(y))
        return { steps: trace.steps, inputs: given, outputs }
      },
    )
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** A value on the tape: with numbers, as outside of any transformation. */
class Taped extends Tensor {
  readonly trace: Recorder
  readonly cell: Cell
  constructor(trace: Recorder, cell: Cell) {
    super()
    this.trace = trace
    this.cell = cell
  }
  get aval(): Aval {
    return this.cell.aval
  }
  override values(): TypedArray {
    return alive(this).cell.value.values()
  }
  override toString(): string {
    return String(this.cell.value)
  }
}

class Recorder extends Trace {
  readonly steps: Step[] = []
  private readonly outside = new Map<Tensor, Cell>()
  private readonly detail: Detail
  private readonly base = currentScope().length
  constructor(level: number, detail: Detail) {
    super(level)
    this.detail = detail
  }

  refer(x: Tensor): Cell {
    if (x instanceof Taped && x.trace === this) return x.cell
    let cell = this.outside.get(alive(x))
    if (!cell) this.outside.set(x, (cell = new Cell(x)))
    return cell
  }
  process<P>(prim: Primitive<P>, args: readonly Tensor[], params: P): readonly Tensor[] {
    return this.opened(prim, args, params) ?? this.apply(prim, args, params)
  }

  /** One application, kept as it is. */
  private apply<P>(prim: Primitive<P>, args: readonly Tensor[], params: P): Tensor[] {
    const cells = args.map(x => this.refer(x))
    const asked = new Error()
    const values = bottom().process(
      prim,
      cells.map(c => c.value),
      params,
    )
    const outs: Cell[] = []
    const name = prim.body?.(params).name || prim.name
    const step: Step = { index: this.steps.length, prim, params, args: cells, outs, scope: currentScope().slice(this.base), name, asked }
    for (const y of values) outs.push(new Cell(y, step))
    cells.forEach((c, operand) => c.uses.push({ step, operand }))
    this.steps.push(step)
    return outs.map(c => new Taped(this, c))
  }

  /** What it consists of, application by application; nothing for those that stay one. */
  private opened(prim: Primitive, args: readonly Tensor[], params: any): readonly Tensor[] | undefined {
    const { meaning } = prim
    if (meaning.kind === "loop") return this.turns(meaning.loop(params), args)
    if (prim === condP) {
      const taken = args[0]!.values()[0] ? params.onTrue : params.onFalse
      return scope(this.detail.branch, () => replay(taken, args.slice(1)))
    }
    const body = prim.body?.(params)
    if (!body) return undefined
    const { name } = body
    const graph = body.graph as Graph
    const path = currentScope().slice(this.base)
    if (!this.detail.opens({ prim, name, path: name ? [...path, name] : path, body: graph })) return undefined
    return scope(name ? [name] : [], () => replay(graph, args.slice(0, graph.inputs.length)))
  }

  private turns(p: Loop, args: readonly Tensor[]): readonly Tensor[] | undefined {
    const g = p.graph as Graph
    const turns = p.counted ? Math.min(p.length, args.at(-1)!.values()[0]!) : p.length
    if (!p.conditional && turns * g.nodes.length > this.detail.unrolled) return undefined
    const constants = args.slice(0, p.constants)
    const xs = args.slice(p.constants + p.carry, g.inputs.length)
    const ys: Tensor[][] = g.outputs.slice(p.carry).map(() => [])
    let carry = args.slice(p.constants, p.constants + p.carry)
    for (let k = 0; k < turns && !(p.conditional && carry[0]!.values()[0] === 0); k++) {
      const t = p.reverse ? turns - 1 - k : k
      scope([this.detail.turn(t)], () => {
        const outs = replay(g, [...constants, ...carry, ...xs.map(x => row(x, t))])
        carry = outs.slice(0, p.carry)
        ys.forEach((rows, i) => {
          const y = outs[p.carry + i]!
          rows[p.reverse ? "unshift" : "push"](reshape(y, [1, ...y.shape]))
        })
      })
    }
    return [...carry, ...ys.map((rows, i) => stacked(rows, g.outputs[p.carry + i]!.aval, p.length))]
  }
}

/** Slice `t` along axis 0. */
const row = (x: Tensor, t: number): Tensor =>
  reshape(slice(x, { start: x.shape.map((_, d) => (d ? 0 : t)), shape: [1, ...x.shape.slice(1)] }), x.shape.slice(1))
/** Turns that a loop did not take leave zeros. */
function stacked(rows: readonly Tensor[], a: Aval, length: number): Tensor {
  const missing = length - rows.length
  const all = missing > 0 || rows.length === 0 ? [...rows, blank({ ...a, shape: [missing, ...a.shape] })] : rows
  return all.length === 1 ? all[0]! : concat(all, 0)
}
/** Zeros that nothing was asked for. */
export const blank = ({ shape, dtype }: Aval): Tensor => filled(shape, dtype, () => 0)
