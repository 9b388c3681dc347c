// Zip archives, as far as NPZ files need them. The compression is fflate's; its own reader of archives looks at neither checksums nor
// overlaps, and trusts sizes.
import { Inflate, inflateSync } from "fflate"

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string
  readonly content: Uint8Array
}

const END = 0x06054b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
const ZIP64 = 0xffffffff
const END_LENGTH = 22
const MAX_COMMENT = 0xffff

type Fail = (why: string) => Error

/**
 * The files of an archive in the order of its directory, stored or deflated, each one checked by size and CRC-32.
 *
 * @param most bytes that all contents together may have
 */
export function* readZip(bytes: Uint8Array, most: number, fail: Fail): Generator<ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records = directoryOf(bytes, view, fail)
  checkApart(records, fail)
  const total = records.reduce((n, { size }) => n + size, 0)
  if (total > most) {
    throw fail(
      `its content is ${total} bytes, ${Math.round(total / bytes.length)} times the archive; at most ${most} are unpacked unless maxBytes says otherwise`,
    )
  }
  for (const record of records) yield { name: record.name, content: contentOf(bytes, record, fail) }
}

interface Entry {
  readonly name: string
  readonly method: number
  readonly crc: number
  /** Where its local header begins, its packed content, and where that ends. */
  readonly at: number
  readonly from: number
  readonly to: number
  /** Of the content, unpacked. */
  readonly size: number
}

function directoryOf(bytes: Uint8Array, view: DataView, fail: Fail): Entry[] {
  const end = findEnd(bytes, view)
  if (end === undefined) throw fail("it has no directory at its end: it is cut off, or no zip archive")
  const [disk, first, here, count] = [4, 6, 8, 10].map(i => view.getUint16(end + i, true)) as [number, number, number, number]
  const [length, start] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)]
  if (disk !== 0 || first !== 0 || here !== count) throw fail("it is one part of several")
  if (start === ZIP64 || count === 0xffff)
    throw fail("it is of the form for more than 4 GB (zip64), which is not read; save smaller archives")
  if (start + length !== end) throw fail("its directory is not where its end says")
  const entries: Entry[] = []
  let at = start
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL) throw fail(`entry ${i + 1} of its directory is damaged`)
    const [nameLength, extra, comment] = [28, 30, 32].map(k => view.getUint16(at + k, true)) as [number, number, number]
    const next = at + 46 + nameLength + extra + comment
    if (next > end) throw fail(`entry ${i + 1} of its directory is damaged`)
    entries.push(entryAt(bytes, view, at, start, bytes.subarray(at + 46, at + 46 + nameLength), fail))
    at = next
  }
  if (at !== end) throw fail("its directory is longer than its entries")
  return entries
}

/** The record at the end, behind which there is a comment of the length that it names. */
function findEnd(bytes: Uint8Array, view: DataView): number | undefined {
  for (let at = bytes.length - END_LENGTH; at >= Math.max(0, bytes.length - END_LENGTH - MAX_COMMENT); at--) {
    if (view.getUint32(at, true) === END && at + END_LENGTH + view.getUint16(at + 20, true) === bytes.length) return at
  }
  return undefined
}

function entryAt(bytes: Uint8Array, view: DataView, central: number, limit: number, rawName: Uint8Array, fail: Fail): Entry {
  const name = new TextDecoder().decode(rawName)
  const shown = JSON.stringify(name.slice(0, 80))
  const [flags, method] = [view.getUint16(central + 8, true), view.getUint16(central + 10, true)]
  const [crc, packed, size, at] = [16, 20, 24, 42].map(i => view.getUint32(central + i, true)) as [number, number, number, number]
  if (flags & 1) throw fail(`${shown} is encrypted`)
  if (method !== 0 && method !== 8) throw fail(`${shown} is packed by method ${method}; wanted 0 (stored) or 8 (deflate)`)
  if ([packed, size, at].includes(ZIP64)) throw fail(`${shown} is of 4 GB or more (zip64), which is not read; save smaller arrays`)
  if (at + 30 > limit || view.getUint32(at, true) !== LOCAL) throw fail(`the content of ${shown} is not where its directory says`)
  const from = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true)
  const sameName = view.getUint16(at + 26, true) === rawName.length && rawName.every((byte, i) => bytes[at + 30 + i] === byte)
  if (!sameName) throw fail(`${shown} has another name where its content is`)
  if (from + packed > limit) throw fail(`the content of ${shown} is cut off`)
  if (method === 0 && packed !== size) throw fail(`${shown} is stored as ${packed} bytes, but should have ${size}`)
  return { name, method, crc, at, from, to: from + packed, size }
}

/** Two entries on one content are how a small archive unpacks to an enormous one. */
function checkApart(entries: readonly Entry[], fail: Fail): void {
  const sorted = [...entries].sort((a, b) => a.at - b.at)
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.at < sorted[i - 1]!.to) throw fail(`${JSON.stringify(sorted[i]!.name.slice(0, 80))} lies on another file of it`)
  }
}

function contentOf(bytes: Uint8Array, { name, method, crc, from, to, size }: Entry, fail: Fail): Uint8Array {
  const shown = JSON.stringify(name.slice(0, 80))
  const packed = bytes.subarray(from, to)
  const content = method === 8 ? inflated(packed, size, shown, fail) : packed
  if (crc32(content) !== crc) throw fail(`the checksum (CRC-32) of ${shown} is wrong`)
  return content
}

/** Compressed bytes that are unpacked at a time: to some 4 MB at most. */
const SLICE = 1 << 12

/** Deflate cannot do better. */
const MOST_RATIO = 1032

/** Unpacked no further than its size: a size that is wrong must not cost memory. */
function inflated(packed: Uint8Array, size: number, shown: string, fail: Fail): Uint8Array {
  let pieces: Uint8Array[]
  try {
    // for little, at once into an array of its size and one more, to see whether it goes on: a stream has large buffers from the start
    const small = packed.length <= SLICE && size <= MOST_RATIO * packed.length
    pieces = small ? [inflateSync(packed, { out: new Uint8Array(size + 1) })] : inflatedPieces(packed, size)
  } catch (error) {
    throw fail(`${shown} cannot be unpacked (${(error as Error).message})`)
  }
  const length = pieces.reduce((n, piece) => n + piece.length, 0)
  if (length !== size) throw fail(`${shown} should have ${size} bytes, but unpacks to ${length > size ? "more" : length}`)
  if (pieces.length === 1) return pieces[0]!
  const content = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    content.set(piece, at)
    at += piece.length
  }
  return content
}

/** Ends early where there is more than `most`. */
function inflatedPieces(packed: Uint8Array, most: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let length = 0
  const inflate = new Inflate(piece => {
    length += piece.length
    pieces.push(piece)
  })
  for (let at = 0; at < packed.length && length <= most; at += SLICE) {
    inflate.push(packed.subarray(at, at + SLICE), at + SLICE >= packed.length)
  }
  return pieces
}

let table: Int32Array | undefined

/** The checksum of zip and gzip: CRC-32 with the polynomial 0xedb88320. */
export function crc32(bytes: Uint8Array): number {
  table ??= Int32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1
    return n
  })
  let crc = -1
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}
