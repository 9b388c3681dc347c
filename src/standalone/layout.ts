// Where everything lies in the memory of a written module. Nothing moves, so all addresses are known when it is written.
import { type Aval, size } from "../core/aval.ts"
import { type Concrete, storedOf } from "../core/concrete.ts"
import { bytesOf } from "../core/dtype.ts"
import type { Tensor } from "../core/tensor.ts"
import type { Compiled } from "./compile.ts"

const PAGE = 65536
/** Nothing lies at address 0. */
const START = 64

export const bytesIn = ({ shape, dtype }: Aval): number => size(shape) * bytesOf(dtype)

/** Hands out memory from the bottom up, and remembers what it holds at the start. */
export class Layout {
  private top = START
  private readonly held: { readonly at: number; readonly bytes: Uint8Array }[] = []
  private readonly constants = new Map<Tensor, number>()
  readonly start = START

  /** So many bytes that begin as zeros. */
  reserve(bytes: number, align = 16): number {
    const at = Math.ceil(this.top / align) * align
    this.top = at + bytes
    return at
  }
  /** Memory that begins with the numbers of a tensor. */
  hold(x: Tensor): number {
    const array = storedOf(x as Concrete)
    const at = this.reserve(array.byteLength)
    this.held.push({ at, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice() })
    return at
  }
  /** The same for a tensor that no program changes: once for all programs. */
  constant(x: Tensor): number {
    const at = this.constants.get(x) ?? this.hold(x)
    this.constants.set(x, at)
    return at
  }

  get end(): number {
    return this.top
  }
  get pages(): number {
    return Math.ceil(this.top / PAGE)
  }
  /** What lies there at the start, without the zeros at the end: a new optimizer's state is often nothing else. */
  data(): Uint8Array {
    const all = new Uint8Array(this.top - START)
    for (const { at, bytes } of this.held) all.set(bytes, at - START)
    let n = all.length
    while (n > 0 && all[n - 1] === 0) n--
    return all.slice(0, n)
  }
}

/** The table of a program whose arguments (without those that it captured) and results lie at these addresses. */
export const addressesOf = (
  { entries, captured }: Compiled,
  layout: Layout,
  given: readonly number[],
  results: readonly number[],
): readonly number[] => {
  const all = [...given, ...captured.map(x => layout.constant(x))]
  return entries.map(e => ("argument" in e ? all[e.argument]! : results[e.result]!))
}
