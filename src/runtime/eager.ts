import { type Aval, show } from "../core/aval.ts"
import { Concrete, type Settled, type Storage } from "../core/concrete.ts"
import { bytesOf, type TypedArray } from "../core/dtype.ts"
import type { Primitive } from "../core/primitive.ts"
import { bottom, currentScope, type Tensor, Trace } from "../core/tensor.ts"
import { type Apply, type Graph, Node } from "../graph/graph.ts"
import { idOf, sameData } from "../graph/key.ts"
import type { Run } from "./engine.ts"
import { type Compiler, compiler } from "./program.ts"

const MAX_PENDING = 256
const MAX_BYTES = 64 << 20
/** Programs of eager code are kept until there are this many; then all are forgotten. */
const MAX_PROGRAMS = 1024

/**
 * An operation that has not run yet. A class: V8 puts object literals of a kind that once lived long into the old generation at
 * birth, where even the dead keep alive what they refer to, here all tensors of a loop, until the next full collection.
 */
class Work {
  readonly prim: Primitive
  readonly args: readonly Concrete[]
  readonly params: unknown
  readonly outs: readonly Concrete[]
  readonly scope: readonly string[]
  constructor(prim: Primitive, args: readonly Concrete[], params: unknown, outs: readonly Concrete[]) {
    this.prim = prim
    this.args = args
    this.params = params
    this.outs = outs
    this.scope = currentScope()
  }
}

/**
 * Where a sequence of operations has come to: the last of them, and those that came after it before. Programs are found by walking
 * along what they do, one comparison an operation: in a loop what comes now is what came last time.
 */
interface Place {
  readonly prim: Primitive
  readonly params: unknown
  /** Operands by number: values are counted as they come up. */
  readonly args: readonly number[]
  readonly next: Place[]
  /** The programs that end here, by what they take from outside. */
  readonly programs: { readonly avals: readonly Aval[]; readonly run: Run }[]
}

/** The numbers of a tensor whose operation has not run yet. */
class Pending implements Storage {
  private readonly stage: Eager
  owner: Concrete | undefined
  /** Counted through all programs, as it comes up; -1 until then. */
  number = -1
  constructor(stage: Eager) {
    this.stage = stage
  }
  settled(): Settled {
    this.stage.flush()
    const { storage } = this.owner!
    if (storage === this)
      throw new Error(`a tensor ${show(this.owner!.aval)} does not exist, because the program that makes it has failed before`)
    return storage.settled()
  }
  read(): TypedArray {
    return this.settled().read()
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
  private known: Place[] = []
  private programs = 0
  private compiler: Compiler | undefined
  private numbers = 0

  constructor() {
    super(0)
  }

  process<P>(prim: Primitive<P>, values: readonly Tensor[], params: P): readonly Tensor[] {
    if (prim.literal) return [prim.literal(params)]
    const args = values as readonly Concrete[]
    for (const a of args) if (a.storage.donated) a.storage.settled()
    const outs = prim
      .shape(
        args.map(a => a.aval),
        params,
      )
      .map(aval => {
        const storage = new Pending(this)
        return (storage.owner = new Concrete(aval, storage))
      })
    this.pending.push(new Work(prim, args, params, outs))
    for (const o of outs) this.bytes += o.size * bytesOf(o.dtype)
    if (this.pending.length >= MAX_PENDING || this.bytes >= MAX_BYTES) this.flush(cut(this.pending))
    return outs
  }

  /** Runs the first `n` pending operations. */
  flush(n: number = this.pending.length): void {
    if (n === 0) return
    const work = this.pending.slice(0, n)
    this.pending = this.pending.slice(n)
    this.bytes = 0
    for (const w of this.pending) for (const o of w.outs) this.bytes += o.size * bytesOf(o.dtype)
    if (this.compiler !== compiler() || this.programs >= MAX_PROGRAMS) {
      this.compiler = compiler()
      this.known = []
      this.programs = 0
    }
    const { programs, inputs } = this.find(work)
    const avals = inputs.map(a => a.aval)
    let program = programs.find(p => sameData(p.avals, avals))
    if (!program) {
      programs.push((program = { avals, run: this.compiler.compile(graphOf(work, inputs)) }))
      this.programs++
    }
    const results = program.run(inputs.map(a => a.storage.settled()))
    let i = 0
    for (const w of work) for (const o of w.outs) o.storage = results[i++]!
  }

  /** Walks along the operations, making the way where there is none, and lists what they take from outside. */
  private find(work: readonly Work[]): Pick<Place, "programs"> & { inputs: Concrete[] } {
    const start = this.numbers
    const inputs: Concrete[] = []
    const given = new Map<Storage, number>()
    const args: number[] = []
    let { known } = this
    let place: Place | undefined
    for (const w of work) {
      args.length = 0
      for (const a of w.args) {
        const { storage } = a
        let number = storage instanceof Pending && storage.number >= start ? storage.number : given.get(storage)
        if (number === undefined) {
          given.set(storage, (number = this.numbers++))
          inputs.push(a)
        }
        args.push(number - start)
      }
      for (const o of w.outs) (o.storage as Pending).number = this.numbers++
      place = undefined
      for (const p of known) if (p.prim === w.prim && sameData(p.args, args) && sameData(p.params, w.params)) place = p
      if (!place) known.push((place = { prim: w.prim, params: w.params, args: [...args], next: [], programs: [] }))
      known = place.next
    }
    return { programs: place!.programs, inputs }
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
/** A number that equal operations on equal shapes share. */
function hash({ prim, outs }: Work): number {
  let h = idOf(prim) + 1
  for (const { shape } of outs) for (const n of shape) h = mix(h, n + shape.length)
  return h
}

/**
 * How many operations to run when too many are pending. The cut is made where the operations themselves say so (the last place
 * in the second half whose neighbourhood has the smallest hash), not after a fixed count: a loop is then cut at the same
 * place in every round and runs the same program again and again.
 */
function cut(work: readonly Work[]): number {
  if (work.length < 8) return work.length
  let best = work.length
  let smallest = Infinity
  const hashes = work.map(hash)
  for (let i = work.length >> 1; i < work.length; i++) {
    let h = 0
    for (let j = Math.max(0, i - 3); j <= i; j++) h = mix(h, hashes[j]!)
    if (h <= smallest) [smallest, best] = [h, i + 1]
  }
  return best
}
