import { zipSync } from "fflate"
import { FormatError } from "./errors.ts"
import { type NpyArray, readNpy, writeNpy } from "./npy.ts"
import { readZip } from "./zip.ts"

/** What `readNpz` may be told. */
export interface NpzOptions {
  /** The file's name, for messages. */
  readonly name?: string
  /** Bytes that all arrays together may have. Default: 16 MiB or a hundred times the archive, whichever is more. */
  readonly maxBytes?: number
}

/** Arrays by name. What `readNpz` returns has no prototype, so an array may be called `__proto__`. */
export type NpyArrays = Readonly<Record<string, NpyArray>>

const LEAST = 1 << 24
const RATIO = 100

/**
 * Reads the arrays of an NPZ file, the zip archive that `numpy.savez` and `numpy.savez_compressed` write. Names are those of the arrays,
 * and nothing is ever written under them.
 *
 * Stricter than NumPy: no name may occur twice, and an archive that unpacks to far more than its own size wants `maxBytes`.
 *
 * @throws FormatError for an archive that is damaged (every file's CRC-32 is checked) and for what `readNpy` refuses.
 * @example
 * const w = { dtype: "f64", shape: [2], data: new Float64Array([1, 2]) } as const
 * readNpz(writeNpz({ w })).w?.data  // [1, 2]
 */
export function readNpz(bytes: Uint8Array, { name = "NPZ file", maxBytes }: NpzOptions = {}): NpyArrays {
  const fail = (why: string): FormatError => new FormatError(`${name} is not a sound NPZ file: ${why}. Save or download it again.`)
  const arrays: Record<string, NpyArray> = Object.create(null)
  for (const entry of readZip(bytes, maxBytes ?? Math.max(LEAST, RATIO * bytes.length), fail)) {
    const shown = JSON.stringify(entry.name.slice(0, 80))
    if (!entry.name.endsWith(".npy")) throw fail(`it holds the file ${shown}; wanted files called NAME.npy`)
    const key = entry.name.slice(0, -".npy".length)
    if (key in arrays) throw fail(`it holds ${shown} twice`)
    arrays[key] = readNpy(entry.content, `${name}: ${shown}`)
  }
  return arrays
}

/**
 * Writes arrays as an NPZ file: `numpy.load` reads it. The same arrays give the same bytes.
 *
 * @throws FormatError for what `writeNpy` refuses.
 * @example
 * const x = { dtype: "f32", shape: [1], data: new Float32Array([1]) } as const
 * Object.keys(readNpz(writeNpz({ x })))  // ["x"]
 */
export function writeNpz(arrays: NpyArrays, { compressed = true }: { readonly compressed?: boolean } = {}): Uint8Array {
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array)] as const)
  // zip has no time before 1980, and the time of writing would make every file another one
  return zipSync(Object.fromEntries(files), { level: compressed ? 6 : 0, mtime: "1980-01-01T00:00:00" })
}
