import { control, emitThreads, MOST_WORKERS } from "../compile/emit/threads.ts"
import type { Heap } from "./heap.ts"

/** What a worker needs to begin: the memory, the module of `work`, and which worker it is. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory
  readonly threads: Uint8Array
  readonly worker: number
  readonly control: typeof control
}
/** Starts a thread that runs the program in `platform/worker-program.ts`; undefined where that cannot be. `ended` hears when it is gone. */
export type StartWorker = (start: WorkerStart, ended: () => void) => { terminate(): void } | undefined

/**
 * A thread ended in the midst of its work, or does not go on. Donated arguments of the call cannot be read any more; everything else can, and
 * after a turn of the event loop functions run again.
 */
export class WorkerLostError extends Error {
  override readonly name = "WorkerLostError"
}

/** Scalar operations after which workers are worth their start, which takes some 30 ms of another core. */
const WARM = 5e8
/** For so long, in milliseconds, the leader sleeps before it looks whether a worker was lost. */
const SLICE = 20
/** Slices without progress after which a worker is given up: half a second, and twice the time of a piece at 2 GFLOP/s. */
const PATIENCE = 25

export interface ThreadsOptions {
  /** All threads, the one that runs programs among them. */
  readonly count: number
  readonly start: StartWorker
  /** Scalar operations after which workers are started. */
  readonly warm?: number
}

/**
 * Workers on one heap. The thread that runs programs hands out the pieces of large kernels and takes part itself; what no worker has begun
 * it does itself, so that a worker that starts late, sleeps or is gone holds up nothing.
 */
export class Threads {
  readonly heap: Heap
  private readonly start: StartWorker
  private readonly warm: number
  /** All threads, the one that runs programs among them. */
  readonly count: number
  private readonly table = new WebAssembly.Table({ element: "anyfunc", initial: 64 })
  private readonly words: () => Int32Array<ArrayBufferLike>
  private readonly workers = new Map<number, { terminate(): void }>()
  private slots = 0
  private spaces = 0
  private last: number = control.first
  private scratch = { bytes: 0, places: [] as number[] }
  private warmth = 0
  private patience = PATIENCE
  /** The workers that were ended after one was lost, until all are gone. */
  private ending: Promise<void> | undefined
  private readonly gone = new Map<number, () => void>()
  private module: Uint8Array<ArrayBuffer> | undefined

  constructor(heap: Heap, { count, start, warm = WARM }: ThreadsOptions) {
    this.heap = heap
    this.count = Math.min(count, MOST_WORKERS + 1)
    this.start = start
    this.warm = warm
    this.words = () => new Int32Array(heap.memory.buffer)
  }

  /** A name space of modules: an engine's. */
  space(): number {
    return this.spaces++
  }
  slot(): number {
    if (this.slots === this.table.length) this.table.grow(this.table.length)
    return this.slots++
  }
  set(slot: number, piece: WebAssembly.ExportValue): void {
    this.table.set(slot, piece)
  }

  /** The function `fork`, for programs to call. */
  fork(): WebAssembly.ExportValue {
    this.module = emitThreads(this.heap.shared)
    const env = { memory: this.heap.memory, table: this.table }
    const lib = { stall: (pieces: number) => this.stall(pieces), load: () => {} }
    return new WebAssembly.Instance(new WebAssembly.Module(this.module), { env, lib }).exports.fork!
  }

  /** Lets workers have a module too. */
  publish(space: number, module: Uint8Array): void {
    if (this.count === 1) return
    const head = 12
    const at = this.heap.allocate(head + module.length)
    new Uint8Array(this.heap.memory.buffer).set(module, at + head)
    const words = this.words()
    words.set([0, module.length, space], at / 4)
    words[this.last / 4] = at
    this.last = at
    Atomics.add(words, control.modules / 4, 1)
  }

  /** Before a program runs: `work` is what it costs, `piece` its largest piece, in scalar operations; `scratch` bytes that a worker needs. */
  ready(work: number, piece: number, scratch: number): void {
    if (this.ending) throw new WorkerLostError("a worker thread was lost, and the others have not ended yet: await something")
    this.patience = PATIENCE + Math.ceil((2 * piece) / 2e9 / (SLICE / 1000))
    if (scratch > this.scratch.bytes) this.scratch = this.renew(scratch)
    if (this.count === 1 || this.warmth > this.warm) return
    this.warmth += work
    if (this.warmth > this.warm) this.startAll()
  }
  private renew(bytes: number): { bytes: number; places: number[] } {
    for (const at of this.scratch.places) this.heap.release(at, this.scratch.bytes)
    const places = Array.from({ length: this.count - 1 }, () => this.heap.allocate(bytes))
    this.words().set(places, control.scratch / 4)
    return { bytes, places }
  }
  private startAll(): void {
    for (let worker = 0; worker < this.count - 1; worker++) {
      if (this.workers.has(worker)) continue
      const ended = (): void => this.ended(worker)
      const handle = this.start({ memory: this.heap.memory, threads: this.module!, worker, control }, ended)
      if (handle) this.workers.set(worker, handle)
    }
  }
  private ended(worker: number): void {
    const words = this.words()
    const at = control.loaded / 4 + worker
    if (Atomics.exchange(words, at, 0) > 0) Atomics.sub(words, control.workers / 4, 1)
    this.workers.delete(worker)
    this.gone.get(worker)?.()
    // one that was not told to end gets a successor after as much work as the first ones
    if (!this.ending) this.warmth = 0
  }

  /** Waits until workers have finished so many pieces. */
  private stall(pieces: number): void {
    const words = this.words()
    const [done, waiting] = [control.done / 4, control.waiting / 4]
    Atomics.store(words, waiting, 1)
    let quiet = 0
    for (let before = Atomics.load(words, done); before !== pieces; ) {
      pause(words, done, before)
      const now = Atomics.load(words, done)
      quiet = now === before ? quiet + 1 : 0
      before = now
      if (quiet > this.patience) this.lose()
    }
    Atomics.store(words, waiting, 0)
  }
  /** A worker has claimed a piece and does not finish it. Whether it is dead or only slow, it must not write any more. */
  private lose(): never {
    const words = this.words()
    Atomics.store(words, control.waiting / 4, 0)
    Atomics.store(words, control.job / 4, 0)
    void this.end()
    throw new WorkerLostError("a worker thread was lost; donated arguments are gone")
  }
  /** Ends all workers; new ones start when there is work for them. */
  end(): Promise<void> {
    const gone = [...this.workers].map(([worker, handle]) => {
      const end = new Promise<void>(resolve => this.gone.set(worker, resolve))
      handle.terminate()
      return end
    })
    this.warmth = 0
    this.ending ??= Promise.all(gone).then(() => {
      Atomics.store(this.words(), control.sleeping / 4, 0)
      this.ending = undefined
    })
    return this.ending
  }
  /** Whether there are workers, ready or about to be. */
  isStarted(): boolean {
    return this.workers.size > 0
  }
  /** Resolves when workers that had to be ended are gone, at once if there are none. */
  async settled(): Promise<void> {
    await this.ending
  }
}

/** Sleeps until the word changes, or for a slice. The main thread of a page must not sleep: it looks again and again. */
function pause(words: Int32Array<ArrayBufferLike>, at: number, value: number): void {
  if (!mustNotSleep) Atomics.wait(words, at, value, SLICE)
  else for (const end = performance.now() + SLICE; Atomics.load(words, at) === value && performance.now() < end; );
}
const mustNotSleep = "document" in globalThis
