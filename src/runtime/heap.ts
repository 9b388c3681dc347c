import { control } from "../compile/emit/threads.ts"
import { align } from "../compile/plan.ts"
import type { Settled } from "../core/concrete.ts"
import { allocate, bytesOf, type Dtype, type TypedArray, viewOf } from "../core/dtype.ts"

const PAGE = 65536
const MAX_PAGES = 65536

/** The one memory of a process that WebAssembly code works on: blocks, handed out first fit. It grows, so views are taken afresh. */
export class Heap {
  readonly memory: WebAssembly.Memory
  /** Whether other threads may work on the memory. */
  readonly shared: boolean
  // free blocks by address; what threads share is in front, so that no block is at address 0
  private free: { at: number; bytes: number }[] = [{ at: align(control.end), bytes: 16 * PAGE - align(control.end) }]
  /** Bytes that are kept for tensors. */
  kept = 0
  private readonly registry = new FinalizationRegistry<{ at: number; bytes: number }>(b => {
    this.kept -= b.bytes
    this.release(b.at, b.bytes)
  })

  constructor({ shared = false }: { readonly shared?: boolean } = {}) {
    this.shared = shared
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: MAX_PAGES, shared })
  }

  view(dtype: Dtype, at: number, n: number): TypedArray {
    return viewOf(dtype, this.memory.buffer as ArrayBuffer, at, n)
  }

  allocate(wanted: number): number {
    const bytes = align(Math.max(wanted, 1))
    const i = this.free.findIndex(f => f.bytes >= bytes)
    if (i < 0) {
      this.grow(bytes)
      return this.allocate(wanted)
    }
    const { at, bytes: size } = this.free[i]!
    if (size === bytes) this.free.splice(i, 1)
    else this.free[i] = { at: at + bytes, bytes: size - bytes }
    return at
  }

  release(at: number, wanted: number): void {
    const bytes = align(Math.max(wanted, 1))
    const i = this.free.findIndex(f => f.at > at)
    const place = i < 0 ? this.free.length : i
    this.free.splice(place, 0, { at, bytes })
    for (const j of [place, place - 1]) {
      const [a, b] = [this.free[j], this.free[j + 1]]
      if (a && b && a.at + a.bytes === b.at) this.free.splice(j, 2, { at: a.at, bytes: a.bytes + b.bytes })
    }
  }

  private grow(bytes: number): void {
    const pages = this.memory.buffer.byteLength / PAGE
    // a quarter more than asked for, so that growth is rare
    const more = Math.min(Math.max(Math.ceil(bytes / PAGE), pages >> 2), MAX_PAGES - pages)
    if (more * PAGE < bytes)
      throw new RangeError(`out of memory: ${Math.ceil(bytes / 2 ** 20)} MB more are needed, and WebAssembly has at most 4096 MB`)
    this.memory.grow(more)
    this.release(pages * PAGE, more * PAGE)
  }

  /** A block that holds `values`, to be released or kept. */
  lend(values: TypedArray, dtype: Dtype): Resident {
    const r = new Resident(this, dtype, this.allocate(values.length * bytesOf(dtype)), values.length)
    r.view().set(values)
    return r
  }
  /** The block is freed with the tensor that owns it. */
  keep(r: Resident): Resident {
    const { at, bytes } = r
    this.kept += bytes
    this.registry.register(r, { at, bytes })
    return r
  }
}

/** Numbers in the heap: state that stays where compiled programs work on it. */
export class Resident implements Settled {
  private readonly heap: Heap
  private readonly dtype: Dtype
  readonly at: number
  private readonly n: number
  /** Set when a program was interrupted that was overwriting the numbers. */
  private lost = false
  constructor(heap: Heap, dtype: Dtype, at: number, n: number) {
    this.heap = heap
    this.dtype = dtype
    this.at = at
    this.n = n
  }
  get bytes(): number {
    return this.n * bytesOf(this.dtype)
  }
  read(): TypedArray {
    const copy = allocate(this.dtype, this.n)
    copy.set(this.view())
    return copy
  }
  view(): TypedArray {
    if (this.lost) throw new Error("these numbers are gone: the program that was overwriting them was interrupted")
    return this.heap.view(this.dtype, this.at, this.n)
  }
  lose(): void {
    this.lost = true
  }
  own(): Settled {
    return this
  }
  settled(): Settled {
    return this
  }
}
