// What the readers of PNG and JPEG share.

/** Pixels of one image at most: what unpacks them takes some bytes for each. */
export const MOST_PIXELS = 1e8

/** An image: rows of pixels from above, each with its channels side by side. */
export interface Pixels {
  readonly height: number
  readonly width: number
  /** 1: grey. 3: red, green and blue. */
  readonly channels: 1 | 3
  /** [height, width, channels] */
  readonly data: Uint8Array
}

/** What is used of fast-png and jpeg-js. */
export interface Decoders {
  readonly png: {
    decode(
      bytes: Uint8Array,
      options: { checkCrc: boolean },
    ): {
      readonly width: number
      readonly height: number
      readonly channels: number
      readonly depth: number
      readonly data: ArrayLike<number>
      readonly palette?: readonly (readonly number[])[]
    }
  }
  readonly jpeg: {
    decode(bytes: Uint8Array, options: JpegOptions): { readonly width: number; readonly height: number; readonly data: Uint8Array }
  }
}
interface JpegOptions {
  readonly useTArray: true
  readonly formatAsRGBA: false
  readonly tolerantDecoding: false
  readonly maxResolutionInMP: number
  readonly maxMemoryUsageInMB: number
}
