// Kernels made of a matrix product: loops around calls of the library, and what becomes of its elements.
import { axisIndex, ravel } from "../../ir/affine.ts"
import { type Expr, once, reach, rebuild } from "../../ir/expr.ts"
import { type Kernel, storesOf, turns, withStores } from "../kernel.ts"
import { loops } from "../loops.ts"
import { align } from "../plan.ts"
import { gemmScratch } from "./gemm.ts"
import { type Gemm, type GemmAxis, matchGemm } from "./gemm-match.ts"
import type { Code, Local } from "./wasm-bytes.ts"
import { type Places, writeKernel } from "./wasm-kernel.ts"
import { byteSize } from "./wasm-ops.ts"

/** A kernel whose elements are made of those of one matrix product. */
export interface Product {
  readonly gemm: Gemm
  /** What is done with the product, which is the last operand here; absent where the product itself is the result. */
  readonly epilogue?: Kernel
  /** Bytes of the product, if it is kept in scratch memory, and of all scratch memory. */
  readonly bytes: number
  readonly scratch: number
}

/** Loops have done fewer multiplications than this before the library has packed its operands. */
const SMALL = 64

/** The matrix product in the kernel, if there is exactly one reduction and the library does it faster than loops would. */
export function matchProduct(kernel: Kernel): Product | undefined {
  if (!matches.has(kernel)) matches.set(kernel, findProduct(kernel))
  return matches.get(kernel)
}
// memory is planned before code is written, and both ask
const matches = new WeakMap<Kernel, Product | undefined>()

function findProduct(kernel: Kernel): Product | undefined {
  const [product, ...others] = reach(storesOf(kernel).map(s => s.body)).filter(e => e.k === "reduce")
  if (!product || others.length > 0) return undefined
  const { axes, loads, out, also } = kernel
  if (turns(axes) * turns(product.over) < SMALL) return undefined
  if (kernel.body === product && !also) {
    const gemm = matchGemm(kernel)
    return gemm && { gemm, bytes: 0, scratch: gemmScratch(gemm) }
  }
  if (out.mode !== "store") return undefined
  const at = ravel(
    axes.map(axisIndex),
    axes.map(a => a.n),
  )
  const gemm = matchGemm({ axes, loads, out: { t: product.t, at, mode: "store", bounds: [] }, body: product })
  if (!gemm) return undefined
  const load: Expr = { k: "load", t: product.t, slot: loads.length, at }
  const part: (e: Expr) => Expr = once(e => (e === product ? load : rebuild(e, { part })))
  const stores = storesOf(kernel).map(s => ({ ...s, body: part(s.body) }))
  const epilogue = loops(withStores({ ...kernel, loads: [...loads, product.t] }, stores))
  const bytes = align(turns(axes) * byteSize(product.t))
  return { gemm, epilogue, bytes, scratch: gemmScratch(gemm) + bytes }
}
/** `library` is the function for the product's type. */
export function writeProduct({ gemm, epilogue, bytes }: Product, places: Places, scratch: Local, library: number, code: Code): void {
  if (!epilogue) {
    writeCalls(gemm, places.operands, places.outs[0]!, scratch, library, code)
    return
  }
  // the product lies in front of the library's scratch memory
  const rest = code.local("i32")
  code.get(scratch).i32(bytes).op("i32.add").set(rest)
  writeCalls(gemm, places.operands, scratch, rest, library, code)
  writeKernel(epilogue, { ...places, operands: [...places.operands, scratch] }, code)
}

function writeCalls(gemm: Gemm, operands: readonly Local[], to: Local, scratch: Local, library: number, code: Code): void {
  const { t, a, b, c, m, n, k, loops, sums } = gemm
  const size = byteSize(t)
  const moved = (base: Local, elements: number): Local => {
    const pointer = code.local("i32")
    const bytes = elements * size
    code.get(base).i32(bytes).op("i32.add").set(pointer)
    return pointer
  }
  const counters: Local[] = []
  const nest = (axes: readonly GemmAxis[], outer: readonly Local[]): void => {
    const [axis, ...inner] = axes
    if (!axis) {
      const steps = [m.a, k.a, k.b, n.b, m.c, n.c].map(elements => elements * size)
      code.i32(m.n).i32(n.n).i32(k.n)
      for (const [i, pointer] of outer.entries())
        code
          .get(pointer)
          .i32(steps[2 * i]!)
          .i32(steps[2 * i + 1]!)
      code.get(scratch).i32(0)
      for (const i of counters) code.get(i).op("i32.or")
      code.i32(0).op("i32.ne").call(library)
      return
    }
    const pointers = outer.map(p => moved(p, 0))
    const counter = code.local("i32")
    if (sums.includes(axis)) counters.push(counter)
    code.i32(0).set(counter)
    code.loop(() => {
      nest(inner, pointers)
      for (const [i, elements] of [axis.a, axis.b, axis.c].entries()) code.advance(pointers[i]!, elements * size)
      code.advance(counter, 1).get(counter).i32(axis.n).op("i32.lt_s").brIf(0)
    })
  }
  nest([...loops, ...sums], [moved(operands[a.slot]!, a.start), moved(operands[b.slot]!, b.start), moved(to, c.start)])
}
