import { type Aval, keyOf, show, size } from "../core/aval.ts"
import { Concrete, type Storage } from "../core/concrete.ts"
import { bytesOf, type TypedArray } from "../core/dtype.ts"
import type { Primitive } from "../core/primitive.ts"
import { bottom, currentScope, type Tensor, Trace } from "../core/tensor.ts"
import { type Apply, type Graph, Node } from "../graph/graph.ts"
import { idOf, paramsKey } from "../graph/key.ts"
import type { Run } from "./engine.ts"
import { compiler } from "./program.ts"

const MAX_PENDING = 256
const MAX_BYTES = 64 << 20
/** Programs of eager code are kept until there are this many; then the oldest goes. */
const MAX_PROGRAMS = 1024
const MAX_CODES = 1 << 16

interface Work {
  readonly prim: Primitive
  readonly args: readonly Concrete[]
  readonly params: unknown
  readonly outs: readonly Concrete[]
  readonly scope: readonly string[]
  /** Primitive and parameters as text. */
  readonly name: string
  /** A number that equal operations on equal shapes share. */
  readonly hash: number
}

/** The numbers of a tensor whose operation has not run yet. */
class Pending implements Storage {
  private readonly stage: Eager
  owner: Concrete | undefined
  constructor(stage: Eager) {
    this.stage = stage
  }
  settled(): Storage {
    this.stage.flush()
    const { storage } = this.owner!
    if (storage === this)
      throw new Error(`a tensor ${show(this.owner!.aval)} does not exist, because the program that makes it has failed before`)
    return storage
  }
  read(): TypedArray {
    return this.settled().read()
  }
  view(): TypedArray {
    return this.settled().view()
  }
  own(): Storage {
    return this.settled().own()
  }
}

/**
 * The bottom stage: operations outside of jit gather until a result is read, and then run as one program. Programs are kept by
 * structure, so that a loop is compiled once; literals are inputs (see `Primitive.literal`), so that changing numbers change nothing.
 * Every result is written out: which tensors the user still holds cannot be known inside a synchronous loop.
 */
export class Eager extends Trace {
  private pending: Work[] = []
  private bytes = 0
  private readonly programs = new Map<string, Run>()
  private readonly codes = new Map<string, number>()

  constructor() {
    super(0)
  }

  process<P>(prim: Primitive<P>, values: readonly Tensor[], params: P): readonly Tensor[] {
    if (prim.literal) return [prim.literal(params)]
    const args = values as readonly Concrete[]
    for (const a of args) if (a.storage.donated) a.storage.read()
    const outs = prim
      .shape(
        args.map(a => a.aval),
        params,
      )
      .map(aval => {
        const storage = new Pending(this)
        return (storage.owner = new Concrete(aval, storage))
      })
    const hash = outs.reduce((h, o) => hashAval(h, o.aval), idOf(prim) + 1)
    const name = params === null ? `${idOf(prim)}` : `${idOf(prim)} ${paramsKey(params)}`
    this.pending.push({ prim, args, params, outs, scope: currentScope(), name, hash })
    for (const o of outs) this.bytes += o.size * bytesOf(o.dtype)
    if (this.pending.length >= MAX_PENDING || this.bytes >= MAX_BYTES) this.flush(cut(this.pending))
    return outs
  }

  /** A short number for a text. */
  private code(text: string): number {
    let c = this.codes.get(text)
    if (c === undefined) this.codes.set(text, (c = this.codes.size))
    return c
  }

  /** Runs the first `n` pending operations. */
  flush(n: number = this.pending.length): void {
    if (n === 0) return
    const work = this.pending.slice(0, n)
    this.pending = this.pending.slice(n)
    this.bytes = this.pending.reduce((b, w) => b + w.outs.reduce((c, o) => c + o.size * bytesOf(o.dtype), 0), 0)
    const inputs: Concrete[] = []
    if (this.codes.size >= MAX_CODES) {
      this.codes.clear()
      this.programs.clear() // their numbers mean something else from now on
    }
    // values are numbered as they come up, and an input says its type where it does
    const numbers = new Map<Storage, number>()
    let key = `${compiler().id}`
    for (const w of work) {
      key += `;${this.code(w.name)}`
      for (const a of w.args) {
        let i = numbers.get(a.storage)
        if (i === undefined) {
          numbers.set(a.storage, (i = numbers.size))
          inputs.push(a)
          key += `:${this.code(keyOf(a.aval))}`
        }
        key += `,${i}`
      }
      for (const o of w.outs) numbers.set(o.storage, numbers.size)
    }
    let run = this.programs.get(key)
    if (!run) {
      run = compiler().compile(graphOf(work, inputs))
      if (this.programs.size >= MAX_PROGRAMS) this.programs.delete(this.programs.keys().next().value!)
      this.programs.set(key, run)
    }
    const results = run(inputs.map(a => a.storage))
    work.flatMap(w => w.outs).forEach((o, i) => (o.storage = results[i]!))
  }
}

/** Runs all operations outside of jit that have not run yet. */
export function flushPending(): void {
  const stage = bottom()
  if (stage instanceof Eager) stage.flush()
}

function graphOf(work: readonly Work[], inputs: readonly Concrete[]): Graph {
  const nodes = new Map(inputs.map(a => [a.storage, new Node(a.aval)]))
  const given = [...nodes.values()]
  const applies = work.map(({ prim, params, scope, ...w }): Apply => {
    const args = w.args.map(a => nodes.get(a.storage)!)
    const outs = w.outs.map(o => new Node(o.aval))
    w.outs.forEach((o, i) => nodes.set(o.storage, outs[i]!))
    return { prim, args, params, outs, scope }
  })
  return { inputs: given, nodes: applies, outputs: applies.flatMap(a => a.outs) }
}

const mix = (h: number, x: number): number => Math.imul(h ^ x, 0x9e3779b1) >>> 0
const hashAval = (h: number, a: Aval): number => mix(a.shape.reduce(mix, h), size(a.shape))

/**
 * How many operations to run when too many are pending. The cut is made where the operations themselves say so (the last place
 * in the second half whose neighbourhood has the smallest hash), not after a fixed count: a loop is then cut at the same
 * place in every round and runs the same program again and again.
 */
function cut(work: readonly Work[]): number {
  if (work.length < 8) return work.length
  let best = work.length
  let smallest = Infinity
  for (let i = work.length >> 1; i < work.length; i++) {
    let h = 0
    for (let j = Math.max(0, i - 3); j <= i; j++) h = mix(h, work[j]!.hash)
    if (h <= smallest) [smallest, best] = [h, i + 1]
  }
  return best
}
