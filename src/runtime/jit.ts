import { callP, type Recording, recordCall, reusable } from "../control/call.ts"
import { size } from "../core/aval.ts"
import { Concrete, Donated } from "../core/concrete.ts"
import { bind, bottom, isEager, type Tensor } from "../core/tensor.ts"
import { describe, type Form, fits, formOf, leaves, paths, type Tree, wantFunction } from "../core/tree.ts"
import type { Graph } from "../graph/graph.ts"
import { idOf } from "../graph/key.ts"
import { flushPending } from "./eager.ts"
import type { Run } from "./engine.ts"
import { type Compiler, compiler } from "./program.ts"

export interface JitOptions {
  /** Arguments whose memory the results take over; their tensors must not be used afterwards. Default: none. */
  readonly donate?: readonly number[]
  /** Arguments that are not tensors but choose what is computed; each new value is compiled anew. Default: none. */
  readonly static?: readonly number[]
}

interface Entry extends Recording {
  /** What it was recorded for. */
  readonly compiler: Compiler
  readonly form: Form
  readonly statics: readonly unknown[]
  /** Numbers of the leaves that are donated. */
  readonly given: ReadonlySet<number>
  run?: Run
}

/**
 * `f` recorded once for each structure, shapes and dtypes of its arguments, compiled, and run as one program.
 *
 * Inside, tensors have no numbers: reading them throws and names what to use instead. Numbers in the arguments are run-time
 * arguments. With `donate`, a result takes over the memory of the donated leaf with the same path (argument 0 and result 0,
 * and so on), else of the first unused one of its shape and dtype, as in JAX.
 *
 * @example
 * const loss = (w: Tensor, x: Tensor) => x.sub(w).square().sum()
 * const step = jit((w: Tensor, x: Tensor) => w.sub(grad(loss)(w, x).mul(0.1)), { donate: [0] })
 * let w = tensor([0, 0])
 * for (let i = 0; i < 3; i++) w = step(w, tensor([1, 2]))
 * w.toArray()  // [0.488, 0.976]
 */
export function jit<A extends readonly any[], R>(f: (...args: A) => R, options: JitOptions = {}): (...args: A) => R {
  wantFunction("jit", f)
  const { donate = [], static: fixed = [] } = options
  for (const [name, list] of Object.entries({ donate, static: fixed }))
    if (!Array.isArray(list) || !list.every(i => Number.isInteger(i) && i >= 0))
      throw new TypeError(`jit: \`${name}\` is a list of numbers of arguments, counted from 0, such as [0]; got ${JSON.stringify(list)}`)
  const entries = new Map<string, Entry>()
  let last: Entry | undefined

  function find(all: A, args: readonly Tree[]): Entry {
    const key = `${idOf(compiler())} ${describe(args)}${fixed.map(i => staticKey(all[i]))}`
    const known = entries.get(key)
    if (known) return (last = known)
    const inner = (...given: Tree[]): Tree => {
      let next = 0
      return f(...(all.map((x, i) => (fixed.includes(i) ? x : given[next++])) as unknown as A)) as Tree
    }
    const given = donatedLeaves(all, args, donate, fixed)
    const entry = { ...recordCall(inner, args), compiler: compiler(), form: formOf(args), statics: fixed.map(i => all[i]), given }
    if (!reusable(entry)) return entry
    entries.set(key, entry)
    return (last = entry)
  }

  return (...all) => {
    const args = (fixed.length ? all.filter((_, i) => !fixed.includes(i)) : all) as Tree[]
    // most calls are like the last one
    let entry = last
    let operands: Tensor[] = []
    const same = entry?.compiler === compiler() && fixed.every((p, i) => Object.is(all[p], entry!.statics[i]))
    if (!same || !fits(args, entry!.form, operands)) {
      entry = find(all, args)
      operands = args.flatMap(leaves)
    }
    const { graph, captured, given, result } = entry!
    for (const x of captured) operands.push(x)
    const lowest = bottom()
    if (!isEager() || operands.some(x => x.trace !== lowest)) return result(bind(callP, operands, { name: "", form: "original", graph }))
    entry!.run ??= compiler().compile(graph, takeOver(entry!, args, given))
    return result(execute(graph, entry!.run, operands as Concrete[], given))
  }
}

function execute({ outputs }: Graph, run: Run, operands: readonly Concrete[], given: ReadonlySet<number>): Concrete[] {
  if (given.size) {
    // a tensor that is donated must not be another argument too: it would be overwritten while it is read
    const storages = operands.map(x => x.storage)
    const twice = new Set(storages).size < storages.length ? storages.findIndex((s, i) => given.has(i) && isTwice(storages, s)) : -1
    if (twice >= 0)
      throw new TypeError(`jit: leaf ${twice} of the arguments is donated and given a second time; copy it first, or do not donate it`)
    flushPending() // what waits for a donated tensor reads it now
  }
  const results = run(operands.map(x => x.storage.settled()))
  for (const i of given) operands[i]!.storage = new Donated(operands[i]!.aval)
  return outputs.map((n, i) => new Concrete(n.aval, results[i]!))
}
const isTwice = <T>(xs: readonly T[], x: T): boolean => xs.indexOf(x) !== xs.lastIndexOf(x)

/** For each result of a function the leaf of its arguments whose memory it takes over, or -1. */
export const donations = (recording: Recording, args: readonly Tree[], donate: readonly number[]): number[] =>
  takeOver(recording, args, donatedLeaves(args, args, donate, []))

/** Numbers of the leaves that are donated. */
function donatedLeaves(all: readonly unknown[], args: readonly Tree[], donate: readonly number[], fixed: readonly number[]): Set<number> {
  const positions = all.map((_, i) => i).filter(i => !fixed.includes(i))
  const out = new Set<number>()
  let next = 0
  args.forEach((a, k) => {
    for (const x of leaves(a)) {
      if (donate.includes(positions[k]!) && !x.aval.weak) out.add(next)
      next++
    }
  })
  return out
}

/** For each result the leaf whose memory it takes over, or -1: that of the same path, else the first of its kind. */
function takeOver(entry: Recording, args: readonly Tree[], given: ReadonlySet<number>): number[] {
  const { inputs, outputs } = entry.graph
  const free = new Set(given)
  const fits = (i: number, o: number): boolean => {
    const [a, b] = [inputs[i]!.aval, outputs[o]!.aval]
    return a.dtype === b.dtype && size(a.shape) === size(b.shape)
  }
  const from = paths(args)
  const to = paths(entry.result(outputs.map(() => 0)))
  const take = (wanted: (i: number) => boolean): number => {
    const i = [...free].find(wanted) ?? -1
    free.delete(i)
    return i
  }
  const samePath = outputs.map((_, o) => take(i => from[i] === to[o] && fits(i, o)))
  return samePath.map((i, o) => (i >= 0 ? i : take(j => fits(j, o))))
}

const staticKey = (x: unknown): string =>
  typeof x === "object" || typeof x === "function" ? `#${x === null ? "null" : idOf(x)}` : `${typeof x} ${String(x)}`
