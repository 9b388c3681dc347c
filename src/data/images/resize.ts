import type { Pixels } from "./pixels.ts"

/** A part of an image, in pixels; its edges may lie within them. */
export interface Box {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/** The largest part of an image with the proportions of `size`, in its middle; `share` of its sides where that is less than 1. */
export function middle({ height, width }: Pick<Pixels, "height" | "width">, [h, w]: readonly [number, number], share = 1): Box {
  const scale = Math.min(height / h, width / w) * share
  return { height: h * scale, width: w * scale, top: (height - h * scale) / 2, left: (width - w * scale) / 2 }
}

/**
 * A part of an image in another size: pixel i of n along an axis is the mean of those of the part, of length s from b on, weighted by
 * max(0, 1 - |x + 1/2 - c| / r) with c = b + (i + 1/2) s / n and r = max(1, s / n), first along rows, then along columns. That is bilinear
 * interpolation, with a triangle as wide as the step where an image shrinks, so that every pixel counts. Rounded to whole numbers once.
 *
 * @see https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c "BILINEAR, the same weights"
 */
export function resized({ height, width, channels, data }: Pixels, [h, w]: readonly [number, number], box: Box): Uint8Array {
  const [across, down] = [weights(box.left, box.width, w, width), weights(box.top, box.height, h, height)]
  const [first, last] = [down[0]!.first, down.at(-1)!.first + down.at(-1)!.weights.length]
  const rows = new Float32Array((last - first) * w * channels)
  for (let y = first; y < last; y++)
    for (const [x, { first: from, weights }] of across.entries())
      for (let k = 0; k < channels; k++) {
        let sum = 0
        for (let i = 0; i < weights.length; i++) sum += weights[i]! * data[(y * width + from + i) * channels + k]!
        rows[((y - first) * w + x) * channels + k] = sum
      }
  const into = new Uint8Array(h * w * channels)
  for (const [y, { first: from, weights }] of down.entries())
    for (let x = 0; x < w * channels; x++) {
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * rows[(from - first + i) * w * channels + x]!
      into[y * w * channels + x] = Math.round(sum)
    }
  return into
}

interface Weights {
  readonly first: number
  readonly weights: readonly number[]
}

function weights(begin: number, length: number, n: number, size: number): Weights[] {
  const step = length / n
  const reach = Math.max(1, step)
  return Array.from({ length: n }, (_, i) => {
    const centre = begin + (i + 0.5) * step
    const first = Math.max(0, Math.floor(centre - reach))
    const last = Math.min(size, Math.ceil(centre + reach))
    const all = Array.from({ length: last - first }, (_, k) => Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / reach))
    const sum = all.reduce((a, b) => a + b, 0)
    return { first, weights: all.map(weight => weight / sum) }
  })
}

/** Another number of channels: grey is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601); colours of grey are all the same. */
export function withChannels(image: Pixels, channels: 1 | 3): Pixels {
  if (image.channels === channels) return image
  const { data, height, width } = image
  const n = height * width
  const grey = (i: number) => Math.round(0.299 * data[3 * i]! + 0.587 * data[3 * i + 1]! + 0.114 * data[3 * i + 2]!)
  const into = channels === 1 ? Uint8Array.from({ length: n }, (_, i) => grey(i)) : new Uint8Array(3 * n)
  if (channels === 3) for (let i = 0; i < n; i++) into.fill(data[i]!, 3 * i, 3 * i + 3)
  return { height, width, channels, data: into }
}

/** Left and right exchanged. */
export function mirrored<A extends Uint8Array | Float32Array>(data: A, [h, w]: readonly [number, number], channels: number): A {
  const into = new (data.constructor as new (n: number) => A)(data.length)
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let k = 0; k < channels; k++) into[(y * w + x) * channels + k] = data[(y * w + w - 1 - x) * channels + k]!
  return into
}

/** Moved down and to the right by whole pixels, up and to the left where they are negative; 0 where nothing comes from. */
export function moved<A extends Uint8Array | Float32Array>(
  data: A,
  [h, w]: readonly [number, number],
  channels: number,
  [down, right]: readonly [number, number],
): A {
  const into = new (data.constructor as new (n: number) => A)(data.length)
  const [from, to] = [Math.max(0, -right), Math.min(w, w - right)]
  for (let y = Math.max(0, -down); y < Math.min(h, h - down); y++)
    into.set(data.subarray((y * w + from) * channels, (y * w + to) * channels), ((y + down) * w + from + right) * channels)
  return into
}
