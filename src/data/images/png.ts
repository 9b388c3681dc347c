import { unzlibSync, zlibSync } from "fflate"
import { type Decoders, MOST_PIXELS, type Pixels } from "./pixels.ts"

/** Chunks that pixels are made from; texts and profiles may be packed, and unpack to anything. */
const KEPT = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]
/** Samples of one pixel, by the type of colours. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const PALETTE = 3

interface Header {
  readonly width: number
  readonly height: number
  readonly depth: number
  readonly colours: number
  readonly interlaced: boolean
}

/**
 * Reads a PNG with fast-png, which takes as much memory as the file says: sizes are compared with the bytes before, and what is packed is
 * unpacked here, no further than the size of the image.
 *
 * @see https://www.w3.org/TR/png-3/
 */
export function decodePng(bytes: Uint8Array, { png }: Decoders): Pixels {
  const chunks = chunksOf(bytes)
  const header = headerOf(chunks)
  const packed = joined(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data))
  const raw = rawBytes(header)
  if (!(raw <= packed.length * 1032 + 64)) throw new TypeError(`${packed.length} bytes are too few for ${header.width} x ${header.height}`)
  const unpacked = unzlibSync(packed, { out: new Uint8Array(raw + 1) })
  if (unpacked.length !== raw) throw new TypeError(`${raw} bytes of pixels are wanted, and ${unpacked.length} or more are there`)
  const image = png.decode(plain(chunks, zlibSync(unpacked, { level: 0 }), header), { checkCrc: false })
  return pixelsOf(image, header)
}

interface Chunk {
  readonly type: string
  readonly data: Uint8Array
}

function chunksOf(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getBigUint64(0) !== 0x89504e470d0a1a0an) throw new TypeError("its first eight bytes are not those of PNG")
  const chunks: Chunk[] = []
  for (let at = 8; ; ) {
    const length = view.getUint32(at)
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (length > bytes.length - at - 12) throw new RangeError(`chunk ${type} is cut off`)
    const body = bytes.subarray(at + 4, at + 8 + length)
    if (crc32(body) !== view.getUint32(at + 8 + length)) throw new TypeError(`chunk ${type} has another checksum`)
    if (KEPT.includes(type)) chunks.push({ type, data: body.subarray(4) })
    if (type === "IEND") return chunks
    at += 12 + length
  }
}

function headerOf(chunks: readonly Chunk[]): Header {
  const first = chunks[0]
  if (first?.type !== "IHDR" || first.data.length !== 13 || chunks.filter(({ type }) => type === "IHDR").length > 1)
    throw new TypeError("it has no header, or several")
  const view = new DataView(first.data.buffer, first.data.byteOffset, 13)
  const [width, height, depth, colours] = [view.getUint32(0), view.getUint32(4), view.getUint8(8), view.getUint8(9)]
  if (!(width > 0 && height > 0 && width * height <= MOST_PIXELS)) throw new TypeError(`it has ${width} x ${height} pixels`)
  if (!(colours in SAMPLES) || ![1, 2, 4, 8, 16].includes(depth)) throw new TypeError(`type ${colours} of ${depth} bits`)
  const interlaced = view.getUint8(12) === 1
  if (interlaced && depth < 8) throw new TypeError(`it is interlaced and of ${depth} bits`)
  return { width, height, depth, colours, interlaced }
}

/** Bytes of all lines, each with the number of its filter in front; an interlaced image is seven. */
function rawBytes({ width, height, depth, colours, interlaced }: Header): number {
  const of = (w: number, h: number) => (w === 0 || h === 0 ? 0 : h * (1 + Math.ceil((w * depth * SAMPLES[colours]!) / 8)))
  if (!interlaced) return of(width, height)
  // the first column and row of each pass, and the steps between them (PNG, 8.1)
  const passes = [0, 0, 8, 8, 4, 0, 8, 8, 0, 4, 4, 8, 2, 0, 4, 4, 0, 2, 2, 4, 1, 0, 2, 2, 0, 1, 1, 2]
  let bytes = 0
  for (let p = 0; p < passes.length; p += 4) {
    const [x, y, dx, dy] = passes.slice(p, p + 4) as [number, number, number, number]
    bytes += of(Math.max(0, Math.ceil((width - x) / dx)), Math.max(0, Math.ceil((height - y) / dy)))
  }
  return bytes
}

/** The same image without what is not looked at, its pixels not packed. */
function plain(chunks: readonly Chunk[], pixels: Uint8Array, { colours }: Header): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)]
  const add = ({ type, data }: Chunk) => {
    const head = new Uint8Array(8)
    new DataView(head.buffer).setUint32(0, data.length)
    for (let i = 0; i < 4; i++) head[4 + i] = type.charCodeAt(i)
    parts.push(head, data, new Uint8Array(4))
  }
  for (const chunk of chunks)
    if (chunk.type === "IHDR" || (colours === PALETTE && (chunk.type === "PLTE" || chunk.type === "tRNS"))) add(chunk)
  add({ type: "IDAT", data: pixels })
  add({ type: "IEND", data: new Uint8Array(0) })
  return joined(parts)
}

function pixelsOf({ width, height, depth, data, palette }: ReturnType<Decoders["png"]["decode"]>, { colours }: Header): Pixels {
  const samples = SAMPLES[colours]!
  const sample = samplesOf(data, width * samples, depth)
  const isGrey = colours === 0 || colours === 4
  const channels = isGrey ? 1 : 3
  const into = new Uint8Array(width * height * channels)
  for (let i = 0; i < width * height; i++) {
    const found = colours === PALETTE ? palette?.[sample(i)] : undefined
    if (colours === PALETTE && !found) throw new TypeError("a colour is not in its palette")
    const of = (k: number) => (found ? found[k]! : sample(i * samples + k))
    const alpha = found ? (found[3] ?? 255) : samples === 2 || samples === 4 ? of(samples - 1) : 255
    for (let k = 0; k < channels; k++)
      into[i * channels + k] = alpha === 255 ? of(k) : Math.round((of(k) * alpha + 255 * (255 - alpha)) / 255)
  }
  if (colours === 0 && depth < 8) for (let i = 0; i < into.length; i++) into[i]! *= 255 / (2 ** depth - 1)
  return { width, height, channels, data: into }
}

/** Any sample of an image; lines of fewer than 8 bits each begin at a whole byte. */
function samplesOf(data: ArrayLike<number>, line: number, depth: number): (i: number) => number {
  if (depth === 8) return i => data[i]!
  if (depth === 16) return i => data[i]! >> 8
  const [bytes, each] = [Math.ceil((line * depth) / 8), 8 / depth]
  return i => {
    const x = i % line
    return (data[Math.floor(i / line) * bytes + Math.floor(x / each)]! >> (8 - depth * ((x % each) + 1))) & (2 ** depth - 1)
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

let table: Int32Array | undefined
/** As in PNG, annex D. */
function crc32(bytes: Uint8Array): number {
  table ??= Int32Array.from({ length: 256 }, (_, n) => {
    let c = n
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
    return c
  })
  let c = -1
  for (const byte of bytes) c = table[(c ^ byte) & 255]! ^ (c >>> 8)
  return ~c >>> 0
}
