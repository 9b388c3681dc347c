import { DataError } from "../errors.ts"
import type { ExampleForms } from "../lazy.ts"
import { count, listNames } from "../names.ts"
import { Sequence } from "../sequence.ts"
import { draws } from "../split.ts"
import { decodeImage, loadDecoders } from "./decode.ts"
import { type ImageFile, imagesOf } from "./files.ts"
import type { Decoders } from "./pixels.ts"
import { type Box, middle, mirrored, resized, withChannels } from "./resize.ts"

/** How images are read. */
export interface ImageOptions {
  /** Height and width that all images get: the largest part in the middle with these proportions, made larger or smaller. */
  readonly size: readonly [height: number, width: number]
  /** 1: grey. 3: colours, the default. */
  readonly channels?: 1 | 3
  /** For training: each image a little different in each epoch. */
  readonly augment?: Augment
  /** What becomes of images that cannot be read. "skip" reads all once when the folder is opened. Default: "throw", when they are read. */
  readonly damaged?: "throw" | "skip"
}

/** What is drawn anew for each image in each epoch. */
export interface Augment {
  readonly seed: number
  /** Whether left and right are exchanged, of every second image. */
  readonly flip?: boolean
  /** The share of each side that is seen, anywhere in the image, such as 0.875; greater than 0, at most 1. */
  readonly crop?: number
}

/** One image and its class. */
export interface ImageExample {
  /** [height, width, channels] from 0 to 1 */
  readonly x: Float32Array
  /** The number of its class. */
  readonly y: number
}

/** Images in folders by class. */
export interface ImageFolder {
  /** The names of the folders, sorted by code unit. */
  readonly classes: readonly string[]
  /** The paths of the images, class by class, sorted. */
  readonly files: readonly string[]
  /** Paths of the images that could not be read, with `damaged: "skip"`. */
  readonly skipped: readonly string[]
  /** Decoded when they are asked for, in the order of `files`. */
  readonly examples: Sequence<ImageExample>
  /** Of one example, for `examplesOf`. */
  readonly forms: ExampleForms
}

/**
 * Opens a folder of PNG and JPEG files in folders by class, such as `photos/cat/1.png`. It needs the packages fast-png and jpeg-js.
 *
 * Each image is cut to the proportions of `size`, in its middle, and resized (bilinear; where it shrinks, over all pixels), grey or in
 * colours, its bytes / 255. With `augment` the part that is seen lies anywhere, and every second image is mirrored, by seed and epoch.
 * The orientation that cameras note is not looked at.
 *
 * @param folder a path (in Node), or the files, as in a browser: `[...input.files].map(f => ({ path: f.webkitRelativePath, bytes: async () => new Uint8Array(await f.arrayBuffer()) }))`
 * @throws DataError if a package is missing, for a folder without images, and for images that cannot be read, when they are.
 * @throws TypeError for options of another kind.
 * @example
 * async function examplesIn(dir: string) {
 *   const photos = await imageFolder(dir, { size: [32, 32], augment: { seed: 1, flip: true, crop: 0.875 } })
 *   return examplesOf(photos.examples.shuffle({ seed: 1 }), photos.forms) // for fit
 * }
 */
export async function imageFolder(folder: string | readonly ImageFile[], options: ImageOptions): Promise<ImageFolder> {
  const { size, channels = 3, augment, damaged = "throw" } = checked(options)
  const decoders = await loadDecoders()
  const { classes, files } = byClass(await imagesOf(folder), typeof folder === "string" ? folder : "the list")
  const read = async (i: number, epoch: number): Promise<ImageExample> => {
    const { file, label } = files[kept[i]!]!
    const draw = augment && draws(augment.seed, epoch, kept[i]!)
    const bytes = pixelsFor(await file.bytes(), file.path, decoders, { size, channels, ...(augment && { augment }) }, draw)
    return { x: Float32Array.from(bytes, byte => byte / 255), y: label }
  }
  let kept = files.map((_, i) => i)
  const skipped = damaged === "skip" ? await unreadable(files, decoders) : new Set<number>()
  kept = kept.filter(i => !skipped.has(i))
  if (kept.length === 0) throw new DataError(`None of the ${count(files.length, "image")} can be read, such as ${files[0]!.file.path}.`)
  const all = async function* (epoch: number): AsyncGenerator<ImageExample> {
    for (let i = 0; i < kept.length; i++) yield await read(i, epoch)
  }
  return {
    classes,
    files: kept.map(i => files[i]!.file.path),
    skipped: [...skipped].map(i => files[i]!.file.path),
    examples: new Sequence(all, kept.length, read),
    forms: { x: { shape: [size[0], size[1], channels] }, y: { shape: [], dtype: "i32" } },
  }
}

function checked(options: ImageOptions): ImageOptions {
  const { size, channels = 3, augment } = options
  if (!Array.isArray(size) || size.length !== 2 || !size.every(n => Number.isSafeInteger(n) && n > 0))
    throw new TypeError(`imageFolder: size wants height and width in pixels, such as [32, 32]; got ${JSON.stringify(size)}`)
  if (channels !== 1 && channels !== 3) throw new TypeError(`imageFolder: channels wants 1 (grey) or 3 (colours); got ${channels}`)
  const { crop = 1, seed } = augment ?? { seed: 0 }
  if (!(crop > 0 && crop <= 1)) throw new TypeError(`imageFolder: augment.crop wants a share greater than 0, at most 1; got ${crop}`)
  if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError(`imageFolder: augment.seed wants a whole number >= 0; got ${seed}`)
  return options
}

export interface LabelledFile {
  readonly file: ImageFile
  readonly label: number
}

/** Files by the folder in which they lie. Throws DataError if none lies in one. */
export function byClass(all: readonly ImageFile[], name: string): { classes: string[]; files: LabelledFile[] } {
  const classOf = ({ path }: ImageFile): string | undefined => path.split(/[/\\]/).at(-2)
  const images = all.filter(file => /\.(png|jpe?g)$/i.test(file.path) && classOf(file) !== undefined)
  const classes = [...new Set(images.map(file => classOf(file)!))].sort()
  if (classes.length === 0)
    throw new DataError(`${name} has no images; wanted a folder for each class with .png, .jpg or .jpeg files in it, as in cat/1.png.`)
  const numbers = new Map(classes.map((name, i) => [name, i]))
  const files = images.map(file => ({ file, label: numbers.get(classOf(file)!)! }))
  const order = (a: LabelledFile, b: LabelledFile) => a.label - b.label || (a.file.path < b.file.path ? -1 : 1)
  return { classes, files: files.sort(order) }
}

/** Throws DataError for a class that training has not seen. */
export function checkClasses(classes: readonly string[], known: readonly string[], name: string): void {
  const odd = classes.find(name => !known.includes(name))
  if (odd !== undefined) throw new DataError(`${name} has the class ${JSON.stringify(odd)}; the model knows ${listNames(known)}.`)
}

async function unreadable(files: readonly LabelledFile[], decoders: Decoders): Promise<Set<number>> {
  const found = new Set<number>()
  for (const [i, { file }] of files.entries()) {
    try {
      decodeImage(await file.bytes(), file.path, decoders)
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      found.add(i)
    }
  }
  return found
}

type Shaping = Pick<ImageOptions, "size" | "augment"> & { readonly channels: 1 | 3 }

/** The bytes [height, width, channels] of an image file; `draw` gives random whole numbers below its argument. */
export function pixelsFor(
  bytes: Uint8Array,
  name: string,
  decoders: Decoders,
  { size, channels, augment }: Shaping,
  draw?: (n: number) => number,
): Uint8Array {
  const image = withChannels(decodeImage(bytes, name, decoders), channels)
  const whole = middle(image, size, augment?.crop)
  const box = draw && augment?.crop ? somewhere(image, whole, draw) : whole
  const data = resized(image, size, box)
  return draw && augment?.flip && draw(2) === 1 ? mirrored(data, size, channels) : data
}

const PLACES = 1 << 16
/** A part of the same size anywhere in the image. */
const somewhere = ({ height, width }: { height: number; width: number }, box: Box, draw: (n: number) => number): Box => ({
  ...box,
  top: ((height - box.height) * draw(PLACES + 1)) / PLACES,
  left: ((width - box.width) * draw(PLACES + 1)) / PLACES,
})
