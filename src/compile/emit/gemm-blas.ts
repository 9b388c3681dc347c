// Matrix products by a BLAS of the machine, which works on the same memory: only the call differs.
import type { FloatType } from "../../ir/expr.ts"
import type { Gemm } from "./gemm-match.ts"
import type { ValueType } from "./wasm-bytes.ts"

/** How `cblas_sgemm` reads the operands of a product, with C row by row: whether they are transposed, and from row to row. */
export interface BlasForm {
  readonly transA: boolean
  readonly lda: number
  readonly transB: boolean
  readonly ldb: number
  readonly ldc: number
}

/** The form of a product, if its strides are such as a BLAS takes: of both axes of each matrix one is contiguous. */
export function blasForm({ m, n, k }: Gemm): BlasForm | undefined {
  if (n.c !== 1 || m.c < n.n) return undefined
  const a = layout(m.n, m.a, k.n, k.a)
  const b = layout(k.n, k.b, n.n, n.b)
  return a && b && { transA: a.transposed, lda: a.lead, transB: b.transposed, ldb: b.lead, ldc: m.c }
}
function layout(rows: number, row: number, columns: number, column: number): { transposed: boolean; lead: number } | undefined {
  if (column === 1 && row >= columns) return { transposed: false, lead: row }
  if (row === 1 && column >= rows) return { transposed: true, lead: column }
  return undefined
}

/** The name under which kernels import the product of a BLAS. */
export const blasName = (t: FloatType): string => `blas_${t}`
/** Its parameters: A transposed (1) or not (0), B, m, n, k, address of A, lda, B, ldb, whether C is added to (1) or written (0), C, ldc. */
export const blasParams: readonly ValueType[] = Array(12).fill("i32")
/** As a function of JavaScript. */
export type BlasProduct = (
  transA: number,
  transB: number,
  m: number,
  n: number,
  k: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  adds: number,
  c: number,
  ldc: number,
) => void
