import { FormatError } from "./errors.ts"
import { parseHeader } from "./safetensors-header.ts"

/**
 * The typed array of each kind of element in a safetensors file. Kinds that JavaScript has no array for keep their bits, those of 4
 * and 6 bits packed into bytes; c64 keeps pairs of real and imaginary parts.
 */
export interface StoredArrays {
  readonly bool: Uint8Array
  readonly f4: Uint8Array
  readonly f6_e2m3: Uint8Array
  readonly f6_e3m2: Uint8Array
  readonly u8: Uint8Array
  readonly i8: Int8Array
  readonly f8_e5m2: Uint8Array
  readonly f8_e4m3: Uint8Array
  readonly f8_e8m0: Uint8Array
  readonly i16: Int16Array
  readonly u16: Uint16Array
  readonly f16: Uint16Array
  readonly bf16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly f32: Float32Array
  readonly c64: Float32Array
  readonly f64: Float64Array
  readonly i64: BigInt64Array
  readonly u64: BigUint64Array
}

/** The name of an element kind: the file's own, in lower case. */
export type StoredDtype = keyof StoredArrays

/** A tensor as stored: `data` holds [product of shape] elements in row-major order. */
export type StoredTensor = {
  [D in StoredDtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: StoredArrays[D] }
}[StoredDtype]

/** Tensors by name. What `readSafetensors` returns has no prototype, so a tensor may be called `__proto__`. */
export type StoredTensors = Readonly<Record<string, StoredTensor>>

// Bits of an element and its array, in ascending order of alignment as in the reference; files hold the largest alignment first.
const KINDS = {
  bool: [8, Uint8Array],
  f4: [4, Uint8Array],
  f6_e2m3: [6, Uint8Array],
  f6_e3m2: [6, Uint8Array],
  u8: [8, Uint8Array],
  i8: [8, Int8Array],
  f8_e5m2: [8, Uint8Array],
  f8_e4m3: [8, Uint8Array],
  f8_e8m0: [8, Uint8Array],
  i16: [16, Int16Array],
  u16: [16, Uint16Array],
  f16: [16, Uint16Array],
  bf16: [16, Uint16Array],
  i32: [32, Int32Array],
  u32: [32, Uint32Array],
  f32: [32, Float32Array],
  c64: [64, Float32Array],
  f64: [64, Float64Array],
  i64: [64, BigInt64Array],
  u64: [64, BigUint64Array],
} as const satisfies { [D in StoredDtype]: readonly [bits: number, array: unknown] }
const ORDER = Object.keys(KINDS)
const LENGTH = 8 // bytes in front of the header that hold its length
const MAX_HEADER = 100_000_000

/**
 * Writes tensors as a safetensors file. The same tensors and metadata give the same bytes, in whichever order they come: tensors lie by
 * falling alignment and then by name, the header is padded so that every element is aligned.
 *
 * @throws FormatError if a tensor's shape and data do not fit, or a name is `__metadata__` or not well-formed Unicode.
 * @example
 * const w = { dtype: "f32", shape: [2], data: new Float32Array([1, 2]) } as const
 * writeSafetensors({ w }).length  // 72
 * @see https://github.com/huggingface/safetensors#format
 */
export function writeSafetensors(tensors: StoredTensors, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(tensors).sort(([a, x], [b, y]) => ORDER.indexOf(y.dtype) - ORDER.indexOf(x.dtype) || (a < b ? -1 : 1))
  const parts: string[] = []
  if (metadata !== undefined) {
    const pairs = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
    parts.push(`"__metadata__":{${pairs.map(([key, value]) => `${quoted(key)}:${quoted(value)}`).join(",")}}`)
  }
  let end = 0
  for (const [name, tensor] of entries) {
    checkTensor(name, tensor)
    const start = end
    end += tensor.data.byteLength
    parts.push(`${quoted(name)}:{"dtype":"${tensor.dtype.toUpperCase()}","shape":[${tensor.shape}],"data_offsets":[${start},${end}]}`)
  }
  const text = `{${parts.join(",")}}`
  const header = new TextEncoder().encode(text)
  const padded = Math.ceil(header.length / 8) * 8
  const file = new Uint8Array(LENGTH + padded + end)
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true)
  file.set(header, LENGTH)
  file.fill(0x20, LENGTH + header.length, LENGTH + padded)
  let at = LENGTH + padded
  for (const [, { data }] of entries) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return file
}

/**
 * Reads a safetensors file into fresh arrays.
 *
 * Follows the text of the format where the reference reader is laxer: the header begins with `{`, no name occurs twice in an object,
 * metadata is an object of strings. Every number of the header is a plain whole number below 2^53. A bool is any byte and is read as 0
 * or 1. The rank is not limited.
 *
 * @throws FormatError for any file that is not whole and sound: overlaps, holes, bytes after the end, sizes that do not fit.
 * @example
 * const bytes = writeSafetensors({ w: { dtype: "f32", shape: [2], data: new Float32Array([1, 2]) } })
 * readSafetensors(bytes).tensors.w?.data  // [1, 2]
 */
export function readSafetensors(bytes: Uint8Array): { tensors: StoredTensors; metadata: Readonly<Record<string, string>> } {
  if (bytes.length < LENGTH) throw broken(`it has ${bytes.length} bytes, fewer than the 8 that say how long its header is`)
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true)
  if (length > MAX_HEADER) throw broken(`its header should be ${length} bytes long; at most ${MAX_HEADER} are allowed`)
  const start = LENGTH + Number(length)
  if (start > bytes.length) throw broken(`its header should end at byte ${start}, but the file ends at ${bytes.length}`)
  const { entries, metadata } = parseHeader(bytes.subarray(LENGTH, start))
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  const tensors: Record<string, StoredTensor> = Object.create(null)
  let end = 0
  for (const entry of entries) {
    if (entry.begin !== end)
      throw broken(`tensor ${JSON.stringify(entry.name)} begins at ${entry.begin}, but the one before ends at ${end}`)
    const dtype = entry.dtype.toLowerCase() as StoredDtype
    if (!ORDER.includes(dtype) || entry.dtype !== dtype.toUpperCase()) {
      throw broken(`tensor ${JSON.stringify(entry.name)} is of the unknown kind ${JSON.stringify(entry.dtype)}`)
    }
    const size = bytesOf(dtype, entry.shape)
    if (!Number.isSafeInteger(size) || size !== entry.end - entry.begin) {
      throw broken(`tensor ${JSON.stringify(entry.name)} has ${entry.end - entry.begin} bytes, but its shape and kind take ${size}`)
    }
    end = entry.end
    if (start + end > bytes.length)
      throw broken(`tensor ${JSON.stringify(entry.name)} ends at byte ${start + end}, but the file at ${bytes.length}`)
    const copy = new Uint8Array(bytes.subarray(start + entry.begin, start + end)) // not slice(): that of a Buffer copies nothing
    if (dtype === "bool") for (let i = 0; i < copy.length; i++) copy[i] = copy[i] === 0 ? 0 : 1
    tensors[entry.name] = { dtype, shape: entry.shape, data: new KINDS[dtype][1](copy.buffer) } as StoredTensor
  }
  if (start + end !== bytes.length) throw broken(`its last tensor ends at byte ${start + end}, but the file at ${bytes.length}`)
  return { tensors, metadata }
}

/** NaN where the size overflows or the elements do not fill whole bytes. */
function bytesOf(dtype: StoredDtype, shape: readonly number[]): number {
  let size = KINDS[dtype][0] / 8
  for (const n of shape) {
    size *= n
    if (!(size * 8 <= Number.MAX_SAFE_INTEGER)) return Number.NaN
  }
  return Number.isInteger(size) ? size : Number.NaN
}

function checkTensor(name: string, { dtype, shape, data }: StoredTensor): void {
  const array = KINDS[dtype][1]
  const wanted = shape.every(size => Number.isSafeInteger(size) && size >= 0) ? bytesOf(dtype, shape) : Number.NaN
  if (!(data instanceof array) || data.byteLength !== wanted) {
    throw new FormatError(
      `writeSafetensors: tensor ${JSON.stringify(name)} ${dtype}[${shape}] wants its data as ${array.name} of ${wanted} bytes, ` +
        `got ${data.constructor.name} of ${data.byteLength}.`,
    )
  }
  if (name === "__metadata__") throw new FormatError('writeSafetensors: "__metadata__" cannot be the name of a tensor; choose another.')
}

function quoted(text: string): string {
  if (!/\p{Surrogate}/u.test(text)) return JSON.stringify(text)
  throw new FormatError(
    `writeSafetensors: wanted well-formed Unicode in names and metadata, got half a character in ${JSON.stringify(text)}.`,
  )
}

function broken(why: string): FormatError {
  return new FormatError(`This is not a sound safetensors file: ${why}. Save or download it again.`)
}
