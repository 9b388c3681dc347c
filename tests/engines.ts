// One graph on every engine: they must give the same bits, whatever the size of the work.
import { dealing } from "../src/compile/emit/deal.ts"
import { relaxedSupported } from "../src/compile/emit/wasm.ts"
import { lower } from "../src/compile/passes.ts"
import { type Aval, size } from "../src/core/aval.ts"
import { type Concrete, fromArray, Host, type Settled, storedOf } from "../src/core/concrete.ts"
import { allocate, type TypedArray } from "../src/core/dtype.ts"
import type { Tensor } from "../src/core/tensor.ts"
import { flatten, leaves, type Tree } from "../src/core/tree.ts"
import { type Apply, avals, type Graph, Node } from "../src/graph/graph.ts"
import { record } from "../src/graph/record.ts"
import { startWorker } from "../src/platform/node/host.ts"
import { allowRelaxedSimd } from "../src/platform/node/relaxed.ts"
import type { Engine } from "../src/runtime/engine.ts"
import { Heap } from "../src/runtime/heap.ts"
import { JsEngine } from "../src/runtime/js-engine.ts"
import { Threads } from "../src/runtime/threads.ts"
import { WasmEngine } from "../src/runtime/wasm-engine.ts"

allowRelaxedSimd()
const heap = new Heap()

/** Three threads from the first program on, which are dealt kernels of any size. */
const sharedHeap = new Heap({ shared: true })
const threads = new Threads(sharedHeap, { count: 3, start: startWorker, warm: 0 })
dealing.piece = 64

/** All of them give the bits of the first one. */
export const exact: readonly Engine[] = [
  new JsEngine(),
  new WasmEngine(heap, { relaxed: () => false }),
  new WasmEngine(sharedHeap, { relaxed: () => false, threads }),
]
/** Fused multiply-add: equal but for rounding. */
export const relaxed: readonly Engine[] = relaxedSupported() ? [new WasmEngine(heap, { relaxed: () => true })] : []

export const engines: readonly Engine[] = [...exact, ...relaxed]

/** The graph of `f` at these arguments, and the values of all of its inputs. */
export function recorded(f: (...args: any[]) => any, args: readonly Tree[]): { graph: Graph; inputs: Concrete[] } {
  const { flat } = flatten(f, args)
  const xs = args.flatMap(leaves)
  const { graph, captured } = record(
    flat,
    xs.map(x => x.aval),
  )
  return { graph, inputs: [...xs, ...captured] as Concrete[] }
}

/** The results of `graph` on `engine`, copied. The inputs stay as they are. */
export function runOn(engine: Engine, graph: Graph, inputs: readonly Tensor[], donated = graph.outputs.map(() => -1)): TypedArray[] {
  const storages = inputs.map((x): Settled => new Host(storedOf(x as Concrete).slice()))
  return engine
    .compile(
      lower(graph),
      donated,
    )(storages)
    .map(s => s.read().slice())
}

/** The results of `graph` with every application run as a program of its own: nothing is fused, merged or planned. */
export function runUnfused(engine: Engine, graph: Graph, inputs: readonly Tensor[]): TypedArray[] {
  const env = new Map<Node, Settled>(graph.inputs.map((n, i) => [n, new Host(storedOf(inputs[i] as Concrete))]))
  for (const n of graph.nodes) {
    const ys = engine.compile(
      lower(alone(n)),
      n.outs.map(() => -1),
    )(n.args.map(a => env.get(a)!))
    n.outs.forEach((o, i) => env.set(o, new Host(ys[i]!.read().slice())))
  }
  return graph.outputs.map(o => env.get(o)!.read())
}
function alone(n: Apply): Graph {
  const inputs = avals(n.args).map(a => new Node(a))
  return { inputs, nodes: [{ ...n, args: inputs }], outputs: n.outs }
}

/** The first place where two lists of arrays differ in their bits (all NaN are one), or null. */
export function firstDifference(got: readonly TypedArray[], wanted: readonly TypedArray[]): string | null {
  for (const [k, w] of wanted.entries()) {
    const g = got[k]
    if (g?.length !== w.length) return `result ${k} has ${g?.length} elements, not ${w.length}`
    const i = w.findIndex((x, i) => !Object.is(x, g[i]))
    if (i >= 0) return `result ${k}[${i}] is ${g[i]}, not ${w[i]}`
  }
  return null
}
/** As `firstDifference`, but for rounding: `tolerance` is relative to the largest element of each result. */
export function firstFar(got: readonly TypedArray[], wanted: readonly TypedArray[], tolerance: number): string | null {
  for (const [k, w] of wanted.entries()) {
    const g = got[k]!
    let scale = 1
    for (const x of w) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x))
    const i = w.findIndex((x, i) => !Object.is(x, g[i]) && !(Math.abs(x - g[i]!) <= tolerance * scale))
    if (i >= 0) return `result ${k}[${i}] is ${g[i]}, not ${w[i]}`
  }
  return null
}

/** Throws unless all engines agree on `f` at these arguments. */
export function enginesAgree(f: (...args: any[]) => any, args: readonly Tree[]): void {
  const { graph, inputs } = recorded(f, args)
  const [reference, ...others] = exact
  const wanted = runOn(reference!, graph, inputs)
  for (const engine of others) {
    const d = firstDifference(runOn(engine, graph, inputs), wanted)
    if (d) throw new Error(`${engine.name} differs from ${reference!.name}: ${d}`)
  }
  const tolerance = graph.outputs.some(o => o.aval.dtype === "f32") ? 1e-4 : 1e-12
  for (const engine of relaxed) {
    const d = firstFar(runOn(engine, graph, inputs), wanted, tolerance)
    if (d) throw new Error(`${engine.name} is not close to ${reference!.name}: ${d}`)
  }
}

/** A tensor of numbers from `next`. */
export function made(aval: Aval, next: () => number): Concrete {
  const array = allocate(aval.dtype, size(aval.shape))
  for (let i = 0; i < array.length; i++) array[i] = next()
  return fromArray(array, aval)
}
/** Numbers in [0, 1) that depend on the seed alone: mulberry32 by Tommy Ettinger. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
