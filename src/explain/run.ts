// A run of a function that remembers every operation: operands, results, where in the program, and the line that asked for it.
import { condP } from "../control/cond.ts"
import { type Scan, scanP } from "../control/scan.ts"
import { type Aval, show } from "../core/aval.ts"
import { fromArray } from "../core/concrete.ts"
import { allocate, type TypedArray } from "../core/dtype.ts"
import type { Maybe, Primitive } from "../core/primitive.ts"
import { alive, bind, bottom, currentScope, scope, Tensor, Trace, withTrace } from "../core/tensor.ts"
import { leaves, rebuild, type Tree } from "../core/tree.ts"
import type { Graph } from "../graph/graph.ts"
import { idOf, paramsKey } from "../graph/key.ts"
import { replay } from "../graph/record.ts"
import * as p from "../primitives/index.ts"
import { jit } from "../runtime/jit.ts"
import { vjp } from "../transforms/grad.ts"

/** One value of a run. */
export class Cell {
  readonly value: Tensor
  /** The operation that made it; none for the arguments and for what comes from outside. */
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

/** One operation of a run. */
export interface Step {
  /** Place in the order of execution, counted from 0. */
  readonly index: number
  readonly prim: Primitive
  readonly params: any
  readonly args: readonly Cell[]
  readonly outs: readonly Cell[]
  readonly scope: readonly string[]
  /** Its stack says where the operation was asked for; the text is made only when it is read. */
  readonly asked: Error
}

export interface TapeOptions {
  /** Puts the function itself in the place of a `customVjp` or `customJvp`, so that it is differentiated by the usual rules. */
  readonly opensRules?: boolean
  /** Loops are unrolled as long as they come to so many operations. Default: 20,000. */
  readonly unrolled?: number
  /** Is told each operation once it has run. */
  readonly seen?: (step: Step) => void
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

const FRAMES = 60

class Recorder extends Trace {
  readonly steps: Step[] = []
  private readonly outside = new Map<Tensor, Cell>()
  private readonly options: TapeOptions
  constructor(level: number, options: TapeOptions) {
    super(level)
    this.options = options
  }
  refer(x: Tensor): Cell {
    if (x instanceof Taped && x.trace === this) return x.cell
    let cell = this.outside.get(alive(x))
    if (!cell) this.outside.set(x, (cell = new Cell(x)))
    return cell
  }
  process<P>(prim: Primitive<P>, args: readonly Tensor[], params: P): readonly Tensor[] {
    return this.opened(prim, args, params) ?? this.run(prim, args, params)
  }
  private run<P>(prim: Primitive<P>, args: readonly Tensor[], params: P): Tensor[] {
    const cells = args.map(x => this.refer(x))
    const asked = new Error()
    const values = bottom().process(
      prim,
      cells.map(c => c.value),
      params,
    )
    const outs: Cell[] = []
    const step: Step = { index: this.steps.length, prim, params, args: cells, outs, scope: currentScope(), asked }
    for (const y of values) outs.push(new Cell(y, step))
    cells.forEach((c, operand) => c.uses.push({ step, operand }))
    this.steps.push(step)
    this.options.seen?.(step)
    return outs.map(c => new Taped(this, c))
  }
  /** What an operation consists of, run one by one; nothing for those that are what they are. */
  private opened(prim: Primitive, args: readonly Tensor[], params: any): readonly Tensor[] | undefined {
    if (prim === condP) return replay(args[0]!.values()[0] ? params.onTrue : params.onFalse, args.slice(1))
    if (prim === scanP) return this.turns(args, params)
    const isRule = prim.name === "customVjp" || prim.name === "customJvp"
    if (isRule ? !this.options.opensRules : prim.name !== "call" && prim.name !== "checkpoint") return undefined
    const { graph, name } = prim.body!(params)
    return scope(name ? [name] : [], () => replay(graph as Graph, args.slice(0, graph.inputs.length)))
  }
  private turns(args: readonly Tensor[], q: Scan): readonly Tensor[] | undefined {
    const { unrolled = 20_000 } = this.options
    const turns = q.counted ? Math.min(q.length, args.at(-1)!.values()[0]!) : q.length
    if (!q.conditional && turns * q.graph.nodes.length > unrolled) return undefined
    const constants = args.slice(0, q.constants)
    let carry: readonly Tensor[] = args.slice(q.constants, q.constants + q.carry)
    const xs = args.slice(q.constants + q.carry, q.counted ? -1 : undefined)
    const rows: Tensor[][] = q.graph.outputs.slice(q.carry).map(() => [])
    for (let t = 0; t < turns && !(q.conditional && carry[0]!.values()[0] === 0); t++) {
      const i = q.reverse ? q.length - 1 - t : t
      scope([`turn ${i}`], () => {
        const outs = replay(q.graph, [...constants, ...carry, ...xs.map(x => row(x, i))])
        carry = outs.slice(0, q.carry)
        outs.slice(q.carry).forEach((y, k) => rows[k]!.push(y))
      })
    }
    const missing = q.conditional ? 0 : q.length - turns
    const stacks = rows.map((ys, k) => {
      const { aval } = q.graph.outputs[q.carry + k]!
      const blank = Array.from({ length: missing }, () => p.zeros(aval))
      const parts = [...(q.reverse ? ys.reverse() : ys), ...blank].map(y => p.reshape(y, [1, ...y.shape]))
      return parts.length > 1 ? p.concat(parts, 0) : (parts[0] ?? p.zeros({ ...aval, shape: [0, ...aval.shape] }))
    })
    return [...carry, ...stacks]
  }
}
const row = (x: Tensor, i: number): Tensor =>
  p.reshape(p.slice(x, { start: x.shape.map((_, d) => (d ? 0 : i)), shape: [1, ...x.shape.slice(1)] }), x.shape.slice(1))

export interface Tape {
  readonly steps: readonly Step[]
  /** The leaves of the arguments, in order. */
  readonly inputs: readonly Cell[]
  /** The leaves of the value, in order. */
  readonly outputs: readonly Cell[]
  /** The value as the function returned it, with numbers in it. */
  readonly value: any
}

/**
 * Runs `f` and writes down what it does. Calls of composites and jitted functions, branches and loops are opened, so that the
 * operations are those of the function that was written; loops beyond `unrolled` stay one operation.
 */
export function record(f: (...args: any[]) => any, inputs: readonly unknown[], options: TapeOptions = {}): Tape {
  // frames of the library lie between an operation and the line that asked for it
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = FRAMES
  try {
    return withTrace(
      "stage",
      level => new Recorder(level, options),
      trace => {
        const given = leaves(inputs as Tree).map(x => new Cell(x))
        const args = rebuild(
          inputs as Tree,
          given.map(c => new Taped(trace, c)),
        )
        const result = f(...args) as Tree
        const outputs = leaves(result).map(y => trace.refer(y))
        const value = rebuild(
          result,
          outputs.map(c => c.value),
        )
        return { steps: trace.steps, inputs: given, outputs, value }
      },
    )
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Compiled pulls of operations that are the same but for their numbers. */
const pulls = new Map<string, (xs: readonly Tensor[], cts: readonly Tensor[]) => Tensor[]>()
const MAX_PULLS = 2000

/**
 * The cotangents of the operands `wanted` of one operation from those of its results, as reverse mode has them.
 * `null` where the operand is not wanted, is no floating-point number, or where nothing arrives.
 */
export function pull(step: Step, cts: readonly Maybe[], wanted: readonly boolean[]): Maybe[] {
  if (cts.every(ct => ct === null)) return step.args.map(() => null)
  const key = `${idOf(step.prim)} ${paramsKey(step.params)} ${step.args.map(a => show(a.aval) + (a.aval.weak ? "*" : ""))} ${wanted.map(Number)}`
  let f = pulls.get(key)
  if (!f) {
    const apply = (xs: readonly Tensor[], moving: readonly Tensor[]): readonly Tensor[] => {
      let next = 0
      return bind(
        step.prim,
        xs.map((x, i) => (wanted[i] ? moving[next++]! : x)),
        step.params,
      )
    }
    f = jit((xs: readonly Tensor[], cts: readonly Tensor[]) => {
      const moving = xs.filter((_, i) => wanted[i])
      return vjp((...given: Tensor[]) => apply(xs, given), ...moving)[1](cts as Tensor[])
    })
    if (pulls.size >= MAX_PULLS) pulls.clear()
    pulls.set(key, f)
  }
  const full = cts.map((ct, i) => ct ?? blank(step.outs[i]!.aval))
  const xs = step.args.map(a => a.value)
  const back = f(xs, full)
  let next = 0
  return wanted.map(w => (w ? back[next++]! : null))
}
const blank = ({ shape, dtype }: Aval): Tensor =>
  fromArray(
    allocate(
      dtype,
      shape.reduce((n, d) => n * d, 1),
    ),
    { shape, dtype },
  )

/** The line of the user's that asked for an operation. */
export interface Line {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The function it stands in, where it has a name. */
  readonly in?: string
}

/** Files of adjoint itself lie below this folder: src/, or dist/ in the package. */
function home(): string {
  // as it is: bundlers take `new URL(path, import.meta.url)` for a file to put beside the program
  const here = import.meta.url
  return new URL("../", here).pathname
}
const plain = (place: string): string => place.replace(/^file:\/\//, "").replace(/[?#].*$/, "")

/** The innermost frame outside of adjoint's own files; undefined where there is none to be seen, as in a page that is one bundle. */
export function lineOf({ asked }: Pick<Step, "asked">): Line | undefined {
  const own = home()
  for (const frame of String(asked.stack).split("\n").slice(1)) {
    const match = /^\s*at (?:(.*?) \()?((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:\\)[^()]*?):(\d+):(\d+)\)?$/.exec(frame)
    if (!match) continue
    const [, name, place, line, column] = match
    const file = plain(place!)
    if (file.startsWith(own) || new URL(place!, "file:///").pathname.startsWith(own) || file.includes("/node_modules/")) continue
    const inside = name && !/^(Object\.)?<anonymous>$|^eval/.test(name) ? { in: name.replace(/^(Module|Object|async)[. ]/, "") } : {}
    return { file, line: Number(line), column: Number(column), ...inside }
  }
  return undefined
}
