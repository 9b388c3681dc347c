// Which kernels are dealt out to threads, and in which pieces. That depends on the kernel alone, never on how many threads there are.
import { axisIndex, newAxis, plus, times } from "../../ir/affine.ts"
import { type Kernel, storesOf, workOf } from "../kernel.ts"
import { rewrite } from "../loops.ts"
import { align } from "../plan.ts"
import { packedBytes } from "./gemm.ts"
import { dealtProduct, isPackable, matchProduct, type Product } from "./gemm-kernel.ts"
import { Facts, outputLanes } from "./wasm-facts.ts"

/** A kernel as turns of its outermost loop, of which each piece has `chunk`, the last one perhaps fewer. */
export interface Deal {
  readonly turns: number
  readonly chunk: number
  readonly kernel: Kernel
  readonly product?: Product
  /** Scalar operations of a piece. */
  readonly work: number
  /** Bytes of the product's packed operand B, if all pieces share it. */
  readonly packed: number
}

/** Pieces of one kernel, at most: some for each thread, so that one that is held up delays little. */
const PIECES = 16
/** Scalar operations of a piece, at least: some microseconds, against less than one for handing it over. Tests deal out smaller ones. */
export const dealing = { piece: 65536 }
/** Fewer rows of a product do not make up for reading all of B, which may lie in the third cache. */
const ROWS = 32
/** Rows that the library computes together. */
const STRIP = 8
/** What of B is read without being packed, or packed again for each piece at no cost. */
const SMALL = 16 * 1024
/** Addresses that the memory shared with threads has room for. */
export const MOST_ARGUMENTS = 96

export function dealOf(kernel: Kernel): Deal | undefined {
  if (!deals.has(kernel)) deals.set(kernel, findDeal(kernel))
  return deals.get(kernel)
}
const deals = new WeakMap<Kernel, Deal | undefined>()

function findDeal(kernel: Kernel): Deal | undefined {
  const stores = storesOf(kernel)
  const work = workOf(kernel)
  if (work < 2 * dealing.piece || stores.some(s => s.out.mode !== "store") || stores.length + kernel.loads.length + 1 > MOST_ARGUMENTS)
    return undefined
  const least = (turns: number): number => Math.max(Math.ceil(turns / PIECES), Math.ceil((turns * dealing.piece) / work))
  if (matchProduct(kernel)) {
    const product = dealtProduct(kernel)
    if (!product) return undefined
    const { turns, rows } = product
    const packed = isPackable(product) ? packedBytes(product.gemm) : 0
    // strips of rows stay whole, as the library computes the rows of one together
    const step = Number.isFinite(rows) ? STRIP / gcd(STRIP, rows) : 1
    const chunk = step * Math.ceil(Math.max(least(turns), ROWS / rows) / step)
    return chunk < turns
      ? { turns, chunk, kernel, product, work: (work * chunk) / turns, packed: packed > SMALL ? align(packed) : 0 }
      : undefined
  }
  const form = split(kernel)
  const turns = form?.axes[0]?.n ?? 0
  const chunk = least(turns)
  return form && chunk < turns ? { turns, chunk, kernel: form, work: (work * chunk) / turns, packed: 0 } : undefined
}

/** The kernel with an outermost loop that is not the one whose neighbours vectors compute: a single loop is cut in two. */
function split(kernel: Kernel): Kernel | undefined {
  const [axis, inner] = kernel.axes
  if (!axis) return undefined
  if (inner || !outputLanes(kernel, new Facts(kernel))) return kernel
  for (let pieces = 2 * PIECES; pieces > 1; pieces--) {
    if (axis.n % (16 * pieces) !== 0) continue
    const [outer, rest] = [newAxis(pieces), newAxis(axis.n / pieces)]
    const whole = plus(times(axisIndex(outer), rest.n), axisIndex(rest))
    return rewrite(
      kernel,
      a => (a.id === axis.id ? whole : axisIndex(a)),
      over => over.flatMap(a => (a.id === axis.id ? [outer, rest] : [a])),
    )
  }
  return undefined
}
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
