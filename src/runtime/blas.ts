import type { BlasProduct } from "../compile/emit/gemm-blas.ts"

export type { BlasProduct }

/** Matrix products by a library of the machine, called in one thread, on the engine's memory. */
export interface Blas {
  readonly name: string
  readonly path: string
  /** Multiplications from which on the library is asked: below, a call costs more than it gains. */
  readonly least: number
  /** The products by the names under which kernels import them. */
  readonly blas_f32: BlasProduct
  readonly blas_f64: BlasProduct
}
/** Fewest of any library: smaller products do not even look for one. */
export const LEAST = 32768
