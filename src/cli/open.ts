// What DATA names where reading it takes a library: Parquet, and images in folders by class. All else is the affair of source.ts.
import { createHash } from "node:crypto"
import { closeSync, openSync, readSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import { DataError } from "../data/errors.ts"
import { decodeImage, loadDecoders } from "../data/images/decode.ts"
import { byClass, checkClasses, pixelsFor } from "../data/images/folder.ts"
import type { Decoders } from "../data/images/pixels.ts"
import { readParquet } from "../data/parquet/file.ts"
import { readDataFile } from "../platform/node/files.ts"
import { type LocalImage as File, imageFile, imagesIn, imagesOf, isImageName } from "../platform/node/image-files.ts"
import { UsageError } from "./errors.ts"
import type { ImageEncoding } from "./problem.ts"
import {
  hasIdxFiles,
  type ImageSource,
  type Images,
  isNdjson,
  megabytes,
  nameOf,
  openSource,
  type Reading,
  type TableSource,
} from "./source.ts"
import { inFile, inMemory, MEMORY, WHOLE } from "./table-data.ts"
import { type Output, percent, StatusLine } from "./terminal.ts"

/** How tables are read, and the form that images get: as flags say it, or as a model was trained. */
export interface OpenOptions {
  readonly reading?: Reading
  /** Height and width: "32x32". */
  readonly imageSize?: string | undefined
  readonly channels?: string | undefined
  readonly encoding?: ImageEncoding | undefined
  /** MB up to which data are kept in memory. */
  readonly memory?: number | undefined
  /** Who is told how far the reading of a large table is. */
  readonly out?: Output | undefined
}

type Form = { readonly size: readonly [number, number]; readonly channels: 1 | 3 }

/**
 * Finds out what DATA names and reads it, images and large tables excepted.
 *
 * @throws DataError for what is not there or cannot be read; UsageError for flags of images with other data.
 */
export async function openData(data: string, options: OpenOptions = {}): Promise<TableSource | ImageSource> {
  const parts = partsOf(data)
  if (parts) return folderSource(data, parts, await loadDecoders(), options)
  const { imageSize, channels, reading = {} } = options
  const flag = imageSize !== undefined ? "--image-size" : channels !== undefined ? "--channels" : undefined
  if (flag) throw new UsageError(`${flag} is for folders of PNG and JPEG files, a folder for each class; ${data} is none.`)
  const memory = (options.memory ?? MEMORY) * 1e6
  const file = data === "mnist" ? undefined : statSync(data, { throwIfNoEntry: false })
  const size = file?.isFile() ? file.size : 0
  const isLarge = size > memory
  if (!/\.parquet$/i.test(data)) {
    const stays = isLarge || (size * WHOLE > memory && canStay(data, reading))
    return stays ? largeSource(data, reading, memory, options.out) : openSource(data, reading)
  }
  if (isLarge)
    throw new UsageError(
      `${data} has ${megabytes(size)}; a table in Parquet is read whole, and above ${megabytes(memory)} only if --memory says so. ` +
        "Write it as CSV, which is left in its file.",
    )
  if (reading.header === false || reading.encoding !== undefined)
    throw new UsageError(`--${reading.header === false ? "no-header" : "encoding"} is for tables written as text; ${data} is Parquet.`)
  const bytes = readDataFile(data)
  const table = await readParquet(bytes, { name: basename(data) })
  return { kind: "table", name: nameOf(data), data: inMemory(table), sha256: createHash("sha256").update(bytes).digest("hex") }
}

/** Whether rows can be read from the file as they are: text in UTF-8, not compressed. */
function canStay(path: string, { encoding = "utf-8" }: Reading): boolean {
  const start = new Uint8Array(2)
  const file = openSync(path, "r")
  readSync(file, start)
  closeSync(file)
  const isUtf16 = (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff)
  return !/\.gz$/i.test(path) && /^utf-?8$/i.test(encoding) && !isUtf16
}

/** A table that is left in its file. */
async function largeSource(path: string, reading: Reading, memory: number, out: Output | undefined): Promise<TableSource> {
  isNdjson(path, reading)
  const name = basename(path)
  out?.note(`${name} has ${megabytes(statSync(path).size)} and stays in its file.\n`)
  const status = new StatusLine()
  const watch = (share: number): void => (share < 1 ? status.draw(`reading ${name}: ${percent(share, 0)}`) : status.clear())
  // training, validation and test rows each may take it
  const data = await inFile(path, { ...reading, name, ...(out?.talks && { watch }) }, memory / 2)
  return { kind: "table", name: nameOf(path), data, sha256: sha256Of(path) }
}

function sha256Of(path: string): string {
  const hash = createHash("sha256")
  const piece = new Uint8Array(1 << 20)
  const file = openSync(path, "r")
  try {
    for (let n = readSync(file, piece); n > 0; n = readSync(file, piece)) hash.update(piece.subarray(0, n))
  } finally {
    closeSync(file)
  }
  return hash.digest("hex")
}

interface Parts {
  readonly train: readonly File[]
  readonly test?: readonly File[]
}

/** The images of a folder: those in its folders, or in the folders of `train` and `test` if there are both. */
function partsOf(data: string): Parts | undefined {
  if (data === "mnist" || !statSync(data, { throwIfNoEntry: false })?.isDirectory() || hasIdxFiles(data)) return undefined
  const part = (name: string) => (statSync(join(data, name), { throwIfNoEntry: false })?.isDirectory() ? imagesIn(join(data, name)) : [])
  const [train, test] = [part("train"), part("test")]
  if (train.length > 0 && test.length > 0) return { train, test }
  const all = imagesIn(data)
  return all.length > 0 ? { train: all } : undefined
}

function folderSource(data: string, { train, test }: Parts, decoders: Decoders, options: OpenOptions): ImageSource {
  const { classes } = byClass(train, data)
  const known = options.encoding?.target.kind === "class" ? options.encoding.target.values : classes
  const form = formFor(options, train[0]!, decoders)
  const read = (files: readonly File[]): Images => {
    const found = byClass(files, data)
    checkClasses(found.classes, known, data)
    const labels = Int32Array.from(found.files, ({ label }) => known.indexOf(found.classes[label]!))
    const images = found.files.map(({ file }) => file as File)
    return { ...pixelsOf(images, form, decoders, options.encoding), labels, classes: known }
  }
  let images: Images | undefined
  const all = () => (images ??= read(train))
  return { kind: "images", name: nameOf(data), train: all, test: test ? () => read(test) : all, ...(!test && { whole: true }) }
}

/** Sides of images unless told: those of the first one, up to this. */
const LARGEST = 64

function formFor({ imageSize, channels, encoding }: OpenOptions, first: File, decoders: Decoders): Form {
  if (encoding) return formOf(encoding)
  const image = decodeImage(first.bytes(), first.path, decoders)
  const fits = image.height <= LARGEST && image.width <= LARGEST
  const size = imageSize?.split("x").map(Number) ?? (fits ? [image.height, image.width] : [LARGEST, LARGEST])
  return { size: size as [number, number], channels: channels === undefined ? image.channels : channels === "1" ? 1 : 3 }
}

/** Images of a model that were pixels in IDX files have no channels. */
function formOf({ shape }: ImageEncoding): Form {
  const [height, width, channels = 1] = shape
  if (shape.length < 2 || shape.length > 3 || (channels !== 1 && channels !== 3))
    throw new DataError(`The model was trained on images of ${shape.join(" x ")}; PNG and JPEG files have 1 or 3 channels.`)
  return { size: [height!, width!], channels }
}

function pixelsOf(files: readonly File[], form: Form, decoders: Decoders, encoding?: ImageEncoding): Omit<Images, "labels"> {
  const each = form.size[0] * form.size[1] * form.channels
  const pixels = new Uint8Array(files.length * each)
  for (const [i, file] of files.entries()) pixels.set(pixelsFor(file.bytes(), file.path, decoders, form), i * each)
  return { pixels, rows: files.length, shape: encoding?.shape ?? [...form.size, form.channels], scale: encoding?.scale ?? 1 / 255 }
}

/** Images without classes, for a model's answers: one file, or those of a folder; undefined for other data. */
export async function openImages(data: string, encoding: ImageEncoding) {
  const isFolder = statSync(data, { throwIfNoEntry: false })?.isDirectory() && !hasIdxFiles(data)
  const files = isImageName(data) ? [imageFile(data)] : isFolder ? imagesOf(data) : []
  if (files.length === 0) {
    const parts = partsOf(data)
    if (!parts) return undefined
    files.push(...(parts.test ?? parts.train))
  }
  return { ...pixelsOf(files, formOf(encoding), await loadDecoders(), encoding), names: files.map(({ path }) => path) }
}
