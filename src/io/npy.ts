import { FormatError } from "./errors.ts"
import type { StoredTensor } from "./safetensors.ts"

/** An array of an NPY file: `data` holds [product of shape] elements in row-major order; c128 pairs of real and imaginary parts. */
export type NpyArray = StoredTensor | { readonly dtype: "c128"; readonly shape: readonly number[]; readonly data: Float64Array }

type Kind = { readonly dtype: NpyArray["dtype"]; readonly word: number; readonly array: new (buffer: ArrayBuffer) => ArrayBufferView }

// By NumPy's name without byte order; `word` is what the byte order applies to, half of a complex number.
const KINDS: Readonly<Record<string, Kind>> = {
  b1: { dtype: "bool", word: 1, array: Uint8Array },
  u1: { dtype: "u8", word: 1, array: Uint8Array },
  i1: { dtype: "i8", word: 1, array: Int8Array },
  u2: { dtype: "u16", word: 2, array: Uint16Array },
  i2: { dtype: "i16", word: 2, array: Int16Array },
  f2: { dtype: "f16", word: 2, array: Uint16Array },
  u4: { dtype: "u32", word: 4, array: Uint32Array },
  i4: { dtype: "i32", word: 4, array: Int32Array },
  f4: { dtype: "f32", word: 4, array: Float32Array },
  u8: { dtype: "u64", word: 8, array: BigUint64Array },
  i8: { dtype: "i64", word: 8, array: BigInt64Array },
  f8: { dtype: "f64", word: 8, array: Float64Array },
  c8: { dtype: "c64", word: 4, array: Float32Array },
  c16: { dtype: "c128", word: 8, array: Float64Array },
}
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
const MAX_HEADER = 10_000 // as NumPy's

/**
 * Reads an NPY file (versions 1 to 3, either byte order, C or Fortran order) into a fresh array in row-major order. f16 keeps its bits.
 *
 * Stricter than NumPy in one point: bytes behind the array are an error.
 *
 * @param name the file's name, for messages
 * @throws FormatError for a file that is cut off, goes on, or holds anything but numbers: objects (which are programs), records, text.
 * @example
 * const bytes = writeNpy({ dtype: "f32", shape: [2], data: new Float32Array([1, 2]) })
 * readNpy(bytes).data  // [1, 2]
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function readNpy(bytes: Uint8Array, name = "NPY file"): NpyArray {
  const fail = (why: string): FormatError => new FormatError(`${name} is not a sound NPY file: ${why}. Save or download it again.`)
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw fail("it does not begin with \\x93NUMPY and a version")
  const version = bytes[6]!
  if (version < 1 || version > 3 || bytes[7] !== 0) throw fail(`it is of version ${version}.${bytes[7]}; wanted 1.0, 2.0 or 3.0`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const from = version === 1 ? 10 : 12
  if (bytes.length < from) throw fail("it is cut off in its header")
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > MAX_HEADER) throw fail(`its header should be ${length} bytes long; at most ${MAX_HEADER} are allowed`)
  const start = from + length
  if (start > bytes.length) throw fail(`its header should end at byte ${start}, but the file ends at ${bytes.length}`)
  const { descr, fortran, shape } = parseHeader(String.fromCharCode(...bytes.subarray(from, start)), fail)
  const { kind, size, big } = kindOf(descr, fail)
  const n = shape.reduce((product, length) => product * length, 1)
  const wanted = start + n * size
  if (bytes.length !== wanted) throw fail(`its shape (${shape}) of ${descr} wants ${wanted} bytes, but it has ${bytes.length}`)
  let content = new Uint8Array(bytes.subarray(start)) // not slice(): that of a Buffer copies nothing
  if (big && kind.word > 1) reverseWords(content, kind.word)
  if (kind.dtype === "bool") for (let i = 0; i < content.length; i++) content[i] = content[i] === 0 ? 0 : 1
  if (fortran && shape.length > 1) content = toRowMajor(content, shape, size)
  return { dtype: kind.dtype, shape, data: new kind.array(content.buffer as ArrayBuffer) } as NpyArray
}

/**
 * Writes an array as an NPY file of version 1, little-endian and in row-major order: `numpy.load` reads it.
 *
 * @throws FormatError for element kinds that NumPy has no name for (such as bf16), and where shape and data do not fit.
 * @example
 * writeNpy({ dtype: "i32", shape: [2, 2], data: new Int32Array([1, 2, 3, 4]) }).length  // 144
 */
export function writeNpy({ dtype, shape, data }: NpyArray): Uint8Array {
  const found = Object.entries(KINDS).find(([, kind]) => kind.dtype === dtype)
  if (found === undefined) throw new FormatError(`writeNpy: NumPy has no name for ${dtype}; convert the array to one of its kinds, as f32.`)
  const [code, kind] = found
  const wanted = shape.reduce((product, length) => product * length, 1) * Number(code.slice(1))
  if (!(data instanceof kind.array) || data.byteLength !== wanted) {
    throw new FormatError(
      `writeNpy: ${dtype}[${shape}] wants its data as ${kind.array.name} of ${wanted} bytes, got ${data.constructor.name} of ${data.byteLength}.`,
    )
  }
  const order = kind.word === 1 ? "|" : "<"
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ")
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${tuple}), }`
  const start = Math.ceil((10 + text.length + 1) / 64) * 64 // so that every element is aligned
  const file = new Uint8Array(start + data.byteLength).fill(0x20, 10, start)
  file.set([...MAGIC, 1, 0])
  new DataView(file.buffer).setUint16(8, start - 10, true)
  file.set(new TextEncoder().encode(text), 10)
  file[start - 1] = 0x0a
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start)
  return file
}

type Fail = (why: string) => FormatError
type Header = { readonly descr: string; readonly fortran: boolean; readonly shape: readonly number[] }

/** The header is a Python dictionary with these three keys, in any order; nothing of it is evaluated. */
function parseHeader(text: string, fail: Fail): Header {
  const values = new Map<string, string>()
  const entry = /\s*(?:'(\w*)'|"(\w*)")\s*:\s*('[^'\\]*'|"[^"\\]*"|True|False|\([\dL,\s]*\))\s*(,|(?=\}))/y
  const open = /^\s*\{/.exec(text)
  if (open === null) throw fail("its header is no dictionary")
  entry.lastIndex = open[0].length
  let end = entry.lastIndex
  for (let found = entry.exec(text); found !== null; found = entry.exec(text)) {
    const key = found[1] ?? found[2]!
    if (values.has(key)) throw fail(`its header names ${key} twice`)
    values.set(key, found[3]!)
    end = entry.lastIndex
  }
  if (!/^\s*\}\s*$/.test(text.slice(end))) {
    if (/^\s*['"]descr['"]\s*:\s*\[/.test(text.slice(end))) throw fail("it holds records of several fields; wanted an array of numbers")
    throw fail(`its header cannot be read from ${JSON.stringify(text.slice(end, end + 40))} on`)
  }
  const [descr, order, shape] = ["descr", "fortran_order", "shape"].map(key => values.get(key))
  if (values.size !== 3 || descr === undefined || order === undefined || shape === undefined)
    throw fail(`its header has the keys ${[...values.keys()].join(", ")}; wanted descr, fortran_order and shape`)
  if (!/^['"]/.test(descr)) throw fail(`its descr is ${descr}; wanted the name of a kind of number`)
  if (order !== "True" && order !== "False") throw fail(`its fortran_order is ${order}; wanted True or False`)
  return { descr: descr.slice(1, -1), fortran: order === "True", shape: shapeOf(shape, fail) }
}

function shapeOf(tuple: string, fail: Fail): number[] {
  // "L" marks long integers in files of Python 2
  if (!/^\(\s*(?:\d+L?\s*,\s*(?:\d+L?\s*(?:,\s*\d+L?\s*)*,?\s*)?)?\)$/.test(tuple))
    throw fail(`its shape is ${tuple.slice(0, 40)}; wanted a tuple of whole numbers`)
  const shape = [...tuple.matchAll(/\d+/g)].map(([digits]) => Number(digits))
  // zero elements of an enormous array would pass the comparison of sizes
  if (shape.some(length => !Number.isSafeInteger(length)))
    throw fail(`its shape ${tuple.slice(0, 40)} has an axis longer than any array can be`)
  return shape
}

function kindOf(descr: string, fail: Fail): { kind: Kind; size: number; big: boolean } {
  const [, order, code] = /^([<>=|])([a-zA-Z]\d*)$/.exec(descr) ?? []
  const kind = code !== undefined && Object.hasOwn(KINDS, code) ? KINDS[code]! : undefined
  if (kind === undefined || (order === "|" && kind.word > 1)) {
    const what = code?.startsWith("O") ? ", objects of Python, which only Python can load" : /^[US]/.test(code ?? "") ? ", text" : ""
    throw fail(`its elements are ${JSON.stringify(descr.slice(0, 40))}${what}; wanted numbers, such as <f4`)
  }
  return { kind, size: Number(code!.slice(1)), big: order === ">" }
}

function reverseWords(bytes: Uint8Array, word: number): void {
  for (let at = 0; at < bytes.length; at += word) bytes.subarray(at, at + word).reverse()
}

/** From Fortran order, where the first axis runs fastest. */
function toRowMajor(bytes: Uint8Array, shape: readonly number[], size: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length)
  if (bytes.length === 0) return result
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, size))
  const at = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < result.length; to += size) {
    for (let i = 0; i < size; i++) result[to + i] = bytes[from + i]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!
      if (++at[axis]! < shape[axis]!) break
      from -= at[axis]! * strides[axis]!
      at[axis] = 0
    }
  }
  return result
}
