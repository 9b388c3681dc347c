import { callP, type Recording, recordCall, reusable } from "../control/call.ts"
import { size } from "../core/aval.ts"
import { Concrete, Donated, type Storage } from "../core/concrete.ts"
import { bind, bottom, isEager } from "../core/tensor.ts"
import { describe, leaves, paths, type Tree } from "../core/tree.ts"
import { idOf } from "../graph/key.ts"
import { flushPending } from "./eager.ts"
import type { Run } from "./engine.ts"
import { compiler } from "./program.ts"

export interface JitOptions {
  /** Arguments whose memory the results take over; their tensors must not be used afterwards. Default: none. */
  readonly donate?: readonly number[]
  /** Arguments that are not tensors but choose what is computed; each new value is compiled anew. Default: none. */
  readonly static?: readonly number[]
}

interface Entry extends Recording {
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
 * const step = jit((w: Tensor, x: Tensor) => w.sub(grad(loss)(w, x).mul(0.1)), { donate: [0] })
 * w = step(w, x)
 */
export function jit<A extends readonly any[], R>(f: (...args: A) => R, options: JitOptions = {}): (...args: A) => R {
  const { donate = [], static: fixed = [] } = options
  const entries = new Map<string, Entry>()
  return (...all) => {
    const args = all.filter((_, i) => !fixed.includes(i)) as Tree[]
    const key = `${compiler().id} ${describe(args)}${fixed.map(i => staticKey(all[i]))}`
    let entry = entries.get(key)
    if (!entry) {
      const inner = (...given: Tree[]): Tree => {
        let next = 0
        return f(...(all.map((x, i) => (fixed.includes(i) ? x : given[next++])) as unknown as A)) as Tree
      }
      entry = recordCall(inner, args)
      if (reusable(entry)) entries.set(key, entry)
    }
    const operands = [...args.flatMap(leaves), ...entry.captured]
    if (!isEager() || operands.some(x => x.trace !== bottom()))
      return entry.result(bind(callP, operands, { name: "", form: "original", graph: entry.graph }))
    const given = donatedLeaves(all, args, donate, fixed)
    entry.run ??= compiler().compile(entry.graph, takeOver(entry, args, given))
    return entry.result(execute(entry, operands as Concrete[], given))
  }
}

function execute(entry: Entry, operands: readonly Concrete[], given: ReadonlySet<number>): Concrete[] {
  const storages = operands.map(x => x.storage)
  // a tensor that is donated must not be another argument too: it would be overwritten while it is read
  const twice = storages.findIndex((s, i) => given.has(i) && storages.some((t, j) => t === s && i !== j))
  if (twice >= 0)
    throw new TypeError(`jit: leaf ${twice} of the arguments is donated and given a second time; copy it first, or do not donate it`)
  if (given.size) flushPending() // what waits for a donated tensor reads it now
  for (const s of storages) s.view() // runs what is pending, and throws for what was donated before
  const results = entry.run!(operands.map(x => x.storage))
  operands.forEach((x, i) => given.has(i) && (x.storage = new Donated(x.aval)))
  return entry.graph.outputs.map((n, i) => new Concrete(n.aval, results[i] as Storage))
}

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
function takeOver(entry: Entry, args: readonly Tree[], given: ReadonlySet<number>): number[] {
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
