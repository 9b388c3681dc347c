import { type Decoders, MOST_PIXELS, type Pixels } from "./pixels.ts"

/** Pixels that one byte stands for, at most: a block of 64 takes one bit where nothing changes, and colours half as many blocks more. */
const PIXELS_PER_BYTE = 400
/** Small images have more bytes of tables than of pixels. */
const FEW_PIXELS = 1 << 16

/**
 * Reads a JPEG with jpeg-js. Its size is looked up before, and its end too: an image that is cut off would pass with grey below.
 *
 * @see https://www.w3.org/Graphics/JPEG/itu-t81.pdf "Annex B: compressed data formats"
 */
export function decodeJpeg(bytes: Uint8Array, { jpeg }: Decoders): Pixels {
  const { width, height, components } = frameOf(bytes)
  if (!(width > 0 && height > 0 && width * height <= Math.min(MOST_PIXELS, FEW_PIXELS + PIXELS_PER_BYTE * bytes.length)))
    throw new TypeError(`${bytes.length} bytes are said to be ${width} x ${height} pixels`)
  const image = jpeg.decode(bytes, {
    ...{ useTArray: true, formatAsRGBA: false, tolerantDecoding: false },
    ...{ maxResolutionInMP: MOST_PIXELS / 1e6, maxMemoryUsageInMB: 64 + Math.ceil((width * height * 32) / 2 ** 20) },
  } as const)
  if (image.width !== width || image.height !== height || image.data.length !== 3 * width * height)
    throw new TypeError("its pixels are not as many as its header says")
  if (components !== 1) return { width, height, channels: 3, data: image.data }
  return { width, height, channels: 1, data: Uint8Array.from({ length: width * height }, (_, i) => image.data[3 * i]!) }
}

interface Frame {
  readonly width: number
  readonly height: number
  readonly components: number
}

/** What the header of the frame says; the segments before the first scan are gone through by their lengths. */
function frameOf(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let frame: Frame | undefined
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) throw new TypeError("a segment does not begin as one")
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) {
      at++ // filling
      continue
    }
    // frames, but for the tables that share their numbers
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      if (frame) throw new TypeError("it has several frames")
      frame = { height: view.getUint16(at + 5), width: view.getUint16(at + 7), components: view.getUint8(at + 9) }
    }
    const next = at + 2 + view.getUint16(at + 2)
    if (marker !== 0xda) {
      at = next
      continue
    }
    if (!frame) throw new TypeError("it has no frame")
    checkEnd(bytes, next)
    return frame
  }
}

/** Within a scan 255 is followed by 0, so that the end cannot be mistaken. */
function checkEnd(bytes: Uint8Array, from: number): void {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) if (bytes[at + 1] === 0xd9) return
  throw new RangeError("its end is missing")
}
