import { DataError } from "../errors.ts"
import { decodeJpeg } from "./jpeg.ts"
import type { Decoders, Pixels } from "./pixels.ts"
import { decodePng } from "./png.ts"

/**
 * Loads what reads PNG and JPEG.
 *
 * @throws DataError if a package is missing, with the line that installs both.
 */
export async function loadDecoders(): Promise<Decoders> {
  // within `try`, bundlers let a package be missing
  try {
    const [png, jpeg] = await Promise.all([import("fast-png"), import("jpeg-js")])
    return { png, jpeg: ("default" in jpeg ? jpeg.default : jpeg) as Decoders["jpeg"] }
  } catch (cause) {
    const message = "Images are read by the packages fast-png and jpeg-js, of which one is not installed."
    throw Object.assign(new DataError(`${message} Install them with: npm install fast-png jpeg-js`), { cause })
  }
}

/**
 * The pixels of a PNG or JPEG file, known by its first bytes. Colours come as they are stored: profiles and the orientation that cameras
 * note are not looked at. What is transparent lies on white, and of 16 bits the upper 8 are kept.
 *
 * @throws DataError for what is neither, and for what is damaged or cut off.
 */
export function decodeImage(bytes: Uint8Array, name: string, decoders: Decoders): Pixels {
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50
  if (!isPng && !(bytes[0] === 0xff && bytes[1] === 0xd8))
    throw new DataError(`${name} is neither PNG nor JPEG by its first bytes. Save it as one of them, or remove it.`)
  try {
    return isPng ? decodePng(bytes, decoders) : decodeJpeg(bytes, decoders)
  } catch (cause) {
    const why = (cause as Error).message.slice(0, 120)
    const message = `${name} is damaged, cut off, or of a kind that cannot be read (${why}). Save it again, or remove it.`
    throw Object.assign(new DataError(message), { cause })
  }
}
