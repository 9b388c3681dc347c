// What convolutions make of images, and which ones suit them unless the user says otherwise.
import type { Shape } from "../core/aval.ts"
import { UsageError } from "./errors.ts"

/** Sides of the windows. */
export const WINDOW = 3

type Form = readonly [height: number, width: number, channels: number]

/** @throws UsageError for what is no image. */
export function formOf(image: Shape): Form {
  const [height, width, channels = 1] = image
  if (image.length < 2 || image.length > 3)
    throw new UsageError(
      `--convolutions, --flip and --shift are for images of height, width and perhaps channels; these are ${image.join(" x ")}.`,
    )
  return [height!, width!, channels]
}

/** [height, width, channels] of an image, and after each convolution with the pooling behind it, which halves the sides. */
export function placesAfter(image: Form, convolutions: readonly number[]): Form[] {
  const forms = [image]
  for (const channels of convolutions) {
    const [height, width] = forms.at(-1)!
    if (height < 2 || width < 2)
      throw new UsageError(
        `--convolutions ${convolutions.join()}: images of ${image[0]}x${image[1]} are ${height}x${width} after ${forms.length - 1} of ` +
          `${convolutions.length}, too small to be halved again; wanted at most ${forms.length - 1}.`,
      )
    forms.push([Math.floor(height / 2), Math.floor(width / 2), channels])
  }
  return forms
}

/** Channels, and the sides of images from which there is a convolution with so many of them. */
const CHANNELS = [[16, 8], [32, 8], [64, 32], [128, 64]] as const // biome-ignore format: one line
/** Training rows from which small grey images get dense layers alone. */
const MANY = 20_000

/**
 * Convolutions for images unless told. They were chosen by validation accuracy alone (bench/image-settings.mjs; 20 % of the images that are named
 * are for validation; two seeds, the learning rate 0.003):
 *
 * | training images | dense layers | 16,32 | |
 * |---|---|---|---|
 * | 1,437 of Digits, 8x8, 30 epochs | 97.9 % | 98.8 % | one of 16: 98.8 %, with a higher loss |
 * | 5,000 of MNIST, 6 epochs | 93.9 % | 97.1 % | with a learning rate of 0.001: 96.9 % |
 * | 10,000 of Fashion-MNIST, 6 epochs | 85.9 % | 89.5 % | with 0.001: 88.2 %, without hidden layer: 88.7 % |
 * | 6,000 shapes in colours anywhere, 32x32, 6 epochs, one seed | 17.4 % | 79.1 % | 16,32,64: 95.1 % |
 *
 * Many small grey images are left to dense layers, which take some seconds there where convolutions take minutes: with 25,000 of MNIST they
 * reach 96.6 % (16,32: 98.6 %), with 25,000 of Fashion-MNIST 87.3 % (90.6 %), one seed. Images with sides below 8 were not tried.
 */
export function convolutionsFor(image: Shape, rows: number): number[] {
  const [height = 0, width = 0, channels = 1] = image
  const isImage = (image.length === 2 || image.length === 3) && (channels === 1 || channels === 3)
  const isSmall = channels === 1 && height <= 28 && width <= 28
  if (!isImage || (isSmall && rows >= MANY)) return []
  return CHANNELS.filter(([, from]) => Math.min(height, width) >= from).map(([channels]) => channels)
}

/** @throws UsageError for images of which nothing would be left. */
export function checkShift(image: Shape | undefined, shift: number): void {
  if (!image || shift === 0) return
  const [height, width] = formOf(image)
  if (shift < Math.min(height, width)) return
  throw new UsageError(`--shift ${shift} moves images of ${height}x${width} out of sight; wanted at most ${Math.min(height, width) - 1}.`)
}
