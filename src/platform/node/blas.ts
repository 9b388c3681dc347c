// Finds a BLAS of the machine and binds its matrix product by koffi, on the memory that WebAssembly code works on.
import { createRequire } from "node:module"
import type { Blas, BlasProduct } from "../../runtime/blas.ts"

/** What koffi offers here (https://koffi.dev). */
interface Koffi {
  load(path: string): { func(name: string, result: string, parameters: readonly string[]): (...args: readonly number[]) => unknown }
  address(view: Uint8Array): bigint
}

/** Libraries by name, the first one found is taken; how each is told to compute in one thread, and from how many products on it gains. */
const libraries: readonly {
  readonly name: string
  readonly systems: Readonly<Record<string, readonly string[]>>
  readonly threads?: string
  readonly least: number
}[] = [
  {
    name: "Accelerate",
    systems: { darwin: ["/System/Library/Frameworks/Accelerate.framework/Accelerate"] },
    least: 32768,
  },
  {
    name: "OpenBLAS",
    systems: {
      linux: ["libopenblas.so.0"],
      darwin: ["/opt/homebrew/opt/openblas/lib/libopenblas.dylib"],
      win32: ["libopenblas.dll"],
    },
    threads: "openblas_set_num_threads",
    least: 32768,
  },
  {
    name: "BLIS",
    systems: { linux: ["libblis.so.4"] },
    threads: "bli_thread_set_num_threads",
    least: 65536,
  },
  {
    name: "MKL",
    systems: { linux: ["libmkl_rt.so.2"], win32: ["mkl_rt.2.dll"] },
    threads: "MKL_Set_Num_Threads",
    least: 32768,
  },
]

/** What was looked for and what came of it, for `adjoint doctor`. */
export interface BlasSearch {
  readonly found?: { readonly name: string; readonly path: string; readonly least: number }
  /** Why there is none. */
  readonly reason?: string
}

const require = createRequire(import.meta.url)
/** Where koffi lies, so that a worker thread loads the same; undefined if it is not installed. */
export function koffiPath(): string | undefined {
  try {
    return require.resolve("koffi")
  } catch {
    return undefined
  }
}

let search: BlasSearch | undefined
/** Looks for a BLAS once in a process. `ADJOINT_BLAS` may be "off" or the path of a library. */
export function findBlas(): BlasSearch {
  return (search ??= lookFor(process.env.ADJOINT_BLAS ?? ""))
}

function lookFor(wanted: string): BlasSearch {
  if (wanted === "off") return { reason: "ADJOINT_BLAS=off" }
  let koffi: Koffi
  try {
    koffi = require("koffi")
  } catch {
    return { reason: 'koffi is not installed, or not for this system: "npm install koffi"' }
  }
  // of a library given by its path the way to one thread tells which it is
  const given = [...libraries.filter(l => l.threads), { name: wanted, threads: undefined, least: 32768 }]
  const candidates = wanted
    ? given.map(l => ({ ...l, files: [wanted] }))
    : libraries.map(l => ({ ...l, files: l.systems[process.platform] ?? [] }))
  for (const { name, files, threads, least } of candidates)
    for (const file of files) {
      try {
        const library = koffi.load(file)
        if (threads) library.func(threads, "void", ["int"])(1)
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
        if (isRight(bindBlas(koffi, file, memory), memory)) return { found: { name, path: file, least } }
      } catch {
        // not this one
      }
    }
  if (wanted) return { reason: `ADJOINT_BLAS=${wanted} is no library with cblas_sgemm` }
  return { reason: 'none is installed (Debian: "apt-get install libopenblas0-pthread")' }
}

type Products = { readonly blas_f32: BlasProduct; readonly blas_f64: BlasProduct }

/** The products of a library on a memory. Worker threads run the text of this function, so it must need nothing from outside. */
export function bindBlas(koffi: Koffi, file: string, memory: WebAssembly.Memory): Products {
  const base = Number(koffi.address(new Uint8Array(memory.buffer as ArrayBuffer)))
  const product = (name: string, number: string): BlasProduct => {
    const [i, p] = ["int", "uintptr_t"] as const
    const call = koffi.load(file).func(name, "void", [i, i, i, i, i, i, number, p, i, p, i, number, p, i])
    const [rowMajor, asItIs] = [101, 111]
    // addresses in WebAssembly are unsigned
    const at = (address: number): number => base + (address >>> 0)
    return (transA, transB, m, n, k, a, lda, b, ldb, adds, c, ldc) =>
      void call(rowMajor, asItIs + transA, asItIs + transB, m, n, k, 1, at(a), lda, at(b), ldb, adds, at(c), ldc)
  }
  return { blas_f32: product("cblas_sgemm", "float"), blas_f64: product("cblas_dgemm", "double") }
}

/** A library with integers of another size, or none at all, is found out by products of known result. */
const isRight = ({ blas_f32, blas_f64 }: Products, { buffer }: WebAssembly.Memory): boolean =>
  [Float32Array, Float64Array].every((Numbers, i) => {
    const size = Numbers.BYTES_PER_ELEMENT
    new Numbers(buffer).set([1, 2, 3, 4, 5, 6, 1, -1, 2, 0, 3, 1, 1, 1, 1, 1])
    const product = i ? blas_f64 : blas_f32
    product(0, 0, 2, 2, 3, 0, 3, 6 * size, 2, 1, 12 * size, 2)
    return `${new Numbers(buffer, 12 * size, 4)}` === "15,3,33,3"
  })

/** The BLAS of the machine on this memory, or undefined. */
export function blasOn(memory: WebAssembly.Memory): Blas | undefined {
  const { found } = findBlas()
  if (!found) return undefined
  return { ...found, ...bindBlas(require("koffi"), found.path, memory) }
}
