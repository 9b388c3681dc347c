// What a page has learned, as bytes: a head of 20 bytes (mark, format, kind of module, length, checksum), then the numbers.

const MARK = 0x736a6461 // "adjs"
const FORMAT = 1
const HEAD = 20

let table: Uint32Array | undefined
/** CRC-32 as in ISO 3309 and PNG. */
export function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
    return c
  })
  let c = 0xffffffff
  for (const byte of bytes) c = table[(c ^ byte) & 255]! ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}

export function pack(content: Uint8Array, kind: number): Uint8Array {
  const bytes = new Uint8Array(HEAD + content.length)
  const head = new DataView(bytes.buffer)
  for (const [i, word] of [MARK, FORMAT, kind, content.length, crc32(content)].entries()) head.setUint32(4 * i, word, true)
  bytes.set(content, HEAD)
  return bytes
}

/** The content of packed bytes. Throws TypeError for other things than bytes, Error for bytes that are damaged or of another module. */
export function unpack(bytes: unknown, kind: number, length: number): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("load: wanted the bytes that save() gave, a Uint8Array")
  const refuse = (why: string): Error => new Error(`load: ${why}; the model stays as it is`)
  if (bytes.length < HEAD) throw refuse(`${bytes.length} bytes are too few`)
  const head = new DataView(bytes.buffer, bytes.byteOffset, HEAD)
  const [mark, format, ofKind, size, sum] = [0, 1, 2, 3, 4].map(i => head.getUint32(4 * i, true))
  if (mark !== MARK) throw refuse("these bytes are not from save()")
  if (format !== FORMAT) throw refuse(`the bytes have format ${format}, this module reads format ${FORMAT}`)
  if (ofKind !== kind) throw refuse("the bytes are of a module with another model or optimizer")
  if (size !== length || bytes.length !== HEAD + length)
    throw refuse(`the bytes are cut or joined: wanted ${HEAD + length}, got ${bytes.length}`)
  const content = bytes.subarray(HEAD)
  if (crc32(content) !== sum) throw refuse("the bytes are damaged: their checksum is another")
  return content
}
