// A program written out: its applications one after the other with all their values, loops turn by turn, composites as far as they are open.
import { condP } from "../control/cond.ts"
import type { Aval } from "../core/aval.ts"
import type { Loop, Primitive } from "../core/primitive.ts"
import { bind, type Tensor } from "../core/tensor.ts"
import { type Graph, type Node, scopeOf } from "../graph/graph.ts"
import { zeros } from "../primitives/base.ts"
import { concatP, reshapeP, sliceP } from "../primitives/structure.ts"

/** The number of a value on the tape. */
export type ValueId = number

/** One application of a primitive to known values. */
export interface Step {
  readonly id: number
  readonly prim: Primitive
  readonly params: any
  readonly args: readonly ValueId[]
  readonly outs: readonly ValueId[]
  /** Names of layers, composites and turns around it, outermost first. */
  readonly scope: readonly string[]
  /** Of the primitive, or of the composite that it stands for. */
  readonly name: string
  /** Scope and name: `layers.1/relu`; further ones of one name in one scope are numbered, `layers.0/t=2/mul#2`. */
  readonly label: string
}

/** Which composites open: all, none, or those with one of these names or within one of these scopes. */
export type Open = boolean | readonly string[]

/** Rules that the user gave stay whole: their insides are not what is differentiated. */
const GIVEN: readonly string[] = ["customVjp", "customJvp"]

export class Tape {
  readonly values: Tensor[] = []
  readonly steps: Step[] = []
  /** What made a value: an application and the number of its result, or nothing for inputs. */
  readonly origins: (readonly [step: Step, out: number] | undefined)[] = []
  private readonly named = new Map<string, number>()
  private readonly open: Open
  constructor(open: Open) {
    this.open = open
  }

  add(x: Tensor, origin?: readonly [Step, number]): ValueId {
    this.origins.push(origin)
    return this.values.push(x) - 1
  }
  aval(v: ValueId): Aval {
    return this.values[v]!.aval
  }
  /** The numbers of a value. */
  numbers(v: ValueId): ArrayLike<number> {
    return this.values[v]!.values()
  }

  /** Runs a program and writes down its applications; gives its results. */
  run(g: Graph, args: readonly ValueId[], scope: readonly string[] = []): ValueId[] {
    const env = new Map<Node, ValueId>(g.inputs.map((n, i) => [n, args[i]!]))
    for (const n of g.nodes) {
      const outs = this.node(
        n.prim,
        n.params,
        n.args.map(a => env.get(a)!),
        scope.concat(n.scope),
        scope.concat(scopeOf(n)),
      )
      n.outs.forEach((o, i) => env.set(o, outs[i]!))
    }
    return g.outputs.map(o => env.get(o)!)
  }

  private node(
    prim: Primitive,
    params: any,
    args: readonly ValueId[],
    scope: readonly string[],
    inner: readonly string[],
  ): readonly ValueId[] {
    const { meaning } = prim
    if (meaning.kind === "loop") return this.loop(meaning.loop(params), args, scope)
    if (prim === condP) return this.run(this.item(args[0]!) ? params.onTrue : params.onFalse, args.slice(1), inner)
    const body = prim.body?.(params)
    if (body && this.opens(prim, body.name, inner, body.graph as Graph)) return this.run(body.graph as Graph, args, inner)
    return this.apply(prim, params, args, scope, body?.name)
  }
  private item(v: ValueId): number {
    return this.values[v]!.item()
  }

  /** What has no name is nothing to the reader, and a loop within shows a turn at a time; all others open on request. */
  private opens(prim: Primitive, name: string, path: readonly string[], body: Graph): boolean {
    if (GIVEN.includes(prim.name)) return false
    if (name === "") return true
    // how a solution was found is no part of its derivative
    const isSolution = prim.name === "equation" || prim.name === "linear system"
    if (!isSolution && hasLoop(body)) return true
    if (typeof this.open === "boolean") return this.open
    const whole = path.join("/")
    return this.open.some(o => o === name || o === whole || whole.startsWith(`${o}/`))
  }

  /** One application, kept as it is. */
  private apply(prim: Primitive, params: unknown, args: readonly ValueId[], scope: readonly string[], name = prim.name): ValueId[] {
    const ys = bind(
      prim,
      args.map(a => this.values[a]!),
      params,
    )
    const outs: ValueId[] = []
    const step = { id: this.steps.length, prim, params, args, outs, scope, name, label: this.label([...scope, name].join("/")) }
    this.steps.push(step)
    ys.forEach((y, i) => outs.push(this.add(y, [step, i])))
    return outs
  }

  private label(whole: string): string {
    const n = (this.named.get(whole) ?? 0) + 1
    this.named.set(whole, n)
    return n === 1 ? whole : `${whole}#${n}`
  }

  private loop(p: Loop, args: readonly ValueId[], scope: readonly string[]): ValueId[] {
    const { constants, carry } = p
    const g = p.graph as Graph
    const fixed = args.slice(0, constants)
    const xs = args.slice(constants + carry, g.inputs.length)
    const ys: ValueId[][] = g.outputs.slice(carry).map(() => [])
    const turns = p.counted ? Math.min(p.length, this.item(args.at(-1)!)) : p.length
    let state = args.slice(constants, constants + carry)
    for (let k = 0; k < turns && !(p.conditional && this.item(state[0]!) === 0); k++) {
      const t = p.reverse ? turns - 1 - k : k
      const inner = [...scope, `t=${t}`]
      const step = xs.map(x => this.slice(x, t, inner))
      const outs = this.run(g, [...fixed, ...state, ...step], inner)
      state = outs.slice(0, carry)
      ys.forEach((rows, i) => rows[p.reverse ? "unshift" : "push"](this.lift(outs[carry + i]!, inner)))
    }
    return [...state, ...ys.map((rows, i) => this.stack(rows, g.outputs[carry + i]!.aval, p.length, scope))]
  }
  /** Slice `t` along axis 0. */
  private slice(x: ValueId, t: number, scope: readonly string[]): ValueId {
    const { shape } = this.aval(x)
    const window = { start: shape.map((_, d) => (d === 0 ? t : 0)), shape: [1, ...shape.slice(1)] }
    const [row] = shape[0] === 1 ? [x] : this.apply(sliceP, window, [x], scope)
    return this.apply(reshapeP, { shape: shape.slice(1) }, [row!], scope)[0]!
  }
  private lift(x: ValueId, scope: readonly string[]): ValueId {
    return this.apply(reshapeP, { shape: [1, ...this.aval(x).shape] }, [x], scope)[0]!
  }
  private stack(rows: readonly ValueId[], a: Aval, length: number, scope: readonly string[]): ValueId {
    const missing = length - rows.length
    const all = missing ? [...rows, this.add(zeros({ ...a, shape: [missing, ...a.shape] }))] : rows
    return all.length === 1 ? all[0]! : this.apply(concatP, { axis: 0 }, all, scope)[0]!
  }
}

const loops = new WeakMap<Graph, boolean>()
function hasLoop(g: Graph): boolean {
  const known = loops.get(g)
  if (known !== undefined) return known
  const found = g.nodes.some(({ prim, params }) => {
    if (prim.meaning.kind === "loop") return true
    if (prim.name === "equation" || prim.name === "linear system" || GIVEN.includes(prim.name)) return false
    const body = prim.body?.(params).graph as Graph | undefined
    return body !== undefined && hasLoop(body)
  })
  loops.set(g, found)
  return found
}
