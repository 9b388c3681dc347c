// Kernels that are matrix products: loops around calls of the library.
import type { Gemm, GemmAxis } from "./gemm-match.ts"
import type { Code, Local } from "./wasm-bytes.ts"
import { byteSize } from "./wasm-ops.ts"

/** A kernel that is a matrix product: loops around calls of the library. The last parameter is scratch memory. */
export function writeGemmKernel(gemm: Gemm, params: number, library: number, code: Code): void {
  const { t, a, b, c, m, n, k, loops, sums } = gemm
  const size = byteSize(t)
  const scratch = params - 1
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
  nest([...loops, ...sums], [moved(1 + a.slot, a.start), moved(1 + b.slot, b.start), moved(0, c.start)])
}
