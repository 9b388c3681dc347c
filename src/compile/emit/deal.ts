// Which kernels are dealt out to threads, and in which pieces. That depends on the kernel alone, never on how many threads there are.
import { type Kernel, storesOf, workOf } from "../kernel.ts"
import { cut } from "../loops.ts"
import { align } from "../plan.ts"
import { packedBytes } from "./gemm.ts"
import { dealtProduct, isPackable, matchProduct, type Product } from "./gemm-kernel.ts"
import type { Gemm } from "./gemm-match.ts"
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

/** A kernel that is dealt out, and where the table of functions has its pieces. */
export interface Dealt {
  readonly deal: Deal
  readonly slot: number
}

/** Pieces of one kernel, at most: some for each thread, so that one that is held up delays little. */
const PIECES = 16
/** Scalar operations of a piece, at least: some microseconds, against less than one for handing it over. Tests deal out smaller ones. */
export const dealing = { piece: 65536 }
interface Limits {
  /** Pieces of one kernel, at most. */
  readonly pieces: number
  /** Rows of a piece of a product, at least: fewer do not make up for reading all of B, which may lie in the third cache. */
  readonly rows: number
}
const OWN: Limits = { pieces: PIECES, rows: 32 }
/** A BLAS packs B for each piece: one of 128 rows costs 3 to 7 %. */
const BLAS: Limits = { pieces: 4, rows: 128 }
/** Rows that the library computes together. */
const STRIP = 8
/** What of B is read without being packed, or packed again for each piece at no cost. */
const SMALL = 16 * 1024
/** Addresses that the memory shared with threads has room for. */
export const MOST_ARGUMENTS = 96

/** `asks` says whether a BLAS computes a product: it packs its operands for each piece anew, and wants larger ones. */
export function dealOf(kernel: Kernel, asks: (gemm: Gemm) => boolean): Deal | undefined {
  const known = matchProduct(kernel)
  const deals = known && asks(known.gemm) ? dealsByBlas : dealsByKernel
  if (!deals.has(kernel)) deals.set(kernel, findDeal(kernel, deals === dealsByBlas ? BLAS : OWN))
  return deals.get(kernel)
}
const dealsByKernel = new WeakMap<Kernel, Deal | undefined>()
const dealsByBlas = new WeakMap<Kernel, Deal | undefined>()

function findDeal(kernel: Kernel, { pieces, rows: leastRows }: Limits): Deal | undefined {
  const stores = storesOf(kernel)
  const work = workOf(kernel)
  if (work < 2 * dealing.piece || stores.some(s => s.out.mode !== "store") || stores.length + kernel.loads.length + 1 > MOST_ARGUMENTS)
    return undefined
  const least = (turns: number): number => Math.max(Math.ceil(turns / pieces), Math.ceil((turns * dealing.piece) / work))
  if (matchProduct(kernel)) {
    const product = dealtProduct(kernel)
    if (!product) return undefined
    const { turns, rows } = product
    const packed = isPackable(product) ? packedBytes(product.gemm) : 0
    // strips of rows stay whole, as the library computes the rows of one together
    const step = Number.isFinite(rows) ? STRIP / gcd(STRIP, rows) : 1
    const chunk = step * Math.ceil(Math.max(least(turns), leastRows / rows) / step)
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
    return cut(kernel, axis, axis.n / pieces)
  }
  return undefined
}
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
