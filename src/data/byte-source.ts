// Where the bytes of files come from; the preset installs what the platform has.
import { DataError } from "./errors.ts"

/** Bytes that are read at any place, such as those of a file. */
export interface ByteSource {
  /** For messages. */
  readonly name: string
  readonly size: number
  /** Fills `into` with the bytes from place `at` on. */
  read(into: Uint8Array, at: number): void | Promise<void>
  close?(): void
}

let opener: ((path: string) => Promise<ByteSource>) | undefined
export const installOpener = (open: (path: string) => Promise<ByteSource>): void => void (opener = open)

/** @throws TypeError for what has no bytes; DataError for a file that cannot be read. */
export async function openBytes(file: string | Blob | ByteSource, name?: string): Promise<ByteSource> {
  if (typeof file === "string") {
    if (opener === undefined) throw new TypeError("openTable: there is no file system here; give it a Blob or a File")
    return opener(file)
  }
  if (typeof Blob !== "undefined" && file instanceof Blob) return blobSource(file, name ?? (file as { name?: string }).name ?? "table")
  if (typeof (file as ByteSource)?.read !== "function" || !Number.isSafeInteger((file as ByteSource).size))
    throw new TypeError(`openTable: wants a path, a Blob, or { name, size, read }; got ${file === null ? "null" : typeof file}`)
  return file as ByteSource
}

/** The same bytes, called otherwise in messages. */
export const named = (source: ByteSource, name: string): ByteSource => ({
  ...{ name, size: source.size },
  read: (into, at) => source.read(into, at),
  close: () => source.close?.(),
})

const blobSource = (blob: Blob, name: string): ByteSource => ({
  name,
  size: blob.size,
  async read(into, at) {
    const bytes = new Uint8Array(await blob.slice(at, at + into.length).arrayBuffer())
    if (bytes.length !== into.length) throw new DataError(`${name} has become shorter while it was read.`)
    into.set(bytes)
  },
})
