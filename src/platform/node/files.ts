import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { gunzipSync } from "node:zlib"
import { DataError } from "../../data/errors.ts"
import { closest } from "../../data/names.ts"

/**
 * Reads a file, decompressed if it is gzip, whatever its name.
 *
 * @throws DataError if it is missing (naming the nearest file beside it), a folder, may not be read, or its compressed content is damaged.
 * @example const table = parseCsv(readDataFile("iris.csv.gz"), { name: "iris.csv.gz" })
 */
export function readDataFile(path: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw cannot("read", path, error)
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes)
  } catch (error) {
    throw new DataError(`${path} cannot be decompressed: ${(error as Error).message}. Download or compress it again.`)
  }
}

/**
 * Writes a file so that at every instant either the old content or the new one is there, whole. Devices and pipes, such as
 * `/dev/stdout`, are written to directly. What comes piece by piece is never held whole.
 *
 * @throws DataError if it cannot be written.
 */
export function writeFileAtomic(path: string, bytes: Uint8Array | Iterable<Uint8Array>): void {
  try {
    const there = statSync(path, { throwIfNoEntry: false })
    if (there !== undefined && !there.isFile() && !there.isDirectory()) {
      writeAll(path, "w", bytes)
      return
    }
    const target = placeOf(path)
    const temporary = temporaryOf(target)
    removeStale(target)
    try {
      writeDurably(temporary, bytes)
      renameSync(temporary, target)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
    syncFolder(dirname(target))
  } catch (error) {
    throw cannot("write", path, error)
  }
}

/** Writes a new file and waits until it is on the disk. */
export const writeDurably = (path: string, bytes: Uint8Array | Iterable<Uint8Array>): void => writeAll(path, "wx", bytes, fsyncSync)

function writeAll(path: string, flag: "w" | "wx", bytes: Uint8Array | Iterable<Uint8Array>, then?: (file: number) => void): void {
  const file = openSync(path, flag)
  try {
    for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) writeFileSync(file, piece)
    then?.(file)
  } finally {
    closeSync(file)
  }
}

/** Waits until the entries of a folder are on the disk, where the system can say so (Windows cannot). */
export function syncFolder(path: string): void {
  let folder: number
  try {
    folder = openSync(path, "r")
  } catch {
    return
  }
  try {
    fsyncSync(folder)
  } catch {
    // Not every file system can; the rename is atomic all the same.
  } finally {
    closeSync(folder)
  }
}

/**
 * The absolute path of a file or folder that may not exist yet; where it is a link, that of what it links to, so that a rename keeps
 * the link.
 */
export function placeOf(path: string): string {
  for (const find of [() => realpathSync(path), () => resolve(dirname(path), readlinkSync(path))]) {
    try {
      return find()
    } catch {} // not there, or no link
  }
  return resolve(path)
}

/** Where something is built before it takes its place: beside it, so that a rename suffices, and named after this process. */
export function temporaryOf(place: string): string {
  return join(dirname(place), `.${basename(place)}.adjoint-new-${process.pid}`)
}

/** Removes what runs that were killed while they wrote to a place have left beside it. */
export function removeStale(place: string): void {
  const folder = dirname(place)
  const start = `.${basename(place)}.adjoint-new-`
  for (const name of readdirSync(folder)) {
    const pid = name.startsWith(start) ? Number(name.slice(start.length)) : Number.NaN
    if (Number.isSafeInteger(pid) && (pid === process.pid || !isAlive(pid))) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" // another user's
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EISDIR: "it is a folder; name a file",
  ENOTDIR: "a part of its path is a file, not a folder",
  EEXIST: "a part of its path is a file, not a folder",
  ENOTEMPTY: "another process is writing it",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
  ERR_FS_FILE_TOO_LARGE: "it is larger than 2 GiB, more than can be read at once; split it",
}

/** The error for a file that cannot be read or written, in words; errors that are no system's are returned as they are. */
export function cannot(verb: "read" | "write", path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException
  if (error instanceof DataError || code === undefined || !(code in REASONS || /^E[A-Z0-9]+$/.test(code))) return error as Error
  const near = verb === "read" && code === "ENOENT" ? nearestFile(path) : undefined
  const hint = near === undefined ? "Check the path." : `Did you mean ${near}?`
  return new DataError(`Cannot ${verb} ${path}: ${REASONS[code] ?? message}. ${hint}`)
}

function nearestFile(path: string): string | undefined {
  try {
    const near = closest(basename(path), readdirSync(dirname(path)))
    return near === undefined ? undefined : join(dirname(path), near)
  } catch {
    return undefined
  }
}
