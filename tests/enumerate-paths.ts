// All paths of derivatives from one number of a program to its result, one by one, with local derivatives by differences alone: what
// `explain` is tested against. No rule of differentiation is used, and nothing of `src/explain`.
import { recordCall } from "../src/control/call.ts"
import { size } from "../src/core/aval.ts"
import { fromArray } from "../src/core/concrete.ts"
import type { Primitive } from "../src/core/primitive.ts"
import { bind, type Tensor } from "../src/core/tensor.ts"
import { leaves } from "../src/core/tree.ts"
import { type Graph, type Node, scopeOf } from "../src/graph/graph.ts"
import { batchFlat } from "../src/transforms/vmap.ts"

/** A value with a number for each element, so that elements of slices and stacks are those of the whole. */
interface Value {
  readonly x: Tensor
  readonly id: number
}
interface Step {
  readonly label: string
  readonly prim: Primitive
  readonly params: any
  readonly args: readonly Value[]
  readonly outs: readonly Value[]
}
interface Edge {
  readonly to: string
  readonly factor: number
  /** How the step is written in a path; undefined for moves. */
  readonly name: string | undefined
}
export interface EnumeratedPath {
  /** The results on the way, each with the operand it is reached by. */
  readonly key: string
  readonly contribution: number
}

/** What has no derivative because the program says so. */
const CUT = "stopGradient"
const MOVES = ["slice", "reshape", "concat", "permute", "broadcast", "pad", "flip", "cast", "gather"]

class Program {
  readonly steps: Step[] = []
  private readonly counts = new Map<string, number>()
  private ids = 0
  constructor(private readonly open: boolean) {}

  value(x: Tensor): Value {
    return { x, id: this.ids++ }
  }
  run(g: Graph, args: readonly Value[], scope: readonly string[]): Value[] {
    const env = new Map<Node, Value>(g.inputs.map((n, i) => [n, args[i]!]))
    for (const n of g.nodes) {
      const operands = n.args.map(a => env.get(a)!)
      const outs = this.node(n.prim, n.params, operands, [...scope, ...n.scope], [...scope, ...scopeOf(n)])
      n.outs.forEach((o, i) => env.set(o, outs[i]!))
    }
    return g.outputs.map(o => env.get(o)!)
  }
  private node(prim: Primitive, params: any, args: readonly Value[], scope: readonly string[], inner: readonly string[]): readonly Value[] {
    if (prim.name === "scan") return this.scan(params, args, scope)
    const body = prim.body?.(params)
    if (body && (this.open || body.name === "" || contains(body.graph as Graph))) return this.run(body.graph as Graph, args, inner)
    return this.apply(prim, params, args, scope, body?.name ?? prim.name)
  }
  private apply(prim: Primitive, params: any, args: readonly Value[], scope: readonly string[], name: string): readonly Value[] {
    const whole = [...scope, name].join("/")
    const n = (this.counts.get(whole) ?? 0) + 1
    this.counts.set(whole, n)
    const outs = bind(
      prim,
      args.map(a => a.x),
      params,
    ).map(x => this.value(x))
    this.steps.push({ label: n === 1 ? whole : `${whole}#${n}`, prim, params, args, outs })
    return outs
  }
  private scan(p: any, args: readonly Value[], scope: readonly string[]): Value[] {
    const fixed = args.slice(0, p.constants)
    let carry = args.slice(p.constants, p.constants + p.carry)
    const xs = args.slice(p.constants + p.carry)
    const rows: Value[][] = p.graph.outputs.slice(p.carry).map(() => [])
    for (let k = 0; k < p.length; k++) {
      const t = p.reverse ? p.length - 1 - k : k
      const turn = [...scope, `t=${t}`]
      const outs = this.run(p.graph, [...fixed, ...carry, ...xs.map(x => this.row(x, t))], turn)
      carry = outs.slice(0, p.carry)
      rows.forEach((r, i) => (r[t] = outs[p.carry + i]!))
    }
    return [...carry, ...rows.map(r => this.stack(r))]
  }
  /** Moves that edges see through: elements of a row are elements of the whole. */
  readonly aliases = new Map<string, string[]>()
  private alias(from: string, to: string): void {
    this.aliases.set(from, [...(this.aliases.get(from) ?? []), to])
  }
  private row(x: Value, t: number): Value {
    const shape = x.x.shape.slice(1)
    const n = size(shape)
    const row = this.value(fromArray(Float64Array.from(x.x.values()).slice(t * n, (t + 1) * n), { shape, dtype: "f64" }))
    for (let i = 0; i < n; i++) this.alias(`${x.id}:${t * n + i}`, `${row.id}:${i}`)
    return row
  }
  private stack(rows: readonly Value[]): Value {
    const { shape } = rows[0]!.x
    const n = size(shape)
    const all = this.value(
      fromArray(Float64Array.from(rows.flatMap(r => [...r.x.values()])), { shape: [rows.length, ...shape], dtype: "f64" }),
    )
    rows.forEach((r, t) => {
      for (let i = 0; i < n; i++) this.alias(`${r.id}:${i}`, `${all.id}:${t * n + i}`)
    })
    return all
  }
}
const contains = (g: Graph): boolean =>
  g.nodes.some(n => n.prim.name === "scan" || (n.prim.body && contains(n.prim.body(n.params).graph as Graph)))

const index = (element: number, shape: readonly number[]): string => {
  const out: number[] = []
  for (let d = shape.length - 1, rest = element; d >= 0; d--) {
    out.unshift(rest % shape[d]!)
    rest = Math.floor(rest / shape[d]!)
  }
  return shape.length ? `[${out}]` : ""
}

/** [from element][out][to element], by central differences of fourth order. */
function differences(step: Step, k: number, from: readonly number[]): number[][][] {
  const x = step.args[k]!.x
  const before = x.values()
  const h = from.map(j => Math.max(1, Math.abs(before[j]!)) / 4096)
  const n = x.size
  const rows = new Float64Array(4 * from.length * n)
  from.forEach((j, r) =>
    [-2, -1, 1, 2].forEach((by, s) => {
      rows.set(before, (4 * r + s) * n)
      rows[(4 * r + s) * n + j] = before[j]! + by * h[r]!
    }),
  )
  const operands = step.args.map((a, i) => (i === k ? fromArray(rows, { shape: [4 * from.length, ...x.shape], dtype: "f64" }) : a.x))
  const { ys, mapped } = batchFlat(
    xs => [...bind(step.prim, xs, step.params)],
    operands,
    operands.map((_, i) => (i === k ? 0 : null)),
    4 * from.length,
  )
  return from.map((_, r) =>
    step.outs.map((out, o) => {
      const y = ys[o]!.values()
      const at = (s: number, i: number): number => y[mapped[o] ? (4 * r + s) * out.x.size + i : i]!
      return Array.from({ length: out.x.size }, (_, i) => (8 * (at(2, i) - at(1, i)) - (at(3, i) - at(0, i))) / (12 * h[r]!))
    }),
  )
}

/** Derivatives below this are taken for 0. */
const NOTHING = 1e-9

export function enumeratePaths(
  f: (...xs: any[]) => Tensor,
  inputs: readonly any[],
  leaf: number,
  element: number,
  { open, most }: { readonly open: boolean; readonly most: number },
): EnumeratedPath[] {
  const { graph, captured } = recordCall(f, inputs)
  const program = new Program(open)
  const values = [...inputs.flatMap(x => leaves(x)), ...captured].map(x => program.value(x))
  const [error] = program.run(graph, values, [])

  const edges = new Map<string, Edge[]>()
  const reached = new Set<string>()
  const reach = (vertex: string): void => {
    reached.add(vertex)
    for (const alias of program.aliases.get(vertex) ?? []) {
      if (!reached.has(alias)) reach(alias)
      edges.set(vertex, [...(edges.get(vertex) ?? []), { to: alias, factor: 1, name: undefined }])
    }
  }
  reach(`${values[leaf]!.id}:${element}`)
  for (const step of program.steps)
    step.args.forEach((arg, k) => {
      const from = Array.from({ length: arg.x.size }, (_, j) => j).filter(j => reached.has(`${arg.id}:${j}`))
      if (!from.length || arg.x.dtype !== "f64" || step.prim.name === CUT) return
      differences(step, k, from).forEach((outs, r) =>
        outs.forEach((derivatives, o) =>
          derivatives.forEach((factor, i) => {
            const out = step.outs[o]!
            if (out.x.dtype !== "f64" || Math.abs(factor) < NOTHING) return
            const [vertex, to] = [`${arg.id}:${from[r]}`, `${out.id}:${i}`]
            if (!reached.has(to)) reach(to)
            const isMove = MOVES.includes(step.prim.name)
            const name = isMove ? undefined : `${step.label}${index(i, out.x.shape)}<${k}`
            edges.set(vertex, [...(edges.get(vertex) ?? []), { to, factor, name }])
          }),
        ),
      )
    })

  const paths: EnumeratedPath[] = []
  const end = `${error!.id}:0`
  const walk = (vertex: string, key: string, contribution: number): void => {
    if (vertex === end) {
      paths.push({ key, contribution })
      if (paths.length > most) throw new Error(`more than ${most} paths`)
    } else for (const { to, factor, name } of edges.get(vertex) ?? []) walk(to, name ? `${key} ${name}` : key, contribution * factor)
  }
  walk(`${values[leaf]!.id}:${element}`, "", 1)
  return paths
}
