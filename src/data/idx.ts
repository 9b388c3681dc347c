import { DataError } from "./errors.ts"

/** An array read from an IDX file. */
export interface IdxArray {
  readonly shape: readonly number[]
  /** [product of shape] in row-major order. */
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array
}

// By the third byte of the file: bytes of an element, and how to read them into a fresh array; the format is big-endian.
type Reader = { readonly size: number; read(bytes: Uint8Array, view: DataView, n: number): IdxArray["data"] }
const READERS: Readonly<Record<number, Reader>> = {
  8: { size: 1, read: bytes => new Uint8Array(bytes) },
  9: { size: 1, read: bytes => new Int8Array(new Uint8Array(bytes).buffer) },
  11: { size: 2, read: (_, view, n) => Int16Array.from({ length: n }, (_, i) => view.getInt16(2 * i)) },
  12: { size: 4, read: (_, view, n) => Int32Array.from({ length: n }, (_, i) => view.getInt32(4 * i)) },
  13: { size: 4, read: (_, view, n) => Float32Array.from({ length: n }, (_, i) => view.getFloat32(4 * i)) },
  14: { size: 8, read: (_, view, n) => Float64Array.from({ length: n }, (_, i) => view.getFloat64(8 * i)) },
}

/**
 * Reads an IDX file, the format of the MNIST data sets.
 *
 * @param name the file's name, for messages
 * @throws DataError if the first bytes are not IDX, or the file is longer or shorter than its header says.
 * @example
 * // two bytes, as one dimension of length 2
 * const { shape, data } = parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9))  // [2], [7, 9]
 * @see https://yann.lecun.org/exdb/mnist/ "The IDX file format"
 */
export function parseIdx(bytes: Uint8Array, name = "IDX file"): IdxArray {
  const reader = READERS[bytes[2] ?? 0]
  const rank = bytes[3] ?? 0
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || reader === undefined || rank === 0) {
    const first = [...bytes.slice(0, 4)].map(byte => byte.toString(16).padStart(2, "0")).join(" ")
    const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b ? " It is compressed with gzip; decompress it first." : ""
    throw new DataError(
      `${name} is not an IDX file: wanted the bytes 00 00, an element type (08, 09, 0b, 0c, 0d or 0e) and a number of dimensions, ` +
        `got ${first || "nothing"}.${gzip}`,
    )
  }
  const start = 4 + 4 * rank
  if (bytes.length < start) throw truncated(name, start, bytes.length, `a header of ${rank} dimensions`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  // Not in integers: 255 dimensions of four bytes overflow any of them, and a float only has to be far off.
  const n = shape.reduce((product, size) => product * size, 1)
  const wanted = start + n * reader.size
  if (bytes.length < wanted) throw truncated(name, wanted, bytes.length, `the shape ${shape.join(" x ")}`)
  if (bytes.length > wanted) {
    throw new DataError(
      `${name} goes on after its end: the shape ${shape.join(" x ")} takes ${wanted} bytes, got ${bytes.length}. ` +
        "Download or write the file again.",
    )
  }
  const content = bytes.subarray(start)
  return { shape, data: reader.read(content, new DataView(content.buffer, content.byteOffset, content.byteLength), n) }
}

function truncated(name: string, wanted: number, got: number, what: string): DataError {
  return new DataError(`${name} is cut off: ${what} takes ${wanted} bytes, got ${got}. Download or write the file again.`)
}
